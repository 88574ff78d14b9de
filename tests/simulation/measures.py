"""One store through the stages: every interval with its truth, the gate, the factors, the profit.

The stages are the report's own, with a fixed pipeline instead of the search: a logistic regression,
whose fits are cheap enough for thousands of stores (`fixed`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import spearmanr
from sklearn import config_context
from sklearn.pipeline import Pipeline

from reportgen import campaigns, explanation, gate, intervals, leakage, metrics, scoring
from reportgen.campaigns import Case, Terms
from reportgen.demo import WORLDS, World, truth
from reportgen.estimators import CANDIDATES, Matrix, calibrated, make_pipeline
from reportgen.fold_scores import roc_auc
from reportgen.folds import TwinFolds
from reportgen.results import Estimate, Scores
from reportgen.sample import Indices, Judged, Sample
from simulation import fixed
from simulation.stores import Population, population, settings, store
from simulation.truth import Worth, mean_worth, profit, worth

Claim = list[float]
"""Value, lower and upper bound, truth."""


def measure(world: str, seed: int, *, explain: bool) -> dict[str, Any]:
    """Run the stages on a store; ``explain`` adds the costly ones about factors."""
    with config_context(skip_parameter_validation=True, assume_finite=True):
        return _measure(world, seed, explain=explain)


def fixed_pipeline() -> Pipeline:
    """Return the unfitted pipeline that stands in for the winner of a search."""
    family = next(one for one in CANDIDATES if one.name == "logistic_regression")
    return make_pipeline(family, settings()).set_params(model__C=1.0, model__l1_ratio=0.0)


def _measure(world: str, seed: int, *, explain: bool) -> dict[str, Any]:
    sample, everyone = store(world, seed), population(world)
    encoded = fixed.encode(sample.matrix, settings())
    folds = list(TwinFolds(settings().model.folds, seed=settings().model.seed)
                 .split(sample.matrix, sample.fallen))
    risk, models = np.empty(len(encoded)), []
    for learned, held_out in folds:
        model = fixed.fit(encoded[learned], sample.fallen[learned], settings())
        risk[held_out] = model.risk(encoded[held_out])
        models.append(worth(model.risk(everyone.encoded), everyone))
    procedure = mean_worth(models)
    parts = _numbers(folds, len(risk))
    found = metrics.scores(sample.fallen, risk, parts=parts, estimand="procedure", seed=seed)
    claims = _score_claims("procedure", found, procedure)
    slope = metrics.calibration(sample.fallen, risk, seed=seed).slope
    claims["procedure: calibration slope"] = _claim(slope, procedure["calibration slope"])
    claims["cross-validation: mean roc_auc"] = _mean_over_folds(folds, risk, sample, procedure)
    claims |= _held_out(encoded, sample, everyone, seed)
    claims |= _customers(sample, everyone)
    screening = leakage.screen(sample, settings())
    judged = gate.judge(
        sample, Judged(risk[None, :], parts[None, :], np.arange(len(risk)), "procedure"),
        screening.risks, settings())
    money, biases = _money(risk, sample, models, everyone, seed)
    record: dict[str, Any] = {
        "world": world, "seed": seed, "claims": claims | money, "biases": biases,
        "open": judged.open, "closed_by": list(judged.closed_by),
    }
    if explain:
        record["factors"] = _factors(world, sample, everyone)
    return record


def _claim(estimate: Estimate, true: float) -> Claim:
    return [estimate.value, estimate.low, estimate.high, true]


def _score_claims(name: str, found: Scores, true: dict[str, float]) -> dict[str, Claim]:
    claims = {f"{name}: {key}": _claim(getattr(found, key), true[key])
              for key in ("roc_auc", "pr_auc", "f1", "precision", "recall", "brier")}
    for top in found.top:
        for key in ("precision", "lift", "capture"):
            place = f"{key} {top.share:.0%}"
            claims[f"{name}: {place}"] = _claim(getattr(top, key), true[place])
    return claims


def _numbers(folds: list[tuple[Indices, Indices]], n: int) -> Indices:
    """Number the fold of each customer."""
    numbers = np.empty(n, dtype=np.intp)
    for number, (_, held_out) in enumerate(folds):
        numbers[held_out] = number
    return numbers


def _mean_over_folds(folds: list[tuple[Indices, Indices]], risk: Matrix, sample: Sample,
                     true: dict[str, float]) -> Claim:
    scores = [roc_auc(sample.fallen[held_out], risk[held_out]) for _, held_out in folds]
    judged = len(risk) / len(folds)
    return _claim(intervals.corrected_t(scores, judged=judged, learned=len(risk) - judged),
                  true["roc_auc"])


def _held_out(encoded: Matrix, sample: Sample, everyone: Population,
              seed: int) -> dict[str, Claim]:
    """Fit on the training part, judge on the test part, as the seed's own split does."""
    model = fixed.fit(encoded[sample.train], sample.fallen[sample.train], settings())
    found = metrics.scores(sample.fallen[sample.test], model.risk(encoded[sample.test]),
                           estimand="model", seed=seed)
    return _score_claims("held out", found,
                         worth(model.risk(everyone.encoded), everyone).figures)


