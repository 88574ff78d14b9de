"""Tables straight from a database: the same customers as from files, and no raw table travels."""

from __future__ import annotations

import re
import socket
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import pytest
from click.testing import CliRunner
from databases.conftest import (
    USER,
    Server,
    fill_postgres,
    repaired,
    write_duckdb,
    write_sqlite,
)
from store_files import CUSTOMERS, PROFIT, REVENUE, make_tables, write_tables

from reportgen import analysis, config, database
from reportgen.cli import main
from reportgen.config import Settings
from reportgen.errors import ConfigError, DataError, MachineError
from reportgen.features import Customers
from reportgen.progress import silent

MONTH = "2026-10"


def settings_at(url: str, text: str = "") -> Settings:
    return config.parse(f'[engine]\nurl = "{url}"\n{text}')


def customers(settings: Settings, folder: Path = Path("nowhere")) -> Customers:
    return analysis.read_customers(folder, settings, lambda _: nullcontext(silent), month=MONTH)


def rows(table: ibis.Table) -> list[dict[str, Any]]:
    return table.order_by("id").to_pyarrow().to_pylist()


def assert_same(found: Customers, expected: Customers) -> None:
    assert rows(found.table) == rows(expected.table)
    assert rows(found.left_out) == rows(expected.left_out)
    one, other = (replace(made.quality, files=()) for made in (found, expected))
    assert one == other


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Customers:
    """Return the customers of the same tables in files."""
    folder = write_tables(tmp_path_factory.mktemp("files"), repaired(make_tables()))
    return customers(config.load(None), folder)


# ── The same customers ───────────────────────────────────────────────────────────────────────────


def test_postgres_gives_the_customers_that_files_give(shop: Server, expected: Customers) -> None:
    with shop.owner("shop") as owner:
        for table in make_tables():
            owner.execute(f"DROP TABLE {table}")
        fill_postgres(owner, repaired(make_tables()))
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {USER}")
    assert_same(customers(settings_at(shop.url("shop"))), expected)


@pytest.mark.parametrize("write", [write_sqlite, write_duckdb])
def test_database_files_give_the_customers_that_files_give(
        tmp_path: Path, write: Any, expected: Customers) -> None:
    tables = repaired(make_tables())
    if write is write_sqlite:       # a column of numbers holds no commas
        tables[PROFIT] = [tables[PROFIT][0], *([customer, profit.replace(",", ".")]
                                               for customer, profit in tables[PROFIT][1:])]
    found = customers(settings_at(write(tmp_path / "shop.db", tables)))
    if write is write_sqlite:
        assert rows(found.table) == rows(expected.table)
    else:
        assert_same(found, expected)


def test_typed_columns_mean_what_their_texts_mean(shop: Server) -> None:
    with shop.owner("shop") as owner:
        fill_postgres(owner, make_tables(), suffix="_typed", typed=True)
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {USER}")
    texts = customers(settings_at(shop.url("shop")))
    typed = customers(_renamed(shop, "{file}_typed"))
    assert_same(typed, texts)


