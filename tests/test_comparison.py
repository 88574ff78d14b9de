"""A group beside all others, on ten customers counted by hand."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
import pytest
from scipy import stats
from stores import scored_columns, scored_table

from reportgen.comparison import Moments, compare, matching
from reportgen.config import Settings
from reportgen.intervals import newcombe, welch, wilson
from reportgen.results import ProfileRow

TEN = {
    "profit": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0],
    "minutes_change": [None, -0.5, -0.5, 0.0, 0.0, None, None, 0.1, 0.2, 0.3],
    "service_tier": ["premium"] * 3 + ["standard"] * 7,
    "popular_category": ["children"] * 4 + ["textile"] * 6,
    "fallen": [True, True, False, False, True, False, False, False, False, False],
    "alike": [False, False, True, False, False, True, False, False, False, False],
    "contactable": [True, False, True, True, True, False, True, True, True, True],
}


@pytest.fixture
def ten(settings: Settings) -> ir.Table:
    return scored_table(settings, TEN)


def test_both_sides_are_counted(settings: Settings, ten: ir.Table) -> None:
    found = compare(ten, matching(ten, settings.rule("profit <= 4")), settings,
                    categories=["popular_category", "service_tier"])
    # Customers 1 to 4: 1 and 2 fell, 3 is alike; 2 may not be messaged.
    assert (found.inside.customers, found.inside.fallen, found.inside.alike) == (4, 2, 1)
    assert found.inside.contactable == 3
    assert (found.inside.contactable_fallen, found.inside.contactable_alike) == (1, 1)
    assert (found.others.customers, found.others.fallen, found.others.alike) == (6, 1, 1)
    assert (found.others.contactable_fallen, found.others.contactable_alike) == (1, 0)
    assert found.inside.categories["service_tier"] == {"premium": 3, "standard": 1}
    assert found.others.categories["popular_category"]["textile"] == 6
    assert found.inside.decline == wilson(2, 4)
    assert found.decline_difference == newcombe(2, 4, 1, 6)


def test_numbers_are_averaged_over_known_values(settings: Settings, ten: ir.Table) -> None:
    found = compare(ten, matching(ten, settings.rule("profit <= 4")), settings,
                    numbers=["minutes_change", "profit"])
    # -0.5, -0.5, 0 inside: mean -1/3, variance (2·(1/6)² + (1/3)²) / 2 = 1/12.
    moments = found.inside.numbers["minutes_change"]
    assert moments.n == 3
    assert (moments.mean, moments.variance) == pytest.approx((-1 / 3, 1 / 12))
    # Profit 1..4 and 5..10: variances 5/3 and 3.5.
    row = found.profile_row("profit")
    expected = ProfileRow("profit", 2.5, 7.5, welch(2.5, 5 / 3, 4, 7.5, 3.5, 6))
    assert (row.segment, row.others) == (expected.segment, expected.others)
    assert row.difference is not None
    assert expected.difference is not None
    assert (row.difference.low, row.difference.high) == pytest.approx(
        (expected.difference.low, expected.difference.high))


def test_an_unknown_spread_gives_no_difference(settings: Settings, ten: ir.Table) -> None:
    found = compare(ten, matching(ten, settings.rule("profit <= 1")), settings,
                    numbers=["minutes_change", "profit"])
    assert found.inside.numbers["minutes_change"] == Moments(0, None, None)
    assert found.profile_row("minutes_change").difference is None
    assert found.inside.numbers["profit"].estimate is None
    assert found.profile_row("profit") == ProfileRow("profit", 1.0, 6.0, None)


def test_a_side_without_customers_is_zeros(settings: Settings, ten: ir.Table) -> None:
    found = compare(ten, matching(ten, settings.rule("profit > 99")), settings,
                    numbers=["profit"], categories=["popular_category"])
    assert found.inside.customers == 0
    assert found.others.customers == 10
    assert not found.publishable
    assert found.profile_row("profit") == ProfileRow("profit", None, 5.5, None)
    assert {row.segment for row in found.category_rows("popular_category")} == {0.0}


@pytest.mark.parametrize("rule", ["minutes_change <= 0", "minutes_change != 0.1"])
def test_an_unknown_value_never_meets_a_rule(
        settings: Settings, ten: ir.Table, rule: str) -> None:
    found = compare(ten, matching(ten, settings.rule(rule)), settings)
    expected = sum(value is not None and (value <= 0 if "<=" in rule else value != 0.1)
                   for value in TEN["minutes_change"])
    assert found.inside.customers == expected
    assert found.others.customers == 10 - expected


@pytest.mark.parametrize(("rule", "customers"), [
    ("profit = 3", 1), ("profit != 3", 9), ("profit < 3", 2), ("profit <= 3", 3),
    ("profit > 3", 7), ("profit >= 3", 8), ("service_tier = 'premium'", 3),
    ("service_tier != 'premium' and profit < 6", 2), ("risk < 0.2", 10),
])
def test_every_operator_means_what_it_says(
        settings: Settings, ten: ir.Table, rule: str, customers: int) -> None:
    assert compare(ten, matching(ten, settings.rule(rule)), settings).inside.customers == customers


def test_intervals_of_several_values_hold_together(settings: Settings) -> None:
    hundred = scored_table(settings, {name: list(values) * 10 for name, values in TEN.items()})
    found = compare(hundred, matching(hundred, settings.rule("profit <= 4")), settings,
                    categories=["popular_category", "service_tier"])
    # Six categories: each at 1 - 0.05/6. Two tiers mirror each other: one comparison at 95 %.
    children = found.category_rows("popular_category")[0]
    assert children.difference == newcombe(40, 40, 0, 60, confidence=1 - 0.05 / 6)
    premium = found.category_rows("service_tier")[0]
    assert premium.difference == newcombe(30, 40, 0, 60)
    assert (premium.customers, premium.segment, premium.others) == (30, 0.75, 0.0)
    # Nobody else is premium: no ratio of shares.
    assert premium.ratio is None
    standard = found.category_rows("service_tier")[1]
    assert standard.ratio is not None
    assert standard.ratio.value == pytest.approx(0.25 / 1.0)


@pytest.mark.parametrize(("counts", "shown"), [
    # Nine alone could be subtracted from the whole: twelve go with them.
    ((40, 9, 12, 30), ("children", "beauty")),
    # Two small ones hide each other.
    ((40, 9, 8, 30), ("children", "beauty")),
    # Nobody is nobody's secret.
    ((40, 0, 12, 30), ("children", "textile", "cosmetics", "beauty")),
    ((40, 10, 12, 30), ("children", "textile", "cosmetics", "beauty")),
])
def test_few_customers_are_hidden_and_cannot_be_subtracted(
        settings: Settings, counts: tuple[int, ...], shown: tuple[str, ...]) -> None:
    goods = ("children", "textile", "cosmetics", "beauty")
    values = [name for name, count in zip(goods, counts, strict=True) for _ in range(count)]
    table = scored_table(settings, {
        "popular_category": values + ["children"] * 50,
        "profit": [1.0] * len(values) + [9.0] * 50})
    found = compare(table, matching(table, settings.rule("profit <= 4")), settings,
                    categories=["popular_category"])
    rows = [row for row in found.category_rows("popular_category") if row.value in goods]
    assert tuple(row.value for row in rows) == shown


def test_the_tests_of_a_row_are_those_of_scipy(settings: Settings) -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(5, 2, 40), rng.normal(6, 3, 70)
    tiers = ["premium"] * 25 + ["standard"] * 15 + ["premium"] * 30 + ["standard"] * 40
    table = scored_table(settings, {
        "minutes_current": [*ours, *theirs], "service_tier": tiers,
        "profit": [1.0] * 40 + [9.0] * 70})
    found = compare(table, matching(table, settings.rule("profit <= 4")), settings,
                    numbers=["minutes_current"], categories=["service_tier"])
    welch_test = found.number_test("minutes_current")
    assert welch_test is not None
    assert welch_test.p_value == pytest.approx(
        stats.ttest_ind(ours, theirs, equal_var=False).pvalue)
    # Cohen's d: the difference over √((39·s₁² + 69·s₂²) / 108).
    spread = np.sqrt((39 * ours.var(ddof=1) + 69 * theirs.var(ddof=1)) / 108)
    assert welch_test.effect == pytest.approx((ours.mean() - theirs.mean()) / spread)
    shares = found.category_test("service_tier", "premium")
    chi2 = stats.chi2_contingency([[25, 15], [30, 40]], correction=False)
    assert shares.p_value == pytest.approx(chi2.pvalue)
    # Cohen's h: 2·asin√0.625 − 2·asin√(30/70).
    assert shares.effect == pytest.approx(2 * np.arcsin(0.625**0.5) - 2 * np.arcsin((3 / 7)**0.5))


def test_equal_values_have_no_spread(settings: Settings) -> None:
    # The mean of 0.1, taken of 7 and of 93 values, differs in its last bit.
    table = scored_table(settings, {"minutes_change": [0.1] * 100,
                                    "profit": [1.0] * 7 + [9.0] * 93})
    found = compare(table, matching(table, settings.rule("profit <= 4")), settings,
                    numbers=["minutes_change"])
    assert found.inside.numbers["minutes_change"] == Moments(7, 0.1, 0.0)
    assert found.others.numbers["minutes_change"] == Moments(93, 0.1, 0.0)
    assert found.number_test("minutes_change") is None


def test_the_spread_of_large_numbers_keeps_its_digits(settings: Settings) -> None:
    values = [1e9 + 0.25, 1e9 + 0.5, 1e9 + 0.75]
    table = scored_table(settings, {"revenue_current": values * 2,
                                    "profit": [1.0] * 3 + [9.0] * 3})
    found = compare(table, matching(table, settings.rule("profit <= 4")), settings,
                    numbers=["revenue_current"])
    # A quarter to either side of the mean: 2 · 0.0625 / 2.
    assert found.inside.numbers["revenue_current"].variance == pytest.approx(0.0625, rel=1e-6)


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")  # Ibis asks pandas for it
def test_another_engine_counts_the_same(settings: Settings, ten: ir.Table) -> None:
    other = ibis.sqlite.connect().create_table(
        "scored", ibis.memtable(scored_columns(settings, TEN)))
    # The second rule leaves one customer inside, whose value is not known.
    for rule, inside in (("minutes_change <= 0 and service_tier = 'premium'", 2),
                         ("profit <= 1", 1)):
        duckdb, sqlite = (
            compare(table, matching(table, settings.rule(rule)), settings,
                    numbers=["profit", "minutes_change"], categories=settings.categories)
            for table in (ten, other)
        )
        assert sqlite == duckdb
        assert duckdb.inside.customers == inside
