"""One store through the stages: every interval with its truth, the gate, the factors, the profit.

The stages are the report's own, with a fixed family instead of the search: a logistic regression,
whose fits are cheap enough for thousands of stores (`fixed`). What takes longer than all else is
asked of some stores only (`Depth`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import config_context
from threadpoolctl import threadpool_limits

from reportgen import gate, intervals, leakage, metrics
from reportgen.estimators import Matrix
from reportgen.fold_scores import roc_auc
from reportgen.folds import TwinFolds
from reportgen.results import Scores
from reportgen.sample import Indices, Judged
from simulation import contrasts, factors, fixed, profits, truth
from simulation.fitted import Claim, Fitted, claim
from simulation.stores import own_seed, population, settings, store
from simulation.truth import worth

#: Groups of risk whose promised rates are held against the truth, of `metrics.CALIBRATION_BINS`.
GROUPS = {"lowest": 0, "fifth": 4, "highest": 9}


@dataclass(frozen=True)
class Depth:
    """What is asked of a store beyond its scores, its gate and its campaigns."""

    contrasts: bool = False
    factors: bool = False


def measure(world: str, seed: int, depth: Depth) -> dict[str, Any]:
    """Run the stages on a store."""
    # Products of such small matrices are slower on two threads than on one.
    with threadpool_limits(1), config_context(skip_parameter_validation=True, assume_finite=True):
        fitted = fit(world, seed)
        screening = leakage.screen(fitted.sample, settings())
        judged = gate.judge(fitted.sample, _judged(fitted), screening.risks, settings())
        money, biases = profits.measure(fitted, own_seed(world, seed), extra=depth.factors)
        record: dict[str, Any] = {
            "world": world, "seed": seed,
            "claims": _procedure(fitted, seed) | _held_out(fitted, seed) | _shares(fitted) | money,
            "biases": biases, "open": judged.open, "closed_by": list(judged.closed_by),
        }
        if depth.contrasts:
            found, confirmed = contrasts.measure(fitted, judged, screening)
            record["claims"] |= found
            record["confirmed"] = confirmed
        if depth.factors:
            record["factors"] = factors.measure(world, fitted)
    return record


def fit(world: str, seed: int) -> Fitted:
    """Draw a store and cross-fit the family on it, as the report does with its winner."""
    sample, everyone = store(world, seed), population(world)
    encoded = fixed.encode(sample.matrix, settings())
    folds = tuple(TwinFolds(settings().model.folds, seed=settings().model.seed)
                  .split(sample.matrix, sample.fallen))
    models = tuple(fixed.fit(encoded[learned], sample.fallen[learned], settings())
                   for learned, _ in folds)
    risk, parts = np.empty(len(encoded)), np.empty(len(encoded), dtype=np.intp)
    for number, (model, (_, held_out)) in enumerate(zip(models, folds, strict=True)):
        risk[held_out], parts[held_out] = model.risk(encoded[held_out]), number
    return Fitted(
        sample=sample, everyone=everyone, encoded=encoded, folds=folds, models=models,
        risk=risk, parts=parts,
        worths=tuple(worth(model.risk(everyone.encoded), everyone) for model in models),
        training=fixed.fit(encoded[sample.train], sample.fallen[sample.train], settings()),
    )


def _judged(fitted: Fitted) -> Judged:
    everybody: Indices = np.arange(len(fitted.risk))
    return Judged(fitted.risk[None, :], fitted.parts[None, :], everybody, "procedure")


def _procedure(fitted: Fitted, seed: int) -> dict[str, Claim]:
    """Judge the out-of-fold risks as those of a nested cross-validation."""
    fallen = fitted.sample.fallen
    found = metrics.scores(fallen, fitted.risk, parts=fitted.parts, estimand="procedure", seed=seed)
    claims = _score_claims("procedure", found, fitted.procedure)
    promised = metrics.calibration(fallen, fitted.risk, seed=seed)
    slope, intercept = np.mean([truth.calibration(one.risk, fitted.everyone.probability)
                                for one in fitted.worths], axis=0)
    claims["calibration: slope"] = claim(promised.slope, float(slope))
    claims["calibration: intercept"] = claim(promised.intercept, float(intercept))
    for name, place in GROUPS.items():
        claims[f"calibration: rate of the {name} tenth"] = claim(
            promised.bins[place].observed, _true_rate(fitted, place))
    by_fold = [roc_auc(fallen[held_out], fitted.risk[held_out]) for _, held_out in fitted.folds]
    judged = len(fallen) / len(fitted.folds)
    claims["cross-validation: mean roc_auc"] = claim(
        intervals.corrected_t(by_fold, judged=judged, learned=len(fallen) - judged),
        fitted.procedure["roc_auc"])
    return claims


def _true_rate(fitted: Fitted, place: int) -> float:
    """True rate of a tenth of the population by risk, over the models of all folds."""
    return float(np.mean([
        fitted.everyone.probability[
            np.array_split(one.order[::-1], metrics.CALIBRATION_BINS)[place]].mean()
        for one in fitted.worths
    ]))


def _held_out(fitted: Fitted, seed: int) -> dict[str, Claim]:
    """Fit on the training part, judge on the test part, as the seed's own split does."""
    sample, everyone = fitted.sample, fitted.everyone
    found = metrics.scores(sample.fallen[sample.test],
                           fitted.training.risk(fitted.encoded[sample.test]),
                           estimand="model", seed=seed)
    true = worth(fitted.training.risk(everyone.encoded), everyone)
    return _score_claims("held out", found, true.figures)


def _score_claims(name: str, found: Scores, true: dict[str, float]) -> dict[str, Claim]:
    claims = {f"{name}: {key}": claim(getattr(found, key), true[key])
              for key in ("roc_auc", "pr_auc", "f1", "precision", "recall", "brier")
              if np.isfinite(true[key])}
    for top in found.top:
        for key in ("precision", "lift", "capture"):
            place = f"{key} {top.share:.0%}"
            claims[f"{name}: {place}"] = claim(getattr(top, key), true[place])
    return claims


def _shares(fitted: Fitted) -> dict[str, Claim]:
    """Intervals that need no model: a share, a difference of shares, one of means."""
    sample, everyone = fitted.sample, fitted.everyone
    place = settings().features.index("promo_share")
    inside, whole = sample.matrix[:, place] >= 0.5, everyone.rows[:, place] >= 0.5
    fell, others = sample.fallen[inside], sample.fallen[~inside]
    p = everyone.probability
    earned = sample.frame["profit"].to_numpy()
    sides = [earned[sample.fallen], earned[~sample.fallen]]
    return {
        "customers: share of fallen (Wilson)": claim(
            intervals.wilson(int(sample.fallen.sum()), len(sample.fallen)), float(p.mean())),
        "customers: difference of shares (Newcombe)": claim(
            intervals.newcombe(int(fell.sum()), len(fell), int(others.sum()), len(others)),
            float(p[whole].mean() - p[~whole].mean())),
        "customers: mean profit of the fallen (Student)": claim(
            intervals.mean_interval(sides[0].mean(), sides[0].var(ddof=1), len(sides[0])),
            _weighted(everyone.profit, p)),
        "customers: difference of mean profit (Welch)": claim(
            intervals.welch(*(figure for side in sides
                              for figure in (side.mean(), side.var(ddof=1), len(side)))),
            _weighted(everyone.profit, p) - _weighted(everyone.profit, 1 - p)),
    }


def _weighted(values: Matrix, weights: Matrix) -> float:
    return float((values * weights).sum() / weights.sum())
