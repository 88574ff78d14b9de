"""Files that Spark's workers read themselves, each a part.

As the other readers: a path and what to read come in, a `Reading` goes out. Rows that are read by
many have no line of their own, so the customer's id stands for it (see `tables.ROW`). The workers
have to reach a file under the same path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import ibis

from reportgen import spark
from reportgen.cells import identifier
from reportgen.errors import DataError, Problem
from reportgen.sources import xlsx
from reportgen.sources.dialect import Dialect, detect
from reportgen.sources.headers import Match, match
from reportgen.sources.reading import Reader, Reading, Task, store
from reportgen.tables import ROW

#: How Java calls the encodings of `dialect`.
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1251": "windows-1251"}


def by_customer(rows: ibis.Table, found: Match, task: Task) -> Reading:
    """Take the wanted columns of a table whose rows have no lines.

    Parameters
    ----------
    rows
        Every column as c0, c1, …, in the order in which ``found`` counts them.
    """
    place = found.positions.get(task.contract.tables[task.table].id)
    order = ibis.null("string") if place is None else identifier(rows[f"c{place}"])
    return store(rows.mutate(**{ROW: order}), found, task)


def _text(path: Path, task: Task) -> Reading:
    """Let the workers read a text file of any known dialect."""
    dialect = detect(path, task.headers)
    found = match(dialect.header, task.headers, file=path.name)
    if dialect.lines is not None:
        # Where a value holds a line end, the file cannot be read in pieces.
        reading = _read_text(path, dialect, found, task, pieces=True)
        if reading is not None and reading.rows == dialect.lines - 1:
            return reading
    reading = _read_text(path, dialect, found, task, pieces=False)
    if reading is None:
        raise DataError([Problem(
            path.name, "", 0, "uneven_rows",
            f"a row has not the {len(dialect.header)} fields of the header, or its quotation marks "
            "do not match; `reportgen check` without [engine] url tells the line")])
    return reading


def _read_text(path: Path, dialect: Dialect, found: Match, task: Task, *,
               pieces: bool) -> Reading | None:
    """Read a text file; None where a row has more or fewer fields than the header."""
    rows = task.connection.read_csv(
        str(path), schema=", ".join(f"c{place} STRING" for place, _ in enumerate(dialect.header)),
        inferSchema=False, header=True, sep=dialect.delimiter, quote='"', escape='"',
        encoding=_ENCODINGS[dialect.encoding], mode="FAILFAST", multiLine=not pieces)
    try:
        reading = by_customer(rows, found, task)
    except Exception as error:
        if spark.is_malformed(error):
            return None
        raise
    return replace(reading, encoding=dialect.encoding, delimiter=dialect.delimiter)


def _parquet(path: Path, task: Task) -> Reading:
    rows = task.connection.read_parquet(str(path))
    names = list(rows.columns)
    columns = {f"c{place}": rows[name] for place, name in enumerate(names)}
    return by_customer(rows.select(**columns), match(names, task.headers, file=path.name), task)


SOURCES: Mapping[str, Reader] = MappingProxyType({
    ".csv": _text,
    ".txt": _text,
    ".tsv": _text,
    ".xlsx": xlsx.read,         # at most a million rows, which only Python can read
    ".parquet": _parquet,
})
