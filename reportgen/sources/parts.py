"""A table in several files, such as the parts of one large export.

The readings of the parts come in, in the order of their names; one reading goes out, in which a
row's number tells its part as well. The parts may be of different kinds and have their columns in
different orders, but each has all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis

from reportgen.engine import watched
from reportgen.queries import discard, materialise
from reportgen.sources.reading import Reading, Task, counted
from reportgen.tables import ROW, ROWS_OF_A_PART


def joined(parts: Sequence[Reading], task: Task) -> Reading:
    """Put parts under one another, each column where the first part has it."""
    first, *others = parts
    if not others:
        return first
    order = first.match.positions
    lines = all(part.data[ROW].type().is_integer() for part in parts)
    tables = [_numbered(part, order, number if lines else None)
              for number, part in enumerate(parts)]
    with watched(task.connection, task.told):
        together = materialise(task.connection, ibis.union(*_of_one_type(tables)), task.table)
    for part in parts:
        discard(part.data)
    encodings, delimiters = ({getattr(part, name) for part in parts}
                             for name in ("encoding", "delimiter"))
    return counted(
        together, first.match, task,
        encoding=encodings.pop() if len(encodings) == 1 else "",
        delimiter=delimiters.pop() if len(delimiters) == 1 else "")


def _numbered(part: Reading, order: Mapping[str, int], number: int | None) -> ibis.Table:
    """Name a part's columns as the first part does, and lines by its number."""
    own = part.match.positions
    names = {f"{kind}{place}": f"{kind}{own[header]}" for header, place in order.items()
             for kind in "cv" if f"{kind}{own[header]}" in part.data.columns}
    kept = [name for name in part.data.columns if name[0] not in "cv" and name != ROW]
    data = part.data
    return data.select(
        **{ROW: data[ROW].cast("string") if number is None else
           data[ROW] + ibis.literal(number * ROWS_OF_A_PART, type="int64")},
        **{name: data[name] for name in kept}, **{new: data[old] for new, old in names.items()})


def _of_one_type(tables: Sequence[ibis.Table]) -> list[ibis.Table]:
    """Write as text what one part holds as text and another as numbers."""
    first = tables[0].schema()
    mixed = [name for name in first.names
             if any(table.schema()[name] != first[name] for table in tables)]
    return [table.mutate(**{name: table[name].cast("string") for name in mixed
                            if name[0] == "c"}) for table in tables]
