"""Segments of forty customers, counted by hand."""

from __future__ import annotations

import ibis
import pytest
from scipy import stats
from stores import scored_columns, scored_table

from reportgen import config
from reportgen.comparison import compare, matching
from reportgen.config import Settings
from reportgen.intervals import newcombe, wilson
from reportgen.results import Segment
from reportgen.rules import RuleError
from reportgen.segments import profile, profile_rule, segmentation

LABEL = {"en": "left unpaid", "ru": "не оплачено"}

# Customers 0 to 11 leave five goods unpaid, the others one.
FORTY = {
    "unpaid_items": [5.0] * 12 + [1.0] * 28,
    "fallen": [True] * 9 + [False] * 3 + [True] * 7 + [False] * 21,
    "alike": [False] * 9 + [True] * 2 + [False] * 29,
    "risk": [0.75] * 12 + [0.25] * 28,
    "risk_band": ["high"] * 12 + ["low"] * 28,
    "permission": ["no"] * 4 + ["yes"] * 36,
    "contactable": [False] * 4 + [True] * 36,
    "days_registered": [float(i + 1) for i in range(40)],
    "profit": [float(i % 7) for i in range(40)],
    "popular_category": ["children"] * 6 + ["textile"] * 34,
    "service_tier": ["premium"] * 3 + ["standard"] * 37,
}


def segment(settings: Settings, rule: str) -> Segment:
    return profile_rule(scored_table(settings, FORTY), "unpaid", LABEL, rule, settings)


@pytest.fixture(scope="module")
def unpaid(settings: Settings) -> Segment:
    return segment(settings, "unpaid_items>=4.0")


def test_a_segment_is_counted(unpaid: Segment) -> None:
    assert (unpaid.name, unpaid.label, unpaid.suppressed) == ("unpaid", LABEL, False)
    assert unpaid.rule == "unpaid_items >= 4"
    assert unpaid.conditions == (("unpaid_items", ">=", 4.0),)
    assert (unpaid.customers, unpaid.share) == (12, 0.3)
    assert (unpaid.fallen, unpaid.alike) == (9, 2)
    assert (unpaid.contactable, unpaid.contactable_share) == (8, pytest.approx(8 / 12))
    assert unpaid.risk == pytest.approx(0.75)


def test_a_segment_declines_beside_all_others(unpaid: Segment) -> None:
    assert unpaid.decline == wilson(9, 12)
    assert unpaid.others_decline == wilson(7, 28)


def test_the_profile_has_the_columns_of_the_settings(unpaid: Segment, settings: Settings) -> None:
    assert tuple(row.column for row in unpaid.profile) == settings.presentation.profile
    profit = next(row for row in unpaid.profile if row.column == "profit")
    ours, theirs = FORTY["profit"][:12], FORTY["profit"][12:]
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval()
    assert profit.segment == pytest.approx(sum(ours) / 12)
    assert profit.others == pytest.approx(sum(theirs) / 28)
    assert profit.difference is not None
    assert (profit.difference.low, profit.difference.high) == pytest.approx(
        (expected.low, expected.high))


def test_categories_have_their_rows_in_the_order_of_the_contract(settings: Settings) -> None:
    table = scored_table(settings, tenfold())
    found = profile_rule(table, "unpaid", LABEL, "unpaid_items >= 4", settings)
    # Ten times six children's, six textile's; forty may not be messaged; thirty are premium.
    shown = [(name, value) for name in ("service_tier", "permission", "popular_category")
             for value in settings.columns[name].values]
    assert [(row.column, row.value) for row in found.categories] == shown
    children = next(row for row in found.categories if row.value == "children")
    assert (children.customers, children.segment, children.others) == (60, 0.5, 0.0)
    assert children.difference == newcombe(60, 120, 0, 280, confidence=1 - 0.05 / 6)


def test_nine_customers_are_not_described_and_ten_are(settings: Settings) -> None:
    ten = segment(settings, "days_registered <= 10")
    assert (ten.customers, ten.suppressed) == (10, False)
    few = segment(settings, "days_registered <= 9")
    assert few.suppressed
    assert (few.customers, few.share, few.fallen, few.alike, few.contactable) == (0, 0, 0, 0, 0)
    assert (few.decline, few.others_decline, few.profile, few.categories) == (None, None, (), ())
    assert (few.name, few.rule) == ("unpaid", "days_registered <= 9")


