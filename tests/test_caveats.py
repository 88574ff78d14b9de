"""Each limit is told where it holds, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import make_report

from reportgen.caveats import KEYS, caveats
from reportgen.results import Report

REPORT = make_report()


def keys(report: Report = REPORT, effort: str = "standard") -> tuple[str, ...]:
    found = caveats(report.data, report.overview, report.model, report.focus, effort=effort,
                    first=True)
    return tuple(caveat.key for caveat in found)


def facts(key: str, report: Report = REPORT) -> dict[str, float]:
    found = caveats(report.data, report.overview, report.model, report.focus, effort="standard",
                    first=True)
    return next(caveat.facts for caveat in found if caveat.key == key)


def with_gate(**changes: object) -> Report:
    return replace(REPORT, model=replace(REPORT.model, gate=replace(REPORT.model.gate, **changes)))


def test_caveats_come_in_the_order_of_their_weight():
    places = [KEYS.index(key) for key in keys()]
    assert places == sorted(places)


def test_a_model_without_proven_signal_comes_first():
    assert keys(with_gate(open=False, closed_by=("floor",)))[0] == "model_not_useful"
    assert "model_not_useful" not in keys()


def test_a_gate_that_is_not_kept_still_warns():
    assert keys(with_gate(open=False, closed_by=("floor",), enforced=False))[0] == (
        "model_not_useful")


def test_a_small_sample_tells_how_many_customers_are_needed():
    size = replace(REPORT.model.gate.sample_size, required=2_400, enough=False)
    assert facts("sample_small", with_gate(sample_size=size)) == {"n": 2_400}
    assert "sample_small" not in keys(with_gate(sample_size=size, open=False))


def test_a_quick_run_is_told():
    assert "quick" in keys(effort="quick")
    assert "quick" not in keys()


def test_the_score_told_is_the_honest_one():
    assert facts("score")["low"] == REPORT.model.nested.roc_auc.low
    quick = replace(REPORT, model=replace(REPORT.model, nested=None))
    assert facts("score", quick)["low"] == REPORT.model.holdout.roc_auc.low


@pytest.mark.parametrize(("window", "key"), [("same_month", "recognises"),
                                             ("unknown", "window_unknown")])
def test_the_window_of_the_target_is_told(window, key):
    report = replace(REPORT, model=replace(REPORT.model, target_window=window))
    assert key in keys(report)
    assert key not in keys(replace(REPORT, model=replace(REPORT.model, target_window="future")))


def test_a_small_focus_is_told_unless_the_model_is_withheld():
    focus = replace(REPORT.focus, customers=49)
    assert facts("small_focus", replace(REPORT, focus=focus)) == {"n": 49}
    assert "small_focus" not in keys(replace(REPORT, focus=replace(focus, customers=50)))
    closed = with_gate(open=False)
    assert "small_focus" not in keys(replace(closed, focus=focus))


def test_the_want_of_history_is_told_in_the_first_month_only() -> None:
    later = caveats(REPORT.data, REPORT.overview, REPORT.model, REPORT.focus, effort="standard",
                    first=False)
    assert "no_history" in keys()
    assert "no_history" not in {caveat.key for caveat in later}
