"""Changes of the key figures: what they are, and what chance alone would do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import make_report, make_unproven_report

from reportgen import changes
from reportgen.results import Change, Changes


def by_name(found: Changes) -> dict[str, Change]:
    return {change.name: change for change in found.figures}


def test_first_report_has_nothing_to_compare_with_but_the_tables_own_months() -> None:
    state = make_report().overview
    found = changes.since(state, None)
    assert found.month == ""
    assert list(by_name(found)) == [total.name for total in state.totals]


def test_changes_are_now_less_then() -> None:
    now = make_report().overview
    then = replace(now, customers=1290, fallen=452)
    found = changes.since(now, make_report(month="2026-09", overview=then))
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
    share = by_name(changes.since(now, make_report(overview=then)))["fallen_share"]
    # Newcombe's method 10 by hand: Wilson 0.35510..0.40799 for 494 of 1,296 and
    # 0.32486..0.37687 for 452 of 1,290, so 0.03079 - 0.03689 and 0.03079 + 0.03672.
    assert share.low == pytest.approx(-0.0061, abs=5e-4)
    assert share.high == pytest.approx(0.0675, abs=5e-4)


def test_total_is_compared_with_the_month_before_in_the_same_tables() -> None:
    total = make_report().overview.totals[0]
    change = by_name(changes.since(make_report().overview, None))[total.name]
    assert change.previous == total.sums[-2]
    assert change.difference == total.sums[-1] - total.sums[-2]
    assert change.low is None


def test_single_month_of_a_total_has_no_change() -> None:
    state = make_report().overview
    short = replace(state, totals=(replace(state.totals[0], sums=(1.0,), means=(1.0,)),))
    assert changes.since(short, None).figures == ()


def test_look_alikes_are_not_compared_with_a_month_whose_model_was_withheld() -> None:
    found = changes.since(make_report().overview, make_unproven_report(month="2026-09"))
    assert "alike_share" not in by_name(found)