def test_the_few_customers_outside_a_segment_are_not_described(settings: Settings) -> None:
    most = segment(settings, "service_tier = 'standard'")
    assert (most.customers, most.suppressed) == (37, False)
    assert most.decline == wilson(13, 37)
    assert (most.others_decline, most.profile, most.categories) == (None, (), ())


def test_nobody_in_the_segment_without_permission_may_be_messaged(settings: Settings) -> None:
    columns = FORTY | {"permission": ["no"] * 12 + ["yes"] * 28,
                       "contactable": [False] * 12 + [True] * 28}
    silent = profile_rule(scored_table(settings, columns), "silent", LABEL,
                          "permission = 'no'", settings)
    assert (silent.customers, silent.contactable, silent.contactable_share) == (12, 0, 0.0)


# ── All segments ─────────────────────────────────────────────────────────────────────────────────


def tenfold(**changes: list[object]) -> dict[str, list[object]]:
    return {name: list(values) * 10 for name, values in FORTY.items()} | changes


def with_segments(settings: Settings, **rules: str) -> Settings:
    segments = {name: config.Segment(rule=rule, label=LABEL) for name, rule in rules.items()}
    return settings.model_copy(update={"segments": segments})


def test_all_segments_come_in_the_order_of_the_settings(settings: Settings) -> None:
    table = scored_table(settings, tenfold())
    found = profile(table, settings)
    # Under fifty each: forty at high risk bring much profit, thirty are premium, forty are silent.
    small = ("high_risk_high_profit", "premium_at_risk", "no_messages")
    assert [one.name for one in found] == [
        *(name for name in settings.segments if name not in small), "small"]
    assert found[-1].merged == small
    shipped = settings.segments["unpaid_baskets"]
    alone = profile_rule(table, "unpaid_baskets", shipped.label, shipped.rule, settings)
    together = next(one for one in found if one.name == "unpaid_baskets")
    assert (together.customers, together.decline) == (alone.customers, alone.decline)


def test_small_segments_are_told_together(settings: Settings) -> None:
    plain = with_segments(settings, large="unpaid_items >= 4", a="days_registered <= 3",
                          b="days_registered >= 38", c="days_registered = 20")
    found = profile(scored_table(plain, tenfold()), plain)
    # Thirty, thirty and ten: under fifty each, seventy together.
    assert [(one.name, one.customers, one.merged) for one in found] == [
        ("large", 120, ()), ("small", 70, ("a", "b", "c"))]
    assert found[1].label["en"] == "left unpaid + left unpaid + left unpaid"


def test_small_segments_that_stay_small_are_named_only(settings: Settings) -> None:
    plain = with_segments(settings, large="unpaid_items >= 4", a="days_registered <= 3")
    found = profile(scored_table(plain, tenfold()), plain)
    assert [(one.name, one.suppressed, one.customers) for one in found] == [
        ("large", False, 120), ("a", True, 0)]
    assert found[1].rule == "days_registered <= 3"


def test_only_clear_differences_are_put_into_words(settings: Settings) -> None:
    found = profile(scored_table(settings, tenfold()), settings)
    rows = [row for one in found for row in (*one.profile, *one.categories)]
    tested = [row for row in rows if row.q_value is not None]
    assert tested
    for row in tested:
        assert row.effect is not None
        assert row.told == (row.q_value < 0.05 and abs(row.effect) >= 0.2)
    unpaid = next(one for one in found if one.name == "unpaid_baskets")
    assert {row.value: row.told for row in unpaid.categories}["children"]


