"""What a fitted model is really worth: its figures over the whole population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from reportgen import metrics
from reportgen.estimators import Matrix
from reportgen.sample import Indices
from simulation.stores import Population

#: Newton's steps until a regression has settled, and how exactly.
STEPS, TOLERANCE = 25, 1e-7


@dataclass(frozen=True)
class Worth:
    """The true figures of a model, by the names of the intervals that claim to cover them.

    ``order`` leads from the highest risk to the lowest. ``flagged`` and ``caught`` are the shares
    of customers, and of fallen ones among all, to whom the model promises even odds or more;
    ``share`` is that of all fallen.
    """

    figures: dict[str, float]
    risk: Matrix
    order: Indices
    flagged: float
    caught: float
    share: float


def worth(risk: Matrix, population: Population) -> Worth:
    """Measure the risks that a model gives the population.

    Every customer counts as fallen with the true probability, which leaves no chance but that of
    which customers there are.
    """
    p, n = population.probability, len(risk)
    order = np.argsort(-risk, kind="stable")
    hits = np.cumsum(p[order])
    below = np.cumsum((1 - p)[order[::-1]])[::-1]      # weight of the steady at or below each
    steady = below - (1 - p)[order] / 2
    found = risk >= metrics.THRESHOLD
    flagged, caught, share = float(found.mean()), float((p * found).mean()), float(p.mean())
    figures = {
        "roc_auc": float((p[order] * steady).sum() / (p.sum() * (1 - p).sum())),
        "pr_auc": float((p[order] * hits / np.arange(1, n + 1)).sum() / p.sum()),
        "brier": float(((risk - p) ** 2 + p * (1 - p)).mean()),
        **_recognised(flagged, caught, share),
    }
    for part in metrics.SHARES:
        size = round(part * n)
        inside = float(hits[size - 1])
        name = f"{part:.0%}"
        figures[f"precision {name}"] = inside / size
        figures[f"lift {name}"] = inside / size / share
        figures[f"capture {name}"] = inside / float(p.sum())
    return Worth(figures, risk, order, flagged, caught, share)


def mean_worth(models: Sequence[Worth]) -> dict[str, float]:
    """Average the true figures of the models of all folds: the procedure's.

    Those who are recognised are counted over all folds together, as the report does.
    """
    figures = {name: float(np.mean([model.figures[name] for model in models]))
               for name in models[0].figures}
    together = np.mean([(one.flagged, one.caught, one.share) for one in models], axis=0)
    return figures | _recognised(*together.tolist())


def _recognised(flagged: float, caught: float, share: float) -> dict[str, float]:
    """Work out the figures of recognition; where nobody is flagged no precision is true."""
    return {
        "f1": 2 * caught / (flagged + share),
        "precision": caught / flagged if flagged else float("nan"),
        "recall": caught / share,
    }


def roc_auc(risk: Matrix, probability: Matrix) -> float:
    """True ROC-AUC of risks, ties counting half."""
    values, place = np.unique(risk, return_inverse=True)
    fallen = np.bincount(place, probability, len(values))
    steady = np.bincount(place, 1 - probability, len(values))
    below = np.cumsum(steady) - steady / 2
    return float((fallen * below).sum() / (fallen.sum() * steady.sum()))


def calibration(risk: Matrix, probability: Matrix) -> tuple[float, float]:
    """True slope, and true intercept where the slope is held at 1."""
    odds = special.logit(np.clip(risk, metrics.NEAREST, 1 - metrics.NEAREST))
    ones = np.ones((len(odds), 1))
    slope = _logistic(np.column_stack([ones, odds]), probability, np.zeros(len(odds)))[1]
    return float(slope), float(_logistic(ones, probability, odds)[0])


def _logistic(design: Matrix, probability: Matrix, offset: Matrix) -> Matrix:
    """Regress true probabilities, for which `metrics` has no door, by Newton's steps."""
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        p = special.expit(design @ weights + offset)
        information = (design * (p * (1 - p))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (probability - p))
        weights = weights + step
        if np.abs(step).max() < TOLERANCE:
            break
    return weights