def test_long_name_that_postgres_cuts_off_is_recognised(shop: Server) -> None:
    long = "Средний_просмотр_категорий_за_визит"
    with shop.owner("shop") as owner:
        names = [row[0] for row in owner.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'market_file'")]
    assert long not in names            # 66 bytes, of which 63 are kept
    found = customers(settings_at(shop.url("shop")))
    assert found.quality.customers_used == 220


def _renamed(shop: Server, pattern: str, more: str = "") -> Settings:
    """Name the shipped store's tables otherwise."""
    shipped = config.shipped_text()
    start, end = shipped.index("[tables.customers]"), shipped.index("[columns.")
    tables = re.sub(r'^file = "(\w+)"', lambda found: (
        f'{found.group(0)}\ntable = "{pattern.replace("{file}", found.group(1))}"\n{more}'),
        shipped[start:end], flags=re.MULTILINE)
    return config.parse(
        f'{shipped[:start]}{tables}{shipped[end:]}\n[engine]\nurl = "{shop.url("shop")}"\n')


@pytest.mark.parametrize(("kind", "own", "other"), [
    ("date", "2026-10-01", "2026-09-30"), ("timestamp", "2026-10-31 23:59", "2026-11-01 00:00"),
    ("text", "2026-10", "2026-1"), ("text", "2026-10-31", "2026-09-10"),
])
def test_only_rows_of_the_month_are_read(shop: Server, kind: str, own: str, other: str) -> None:
    with shop.owner("shop") as owner:
        for month, seed in ((own, 1), (other, 2)):
            fill_postgres(owner, make_tables(seed=seed), suffix="_all",
                          extra={"загружено": (kind, month)})
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {USER}")
    found = customers(_renamed(shop, "{file}_all", 'month = "загружено"\n'))
    assert_same(found, customers(settings_at(shop.url("shop"))))


def test_schema_and_month_may_be_part_of_a_name(shop: Server) -> None:
    with shop.owner("shop") as owner:
        owner.execute("CREATE SCHEMA crm")
        owner.execute("SET search_path TO crm")
        fill_postgres(owner, make_tables(seed=2), suffix="_2026_10")
        owner.execute(f"GRANT USAGE ON SCHEMA crm TO {USER}")
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA crm TO {USER}")
    found = customers(_renamed(shop, "crm.{file}_{month}"))
    assert rows(found.table) != rows(customers(settings_at(shop.url("shop"))).table)
    assert found.quality.files[0].file == "crm.market_file_2026_10"


# ── What travels ─────────────────────────────────────────────────────────────────────────────────


def test_no_raw_table_travels_and_nothing_is_left(shop: Server) -> None:
    """Every statement as the server ran it, and the rows it gave.

    220 customers have 220 + 660 + 440 + 220 raw rows. A statement that reads a raw table stores
    what it makes of it beside the others; only the customers are fetched, once.
    """
    with shop.owner("shop") as owner:
        owner.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
        owner.execute("SELECT pg_stat_statements_reset()")
        made = customers(settings_at(shop.url("shop")))
        ran = owner.execute(
            "SELECT query, calls, rows FROM pg_stat_statements JOIN pg_roles ON "
            f"pg_roles.oid = userid WHERE rolname = '{USER}'").fetchall()
        left = owner.execute("SELECT count(*) FROM pg_tables WHERE schemaname LIKE 'pg_temp%' OR "
                             "tableowner <> 'owner'").fetchone()
    assert made.quality.customers_used == 220
    raw = [query for query, _, _ in ran if re.search('(FROM|JOIN) "(market_|money)', query)]
    assert len(raw) >= 4
    assert all(query.startswith("INSERT INTO") for query in raw), raw
    fetching = [(query, calls, given) for query, calls, given in ran if given > 40
                and not query.startswith(("CREATE", "INSERT"))]
    moved = [(query, calls, given) for query, calls, given in fetching
             if re.search(r'FROM "customers_\w{32}"', query) or query.startswith("FETCH")]
    assert fetching == moved
    assert sum(given for _, _, given in moved) == 220
    assert left == (0,)


# ── Who may look ─────────────────────────────────────────────────────────────────────────────────


def test_password_is_never_in_the_file_and_never_told() -> None:
    for url in (f"postgresql://me:{'pa55'}@host/shop", "postgresql://host/shop?password=pa55"):
        with pytest.raises(ConfigError, match=r"engine\.url.*REPORTGEN_DATABASE_PASSWORD") as told:
            settings_at(url)
        assert "pa55" not in str(told.value)


def test_wrong_password_says_so_and_keeps_it(
        shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.PASSWORD, "wrong-one")
    with pytest.raises(MachineError, match="password authentication failed") as told:
        customers(settings_at(shop.url("shop")))
    assert "wrong-one" not in str(told.value)
    assert database.PASSWORD in str(told.value)


def test_user_may_come_from_the_environment(
        shop: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.USER, USER)
    url = shop.url("shop").replace(f"{USER}@", "")
    assert customers(settings_at(url)).quality.customers_used == 220


def test_table_that_may_not_be_read_is_told(shop: Server) -> None:
    with shop.owner("shop") as owner:
        owner.execute(f"REVOKE SELECT ON money FROM {USER}")
    with pytest.raises(MachineError, match="permission denied for table money"):
        customers(settings_at(shop.url("shop")))


def test_nobody_at_the_address_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pytest.importorskip("psycopg")
    with pytest.raises(MachineError, match=rf"postgresql://127\.0\.0\.1:{port}/shop.*refused"):
        customers(settings_at(f"postgresql://me@127.0.0.1:{port}/shop"))


def test_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"there is no file {tmp_path}/shop.db"):
        customers(settings_at(f"sqlite://{tmp_path}/shop.db"))
    assert list(tmp_path.iterdir()) == []


