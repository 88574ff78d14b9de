"""What every kind of source gives, and how its rows get into the engine.

A reader takes the path of a file and the table of the contract it should hold, and returns a
`Reading`: the wanted columns stored in the engine, with the line of the file beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import add
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import ibis
import pyarrow as pa
from pyarrow import parquet

from reportgen import spark
from reportgen.contract import Contract
from reportgen.engine import watched
from reportgen.progress import Progress, silent
from reportgen.queries import given, materialise, one_row
from reportgen.sources.headers import Match
from reportgen.tables import ID, PERIOD, ROW, headers, understand

#: Rows that wait in memory while a file is spooled.
_BATCH = 20_000

#: The line of the first row under the header.
FIRST_ROW = 2


@dataclass(frozen=True)
class Task:
    """What to read, and where to: the engine, and a folder for what must be written down.

    ``told`` is told how far the reading is.
    """

    contract: Contract
    table: str
    connection: ibis.BaseBackend
    scratch: Path
    told: Progress = silent

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers the contract expects, the id first."""
        return headers(self.contract, self.table)


@dataclass(frozen=True)
class Reading:
    """One file in the engine; see `reportgen.tables.RawTable` for ``data``."""

    match: Match
    data: ibis.Table
    rows: int
    keys: int
    customers: int
    encoding: str = ""
    delimiter: str = ""


class Reader(Protocol):
    """Reads one kind of file.

    Raises `reportgen.errors.DataError` where the file as a whole cannot be read, OSError where
    the system does not give it.
    """

    def __call__(self, path: Path, task: Task) -> Reading:
        """Read the columns of the contract, as far as they are there."""


def store(rows: ibis.Table, match: Match, task: Task) -> Reading:
    """Take the wanted columns into the engine.

    Parameters
    ----------
    rows
        `ROW`, and every column of the file as c0, c1, …, in the file's order.
    """
    understood = understand(rows, match.positions, task.contract, task.table)
    with watched(task.connection, task.told):
        data = materialise(task.connection, understood, task.table)
    return counted(data, match, task)


def counted(data: ibis.Table, match: Match, task: Task, *, encoding: str = "",
            delimiter: str = "") -> Reading:
    """Count the rows, keys and customers of a table that is stored."""
    count, keys, customers = _count(data, list(task.contract.tables[task.table].periods))
    return Reading(match, data, count, keys, customers, encoding, delimiter)


def _count(data: ibis.Table, periods: Sequence[str]) -> tuple[int, int, int]:
    """Count rows, distinct customers with their periods, and distinct customers."""
    if ID not in data.columns:
        return one_row(data.aggregate(rows=data.count()))["rows"], 0, 0
    if PERIOD not in data.columns:
        answer = one_row(data.aggregate(rows=data.count(), customers=data[ID].nunique()))
        return answer["rows"], answer["customers"], answer["customers"]
    # A look for each period at each customer: far faster than counting distinct pairs.
    seen = [(data[PERIOD] == period).any().ifelse(1, 0) for period in periods]
    each = data.group_by(ID).aggregate(rows=data.count(), keys=reduce(add, seen))
    known = each[ID].notnull()
    answer = one_row(each.aggregate(
        rows=each.rows.sum(), keys=each["keys"].sum(where=known),
        customers=each.count(where=known)))
    return answer["rows"] or 0, answer["keys"] or 0, answer["customers"]


def spool(
    rows: Iterable[tuple[int, Sequence[str | None]]], *, width: int, task: Task
) -> ibis.Table:
    """Pass rows that only Python can read on to the engine, a batch at a time.

    Parameters
    ----------
    rows
        Line of the file, and its ``width`` fields.

    Returns
    -------
    ibis.Table
        `ROW` and c0, c1, …
    """
    fields = [(f"c{position}", pa.string()) for position in range(width)]
    schema = pa.schema([(ROW, pa.int64()), *fields])
    path = task.scratch / f"{uuid4().hex}.parquet"
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in _batches(rows):
            lines, texts = zip(*batch, strict=True)
            arrays = [pa.array(column, pa.string()) for column in zip(*texts, strict=True)]
            writer.write_batch(pa.record_batch([pa.array(lines, pa.int64()), *arrays], schema))
    if task.connection.name == spark.NAME:      # its workers cannot reach a file of this process
        return given(task.connection, parquet.read_table(path))
    return task.connection.read_parquet(path)


def _batches(
    rows: Iterable[tuple[int, Sequence[str | None]]],
) -> Iterator[list[tuple[int, Sequence[str | None]]]]:
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
