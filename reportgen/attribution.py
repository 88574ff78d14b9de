"""SHAP values of any model, for many rows at once.

A function that turns rows into probabilities, the rows to explain and a background come in; out go
values that add up to the probability. shap's own permutation explainer gives the report's figures;
`sampled` takes the same steps on permutations of the caller's choice, so that a hundred refits
can be compared on the same ones, and asks the model in few large batches.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reportgen.estimators import Matrix
from reportgen.progress import Progress, silent

Predict = Callable[[Matrix], Matrix]
"""Rows of features, shape (rows, columns), give probabilities, shape (rows,)."""

Indices = NDArray[np.intp]

Permutations = NDArray[np.intp]
"""An order of the columns for each row, shape (rows, columns)."""

#: Rows that the model is asked about at once (40 MB at 20 columns).
BATCH_ROWS = 262_144


class FoldModel(Protocol):
    """A model that gave the risks of the customers it did not learn from."""

    @property
    def held_out(self) -> Indices: ...  # noqa: D102  # the class says it

    def risk(self, rows: Matrix) -> Matrix: ...  # noqa: D102


def shap_values(predict: Predict, rows: Matrix, background: Matrix, *,
                seed: int) -> tuple[Matrix, float]:
    """Estimate SHAP values by one forward and backward round through a random permutation.

    shap asks the model once a customer; asked once for all, a model answers several times faster.
    So shap goes through the customers twice: the first time its questions are only noted down,
    the second time, with the same permutations, it gets the answers.

    Returns
    -------
    Values of shape (rows, columns) and the mean prediction over the background; they add up to
    the prediction of each row, and are exact where no more than two columns interact.

    References
    ----------
    Lundberg and Lee (2017), A unified approach to interpreting model predictions; Strumbelj and
    Kononenko (2014), Explaining prediction models and individual predictions with feature
    contributions.
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


def draw_permutations(rows: int, columns: int, *, seed: int) -> Permutations:
    """Draw an order of the columns for each row."""
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.arange(columns), (rows, 1)), axis=1)


def sampled(predict: Predict, rows: Matrix, background: Matrix, permutations: Permutations, *,
            backward: bool = True, told: Progress = silent) -> tuple[Matrix, float]:
    """Estimate SHAP values by one round through the permutations given.

    Parameters
    ----------
    predict
        The model.
    rows, background
        Customers to explain, and those whose values stand in for hidden columns.
    permutations
        The order in which each row's columns are shown.
    backward
        Whether to go back as well: twice the questions, and exact where columns interact in
        pairs. Means over many customers need it less than single ones.
    told
        Is told of the rows, a block at a time.

    Returns
    -------
    Values of shape (rows, columns) and the mean prediction over the background.

    Notes
    -----
    Columns are shown one after another in the order of the permutation, then hidden again in the
    same order; a column's value is half of what the prediction rose by when it was shown plus
    half of what it fell by when it was hidden. A hidden column takes the background's values.
    """
    columns = rows.shape[1]
    steps = (2 if backward else 1) * columns + 1
    block = max(1, BATCH_ROWS // (steps * len(background)))
    blocks = []
    for start in range(0, len(rows), block):
        told(start, len(rows), "rows")
        blocks.append(predict(_masked(rows[start : start + block], background,
                                      permutations[start : start + block], steps))
                      .reshape(-1, steps, len(background)).mean(axis=2))
    outputs = np.concatenate(blocks)
    rises = np.diff(outputs, axis=1)
    by_place = (rises[:, :columns] - rises[:, columns:]) / 2 if backward else rises
    values = np.empty_like(by_place)
    np.put_along_axis(values, permutations, by_place, axis=1)
    return values, float(outputs[0, 0])


def _masked(rows: Matrix, background: Matrix, permutations: Permutations, steps: int) -> Matrix:
    """Lay out what the model is asked: each row, step and background customer, in this order."""
    columns = rows.shape[1]
    place = np.argsort(permutations, axis=1)[:, None, :]
    shown = np.concatenate([place < np.arange(columns + 1)[:, None],
                            place >= np.arange(1, columns + 1)[:, None]], axis=1)[:, :steps]
    masked = np.where(shown[:, :, None, :], rows[:, None, None, :], background)
    return masked.reshape(-1, columns)


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
