"""Where an earlier month's customers are now: in which band, in which segment, or lost.

A `Pair` of scored months comes in, a `Migration` goes out. Nobody is left out silently: who is in
no table any more, or no longer regular, counts as lost, and every row adds up to the customers of
the month before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from reportgen.comparison import SMALLEST_GROUP, matching
from reportgen.config import BANDS, Settings
from reportgen.queries import exact_sum, one_row, rows_of
from reportgen.results import LOST, NEW, BandTotal, Flow, Migration, Segment, SegmentFlow
from reportgen.trends.pair import Pair

_Row = Mapping[str, Any]


def migrate(months: Pair, segments: Sequence[Segment], settings: Settings) -> Migration:
    """Follow the customers of the earlier month into this one.

    Parameters
    ----------
    segments
        This month's; those that had the same rule then are followed too.
    """
    followed = _followed(months, segments)
    joined = _joined(months, followed, settings)
    there = joined["id"].notnull()
    here = joined["id_right"].notnull()
    lost = joined.filter(there & ~here)
    counts = one_row(joined.aggregate(before=there.sum(), now=here.sum(),
                                      lost=(there & ~here).sum()))
    before, now, lost_ones = (counts[key] or 0 for key in ("before", "now", "lost"))
    flows = _bands(joined)
    listed = lost.semi_join(months.left_out, lost["id"] == months.left_out["id"])
    not_regular = one_row(listed.aggregate(n=listed.count()))["n"]
    return Migration(
        month=months.month, customers_before=before, customers_now=now,
        lost=lost_ones, gone=lost_ones - not_regular, not_regular=not_regular,
        new=now - (before - lost_ones), bands=flows,
        before=_totals(flows, "before", [*BANDS, NEW]), now=_totals(flows, "now", [*BANDS, LOST]),
        segments=_segments(joined, followed),
    )


def _followed(months: Pair, segments: Sequence[Segment]) -> list[Segment]:
    then = {segment.name: segment.rule for segment in months.report.segments
            if not segment.suppressed}
    return [segment for segment in segments
            if segment.rule and not segment.suppressed and then.get(segment.name) == segment.rule]


def _joined(months: Pair, followed: Sequence[Segment], settings: Settings) -> ir.Table:
    """Give everybody of either month a row: band, money and segments of both, NULL where absent."""
    sides = [
        table.select("id", **{
            f"band_{side}": table["risk_band"], f"money_{side}": _money(table, settings),
            **{f"in_{place}_{side}": matching(table, settings.rule(segment.rule)).fill_null(False)
               for place, segment in enumerate(followed)},
        })
        for side, table in (("then", months.then), ("now", months.now))
    ]
    return sides[0].outer_join(sides[1], "id")


def _money(table: ir.Table, settings: Settings) -> ir.Value:
    """Return what a customer spent: the newest column of the report's first total."""
    totals = list(settings.presentation.totals.values())
    name = totals[0].columns[-1] if totals else None
    return table[name] if name in table.columns else ibis.null("float64")


def _bands(joined: ir.Table) -> tuple[Flow, ...]:
    there, here = joined["id"].notnull(), joined["id_right"].notnull()
    rows = rows_of(joined.group_by(
        before=ibis.ifelse(there, joined["band_then"], NEW),
        now=ibis.ifelse(here, joined["band_now"], LOST),
    ).aggregate(
        customers=joined.count(),
        money_before=exact_sum(joined["money_then"]), money_now=exact_sum(joined["money_now"]),
    ))
    if any(row["before"] is None or row["now"] is None for row in rows):
        return ()       # a month whose model was withheld has no bands
    order = [*BANDS, NEW, LOST]
    rows.sort(key=lambda row: (order.index(row["before"]), order.index(row["now"])))
    money = [_money_told(rows, key, nobody) for key, nobody in (
        ("money_before", NEW), ("money_now", LOST))]
    return tuple(Flow(row["before"], row["now"], row["customers"], before, now)
                 for row, before, now in zip(rows, *money, strict=True))


def _totals(flows: Sequence[Flow], side: str, names: Sequence[str]) -> tuple[BandTotal, ...]:
    if not flows:
        return ()
    return tuple(BandTotal(name, sum(flow.customers for flow in flows
                                     if getattr(flow, side) == name)) for name in names)


def _money_told(rows: Sequence[_Row], key: str, nobody: str) -> list[float | None]:
    """Return what each flow spent in a month, where that tells of nobody in particular.

    Hidden are the amounts of few customers; were one alone, the month's total would give it away,
    so then the smallest other one is hidden too. Flows from or to ``nobody`` spent nothing then.
    """
    spent = [place for place, row in enumerate(rows) if nobody not in (row["before"], row["now"])]
    hidden = {place for place in spent if rows[place]["customers"] < SMALLEST_GROUP}
    if len(hidden) == 1:
        others = [place for place in spent if place not in hidden]
        hidden |= set(sorted(others, key=lambda place: rows[place]["customers"])[:1])
    return [row[key] if place in spent and place not in hidden else None
            for place, row in enumerate(rows)]


def _segments(joined: ir.Table, followed: Sequence[Segment]) -> tuple[SegmentFlow, ...]:
    if not followed:
        return ()
    row = one_row(joined.aggregate(**{
        key: figure for place in range(len(followed))
        for key, figure in _segment_figures(joined, place).items()
    }))
    return tuple(_segment_flow(segment, place, row) for place, segment in enumerate(followed))


def _segment_figures(joined: ir.Table, place: int) -> dict[str, ir.Scalar]:
    there, here = joined["id"].notnull(), joined["id_right"].notnull()
    before = joined[f"in_{place}_then"].fill_null(False)
    now = joined[f"in_{place}_now"].fill_null(False)
    return {
        f"stayed_{place}": (before & now).sum(),
        f"left_{place}": (before & here & ~now).sum(),
        f"lost_{place}": (before & ~here).sum(),
        f"entered_{place}": (now & there & ~before).sum(),
        f"new_{place}": (now & ~there).sum(),
        f"money_before_{place}": exact_sum(joined["money_then"], where=before),
        f"money_now_{place}": exact_sum(joined["money_now"], where=now),
    }


def _segment_flow(segment: Segment, place: int, row: _Row) -> SegmentFlow:
    stayed, left, lost, entered, new = (
        row[f"{key}_{place}"] or 0 for key in ("stayed", "left", "lost", "entered", "new"))
    return SegmentFlow(
        name=segment.name, label=segment.label, before=stayed + left + lost, stayed=stayed,
        left=left, lost=lost, entered=entered, new=new, now=stayed + entered + new,
        money_before=row[f"money_before_{place}"],
        money_now=row[f"money_now_{place}"],
    )
