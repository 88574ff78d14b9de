"""Segments of forty customers, counted by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from documents import plain as readable
from documents import read, render
from reports import make_report
from scipy import stats
from stores import scored_columns, scored_table

from reportgen import sections
from reportgen.comparison import compare, matching
from reportgen.config import BANDS, Settings
from reportgen.intervals import newcombe, wilson
from reportgen.results import Overlap, Part, ProfileRow, Report, Segment
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
    assert unpaid.decline_difference == newcombe(9, 12, 7, 28)
    # 0.75 over 0.25; the log has the variance 1/9 − 1/12 + 1/7 − 1/28 = 0.134921.
    assert unpaid.decline_ratio is not None
    assert unpaid.decline_ratio.value == pytest.approx(3)
    assert (unpaid.decline_ratio.low, unpaid.decline_ratio.high) == pytest.approx(
        (3 / math.exp(1.959964 * 0.134921**0.5), 3 * math.exp(1.959964 * 0.134921**0.5)), rel=1e-5)


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
    assert (most.decline_difference, most.decline_ratio) == (None, None)


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
    segments = {name: sections.Segment(rule=rule, label=LABEL) for name, rule in rules.items()}
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
    # Customers 0 to 11 leave goods unpaid, 0 to 19 are young, 39 is late: 21 of forty inside. All
    # who fell but customers 20 to 39 are among them (16), 2 of them alike, 4 not to be messaged.
    assert found.inside == Part(210, 160, 20, 170, 2_100.0)
    assert found.outside == Part(190, 0, 0, 190, 1_900.0)
    # The ten late ones are too few for a card of their own.
    assert found.overlaps == (Overlap("unpaid", "young", 120),)


def test_overlaps_are_counted_between_the_cards(settings: Settings) -> None:
    plain = with_segments(settings, unpaid="unpaid_items >= 4", late="days_registered >= 12",
                          first="days_registered <= 3", third="days_registered = 3")
    table = scored_table(plain, tenfold())
    # Customer 11 is the twelfth day's; 0 to 2 leave goods unpaid, and are few: told together only
    # with others, but there are none, so that they stand in no pair.
    assert [one.name for one in profile(table, plain) if not one.suppressed] == ["unpaid", "late"]
    assert segmentation(table, plain).overlaps == (Overlap("unpaid", "late", 10),)
    together = with_segments(settings, unpaid="unpaid_items >= 4", a="days_registered <= 3",
                             b="days_registered >= 38")
    assert segmentation(table, together).overlaps == (Overlap("unpaid", "small", 30),)


def test_an_overlap_of_few_customers_is_not_counted_out(settings: Settings) -> None:
    plain = with_segments(settings, a="days_registered <= 55", b="days_registered >= 47",
                          c="days_registered >= 46", d="days_registered >= 60")
    table = scored_table(plain, {"days_registered": [float(i + 1) for i in range(150)]})
    counts = {(one.first, one.second): one.customers for one in segmentation(table, plain).overlaps}
    # Days 47 to 55 are nine customers, 46 to 55 are ten; nobody is both under 55 and over 60.
    assert (counts["a", "b"], counts["a", "c"], counts["a", "d"]) == (None, 10, 0)


@pytest.mark.parametrize(("days", "told"), [(141, False), (140, True), (150, True)])
def test_a_few_in_no_segment_cannot_be_subtracted(
        settings: Settings, days: int, told: bool) -> None:
    plain = with_segments(settings, most=f"days_registered <= {days}")
    found = segmentation(scored_table(plain, {
        "days_registered": [float(i + 1) for i in range(150)]}), plain)
    assert (found.inside is not None, found.outside is not None) == (told, told)


def test_segments_of_all_risks_add_up_to_everybody(settings: Settings) -> None:
    bands = ["high"] * 120 + ["medium"] * 100 + ["low"] * 180
    plain = with_segments(settings, **{band: f"risk_band = '{band}'" for band in BANDS})
    table = scored_table(plain, tenfold(risk_band=bands, value_at_risk=[10.0] * 400))
    found, lying = profile(table, plain), segmentation(table, plain)
    assert [one.customers for one in found] == [180, 100, 120]
    assert sum(one.fallen for one in found) == 160
    assert sum(one.contactable for one in found) == 360
    assert sum(one.value_at_risk.value for one in found if one.value_at_risk) == 4_000
    assert lying.inside == Part(400, 160, 20, 360, 4_000.0)
    assert lying.outside == Part(0, 0, 0, 0, None)
    assert {one.customers for one in lying.overlaps} == {0}


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


def test_the_value_of_a_few_cannot_be_subtracted(settings: Settings) -> None:
    columns = tenfold(value_at_risk=[250.0] * 400, contactable=[False] * 9 + [True] * 391)
    assert segment_of(settings, columns).contactable_value is None
    columns["contactable"] = [False] * 10 + [True] * 390
    found = segment_of(settings, columns)
    # A hundred and ten of the segment's hundred and twenty: the first ten belong to it, too.
    assert found.contactable_value is not None
    assert (found.contactable_value.value, found.contactable_value.n) == (27_500.0, 110)


def test_value_is_summed_where_it_is_known(settings: Settings) -> None:
    known: list[object] = [250.0] * 11 + [None] * 29
    some = segment_of(settings, FORTY | {"value_at_risk": known, "contactable": [True] * 40})
    assert some.value_at_risk is not None
    assert (some.value_at_risk.value, some.value_at_risk.n) == (2_750.0, 11)
    known[9:11] = [None, None]
    few = segment_of(settings, FORTY | {"value_at_risk": known})
    assert few.value_at_risk is None


def test_means_of_a_few_known_values_are_not_told(settings: Settings) -> None:
    known: list[object] = [3.0] * 10 + [None, None] + [4.0] * 28
    presentation = sections.Presentation(profile=("profit",))
    plain = settings.model_copy(update={"presentation": presentation})
    ten = segment_of(plain, FORTY | {"profit": known}).profile[0]
    assert (ten.segment, ten.others) == (3.0, 4.0)
    known[9] = None
    nine = segment_of(plain, FORTY | {"profit": known}).profile[0]
    assert nine == ProfileRow("profit", None, None, None)


def segment_of(settings: Settings, columns: dict[str, list[object]]) -> Segment:
    return profile_rule(scored_table(settings, columns), "unpaid", LABEL, "unpaid_items >= 4",
                        settings)


def test_nothing_is_said_of_money_without_assumptions(unpaid: Segment) -> None:
    assert (unpaid.value_at_risk, unpaid.contactable_value) == (None, None)


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")  # Ibis asks pandas for it
def test_another_engine_gives_the_same_cards(settings: Settings) -> None:
    rng = np.random.default_rng(0)
    risk = rng.beta(2, 3, 600)
    columns = scored_columns(settings, {
        "risk": risk, "risk_band": np.array(BANDS)[np.searchsorted([0.3, 0.6], risk)],
        "fallen": rng.random(600) < risk, "alike": rng.random(600) < 0.1,
        "contactable": rng.random(600) < 0.7,
        "value_at_risk": pa.array(risk * rng.lognormal(8, 1, 600), mask=rng.random(600) < 0.1),
        "profit": pa.array(rng.normal(4, 1, 600), mask=rng.random(600) < 0.2),
        "unpaid_items": pa.array(rng.poisson(3, 600).astype(float), mask=rng.random(600) < 0.1),
        # One known value, and a large number that differs little.
        "minutes_current": [5.0] + [None] * 599, "revenue_current": 1e6 + rng.random(600),
        "popular_category": rng.choice(["children", "textile", "beauty"], 600, p=[0.6, 0.38, 0.02]),
        "permission": rng.choice(["yes", "no"], 600),
    })
    other = ibis.sqlite.connect().create_table("scored", ibis.memtable(columns))
    here = [*profile(ibis.memtable(columns), settings),
            segmentation(ibis.memtable(columns), settings)]
    there = [*profile(other, settings), segmentation(other, settings)]
    figures = [figure for one in here for figure in leaves(one)]
    assert [figure for one in there for figure in leaves(one)] == pytest.approx(figures)
    assert len(figures) > 500


def leaves(node: Any) -> Iterator[Any]:
    """Yield every figure and name of a result."""
    if is_dataclass(node):
        node = [getattr(node, entry.name) for entry in fields(node)]
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list | tuple):
        for one in node:
            yield from leaves(one)
    else:
        yield node


def test_a_category_in_the_profile_is_told_by_its_values_only(settings: Settings) -> None:
    presentation = sections.Presentation(profile=("service_tier", "profit"))
    plain = settings.model_copy(update={"presentation": presentation})
    found = profile_rule(scored_table(plain, FORTY), "a", LABEL, "risk > 0.5", plain)
    assert [row.column for row in found.profile] == ["profit"]


# ── How they are told ────────────────────────────────────────────────────────────────────────────


def test_a_card_tells_who_is_in_the_segment() -> None:
    # The fixture: 109 of 138 fell, 385 of 1158 others; 3.9 unpaid goods against 2.7.
    card = cards(make_report())[0]
    assert card.startswith("1. Высокий риск и высокая прибыль (риск высокий; прибыль")
    assert "79 % против 33 % у остальных: +46 п. п. (от +38 до +52 п. п.)" in card
    assert "в 2,4 раза чаще (2,1–2,7)" in card
    assert "неоплаченные товары (3,9 против 2,7)" in card


def test_a_card_names_only_what_is_told_and_not_what_its_rule_demands() -> None:
    report = make_report()
    by_promo = cards(report)[1]
    assert "доля акций (" not in by_promo
    assert "товары для детей" in by_promo
    dull = tuple(replace(row, told=False) for row in report.segments[0].profile)
    silent = replace(report.segments[0], profile=dull, categories=())
    card = cards(replace(report, segments=(silent,)))[0]
    assert "неоплаченные товары" not in card
    assert card.endswith("В остальном заметно не отличаются.")
    # Rows of an older report were not tested: nothing is said of them either way.
    untested = tuple(replace(row, q_value=None) for row in dull)
    older = replace(silent, profile=untested, decline_difference=None, decline_ratio=None)
    told = cards(replace(report, segments=(older,)))[0]
    assert told.endswith("Снизили активность 79 % (71–85 %).")


def test_the_table_of_overlaps_reads_the_same_both_ways() -> None:
    report = make_report()
    table = re.search(r'<table class="overlaps">.*?</table>', render(report), re.S)
    assert table
    cells = [[readable(cell) for cell in re.findall(r'<td class="number">(.*?)</td>', row, re.S)]
             for row in re.findall(r"<tr>.*?</tr>", table[0], re.S)[1:]]
    assert [list(row) for row in zip(*cells, strict=True)] == cells
    assert cells[0][1:] == ["52", "47", "61", "—"]


def test_both_sides_are_told_to_be_everybody() -> None:
    report = make_report()
    notes = [readable(note) for note in read(render(report)).by_class["note"]]
    told = next(note for note in notes if "Хотя бы в одном сегменте" in note)
    assert "Хотя бы в одном сегменте 760 клиентов (снизили активность 402" in told
    assert "Ни в одном 536 клиентов (снизили активность 92" in told
    assert told.endswith("Вместе — 1 296 клиентов.")
    hidden = replace(report.segmentation, inside=None, outside=None)
    assert "Хотя бы в одном" not in read(render(replace(report, segmentation=hidden))).text


def cards(report: Report) -> list[str]:
    listed = re.search(r'<ol class="cards">(.*?)</ol>', render(report), re.S)
    assert listed
    return [readable(read(card).text) for card in re.findall(r"<li>.*?</li>", listed[1], re.S)]


def test_a_wrong_rule_is_refused(settings: Settings) -> None:
    with pytest.raises(RuleError, match="unknown column 'unpaid'"):
        segment(settings, "unpaid >= 4")
