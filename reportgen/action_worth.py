"""What an action is worth under the store's assumptions, and the figure to watch.

Judged recommendations, the scored customers and conditions for whom each action is meant come in;
the recommendations with an `ActionWorth` and a `Kpi` go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import ibis.expr.types as ir
from scipy import stats

from reportgen import campaigns
from reportgen.comparison import SMALLEST_GROUP
from reportgen.config import Settings
from reportgen.intervals import CONFIDENCE
from reportgen.queries import exact_sum, one_row
from reportgen.results import (
    ActionWorth,
    DepthEvidence,
    Estimate,
    GroupEvidence,
    Kpi,
    LoyaltyEvidence,
    Recommendation,
    Report,
    Segment,
    SignalEvidence,
)

#: Actions that give something away to those who would have bought on promotion anyway.
_GIVING = ("R1", "R4")


def valued(items: Sequence[Recommendation], scored: ir.Table, meant: Mapping[str, ir.BooleanValue],
           focus: Segment, settings: Settings, *, customers: int,
           earlier: Report | None) -> tuple[Recommendation, ...]:
    """Add to each recommendation what it is worth and the figure to watch.

    Parameters
    ----------
    scored
        One row a customer, see `scoring.score`.
    meant
        For whom each supported action is meant, by code.
    customers
        All of them.
    earlier
        The newest earlier report, for the figure's value then.
    """
    then = {} if earlier is None else {
        item.code: item for item in (*earlier.recommendations, *earlier.further)}
    return tuple(
        replace(item,
                worth=(_worth(item.code, scored, meant[item.code], settings)
                       if item.code in meant else None),
                kpi=_kpi(item, focus, customers=customers, previous=then.get(item.code)))
        for item in items
    )


def _worth(code: str, scored: ir.Table, meant: ir.BooleanValue,
           settings: Settings) -> ActionWorth | None:
    """Work out what acting on everybody an action is meant for brings.

    None where assumptions are missing or too few may be messaged.

    Notes
    -----
    With risk p, value V, acceptance γ, offer d and contact f, a contact brings
    γ·p·(V − d) − (1 − p)·d − f (see `money.evaluate`). The sum over the audience is linear in γ,
    whose quantiles give the range; the break-even cost is the f that makes it 0.
    """
    if settings.assumptions.missing:
        return None
    audience = scored.filter(meant & scored["contactable"] & (scored["fallen"] | scored["alike"]))
    promo = audience[settings.recommendations.promo]
    sums = one_row(audience.aggregate(
        n=audience.count(), risk=audience["risk"].sum(), value=exact_sum(audience["value_at_risk"]),
        promo=promo.sum(),
    ))
    if sums["n"] < SMALLEST_GROUP:
        return None
    terms = campaigns.terms(settings.assumptions)
    kept = sums["value"] - terms.offer * sums["risk"]
    wasted = terms.offer * (sums["n"] - sums["risk"])

    def profit(acceptance: float) -> float:
        return float(acceptance * kept - wasted - terms.contact * sums["n"])

    tail = (1 - CONFIDENCE) / 2
    ends = [profit(stats.beta.ppf(part, terms.alpha, terms.beta)) for part in (tail, 1 - tail)]
    return ActionWorth(
        customers=sums["n"],
        value_at_risk=float(sums["value"]),
        profit=Estimate(profit(terms.acceptance), min(ends), max(ends), sums["n"]),
        break_even=profit(terms.acceptance) / sums["n"] + terms.contact,
        given_away=float(terms.offer * sums["promo"]) if code in _GIVING else None,
    )


def _kpi(item: Recommendation, focus: Segment, *, customers: int,
         previous: Recommendation | None) -> Kpi | None:
    """Return the figure to watch with its value now and a month before; None where it is hidden."""
    now = _KPIS[item.code](item, focus, customers)
    before = previous.kpi if previous is not None else None
    if now is None or before is None or (before.name, before.column) != (now.name, now.column):
        return now
    return replace(now, previous=before.value)


def _share(name: str, value: float, *, column: str = "") -> Kpi:
    return Kpi(name=name, column=column, unit="share", value=value, previous=None, better="down")


def _focus_share(item: Recommendation, focus: Segment, customers: int) -> Kpi | None:
    """Watch how large the segment is: how many of it decline, its rule may decide already."""
    return None if focus.decline is None else _share("focus_share", focus.customers / customers)


def _depth(item: Recommendation, focus: Segment, customers: int) -> Kpi | None:
    rows = item.evidence.rows if isinstance(item.evidence, DepthEvidence) else ()
    for row in rows:
        if row.segment is not None:
            return Kpi(name="focus_mean", column=row.column, unit="mean", value=row.segment,
                       previous=None, better="up")
    return None


def _buyers_decline(item: Recommendation, focus: Segment, customers: int) -> Kpi | None:
    evidence = item.evidence
    if not isinstance(evidence, LoyaltyEvidence) or evidence.decline is None:
        return None
    return _share("promo_buyers_decline", evidence.decline.value)


def _flagged(item: Recommendation, focus: Segment, customers: int) -> Kpi | None:
    evidence = item.evidence
    if not isinstance(evidence, SignalEvidence) or evidence.flagged < SMALLEST_GROUP:
        return None
    return _share("flagged", evidence.flagged / customers)


def _group_share(item: Recommendation, focus: Segment, customers: int) -> Kpi | None:
    evidence = item.evidence
    if not isinstance(evidence, GroupEvidence) or evidence.decline is None:
        return None
    return _share("group_share", evidence.customers / customers, column=evidence.column)


_KPIS: Mapping[str, Callable[[Recommendation, Segment, int], Kpi | None]] = {
    "R1": _focus_share, "R2": _focus_share, "R3": _depth, "R4": _buyers_decline,
    "R5": _flagged, "R6": _group_share, "R7": _group_share,
}
