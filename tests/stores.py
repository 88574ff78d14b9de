"""Small scored tables whose every count is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from reportgen.config import Settings
from reportgen.contract import Kind

Columns = Mapping[str, Sequence[Any]]

Mix = Mapping[Any, float]
"""Values and the share of customers who have each."""

Cell = tuple[bool, bool]
"""Whether customers are in the focus segment, and whether they fell."""


def scored_columns(settings: Settings, columns: Columns) -> pa.Table:
    """Give the columns, and a plain constant for everything else that a scored table has."""
    size = len(next(iter(columns.values())))
    table: dict[str, Sequence[Any]] = {"id": [f"c{i}" for i in range(size)]}
    for name, column in settings.columns.items():
        table[name] = [1.0 if column.kind == Kind.NUMBER else next(iter(column.values))] * size
    table |= {"risk": [0.1] * size, "risk_band": ["low"] * size, "fallen": [False] * size,
              "alike": [False] * size, "contactable": [True] * size, "part": parts(size),
              "value_at_risk": pa.nulls(size, pa.float64())}
    return pa.table(table | dict(columns))


def scored_table(settings: Settings, columns: Columns) -> ir.Table:
    """Put the table into the engine."""
    return ibis.memtable(scored_columns(settings, columns))


def parts(size: int) -> list[str]:
    """Put every fourth customer into the test part."""
    return ["test" if i % 4 == 3 else "train" for i in range(size)]


def spread(mix: Mix, size: int) -> list[Any]:
    """Repeat each value by its share; the last one takes what rounding leaves."""
    values = [value for value, share in mix.items() for _ in range(round(size * share))]
    return (values + [list(mix)[-1]] * size)[:size]


def world(settings: Settings, sizes: Mapping[Cell, int], *,
          by_focus: Mapping[str, tuple[Mix, Mix]],
          by_fallen: Mapping[str, tuple[Mix, Mix]]) -> ir.Table:
    """Build a store whose columns depend on the focus segment or on having fallen, only.

    Of the two mixes of a column, the first is for those inside (fallen), the second for the
    others. The test part is a quarter of every value where that has a multiple of four customers.
    """
    columns: dict[str, list[Any]] = {}
    for (inside, fallen), size in sizes.items():
        cell = {name: spread(mixes[not inside], size) for name, mixes in by_focus.items()}
        cell |= {name: spread(mixes[not fallen], size) for name, mixes in by_fallen.items()}
        cell |= {
            "fallen": [fallen] * size, "alike": [inside and not fallen] * size,
            "risk_band": ["high" if inside else "low"] * size, "part": parts(size),
            "contactable": [value == "yes" for value in cell["permission"]],
        }
        for name, values in cell.items():
            columns.setdefault(name, []).extend(values)
    return scored_table(settings, columns)
