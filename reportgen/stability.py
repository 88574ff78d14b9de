"""What would have been explained had other customers been drawn: refits on bootstrap samples.

The winning pipeline and the sample come in; SHAP values of every refit, on the same customers and
the same permutations, go out. A refit learns from as many customers of the training part drawn
with replacement; those who were not drawn turn its scores into probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from reportgen import workers
from reportgen.attribution import Permutations, draw_permutations, sampled
from reportgen.config import Settings
from reportgen.estimators import Matrix
from reportgen.fold_scores import decision
from reportgen.metrics import fit_sigmoid
from reportgen.progress import Progress, silent
from reportgen.sample import Indices, Sample, some

#: Customers whose risk each refit explains, and those who stand in for hidden columns; the mean
#: over the customers settles long before the refits agree.
CUSTOMERS, BACKGROUND = 100, 6


@dataclass(frozen=True)
class Refits:
    """SHAP values of all refits on the same customers.

    Attributes
    ----------
    rows
        Features of the explained customers, shape (customers, columns).
    values
        In probability, shape (refits, customers, columns).
    drawn
        Customers of each refit, drawn with replacement, shape (refits, customers): the explained
        ones are a sample, too, and their chance belongs into the intervals.
    """

    rows: Matrix
    values: NDArray[np.float64]
    drawn: Indices

    def resampled(self) -> NDArray[np.float64]:
        """Return the values of the customers drawn, shape (refits, customers, columns)."""
        return np.take_along_axis(self.values, self.drawn[:, :, None], axis=1)


def refit(pipeline: Pipeline, sample: Sample, settings: Settings,
          told: Progress = silent) -> Refits:
    """Fit the winning pipeline again and again, and explain the same customers each time."""
    rng = np.random.default_rng(settings.model.seed)
    explained = some(sample.test, CUSTOMERS, rng)
    background = sample.matrix[some(sample.train, BACKGROUND, rng)]
    rows = sample.matrix[explained]
    permutations = draw_permutations(*rows.shape, seed=settings.model.seed)
    count = settings.model.refits
    draws = [rng.integers(0, len(sample.train), len(sample.train)) for _ in range(count)]
    learned, fallen = sample.matrix[sample.train], sample.fallen[sample.train]
    values = workers.fitted(
        (delayed(_refit_once)(pipeline, learned, fallen, draw, rows, background, permutations)
         for draw in draws), count, workers=settings.model.workers, told=told)
    return Refits(rows, np.array(values), rng.integers(0, len(rows), (count, len(rows))))


def _refit_once(pipeline: Pipeline, rows: Matrix, fallen: NDArray[np.bool_], draw: Indices,
                explained: Matrix, background: Matrix, permutations: Permutations) -> Matrix:
    left_out = np.setdiff1d(np.arange(len(rows)), draw)
    with threadpool_limits(1):      # the processes share the cores already
        fitted = clone(pipeline).fit(rows[draw], fallen[draw])
        sigmoid = fit_sigmoid(fallen[left_out], _scores(fitted, rows[left_out]))
        values, _ = sampled(lambda asked: sigmoid.apply(_scores(fitted, asked)), explained,
                            background, permutations, backward=False)
    return values


def _scores(fitted: Pipeline, rows: Matrix) -> Matrix:
    """Order rows by the fitted pipeline, in single precision: the refits differ by far more."""
    prepared = fitted["prepare"].transform(rows).astype(np.float32)
    return decision(fitted["model"], prepared).astype(np.float64)


def ranks(importance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place of each column by importance, 1 first; shape as given, columns last."""
    return np.asarray(rankdata(-importance, method="min", axis=-1))
