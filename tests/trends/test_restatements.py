"""Whether this month's tables repeat what earlier months reported."""

from __future__ import annotations

import pytest

from reportgen.config import Settings
from reportgen.trends.restatements import find, repeated

from .two_months import two_months

IDS = [f"c{i}" for i in range(6)]


def test_columns_of_a_period_repeat_those_of_as_many_months_ago(settings: Settings) -> None:
    assert dict(repeated(settings, apart=1)) == {
        "revenue_previous": "revenue_current", "revenue_before_previous": "revenue_previous",
        "minutes_previous": "minutes_current"}
    assert dict(repeated(settings, apart=2)) == {"revenue_before_previous": "revenue_current"}
    assert dict(repeated(settings, apart=3)) == {}


def test_changed_values_are_told_in_rows_and_money(settings: Settings) -> None:
    pair = two_months(
        settings, {"id": IDS, "revenue_current": [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]},
        # c5 is gone; c4 is left out now, but its row is there; c1 and c4 were corrected.
        {"id": IDS[:4], "revenue_previous": [10.0, 25.0, 30.0, 40.0]},
        left_out={"id": IDS[4:5], "revenue_previous": [45.0]})
    found = {one.column: one for one in find(pair, settings, columns=settings.columns)}
    revenue = found["revenue_previous"]
    assert (revenue.then, revenue.month) == ("revenue_current", "2026-09")
    assert (revenue.customers, revenue.changed) == (5, 2)
    assert (revenue.sum_then, revenue.sum_now, revenue.difference) == (150.0, 150.0, 0.0)


def test_values_that_are_written_alike_are_the_same(settings: Settings) -> None:
    pair = two_months(settings, {"id": IDS, "revenue_current": [0.1 + 0.2] * 6},
                      {"id": IDS, "revenue_previous": [0.3] * 6})
    found = {one.column: one for one in find(pair, settings, columns=settings.columns)}
    assert found["revenue_previous"].changed == 0
    assert found["revenue_previous"].sum_now == pytest.approx(1.8)


def test_unknown_values_are_not_compared(settings: Settings) -> None:
    pair = two_months(settings, {"id": IDS, "revenue_current": [None, *[5.0] * 5]},
                      {"id": IDS, "revenue_previous": [7.0, None, *[5.0] * 4]})
    found = {one.column: one for one in find(pair, settings, columns=settings.columns)}
    assert (found["revenue_previous"].customers, found["revenue_previous"].changed) == (4, 0)


def test_a_column_that_means_something_else_now_is_not_held(settings: Settings) -> None:
    pair = two_months(settings, {"id": IDS, "revenue_current": [1.0] * 6},
                      {"id": IDS, "revenue_previous": [4.0] * 6})
    known = set(settings.columns) - {"revenue_previous"}
    assert "revenue_previous" not in {one.column for one in find(pair, settings, columns=known)}


def test_months_without_a_common_customer_have_nothing_restated(settings: Settings) -> None:
    pair = two_months(settings, {"id": IDS}, {"id": ["x", "y"]})
    assert all((one.customers, one.changed, one.difference) == (0, 0, 0.0)
               for one in find(pair, settings, columns=settings.columns))
