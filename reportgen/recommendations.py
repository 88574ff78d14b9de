"""The recommendations, each judged by this month's figures.

The scored customers (an Ibis table) and the focus segment come in; a `Recommendation` a rule goes
out, always all five of `RULES` and those of `FURTHER` that the tables support, each with its
evidence, its audience and a status that follows from its reason. The sentences belong to the
templates: one for every code and reason in `statuses.REASONS`.

"Beyond chance" means that the 95 % interval of a difference lies on one side of zero. Nothing
here is causal: a recommendation is supported where the figures fit it, and only an experiment can
show that it helps. Risk is computed from the customers' behaviour, so that the focus segment's
differences in behaviour describe it and prove nothing about decline.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import ibis.expr.types as ir

from reportgen import audiences
from reportgen.comparison import SMALLEST_GROUP, Comparison, Group, compare, matching
from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.intervals import wilson
from reportgen.progress import Progress, counted, silent
from reportgen.results import (
    Audience,
    CategoryEvidence,
    CategoryRow,
    DepthEvidence,
    Estimate,
    Evidence,
    GroupEvidence,
    LoyaltyEvidence,
    MailingEvidence,
    ProfileRow,
    Recommendation,
    Segment,
    Signal,
    SignalEvidence,
)
from reportgen.rules import Condition, Rule
from reportgen.signals import SMALLEST_SIDE, find_signals, showing
from reportgen.statuses import MODEL_NOT_USEFUL, REASONS

#: Customers that a segment needs, and that must be left outside it, to be acted on.
SMALLEST_FOCUS = 50

#: Customers who may be messaged for whom a mailing is worth preparing.
ENOUGH_CONTACTABLE = 50

NOBODY = Audience(customers=0, fallen=0, alike=0, contactable=0)


@dataclass(frozen=True)
class RecommendationRule:
    """A recommendation: its code, the function that judges it, and for whom the action is meant.

    ``meant`` gives a condition of the engine over the scored customers, that is true or false.
    """

    code: str
    judge: Callable[[ir.Table, Segment, Settings], Recommendation]
    meant: Callable[[ir.Table, Recommendation, Segment, Settings], ir.BooleanValue]


def recommend(scored: ir.Table, focus: Segment, settings: Settings, told: Progress = silent, *,
              usable: bool) -> tuple[Recommendation, ...]:
    """Judge the five recommendations.

    Parameters
    ----------
    scored
        One row a customer: the contract's columns, risk, risk_band, fallen, alike, contactable,
        part.
    focus
        The profile of ``settings.recommendations.focus``.
    usable
        Whether the model may be acted on. Otherwise this month's data support nothing.
    """
    judged = tuple(rule.judge(scored, focus, settings)
                   for rule in counted(RULES, len(RULES), "rules", told))
    return judged if usable else tuple(map(_withheld, judged))


def recommend_further(scored: ir.Table, focus: Segment, settings: Settings, *,
                      usable: bool) -> tuple[Recommendation, ...]:
    """Judge what else the tables support; a store without the columns has nothing to judge."""
    judged = tuple(rule.judge(scored, focus, settings) for rule in FURTHER
                   if _group_column(rule.code, settings) is not None)
    return judged if usable else tuple(map(_withheld, judged))


def meant(items: Sequence[Recommendation], scored: ir.Table, focus: Segment,
          settings: Settings) -> dict[str, ir.BooleanValue]:
    """Tell for whom each action is meant that this month's figures support.

    Returns
    -------
    A condition of the engine over the scored customers, true or false, by code.
    """
    rules = {rule.code: rule for rule in (*RULES, *FURTHER)}
    return {item.code: rules[item.code].meant(scored, item, focus, settings)
            for item in items if item.status != "unsupported"}


def _withheld(item: Recommendation) -> Recommendation:
    """Take back a recommendation, for the model that it leans on is not proven."""
    return replace(item, status="unsupported", reason=MODEL_NOT_USEFUL, audience=NOBODY)


def discounts(scored: ir.Table, focus: Segment, settings: Settings) -> Recommendation:
    """R1: discounts in the categories popular with the focus segment.

    Supported where a category is over-represented against all other customers beyond chance,
    over all categories together; the one with the largest difference gets the attention. With
    caution where none is, or where the segment brings less profit than the others, so that a
    discount gives away what is not there. Unsupported below 50 customers.
    """
    goods = settings.first_of_role(Role.GOODS)
    value = settings.first_of_role(Role.VALUE)
    found = compare(scored, _focus(scored, focus, settings), settings,
                    numbers=_names(value), categories=_names(goods))
    rows = _by_share(found, goods)
    comparable = _comparable(found)
    standing_out = [row for row in rows if comparable and _above(row.difference)]
    attention = max(standing_out, key=lambda row: row.difference.value, default=None)
    evidence = CategoryEvidence(
        kind="categories", column=goods or "",
        largest=rows[0].value if rows else "",
        attention=attention.value if attention else "",
        rows=rows, profit=_row(found, value),
    )
    reason = _discounts_reason(evidence, comparable=comparable)
    return _recommendation("R1", reason, _audience(focus), evidence)


def _discounts_reason(evidence: CategoryEvidence, *, comparable: bool) -> str:
    if not evidence.column:
        return "no_goods_column"
    if not comparable:
        return "focus_too_small"
    if not evidence.attention:
        return "no_category_stands_out"
    if evidence.profit and _below(evidence.profit.difference):
        return "profit_lower"
    return "category_over_represented"


def mailings(scored: ir.Table, focus: Segment, settings: Settings) -> Recommendation:
    """R2: personal mailings to those of the focus segment who may be messaged.

    They are compared with all other customers. Supported from 50 of them on, unless more
    messages reach them already than the others beyond chance, which asks for caution, as do 10
    to 49 of them. Below 10, nothing is told about them and nothing is supported.
    """
    goods = settings.first_of_role(Role.GOODS)
    contacts = settings.recommendations.contacts
    reached = _focus(scored, focus, settings) & scored["contactable"]
    found = compare(scored, reached, settings, numbers=[contacts], categories=_names(goods))
    audience = NOBODY if focus.suppressed else _audience(found.inside)
    evidence = MailingEvidence(
        kind="mailing", column=goods or "", contactable=audience.contactable,
        contactable_share=wilson(audience.contactable, focus.customers) if audience.customers
        else None,
        rows=_by_share(found, goods), contacts=_row(found, contacts),
    )
    return _recommendation("R2", _mailings_reason(evidence), audience, evidence)


def _mailings_reason(evidence: MailingEvidence) -> str:
    if evidence.contactable < SMALLEST_GROUP:
        return "hardly_any_contactable"
    if evidence.contactable < ENOUGH_CONTACTABLE:
        return "few_contactable"
    if evidence.contacts and _above(evidence.contacts.difference):
        return "contacted_more_already"
    return "enough_contactable"


def promotional_goods(scored: ir.Table, focus: Segment, settings: Settings) -> Recommendation:
    """R3: promotional goods offered right after a purchase, to raise depth and basket.

    Supported where the focus segment looks at less than all other customers (at least one depth
    column is lower beyond chance, none higher) and leaves more goods unpaid. With caution where
    only one of the two holds or the depth columns disagree. Unsupported where neither holds.
    """
    names = settings.recommendations
    found = compare(scored, _focus(scored, focus, settings), settings,
                    numbers=[*names.depth, names.basket])
    rows = tuple(_row(found, column) or _blank(column) for column in names.depth)
    basket = _row(found, names.basket) or _blank(names.basket)
    evidence = DepthEvidence(
        kind="depth", rows=rows, basket=basket,
        shallower=tuple(row.column for row in rows if _below(row.difference)),
        deeper=tuple(row.column for row in rows if _above(row.difference)),
        basket_fuller=_above(basket.difference),
    )
    reason = _goods_reason(evidence, comparable=_comparable(found))
    return _recommendation("R3", reason, _audience(focus), evidence)


def _goods_reason(evidence: DepthEvidence, *, comparable: bool) -> str:
    if not comparable:
        return "focus_too_small"
    if evidence.shallower and evidence.deeper:
        return "depth_mixed"
    if evidence.shallower:
        return "shallower_and_basket_fuller" if evidence.basket_fuller else "only_shallower"
    if evidence.basket_fuller:
        return "only_basket_fuller"
    return "deeper" if evidence.deeper else "neither_shallower_nor_fuller"


def loyalty(scored: ir.Table, focus: Segment, settings: Settings) -> Recommendation:
    """R4: a loyalty programme with bonuses for a series of promotional purchases.

    Everybody who buys mostly on promotion is compared with all others. Supported where they
    decline more beyond chance and do not bring less profit; with caution where their profit is
    lower or unknown, since a bonus then costs more than it keeps. Unsupported where they do not
    decline more, or where they or the focus segment, to whom it would be offered, are too few.
    """
    names = settings.recommendations
    value = settings.first_of_role(Role.VALUE)
    buyers = Rule((Condition(names.promo, ">=", names.promo_buyer),))
    found = compare(scored, matching(scored, buyers), settings, numbers=_names(value))
    shown = found.publishable
    evidence = LoyaltyEvidence(
        kind="loyalty", column=names.promo, threshold=names.promo_buyer,
        buyers=found.inside.customers,
        decline=found.inside.decline if shown else None,
        others_decline=found.others.decline if shown else None,
        difference=found.decline_difference if shown else None,
        profit=_row(found, value),
    )
    if min(found.inside.customers, found.others.customers) < SMALLEST_SIDE:
        reason = "too_few_promo_buyers"
    elif focus.customers < SMALLEST_FOCUS:
        reason = "focus_too_small"
    else:
        reason = _loyalty_reason(evidence)
    return _recommendation("R4", reason, _audience(focus), evidence)


def _loyalty_reason(evidence: LoyaltyEvidence) -> str:
    if _below(evidence.difference):
        return "promo_buyers_decline_less"
    if not _above(evidence.difference):
        return "no_difference"
    if evidence.profit is None or evidence.profit.difference is None:
        return "profit_unknown"
    if _below(evidence.profit.difference):
        return "promo_buyers_less_profitable"
    return "promo_buyers_decline_more"


def risk_signals(scored: ir.Table, focus: Segment, settings: Settings) -> Recommendation:
    """R5: watch the signals of risk and answer at once with personal coupons.

    Levels and falls are tested over all customers (see `signals`). Supported where at least one
    signal is confirmed; its audience is everybody who shows a confirmed one now. Unsupported
    otherwise, also where a signal runs in the opposite direction: few minutes that go with fewer
    fallen customers are no reason for a coupon.
    """
    signals = find_signals(scored, settings)
    confirmed = [signal for signal in signals if signal.finding == "confirmed"]
    flagged = (_audience(compare(scored, showing(scored, confirmed), settings).inside)
               if confirmed else NOBODY)
    evidence = SignalEvidence(
        kind="signals", signals=signals, unmeasured=_unmeasured(settings),
        flagged=flagged.customers, flagged_not_fallen=flagged.customers - flagged.fallen,
    )
    return _recommendation("R5", _signals_reason(signals), flagged, evidence)


def _signals_reason(signals: Sequence[Signal]) -> str:
    confirmed = {signal.form for signal in signals if signal.finding == "confirmed"}
    if confirmed:
        return {
            ("fall", "level"): "levels_and_falls_confirmed",
            ("level",): "levels_confirmed",
            ("fall",): "falls_confirmed",
        }[tuple(sorted(confirmed))]
    if not signals:
        return "nothing_tested"
    return "opposite" if any(signal.finding == "opposite" for signal in signals) else "unclear"


def _unmeasured(settings: Settings) -> tuple[str, ...]:
    """Levels whose fall no column of the contract measures."""
    measured = {column.change.of for column in settings.columns.values() if column.change}
    return tuple(name for name in settings.recommendations.levels if name not in measured)


def _group_column(code: str, settings: Settings) -> tuple[str, float] | None:
    """Return column and limit of a group, None where the store names none."""
    names = settings.recommendations
    column, limit = {
        "R6": (names.failures, names.failures_from),
        "R7": (names.basket, names.basket_from),
    }[code]
    return None if column is None or limit is None else (column, limit)


def group(code: str, scored: ir.Table, focus: Segment, settings: Settings) -> Recommendation:
    """Judge help after failures of the service (R6) or a reminder of unpaid goods (R7).

    Supported where the customers at or above the limit decline more than all others beyond chance.
    """
    column, limit = _group_column(code, settings) or ("", 0.0)
    inside = matching(scored, Rule((Condition(column, ">=", limit),)))
    found = compare(scored, inside, settings)
    shown = found.publishable
    evidence = GroupEvidence(
        kind="group", column=column, threshold=limit, customers=found.inside.customers,
        decline=found.inside.decline if shown else None,
        others_decline=found.others.decline if shown else None,
        difference=found.decline_difference if shown else None,
    )
    if min(found.inside.customers, found.others.customers) < SMALLEST_SIDE:
        reason = "too_few"
    elif _above(evidence.difference):
        reason = "decline_more"
    else:
        reason = "decline_less" if _below(evidence.difference) else "no_difference"
    return _recommendation(code, reason, _audience(found.inside), evidence)


#: In the order of the report. A new recommendation is a line here, its keys in `statuses.REASONS`,
#: and a sentence a key in the templates.
RULES: tuple[RecommendationRule, ...] = (
    RecommendationRule("R1", discounts, audiences.in_category),
    RecommendationRule("R2", mailings, audiences.in_focus),
    RecommendationRule("R3", promotional_goods, audiences.not_deep),
    RecommendationRule("R4", loyalty, audiences.buying_on_promotion),
    RecommendationRule("R5", risk_signals, audiences.showing_signals),
)

#: What else the tables may support; never on the first page.
FURTHER: tuple[RecommendationRule, ...] = (
    RecommendationRule("R6", partial(group, "R6"), audiences.in_group),
    RecommendationRule("R7", partial(group, "R7"), audiences.in_group),
)


def _recommendation(code: str, reason: str, audience: Audience,
                    evidence: Evidence) -> Recommendation:
    return Recommendation(code, REASONS[code][reason], reason, audience, evidence)


def _focus(scored: ir.Table, focus: Segment, settings: Settings) -> ir.BooleanValue:
    return matching(scored, settings.rule(focus.rule))


def _audience(group: Group | Segment) -> Audience:
    return Audience(group.customers, group.fallen, group.alike, group.contactable)


def _comparable(found: Comparison) -> bool:
    return min(found.inside.customers, found.others.customers) >= SMALLEST_FOCUS


def _names(column: str | None) -> list[str]:
    return [] if column is None else [column]


def _by_share(found: Comparison, column: str | None) -> tuple[CategoryRow, ...]:
    """Rows of a category, most frequent first; none where a side is too small to be shown."""
    if column is None or not found.publishable:
        return ()
    return tuple(sorted(found.category_rows(column), key=lambda row: -row.segment))


def _row(found: Comparison, column: str | None) -> ProfileRow | None:
    if column is None or not found.publishable:
        return None
    return found.profile_row(column)


def _blank(column: str) -> ProfileRow:
    return ProfileRow(column, None, None, None)


def _above(difference: Estimate | None) -> bool:
    """Whether a difference lies above zero beyond chance."""
    return difference is not None and difference.low > 0


def _below(difference: Estimate | None) -> bool:
    """Whether a difference lies below zero beyond chance."""
    return difference is not None and difference.high < 0
