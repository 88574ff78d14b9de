"""What the made-up store's columns look like: values, spread and persistence.

In: a customer's hidden standard-normal position in a column, one number a month.
Out: the column's value in the unit of the store's tables.

The quantiles follow the shape of one real month of the store (its ranges, medians and the
second hump of the promotion share), never a row of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

FloatArray: TypeAlias = npt.NDArray[np.float64]
Values: TypeAlias = npt.NDArray[Any]

# Enough points for a mean and a standard deviation that are exact to three digits.
_GRID = (np.arange(2000) + 0.5) / 2000


@dataclass(frozen=True)
class Measure:
    """A column of numbers.

    Attributes
    ----------
    quantiles
        The column's values at `probabilities`, rising; straight lines between them.
    decimals
        Digits after the point.
    persistence
        Correlation of the customer's own part with last month's, 0 to 1.
    probabilities
        Rising from 0 to 1.
    """

    quantiles: tuple[float, ...]
    decimals: int
    persistence: float
    probabilities: tuple[float, ...] = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

    def values(self, latent: FloatArray) -> FloatArray:
        """Turn standard-normal positions into the column's values."""
        return np.round(self._at(ndtr(latent)), self.decimals)

    def standardized(self, values: Values) -> FloatArray:
        """Centre and scale values by the mean and standard deviation of the whole column."""
        whole = self._at(_GRID)
        scaled: FloatArray = (values - whole.mean()) / whole.std()
        return scaled

    def _at(self, probability: FloatArray) -> FloatArray:
        return np.interp(probability, self.probabilities, self.quantiles)


@dataclass(frozen=True)
class Choice:
    """A column of words.

    Attributes
    ----------
    shares
        Word and its share of customers, from the lowest hidden position to the highest; a
        column that loads on disengagement is thus ordered from its safest word to its riskiest.
    persistence
        As in `Measure`.
    """

    shares: Mapping[str, float]
    persistence: float

    def values(self, latent: FloatArray) -> Values:
        """Turn standard-normal positions into words."""
        upper_ends = np.cumsum(list(self.shares.values()))[:-1]
        words: Values = np.array(list(self.shares))[np.searchsorted(upper_ends, ndtr(latent))]
        return words


# Averages over several months move slowly, figures of one month jump. Revenue and minutes are one
# column each: what a table calls "previous" is last month's "current".
COLUMNS: Mapping[str, Measure | Choice] = {
    "service_tier": Choice({"standard": 0.71, "premium": 0.29}, persistence=0.995),
    "permission": Choice({"no": 0.26, "yes": 0.74}, persistence=0.995),
    "popular_category": Choice(
        {
            "appliances": 0.135,
            "beauty": 0.145,
            "textile": 0.19,
            "cosmetics": 0.17,
            "cookware": 0.105,
            "children": 0.255,
        },
        persistence=0.995,
    ),
    "contacts_6_months": Measure((0.9, 2.4, 3.7, 4.2, 4.9, 5.8, 6.6), decimals=1, persistence=0.9),
    "contacts_current": Measure((2.51, 2.9, 3.5, 4, 4.5, 5.1, 5.49), decimals=0, persistence=0),
    "promo_share": Measure(
        (0, 0.13, 0.17, 0.24, 0.3, 0.42, 0.82, 0.94, 0.99),
        decimals=2,
        persistence=0.9,
        probabilities=(0, 0.05, 0.25, 0.5, 0.75, 0.86, 0.87, 0.95, 1),
    ),
    "categories_per_visit": Measure(
        (0.51, 1.3, 2.2, 3.15, 4.25, 5.65, 6.49), decimals=0, persistence=0.5
    ),
    "unpaid_items": Measure((0, 0.3, 1.3, 2.55, 4, 6.4, 10), decimals=0, persistence=0.7),
    "service_errors": Measure((0, 1, 3, 4, 5.5, 8, 9), decimals=0, persistence=0.3),
    "pages_per_visit": Measure((1, 2, 5, 8, 11, 15, 20), decimals=0, persistence=0.8),
    "minutes": Measure((4, 7, 10, 13, 16.5, 20, 23), decimals=0, persistence=0.05),
    "revenue": Measure((3150, 3850, 4600, 5030, 5460, 6250, 6950), decimals=1, persistence=0.55),
    "profit": Measure((0.8, 2.3, 3.3, 4, 4.7, 5.7, 7.5), decimals=2, persistence=0.9),
}

# Drawn once for a customer; afterwards the calendar makes it grow.
DAYS_REGISTERED = Measure((110, 185, 405, 605, 805, 1000, 1080), decimals=0, persistence=1)

# The months of a figure as the tables name them, newest first, and the column they are months of.
REVENUE = ("revenue_current", "revenue_previous", "revenue_before_previous")
MINUTES = ("minutes_current", "minutes_previous")
MONTHLY: Mapping[str, tuple[str, ...]] = {"revenue": REVENUE, "minutes": MINUTES}
