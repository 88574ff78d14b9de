"""What a fitted model is really worth: its figures over the whole population."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from reportgen import metrics
from reportgen.campaigns import Terms
from reportgen.estimators import Matrix
from reportgen.fold_scores import roc_auc
from simulation.stores import Population


@dataclass(frozen=True)
class Worth:
    """The true figures of a model, by the names of the intervals that claim to cover them."""

    figures: dict[str, float]
    risk: Matrix


def worth(risk: Matrix, population: Population) -> Worth:
    """Measure the risks that a model gives the population."""
    fallen = population.fallen
    found = risk >= metrics.THRESHOLD
    hits = float((found & fallen).sum())
    figures = {
        "roc_auc": roc_auc(fallen, risk),
        "pr_auc": float(average_precision_score(fallen, risk)),
        "f1": 2 * hits / float(found.sum() + fallen.sum()),
        "precision": hits / max(float(found.sum()), 1.0),
        "recall": hits / float(fallen.sum()),
        "brier": float(((risk - fallen) ** 2).mean()),
    }
    order = np.argsort(-risk, kind="stable")
    for share in metrics.SHARES:
        inside = fallen[order[: round(share * len(order))]]
        name = f"{share:.0%}"
        figures[f"precision {name}"] = float(inside.mean())
        figures[f"lift {name}"] = float(inside.mean() / fallen.mean())
        figures[f"capture {name}"] = float(inside.sum() / fallen.sum())
    calibration = metrics.fit_recalibration(fallen, risk).sigmoid
    figures["calibration slope"] = calibration.slope
    return Worth(figures, risk)


def mean_worth(models: list[Worth]) -> dict[str, float]:
    """Average the true figures of the models of all folds: the procedure's."""
    return {name: float(np.mean([model.figures[name] for model in models]))
            for name in models[0].figures}


def profit(contacted: NDArray[np.bool_], population: Population, terms: Terms, *,
           value: Matrix, acceptance: float) -> float:
    """Expected profit per customer of contacting some of the population."""
    gain = np.where(population.fallen, acceptance * (value - terms.offer), -terms.offer)
    return float(((gain - terms.contact) * contacted).mean())