def _customers(sample: Sample, everyone: Population) -> dict[str, Claim]:
    """Intervals that need no model: a share, a difference of shares, one of means."""
    place = settings().features.index("promo_share")
    inside, whole = sample.matrix[:, place] >= 0.5, everyone.rows[:, place] >= 0.5
    fell, others = sample.fallen[inside], sample.fallen[~inside]
    difference = intervals.newcombe(int(fell.sum()), len(fell), int(others.sum()), len(others))
    profit_ = sample.frame["profit"].to_numpy()
    sides = [profit_[sample.fallen], profit_[~sample.fallen]]
    means = intervals.welch(*(figure for side in sides
                              for figure in (side.mean(), side.var(ddof=1), len(side))))
    return {
        "customers: share of fallen": _claim(
            intervals.wilson(int(sample.fallen.sum()), len(sample.fallen)),
            float(everyone.probability.mean())),
        "customers: difference of shares": _claim(
            difference,
            float(everyone.probability[whole].mean() - everyone.probability[~whole].mean())),
        "customers: difference of profit": _claim(
            means,
            _weighted(everyone.profit, everyone.probability)
            - _weighted(everyone.profit, 1 - everyone.probability)),
    }


def _weighted(values: Matrix, weights: Matrix) -> float:
    return float((values * weights).sum() / weights.sum())


def _money(risk: Matrix, sample: Sample, models: list[Worth], everyone: Population,
           seed: int) -> tuple[dict[str, Claim], dict[str, list[float]]]:
    """Expected profit of the campaigns, against that of the same rules on the population.

    The acceptance is drawn anew for every store, for that is what its distribution says.
    """
    given = settings().assumptions
    unit = given.profit_unit * given.horizon_months * given.loss_share
    terms = Terms(given.contact_cost, given.offer_cost, given.acceptance, given.acceptance_trials)
    case = Case(sample.fallen, risk, sample.frame["profit"].to_numpy() * unit,
                scale=1.0, seed=seed, folds=settings().model.folds)
    plans = campaigns.plan_all(case, terms)
    earned = campaigns.profits(case, terms, plans)
    value = everyone.profit * unit
    n, share = len(sample.fallen), float(plans["highest_risk"].mean())
    acceptance = float(np.random.default_rng(seed).beta(terms.alpha, terms.beta))

    def true(name: str, gamma: float) -> float:
        if name == "known_fallen":
            # Everybody who falls is contacted, nobody else.
            return n * float((everyone.probability
                              * (gamma * (value - terms.offer) - terms.contact)).mean())
        if name == "own_threshold":
            chosen = [model.risk >= campaigns.threshold(value, terms) for model in models]
        else:
            cuts = [np.quantile(model.risk, 1 - share) if share else np.inf for model in models]
            chosen = [model.risk >= cut for model, cut in zip(models, cuts, strict=True)]
        return n * float(np.mean([profit(one, everyone, terms, value=value, acceptance=gamma)
                                  for one in chosen]))

    claims, biases = {}, {}
    for name in ("known_fallen", "own_threshold", "highest_risk"):
        low, high = np.quantile(earned[name].draws, [0.025, 0.975])
        claims[f"money: {name}"] = [earned[name].value, float(low), float(high),
                                    true(name, acceptance)]
        biases[name] = [earned[name].value, true(name, terms.acceptance)]
    return claims, biases


def _direct(world: World) -> set[str]:
    """Columns that the class of a customer really hangs on, not only through others."""
    in_steps = {condition.column for step in world.steps for condition in step.conditions}
    return set(world.effects) | in_steps


def _factors(world: str, sample: Sample, everyone: Population) -> list[dict[str, Any]]:
    """Explain the report's own pipeline as if its gate were open; tell what is true of it."""
    pipeline = fixed_pipeline()
    scorer = scoring.fit_scorer(pipeline, sample, settings())
    model = calibrated(pipeline, settings())
    model.fit(sample.matrix[sample.train], sample.fallen[sample.train])
    found = explanation.explain(model, pipeline, scorer.folds, sample, settings(), usable=True)
    strengths = truth(WORLDS[world])
    records = []
    named = {driver.group for driver in found.drivers if driver.headlined}
    for driver in found.drivers:
        if driver.column not in strengths:
            continue    # a change of two columns; the worlds declare nothing about it
        values = everyone.rows[:, settings().features.index(driver.column)]
        # In the world of noise everybody has the same probability, and no sign is right.
        sign = (float(np.sign(spearmanr(values, everyone.probability).statistic))
                if np.ptp(everyone.probability) > 0 else 0.0)
        size = driver.effect.size if driver.effect else None
        records.append({
            "column": driver.column, "strength": strengths[driver.column],
            "direct": driver.column in _direct(WORLDS[world]),
            "category": driver.column in settings().categories,
            "headlined": driver.headlined, "group_headlined": driver.group in named,
            "direction": driver.direction,
            "right": {"up": 1.0, "down": -1.0}.get(driver.direction) == sign,
            "effect_above_zero": bool(size and size.low > 0),
        })
    return records
