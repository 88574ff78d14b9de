"""Where customers went: every one is counted once, and rows add up to the month before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import make_report

from reportgen.config import Settings
from reportgen.results import LOST, NEW, Migration
from reportgen.trends.migration import migrate

from .two_months import two_months

#: Twenty stay in the low band, twelve go from low to high, ten from high to low, two are left out,
#: one is in no table any more; eleven are new.
THEN = [*["low"] * 33, *["high"] * 12]
NOW = [*["low"] * 20, *["high"] * 12, *["low"] * 10, *["medium"] * 11]


@pytest.fixture(scope="module")
def found(settings: Settings) -> Migration:
    return migrate(_pair(settings), (), settings)


def _pair(settings: Settings, **more: object) -> object:
    then = [f"c{i}" for i in range(45)]
    now = [*then[:32], *then[33:43], *[f"n{i}" for i in range(11)]]
    return two_months(
        settings,
        {"id": then, "risk_band": THEN, "revenue_current": [100.0] * 45},
        {"id": now, "risk_band": NOW, "revenue_current": [110.0] * 53},
        left_out={"id": [then[43], then[44]]}, **more)


def flows(found: Migration) -> dict[tuple[str, str], int]:
    return {(flow.before, flow.now): flow.customers for flow in found.bands}


def test_everybody_of_either_month_is_in_one_flow(found: Migration) -> None:
    assert flows(found) == {
        ("low", "low"): 20, ("low", "high"): 12, ("low", LOST): 1,
        ("high", "low"): 10, ("high", LOST): 2, (NEW, "medium"): 11,
    }


def test_rows_add_up_to_the_month_before_and_columns_to_this_one(found: Migration) -> None:
    assert {one.band: one.customers for one in found.before} == {
        "low": 33, "medium": 0, "high": 12, NEW: 11}
    assert {one.band: one.customers for one in found.now} == {
        "low": 30, "medium": 11, "high": 12, LOST: 3}
    assert (found.customers_before, found.customers_now) == (45, 53)


def test_the_lost_are_told_apart_by_how_they_are_lost(found: Migration) -> None:
    assert (found.lost, found.gone, found.not_regular, found.new) == (3, 1, 2, 11)


def test_money_is_that_of_either_month(found: Migration) -> None:
    money = {(flow.before, flow.now): (flow.money_before, flow.money_now) for flow in found.bands}
    assert money["low", "low"] == (2000.0, 2200.0)
    assert money[NEW, "medium"] == (None, pytest.approx(1210.0))


def test_money_of_few_customers_is_told_to_nobody(found: Migration) -> None:
    money = {(flow.before, flow.now): (flow.money_before, flow.money_now) for flow in found.bands}
    assert money["low", LOST] == (None, None)
    assert money["high", LOST] == (None, None)


def test_single_hidden_amount_could_be_worked_out_so_another_one_is_hidden(
    settings: Settings,
) -> None:
    """Of October's amounts only that of the five new ones is small; the smallest other one goes."""
    ids = [f"c{i}" for i in range(50)]
    found = migrate(two_months(
        settings, {"id": ids, "risk_band": ["low"] * 30 + ["high"] * 20},
        {"id": [*ids, *[f"n{i}" for i in range(5)]],
         "risk_band": ["low"] * 30 + ["high"] * 20 + ["medium"] * 5}), (), settings)
    now = {(flow.before, flow.now) for flow in found.bands if flow.money_now is None}
    before = {(flow.before, flow.now) for flow in found.bands if flow.money_before is None}
    assert now == {(NEW, "medium"), ("high", "high")}
    # Nobody's amount of September is small; the new ones spent nothing then.
    assert before == {(NEW, "medium")}


def test_month_without_bands_has_no_flows_but_counts_who_is_lost(settings: Settings) -> None:
    ids = [f"c{i}" for i in range(20)]
    found = migrate(two_months(settings, {"id": ids, "risk_band": [None] * 20},
                               {"id": ids[:15], "risk_band": ["low"] * 15}), (), settings)
    assert (found.bands, found.before, found.lost) == ((), (), 5)


def test_segments_reconcile(settings: Settings) -> None:
    segment = replace(next(one for one in make_report().segments if one.name == "unpaid_baskets"),
                      suppressed=False)
    ids = [f"c{i}" for i in range(40)]
    then = two_months(
        settings, {"id": ids[:35], "unpaid_items": [9.0] * 20 + [0.0] * 15},
        {"id": ids[5:], "unpaid_items": [9.0] * 10 + [0.0] * 5 + [9.0] * 20}, segments=(segment,))
    (flow,) = migrate(then, (segment,), settings).segments
    # Before: c0 to c19. Now: c5 to c14 and c20 to c39; c0 to c4 are lost, c35 to c39 new.
    assert (flow.before, flow.stayed, flow.left, flow.lost) == (20, 10, 5, 5)
    assert (flow.entered, flow.new, flow.now) == (15, 5, 30)


def test_segment_whose_rule_has_changed_is_not_followed(settings: Settings) -> None:
    segment = make_report().segments[0]
    pair = _pair(settings, segments=(replace(segment, rule="risk >= 0.7"),))
    assert migrate(pair, (segment,), settings).segments == ()
