"""Changes of the key figures: what they are, and what chance alone would do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import make_report, make_unproven_report

from reportgen import months
from reportgen.results import Change, Changes
from reportgen.trends import changes


def by_name(found: Changes) -> dict[str, Change]:
    return {change.name: change for change in found.figures}


def test_first_report_has_nothing_to_compare_with_but_the_tables_own_months() -> None:
    state = make_report().overview
    found = changes.since(state, None, month="2026-10")
    assert found.month == ""
    assert list(by_name(found)) == [f"total.{total.name}" for total in state.totals]


def test_changes_are_now_less_then() -> None:
    now = make_report().overview
    then = replace(now, customers=1290, fallen=452)
    found = changes.since(now, make_report(month="2026-09", overview=then),
                          month="2026-10")
    assert (found.month, found.apart) == ("2026-09", 1)
    assert found.month == "2026-09"
    assert by_name(found)["customers"].difference == 6
    share = by_name(found)["fallen_share"]
    # 494 of 1,296 is 38.12 %, 452 of 1,290 is 35.04 %.
    assert share.previous == pytest.approx(0.35039, abs=1e-5)
    assert share.difference == pytest.approx(0.03079, abs=1e-5)
    assert share.relative == pytest.approx(0.0879, abs=1e-4)


def test_a_change_of_a_share_has_the_interval_of_two_independent_months() -> None:
    now = make_report().overview
    then = replace(now, customers=1290, fallen=452)
    share = by_name(changes.since(now, make_report(overview=then), month="2026-10"))["fallen_share"]
    # Newcombe's method 10 by hand: Wilson 0.35510..0.40799 for 494 of 1,296 and
    # 0.32486..0.37687 for 452 of 1,290, so 0.03079 - 0.03689 and 0.03079 + 0.03672.
    assert share.low == pytest.approx(-0.0061, abs=5e-4)
    assert share.high == pytest.approx(0.0675, abs=5e-4)


def test_total_is_compared_with_the_month_before_in_the_same_tables() -> None:
    total = make_report().overview.totals[0]
    found = by_name(changes.since(make_report().overview, None, month="2026-10"))
    change = found[f"total.{total.name}"]
    assert change.previous == total.sums[-2]
    assert change.difference == total.sums[-1] - total.sums[-2]
    assert change.low is None


@pytest.mark.parametrize(("sums", "relative"), [((800.0, 1000.0), 0.25), ((0.0, 480.0), None)])
def test_total_is_told_relative_to_what_it_was_where_it_was_something(
    sums: tuple[float, ...], relative: float | None
) -> None:
    state = make_report().overview
    total = replace(state.totals[0], sums=sums, means=sums)
    (change,) = changes.since(replace(state, totals=(total,)), None, month="2026-10").figures
    assert change.relative == relative
    assert change.difference == sums[1] - sums[0]


def test_total_is_compared_with_what_was_reported_where_it_was() -> None:
    """The tables repeat the month before for this month's customers only."""
    state = make_report().overview
    reported = replace(state.totals[0], sums=(5.0, 6_000_000.0), means=(1.0, 2.0))
    then = make_report(month="2026-09", overview=replace(state, totals=(reported,)))
    found = by_name(changes.since(state, then, month="2026-10"))
    revenue, minutes = state.totals
    assert found["total.revenue"].previous == 6_000_000.0
    assert found["total.revenue"].difference == revenue.sums[-1] - 6_000_000.0
    assert found["total.minutes"].previous == minutes.sums[-2]


def test_single_month_of_a_total_has_no_change() -> None:
    state = make_report().overview
    short = replace(state, totals=(replace(state.totals[0], sums=(1.0,), means=(1.0,)),))
    assert changes.since(short, None, month="2026-10").figures == ()


def test_look_alikes_are_not_compared_with_a_month_whose_model_was_withheld() -> None:
    found = changes.since(make_report().overview, make_unproven_report(month="2026-09"),
                          month="2026-10")
    assert "alike_share" not in by_name(found)


def test_look_alikes_of_two_models_are_compared_without_an_interval() -> None:
    now = make_report().overview
    then = replace(now, alike=120)
    earlier = make_report(month="2026-08", overview=then)
    found = by_name(changes.since(now, earlier, month="2026-10"))
    assert found["alike_share"].difference == pytest.approx((92 - 120) / 1296)
    assert (found["alike_share"].low, found["alike_share"].high) == (None, None)


@pytest.mark.parametrize(("earlier", "later", "apart"), [
    ("2026-09", "2026-10", 1), ("2025-12", "2026-01", 1), ("2025-10", "2026-10", 12),
])
def test_months_between_two_reports_are_counted(earlier: str, later: str, apart: int) -> None:
    assert months.between(earlier, later) == apart
