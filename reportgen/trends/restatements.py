"""Whether this month's tables tell of earlier months what was reported then.

A `Pair` of months comes in, a `Restatement` a column goes out. The tables of a month repeat the
months before ("previous"); where they differ from what those months' own tables said, somebody has
corrected the past, or the files do not belong together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import ibis.expr.types as ir

from reportgen.config import Settings
from reportgen.contract import Kind, Role
from reportgen.queries import exact_sum, one_row
from reportgen.results import Restatement
from reportgen.trends.pair import Pair

#: Numbers are the same where they differ by less than this share: it is below what files write.
SAME = 1e-9


def find(months: Pair, settings: Settings, *,
         columns: Collection[str]) -> tuple[Restatement, ...]:
    """Hold every column of an earlier period against the month it speaks of.

    ``columns`` mean the same in both months by the contract; others are not held.
    """
    held = [(now, then) for now, then in repeated(settings, apart=months.apart)
            if then in months.then.columns and {now, then} <= set(columns)]
    if not held:
        return ()
    both = _in_both(months, held)
    row = one_row(both.aggregate(**{
        key: figure for place in range(len(held)) for key, figure in _figures(both, place).items()
    }))
    return tuple(
        Restatement(
            column=now, then=then, month=months.month, customers=row[f"n_{i}"] or 0,
            changed=row[f"changed_{i}"] or 0, sum_then=row[f"then_{i}"] or 0.0,
            sum_now=row[f"now_{i}"] or 0.0, difference=row[f"difference_{i}"] or 0.0,
        )
        for i, (now, then) in enumerate(held)
    )


def repeated(settings: Settings, *, apart: int) -> Iterator[tuple[str, str]]:
    """Yield each column of an earlier period, and the column of so many months ago it repeats.

    A contract names the periods of a table newest first.
    """
    for name, column in settings.columns.items():
        if not column.period or column.kind != Kind.NUMBER or column.role == Role.IGNORE:
            continue
        periods = list(settings.tables[column.table].periods)
        place = periods.index(column.period) - apart
        if place < 0:
            continue
        for other, origin in settings.of_table(column.table).items():
            if origin.source == column.source and origin.period == periods[place]:
                yield name, other


def _in_both(months: Pair, held: list[tuple[str, str]]) -> ir.Table:
    """Give the customers of both months, those left out this month included."""
    now = months.now.select("id", **{f"b_{i}": name for i, (name, _) in enumerate(held)})
    left_out = months.left_out.select("id", **{f"b_{i}": name
                                               for i, (name, _) in enumerate(held)})
    then = months.then.select("id", **{f"a_{i}": name for i, (_, name) in enumerate(held)})
    return then.inner_join(now.union(left_out), "id")


def _figures(both: ir.Table, place: int) -> dict[str, ir.Scalar]:
    then, now = both[f"a_{place}"], both[f"b_{place}"]
    known = then.notnull() & now.notnull()
    changed = known & ((now - then).abs() > SAME * then.abs().clip(lower=1.0))
    return {
        f"n_{place}": known.sum(), f"changed_{place}": changed.sum(),
        f"then_{place}": exact_sum(then, where=known), f"now_{place}": exact_sum(now, where=known),
        f"difference_{place}": exact_sum(now - then, where=changed),
    }
