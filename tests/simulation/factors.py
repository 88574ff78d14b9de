"""Which factors the report would name, and what is true of each column."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from reportgen import explanation
from reportgen.demo import WORLDS, World, truth
from reportgen.results import Driver, Estimate
from simulation.fitted import Fitted
from simulation.fixed import Calibrated, FixedPipeline, FoldModel, encode
from simulation.stores import population, settings
from simulation.truth import roc_auc

#: Columns whose intervals are held against their truth: one that is strong in every world but that
#: of noise, and one that tells nothing anywhere.
INTERVALS = ("pages_per_visit", "contacts_current")


def measure(world: str, fitted: Fitted) -> list[dict[str, Any]]:
    """Explain the model as if its gate were open; a dictionary a column that the world declares."""
    models = [FoldModel(model, held_out, settings())
              for model, (_, held_out) in zip(fitted.models, fitted.folds, strict=True)]
    found = explanation.explain(Calibrated(fitted.training, settings()), FixedPipeline(settings()),
                                models, fitted.sample, settings(), usable=True)
    rightly = {driver.column: driver.headlined and _right(world, driver)
               for driver in found.drivers}
    records = [
        _record(driver, world) | {"group_rightly": rightly[driver.group]}
        # The worlds declare nothing about a change of two columns.
        for driver in found.drivers if driver.column in truth(WORLDS[world])
    ]
    for record in records:
        if record["column"] in INTERVALS:
            record["permutation"].append(_true_fall(record["column"], fitted))
    return records


def _record(driver: Driver, world: str) -> dict[str, Any]:
    effect = driver.effect
    side = {"low": -1.0, "high": 1.0}.get(effect.side, 0.0) if effect else 0.0
    return {
        "column": driver.column, "strength": truth(WORLDS[world])[driver.column],
        "direct": driver.column in _direct(WORLDS[world]),
        "category": driver.column in settings().categories,
        "headlined": driver.headlined, "direction": driver.direction,
        "right": _right(world, driver), "top_share": driver.top_share,
        # Value and bounds; a truth follows where it is not the mean over all stores of the world.
        "importance": _bounds(driver.importance, 1.0),
        "permutation": _bounds(driver.permutation, 1.0),
        "effect": _bounds(effect.size, side) if effect and side else None,
        "effect_above_zero": bool(effect and effect.size.low > 0),
    }


def _right(world: str, driver: Driver) -> bool:
    return {"up": 1.0, "down": -1.0}.get(driver.direction) == _sign(world, driver.column)


def _true_fall(column: str, fitted: Fitted) -> float:
    """Fall of the ROC-AUC on the population when the column is shuffled, over all folds' models."""
    everyone = fitted.everyone
    place = settings().features.index(column)
    rows = everyone.rows.copy()
    rows[:, place] = np.random.default_rng(0).permutation(rows[:, place])
    encoded = encode(rows, settings())
    return float(np.mean([
        known.figures["roc_auc"] - roc_auc(model.risk(encoded), everyone.probability)
        for known, model in zip(fitted.worths, fitted.models, strict=True)
    ]))


def _bounds(estimate: Estimate, sign: float) -> list[float]:
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return [sign * estimate.value, low, high]


def _direct(world: World) -> set[str]:
    """Columns that the class of a customer really hangs on, not only through others."""
    in_steps = {condition.column for step in world.steps for condition in step.conditions}
    return set(world.effects) | in_steps


@lru_cache
def _sign(world: str, column: str) -> float:
    """Sign of the association in the population; none where all probabilities are equal."""
    everyone = population(world)
    if np.ptp(everyone.probability) == 0:
        return 0.0
    values = everyone.rows[:, settings().features.index(column)]
    known = np.isfinite(values)
    return float(np.sign(spearmanr(values[known], everyone.probability[known]).statistic))
