"""Tables of a database: typed columns or text, worked on where they are.

A connection and the month come in; a `RawTable` for each table of the contract goes out, stored in
the database's own session. Only counts travel.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis
from ibis.common.exceptions import TableNotFound

from reportgen import months
from reportgen.cells import quoted
from reportgen.contract import Contract, Table
from reportgen.errors import DataError, Problem
from reportgen.progress import Progress, counted, silent
from reportgen.queries import is_temporary
from reportgen.sources.distributed import by_customer
from reportgen.sources.headers import match
from reportgen.sources.reading import Reading, Task
from reportgen.tables import RawTable

#: Bytes of a name that PostgreSQL keeps; long Russian ones are cut off there.
_KEPT_OF_A_NAME = 63

#: Most tables a message lists.
_LISTED = 20


def of_database(contract: Contract, connection: ibis.BaseBackend, told: Progress = silent, *,
                month: str) -> dict[str, RawTable]:
    """Put every table of the contract aside in the database, as far as the month goes."""
    names = list(contract.tables)
    tables = (_table(Task(contract, name, connection, Path()), month) for name in names)
    return dict(zip(names, counted(tables, len(names), "tables", told), strict=True))


def _table(task: Task, month: str) -> RawTable:
    spec = task.contract.tables[task.table]
    name = (spec.table or spec.file).replace("{month}", month.replace("-", "_"))
    try:
        reading = _read(_of_month(_find(task.connection, name), spec, name, month), name, task)
    except DataError as error:
        return RawTable(task.table, name, problems=error.problems)
    problems = reading.match.problems
    if not reading.rows:
        problems += (Problem(name, "", 0, "no_rows", f"there is no row of {month}; load it"),)
    return RawTable(
        task.table, name, stored=reading.data if reading.rows else None,
        positions=reading.match.positions, rows=reading.rows, keys=reading.keys,
        customers=reading.customers, double_encoded=reading.match.double_encoded,
        problems=problems)


def _find(connection: ibis.BaseBackend, name: str) -> ibis.Table:
    """Find a table by its name, which may begin with that of a schema."""
    *place, own = name.split(".")
    schema = tuple(place) if len(place) > 1 else place[0] if place else None
    try:
        return connection.table(own, database=schema)
    except TableNotFound as error:
        there = sorted(one for one in connection.list_tables(database=schema)
                       if not is_temporary(one))
        listed = ", ".join(quoted(one) for one in there[:_LISTED]) or "none"
        more = ", …" if len(there) > _LISTED else ""
        raise DataError([Problem(
            name, "", 0, "missing_table",
            f"the database has no such table, or it may not be read; there are {listed}{more}; "
            "name it by `table` of [tables] in reportgen.toml")]) from error


def _of_month(table: ibis.Table, spec: Table, name: str, month: str) -> ibis.Table:
    """Keep a month's rows, where a column tells the month."""
    if not spec.month:
        return table
    if spec.month not in table.columns:
        raise DataError([Problem(
            name, spec.month, 0, "missing_column",
            "the column that tells the month is missing; correct `month` of [tables]")])
    told = table[spec.month]
    if told.type().is_temporal():
        first = date.fromisoformat(f"{month}-01")
        return table.filter((told >= ibis.literal(first))
                            & (told < ibis.literal(months.day_after(month, 1))))
    return table.filter(told.cast("string").startswith(month))


def _read(table: ibis.Table, name: str, task: Task) -> Reading:
    """Take the wanted columns; a row is told from others by its customer."""
    whole = {_cut(header): header for header in task.headers}
    names = [whole.get(column, column) for column in table.columns]
    columns = {f"c{place}": table[column] for place, column in enumerate(table.columns)}
    return by_customer(table.select(**columns), match(names, task.headers, file=name), task)


def _cut(header: str) -> str:
    return header.encode()[:_KEPT_OF_A_NAME].decode(errors="ignore")
