"""Whether last month's actions worked: everybody drawn counts, in the group drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from stores import scored_columns

from reportgen import ledger, verdict
from reportgen.config import Settings
from reportgen.intervals import newcombe
from reportgen.ledger import ASSIGNMENTS, Ledger
from reportgen.verdict import Judged

KEY = b"a key of enough letters"

#: 100 treated, of whom 30 decline, and 50 others, of whom 30 decline.
TREATED = [True] * 100 + [False] * 50
DECLINED = [i < 30 for i in range(100)] + [i < 30 for i in range(50)]


def drawn(treated: list[bool], *, month: str = "2026-09", first: int = 0,
          fallen: list[bool] | None = None, actions: list[str] | None = None) -> pa.Table:
    n = len(treated)
    return pa.table({
        "id": [f"c{first + i}" for i in range(n)], "campaign": ["programme"] * n,
        "month": [month] * n, "action": actions or ["R5"] * n, "treated": treated,
        "fallen": fallen or [True] * n, "risk": [0.8] * n,
    }, schema=ASSIGNMENTS)


def month_table(settings: Settings, declined: list[bool], **columns: Any) -> pa.Table:
    activity = ["fallen" if one else "steady" for one in declined]
    return scored_columns(settings, {"activity": activity, **columns})


def judge(settings: Settings, known: Ledger, table: pa.Table, *, left_out: pa.Table | None = None,
          month: str = "2026-10", sent: Path = Path("absent"),
          recommended: tuple[str, ...] = ("R1",)) -> Judged:
    others = table.slice(0, 0).append_column("reason", pa.array([], pa.string()))
    if left_out is not None:
        others = left_out
    return verdict.judge(ibis.memtable(table), ibis.memtable(others), known, settings, month=month,
                         sent=sent, recommended=recommended)


def known(*tables: pa.Table, outcomes: dict[str, pa.Table] | None = None) -> Ledger:
    return replace(ledger.empty(KEY), assignments=pa.concat_tables(tables),
                   outcomes=outcomes or {})


# ── The verdict ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("helped", "status"), [(30, "worked"), (62, "no_evidence"),
                                                (90, "harmful")])
def test_the_interval_of_the_decline_decides(settings: Settings, helped: int, status: str) -> None:
    declined = [i < helped for i in range(100)] + [i < 30 for i in range(50)]
    found = judge(settings, known(drawn(TREATED)), month_table(settings, declined)).verdict
    assert found.status == status
    assert found.overall is not None
    change = found.overall.decline.difference
    plain = newcombe(helped, 100, 30, 50)
    assert change.value == pytest.approx(plain.value)
    assert (change.low, change.high) == pytest.approx((plain.low, plain.high), abs=0.003)


def test_without_anybody_drawn_no_experiment_was_run(settings: Settings) -> None:
    found = judge(settings, ledger.empty(KEY), month_table(settings, DECLINED))
    assert (found.verdict.status, found.verdict.missing) == ("none", "first")
    assert (found.verdict.overall, found.outcomes, found.seen[-1].treated.size) == (None, None, 0)


def test_those_drawn_this_month_are_judged_next_month(settings: Settings) -> None:
    found = judge(settings, known(drawn(TREATED, month="2026-10")),
                  month_table(settings, DECLINED))
    assert found.verdict.missing == "first"


def test_a_group_too_small_to_be_shown_gives_no_verdict(settings: Settings) -> None:
    found = judge(settings, known(drawn([True] * 100 + [False] * 9)),
                  month_table(settings, DECLINED)).verdict
    assert (found.status, found.missing, found.overall) == ("none", "few", None)


# ── Everybody counts ─────────────────────────────────────────────────────────────────────────────


def test_who_is_absent_or_no_longer_regular_is_lost(settings: Settings) -> None:
    table = month_table(settings, DECLINED)
    # c0 to c4 are gone; c100 to c104 are listed, but not regular any more.
    gone = [f"c{i}" for i in range(5)]
    resting = [f"c{i}" for i in range(100, 105)]
    ids = table.column("id").to_pylist()
    used = table.filter(pa.array([one not in (*gone, *resting) for one in ids]))
    rest = table.filter(pa.array([one in resting for one in ids]))
    rest = rest.append_column("reason", pa.array(["not_regular"] * 5))
    found = judge(settings, known(drawn(TREATED)), used, left_out=rest)
    effect = found.verdict.overall
    assert effect is not None
    assert (effect.lost_treated, effect.lost_control) == (5, 5)
    # All ten had declined anyway: with them 30 of 100 and 30 of 50, without 25 of 95 and 25 of 45.
    assert effect.decline.treated.value == pytest.approx(0.3)
    assert effect.decline.control.value == pytest.approx(0.6)
    assert effect.decline_without_lost.treated.value == pytest.approx(25 / 95)
    assert effect.decline_without_lost.control.value == pytest.approx(25 / 45)


def test_leaving_out_the_lost_would_turn_the_verdict(settings: Settings) -> None:
    """Of the control group 20 leave and 15 of the others decline; of the treated 30 decline."""
    declined = [i < 30 for i in range(100)] + [20 <= i < 35 for i in range(50)]
    table = month_table(settings, declined)
    ids = table.column("id").to_pylist()
    stayed = table.filter(pa.array([one not in {f"c{100 + i}" for i in range(20)} for one in ids]))
    effect = judge(settings, known(drawn(TREATED)), stayed).verdict.overall
    assert effect is not None
    assert effect.decline.difference.value == pytest.approx(30 / 100 - 35 / 50)        # −40 points
    assert effect.decline_without_lost.difference.value == pytest.approx(30 / 100 - 15 / 30)


def test_the_lost_bring_nothing_and_the_impossible_says_nothing(settings: Settings) -> None:
    table = month_table(settings, DECLINED, revenue_current=[100.0] * 100 + [200.0] * 50)
    ids = table.column("id").to_pylist()
    used = table.filter(pa.array([one not in ("c0", "c100") for one in ids]))
    odd = table.filter(pa.array([one == "c100" for one in ids]))
    odd = odd.append_column("reason", pa.array(["outlier"]))
    effect = judge(settings, known(drawn(TREATED)), used, left_out=odd).verdict.overall
    assert effect is not None
    revenue = next(one.mean for one in effect.totals if one.name == "revenue")
    assert revenue.treated.value == pytest.approx(99.0)       # c0 is gone: 99 · 100 / 100
    assert (revenue.control.value, revenue.control.n) == (200.0, 49)
    # Its class is known all the same.
    assert (effect.lost_control, effect.decline.control.value) == (0, pytest.approx(0.6))


def test_the_fallen_come_back_and_the_alike_do_not_fall(settings: Settings) -> None:
    # Of the treated 50 had fallen, of whom 30 still decline; of the others 25, of whom 25 do.
    fallen = [i < 50 for i in range(100)] + [i < 25 for i in range(50)]
    effect = judge(settings, known(drawn(TREATED, fallen=fallen)),
                   month_table(settings, DECLINED)).verdict.overall
    assert effect is not None
    well = {one.name: one.well for one in effect.classes}
    assert well["fallen"].treated.value == pytest.approx(20 / 50)
    assert well["fallen"].control.value == pytest.approx(0.0)
    assert well["alike"].treated.value == pytest.approx(1.0)
    assert well["alike"].control.value == pytest.approx(20 / 25)


def test_a_single_action_is_judged_where_so_many_can_show_an_effect(settings: Settings) -> None:
    """R7 has 600 customers a group, R5 fifty: of the first 15 points can be shown, not of R5."""
    treated = [True] * 600 + [False] * 600 + [True] * 50 + [False] * 50
    actions = ["R7"] * 1_200 + ["R5"] * 100
    declined = ([i < 240 for i in range(600)] + [i < 360 for i in range(600)]
                + [i < 10 for i in range(50)] + [i < 40 for i in range(50)])
    effect = judge(settings, known(drawn(treated, actions=actions)),
                   month_table(settings, declined)).verdict.overall
    assert effect is not None
    one, = effect.actions
    assert one.code == "R7"
    # 40 % against 60 %, at 97.5 % each: two actions are judged together.
    assert one.decline.difference.value == pytest.approx(-0.2)
    plain = newcombe(240, 600, 360, 600, confidence=0.975)
    assert one.decline.difference.high == pytest.approx(plain.high, abs=0.001)
    few = judge(settings, known(drawn(TREATED)), month_table(settings, DECLINED)).verdict.overall
    assert few is not None
    assert few.actions == ()


# ── Month after month ────────────────────────────────────────────────────────────────────────────


def test_everybody_is_judged_once_and_all_months_together(settings: Settings) -> None:
    first = judge(settings, known(drawn(TREATED, month="2026-08")),
                  month_table(settings, DECLINED), month="2026-09")
    assert first.outcomes is not None
    new = drawn([True] * 40 + [False] * 20, month="2026-09", first=150)
    both = known(drawn(TREATED, month="2026-08"), new, outcomes={"2026-09": first.outcomes})
    declined = [True] * 150 + [i < 10 for i in range(40)] + [i < 10 for i in range(20)]
    later = judge(settings, both, month_table(settings, declined))
    assert later.outcomes is not None
    assert later.outcomes.num_rows == 60
    last, overall = later.verdict.last, later.verdict.overall
    assert last is not None
    assert overall is not None
    assert (last.months, last.treated, last.control) == (("2026-09",), 40, 20)
    assert (overall.months, overall.treated, overall.control) == (
        ("2026-08", "2026-09"), 140, 70)
    # Within each month: 150/210 · (0.3 − 0.6) + 60/210 · (0.25 − 0.5).
    assert overall.decline.difference.value == pytest.approx(
        150 / 210 * (0.3 - 0.6) + 60 / 210 * (0.25 - 0.5))


def test_a_month_without_new_customers_repeats_what_is_known(settings: Settings) -> None:
    first = judge(settings, known(drawn(TREATED, month="2026-08")),
                  month_table(settings, DECLINED), month="2026-09")
    assert first.outcomes is not None
    later = judge(settings, known(drawn(TREATED, month="2026-08"),
                                  outcomes={"2026-09": first.outcomes}),
                  month_table(settings, [not one for one in DECLINED]))
    assert (later.outcomes, later.verdict.last, later.verdict.missing) == (None, None, "known")
    assert later.verdict.overall == first.verdict.overall


def test_another_campaign_has_a_verdict_of_its_own(settings: Settings) -> None:
    other = settings.programme.model_copy(update={"campaign": "autumn"})
    found = judge(settings.model_copy(update={"programme": other}), known(drawn(TREATED)),
                  month_table(settings, DECLINED))
    assert found.verdict.missing == "first"


# ── What was really sent ─────────────────────────────────────────────────────────────────────────


def test_the_share_reached_is_shown_and_changes_no_group(settings: Settings,
                                                         tmp_path: Path) -> None:
    sent = tmp_path / "feedback.csv"
    rows = [f"c{i},R1,2026-10-05" for i in (*range(60), 100, 101)] + ["c3,R9,2026-10-05"]
    sent.write_text("customer,action,date\n" + "\n".join(rows), encoding="utf-8")
    told = judge(settings, known(drawn(TREATED)), month_table(settings, DECLINED), sent=sent)
    silent = judge(settings, known(drawn(TREATED)), month_table(settings, DECLINED))
    assert told.verdict.reached is not None
    assert (told.verdict.reached.treated, told.verdict.reached.control) == (60, 2)
    assert [fault.reason for fault in told.verdict.reached.faults] == ["action"]
    assert told.verdict.overall == silent.verdict.overall


def test_the_ledgers_outcomes_can_be_read_again(settings: Settings) -> None:
    found = judge(settings, known(drawn(TREATED)), month_table(settings, DECLINED))
    assert found.outcomes is not None
    assert set(ASSIGNMENTS.names) < set(found.outcomes.column_names)
    assert np.asarray(found.outcomes.column("declined")).sum() == 60
