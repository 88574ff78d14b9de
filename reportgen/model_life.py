"""An earlier month's model: kept in use, or held beside the one that is.

A stored model and this month's sample come in. It has seen none of these customers' classes of
this month, so its figures on all of them are honest; out go its `ModelCard`, or a `Rival` of the
model in use.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from reportgen import delong, intervals, metrics
from reportgen.config import Settings
from reportgen.estimators import Matrix
from reportgen.results import Gate, Leakage, ModelCard, Rival
from reportgen.risk_model import Stored
from reportgen.sample import Judged, Sample


@dataclass(frozen=True)
class Seen:
    """What this month's customers say of a kept model.

    Attributes
    ----------
    risk
        Its risk of every customer of the sample, shape (customers,).
    gate, leakage
        As for any other model.
    """

    risk: Matrix
    gate: Gate
    leakage: Leakage


def judged(risk: Matrix) -> Judged:
    """Put a kept model's risks in the form in which a model is judged: one part, everybody."""
    everyone = np.arange(len(risk))
    return Judged(risk[None, :], np.zeros((1, len(risk)), dtype=np.intp), everyone, "model")


def card(trained: ModelCard, seen: Seen, sample: Sample, settings: Settings) -> ModelCard:
    """Bring the card of a kept model up to date: how it was trained stays, what it is worth is new.

    Parameters
    ----------
    trained
        Its card of the month it was taken from.
    """
    fallen, search = sample.fallen, settings.model
    return replace(
        trained,
        customers_test=len(fallen), fallen_test=int(fallen.sum()),
        holdout=metrics.scores(fallen, seen.risk, estimand="model", seed=search.seed),
        nested=None, outer_folds=0, repeats=0, past_only=None, learning=None,
        calibration=metrics.calibration(fallen, seen.risk, seed=search.seed),
        roc=metrics.roc(fallen, seen.risk), gains=metrics.gains(fallen, seen.risk),
        gate=replace(seen.gate, enforced=settings.gates.usefulness), leakage=seen.leakage,
        target_window=settings.columns[settings.target].window.value,
    )


def rival(other: Stored, in_use: Judged, sample: Sample, settings: Settings) -> Rival:
    """Hold an earlier month's model beside the one in use, on the customers that judge this one."""
    rows, fallen = sample.matrix[in_use.positions], sample.fallen[in_use.positions]
    risk = other.risk_model.risk(rows)
    return Rival(
        month=other.trained, family=other.family,
        roc_auc=delong.roc_auc(fallen, risk, parts=in_use.parts[0]),
        brier=intervals.logit_bootstrap(metrics.brier, fallen, risk, seed=settings.model.seed),
        difference=delong.difference(fallen, in_use.risks[0], risk, parts=in_use.parts[0]),
    )
