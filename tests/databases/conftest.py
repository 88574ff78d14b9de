"""Databases with the tables of a small store: a PostgreSQL server of the tests' own, and files."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from store_files import CUSTOMERS, MINUTES, PROFIT, REVENUE, Rows, Tables, make_tables

from reportgen import database

USER, PASSWORD = "reporter", "s3cret/with@signs:"

#: Columns of the store that a database would keep as numbers.
NUMBERS = {"id", "Маркет_актив_6_мес", "Маркет_актив_тек_мес", "Длительность",
           "Акционные_покупки", "Средний_просмотр_категорий_за_визит",
           "Неоплаченные_продукты_штук_квартал", "Ошибка_сервиса", "Страниц_за_визит", "Выручка",
           "минут", "Прибыль"}


@dataclass(frozen=True)
class Server:
    """A server whose owner may do everything, and the reporter read what is granted."""

    port: int

    def owner(self, name: str = "postgres") -> Any:
        """Connect as the owner."""
        import psycopg

        return psycopg.connect(host="127.0.0.1", port=self.port, user="owner", dbname=name,
                               password="owner", autocommit=True)

    def url(self, name: str, user: str = USER) -> str:
        """Return the address without its password."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start a PostgreSQL server that asks for passwords and counts the rows of each statement."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    # It refuses to run as root, and then needs a folder that its own user can enter.
    user = {"user": "postgres"} if hasattr(os, "getuid") and os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        place = Path(folder)
        (place / "password").write_text("owner")
        if user:
            for path in (place, place / "password"):
                shutil.chown(path, "postgres")
        subprocess.run(
            [programs / "initdb", "-D", place / "data", "-U", "owner", "-E", "UTF8",
             "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile={place / 'password'}",
             "--no-sync"], check=True, capture_output=True, cwd=folder, **user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = (f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off "
                   "-c shared_preload_libraries=pg_stat_statements")
        start = [programs / "pg_ctl", "-D", place / "data", "-o", options, "-w",
                 "-l", place / "log", "start"]
        subprocess.run(start, check=True, capture_output=True, cwd=folder, **user)
        try:
            running = Server(port)
            with running.owner() as owner:
                owner.execute(f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'")
            yield running
        finally:
            subprocess.run([programs / "pg_ctl", "-D", place / "data", "-m", "immediate", "stop"],
                           check=True, capture_output=True, cwd=folder, **user)


def _programs() -> Path | None:
    """Find the folder of the server's programs; Debian keeps them out of the path."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders else None


@pytest.fixture
def shop(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Give a database called shop with the store's tables, readable for the reporter."""
    with server.owner() as owner:
        owner.execute("DROP DATABASE IF EXISTS shop")
        owner.execute("CREATE DATABASE shop")
    with server.owner("shop") as owner:
        fill_postgres(owner, make_tables())
        owner.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {USER}")
    monkeypatch.setenv(database.PASSWORD, PASSWORD)
    return server


def fill_postgres(connection: Any, tables: Tables, *, suffix: str = "", typed: bool = False,
                  extra: Mapping[str, tuple[str, str]] | None = None) -> None:
    """Make the tables; ``extra`` columns have a type and one value, by name."""
    more = dict(extra or {})
    for stem, (header, *rows) in tables.items():
        columns = [f'"{name}" {"numeric" if typed and name in NUMBERS else "text"}'
                   for name in header]
        columns += [f'"{name}" {kind}' for name, (kind, _) in more.items()]
        connection.execute(f"CREATE TABLE IF NOT EXISTS {stem}{suffix} ({', '.join(columns)})")
        with connection.cursor().copy(f"COPY {stem}{suffix} FROM STDIN") as copy:
            for row in rows:
                copy.write_row([*row, *(value for _, value in more.values())])


def write_sqlite(path: Path, tables: Tables) -> str:
    """Write the tables to an SQLite file, numbers as numbers; return its address."""
    connection = sqlite3.connect(path)
    for stem, (header, *rows) in tables.items():
        kinds = ("REAL" if name in NUMBERS - {"id"} else "INTEGER" if name == "id" else "TEXT"
                 for name in header)
        columns = ", ".join(f'"{name}" {kind}' for name, kind in zip(header, kinds, strict=True))
        connection.execute(f"CREATE TABLE {stem} ({columns})")
        connection.executemany(f"INSERT INTO {stem} VALUES ({', '.join('?' * len(header))})", rows)
    connection.commit()
    connection.close()
    return f"sqlite://{path}"


def write_duckdb(path: Path, tables: Tables) -> str:
    """Write the tables to a DuckDB file as texts; return its address."""
    with duckdb.connect(str(path)) as connection:
        for stem, (header, *rows) in tables.items():
            columns = ", ".join(f'"{name}" VARCHAR' for name in header)
            connection.execute(f"CREATE TABLE {stem} ({columns})")
            connection.executemany(
                f"INSERT INTO {stem} VALUES ({', '.join('?' * len(header))})", rows)
    return f"duckdb://{path}"


def repaired(tables: Tables) -> Tables:
    """Give a store that needs every declared repair: typos, decimal commas, rows twice."""
    rows: dict[str, Rows] = {stem: [list(row) for row in own] for stem, own in tables.items()}
    rows[CUSTOMERS][3][2] = "стандартт"
    for row in rows[MINUTES][1:]:
        row[1] = row[1].replace("предыдущий_месяц", "предыдцщий_месяц")
    for row in rows[PROFIT][1:]:
        row[1] = row[1].replace(".", ",")
    rows[REVENUE] += rows[REVENUE][5:9]
    rows[REVENUE][10][2] = "90000.0"         # an outlier
    for row in rows[REVENUE][21:24]:
        row[2] = "0"                         # no longer regular
    return rows
