"""Why the model sees a risk: what each column adds to it, and what is stable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Direction, Estimate


@dataclass(frozen=True)
class Bin:
    """Customers with ``low`` ≤ value ≤ ``high`` (or of one category) and how many of them fell."""

    low: float | None
    high: float | None
    value: str
    customers: int
    decline: Estimate


@dataclass(frozen=True)
class Effect:
    """How much more risk the model sees at the risky end of a column than at the safe end.

    Attributes
    ----------
    size
        Difference of mean SHAP values, in probability, with its interval over the refits.
    side
        Where the risky end is: at "low" or at "high" values, or at one "value" of a category
        (then against all other customers).
    risky, safe
        Edges of the two ends, thirds of the explained customers: for side "low" the risky end
        is value ≤ ``risky`` and the safe one value ≥ ``safe``; for "high" the other way round.
        None for a category.
    value
        The risky value of a category, else empty.
    """

    size: Estimate
    side: Literal["low", "high", "value"]
    risky: float | None
    safe: float | None
    value: str


@dataclass(frozen=True)
class Driver:
    """What one column of the contract adds to the model's probability.

    Attributes
    ----------
    importance
        Mean absolute SHAP value, in probability (0.05 = five percentage points); its interval
        is the spread over the refits.
    share
        Of the sum of all importances.
    rank, rank_low, rank_high
        Place by importance, 1 first, and its 95 % interval over the refits.
    top_share
        Share of the refits in which the column's group is among the first five groups.
    direction, correlation
        Sign of Spearman's correlation of value and SHAP value; "unclear" where |ρ| < 0.5 or the
        sign does not hold in 95 % of the refits; ``correlation`` None for a category.
    direction_share
        Share of the refits in which the correlation is clear and has this sign.
    effect
        Size of the association; None where none can be told (a constant column).
    permutation, permutation_rank
        Fall of the held-out part's ROC-AUC when the column is shuffled, and the place by it.
    headlined
        Whether the column may be named as a factor: its group is among the first five in 90 % of
        the refits, it leads the group or is among the first five itself as often, and its
        permutation importance lies above zero.
    group
        First column of the `DriverGroup` that it belongs to.
    bins
        Decline rate along the column's values, for the top drivers only.
    """

    column: str
    importance: Estimate
    share: float
    rank: int
    rank_low: int
    rank_high: int
    top_share: float
    direction: Direction
    direction_share: float
    correlation: float | None
    effect: Effect | None
    permutation: Estimate
    permutation_rank: int
    headlined: bool
    group: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class DriverGroup:
    """Columns that say nearly the same: of one group of the contract, or correlated at |ρ| ≥ 0.7.

    ``importance`` is the mean absolute value of the summed SHAP values, ``permutation`` the fall
    of ROC-AUC when all columns are shuffled together. ``divided`` tells that the places by the
    two differ by more than three for a column of the group, so that the columns divide their
    contribution between them.
    """

    columns: tuple[str, ...]
    importance: Estimate
    share: float
    permutation: Estimate
    divided: bool


@dataclass(frozen=True)
class Explanation:
    """SHAP values of the calibrated probability, on the contract's columns.

    ``groups`` hold every column once, most important first. ``refits`` counts the refits on
    bootstrap samples of the training part that the stability was judged by.
    """

    drivers: tuple[Driver, ...]
    groups: tuple[DriverGroup, ...]
    base_probability: float
    customers: int
    background: int
    refits: int
    additivity_error: float

    @property
    def headlined(self) -> tuple[Driver, ...]:
        """The factors that may be named, most important first."""
        return tuple(driver for driver in self.drivers if driver.headlined)
