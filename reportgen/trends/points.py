"""The key figures of every month, for a line through them."""

from __future__ import annotations

from reportgen.history import Past
from reportgen.results import ModelCard, Overview, Report, TrendPoint


def points(past: Past, state: Overview, card: ModelCard, *, month: str) -> tuple[TrendPoint, ...]:
    """Return the months before, oldest first, and this one."""
    return (*(_of_report(earlier.report) for earlier in past.months), point(month, state, card))


def _of_report(report: Report) -> TrendPoint:
    return point(report.month, report.overview, report.model)


def point(month: str, state: Overview, card: ModelCard) -> TrendPoint:
    """Take a month's key figures from its parts."""
    return TrendPoint(
        month=month, customers=state.customers, fallen=state.fallen,
        fallen_share=state.fallen_share,
        alike_share=state.alike_share if state.bands else None,
        totals={total.name: total.sums[-1] for total in state.totals if total.sums},
        roc_auc=card.honest.roc_auc,
    )
