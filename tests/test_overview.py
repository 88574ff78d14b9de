"""The overview of forty customers, counted by hand."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pytest
from scipy import stats
from stores import scored_table

from reportgen import sections
from reportgen.config import Settings
from reportgen.intervals import wilson
from reportgen.overview import summarise
from reportgen.results import Overview

# 16 fell and 24 did not; their risks stand in the table in this order.
FALLEN = [True] * 16 + [False] * 24
RISK = [1.0, 0.99, 0.6] + [0.72] * 9 + [0.35] * 4 + [0.65] * 2 + [0.3] + [0.05] * 20 + [0.0]
BAND = ["high"] * 12 + ["medium"] * 4 + ["high"] * 2 + ["medium"] + ["low"] * 21
FORTY = {
    "fallen": FALLEN,
    "alike": [False] * 16 + [True] * 2 + [False] * 22,
    "contactable": [i % 2 == 0 for i in range(40)],
    "risk": RISK, "risk_band": BAND,
    "revenue_before_previous": [100.0] * 40,
    "revenue_previous": [200.0] * 40,
    "revenue_current": [240.0, 260.0] * 20,
    "minutes_previous": [0.0] * 40,
    "minutes_current": [12.0] * 40,
    "profit": [float(i % 5) for i in range(40)],
}


@pytest.fixture(scope="module")
def overview(settings: Settings) -> Overview:
    return summarise(scored_table(settings, FORTY), settings)


def test_customers_are_counted(overview: Overview) -> None:
    assert (overview.customers, overview.fallen, overview.alike) == (40, 16, 2)
    assert overview.fallen_share == wilson(16, 40)
    assert overview.alike_share == 0.05
    # Every second customer may be messaged: 8 of 16 fallen, 1 of 2 alike.
    assert (overview.contactable, overview.contactable_share) == (20, 0.5)
    assert (overview.fallen_contactable, overview.alike_contactable) == (8, 1)


def test_totals_run_from_the_oldest_month_to_the_newest(overview: Overview) -> None:
    revenue, minutes = overview.totals
    assert (revenue.name, revenue.unit) == ("revenue", "money")
    assert revenue.sums == (4_000.0, 8_000.0, 10_000.0)
    assert revenue.means == (100.0, 200.0, 250.0)
    # From nothing to something is no relative change.
    assert minutes.sums == (0.0, 480.0)


def test_both_classes_are_compared_on_money_and_value(overview: Overview) -> None:
    revenue, profit = overview.classes
    assert (revenue.column, profit.column) == ("revenue_current", "profit")
    assert (revenue.fallen.value, revenue.others.value) == (250.0, 250.0)
    fallen, others = FORTY["profit"][:16], FORTY["profit"][16:]
    expected = stats.ttest_ind(fallen, others, equal_var=False).confidence_interval()
    assert (profit.difference.low, profit.difference.high) == pytest.approx(
        (expected.low, expected.high))
    assert (profit.fallen.n, profit.others.n, profit.difference.n) == (16, 24, 40)


def test_bands_hold_everybody_once(overview: Overview) -> None:
    assert [(b.name, b.low, b.high, b.customers, b.fallen) for b in overview.bands] == [
        ("low", 0.0, 0.3, 21, 0), ("medium", 0.3, 0.6, 5, 4), ("high", 0.6, 1.0, 14, 12)]
    assert [band.alike for band in overview.bands] == [0, 0, 2]
    assert overview.bands[2].decline == wilson(12, 14)
    assert sum(band.share for band in overview.bands) == pytest.approx(1)


def test_the_histogram_holds_everybody_once_in_the_right_bin(overview: Overview) -> None:
    assert len(overview.risk_edges) == len(overview.risk_fallen) + 1 == 21
    assert overview.risk_edges[:2] == (0.0, 0.05)
    assert overview.risk_edges[-1] == 1.0
    # Fallen: 0.35 in [0.35, 0.40), 0.60 in [0.60, 0.65), 0.72 in [0.70, 0.75), 0.99 and 1.0 last.
    assert {i: n for i, n in enumerate(overview.risk_fallen) if n} == {7: 4, 12: 1, 14: 9, 19: 2}
    # Others: 0.0; 0.05 begins the second bin; 0.3; 0.65.
    assert {i: n for i, n in enumerate(overview.risk_others) if n} == {0: 1, 1: 20, 6: 1, 13: 2}


def test_a_handful_of_fallen_customers_is_not_averaged(settings: Settings) -> None:
    few = {"fallen": [True] * 9 + [False] * 31}
    overview = summarise(scored_table(settings, few), settings)
    assert overview.fallen == 9
    assert overview.classes == ()


def test_a_store_without_totals_has_none(settings: Settings) -> None:
    presentation = sections.Presentation(profile=settings.presentation.profile)
    plain = settings.model_copy(update={"presentation": presentation})
    overview = summarise(scored_table(plain, FORTY), plain)
    assert overview.totals == ()
    assert [row.column for row in overview.classes] == ["profit"]


def test_without_customers_nothing_divides_by_zero(settings: Settings) -> None:
    table = scored_table(settings, FORTY)
    overview = summarise(table.filter(table["risk"] > 2), settings)
    assert overview.customers == 0
    assert dataclasses.astuple(overview)[4] == 0.0
    assert overview.bands == ()


def test_without_risks_there_are_no_bands(settings: Settings) -> None:
    withheld = {"risk": pa.nulls(40, pa.float64()), "risk_band": pa.nulls(40, pa.string()),
                "alike": [False] * 40}
    overview = summarise(scored_table(settings, {**FORTY, **withheld}), settings)
    assert (overview.bands, overview.risk_fallen, overview.risk_others) == ((), (), ())
    assert (overview.customers, overview.fallen, overview.alike) == (40, 16, 0)
