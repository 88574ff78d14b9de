"""The fixed family: a logistic regression with an L2 penalty, calibrated by a sigmoid.

It does what the report's pipeline of that family does (fill, scale, encode, fit, calibrate on
out-of-fold scores), in plain arrays and thirty times faster, so that thousands of stores can be
fitted; tests hold it to the pipeline. `FixedPipeline` and `Calibrated` lend it the faces that the
stages know.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from reportgen.config import Settings
from reportgen.estimators import Matrix
from reportgen.folds import TwinFolds
from reportgen.metrics import Sigmoid, fit_sigmoid
from reportgen.sample import Indices

#: Newton's steps until the coefficients have settled, and how exactly.
STEPS, TOLERANCE = 30, 1e-8

#: Inverse strength of the penalty.
C = 1.0


@dataclass(frozen=True)
class Weights:
    """A fitted regression as a weight a column of the encoded, unscaled rows."""

    columns: Matrix
    intercept: float

    def score(self, encoded: Matrix) -> Matrix:
        return encoded @ self.columns + self.intercept


@dataclass(frozen=True)
class FixedModel:
    """A fitted, calibrated regression."""

    weights: Weights
    sigmoid: Sigmoid

    def risk(self, encoded: Matrix) -> Matrix:
        return self.sigmoid.apply(self.weights.score(encoded))


def encode(rows: Matrix, settings: Settings) -> Matrix:
    """Put numbers first, then a column for each value of a category."""
    place = {name: position for position, name in enumerate(settings.features)}
    numbers = rows[:, [place[name] for name in settings.numbers]]
    dummies = [rows[:, [place[name]]] == np.arange(len(settings.columns[name].values))
               for name in settings.categories]
    return np.hstack([numbers, *dummies])


def fit(encoded: Matrix, fallen: NDArray[np.bool_], settings: Settings, *,
        columns: Matrix | None = None) -> FixedModel:
    """Fit on all rows; calibrate on scores of folds that the score did not learn from.

    ``columns`` tells by 0 and 1 which of the encoded columns the model may look at.
    """
    numbers = len(settings.numbers)
    scores = np.empty(len(encoded))
    folds = TwinFolds(settings.model.folds, seed=settings.model.seed)
    for learned, held_out in folds.split(encoded, fallen):
        fitted = fit_weights(encoded[learned], fallen[learned], numbers, columns=columns)
        scores[held_out] = fitted.score(encoded[held_out])
    return FixedModel(fit_weights(encoded, fallen, numbers, columns=columns),
                      fit_sigmoid(fallen, scores))


def fit_weights(encoded: Matrix, fallen: NDArray[np.bool_], numbers: int, *,
                columns: Matrix | None = None) -> Weights:
    """Minimise the penalised log loss by Newton's steps; the intercept is free."""
    means, spreads = np.zeros(encoded.shape[1]), np.ones(encoded.shape[1])
    means[:numbers] = encoded[:, :numbers].mean(axis=0)
    spreads[:numbers] = encoded[:, :numbers].std(axis=0)
    spreads[spreads == 0] = 1.0
    design = np.column_stack([(encoded - means) / spreads, np.ones(len(encoded))])
    if columns is not None:
        design[:, :-1] *= columns       # the penalty then keeps the weights of the others at zero
    penalty = np.full(design.shape[1], 1 / C)
    penalty[-1] = 0.0
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        p = expit(design @ weights)
        gradient = design.T @ (p - fallen) + penalty * weights
        hessian = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        weights = weights - step
        if np.abs(step).max() < TOLERANCE:
            break
    slopes = weights[:-1] / spreads
    return Weights(slopes, float(weights[-1] - slopes @ means))


class FixedPipeline:
    """The unfitted regression as the stages take a winner: cloned, fitted, asked step by step."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __sklearn_clone__(self) -> FixedPipeline:
        return FixedPipeline(self.settings)

    def __getitem__(self, step: str) -> FixedPipeline:
        return self     # it prepares the rows and scores them

    def fit(self, rows: Matrix, fallen: NDArray[np.bool_]) -> FixedPipeline:
        self.weights = fit_weights(self.transform(rows), fallen, len(self.settings.numbers))
        return self

    def transform(self, rows: Matrix) -> Matrix:
        return encode(rows, self.settings)

    def decision_function(self, prepared: Matrix) -> Matrix:
        return self.weights.score(prepared)


class Calibrated:
    """A fitted model over rows of features, as `estimators.probabilities` asks one."""

    def __init__(self, model: FixedModel, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self.calibrated_classifiers_ = [
            SimpleNamespace(estimator=FixedPipeline(settings), calibrators=[model.sigmoid])]

    def predict_proba(self, rows: Matrix) -> Matrix:
        risk = self.model.risk(encode(rows, self.settings))
        return np.column_stack([1 - risk, risk])


@dataclass(frozen=True)
class FoldModel:
    """A model, and the customers of the sample that it did not learn from."""

    model: FixedModel
    held_out: Indices
    settings: Settings

    def risk(self, rows: Matrix) -> Matrix:
        return self.model.risk(encode(rows, self.settings))
