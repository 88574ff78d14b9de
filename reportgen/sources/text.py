"""Text files: fields between delimiters, in any of the usual encodings and layouts.

A file in UTF-8 with even line ends goes to the engine as it is. Everything else, and every file
whose rows the engine counts differently from its lines, is read record by record in Python: slower,
but the line of each row is exact, and what is wrong with it can be said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from reportgen.engine import watched
from reportgen.errors import DataError, Problem
from reportgen.progress import Progress, parts
from reportgen.queries import discard, materialise, one_row
from reportgen.sources.dialect import Dialect, detect, records
from reportgen.sources.headers import Match, match
from reportgen.sources.reading import FIRST_ROW, Reading, Task, spool, store
from reportgen.tables import ROW

#: How long a file is looked at, read and stored, to each other: by the engine, and by record.
_LOOKING, _READING, _STORING = 1, 5, 5
_BY_RECORD = 50


def read(path: Path, task: Task) -> Reading:
    """Read a text file of any known dialect."""
    looking, rest = parts(task.told, _LOOKING, _READING + _STORING)
    dialect = detect(path, task.headers, looking)
    task = replace(task, told=rest)
    found = match(dialect.header, task.headers, file=path.name)
    reading = _by_engine(path, dialect, found, task) or _by_record(path, dialect, found, task)
    return replace(reading, encoding=dialect.encoding, delimiter=dialect.delimiter)


def _by_engine(path: Path, dialect: Dialect, found: Match, task: Task) -> Reading | None:
    """Let the engine read the file; None where it cannot, or where rows are not lines."""
    if dialect.lines is None:
        return None
    fields = {f"c{position}": "string" for position, _ in enumerate(dialect.header)}
    lines = task.connection.read_csv(
        str(path), columns=fields, auto_detect=False, header=True, delim=dialect.delimiter,
        quote='"', escape='"',
    )
    reading, storing = parts(task.told, _READING, _STORING)
    try:
        with watched(task.connection, reading):
            rows = materialise(task.connection, lines, task.table)
    except duckdb.Error:  # ragged lines, unmatched quotes: the other way tells which and where
        return None
    try:
        if one_row(rows.aggregate(count=rows.count()))["count"] != dialect.lines - 1:
            return None
        # The engine keeps the order of the file, so its own row numbers tell the line.
        return store(rows.mutate(**{ROW: rows.rowid() + FIRST_ROW}), found,
                     replace(task, told=storing))
    finally:
        discard(rows)


def _by_record(path: Path, dialect: Dialect, found: Match, task: Task) -> Reading:
    reading, storing = parts(task.told, _BY_RECORD, _STORING)
    rows = spool(_even_records(path, dialect, reading), width=len(dialect.header), task=task)
    return store(rows, found, replace(task, told=storing))


def _even_records(path: Path, dialect: Dialect,
                  told: Progress) -> Iterator[tuple[int, Sequence[str | None]]]:
    """Yield the records under the header; refuse the file if some have another width."""
    width = len(dialect.header)
    first, count = (0, 0), 0
    lines = records(path, dialect.encoding, dialect.delimiter, told)
    next(lines)
    for line, fields in lines:
        if len(fields) == width:
            yield line, fields
        else:
            first, count = (first if count else (line, len(fields))), count + 1
    if count:
        raise DataError([Problem(
            path.name, "", first[0], "uneven_rows",
            f"the row has {first[1]} fields, the header has {width}; put quotation marks around "
            "values that hold a delimiter or a line end, and complete rows that break off", count,
        )])
