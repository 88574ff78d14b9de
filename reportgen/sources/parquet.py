"""Parquet files: typed columns, read by the engine itself."""

from __future__ import annotations

from pathlib import Path

import duckdb
import ibis

from reportgen.errors import DataError, Problem
from reportgen.sources.headers import match
from reportgen.sources.reading import FIRST_ROW, Reading, Task, store
from reportgen.tables import ROW

_COUNTER = "file_row_number"


def read(path: Path, task: Task) -> Reading:
    """Read a Parquet file; rows count as in a text file with a header line."""
    try:
        rows = task.connection.read_parquet(path, **{_COUNTER: True})
        names = [name for name in rows.columns if name != _COUNTER]
        columns = {f"c{position}": rows[name] for position, name in enumerate(names)}
        numbered = rows.select(**{ROW: rows[_COUNTER] + ibis.literal(FIRST_ROW)}, **columns)
        return store(numbered, match(names, task.headers, file=path.name), task)
    except duckdb.Error as error:
        reason = str(error).splitlines()[0].replace(str(path), path.name)
        raise DataError([Problem(
            path.name, "", 0, "unreadable",
            f"this is not a Parquet file, or it is damaged; export it again ({reason})",
        )]) from error
