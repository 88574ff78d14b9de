"""What a fitted model is really worth: its figures over the whole population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen import metrics
from reportgen.campaigns import Terms
from reportgen.estimators import Matrix
from simulation.stores import Population


@dataclass(frozen=True)
class Worth:
    """The true figures of a model, by the names of the intervals that claim to cover them."""

    figures: dict[str, float]
    risk: Matrix


def worth(risk: Matrix, population: Population) -> Worth:
    """Measure the risks that a model gives the population.

    Every customer counts as fallen with the true probability, which leaves no chance but that of
    which customers there are.
    """
    p, n = population.probability, len(risk)
    order = np.argsort(-risk, kind="stable")
    hits = np.cumsum(p[order])
    found = risk >= metrics.THRESHOLD
    flagged, caught = float(found.sum()), float(p[found].sum())
    below = np.cumsum((1 - p)[order[::-1]])[::-1]      # weight of the steady at or below each
    steady = below - (1 - p)[order] / 2
    figures = {
        "roc_auc": float((p[order] * steady).sum() / (p.sum() * (1 - p).sum())),
        "pr_auc": float((p[order] * hits / np.arange(1, n + 1)).sum() / p.sum()),
        "f1": 2 * caught / float(flagged + p.sum()),
        "precision": caught / max(flagged, 1.0),
        "recall": caught / float(p.sum()),
        "brier": float(((risk - p) ** 2 + p * (1 - p)).mean()),
    }
    for share in metrics.SHARES:
        size = round(share * n)
        inside = float(hits[size - 1])
        name = f"{share:.0%}"
        figures[f"precision {name}"] = inside / size
        figures[f"lift {name}"] = inside / size / float(p.mean())
        figures[f"capture {name}"] = inside / float(p.sum())
    figures["calibration slope"] = metrics.fit_recalibration(population.fallen, risk).sigmoid.slope
    return Worth(figures, risk)


def mean_worth(models: list[Worth]) -> dict[str, float]:
    """Average the true figures of the models of all folds: the procedure's."""
    return {name: float(np.mean([model.figures[name] for model in models]))
            for name in models[0].figures}


def profit(contacted: NDArray[np.float64], population: Population, terms: Terms, *,
           value: Matrix, acceptance: float) -> float:
    """Expected profit per customer of contacting some of the population."""
    p = population.probability
    gain = p * acceptance * (value - terms.offer) - (1 - p) * terms.offer - terms.contact
    return float((gain * contacted).mean())