def test_the_rates_are_those_of_benjamini_and_hochberg(settings: Settings) -> None:
    plain = with_segments(settings, unpaid="unpaid_items >= 4", old="days_registered >= 30")
    table = scored_table(plain, tenfold())
    found = profile(table, plain)
    p_values, q_values = [], []
    for one in found:
        compared = compare(table, matching(table, plain.rule(one.rule)), plain,
                           numbers=[row.column for row in one.profile],
                           categories=plain.categories)
        tests = [*(compared.number_test(row.column) for row in one.profile),
                 *(compared.category_test(row.column, row.value) for row in one.categories)]
        for row, test in zip((*one.profile, *one.categories), tests, strict=True):
            assert (row.q_value is None) == (test is None)
            if test is not None:
                p_values.append(test.p_value)
                q_values.append(row.q_value)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    by_hand, smallest = {}, 1.0
    for place in range(len(order), 0, -1):
        smallest = min(smallest, p_values[order[place - 1]] * len(order) / place)
        by_hand[order[place - 1]] = smallest
    assert q_values == pytest.approx([by_hand[i] for i in range(len(order))])


def test_segments_and_the_rest_add_up_to_everybody(settings: Settings) -> None:
    plain = with_segments(settings, unpaid="unpaid_items >= 4", young="days_registered <= 20",
                          late="days_registered >= 40")
    columns = tenfold(value_at_risk=[10.0] * 400)
    found = segmentation(scored_table(plain, columns), plain)
    # Customers 0 to 11 leave goods unpaid, 0 to 19 are young, 39 is late: 21 of forty inside.
    assert (found.inside.customers, found.outside.customers) == (210, 190)
    assert found.inside.fallen + found.outside.fallen == 160
    assert found.inside.contactable + found.outside.contactable == 360
    assert (found.inside.value_at_risk, found.outside.value_at_risk) == (2_100.0, 1_900.0)
    assert [(one.first, one.second, one.customers) for one in found.overlaps] == [
        ("unpaid", "young", 120), ("unpaid", "late", 0), ("young", "late", 0)]


def test_an_overlap_of_few_customers_is_not_counted_out(settings: Settings) -> None:
    plain = with_segments(settings, unpaid="unpaid_items >= 4", late="days_registered >= 12")
    found = segmentation(scored_table(plain, FORTY), plain)
    assert [one.customers for one in found.overlaps] == [None]      # customer 11 alone


def test_value_at_risk_is_summed_with_the_chance_of_who_falls(settings: Settings) -> None:
    columns = FORTY | {"value_at_risk": [0.75 * 1_000.0] * 12 + [0.25 * 1_000.0] * 28}
    unpaid = segment_of(settings, columns)
    assert unpaid.value_at_risk is not None
    # Twelve customers at risk 0.75 and worth 1,000: 9,000 ± 1.96·√(12·0.75·0.25)·1,000.
    half = 1.959964 * (12 * 0.75 * 0.25) ** 0.5 * 1_000
    assert unpaid.value_at_risk.value == pytest.approx(9_000)
    assert unpaid.value_at_risk.high - 9_000 == pytest.approx(half)
    assert unpaid.contactable_value is None                         # eight are too few
    more = segment_of(settings, columns | {"contactable": [True] * 40})
    assert more.contactable_value == more.value_at_risk


def segment_of(settings: Settings, columns: dict[str, list[object]]) -> Segment:
    return profile_rule(scored_table(settings, columns), "unpaid", LABEL, "unpaid_items >= 4",
                        settings)


def test_nothing_is_said_of_money_without_assumptions(unpaid: Segment) -> None:
    assert (unpaid.value_at_risk, unpaid.contactable_value) == (None, None)


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")  # Ibis asks pandas for it
def test_another_engine_gives_the_same_cards(settings: Settings) -> None:
    columns = scored_columns(settings, tenfold(value_at_risk=[250.0] * 400))
    other = ibis.sqlite.connect().create_table("scored", ibis.memtable(columns))
    assert profile(other, settings) == profile(ibis.memtable(columns), settings)
    assert segmentation(other, settings) == segmentation(ibis.memtable(columns), settings)


def test_a_category_in_the_profile_is_told_by_its_values_only(settings: Settings) -> None:
    presentation = config.Presentation(profile=("service_tier", "profit"))
    plain = settings.model_copy(update={"presentation": presentation})
    found = profile_rule(scored_table(plain, FORTY), "a", LABEL, "risk > 0.5", plain)
    assert [row.column for row in found.profile] == ["profit"]


def test_a_wrong_rule_is_refused(settings: Settings) -> None:
    with pytest.raises(RuleError, match="unknown column 'unpaid'"):
        segment(settings, "unpaid >= 4")
