"""How far each feature and the score moved since an earlier month.

The customers of two months (Ibis tables of one engine) come in, a `ColumnDrift` for each column
goes out. The engine passes over the rows twice: for means and the edges of the bins, and to count
customers by their bins in both months. Only the counts come here, so the test of them costs the
same for a thousand customers and for ten million.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from reportgen.config import RISK, Settings
from reportgen.queries import one_row, rows_of
from reportgen.results import ColumnDrift, DriftLevel
from reportgen.tables import ID

#: Bins of a number, as is usual for the index, each with about as many rows of both months.
BINS = 10

#: Rows of both months that place the edges well enough; of more, a part by digest of the id.
EDGE_ROWS = 200_000

#: By how much, of itself, engines may differ in an interpolated quantile.
QUANTILE_ERROR = 1e-12

#: Draws of the test. Holm multiplies the least p-value, 1/(1 + draws), by the number of columns;
#: with 100 draws a column that is 0.01, so the draws never keep a column from being reported.
PERMUTATIONS, DRAWS_A_COLUMN = 1_999, 100

#: Adjusted p-value up to which a column moved beyond chance.
SIGNIFICANCE = 0.05

#: PSI from which on a movement is moderate, and strong: conventions of credit scoring. They know
#: nothing of chance, which alone exceeds them in small stores; hence the test.
MODERATE, STRONG = 0.10, 0.25

#: Share by which rounding may put two equal indices apart, and what counts as an index of 0.
_TIE = 1e-9

_LEVELS: tuple[DriftLevel, ...] = ("none", "small", "moderate", "strong")

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Crossings:
    """Customers by bin before and bin now, and by bin those of one month only; no bin is empty."""

    both: Counts
    left: Counts
    new: Counts

    @property
    def margins(self) -> tuple[Counts, Counts]:
        """Customers by bin, of the earlier month and of this one."""
        return self.both.sum(axis=1) + self.left, self.both.sum(axis=0) + self.new


def measure(before: ir.Table, now: ir.Table, settings: Settings, *, month: str,
            columns: Collection[str], seed: int) -> tuple[ColumnDrift, ...]:
    """Measure how far features and the score moved, and whether that is beyond chance.

    Parameters
    ----------
    before, now
        One row a customer: id, the contract's columns, risk (NULL throughout where the model was
        withheld; then it is left out).
    month
        Name of the earlier month.
    columns
        Features to compare; the risk is added by itself.
    seed
        The same seed gives the same p-values, in whatever order the columns come.

    Returns
    -------
    tuple of ColumnDrift
        The strongest first; those alike in the contract's order, the risk last.

    Notes
    -----
    Where nothing moves, the index of B bins is about (B − 1)(1/n₁ + 1/n₂) all the same for values
    drawn anew (Yurdakul, 2018), and less where customers keep theirs. It is not corrected for
    that: the draws of the test share this bias, so the p-value tells whether anything moved, and
    the level of what did is that of the index as it is printed.

    References
    ----------
    Siddiqi (2006), Credit Risk Scorecards. Wiley (the index and its conventional limits).
    Yurdakul (2018), Statistical properties of population stability index. Western Michigan Univ.
    Holm (1979), A simple sequentially rejective multiple test procedure. Scand. J. Statistics 6.
    """
    order = [*sorted(set(columns) - {RISK}, key=list(settings.columns).index), RISK]
    marks: dict[str, tuple[Any, ...]] = {
        name: tuple(settings.columns[name].values) for name in order if name != RISK}
    numbers = [name for name in order if not marks.get(name)]
    means: dict[str, tuple[float | None, float | None]] = {}
    for name, edges, mean_before, mean_now in _figures(before, now, numbers):
        marks[name], means[name] = edges, (mean_before, mean_now)
    if None in means[RISK]:
        order.remove(RISK)
    draws = max(PERMUTATIONS, DRAWS_A_COLUMN * len(order) - 1)
    crossings = _crossings(before, now, {name: marks[name] for name in order})
    p_values = holm([
        permutation_test(crossings[name], draws, np.random.default_rng([seed, *name.encode()]))
        for name in order])
    indices = [float(stability_index(*crossings[name].margins)) for name in order]
    found = (ColumnDrift(name, month, psi, p_value, level(psi, p_value),
                         *means.get(name, (None, None)))
             for name, psi, p_value in zip(order, indices, p_values, strict=True))
    return tuple(sorted(found, key=lambda one: (-_LEVELS.index(one.level), -one.psi)))


def level(psi: float, p_value: float) -> DriftLevel:
    """Put a movement into words; the p-value is the adjusted one."""
    if p_value > SIGNIFICANCE:
        return "none"
    return "small" if psi < MODERATE else "moderate" if psi < STRONG else "strong"


def _figures(before: ir.Table, now: ir.Table, numbers: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield each number, the edges of its bins and its means.

    The edges come from both months together: exchanging these, as the test does, moves none.
    """
    both = ibis.union(*(
        table.select(ID, past=ibis.literal(past),
                     **{f"x{i}": table[name] for i, name in enumerate(numbers)})
        for table, past in ((before, True), (now, False))))
    share = EDGE_ROWS / max(one_row(both.aggregate(rows=both.count()))["rows"], 1)
    # Engines hold all values of a quantile in memory. The digest takes a customer's two rows or
    # none, so that the part is blind to the months, too.
    part = None if share >= 1 else (
        both[ID].hexdigest("md5").substr(0, 4) < f"{int(share * 16**4):04x}")
    cuts = [k / BINS for k in range(1, BINS)]
    row = one_row(both.aggregate(**{
        f"{figure}{i}": value for i in range(len(numbers)) for figure, value in (
            ("edges", both[f"x{i}"].quantile(cuts, where=part)),
            ("before", both[f"x{i}"].mean(where=both["past"])),
            ("now", both[f"x{i}"].mean(where=~both["past"])))}))
    drawn = both if part is None else both.filter(part)
    edges = _values_at(drawn, [row[f"edges{i}"] or () for i, _ in enumerate(numbers)])
    for i, name in enumerate(numbers):
        yield name, edges[i], row[f"before{i}"], row[f"now{i}"]


