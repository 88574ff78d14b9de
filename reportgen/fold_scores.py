"""ROC-AUC of many candidates on the same folds, sharing whatever they have in common.

Candidates and the rows of each fold come in; a ROC-AUC a candidate and fold goes out, the same as
scikit-learn's own search gives. It is several times faster, since the rows of a fold are prepared
once for each scaling, the nearest neighbours of a fold are looked up once for all candidates, and
the bare models meet arrays without a pipeline around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from reportgen.estimators import SCALING, Matrix, kernel_decision
from reportgen.progress import Progress, silent

#: Tasks at least: a few folds are cut into as many, so that they keep the cores busy to the end.
#: More folds, or those of a single process, are not cut: each part prepares the rows anew.
TASKS = 10

Indices = NDArray[np.intp]
Fold = tuple[Indices, Indices]
"""Positions to learn from, positions to judge on."""


@dataclass(frozen=True)
class Trials:
    """Candidates to score.

    Attributes
    ----------
    parameters
        What each candidate sets on the template.
    pipelines
        The unfitted pipeline of each.
    """

    parameters: Sequence[Mapping[str, Any]]
    pipelines: tuple[Pipeline, ...]

    @classmethod
    def of(cls, template: Pipeline, parameters: Sequence[Mapping[str, Any]]) -> Trials:
        """Set each candidate's parameters on a template."""
        # Clones: the candidates of a family share one model, which must not be set twice.
        return cls(parameters, tuple(
            clone(template).set_params(**{name: clone(value, safe=False)
                                          for name, value in chosen.items()})
            for chosen in parameters
        ))

    @cached_property
    def bare(self) -> _Bare:
        """The candidates without their pipelines."""
        scalings = [str(chosen.get(SCALING)) for chosen in self.parameters]
        prepared = {scaling: pipeline["prepare"]
                    for scaling, pipeline in zip(scalings, self.pipelines, strict=True)}
        return _Bare(prepared, scalings, [pipeline["model"] for pipeline in self.pipelines])


@dataclass(frozen=True)
class _Bare:
    """What a task needs: a preparation a scaling, and each candidate's scaling and model."""

    preparations: Mapping[str, ColumnTransformer]
    scalings: Sequence[str]
    models: Sequence[BaseEstimator]

    def every(self, step: int, start: int) -> _Bare:
        """Keep every so many candidates, beginning with one, and the preparations they need."""
        scalings = self.scalings[start::step]
        needed = {scaling: self.preparations[scaling] for scaling in scalings}
        return _Bare(needed, scalings, self.models[start::step])

    def most_neighbours(self, scaling: str, p: float) -> int:
        """Return how many neighbours are needed at most with a scaling and a distance."""
        return max(int(model.n_neighbors)
                   for model, own in zip(self.models, self.scalings, strict=True)
                   if isinstance(model, KNeighborsClassifier) and (own, model.p) == (scaling, p))


class WarmSearch(RandomizedSearchCV):  # type: ignore[misc]  # scikit-learn is untyped
    """scikit-learn's randomized search, with its folds scored by `score_folds`.

    Draws the same candidates and gives the same scores; of ``cv_results_`` it fills what tells
    them. It takes no scoring but ROC-AUC and refits nothing.

    Attributes
    ----------
    trials_
        The candidates drawn.
    """

    def draw(self) -> Trials:
        """Draw the candidates, for the same seed always the same."""
        return Trials.of(self.estimator, list(ParameterSampler(
            self.param_distributions, self.n_iter, random_state=self.random_state)))

    def fit(self, X: Matrix, y: NDArray[np.bool_],  # noqa: N803
            told: Progress = silent) -> WarmSearch:
        """Draw the candidates and score them on every fold."""
        self.trials_ = self.draw()
        drawn = self.trials_.parameters
        scores = score_folds(self.trials_, X, y, self.cv.split(X, y), workers=self.n_jobs,
                             told=told)
        means = scores.mean(axis=0)
        self.n_splits_ = len(scores)
        self.best_index_ = int(np.argmax(means))
        self.best_params_, self.best_score_ = drawn[self.best_index_], float(means.max())
        self.cv_results_ = {
            "params": drawn, "mean_test_score": means, "std_test_score": scores.std(axis=0),
            "rank_test_score": rankdata(-means, method="min").astype(int),
        } | {f"split{fold}_test_score": row for fold, row in enumerate(scores)}
        return self

    @property
    def fold_scores(self) -> Matrix:
        """ROC-AUC, shape (folds, candidates)."""
        return np.array([self.cv_results_[f"split{fold}_test_score"]
                         for fold in range(self.n_splits_)])


