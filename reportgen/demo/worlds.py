"""The made-up stores: which behaviours go with decline, and how strongly.

In: the columns of one month. Out: each customer's true probability of a decline.

A world is a frozen description, so another truth is a `dataclasses.replace` away. Every figure
that the analysis is held to (`World.strengths`) stands here, not in a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from operator import eq, ge, le
from typing import Literal

import numpy as np
from scipy.special import expit

from reportgen.demo.columns import (
    COLUMNS,
    DAYS_REGISTERED,
    MONTHLY,
    Choice,
    FloatArray,
    Measure,
    Values,
)

Operator = Literal["<=", ">=", "=="]
_COMPARE: Mapping[Operator, Callable[[Values, float | str], Values]] = {
    "<=": le,
    ">=": ge,
    "==": eq,
}


@dataclass(frozen=True)
class Condition:
    """One comparison on a column of the tables."""

    column: str
    operator: Operator
    value: float | str

    def holds(self, columns: Mapping[str, Values]) -> Values:
        """Tell for which customers the comparison is true."""
        return _COMPARE[self.operator](columns[self.column], self.value)


@dataclass(frozen=True)
class Step:
    """A threshold (one condition) or an interaction (several): log-odds added where all hold."""

    log_odds: float
    conditions: tuple[Condition, ...]

    def contribution(self, columns: Mapping[str, Values]) -> FloatArray:
        """Give each customer the step's log-odds or nothing."""
        holds = np.logical_and.reduce([condition.holds(columns) for condition in self.conditions])
        return np.where(holds, self.log_odds, 0.0)


@dataclass(frozen=True)
class World:
    """A store's truth.

    Attributes
    ----------
    intercept
        Log-odds of a decline of a customer who is average in every column.
    strengths
        Declared ROC-AUC of each column alone in the first month, at least 0.5 whichever way the
        column points; a column of words is scored by its order in `columns`.
    loadings
        Correlation of each hidden column with the customer's disengagement, -1 to 1: what makes
        columns go together.
    effects
        Log-odds of a decline for one standard deviation of a column of the tables.
    steps
        Thresholds and interactions, added to the effects.
    drift
        Standard deviations by which a hidden column moves every month.
    effect_drift
        What is added to a column's effect every month.
    columns
        Values, spread and persistence of each column.
    """

    name: str
    intercept: float
    strengths: Mapping[str, float]
    loadings: Mapping[str, float]
    effects: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    drift: Mapping[str, float] = field(default_factory=dict)
    effect_drift: Mapping[str, float] = field(default_factory=dict)
    columns: Mapping[str, Measure | Choice] = field(default_factory=lambda: COLUMNS)

    def decline_probability(self, columns: Mapping[str, Values], *, month: int) -> FloatArray:
        """Compute the true probability of a decline, shape (customers,).

        Parameters
        ----------
        columns
            The month's columns by their names in the tables.
        month
            Number of the month, 0 being the first; it matters where the truth drifts.
        """
        log_odds = np.full(len(columns["id"]), self.intercept)
        for name in {**self.effects, **self.effect_drift}:
            effect = self.effects.get(name, 0.0) + month * self.effect_drift.get(name, 0.0)
            log_odds += effect * self._measure(name).standardized(columns[name])
        for step in self.steps:
            log_odds += step.contribution(columns)
        probability: FloatArray = expit(log_odds)
        return probability

    def _measure(self, name: str) -> Measure:
        if name == "days_registered":
            return DAYS_REGISTERED
        whole = next((column for column, months in MONTHLY.items() if name in months), name)
        measure = self.columns[whole]
        if not isinstance(measure, Measure):
            raise TypeError(f"{name} holds words: give it a Step instead of an effect")
        return measure


# ROC-AUC of each column alone in a world's first month, the mean over four million customers;
# exactly 0.5 where the truth has no path from the column to the class.
_STRENGTHS: Mapping[str, tuple[float, float, float, float]] = {
    #                          linear  thresholds  level  correlated
    "service_tier": (0.540, 0.537, 0.539, 0.540),
    "permission": (0.500, 0.500, 0.500, 0.500),
    "contacts_6_months": (0.732, 0.696, 0.715, 0.745),
    "contacts_current": (0.500, 0.500, 0.500, 0.500),
    "days_registered": (0.533, 0.500, 0.532, 0.535),
    "promo_share": (0.748, 0.711, 0.733, 0.768),
    "popular_category": (0.629, 0.619, 0.629, 0.629),
    "categories_per_visit": (0.728, 0.690, 0.710, 0.776),
    "unpaid_items": (0.641, 0.667, 0.672, 0.665),
    "service_errors": (0.563, 0.558, 0.563, 0.563),
    "pages_per_visit": (0.800, 0.806, 0.793, 0.827),
    "revenue_current": (0.514, 0.512, 0.515, 0.534),
    "revenue_previous": (0.525, 0.522, 0.521, 0.561),
    "revenue_before_previous": (0.546, 0.541, 0.565, 0.612),
    "minutes_current": (0.791, 0.767, 0.699, 0.807),
    "minutes_previous": (0.689, 0.674, 0.813, 0.773),
    "profit": (0.500, 0.500, 0.500, 0.500),
}
_LOADINGS: Mapping[str, float] = {
    "pages_per_visit": -0.62,
    "promo_share": 0.55,
    "minutes": -0.6,
    "contacts_6_months": -0.48,
    "categories_per_visit": -0.48,
    "unpaid_items": 0.45,
    "service_errors": -0.2,
    "popular_category": 0.42,
    "service_tier": 0.2,
}


