"""The same pipeline on Spark: every figure is DuckDB's, and only aggregates and samples travel."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from databases.conftest import repaired
from store_files import CUSTOMERS, MINUTES, PROFIT, REVENUE, make_tables, write_tables, write_xlsx

from reportgen import analysis, config, doctor, pipeline, queries, reasons, spark
from reportgen.config import Settings
from reportgen.errors import ConfigError, DataError, MachineError
from reportgen.features import Customers
from reportgen.progress import silent
from reportgen.sections import Engine

# PySpark leaves its sockets to the garbage collector.
pytestmark = [pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
              pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]

LOCAL = "local[2]"
MONTHS = ("2026-09", "2026-10")

with_spark = pytest.mark.skipif(spark.java() is None, reason="there is no Java")


@pytest.fixture(scope="module")
def on_spark() -> Iterator[Settings]:
    """Give settings whose engine is two workers of this machine."""
    pytest.importorskip("pyspark", reason="pip install 'reportgen[spark]'")
    yield config.parse(f'[engine]\nurl = "{LOCAL}"')
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()


def customers(folder: Path, settings: Settings) -> Customers:
    with spark.told() if settings.engine.kind == "spark" else nullcontext():
        return analysis.read_customers(folder, settings, lambda _: nullcontext(silent),
                                       month="2026-10")


def rows(table: ibis.Table) -> list[dict[str, Any]]:
    return sorted(queries.rows_of(table), key=lambda row: row["id"])


def assert_same(found: Customers, expected: Customers) -> None:
    assert rows(found.table) == rows(expected.table)
    assert rows(found.left_out) == rows(expected.left_out)
    assert replace(found.quality, files=()) == replace(expected.quality, files=())


# ── A whole run ──────────────────────────────────────────────────────────────────────────────────

#: Customers of the demo store; more than a model learns from, and than the list can hold.
STORE, SAMPLE, CONTACTS = 1_500, 600, 50

#: Customers whose reasons are worked out, instead of five thousand.
EXPLAINED = 300


@contextmanager
def _fetched() -> Iterator[list[int]]:
    """Note the rows of every answer with customers in it that leaves the workers."""
    counts: list[int] = []
    plain = spark.fetch

    def noting(connection: Any, answer: ibis.Table) -> Any:
        found = plain(connection, answer)
        if "id" in found.column_names:
            counts.append(found.num_rows)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spark, "fetch", noting)
        patch.setattr(reasons, "MOST_CUSTOMERS", EXPLAINED)
        yield counts


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, on_spark: Settings,
         ) -> tuple[dict[str, Path], list[int]]:
    """Report on two months of one store twice: by the embedded engine, and on Spark."""
    folder = tmp_path_factory.mktemp("store")
    pipeline.write_demo(folder, world="linear", customers=STORE, months=3, seed=5)
    text = (folder / "reportgen.toml").read_text(encoding="utf-8")
    text = text.replace("[model]\n", f"[model]\nsample = {SAMPLE}\n").replace(
        "contacts_a_month = 5000", f"contacts_a_month = {CONTACTS}")
    text += '\n[assumptions]\ncontact_cost = 10\noffer_cost = 300\nacceptance = 0.3\n' \
            'horizon_months = 6\nloss_share = 0.5\nprofit_unit = 1000\n'
    outputs, counts = {}, []
    for name, engine in (("duckdb", ""), ("spark", f'\n[engine]\nurl = "{LOCAL}"\n')):
        (folder / "reportgen.toml").write_text(text + engine, encoding="utf-8")
        outputs[name] = tmp_path_factory.mktemp(name)
        with _fetched() as seen:
            for month in MONTHS:
                pipeline.run(pipeline.Request(folder, outputs[name], month=month, effort="quick",
                                              languages=("en",)), lambda _: nullcontext(silent))
        counts = seen
    return outputs, counts


def _differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Yield where two results differ: counts and words at all, numbers by more than 1e-9."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from _differences(one.get(key), other.get(key), f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, pair in enumerate(zip(one, other, strict=True)):
            yield from _differences(*pair, f"{place}[{number}]")
    elif isinstance(one, float) and isinstance(other, float):
        if not math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12):
            yield f"{place}: {one} and {other}"
    elif one != other:
        yield f"{place}: {one} and {other}"


@pytest.mark.slow
@with_spark
@pytest.mark.parametrize("month", MONTHS)
def test_every_figure_is_that_of_the_embedded_engine(runs: Any, month: str) -> None:
    one, other = (json.loads((output / "public" / month / "results.json").read_text("utf-8"))
                  for output in runs[0].values())
    assert one["overview"]["customers"] > 2 * SAMPLE
    assert list(_differences(one, other)) == []


@pytest.mark.slow
@with_spark
def test_every_customer_is_scored_as_by_the_embedded_engine(runs: Any) -> None:
    """The last bits of a risk depend on how many rows are multiplied at once."""
    one, other = (pq.read_table(output / "private" / MONTHS[1] / "customers.parquet").sort_by("id")
                  for output in runs[0].values())
    assert one.column_names == other.column_names
    for name in one.column_names:
        assert list(_differences(one.column(name).to_pylist(), other.column(name).to_pylist(),
                                 name)) == []


@pytest.mark.slow
@with_spark
def test_only_aggregates_the_sample_and_the_list_travel(runs: Any) -> None:
    """The list holds three customers a contact and 1,000 more at most (`programme`)."""
    counts = runs[1]
    assert {SAMPLE, EXPLAINED} <= set(counts)
    assert max(counts) <= max(SAMPLE, 3 * CONTACTS + 1_000) < STORE


@pytest.mark.slow
@with_spark
def test_what_the_workers_wrote_is_private(runs: Any) -> None:
    folder = runs[0]["spark"] / "private" / MONTHS[1] / "customers.parquet"
    parts = list(folder.iterdir())
    assert parts
    assert all(part.suffix == ".parquet" and part.stat().st_mode & 0o777 == 0o600
               for part in parts)
    assert folder.stat().st_mode & 0o777 == 0o700


# ── Files ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@with_spark
def test_files_of_every_kind_mean_the_same(tmp_path: Path, on_spark: Settings) -> None:
    """One store as plain files, and with each table in another kind, encoding and cut."""
    store = repaired(make_tables())
    plain = write_tables(tmp_path / "plain", store)
    mixed = tmp_path / "mixed"
    write_tables(mixed, {CUSTOMERS: store[CUSTOMERS]}, delimiter=";", encoding="cp1251")
    write_tables(mixed, {PROFIT: store[PROFIT]}, delimiter=";")
    packed = mixed / f"{PROFIT}.csv"
    (mixed / f"{PROFIT}.csv.gz").write_bytes(gzip.compress(packed.read_bytes()))
    packed.unlink()
    pq.write_table(pyarrow.csv.read_csv(plain / f"{MINUTES}.csv"), mixed / f"{MINUTES}.parquet")
    parts = mixed / REVENUE
    header, *lines = store[REVENUE]
    write_tables(parts, {"part-0": [header, *lines[:300]]})
    write_xlsx(parts / "part-1.xlsx", [header, *lines[300:]])
    expected = customers(plain, config.load(None))
    assert_same(customers(plain, on_spark), expected)
    assert_same(customers(mixed, on_spark), expected)


@pytest.mark.slow
@with_spark
def test_line_ends_within_values_and_uneven_rows(tmp_path: Path, on_spark: Settings) -> None:
    store = make_tables()
    for table in store.values():
        table[0].append("примечание")
        for row in table[1:]:
            row.append("две\nстроки")
    found = customers(write_tables(tmp_path / "long", store), on_spark)
    assert found.quality.customers_used == 220
    folder = write_tables(tmp_path / "uneven", make_tables())
    with (folder / f"{PROFIT}.csv").open("a", encoding="utf-8") as file:
        file.write("700000001\n")
    with pytest.raises(DataError, match="uneven_rows") as told:
        customers(folder, on_spark)
    assert [one.file for one in told.value.problems] == [f"{PROFIT}.csv"]


@pytest.mark.slow
@with_spark
def test_faults_are_told_without_lines(tmp_path: Path, on_spark: Settings) -> None:
    store = make_tables()
    store[CUSTOMERS][5][2] = "люкс"
    store[REVENUE][11][2] = "12,5O"
    with pytest.raises(DataError) as told:
        customers(write_tables(tmp_path, store), on_spark)
    assert [(one.file, one.column, one.row, one.code) for one in told.value.problems] == [
        ("market_file.csv", "Тип сервиса", 0, "unknown_value"),
        ("market_money.csv", "Выручка", 0, "not_a_number"),
    ]


# ── What is missing ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("url", "kind"), [
    ("", "embedded"), ("spark://host:7077", "spark"), ("sc://host:15002", "spark"),
    ("local[4]", "spark"), ("local", "spark"), ("yarn", "spark"),
    ("postgresql://host/shop", "database"), ("sqlite:///shop.db", "database"),
])
def test_address_tells_what_works_on_the_tables(url: str, kind: str) -> None:
    assert Engine(url=url).kind == kind


def test_address_without_a_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="begins with a kind"):
        config.parse('[engine]\nurl = "shop.example"')


def test_missing_java_says_what_to_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = doctor._java()
    assert (found.fine, found.told) == (False, "not found")
    assert any("apt-get install openjdk" in remedy for remedy in found.remedies)
    pytest.importorskip("pyspark")
    with pytest.raises(MachineError, match=r"needs Java 17.*\n.*apt-get install openjdk"):
        spark.connect(Engine(url=LOCAL))


def test_old_java_is_not_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "java"
    program.write_text('#!/bin/sh\necho \'openjdk version "11.0.2" 2019\' >&2\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{shutil.os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = doctor._java()
    assert not found.fine
    assert "17 or newer is needed" in found.told


@pytest.mark.parametrize(("memory", "java"), [
    ("1.5GB", "1500m"), ("800MB", "800m"), ("2TB", "2000000m"), ("100KB", "512m"),
])
def test_limit_of_memory_is_written_as_java_does(memory: str, java: str) -> None:
    assert spark._memory(memory) == java
