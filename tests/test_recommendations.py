"""The five recommendations follow the data: six stores, each led by something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import ibis.expr.types as ir
import pytest
from stores import Cell, Mix, scored_table, world

from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.intervals import newcombe, wilson
from reportgen.recommendations import (
    FURTHER,
    RULES,
    meant,
    recommend,
    recommend_further,
)
from reportgen.results import (
    Audience,
    CategoryEvidence,
    DepthEvidence,
    Evidence,
    GroupEvidence,
    LoyaltyEvidence,
    MailingEvidence,
    Recommendation,
    Segment,
    SignalEvidence,
)
from reportgen.segments import profile_rule
from reportgen.statuses import REASONS

Pair = tuple[Mix, Mix]

#: In the focus segment 160 of 208 customers fell, of the 592 others 80.
SIZES: Mapping[Cell, int] = {
    (True, True): 160, (True, False): 48, (False, True): 80, (False, False): 512,
}


def same(mix: Mix) -> Pair:
    return mix, mix


def shares(**values: float) -> Mix:
    """Give every other category of goods the same share of what is left."""
    goods = ("children", "textile", "cosmetics", "beauty", "appliances", "cookware")
    rest = (1 - sum(values.values())) / (len(goods) - len(values))
    return {name: values.get(name, rest) for name in goods}


EVEN_GOODS = same(shares())
LOW: Mix = {8.0: 0.75, 16.0: 0.25}
HIGH: Mix = {8.0: 0.25, 16.0: 0.75}
HALF: Mix = {8.0: 0.5, 16.0: 0.5}
FALLING: Pair = ({-0.35: 0.75, 0.0: 0.25}, {-0.35: 0.25, 0.0: 0.75})


@dataclass(frozen=True)
class World:
    """A store: which columns tell the focus from the others, which the fallen from the steady."""

    by_focus: Mapping[str, Pair]
    by_fallen: Mapping[str, Pair] = field(default_factory=dict)
    sizes: Mapping[Cell, int] = field(default_factory=lambda: SIZES)


#: Unless a world says otherwise: everybody the same, promotion as the focus segment's rule has it.
PLAIN: Mapping[str, Pair] = {
    "promo_share": ({1.0: 1.0}, {0.0: 1.0}),
    "permission": same({"yes": 0.75, "no": 0.25}),
    "popular_category": EVEN_GOODS,
    "contacts_current": same({3.0: 0.5, 5.0: 0.5}),
    "profit": same({3.0: 0.5, 5.0: 0.5}),
    "unpaid_items": same({2.0: 0.5, 4.0: 0.5}),
}
NO_SIGNAL: Mapping[str, Pair] = {
    "minutes_current": same(HALF), "pages_per_visit": same(HALF),
    "categories_per_visit": same(HALF),
    "minutes_change": same({-0.35: 0.5, 0.0: 0.5}),
}

WORLDS = {
    "children lead, few minutes warn": World(
        by_focus={
            "popular_category": (shares(children=0.5), shares(children=0.25)),
            "unpaid_items": ({4.0: 0.5, 6.0: 0.5}, {2.0: 0.5, 4.0: 0.5}),
            "pages_per_visit": (LOW, HIGH),
        },
        by_fallen={"minutes_current": (LOW, HIGH)},
    ),
    "cookware leads, few pages warn": World(
        by_focus={
            "popular_category": (shares(cookware=0.5), shares(cookware=0.25)),
            "contacts_current": ({5.0: 0.5, 7.0: 0.5}, {3.0: 0.5, 5.0: 0.5}),
            "profit": ({2.0: 0.5, 4.0: 0.5}, {3.0: 0.5, 5.0: 0.5}),
        },
        by_fallen={"pages_per_visit": (LOW, HIGH)},
    ),
    "no category leads, no signal": World(
        by_focus={
            "popular_category": same(shares(textile=0.4)),
            "permission": ({"yes": 0.1, "no": 0.9}, {"yes": 1.0}),
            "unpaid_items": ({4.0: 0.5, 6.0: 0.5}, {2.0: 0.5, 4.0: 0.5}),
        },
        sizes={(True, True): 80, (True, False): 120, (False, True): 240, (False, False): 360},
    ),
    "everything runs the other way": World(
        by_focus={
            "popular_category": (shares(textile=0.1), shares(textile=0.3)),
            "permission": ({"yes": 0.02, "no": 0.98}, {"yes": 1.0}),
            "categories_per_visit": (HIGH, LOW),
        },
        by_fallen={"minutes_current": (HIGH, LOW)},
        sizes={(True, True): 40, (True, False): 160, (False, True): 240, (False, False): 360},
    ),
    "a fall warns, depth is mixed": World(
        by_focus={
            "popular_category": (shares(beauty=0.4), shares(beauty=0.1, children=0.4)),
            "pages_per_visit": (LOW, HIGH),
            "categories_per_visit": (HIGH, LOW),
        },
        by_fallen={"minutes_change": FALLING},
        sizes={(True, True): 80, (True, False): 120, (False, True): 240, (False, False): 360},
    ),
    "a focus segment of forty": World(
        by_focus={"popular_category": (shares(children=0.75), shares(children=0.25))},
        by_fallen={"minutes_change": FALLING, "minutes_current": (LOW, HIGH)},
        sizes={(True, True): 32, (True, False): 8, (False, True): 240, (False, False): 520},
    ),
}

EXPECTED = {
    "children lead, few minutes warn": {
        "R1": "category_over_represented", "R2": "enough_contactable",
        "R3": "shallower_and_basket_fuller", "R4": "promo_buyers_decline_more",
        "R5": "levels_confirmed"},
    "cookware leads, few pages warn": {
        "R1": "profit_lower", "R2": "contacted_more_already", "R3": "only_shallower",
        "R4": "promo_buyers_less_profitable", "R5": "levels_confirmed"},
    "no category leads, no signal": {
        "R1": "no_category_stands_out", "R2": "few_contactable", "R3": "only_basket_fuller",
        "R4": "no_difference", "R5": "unclear"},
    "everything runs the other way": {
        "R1": "no_category_stands_out", "R2": "hardly_any_contactable", "R3": "deeper",
        "R4": "promo_buyers_decline_less", "R5": "opposite"},
    "a fall warns, depth is mixed": {
        "R1": "category_over_represented", "R2": "enough_contactable", "R3": "depth_mixed",
        "R4": "no_difference", "R5": "falls_confirmed"},
    "a focus segment of forty": {
        "R1": "focus_too_small", "R2": "few_contactable", "R3": "focus_too_small",
        "R4": "focus_too_small", "R5": "levels_and_falls_confirmed"},
}


def judged(one: World, settings: Settings, *, usable: bool = True) -> dict[str, Recommendation]:
    by_fallen = {name: pair for name, pair in (NO_SIGNAL | dict(one.by_fallen)).items()
                 if name not in one.by_focus}
    scored = world(settings, one.sizes, by_focus=dict(PLAIN) | dict(one.by_focus),
                   by_fallen=by_fallen)
    found = recommend(scored, focus_of(scored, settings), settings, usable=usable)
    return {one.code: one for one in found}


def focus_of(scored: ir.Table, settings: Settings) -> Segment:
    return profile_rule(scored, "focus", {"en": "focus"}, settings.recommendations.focus, settings)


STORES = pytest.mark.parametrize("store", WORLDS)

Found = dict[str, dict[str, Recommendation]]
Kind = TypeVar("Kind", bound=Evidence)


@pytest.fixture(scope="module")
def found(settings: Settings) -> Found:
    return {name: judged(one, settings) for name, one in WORLDS.items()}


def evidence(one: Recommendation, kind: type[Kind]) -> Kind:
    assert isinstance(one.evidence, kind)
    return one.evidence


@STORES
def test_every_store_gets_all_five_with_its_own_reasons(found: Found, store: str) -> None:
    assert {code: one.reason for code, one in found[store].items()} == EXPECTED[store]
    for code, one in found[store].items():
        assert one.status == REASONS[code][one.reason]


@pytest.mark.parametrize("code", [rule.code for rule in RULES])
def test_every_recommendation_changes_with_the_store(found: Found, code: str) -> None:
    assert len({one[code].status for one in found.values()}) > 1
    assert len({one[code].reason for one in found.values()}) >= 4


@pytest.mark.parametrize(("store", "largest", "attention"), [
    ("children lead, few minutes warn", "children", "children"),
    ("cookware leads, few pages warn", "cookware", "cookware"),
    # The largest, but as large among the others.
    ("no category leads, no signal", "textile", ""),
    # The largest among the others are children's goods.
    ("a fall warns, depth is mixed", "beauty", "beauty"),
    # Three quarters of forty customers: a fact, but too few to be singled out.
    ("a focus segment of forty", "children", ""),
])
def test_the_category_that_leads_is_named(
        found: Found, store: str, largest: str, attention: str) -> None:
    goods = evidence(found[store]["R1"], CategoryEvidence)
    assert (goods.column, goods.largest, goods.attention) == (
        "popular_category", largest, attention)


def test_categories_come_with_their_shares_most_frequent_first(found: Found) -> None:
    goods = evidence(found["children lead, few minutes warn"]["R1"], CategoryEvidence)
    assert [row.segment for row in goods.rows] == sorted(
        (row.segment for row in goods.rows), reverse=True)
    assert sum(row.customers for row in goods.rows) == 208
    # Half of 208 customers against a quarter of 592, one of six intervals.
    assert (goods.rows[0].customers, goods.rows[0].segment, goods.rows[0].others) == (
        104, 0.5, 0.25)
    assert goods.rows[0].difference == newcombe(104, 208, 148, 592, confidence=1 - 0.05 / 6)


def test_a_lower_profit_of_the_segment_is_told(found: Found) -> None:
    profit = evidence(found["cookware leads, few pages warn"]["R1"], CategoryEvidence).profit
    assert profit is not None
    assert (profit.segment, profit.others) == (3.0, 4.0)


def test_a_mailing_speaks_about_those_who_may_be_messaged(found: Found) -> None:
    one = found["children lead, few minutes warn"]["R2"]
    mailing = evidence(one, MailingEvidence)
    # Three quarters of 160 fallen and of 48 alike.
    assert one.audience == Audience(customers=156, fallen=120, alike=36, contactable=156)
    assert mailing.contactable == 156
    assert mailing.contactable_share == wilson(156, 208)
    # The world puts children's goods first and the permission too: 104 of 156.
    assert (mailing.rows[0].value, mailing.rows[0].customers) == ("children", 104)
    cookware = evidence(found["cookware leads, few pages warn"]["R2"], MailingEvidence)
    assert cookware.rows[0].value == "cookware"
    assert cookware.contacts is not None
    assert cookware.contacts.segment == pytest.approx((5 * 104 + 7 * 52) / 156)


def test_a_handful_who_may_be_messaged_are_not_described(found: Found) -> None:
    mailing = evidence(found["everything runs the other way"]["R2"], MailingEvidence)
    # 2 % of 40 and of 160 customers, rounded: 1 and 3.
    assert (mailing.contactable, mailing.rows, mailing.contacts) == (4, (), None)


@pytest.mark.parametrize(("store", "shallower", "deeper", "fuller"), [
    ("children lead, few minutes warn", ("pages_per_visit",), (), True),
    ("cookware leads, few pages warn", ("pages_per_visit",), (), False),
    ("no category leads, no signal", (), (), True),
    ("everything runs the other way", (), ("categories_per_visit",), False),
    ("a fall warns, depth is mixed", ("pages_per_visit",), ("categories_per_visit",), False),
])
def test_depth_and_basket_go_the_way_the_store_goes(
        found: Found, store: str, shallower: tuple[str, ...], deeper: tuple[str, ...],
        fuller: bool) -> None:
    depth = evidence(found[store]["R3"], DepthEvidence)
    assert (depth.shallower, depth.deeper, depth.basket_fuller) == (shallower, deeper, fuller)
    assert [row.column for row in depth.rows] == ["pages_per_visit", "categories_per_visit"]
    assert depth.basket.column == "unpaid_items"


def test_buyers_on_promotion_are_compared_with_all_others(found: Found) -> None:
    one = found["children lead, few minutes warn"]["R4"]
    loyalty = evidence(one, LoyaltyEvidence)
    assert (loyalty.column, loyalty.threshold, loyalty.buyers) == ("promo_share", 0.5, 208)
    assert (loyalty.decline, loyalty.others_decline) == (wilson(160, 208), wilson(80, 592))
    assert loyalty.difference == newcombe(160, 208, 80, 592)
    assert one.audience == Audience(customers=208, fallen=160, alike=48, contactable=156)
    other = evidence(found["everything runs the other way"]["R4"], LoyaltyEvidence)
    assert other.difference == newcombe(40, 200, 240, 600)


@pytest.mark.parametrize(("store", "column", "threshold", "finding"), [
    ("children lead, few minutes warn", "minutes_current", 8.0, "confirmed"),
    ("cookware leads, few pages warn", "pages_per_visit", 8.0, "confirmed"),
    ("everything runs the other way", "minutes_current", 8.0, "opposite"),
    ("a fall warns, depth is mixed", "minutes_change", -0.3, "confirmed"),
])
def test_the_signal_that_leads_is_named_in_its_direction(
        found: Found, store: str, column: str, threshold: float, finding: str) -> None:
    signal = evidence(found[store]["R5"], SignalEvidence).signals[0]
    assert (signal.column, signal.threshold, signal.finding) == (column, threshold, finding)


def test_customers_who_show_a_signal_are_counted(found: Found) -> None:
    one = found["cookware leads, few pages warn"]["R5"]
    signals = evidence(one, SignalEvidence)
    # At most 8 pages: three quarters of 240 fallen, a quarter of 48 alike and of 512 steady.
    assert (signals.flagged, signals.flagged_not_fallen) == (320, 140)
    assert (one.audience.customers, one.audience.fallen, one.audience.alike) == (320, 180, 12)
    # Only the fall of minutes is a column of the contract.
    assert signals.unmeasured == ("pages_per_visit", "categories_per_visit")


def test_without_a_confirmed_signal_nobody_is_flagged(found: Found) -> None:
    for store in ("no category leads, no signal", "everything runs the other way"):
        one = found[store]["R5"]
        assert evidence(one, SignalEvidence).flagged == 0
        assert one.audience == Audience(0, 0, 0, 0)


def test_a_segment_too_small_to_show_has_no_figures(settings: Settings) -> None:
    tiny = World(by_focus={}, sizes={(True, True): 9, (False, True): 80, (False, False): 512})
    found = judged(tiny, settings)
    nobody = Audience(0, 0, 0, 0)
    for code in ("R1", "R2", "R3", "R4"):
        assert (found[code].status, found[code].audience) == ("unsupported", nobody)
    goods = evidence(found["R1"], CategoryEvidence)
    assert (goods.largest, goods.attention, goods.rows, goods.profit) == ("", "", (), None)
    mailing = evidence(found["R2"], MailingEvidence)
    assert (mailing.contactable, mailing.contactable_share) == (0, None)
    depth = evidence(found["R3"], DepthEvidence)
    assert {row.segment for row in (*depth.rows, depth.basket)} == {None}
    loyalty = evidence(found["R4"], LoyaltyEvidence)
    assert found["R4"].reason == "too_few_promo_buyers"
    assert (loyalty.decline, loyalty.others_decline, loyalty.difference) == (None, None, None)


def test_neither_depth_nor_basket_supports_nothing(settings: Settings) -> None:
    found = judged(World(by_focus={}), settings)
    assert found["R3"].reason == "neither_shallower_nor_fuller"


def without(settings: Settings, role: Role) -> Settings:
    """Leave a role out of the contract."""
    plain = settings.model_dump()
    gone = {name for name, _ in settings.of_role(role)}
    plain["columns"] = {name: c for name, c in plain["columns"].items() if name not in gone}
    plain["segments"] = {}
    plain["presentation"]["profile"] = ()
    return Settings.model_validate(plain)


def test_a_store_without_goods_or_profit_still_gets_all_five(settings: Settings) -> None:
    plain = without(without(settings, Role.GOODS), Role.VALUE)
    found = judged(WORLDS["children lead, few minutes warn"], plain)
    assert (found["R1"].reason, found["R1"].status) == ("no_goods_column", "unsupported")
    assert (found["R4"].reason, found["R4"].status) == ("profit_unknown", "caution")
    assert found["R2"].reason == "enough_contactable"


def test_a_store_that_names_no_signals_is_told_so(settings: Settings) -> None:
    names = settings.recommendations.model_copy(update={"levels": (), "falls": ()})
    plain = settings.model_copy(update={"recommendations": names})
    one = judged(WORLDS["children lead, few minutes warn"], plain)["R5"]
    assert (one.status, one.reason) == ("unsupported", "nothing_tested")


def test_the_rules_and_their_reasons_name_the_same_codes() -> None:
    assert [rule.code for rule in RULES] == ["R1", "R2", "R3", "R4", "R5"]
    assert [rule.code for rule in (*RULES, *FURTHER)] == list(REASONS)
    for reasons in REASONS.values():
        assert {"supported", "caution", "unsupported"} >= set(reasons.values())
        assert "supported" in reasons.values()
        assert "unsupported" in reasons.values()


def test_a_model_that_is_not_proven_supports_nothing(settings: Settings) -> None:
    found = judged(WORLDS["children lead, few minutes warn"], settings, usable=False)
    assert list(found) == [rule.code for rule in RULES]
    assert {(item.status, item.reason, item.audience) for item in found.values()} == {
        ("unsupported", "model_not_useful", Audience(0, 0, 0, 0))}


# ── Beyond the five ──────────────────────────────────────────────────────────────────────────────


def further(settings: Settings, unpaid: tuple[int, int], rest: tuple[int, int],
            *, usable: bool = True) -> Recommendation:
    """Judge R7 where so many of those with full baskets fell, and of the others."""
    (fallen, inside), (others_fallen, others) = unpaid, rest
    scored = scored_table(settings, {
        "unpaid_items": [4.0] * inside + [3.0] * others,
        "fallen": [i < fallen for i in range(inside)] + [i < others_fallen for i in range(others)],
    })
    found = recommend_further(scored, focus_of(scored, settings), settings, usable=usable)
    return {one.code: one for one in found}["R7"]


@pytest.mark.parametrize(("unpaid", "rest", "reason"), [
    ((30, 50), (30, 150), "decline_more"),          # 60 % against 20 %
    ((10, 50), (90, 150), "decline_less"),          # 20 % against 60 %
    ((20, 50), (60, 150), "no_difference"),         # 40 % on both sides
    ((15, 19), (30, 150), "too_few"),
])
def test_a_group_is_held_against_all_others(
    settings: Settings, unpaid: tuple[int, int], rest: tuple[int, int], reason: str
) -> None:
    found = further(settings, unpaid, rest)
    assert (found.reason, found.status) == (reason, REASONS["R7"][reason])
    assert found.audience.customers == unpaid[1]
    assert isinstance(found.evidence, GroupEvidence)
    assert found.evidence.difference == newcombe(*unpaid, *rest)


def test_nothing_beyond_the_five_is_said_without_columns_or_a_useful_model(
    settings: Settings
) -> None:
    assert further(settings, (30, 50), (30, 150), usable=False).reason == "model_not_useful"
    names = settings.recommendations.model_copy(update={"failures": None, "basket_from": None})
    bare = settings.model_copy(update={"recommendations": names})
    scored = scored_table(bare, {"fallen": [True, False] * 50})
    assert recommend_further(scored, focus_of(scored, bare), bare, usable=True) == ()


# ── For whom an action is meant ──────────────────────────────────────────────────────────────────


def test_actions_are_meant_for_those_whom_their_evidence_speaks_of(settings: Settings) -> None:
    store = WORLDS["children lead, few minutes warn"]
    by_fallen = dict(NO_SIGNAL) | dict(store.by_fallen)
    del by_fallen["pages_per_visit"]
    scored = world(settings, store.sizes, by_focus=dict(PLAIN) | dict(store.by_focus),
                   by_fallen=by_fallen)
    focus = focus_of(scored, settings)
    items = recommend(scored, focus, settings, usable=True)
    found = meant(items, scored, focus, settings)
    counts = {code: int(scored.filter(rule).count().to_pyarrow().as_py())
              for code, rule in found.items()}
    signals = next(one.evidence for one in items if one.code == "R5")
    assert isinstance(signals, SignalEvidence)
    # Of the 208 of the focus segment half turn to children's goods, and 48 have not fallen; with
    # 4 or 6 unpaid goods each leaves more than the others' 3.
    assert counts == {"R1": 104, "R2": 208, "R3": 208, "R4": 48, "R5": signals.flagged}


def test_nobody_is_meant_where_nothing_is_supported(settings: Settings) -> None:
    store = WORLDS["everything runs the other way"]
    scored = world(settings, store.sizes, by_focus=dict(PLAIN) | dict(store.by_focus),
                   by_fallen={name: pair for name, pair in
                              (dict(NO_SIGNAL) | dict(store.by_fallen)).items()
                              if name not in store.by_focus})
    focus = focus_of(scored, settings)
    items = recommend(scored, focus, settings, usable=True)
    assert "R5" not in meant(items, scored, focus, settings)
