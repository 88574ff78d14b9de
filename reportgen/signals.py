"""Levels and falls of columns, tested as signs of risk.

The scored customers (an Ibis table) come in; a `Signal` a tested column goes out. A threshold is
found on the training part and its rates are measured on the test part, which had no say in it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from math import sqrt
from typing import Literal

import ibis
import ibis.expr.types as ir

from reportgen.config import Settings
from reportgen.intervals import newcombe, simultaneous, wilson
from reportgen.queries import one_row, rows_of
from reportgen.results import Signal

#: Candidate thresholds of a level: every twentieth of the training part, the ends left out,
#: where too few customers remain on one side.
QUANTILES = tuple(step / 20 for step in range(1, 20))

#: Candidate thresholds of a fall: relative changes that a person would name.
FALLS = (-0.5, -0.4, -0.3, -0.2, -0.1)

#: Customers of the test part needed on each side of a threshold; with fewer, a rate is known no
#: better than ±20 percentage points and the finding stays unclear.
SMALLEST_SIDE = 20

_TRAIN, _TEST = "train", "test"
_ORDER = ("confirmed", "opposite", "unclear")

_Form = Literal["level", "fall"]


def find_signals(scored: ir.Table, settings: Settings) -> tuple[Signal, ...]:
    """Test the levels and falls that the settings name.

    Left out is a column that cannot be tested: one without a value to train on, or with nobody
    on one side of every threshold. The intervals of the differences hold together over all others.

    Parameters
    ----------
    scored
        One row a customer: the contract's columns, fallen, alike, part.

    Returns
    -------
    tuple[Signal, ...]
        Confirmed ones first, then those of the opposite direction; the strongest first in each.
    """
    names = settings.recommendations
    candidates: list[tuple[str, _Form, Sequence[float]]] = [
        (column, "level", cuts) for column, cuts in _level_cuts(scored, names.levels, settings)
    ]
    candidates += [(column, "fall", FALLS) for column in names.falls]
    confidence = simultaneous(len(candidates))
    signals = (
        _test(column, form, cuts, _tally(scored, column, cuts), confidence=confidence)
        for column, form, cuts in candidates
    )
    return tuple(sorted(
        (signal for signal in signals if signal.below.n and signal.above.n),
        key=lambda signal: (_ORDER.index(signal.finding), -abs(signal.difference.value)),
    ))


def showing(scored: ir.Table, signals: Iterable[Signal]) -> ir.BooleanValue:
    """Condition of the engine: the customer shows at least one of the signals now."""
    conditions = [(scored[s.column] <= s.threshold).fill_null(False) for s in signals]
    return reduce(operator.or_, conditions, ibis.literal(False))


def _level_cuts(scored: ir.Table, columns: Sequence[str],
                settings: Settings) -> Iterator[tuple[str, Sequence[float]]]:
    """Yield the candidate thresholds of each level, at the precision the report writes them."""
    if not columns:
        return
    train = scored["part"] == _TRAIN
    figures = {
        f"cuts_{i}": scored[name].quantile(QUANTILES, where=train)
        for i, name in enumerate(columns)
    }
    row = one_row(scored.aggregate(**figures))
    for i, name in enumerate(columns):
        decimals = settings.columns[name].written_decimals
        cuts = sorted({round(cut, decimals) for cut in row[f"cuts_{i}"] or () if cut is not None})
        if cuts:
            yield name, cuts


@dataclass(frozen=True)
class _Sides:
    """Customers, and the fallen and alike among them, at or below a threshold and above it."""

    below: int
    below_fallen: int
    below_alike: int
    above: int
    above_fallen: int

    @property
    def measurable(self) -> bool:
        """Whether both sides are large enough for a rate to say something."""
        return min(self.below, self.above) >= SMALLEST_SIDE

    @property
    def association(self) -> float:
        """Phi of falling and lying at or below: the root of chi-square over the customers."""
        customers, fallen = self.below + self.above, self.below_fallen + self.above_fallen
        spread = self.below * self.above * fallen * (customers - fallen)
        if spread == 0:
            return 0.0
        return (self.below_fallen * self.above - self.above_fallen * self.below) / sqrt(spread)


_Tally = Sequence[tuple[str, int, int, int, int]]
"""Part, place among the thresholds (0: at or below the first), customers, fallen, alike."""


def _tally(scored: ir.Table, column: str, cuts: Sequence[float]) -> _Tally:
    known = scored.filter(scored[column].notnull())
    place = known[column].bucket(cuts, closed="right", close_extreme=False,
                                 include_under=True, include_over=True)
    query = known.group_by(part=known["part"], place=place).aggregate(
        customers=known.count(), fallen=known["fallen"].sum(), alike=known["alike"].sum(),
    )
    return [(row["part"], row["place"], row["customers"], row["fallen"], row["alike"])
            for row in rows_of(query)]


def _split(tally: _Tally, cut: int, *, part: str | None = None) -> _Sides:
    """Add up both sides of the threshold number ``cut``, over one part or all."""
    sides = {True: [0, 0, 0], False: [0, 0, 0]}
    for of, place, *counts in tally:
        if part in (None, of):
            side = sides[place <= cut]
            for i, count in enumerate(counts):
                side[i] += count
    return _Sides(*sides[True], *sides[False][:2])


def _test(column: str, form: _Form, cuts: Sequence[float], tally: _Tally, *,
          confidence: float) -> Signal:
    best = _best_cut(tally, len(cuts))
    test, now = _split(tally, best, part=_TEST), _split(tally, best)
    difference = newcombe(test.below_fallen, test.below, test.above_fallen, test.above,
                          confidence=confidence)
    finding: Literal["confirmed", "opposite", "unclear"] = "unclear"
    if test.measurable:
        if difference.low > 0:
            finding = "confirmed"
        elif difference.high < 0:
            finding = "opposite"
    return Signal(
        column=column, form=form, threshold=cuts[best],
        below=wilson(test.below_fallen, test.below), above=wilson(test.above_fallen, test.above),
        difference=difference, customers=now.below, fallen=now.below_fallen,
        alike=now.below_alike, finding=finding,
    )


def _best_cut(tally: _Tally, cuts: int) -> int:
    """Find the threshold that tells the fallen of the training part apart best, either way.

    Of the test part only the size of both sides is looked at, never who fell.
    """
    measurable = [i for i in range(cuts) if _split(tally, i, part=_TEST).measurable]
    return max(measurable or range(cuts),
               key=lambda i: abs(_split(tally, i, part=_TRAIN).association))
