"""Why the model sees a risk: SHAP values back on the store's own columns.

The winner (fitted on the training part) and the sample come in, an `Explanation` goes out. Every
family is explained the same way: shap's permutation explainer over the contract's columns, in
calibrated probability, on customers of the test part. Values of a category's dummies never
arise, since the model takes the category as one column.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from types import ModuleType

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.calibration import CalibratedClassifierCV

from reportgen.config import Settings
from reportgen.contract import Column, Kind
from reportgen.estimators import Matrix, probabilities
from reportgen.intervals import wilson
from reportgen.results import Bin, Direction, Driver, Explanation
from reportgen.sample import Indices, Sample

#: Customers of the training part that stand in for a column that is hidden.
BACKGROUND_CUSTOMERS = 16

#: Below this |Spearman| of value and SHAP value no single direction is stated.
CLEAR_DIRECTION = 0.5

#: Drivers whose decline rate is shown along their values, and into how many groups.
DETAILED_DRIVERS = 4
BINS = 5

#: SHAP values must add up to the prediction within rounding.
ADDITIVITY_LIMIT = 1e-6


def explain(
    model: CalibratedClassifierCV, sample: Sample, settings: Settings
) -> Explanation:
    """Explain the winner on customers it never saw.

    Returns
    -------
    Drivers, most important first. A driver's importance is the mean absolute SHAP value over the
    explained customers, in probability.

    References
    ----------
    Lundberg and Lee (2017), A unified approach to interpreting model predictions; the estimator
    goes through each permutation of the columns forwards and backwards (Strumbelj and
    Kononenko, 2014), which makes the values add up to the prediction.
    """
    rng = np.random.default_rng(settings.model.seed)
    explained = sample.matrix[_some(sample.test, settings.model.explained_customers, rng)]
    background = sample.matrix[_some(sample.train, BACKGROUND_CUSTOMERS, rng)]
    values, base = shap_values(lambda rows: probabilities(model, rows), explained, background,
                               seed=settings.model.seed)
    predicted = probabilities(model, explained)
    error = float(np.abs(base + values.sum(axis=1) - predicted).max())
    if error > ADDITIVITY_LIMIT:
        raise ArithmeticError(f"SHAP values miss the prediction by {error:g}")
    return Explanation(
        drivers=_drivers(values, explained, sample, settings),
        base_probability=base,
        customers=len(explained),
        background=len(background),
        additivity_error=error,
    )


def _some(positions: Indices, count: int, rng: np.random.Generator) -> Indices:
    """Draw so many positions, or all where there are no more."""
    if len(positions) <= count:
        return positions
    return np.sort(rng.choice(positions, count, replace=False))


def shap_values(
    predict: Callable[[Matrix], Matrix], rows: Matrix, background: Matrix, *, seed: int
) -> tuple[Matrix, float]:
    """Estimate SHAP values by one forward and backward round through a random permutation.

    shap asks the model once a customer; asked once for all, a model answers several times faster.
    So shap goes through the customers twice: the first time its questions are only noted down,
    the second time, with the same permutations, it gets the answers.

    Returns
    -------
    Values of shape (rows, columns) and the mean prediction over the background; they add up to
    the prediction of each row, and are exact where no more than two columns interact.
    """
    shap = _import_shap()
    masker = shap.maskers.Independent(background, max_samples=len(background))
    one_round = 2 * rows.shape[1] + 1
    questions: list[Matrix] = []

    def note(masked: Matrix) -> Matrix:
        questions.append(masked.copy())
        return np.zeros(len(masked))

    shap.PermutationExplainer(note, masker, seed=seed)(rows, max_evals=one_round, silent=True)
    ends = np.cumsum([len(masked) for masked in questions])
    answers = iter(np.split(predict(np.concatenate(questions)), ends[:-1]))
    explainer = shap.PermutationExplainer(lambda _: next(answers), masker, seed=seed)
    result = explainer(rows, max_evals=one_round, silent=True)
    return np.asarray(result.values), float(np.ravel(result.base_values)[0])


def _import_shap() -> ModuleType:
    """Import shap without its two costs: eight seconds of compiling, and its warnings.

    shap compiles its mask loops anew in every process; interpreted, they take half a second for
    hundreds of customers.
    """
    import numba

    numba.config.DISABLE_JIT = True  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap sets up colours in a way matplotlib deprecates
        shap: ModuleType = import_module("shap")
    return shap


def _drivers(
    values: Matrix, explained: Matrix, sample: Sample, settings: Settings
) -> tuple[Driver, ...]:
    importance = np.abs(values).mean(axis=0)
    total = importance.sum() or 1.0
    drivers = []
    for rank, place in enumerate(np.argsort(-importance, kind="stable")):
        name = settings.features[place]
        column = settings.columns[name]
        correlation = _correlation(explained[:, place], values[:, place], column)
        drivers.append(Driver(
            column=name,
            importance=float(importance[place]),
            share=float(importance[place] / total),
            direction=_direction(correlation),
            correlation=correlation,
            bins=_bins(sample, name, column) if rank < DETAILED_DRIVERS else (),
        ))
    return tuple(drivers)


def _correlation(values: Matrix, shap_values: Matrix, column: Column) -> float | None:
    """Spearman's correlation of value and SHAP value; None for categories and constants."""
    known = np.isfinite(values)
    constant = np.ptp(values[known]) == 0 or np.ptp(shap_values[known]) == 0
    if column.kind == Kind.CATEGORY or constant:
        return None
    return float(spearmanr(values[known], shap_values[known]).statistic)


def _direction(correlation: float | None) -> Direction:
    if correlation is None or abs(correlation) < CLEAR_DIRECTION:
        return "unclear"
    return "up" if correlation > 0 else "down"


def _bins(sample: Sample, name: str, column: Column) -> tuple[Bin, ...]:
    """Decline rate along a column's values, over the whole sample."""
    values, fallen = sample.frame[name], pd.Series(sample.fallen)
    if column.kind == Kind.CATEGORY:
        return tuple(
            Bin(low=None, high=None, value=str(value), customers=len(group),
                decline=wilson(int(group.sum()), len(group)))
            for value, group in fallen.groupby(values.to_numpy())
        )
    quantiles = pd.qcut(values, BINS, duplicates="drop")
    return tuple(
        Bin(low=float(values[group.index].min()), high=float(values[group.index].max()), value="",
            customers=len(group), decline=wilson(int(group.sum()), len(group)))
        for _, group in fallen.groupby(quantiles, observed=True)
    )
