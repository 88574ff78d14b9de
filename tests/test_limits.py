"""The store's limits hold, or say by how much they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import histories
import pytest
from reports import make_report

from reportgen import limits
from reportgen.config import Settings
from reportgen.results import Check, HistoryFault

REPORT = make_report()


def check(settings: Settings, **changes: object) -> dict[str, Check]:
    given = {"card": REPORT.model, "quality": REPORT.data, "drift": REPORT.history.drift,
             "faults": (), **changes}
    return {one.name: one for one in limits.check(*given.values(), settings)}


def test_usual_month_keeps_every_limit(settings: Settings) -> None:
    found = check(settings)
    assert list(found) == ["roc_auc", "rows_repaired", "drift", "history"]
    assert all(one.passed for one in found.values())


def test_the_lower_bound_of_the_honest_score_counts(settings: Settings) -> None:
    honest = replace(REPORT.model.nested, roc_auc=replace(REPORT.model.nested.roc_auc, low=0.649))
    assert not check(settings, card=replace(REPORT.model, nested=honest))["roc_auc"].passed


def test_rows_repaired_beyond_the_limit_fail(settings: Settings) -> None:
    assert not check(settings, quality=replace(REPORT.data, share_changed=0.51))[
        "rows_repaired"].passed


def test_only_drift_beyond_chance_counts(settings: Settings) -> None:
    moved = histories.drift().columns[0]
    far, by_chance = replace(moved, psi=0.4), replace(moved, psi=0.9, level="none")
    one = check(settings, drift=(replace(histories.drift(), columns=(far, by_chance)),))["drift"]
    assert (one.value, one.passed) == (0.4, False)
    assert check(settings, drift=(replace(histories.drift(), columns=(by_chance,)),))[
        "drift"].value == 0.0


def test_first_month_has_no_drift_and_keeps_the_limit(settings: Settings) -> None:
    assert check(settings, drift=())["drift"] == Check("drift", None, 0.25, passed=True)


def test_a_month_that_cannot_be_compared_with_closes_the_gate_where_the_store_wants_it(
    settings: Settings,
) -> None:
    faults = (HistoryFault("2026-09", "damaged"),)
    assert not check(settings, faults=faults)["history"].passed
    gates = settings.gates.model_copy(update={"history": False})
    assert "history" not in check(settings.model_copy(update={"gates": gates}), faults=faults)


def test_every_limit_is_told_with_its_figure_and_its_key(settings: Settings) -> None:
    told = limits.told(Check("drift", 0.412, 0.25, passed=False))
    assert told == ("drift: the largest drift of a column (PSI) is 0.412, the limit in [gates] is "
                    "0.25")


@pytest.mark.parametrize(("today", "days"), [
    (date(2026, 10, 31), 0), (date(2026, 12, 1), 31), (date(2026, 10, 30), -1),
])
def test_data_are_as_old_as_the_days_since_their_month_ended(today: date, days: int) -> None:
    assert limits.data_age("2026-10", today) == days