def test_unknown_kind_says_how_an_address_begins() -> None:
    with pytest.raises(ConfigError, match=r"\[engine\] url: .*postgresql://"):
        customers(settings_at("nosuch://host/shop"))


# ── What is wrong with the tables ────────────────────────────────────────────────────────────────


def problems(settings: Settings) -> list[tuple[str, str, int, str, int]]:
    with pytest.raises(DataError) as told:
        customers(settings)
    return [(one.file, one.column, one.row, one.code, one.count) for one in told.value.problems]


def test_faults_of_cells_are_told_with_table_column_and_number(tmp_path: Path) -> None:
    tables = make_tables()
    tables[CUSTOMERS][5][2] = "люкс"
    for place in (7, 9):
        tables[CUSTOMERS][place][3] = ""
    tables[REVENUE][11][2] = "12,5O"
    tables[REVENUE].append([*tables[REVENUE][1][:2], "1.5"])
    url = write_duckdb(tmp_path / "shop.duckdb", tables)
    assert problems(settings_at(url)) == [
        ("market_file", "Тип сервиса", 0, "unknown_value", 1),
        ("market_file", "Разрешить сообщать", 0, "missing_value", 2),
        ("market_money", "Выручка", 0, "not_a_number", 1),
        ("market_money", "id", 0, "duplicate", 1),
    ]
    with pytest.raises(DataError, match="«люкс» is unknown"):
        customers(settings_at(url))


def test_missing_table_lists_those_that_are_there(tmp_path: Path) -> None:
    tables = make_tables()
    del tables[PROFIT]
    url = write_duckdb(tmp_path / "shop.duckdb", tables)
    assert problems(settings_at(url)) == [("money", "", 0, "missing_table", 1)]
    with pytest.raises(DataError, match="«market_file», «market_money», «market_time»"):
        customers(settings_at(url))


def test_month_without_rows_and_missing_month_column(shop: Server) -> None:
    assert {one[3] for one in problems(_renamed(shop, "{file}", 'month = "нет"\n'))} == {
        "missing_column"}
    with shop.owner("shop") as owner:
        fill_postgres(owner, make_tables(), suffix="_old", extra={"месяц": ("text", "2026-09")})
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {USER}")
    found = problems(_renamed(shop, "{file}_old", 'month = "месяц"\n'))
    assert [one[3] for one in found] == ["no_rows"] * 4


# ── The command ──────────────────────────────────────────────────────────────────────────────────


def run(*arguments: object) -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    url = write_duckdb(tmp_path / "shop.duckdb", make_tables(n=300))
    (tmp_path / "reportgen.toml").write_text(f'[engine]\nurl = "{url}"\n', encoding="utf-8")
    return tmp_path


def test_month_has_to_be_named(store: Path) -> None:
    for command in (("check",), ("run", "--output", store / "out")):
        found = run(*command, "--data", store)
        assert found.exit_code == 2
        assert "--month YYYY-MM" in found.stderr
    every = run("run", "--all", "--data", store, "--output", store / "out")
    assert (every.exit_code, "--all needs a folder a month" in every.stderr) == (2, True)


def test_check_reads_a_database(store: Path) -> None:
    found = run("check", "--data", store, "--month", MONTH)
    assert found.exit_code == 0, found.stderr
    assert "300 of 300 customers" in found.stdout


@pytest.mark.slow
def test_run_reports_on_a_database_and_analyses_it_each_time(store: Path) -> None:
    """Whether its tables have changed nobody can tell, so nothing is taken as done."""
    for _ in range(2):
        found = run("run", "--quick", "--data", store, "--month", MONTH, "--output", store / "out",
                    "--language", "ru")
        assert found.exit_code in (0, 4), found.stderr
        assert "analysed and written" in found.stderr
    page = (store / "out" / "public" / MONTH / "report.ru.html").read_text(encoding="utf-8")
    assert "market_money" in page