def _values_at(drawn: ir.Table, edges: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
    """Move each edge down to the nearest value that somebody has, which parts them alike.

    Engines differ in the last bit of an interpolated quantile, and an edge just below a value that
    many have, in place of that value, would move all of them.
    """
    limits = {f"v{i}_{j}": (i, edge + QUANTILE_ERROR * abs(edge))
              for i, own in enumerate(edges) for j, edge in enumerate(own)}
    if not limits:
        return [() for _ in edges]
    row = one_row(drawn.aggregate(**{
        name: drawn[f"x{i}"].max(where=drawn[f"x{i}"] <= _exact(limit))
        for name, (i, limit) in limits.items()}))
    return [tuple(row[f"v{i}_{j}"] for j, _ in enumerate(own)) for i, own in enumerate(edges)]


def _crossings(before: ir.Table, now: ir.Table,
               marks: Mapping[str, tuple[Any, ...]]) -> dict[str, Crossings]:
    """Count customers by column and their bins in both months, in one query."""
    def placed(table: ir.Table, side: str) -> ir.Table:
        return table.select(ID, **{f"{side}{i}": _bin(table[name], marks[name])
                                   for i, name in enumerate(marks)})

    pairs = placed(before, "before").outer_join(placed(now, "now"), ID)
    queries = [pairs.group_by(column=ibis.literal(i, "int32"), before=pairs[f"before{i}"],
                              now=pairs[f"now{i}"]).aggregate(customers=pairs.count())
               for i in range(len(marks))]
    rows = rows_of(ibis.union(*queries)) if queries else []
    return {name: _crossing([row for row in rows if row["column"] == i])
            for i, name in enumerate(marks)}


def _bin(column: ir.Column, marks: Sequence[Any]) -> ir.IntegerValue:
    """Return the bin of a value: 0 where it is missing; values the contract lacks share the last.

    ``marks`` are the values of a category, or the edges of a number in ascending order.
    """
    tests = _up_to(column, marks) if column.type().is_numeric() else (
        column == value for value in marks)
    places = [(column.isnull(), 0), *((test, i) for i, test in enumerate(tests, 1))]
    return ibis.cases(*places, else_=len(places)).cast("int16")


def _up_to(column: ir.Column, edges: Sequence[float]) -> Iterator[ir.BooleanValue]:
    """Yield the upper ends of the bins.

    A value on which several quantiles fall is a bin of its own: else a column in which nearly all
    have the highest value would be a single one.
    """
    for edge, quantiles in Counter(edges).items():
        if quantiles > 1:
            yield column < _exact(edge)
        yield column <= _exact(edge)


def _exact(number: float) -> ir.FloatingScalar:
    """Write a number as a text: DuckDB takes one that is written as such for a decimal."""
    return ibis.literal(repr(number)).cast("float64")


def _crossing(rows: Sequence[Mapping[str, Any]]) -> Crossings:
    places = sorted({row[side] for row in rows for side in ("before", "now")} - {None})
    index = {place: i for i, place in enumerate([*places, None])}
    table = np.zeros((len(index), len(index)), dtype=np.int64)
    for row in rows:
        table[index[row["before"]], index[row["now"]]] = row["customers"]
    return Crossings(both=table[:-1, :-1], left=table[:-1, -1], new=table[-1, :-1])


def stability_index(before: Counts, now: Counts) -> NDArray[np.float64]:
    """Return the population stability index, Σ (p − q) ln(p / q), of counts (..., bins).

    The shares p and q are taken after half a customer a bin is added to each month, spread as
    both months together are, so that a bin empty in one month (never in both) has a finite
    summand. Either share only moves towards the other: the index never exceeds the plain one and
    is 0 where that is. Half a customer in every bin alike would set months of the same shares but
    of different sizes apart.
    """
    both = before + now
    added = both.shape[-1] / 2
    mixed = added * both / np.maximum(both.sum(axis=-1, keepdims=True), 1)
    p, q = ((own + mixed) / (own.sum(axis=-1, keepdims=True) + added) for own in (before, now))
    index: NDArray[np.float64] = ((p - q) * np.log(p / q)).sum(axis=-1)
    return index


def permutation_test(crossings: Crossings, draws: int, rng: np.random.Generator) -> float:
    """Return the p-value that it does not matter which month a row belongs to.

    A customer of both months exchanges them with probability ½, so of those who go from bin i to
    j or back Binomial(nᵢⱼ + nⱼᵢ, ½) go from i to j. Those of one month only are dealt out anew
    among themselves: a multivariate hypergeometric draw. p = (1 + draws that reach the observed
    index) / (1 + draws), whether customers keep their values or change them. Where the months are
    alike though customers are not (all grow older, new ones begin at 0), it errs towards silence.

    References
    ----------
    Phipson and Smyth (2010), Permutation p-values should never be zero. Statistical Applications
    in Genetics and Molecular Biology 9.
    """
    moved, margins = crossings.both + crossings.both.T, crossings.margins
    before = np.zeros((draws, len(moved)), dtype=np.int64) + np.diagonal(crossings.both)
    for i in range(len(moved) - 1):
        onwards = rng.binomial(moved[i, i + 1:], 0.5, size=(draws, len(moved) - 1 - i))
        before[:, i] += onwards.sum(axis=1)
        before[:, i + 1:] += moved[i, i + 1:] - onwards
    before += rng.multivariate_hypergeometric(
        crossings.left + crossings.new, crossings.left.sum(), size=draws)
    observed = float(stability_index(*margins))
    drawn = stability_index(before, sum(margins) - before)
    return float(1 + (drawn >= observed - _TIE * max(observed, _TIE)).sum()) / (1 + draws)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that all true hypotheses together are refused no more often than one."""
    found = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(found)
    steps = np.maximum.accumulate(found[order] * np.arange(len(found), 0, -1))
    return [min(float(step), 1.0) for step in steps[np.argsort(order)]]