def score_folds(trials: Trials, matrix: Matrix, fallen: NDArray[np.bool_],
                folds: Iterable[Fold], *, workers: int, told: Progress = silent) -> Matrix:
    """Score all candidates on all folds.

    ``told`` is told of the fits, a task's at once.

    Returns
    -------
    ROC-AUC, shape (folds, candidates).
    """
    rounds = list(folds)
    wanted = 1 if workers == 1 else ceil(TASKS / len(rounds))
    parts = min(wanted, len(trials.parameters))
    tasks = Parallel(n_jobs=workers or -1, return_as="generator")(
        delayed(_score_fold)(trials.bare.every(parts, start), matrix[learned], fallen[learned],
                             matrix[judged], fallen[judged])
        for learned, judged in rounds for start in range(parts)
    )
    scores = np.empty((len(rounds), len(trials.parameters)))
    done = 0
    told(done, scores.size, "fits")
    for number, found in enumerate(tasks):
        scores[number // parts, number % parts :: parts] = found
        done += len(found)
        told(done, scores.size, "fits")
    return scores


def _score_fold(trials: _Bare, learned: Matrix, fallen: NDArray[np.bool_], asked: Matrix,
                happened: NDArray[np.bool_]) -> list[float]:
    # The processes share the cores already, and the parameters come from declared spaces.
    with threadpool_limits(1), config_context(skip_parameter_validation=True, assume_finite=True):
        prepared = {}
        for scaling, unfitted in trials.preparations.items():
            prepare = clone(unfitted).fit(learned)
            prepared[scaling] = (prepare.transform(learned), prepare.transform(asked))
        neighbours: dict[tuple[str, float], _Neighbours] = {}
        scores = []
        for scaling, unfitted in zip(trials.scalings, trials.models, strict=True):
            rows, others = prepared[scaling]
            model = copy(unfitted)      # it holds parameters only; a clone takes ten times as long
            if isinstance(model, KNeighborsClassifier):
                key = (scaling, model.p)
                if key not in neighbours:
                    neighbours[key] = _Neighbours.of(trials.most_neighbours(*key), model.p, rows,
                                                     others)
                risk = neighbours[key].share(model, fallen)
            else:
                risk = decision(model.fit(rows, fallen), others)
            scores.append(roc_auc(happened, risk))
    return scores


def decision(model: BaseEstimator, rows: Matrix) -> Matrix:
    """Return what orders rows by the fitted model: its margin, else its probability."""
    if isinstance(model, SVC):
        return kernel_decision(model, rows)
    if hasattr(model, "decision_function"):
        return np.asarray(model.decision_function(rows))
    return np.asarray(model.predict_proba(rows)[:, 1])


def roc_auc(fallen: NDArray[np.bool_], risk: Matrix) -> float:
    """Return the ROC-AUC by the sum of ranks (Mann and Whitney), ties counting half."""
    count = int(fallen.sum())
    excess = rankdata(risk)[fallen].sum() - count * (count + 1) / 2
    return float(excess / (count * (len(fallen) - count)))


@dataclass(frozen=True)
class _Neighbours:
    """Rows of the learning part nearest to each row asked about, nearest first."""

    places: NDArray[np.intp]
    distances: Matrix

    @classmethod
    def of(cls, most: int, p: float, rows: Matrix, others: Matrix) -> _Neighbours:
        """Look up so many neighbours of each row."""
        distances, places = NearestNeighbors(n_neighbors=most, p=p).fit(rows).kneighbors(others)
        return cls(places, distances)

    def share(self, model: KNeighborsClassifier, fallen: NDArray[np.bool_]) -> Matrix:
        """Share of fallen among the nearest, weighted as the model says."""
        nearest = fallen[self.places[:, : model.n_neighbors]]
        if model.weights == "uniform":
            return np.asarray(nearest.mean(axis=1))
        distances = self.distances[:, : model.n_neighbors]
        same = distances == 0
        with np.errstate(divide="ignore"):
            weights = np.where(same.any(axis=1, keepdims=True), same, 1 / distances)
        return np.asarray((weights * nearest).sum(axis=1) / weights.sum(axis=1))
