"""A store with the fixed family cross-fitted on it, and what every claim looks like."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reportgen.estimators import Matrix
from reportgen.results import Estimate
from reportgen.sample import Indices, Sample
from simulation.fixed import FixedModel
from simulation.stores import Population
from simulation.truth import Worth, mean_worth

Claim = list[float]
"""Value, lower and upper bound, truth."""


def claim(estimate: Estimate, true: float) -> Claim:
    """Put an estimate beside the truth that its interval should cover."""
    return [estimate.value, estimate.low, estimate.high, true]


@dataclass(frozen=True)
class Fitted:
    """A store and its models.

    Attributes
    ----------
    everyone
        The population of the store's world.
    encoded
        The store's rows as the models take them.
    folds, models, worths
        Positions learned from and held out, the model of each fold, and what it is worth.
    risk, parts
        Out-of-fold risk of each customer, and the number of the fold.
    training
        The model of the training part alone.
    """

    sample: Sample
    everyone: Population
    encoded: Matrix
    folds: tuple[tuple[Indices, Indices], ...]
    models: tuple[FixedModel, ...]
    worths: tuple[Worth, ...]
    risk: Matrix
    parts: Indices
    training: FixedModel

    @cached_property
    def procedure(self) -> dict[str, float]:
        """True figures of the procedure: the means over the models of the folds."""
        return mean_worth(self.worths)
