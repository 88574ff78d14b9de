"""One group of customers beside all others.

The scored customers (an Ibis table) and a condition come in; counts, means and shares of both
sides go out. One query counts and averages, a second one measures the spread of numbers around
their averages, and only aggregates leave the engine.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis.expr.types as ir
from scipy import special, stats

from reportgen.config import Settings
from reportgen.intervals import (
    mean_interval,
    newcombe,
    share_ratio,
    simultaneous,
    welch,
    wilson,
)
from reportgen.queries import rows_of
from reportgen.results import CategoryRow, Estimate, ProfileRow
from reportgen.rules import COMPARE, Rule

#: Smallest group whose figures may be published: fewer customers could be recognised in them.
SMALLEST_GROUP = 10

#: False discovery rate, and the least effect worth words (Cohen's d and h alike; Cohen, 1988).
FALSE_DISCOVERIES, SMALL_EFFECT = 0.05, 0.2

_COUNTS = ("fallen", "alike", "contactable")


@dataclass(frozen=True)
class Moments:
    """Count, mean and sample variance of a number; unknown ones (no value at all) are None."""

    n: int
    mean: float | None
    variance: float | None

    @property
    def estimate(self) -> Estimate | None:
        """The mean with its interval, None where the spread is unknown."""
        if self.mean is None or self.variance is None:
            return None
        return mean_interval(self.mean, self.variance, self.n)


@dataclass(frozen=True)
class Group:
    """One side of a comparison.

    ``contactable_fallen`` and ``contactable_alike`` count those who may be messaged.
    ``categories`` counts customers by column and value.
    """

    customers: int
    fallen: int
    alike: int
    contactable: int
    contactable_fallen: int
    contactable_alike: int
    numbers: Mapping[str, Moments]
    categories: Mapping[str, Mapping[str, int]]

    @property
    def publishable(self) -> bool:
        """Whether the group is large enough for its figures to be shown."""
        return self.customers >= SMALLEST_GROUP

    @property
    def decline(self) -> Estimate:
        """Share of fallen customers."""
        return wilson(self.fallen, self.customers)


@dataclass(frozen=True)
class Test:
    """Size of a difference in standard units, and the chance of one as large by chance."""

    effect: float
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """A group and all customers outside it."""

    inside: Group
    others: Group

    @property
    def publishable(self) -> bool:
        """Whether both sides are large enough for their figures to be shown."""
        return self.inside.publishable and self.others.publishable

    @property
    def decline_difference(self) -> Estimate:
        """Share of fallen inside less that outside."""
        return newcombe(self.inside.fallen, self.inside.customers,
                        self.others.fallen, self.others.customers)

    @property
    def decline_ratio(self) -> Estimate | None:
        """Share of fallen inside over that outside, None where one of them is 0."""
        return share_ratio(self.inside.fallen, self.inside.customers,
                           self.others.fallen, self.others.customers)

    def profile_row(self, column: str) -> ProfileRow:
        """Mean of a number on both sides; no difference where a spread is unknown."""
        ours, theirs = self.inside.numbers[column], self.others.numbers[column]
        return ProfileRow(column, ours.mean, theirs.mean, _difference(ours, theirs))

    def number_test(self, column: str) -> Test | None:
        """Return effect and p-value of a difference of means; None where a spread is unknown.

        Cohen's d over the pooled standard deviation, and Welch's test, as `intervals.welch`.

        References
        ----------
        Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., chapter 2.
        """
        ours, theirs = self.inside.numbers[column], self.others.numbers[column]
        if (ours.mean is None or ours.variance is None
                or theirs.mean is None or theirs.variance is None):
            return None
        pooled = ((ours.n - 1) * ours.variance + (theirs.n - 1) * theirs.variance) / (
            ours.n + theirs.n - 2)
        if pooled == 0:
            return None
        found = stats.ttest_ind_from_stats(
            ours.mean, math.sqrt(ours.variance), ours.n,
            theirs.mean, math.sqrt(theirs.variance), theirs.n, equal_var=False)
        return Test((ours.mean - theirs.mean) / math.sqrt(pooled), float(found.pvalue))

    def category_test(self, column: str, value: str) -> Test:
        """Return Cohen's h and the p-value of the test of two shares with a pooled variance."""
        hits = [side.categories[column][value] for side in (self.inside, self.others)]
        sizes = [side.customers for side in (self.inside, self.others)]
        one, other = (hit / size for hit, size in zip(hits, sizes, strict=True))
        pooled = sum(hits) / sum(sizes)
        error = math.sqrt(pooled * (1 - pooled) * (1 / sizes[0] + 1 / sizes[1]))
        z = (one - other) / error if error else 0.0
        return Test(cohens_h(one, other), float(2 * special.ndtr(-abs(z))))

    def category_rows(self, column: str) -> tuple[CategoryRow, ...]:
        """Share of each value on both sides, in the contract's order.

        The intervals hold together: all of them cover the truth in 95 % of comparisons. Left out
        are values with so few customers inside that they could be recognised; where that is one
        value only, it could be subtracted from the whole, and the next smallest goes with it.
        """
        ours, theirs = self.inside.categories[column], self.others.categories[column]
        # The two differences of a two-valued column mirror each other: that is one comparison.
        confidence = simultaneous(len(ours) if len(ours) > 2 else 1)
        rows = []
        hidden = _hidden(ours)
        for value, count in ours.items():
            if value in hidden:
                continue
            counts = (count, self.inside.customers, theirs[value], self.others.customers)
            rows.append(CategoryRow(
                column=column, value=value, customers=count,
                segment=wilson(*counts[:2]).value, others=wilson(*counts[2:]).value,
                difference=newcombe(*counts, confidence=confidence), ratio=share_ratio(*counts),
            ))
        return tuple(rows)


