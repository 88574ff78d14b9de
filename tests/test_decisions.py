"""What leadership is asked to decide: only what the results ask for, with money, owner and day."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reports import SETTINGS, make_report, make_unproven_report, money_withheld, no_verdict

from reportgen import decisions
from reportgen.results import Decision, Report


def ask(report: Report, settings: Any = SETTINGS) -> dict[str, Decision]:
    asked = decisions.ask(report.programme, report.verdict, report.money, report.model.gate,
                          report.data, settings, month="2026-10")
    return {decision.key: decision for decision in asked}


def test_launch_names_both_groups_owner_and_day() -> None:
    launch = ask(make_report(verdict=no_verdict()))["launch"]
    assert launch.facts == {"n": 294, "control": 79}
    assert (launch.owner, launch.due) == ("marketing", "2026-11-10")


def test_budget_bounds_what_contacts_and_offers_cost() -> None:
    budget = ask(make_report())["launch"].budget
    assert budget is not None
    # 294 customers: a contact costs 10, an offer 300.
    assert budget.most == 294 * 310


def test_without_assumptions_no_budget_is_told_and_finance_is_asked_for_them() -> None:
    asked = ask(make_report(money=money_withheld("contact_cost", "offer_cost")))
    assert asked["launch"].budget is None
    assert asked["assumptions"].owner == "finance"
    assert asked["assumptions"].facts == {"n": 2}


def test_actions_that_worked_are_to_be_continued_and_harmful_ones_stopped_first() -> None:
    report = make_report()
    assert "continue" in ask(report)
    harmful = ask(replace(report, verdict=replace(report.verdict, status="harmful")))
    assert next(iter(harmful)) == "stop"
    assert "launch" not in harmful
    assert "continue" not in harmful


def test_withheld_model_asks_to_target_nobody() -> None:
    asked = ask(make_unproven_report())
    assert "no_targeting" in asked
    assert "launch" not in asked


def test_missing_key_asks_for_an_experiment() -> None:
    report = make_report(money=make_report().money)
    asked = ask(replace(report, programme=replace(report.programme, missing="key")))
    assert asked["experiment"].owner == "analytics"


def test_red_data_ask_for_the_source_to_be_mended() -> None:
    report = make_report()
    assert "data" in ask(replace(report, data=replace(report.data, light="red")))


def test_no_more_decisions_than_a_meeting_takes() -> None:
    report = make_report(money=money_withheld("contact_cost"))
    crowded = replace(report, data=replace(report.data, light="red"),
                      programme=replace(report.programme, missing="key"))
    assert len(ask(crowded)) == decisions.MOST


def test_store_names_its_owners_and_its_day() -> None:
    own = {"ru": "маркетинг Анны", "en": "Anna's team"}
    chosen = SETTINGS.decisions.model_copy(update={"owners": {"marketing": own}, "day": 5})
    launch = ask(make_report(), SETTINGS.model_copy(update={"decisions": chosen}))["launch"]
    assert launch.owner_label == own
    assert launch.due == "2026-11-05"
