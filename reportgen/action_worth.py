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
    sums = audience.aggregate(
        n=audience.count(), risk=audience["risk"].sum(), value=audience["value_at_risk"].sum(),
        promo=promo.sum(),
    ).to_pyarrow().to_pylist()[0]
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
    found = _KPIS[item.code](item, focus, customers)
    if found is None:
        return None
    before = previous.kpi if previous is not None else None
    name, column, unit, value, better = found
    same = before is not None and (before.name, before.column) == (name, column)
    return Kpi(name=name, column=column, unit=unit, value=value,
               previous=before.value if before is not None and same else None,
               better="up" if better == "up" else "down")


_Found = tuple[str, str, str, float, str] | None
"""Name, column, unit, value and which way is good."""


def _focus_decline(item: Recommendation, focus: Segment, customers: int) -> _Found:
    if focus.decline is None:
        return None
    return "focus_decline", "", "share", focus.decline.value, "down"


def _depth(item: Recommendation, focus: Segment, customers: int) -> _Found:
    rows = item.evidence.rows if isinstance(item.evidence, DepthEvidence) else ()
    known = [row for row in rows if row.segment is not None]
    if not known or known[0].segment is None:
        return None
    return "focus_mean", known[0].column, "mean", known[0].segment, "up"


def _buyers_decline(item: Recommendation, focus: Segment, customers: int) -> _Found:
    evidence = item.evidence
    if not isinstance(evidence, LoyaltyEvidence) or evidence.decline is None:
        return None
    return "promo_buyers_decline", "", "share", evidence.decline.value, "down"


def _flagged(item: Recommendation, focus: Segment, customers: int) -> _Found:
    evidence = item.evidence
    if not isinstance(evidence, SignalEvidence) or evidence.flagged < SMALLEST_GROUP:
        return None
    return "flagged", "", "share", evidence.flagged / customers, "down"


def _group_share(item: Recommendation, focus: Segment, customers: int) -> _Found:
    evidence = item.evidence
    if not isinstance(evidence, GroupEvidence) or evidence.decline is None:
        return None
    return "group_share", evidence.column, "share", evidence.customers / customers, "down"


_KPIS: Mapping[str, Callable[[Recommendation, Segment, int], _Found]] = {
    "R1": _focus_decline, "R2": _focus_decline, "R3": _depth, "R4": _buyers_decline,
    "R5": _flagged, "R6": _group_share, "R7": _group_share,
}
