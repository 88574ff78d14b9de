"""Tables that break with the month before are told before they spoil a figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import make_report

from reportgen.config import Settings
from reportgen.errors import DataError
from reportgen.results import ContractChange
from reportgen.trends import continuity
from reportgen.trends.continuity import comparable, contract_changes, same_customers

from .two_months import two_months

IDS = [f"c{i}" for i in range(60)]


def check(months, settings: Settings, columns=None) -> None:
    continuity.check(months, settings, month="2026-10", columns=columns or settings.features)


def pair(settings: Settings, **now: object):
    columns = {"id": IDS, "revenue_current": [5000.0] * 60, "minutes_current": [12.0] * 60}
    return two_months(settings, columns, {**columns, **now})


def test_a_store_that_goes_on_passes(settings: Settings) -> None:
    check(pair(settings, revenue_current=[9000.0] * 60), settings)


@pytest.mark.parametrize("factor", [0.001, 0.01, 0.1, 10, 60, 1000])
def test_another_unit_is_told_with_both_medians(settings: Settings, factor: float) -> None:
    with pytest.raises(DataError, match=r"market_money, column «Выручка»") as caught:
        check(pair(settings, revenue_current=[5000.0 * factor] * 60), settings)
    (problem,) = caught.value.problems
    assert problem.code == "unit_changed"
    assert "in 2026-09 it was 5000" in problem.message
    assert 'add "2026-10" to [history] accepted' in problem.message


def test_a_column_that_the_contract_has_redefined_has_no_unit_to_keep(settings: Settings) -> None:
    others = [name for name in settings.features if name != "revenue_current"]
    check(pair(settings, revenue_current=[5.0] * 60), settings, others)


def test_zeros_have_no_unit(settings: Settings) -> None:
    check(pair(settings, minutes_current=[0.0] * 40 + [12.0] * 20), settings)


def test_ten_times_the_customers_are_told(settings: Settings) -> None:
    many = [f"c{i}" for i in range(600)]
    months = two_months(settings, {"id": IDS}, {"id": many})
    with pytest.raises(DataError, match=r"600 customers, in 2026-09 there were 60") as caught:
        check(months, settings)
    assert [problem.code for problem in caught.value.problems] == ["customers_jumped"]


def test_ids_that_are_written_otherwise_are_not_compared(settings: Settings) -> None:
    assert same_customers(two_months(settings, {"id": IDS}, {"id": IDS[:31]}))
    assert not same_customers(two_months(settings, {"id": IDS}, {"id": IDS[:29]}))
    padded = [f"c{i:05}" for i in range(60)]
    assert not same_customers(two_months(settings, {"id": IDS}, {"id": padded}))


def test_who_is_left_out_is_still_a_known_customer(settings: Settings) -> None:
    assert same_customers(two_months(settings, {"id": IDS}, {"id": IDS[:20]},
                                     left_out={"id": IDS[20:40]}))


def test_changes_of_the_contract_are_listed_and_not_compared() -> None:
    now = make_report().columns
    then = {name: column for name, column in now.items() if name != "promo_share"}
    then["old"] = now["promo_share"]
    then["minutes_current"] = replace(now["minutes_current"], unit="days")
    goods = dict(now["popular_category"].values)
    goods.pop("children")
    then["popular_category"] = replace(now["popular_category"],
                                       values={**goods, "toys": {"ru": "игрушки"}})
    found = contract_changes(then, now)
    assert set(found) == {
        ContractChange("added", "promo_share", ""), ContractChange("removed", "old", ""),
        ContractChange("redefined", "minutes_current", ""),
        ContractChange("value_added", "popular_category", "children"),
        ContractChange("value_removed", "popular_category", "toys"),
    }
    assert comparable(("promo_share", "minutes_current", "pages_per_visit"), found) == (
        "pages_per_visit",)


def test_the_same_contract_has_no_changes() -> None:
    columns = make_report().columns
    assert contract_changes(columns, columns) == ()