def cohens_h(first: float, second: float) -> float:
    """Return the effect size of a difference of two shares, first less second.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, 2nd ed., chapter 6.
    """
    return 2 * (math.asin(math.sqrt(first)) - math.asin(math.sqrt(second)))


def _hidden(counts: Mapping[str, int]) -> set[str]:
    """Values whose count must not be published, nor be left to a subtraction."""
    ordered = sorted(counts, key=counts.__getitem__)
    few = [value for value in ordered if 0 < counts[value] < SMALLEST_GROUP]
    if len(few) != 1:
        return set(few)
    others = [value for value in ordered if counts[value] >= SMALLEST_GROUP]
    return {*few, *others[:1]}


def matching(scored: ir.Table, rule: Rule) -> ir.BooleanValue:
    """Turn a rule into a condition of the engine; an unknown value never meets it."""
    conditions = [
        COMPARE[c.operator](scored[c.column], c.value).fill_null(False) for c in rule.conditions
    ]
    return reduce(operator.and_, conditions)


def compare(scored: ir.Table, inside: ir.BooleanValue, settings: Settings, *,
            numbers: Sequence[str] = (), categories: Sequence[str] = ()) -> Comparison:
    """Count and average the customers inside and outside a condition.

    Parameters
    ----------
    scored
        One row a customer.
    inside
        Condition over the table that is true or false, never unknown.
    numbers, categories
        Columns to average, and columns whose values to count.
    """
    found = {name: tuple(settings.columns[name].values) for name in categories}
    query = scored.group_by(inside=inside).aggregate(**_aggregates(scored, numbers, found))
    sides = _by_side(query)
    spreads = _by_side(_squares(scored, inside, numbers, sides)) if numbers else {}
    return Comparison(*(
        _group({**sides.get(side, {}), **spreads.get(side, {})}, numbers, found)
        for side in (True, False)))


def _by_side(query: ir.Table) -> dict[bool, dict[str, Any]]:
    return {bool(row["inside"]): row for row in rows_of(query)}


def _aggregates(scored: ir.Table, numbers: Sequence[str],
                categories: Mapping[str, tuple[str, ...]]) -> dict[str, ir.Scalar]:
    """Name the figures of a side so that no two columns or values can be mixed up."""
    may = scored["contactable"]
    figures = {"customers": scored.count()}
    figures |= {name: scored[name].sum() for name in _COUNTS}
    figures |= {f"contactable_{name}": (may & scored[name]).sum() for name in ("fallen", "alike")}
    for i, name in enumerate(numbers):
        column = scored[name]
        figures |= {f"n_{i}": column.count(), f"mean_{i}": column.mean(),
                    f"low_{i}": column.min(), f"high_{i}": column.max()}
    for i, (name, values) in enumerate(categories.items()):
        figures |= {f"value_{i}_{j}": (scored[name] == value).sum()
                    for j, value in enumerate(values)}
    return figures


def _squares(scored: ir.Table, inside: ir.BooleanValue, numbers: Sequence[str],
             sides: Mapping[bool, Mapping[str, Any]]) -> ir.Table:
    """Sum the squares of each number's distances from the mean of its side.

    An engine's own variance is not at hand everywhere: that of Ibis for SQLite fails on a single
    value. Squares less the squared mean would lose their digits where the mean is large.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance: analysis and
    recommendations. The American Statistician 37 (the two-pass algorithm).
    """
    figures = {}
    for i, name in enumerate(numbers):
        means = [sides.get(side, {}).get(f"mean_{i}") or 0.0 for side in (True, False)]
        distance = scored[name] - inside.ifelse(*means)
        figures[f"squares_{i}"] = (distance * distance).sum()
    return scored.group_by(inside=inside).aggregate(**figures)


def _group(row: Mapping[str, Any], numbers: Sequence[str],
           categories: Mapping[str, tuple[str, ...]]) -> Group:
    """Read a side back; a side without customers has no row, and so zeros."""
    def count(key: str) -> int:
        return int(row.get(key) or 0)

    return Group(
        customers=count("customers"), fallen=count("fallen"), alike=count("alike"),
        contactable=count("contactable"), contactable_fallen=count("contactable_fallen"),
        contactable_alike=count("contactable_alike"),
        numbers={
            name: _moments(count(f"n_{i}"), *(row.get(f"{figure}_{i}") for figure in (
                "mean", "low", "high", "squares")))
            for i, name in enumerate(numbers)
        },
        categories={
            name: {value: count(f"value_{i}_{j}") for j, value in enumerate(values)}
            for i, (name, values) in enumerate(categories.items())
        },
    )


def _moments(n: int, mean: float | None, low: float | None, high: float | None,
             squares: float | None) -> Moments:
    """Read the moments back; equal values have no spread, not the rounding error of their mean."""
    if low is not None and low == high:
        mean, squares = low, 0.0
    variance = None if n < 2 or squares is None else squares / (n - 1)
    return Moments(n, mean, variance)


def _difference(ours: Moments, theirs: Moments) -> Estimate | None:
    if (ours.mean is None or ours.variance is None
            or theirs.mean is None or theirs.variance is None):
        return None
    return welch(ours.mean, ours.variance, ours.n, theirs.mean, theirs.variance, theirs.n)
