"""Who gets which action, who gets none, and what is kept of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stores import scored_table

from reportgen import experiments, ledger, programme
from reportgen.config import Settings
from reportgen.experiments import Outcomes
from reportgen.ledger import Ledger
from reportgen.programme import Planned

KEY = b"a key of enough letters"

#: Forty fallen customers of falling risk, every fourth of whom may not be messaged.
FORTY: dict[str, Any] = {
    "risk": [0.99 - i / 100 for i in range(40)],
    "risk_band": ["high"] * 40,
    "fallen": [i % 2 == 0 for i in range(40)],
    "alike": [i % 2 == 1 for i in range(40)],
    "contactable": [i % 4 != 3 for i in range(40)],
    "contacts_current": [3.0] * 40,
    "unpaid_items": [5.0] * 10 + [1.0] * 30,
    "service_errors": [2.0] * 5 + [9.0] * 35,
}


def plan(settings: Settings, *, columns: dict[str, Any] | None = None, known: Ledger | None = None,
         month: str = "2026-10", usable: bool = True, reasons: Path = Path("absent"),
         seen: tuple[Outcomes, ...] = (), **changes: Any) -> Planned:
    """Plan with R7 for those who leave goods unpaid and R5 for everybody."""
    changes = {"priority": ("R7", "R5"), "most_contacts": None, **changes}
    chosen = settings.programme.model_copy(update=changes)
    settings = settings.model_copy(update={"programme": chosen})
    scored = scored_table(settings, FORTY | (columns or {}))
    meant = {"R5": scored["risk"] > 0, "R7": scored["unpaid_items"] >= 4}
    return programme.plan(scored, meant, settings, month=month, ledger=known or ledger.empty(KEY),
                          seen=seen, reasons=reasons, usable=usable)


def column(planned: Planned, name: str) -> list[Any]:
    values: list[Any] = planned.actions.column(name).to_pylist()
    return values


# ── One action a customer ────────────────────────────────────────────────────────────────────────


def test_a_customer_gets_one_action_the_first_by_priority(settings: Settings) -> None:
    found = plan(settings)
    assert len(set(column(found, "id"))) == len(column(found, "id")) == 40
    by_id = dict(zip(column(found, "id"), column(found, "action"), strict=True))
    assert by_id == {f"c{i}": "R7" if i < 10 else "R5" for i in range(40)}
    turned = plan(settings, priority=("R5", "R7"))
    assert set(column(turned, "action")) == {"R5"}
    # An action that the settings leave out is never carried out.
    assert set(column(plan(settings, priority=("R7",)), "id")) == {f"c{i}" for i in range(10)}


def test_the_list_is_led_by_the_risk_or_by_the_money_at_risk(settings: Settings) -> None:
    messaged = [i for i in range(40) if i % 4 != 3]
    assert column(plan(settings), "id")[:30] == [f"c{i}" for i in messaged]
    money = {"value_at_risk": pa.array([float(i) for i in range(40)])}
    assert column(plan(settings, columns=money), "id")[:30] == [f"c{i}" for i in messaged[::-1]]
    assert column(plan(settings), "place") == list(range(1, 41))


def test_only_the_fallen_and_the_alike_are_listed(settings: Settings) -> None:
    found = plan(settings, columns={"alike": [False] * 40})
    assert set(column(found, "id")) == {f"c{i}" for i in range(0, 40, 2)}


def test_who_may_not_be_messaged_sees_the_offer_on_the_site(settings: Settings) -> None:
    found = plan(settings)
    rows = found.actions.to_pylist()
    site = [row for row in rows if row["channel"] == "site"]
    assert {row["id"] for row in site} == {f"c{i}" for i in range(3, 40, 4)}
    assert {row["group"] for row in site} == {"none"}
    assert [row["channel"] for row in rows] == ["message"] * 30 + ["site"] * 10
    assert found.told.no_permission == 10


# ── What the team can do ─────────────────────────────────────────────────────────────────────────


def test_whoever_has_had_the_most_contacts_is_left_alone(settings: Settings) -> None:
    contacts = [6.0] * 8 + [5.0] * 32
    found = plan(settings, columns={"contacts_current": contacts}, most_contacts=6)
    # Of the first eight two may not be messaged anyway.
    assert found.told.contacted == 6
    assert {f"c{i}" for i in range(8) if i % 4 != 3}.isdisjoint(column(found, "id"))


def test_the_list_ends_with_the_last_contact_that_can_be_made(settings: Settings) -> None:
    everyone = plan(settings)
    for contacts in (0, 1, 7, 12):
        found = plan(settings, contacts_a_month=contacts)
        assert found.told.treated == contacts
        messaged = [row for row in found.actions.to_pylist() if row["channel"] == "message"]
        # Down to the same rank in both groups, and the same groups as without a limit.
        full = [row for row in everyone.actions.to_pylist() if row["channel"] == "message"]
        assert messaged == full[:len(messaged)]
        assert len(messaged) == 0 or messaged[-1]["group"] == "treated"
        assert found.told.capacity == 30 - len(messaged)


def test_the_money_for_offers_limits_the_list_too(settings: Settings) -> None:
    given = settings.assumptions.model_copy(update={"offer_cost": 300.0})
    settings = settings.model_copy(update={"assumptions": given})
    assert plan(settings, coupon_budget=1_700.0).told.treated == 5


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────


def test_the_groups_are_those_of_the_hash_and_are_written_down(settings: Settings) -> None:
    found = plan(settings)
    messaged = [row for row in found.actions.to_pylist() if row["channel"] == "message"]
    ids = [row["id"] for row in messaged]
    control = experiments.in_control(ids, key=KEY, campaign="programme", share=0.2)
    assert [row["group"] == "control" for row in messaged] == control.tolist()
    drawn = {row["id"]: row for row in found.drawn.to_pylist()}
    assert {name: row["treated"] for name, row in drawn.items()} == {
        name: not inside for name, inside in zip(ids, control.tolist(), strict=True)}
    assert drawn["c0"] == {"id": "c0", "campaign": "programme", "month": "2026-10", "action": "R7",
                           "treated": drawn["c0"]["treated"], "fallen": True, "risk": 0.99}
    assert found.fingerprints == {"programme": ledger.empty(KEY).fingerprint}
    assert (found.told.treated, found.told.control) == ((~control).sum(), control.sum())


def kept(planned: Planned, month: str = "2026-10") -> Ledger:
    return replace(ledger.empty(KEY), assignments=planned.drawn,
                   fingerprints=planned.fingerprints)


def test_a_group_once_drawn_is_kept(settings: Settings) -> None:
    first = plan(settings)
    before = {row["id"]: row["treated"] for row in first.drawn.to_pylist()}
    # Another share would draw otherwise; those drawn before stay where they were.
    later = plan(settings, known=kept(first), month="2026-11", control_share=0.5)
    assert later.drawn.num_rows == later.told.newly == 0
    assert {row["id"]: row["group"] == "treated" for row in later.actions.to_pylist()
            if row["channel"] == "message"} == before


def test_a_rerun_of_the_month_changes_nothing(settings: Settings) -> None:
    first = plan(settings)
    again = plan(settings, known=kept(first))
    assert again.actions == first.actions
    assert again.told == first.told
    assert again.drawn.num_rows == 0


@pytest.mark.parametrize(("missing", "known", "changes"), [
    ("key", ledger.empty(), {}), ("share", ledger.empty(KEY), {"control_share": 0.0}),
])
def test_without_groups_everybody_gets_an_action_and_the_report_says_why(
    settings: Settings, missing: str, known: Ledger, changes: dict[str, Any]
) -> None:
    found = plan(settings, known=known, **changes)
    assert (found.told.missing, found.told.treated, found.told.control) == (missing, 30, 0)
    assert set(column(found, "group")) == {"none"}
    assert (found.drawn.num_rows, found.fingerprints, found.told.detectable) == (0, {}, None)


def test_nobody_is_listed_by_a_model_that_is_not_proven(settings: Settings) -> None:
    found = plan(settings, usable=False)
    assert (found.told.missing, found.actions.num_rows, found.drawn.num_rows) == ("model", 0, 0)
    assert plan(settings, columns={"alike": [False] * 40, "fallen": [False] * 40}
                ).told.missing == "nobody"


# ── What it can show ─────────────────────────────────────────────────────────────────────────────


def test_the_power_is_that_of_everybody_drawn_so_far(settings: Settings) -> None:
    first = plan(settings)
    assert first.told.detectable == experiments.detectable(
        first.told.treated, first.told.control, base=0.5)
    treated = np.repeat([True, False], [200, 50])
    seen = Outcomes(treated=treated, fallen=treated, risk=np.ones(250),
                    cohort=np.full(250, "2026-09"), action=np.full(250, "R5"),
                    declined=np.arange(250) >= 210, lost=np.zeros(250, bool), totals={})
    later = plan(settings, seen=(seen,))
    # 40 of 50 controls declined: (40 + 1) / (50 + 2).
    assert (later.told.base_rate, later.told.base_observed) == (41 / 52, True)
    assert later.told.detectable == experiments.detectable(
        later.told.treated + 200, later.told.control + 50, base=41 / 52)


def test_actions_too_few_to_be_shown_are_left_out(settings: Settings) -> None:
    found = plan(settings, columns={"unpaid_items": [5.0] * 9 + [1.0] * 31})
    assert [group.code for group in found.told.actions] == ["R5"]
    groups = plan(settings).told.actions
    assert {group.code: group.treated + group.control + group.site for group in groups} == {
        "R5": 30, "R7": 10}


# ── The list ─────────────────────────────────────────────────────────────────────────────────────


def test_the_list_tells_why_and_until_when(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "reasons.parquet"
    pq.write_table(pa.Table.from_pylist([
        {"id": "c0", "place": place, "column": name, "value_number": 5.0, "value_text": None,
         "contribution": part}
        for place, name, part in ((2, "profit", 0.1), (1, "minutes_current", 0.3))]), path)
    found = plan(settings, reasons=path)
    first = next(row for row in found.actions.to_pylist() if row["id"] == "c0")
    assert [one["column"] for one in first["reasons"]] == ["minutes_current", "profit"]
    assert first["valid_until"] == date(2026, 11, 30)
    assert first["goods"] == next(iter(settings.columns["popular_category"].values))
    assert "unpaid_baskets" in first["segments"]
    assert found.actions.schema == programme.ACTIONS


@pytest.mark.parametrize(("month", "last"), [
    ("2026-10", "2026-11-30"), ("2026-12", "2027-01-31"), ("2028-01", "2028-02-29"),
])
def test_a_list_is_valid_to_the_end_of_the_next_month(month: str, last: str) -> None:
    assert programme.valid_until(month).isoformat() == last
