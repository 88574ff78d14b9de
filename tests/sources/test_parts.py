"""A table in several files is the table that one file would have been."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from reportgen import cleaning, features, sources, validation
from reportgen.errors import DataError

DEMO = Path(__file__).parents[2] / "data" / "2026-10"


def customers(folder, settings):
    connection = ibis.duckdb.connect()
    raw = sources.read_tables(folder, settings, connection)
    validation.validate(raw, settings)
    return features.customers(cleaning.clean(raw, settings), settings, connection)


def split(folder: Path, name: str, count: int) -> list[str]:
    """Replace a CSV of a folder by a folder of parts with the header each; return their texts."""
    path = folder / f"{name}.csv"
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    path.unlink()
    size = -(-len(rows) // count)
    return ["\n".join([header, *rows[start:start + size]]) + "\n"
            for start in range(0, len(rows), size)]


@pytest.fixture
def month(tmp_path):
    return Path(shutil.copytree(DEMO, tmp_path / "2026-10"))


@pytest.fixture(scope="module")
def whole(settings):
    return customers(DEMO, settings)


def test_parts_of_different_kinds_give_the_same_customers_and_quality(month, settings, whole):
    texts = split(month, "market_money", 3)
    (month / "market_money").mkdir()
    plain, packed, parquet = (month / "market_money" / f"part-{number}" for number in range(3))
    plain.with_suffix(".csv").write_text(texts[0], encoding="utf-8")
    Path(f"{packed}.csv.gz").write_bytes(gzip.compress(texts[1].encode()))
    rows = pa.csv.read_csv(pa.py_buffer(texts[2].encode()))
    pq.write_table(rows, parquet.with_suffix(".parquet"))
    found = customers(month, settings)
    assert found.table.to_pyarrow().equals(whole.table.to_pyarrow())
    one, other = (replace(made.quality, files=()) for made in (found, whole))
    assert one == other
    (file,) = [file for file in found.quality.files if file.table == "revenue"]
    assert file.file == "market_money: 3 files"


def test_a_pattern_finds_parts_beside_each_other(month, settings, whole):
    for number, text in enumerate(split(month, "market_time", 4)):
        (month / f"market_time-{number}.csv").write_text(text, encoding="utf-8")
    table = settings.tables["minutes"].model_copy(update={"file": "market_time-*"})
    own = settings.model_copy(update={"tables": settings.tables | {"minutes": table}})
    assert customers(month, own).table.to_pyarrow().equals(whole.table.to_pyarrow())


def test_parts_may_have_their_columns_in_different_orders(month, settings, whole):
    first, second = split(month, "market_money", 2)
    turned = "\n".join(",".join(reversed(line.split(","))) for line in second.splitlines()) + "\n"
    (month / "market_money").mkdir()
    (month / "market_money/a.csv").write_text(first, encoding="utf-8")
    (month / "market_money/b.csv").write_text(turned, encoding="utf-8")
    assert customers(month, settings).table.to_pyarrow().equals(whole.table.to_pyarrow())


def test_a_wrong_value_is_placed_in_its_own_file(month, settings):
    first, second = split(month, "market_money", 2)
    lines = second.splitlines()
    lines[40] = lines[40].rpartition(",")[0] + ",much"
    (month / "market_money").mkdir()
    (month / "market_money/a.csv").write_text(first, encoding="utf-8")
    (month / "market_money/b.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    with pytest.raises(DataError) as caught:
        customers(month, settings)
    (problem,) = caught.value.problems
    assert (problem.file, problem.column, problem.row) == ("b.csv.gz", "Выручка", 41)


def test_rows_that_contradict_each_other_in_two_parts_are_placed_in_the_later(month, settings):
    first, second = split(month, "money", 2)
    again = first.splitlines()[5]
    (month / "money").mkdir()
    (month / "money/a.csv").write_text(first, encoding="utf-8")
    (month / "money/b.csv").write_text(f"{second}{again}1\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        customers(month, settings)
    (problem,) = caught.value.problems
    assert (problem.file, problem.code) == ("b.csv", "duplicate")
    assert problem.row == len(second.splitlines()) + 1


def test_a_part_without_a_column_is_named(month, settings):
    first, second = split(month, "market_money", 2)
    (month / "market_money").mkdir()
    (month / "market_money/a.csv").write_text(first, encoding="utf-8")
    (month / "market_money/b.csv").write_text(second.replace("Выручка", "Сумма", 1),
                                              encoding="utf-8")
    with pytest.raises(DataError) as caught:
        customers(month, settings)
    assert {(one.file, one.code) for one in caught.value.problems} == {("b.csv", "missing_column")}


def test_a_folder_beside_the_file_and_an_empty_folder_are_told(month, settings):
    (month / "money").mkdir()
    with pytest.raises(DataError, match=r"money\.csv and money hold the same table"):
        customers(month, settings)
    (month / "money.csv").unlink()
    with pytest.raises(DataError, match="holds none of the table's files"):
        customers(month, settings)
