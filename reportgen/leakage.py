"""The guard against columns that give the answer away.

The sample comes in. Out goes how well every column alone tells the fallen apart, cross-validated,
or a `DataError` where a column was measured after the class, or alone tells it almost always:
such a column is the class in disguise, and a model of it is worth nothing on new customers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.tree import DecisionTreeRegressor

from reportgen import delong
from reportgen.config import Settings
from reportgen.contract import Column, Kind, Window
from reportgen.errors import DataError, Problem
from reportgen.estimators import Matrix
from reportgen.folds import TwinFolds, twins
from reportgen.results import Leakage, SingleColumn
from reportgen.sample import Indices, Sample

#: Splits of the tree that looks at one number: eight ranges follow any simple shape, and as many
#: customers in each as make its rate worth something.
DEPTH, LEAF = 3, 20

#: Customers of average rate that are added to each value of a category, so that a rare value does
#: not seem to tell everything.
PRIOR = 10.0

#: Code of an unknown value of a category; the contract's values count from 0.
UNKNOWN = -1.0

#: Windows of a column that reach into that of the class, by the window of the class.
_OVERLAPS = {
    Window.FUTURE: (Window.FUTURE,),
    Window.SAME_MONTH: (Window.FUTURE,),
    Window.PAST: (Window.FUTURE, Window.SAME_MONTH),
    Window.UNKNOWN: (Window.FUTURE,),
}


@dataclass(frozen=True)
class Screening:
    """What the guard found.

    Attributes
    ----------
    leakage
        The columns that passed, best first.
    risks
        Out-of-fold risk of each feature alone, as the customer's place among those of the same
        fold (0 to 1, ties in the middle), shape (features, customers), in the contract's order.
        Risks themselves cannot be compared between folds, which different models gave: where a
        fold holds more of the fallen, the others promise it less.
    """

    leakage: Leakage
    risks: Matrix


def screen(sample: Sample, settings: Settings) -> Screening:
    """Judge every column alone.

    Raises
    ------
    DataError
        Naming every column whose window overlaps that of the class, or whose ROC-AUC alone lies
        above ``settings.gates.leakage`` without the contract allowing it.
    """
    check_windows(settings)
    folds = TwinFolds(settings.model.folds, seed=settings.model.seed)
    splits = list(folds.split(sample.matrix, sample.fallen))
    parts = np.empty(len(sample.fallen), dtype=np.intp)
    for number, (_, held_out) in enumerate(splits):
        parts[held_out] = number
    risks = _alone(sample, splits, settings)
    columns = tuple(
        SingleColumn(name, delong.roc_auc(sample.fallen, risk, parts=parts),
                     settings.columns[name].leakage_allowed)
        for name, risk in zip(settings.features, risks, strict=True)
    )
    limit = settings.gates.leakage
    if faults := tuple(_reveals(column, limit, settings) for column in columns
                       if column.roc_auc.value > limit and not column.allowed):
        raise DataError(faults)
    ranked = sorted(columns, key=lambda column: -column.roc_auc.value)
    return Screening(Leakage(limit, tuple(ranked), twins(sample.matrix)), risks)


def _alone(sample: Sample, splits: list[tuple[Indices, Indices]], settings: Settings) -> Matrix:
    """Out-of-fold risk of each feature alone, as the place inside the fold."""
    risks = np.empty((len(settings.features), len(sample.fallen)))
    for learned, held_out in splits:
        for place, name in enumerate(settings.features):
            fit = _rates if settings.columns[name].kind == Kind.CATEGORY else _ranges
            risks[place, held_out] = fit(sample.matrix[learned, place], sample.fallen[learned],
                                         sample.matrix[held_out, place])
        risks[:, held_out] = _places(risks[:, held_out])
    return risks


def check_windows(settings: Settings) -> None:
    """Refuse features that the contract says were measured in the window of the class or later.

    A derived column reaches as far as its sources do. A feature of unknown window may pass, for
    nothing is known against it; the report lists it. ``leakage_allowed`` is no excuse here: it
    speaks of a column that tells much, not of one that comes too late.

    Raises
    ------
    DataError
        Naming every such feature.
    """
    if faults := tuple(_late(settings)):
        raise DataError(faults)


def _late(settings: Settings) -> Iterator[Problem]:
    window = settings.columns[settings.target].window
    for name in settings.features:
        column = settings.columns[name]
        sources = (column.change.of, column.change.against) if column.change else ()
        windows = [settings.columns[one].window for one in (name, *sources)]
        if late := [own for own in windows if own in _OVERLAPS[window]]:
            yield _problem(
                name, column, settings, code="window",
                message=f"its window is {late[0].value!r}, that of the class is "
                        f"{window.value!r}, so it was measured when the class was known or later; "
                        f"correct `window`, or leave the column out with role = \"ignore\"")


def _reveals(column: SingleColumn, limit: float, settings: Settings) -> Problem:
    return _problem(
        column.column, settings.columns[column.column], settings, code="leakage",
        message=f"this column alone tells the fallen apart with a ROC-AUC of "
                f"{column.roc_auc.value:.3f} (limit {limit:g}), as if it had been made from the "
                "class; leave it out with role = \"ignore\", or, where that is known and wanted, "
                "set leakage_allowed = true on it")


def _problem(name: str, column: Column, settings: Settings, *, code: str, message: str) -> Problem:
    table = column.table or (settings.columns[column.change.of].table if column.change else "")
    return Problem(file=settings.tables[table].file, column=column.source or name, row=0,
                   code=code, message=f"columns.{name}: {message}")


def _ranges(learned: Matrix, fallen: NDArray[np.bool_], asked: Matrix) -> Matrix:
    """Rate of fallen in the ranges of a number that tell them apart best, whatever the shape.

    Unknown values are a range of their own wherever that tells more.
    """
    # Of two classes, squared error splits as Gini does, and a regression asks scikit-learn less.
    tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=LEAF)
    tree.fit(learned[:, None], fallen)
    return np.asarray(tree.predict(asked[:, None]))


def _rates(learned: Matrix, fallen: NDArray[np.bool_], asked: Matrix) -> Matrix:
    """Rate of fallen of each value of a category, drawn towards the average of all.

    Unknown is a value, too: that it is missing may give the answer away.
    """
    average = float(fallen.mean())
    risk = np.full(len(asked), average)
    learned, asked = (np.nan_to_num(values, nan=UNKNOWN) for values in (learned, asked))
    for value in np.unique(learned):
        own = fallen[learned == value]
        risk[asked == value] = (own.sum() + PRIOR * average) / (len(own) + PRIOR)
    return risk


def _places(risks: Matrix) -> Matrix:
    """Places in each row by risk, from 0 to 1; equal risks share the middle one."""
    return np.asarray((rankdata(risks, axis=1) - 0.5) / risks.shape[1])