def _strengths(position: int) -> Mapping[str, float]:
    return {column: row[position] for column, row in _STRENGTHS.items()}


# Minutes of this month count, those of the month before do not: a fall goes with decline.
_LINEAR = World(
    "linear",
    intercept=-1.0,
    strengths=_strengths(0),
    loadings=_LOADINGS,
    effects={
        "pages_per_visit": -1.15,
        "minutes_current": -1.05,
        "promo_share": 0.85,
        "contacts_6_months": -0.75,
        "categories_per_visit": -0.75,
        "revenue_before_previous": -0.35,
        "days_registered": 0.25,
    },
)
_THRESHOLDS = World(
    "thresholds",
    intercept=-3.85,
    strengths=_strengths(1),
    loadings=_LOADINGS,
    steps=(
        Step(2.4, (Condition("minutes_current", "<=", 10),)),
        Step(2.8, (Condition("pages_per_visit", "<=", 6),)),
        Step(2.4, (Condition("promo_share", ">=", 0.5),)),
        Step(1.6, (Condition("contacts_6_months", "<=", 3.5),)),
        Step(1.0, (Condition("revenue_before_previous", "<=", 4600),)),
        Step(
            2.2,
            (Condition("categories_per_visit", "<=", 2), Condition("unpaid_items", ">=", 3)),
        ),
    ),
)
# As in the store's real month: few minutes go with decline, but a fresh fall goes against it.
# Another category of goods is the riskiest here.
_LEVEL = World(
    "level",
    intercept=-1.05,
    strengths=_strengths(2),
    loadings=_LOADINGS,
    effects={
        "pages_per_visit": -1.1,
        "minutes_previous": -1.35,
        "promo_share": 0.7,
        "contacts_6_months": -0.6,
        "categories_per_visit": -0.6,
        "revenue_before_previous": -0.6,
        "unpaid_items": 0.3,
        "revenue_current": 0.3,
        "days_registered": 0.25,
    },
    columns={
        **COLUMNS,
        "popular_category": Choice(
            {
                "appliances": 0.135,
                "beauty": 0.145,
                "children": 0.2,
                "cosmetics": 0.17,
                "cookware": 0.105,
                "textile": 0.245,
            },
            persistence=0.995,
        ),
    },
)
# Pages, categories and minutes tell nearly the same story; categories only repeat it.
_CORRELATED = World(
    "correlated",
    intercept=-0.95,
    strengths=_strengths(3),
    loadings={
        **_LOADINGS,
        "pages_per_visit": -0.88,
        "minutes": -0.87,
        "categories_per_visit": -0.87,
    },
    effects={
        "pages_per_visit": -1.0,
        "minutes_current": -0.5,
        "promo_share": 1.0,
        "contacts_6_months": -0.8,
        "revenue_before_previous": -0.8,
        "unpaid_items": 0.2,
        "days_registered": 0.25,
    },
)
# Columns go together as elsewhere, but none of them with the class.
_NOISE = replace(
    _LINEAR,
    name="noise",
    intercept=-0.49,
    strengths=dict.fromkeys(_STRENGTHS, 0.5),
    effects={},
)
# Customers look at less every month, and promotions weigh more while contacts weigh less.
_DRIFTING = replace(
    _LINEAR,
    name="drifting",
    drift={"pages_per_visit": -0.12, "minutes": -0.12},
    effect_drift={"promo_share": 0.1, "contacts_6_months": 0.1},
)

WORLDS: Mapping[str, World] = {
    world.name: world for world in (_LINEAR, _THRESHOLDS, _LEVEL, _CORRELATED, _NOISE, _DRIFTING)
}


def truth(world: World) -> Mapping[str, float]:
    """Give the declared strength (ROC-AUC, 0.5 to 1) of each column of a world's tables."""
    return world.strengths
