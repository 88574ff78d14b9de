"""Two small months side by side, whose every count is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ibis
from reports import make_report
from stores import scored_columns

from reportgen.config import Settings
from reportgen.results import Segment
from reportgen.trends.pair import Pair

Columns = Mapping[str, Sequence[Any]]


def two_months(settings: Settings, then: Columns, now: Columns, *,
               left_out: Columns | None = None, segments: Sequence[Segment] = (),
               apart: int = 1) -> Pair:
    """Put two scored months beside each other; unnamed columns are constants.

    ``id`` names the customers of each month.
    """
    nobody = {name: [] for name in ("id", *settings.columns)}
    tables = [ibis.memtable(scored_columns(settings, columns)) for columns in (then, now)]
    gone = ibis.memtable(scored_columns(settings, left_out)) if left_out else \
        tables[1].filter(ibis.literal(False))
    report = make_report()
    return Pair(
        month="2026-09", apart=apart, then=tables[0], now=tables[1],
        left_out=gone.select(*nobody), report=replace(
            report, month="2026-09", segments=tuple(segments) or report.segments,
            overview=replace(report.overview, customers=len(then["id"])),
            data=replace(report.data, customers_in=len(then["id"]))),
    )
