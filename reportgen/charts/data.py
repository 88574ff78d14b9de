"""The data behind a chart, as a table that any program opens.

What a chart's ``frame`` selected comes in; CSV text goes out. A list of things becomes rows, each
with what is told of it and of the thing that holds it; ``series`` names the list. So nobody has to
measure a picture to use its figures.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from io import StringIO
from typing import Any

from reportgen.localization import Localizer
from reportgen.results import ColumnInfo

#: What a row holds of a thing: names of columns and what stands under them.
_Row = dict[str, Any]


def to_csv(frame: Any, words: Localizer) -> str:
    """Write a chart's data as CSV: labels in its language, numbers as in results.json.

    Parameters
    ----------
    frame
        A frozen dataclass of plain values, estimates and tuples of such, or a tuple of them.
    """
    rows = list(_rows(frame, "", {}, words))
    heads = list(dict.fromkeys(name for row in rows for name in row))
    buffer = StringIO()
    writer = csv.DictWriter(buffer, heads, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def _rows(thing: Any, series: str, around: _Row, words: Localizer) -> Iterator[_Row]:
    """Yield the rows of a thing: its lists where it has some, else itself."""
    if isinstance(thing, tuple):
        for place, item in enumerate(thing, start=1):
            told = {**around, "series": series} if series else around
            if is_dataclass(item):
                yield from _rows(item, series, told, words)
            else:
                yield {**told, "place": place, "value": item}
        return
    told, lists = dict(around), []
    for field in fields(thing):
        value = getattr(thing, field.name)
        if isinstance(value, tuple):
            lists.append((field.name, value))
        else:
            told |= _cells(field.name, value, words)
    if not any(items for _, items in lists):
        yield told
    for name, items in lists:
        yield from _rows(items, f"{series}.{name}".lstrip("."), told, words)


def _cells(name: str, value: Any, words: Localizer) -> _Row:
    """Spread a value over columns: an estimate has four."""
    if isinstance(value, ColumnInfo):
        return {name: words.label(value.label)}
    if isinstance(value, dict):
        return {name: words.label(value)}
    if is_dataclass(value):
        return {f"{name}.{inner.name}": getattr(value, inner.name) for inner in fields(value)}
    return {name: "" if value is None else value}
