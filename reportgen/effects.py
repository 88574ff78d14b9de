"""How much more risk the model sees at one end of a column than at the other.

Values and SHAP values of the explained customers and the refits come in; an `Effect` goes out. It
tells how large an association is, in probability, and claims no cause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from reportgen.contract import Column, Kind
from reportgen.estimators import Matrix
from reportgen.intervals import normal
from reportgen.results import Effect, Estimate
from reportgen.stability import Refits

#: The ends of a number are the lower and the upper third of the customers.
ENDS = (1 / 3, 2 / 3)

#: Customers that a value of a category needs among those explained.
SMALLEST_VALUE = 10

_Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Ends:
    """Which customers stand at the risky end and which at the safe one, by a column's values."""

    low: float
    high: float
    risky_is_low: bool

    def masks(self, values: Matrix) -> tuple[_Mask, _Mask]:
        lower, upper = values <= self.low, values >= self.high
        return (lower, upper) if self.risky_is_low else (upper, lower)


def effect(values: Matrix, contributions: Matrix, refits: Refits, place: int,
           column: Column) -> Effect | None:
    """Measure the association of a column with the risk.

    Parameters
    ----------
    values, contributions
        Values of the column and its SHAP values, shape (customers,).
    refits
        For the interval: the standard deviation of the same difference over the refits.
    place
        Position of the column among the features.

    Returns
    -------
    None where there are not two ends: a constant, or a category with one value.
    """
    if column.kind == Kind.CATEGORY:
        return _of_category(values, contributions, refits, place, column)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return None
    low, high = np.quantile(known, ENDS, method="nearest")
    if low == high:     # most customers have one value: the others stand against them
        low, high = known.min(), known.max()
    if low == high:
        return None
    lower, upper = values <= low, values >= high
    risky_is_low = bool(contributions[lower].mean() > contributions[upper].mean())
    ends = _Ends(float(low), float(high), risky_is_low)
    return Effect(
        size=_size(contributions, *ends.masks(values), refits, place,
                   ends.masks(refits.rows[:, place])),
        side="low" if risky_is_low else "high",
        risky=ends.low if risky_is_low else ends.high,
        safe=ends.high if risky_is_low else ends.low,
        value="",
    )


def _of_category(values: Matrix, contributions: Matrix, refits: Refits, place: int,
                 column: Column) -> Effect | None:
    """Find the value with the highest mean contribution and hold it against all others."""
    means = {
        code: contributions[values == code].mean()
        for code in range(len(column.values))
        if SMALLEST_VALUE <= (values == code).sum() < len(values)
    }
    if not means:
        return None
    code = max(means, key=lambda one: means[one])
    inside, again = values == code, refits.rows[:, place] == code
    return Effect(_size(contributions, inside, ~inside, refits, place, (again, ~again)),
                  side="value", risky=None, safe=None, value=list(column.values)[code])


def _size(contributions: Matrix, risky: _Mask, safe: _Mask, refits: Refits, place: int,
          again: tuple[_Mask, _Mask]) -> Estimate:
    """Difference of mean contributions, with the spread of the refits around it."""
    value = float(contributions[risky].mean() - contributions[safe].mean())
    spread = _differences(refits, place, *again).std(ddof=1) if len(refits.values) > 1 else 0.0
    return normal(value, float(spread), len(contributions))


def _differences(refits: Refits, place: int, risky: _Mask, safe: _Mask) -> NDArray[np.float64]:
    """Return the same difference in every refit, over the customers drawn for it."""
    values = refits.resampled()[:, :, place]
    sides = [mask[refits.drawn] for mask in (risky, safe)]
    counts = [np.maximum(side.sum(axis=1), 1) for side in sides]
    first, second = ((values * side).sum(axis=1) / count
                     for side, count in zip(sides, counts, strict=True))
    return np.asarray(first - second)
