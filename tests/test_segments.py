"""Segments of forty customers, counted by hand."""

from __future__ import annotations

import pytest
from scipy import stats
from stores import scored_table

from reportgen import config
from reportgen.config import Settings
from reportgen.intervals import newcombe, wilson
from reportgen.results import Segment
from reportgen.rules import RuleError
from reportgen.segments import profile, profile_rule

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


def test_every_category_has_its_rows_in_the_order_of_the_contract(
        unpaid: Segment, settings: Settings) -> None:
    expected = [(name, value) for name in ("service_tier", "permission", "popular_category")
                for value in settings.columns[name].values]
    assert [(row.column, row.value) for row in unpaid.categories] == expected
    children = next(row for row in unpaid.categories if row.value == "children")
    assert (children.customers, children.segment, children.others) == (6, 0.5, 0.0)
    assert children.difference == newcombe(6, 12, 0, 28, confidence=1 - 0.05 / 6)


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


def test_all_segments_come_in_the_order_of_the_settings(settings: Settings) -> None:
    table = scored_table(settings, FORTY)
    found = profile(table, settings)
    assert [one.name for one in found] == list(settings.segments)
    shipped = settings.segments["unpaid_baskets"]
    assert found[list(settings.segments).index("unpaid_baskets")] == profile_rule(
        table, "unpaid_baskets", shipped.label, shipped.rule, settings)


def test_a_category_in_the_profile_is_told_by_its_values_only(settings: Settings) -> None:
    presentation = config.Presentation(profile=("service_tier", "profit"))
    plain = settings.model_copy(update={"presentation": presentation})
    found = profile_rule(scored_table(plain, FORTY), "a", LABEL, "risk > 0.5", plain)
    assert [row.column for row in found.profile] == ["profit"]


def test_a_wrong_rule_is_refused(settings: Settings) -> None:
    with pytest.raises(RuleError, match="unknown column 'unpaid'"):
        segment(settings, "unpaid >= 4")
