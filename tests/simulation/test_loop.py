"""The simulation of the verdict: its truth, and a few pairs of months."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reportgen.demo import ACTIONS, STOP_SHARE, WORLDS, Programme, generate
from simulation import loop


def test_an_action_that_does_nothing_has_no_effect() -> None:
    world = WORLDS["linear"]
    first = next(iter(generate(world, seed=1, customers=800, months=1)))
    drawn = loop.draw(first, seed=1)
    true = loop.truth(world, first, drawn, ACTIONS["nothing"])
    assert true.decline == pytest.approx(0.0)
    assert set(true.totals.values()) == {0.0}


def test_the_truth_is_what_many_stores_show() -> None:
    """Everybody drawn is treated in one world and nobody in the other: the declines differ so."""
    world, seed, customers = WORLDS["linear"], 7, 40_000
    first = next(iter(generate(world, seed=seed, customers=customers, months=1)))
    drawn = loop.draw(first, seed)
    ids = drawn.column("id").to_pylist()
    rates = []
    for action in ("helps", "nothing"):
        programme = Programme(ACTIONS[action], {first.name: ids})
        *_, second = generate(world, seed=seed, customers=customers, months=2,
                              programme=programme)
        there = np.isin(second.columns["id"].astype(str), ids)
        fallen = second.columns["activity"][there] == "fallen"
        rates.append((fallen.sum() + len(ids) - there.sum()) / len(ids))
        true = loop.truth(world, second, drawn, ACTIONS["helps"])
    # Two shares of some 11,000 customers: four standard errors are 0.027.
    assert rates[0] - rates[1] == pytest.approx(true.decline, abs=0.027)


def test_groups_are_drawn_among_those_who_may_be_messaged() -> None:
    first = next(iter(generate(WORLDS["linear"], seed=1, customers=800, months=1)))
    drawn = loop.draw(first, seed=1)
    may = set(first.columns["id"][first.columns["permission"] == "yes"].astype(str))
    assert set(drawn.column("id").to_pylist()) <= may
    assert 0.1 < 1 - np.mean(drawn.column("treated").to_pylist()) < 0.3


def test_a_pair_of_months_is_judged() -> None:
    found = [loop.measure(action, 600, 3) for action in ACTIONS]
    for record in found:
        for value, low, high, _ in record["claims"].values():
            assert low <= value <= high
    json.dumps(found)
    assert found[0]["claims"]["decline"][3] < -0.05 < found[1]["claims"]["decline"][3]
    assert found[2]["claims"]["decline"][3] > STOP_SHARE


def test_the_page_marks_what_falls_short() -> None:
    claim = [-0.2, -0.3, -0.1, 0.0]
    records = [{"action": "nothing", "customers": 400, "status": "worked", "drawn": 100,
                "claims": {"decline": claim}}] * 40
    text = loop.page(records, command="make it")
    assert "2 of 3 fall short" in text      # every interval misses, every verdict is wrong
    assert "| nothing | 400 | 100 | 100.0% |" in text
