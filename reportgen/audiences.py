"""For whom each recommended action is meant.

A `Recommendation` with its evidence comes in; a condition of the engine over the scored customers,
which is true or false and never unknown, goes out.
"""

from __future__ import annotations

import operator
from functools import reduce

import ibis.expr.types as ir

from reportgen.comparison import matching
from reportgen.config import Settings
from reportgen.results import (
    CategoryEvidence,
    DepthEvidence,
    GroupEvidence,
    Recommendation,
    Segment,
    SignalEvidence,
)
from reportgen.rules import Condition, Rule
from reportgen.signals import showing


def in_category(scored: ir.Table, item: Recommendation, focus: Segment,
                settings: Settings) -> ir.BooleanValue:
    """Those of the focus segment who turn to the category that gets the attention."""
    evidence = item.evidence
    if not isinstance(evidence, CategoryEvidence):
        raise TypeError(f"{item.code} rests on other evidence")
    return _focus(scored, focus, settings) & _is(
        scored[evidence.column] == (evidence.attention or evidence.largest))


def in_focus(scored: ir.Table, item: Recommendation, focus: Segment,
             settings: Settings) -> ir.BooleanValue:
    """Everybody of the focus segment."""
    return _focus(scored, focus, settings)


def not_deep(scored: ir.Table, item: Recommendation, focus: Segment,
             settings: Settings) -> ir.BooleanValue:
    """Those of the focus segment who look at less, or leave more, than the others on average."""
    evidence = item.evidence
    if not isinstance(evidence, DepthEvidence):
        raise TypeError(f"{item.code} rests on other evidence")
    less = [_is(scored[row.column] <= row.others) for row in evidence.rows
            if row.column in evidence.shallower]
    more = [_is(scored[evidence.basket.column] >= evidence.basket.others)
            ] if evidence.basket_fuller else []
    return _focus(scored, focus, settings) & reduce(operator.or_, less + more)


def buying_on_promotion(scored: ir.Table, item: Recommendation, focus: Segment,
                        settings: Settings) -> ir.BooleanValue:
    """Those of the focus segment who buy mostly on promotion and still buy: a series needs that."""
    names = settings.recommendations
    buyers = Rule((Condition(names.promo, ">=", names.promo_buyer),))
    return _focus(scored, focus, settings) & matching(scored, buyers) & ~scored["fallen"]


def showing_signals(scored: ir.Table, item: Recommendation, focus: Segment,
                    settings: Settings) -> ir.BooleanValue:
    """Everybody who shows a confirmed signal."""
    evidence = item.evidence
    if not isinstance(evidence, SignalEvidence):
        raise TypeError(f"{item.code} rests on other evidence")
    return showing(scored, [s for s in evidence.signals if s.finding == "confirmed"])


def in_group(scored: ir.Table, item: Recommendation, focus: Segment,
             settings: Settings) -> ir.BooleanValue:
    """Everybody at or above the limit."""
    evidence = item.evidence
    if not isinstance(evidence, GroupEvidence):
        raise TypeError(f"{item.code} rests on other evidence")
    return _is(scored[evidence.column] >= evidence.threshold)


def _is(condition: ir.BooleanValue) -> ir.BooleanValue:
    """Take what is unknown as not so."""
    return condition.fill_null(False)


def _focus(scored: ir.Table, focus: Segment, settings: Settings) -> ir.BooleanValue:
    return matching(scored, settings.rule(focus.rule))
