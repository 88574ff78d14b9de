"""Which model recognises the fallen best, and what that way of choosing is worth.

The sample comes in. Out goes the best `Candidate` of each family, unfitted, with its ROC-AUC on
each fold, the winner first; the out-of-fold risks of the whole procedure, repeated without the
customers it is judged on (`nested`); and how far each family lies behind the winner (`compare`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from reportgen import workers
from reportgen.config import Settings
from reportgen.estimators import (
    CANDIDATES,
    COMPLEXITY,
    SCALING,
    Candidate,
    Matrix,
    calibrated,
    families,
    family_of,
    make_pipeline,
    probabilities,
    search_space,
)
from reportgen.fold_scores import Trials, WarmSearch, score_folds
from reportgen.folds import TwinFolds
from reportgen.intervals import corrected_t
from reportgen.progress import Progress, parts, silent
from reportgen.results import Estimate
from reportgen.sample import Indices, Sample

#: Fresh repeats of the folds over which families are compared; the differences of four repeats
#: tell more than those of one, and more repeats hardly more (their folds share customers).
COMPARISONS = 4

#: How long the searches in the outer folds take, and the fits of their winners, to each other.
_SEARCHING, _FITTING = 10, 1

#: Keeps the seeds of comparison and of the outer folds apart from the search's.
_COMPARE_SEED, _OUTER_SEED = 1_000, 2_000


@dataclass(frozen=True)
class Nested:
    """The whole procedure judged on customers that it never saw.

    Attributes
    ----------
    risks
        Out-of-fold probabilities, shape (repeats, customers).
    folds
        Number of the outer fold of each customer, shape (repeats, customers).
    winners
        Family that won each outer fold, repeat after repeat.
    """

    risks: Matrix
    folds: Indices
    winners: tuple[str, ...]


def search(sample: Sample, settings: Settings,
           told: Progress = silent) -> tuple[Candidate, ...]:
    """Run the randomized search (scikit-learn's `RandomizedSearchCV`) on the training part.

    Every candidate is a family, its parameters and a scaling, drawn at random; it is scored by
    its ROC-AUC on stratified folds.

    Returns
    -------
    The best candidate of each family that was drawn, the winner by ``settings.model.rule`` first,
    the others by their mean.
    """
    return _search(sample, settings, told)


def search_again(sample: Sample, settings: Settings, told: Progress = silent, *,
                 columns: Collection[str]) -> Candidate:
    """Search once more over some of the columns only; return the winner."""
    return _search(sample, settings, told, columns=columns)[0]


def nested(sample: Sample, settings: Settings, told: Progress = silent) -> Nested | None:
    """Judge the whole procedure: search, choice, fit and calibration in each outer fold.

    Returns
    -------
    None where the settings ask for no repeats.

    References
    ----------
    Cawley and Talbot (2010), On over-fitting in model selection and subsequent selection bias in
    performance evaluation. JMLR 11.
    """
    outer = [part for repeat in range(settings.model.repeats)
             for part in _outer_folds(sample, settings, repeat)]
    if not outer:
        return None
    searching, fitting = parts(told, _SEARCHING, _FITTING)
    winners = _winners([learned for learned, _ in outer], sample, settings, searching)
    risks = workers.fitted(
        (delayed(_fit_and_ask)(winner, sample.matrix[learned], sample.fallen[learned],
                               sample.matrix[judged], settings)
         for winner, (learned, judged) in zip(winners, outer, strict=True)),
        len(outer), workers=settings.model.workers, told=fitting)
    shape = (settings.model.repeats, len(sample.fallen))
    joined, folds = np.empty(shape), np.empty(shape, dtype=np.intp)
    for place, ((_, judged), risk) in enumerate(zip(outer, risks, strict=True)):
        repeat, fold = divmod(place, settings.model.folds)
        joined[repeat, judged], folds[repeat, judged] = risk, fold
    return Nested(joined, folds, tuple(winner.family for winner in winners))


def compare(candidates: Sequence[Candidate], sample: Sample, settings: Settings,
            told: Progress = silent) -> tuple[Estimate | None, ...]:
    """Tell how far each candidate lies behind the first, on fresh folds of the training part.

    Returns
    -------
    ROC-AUC of the first less that of each candidate over the same folds; None for the first.
    """
    rows, fallen = sample.matrix[sample.train], sample.fallen[sample.train]
    folds = [fold for repeat in range(COMPARISONS)
             for fold in _folds(settings, _COMPARE_SEED + repeat).split(rows, fallen)]
    settled = [_settled(candidate) for candidate in candidates]
    trials = Trials.of(candidates[0].pipeline, settled)
    scores = score_folds(trials, rows, fallen, folds, workers=settings.model.workers, told=told)
    judged = len(rows) / settings.model.folds
    behind = [corrected_t((scores[:, 0] - scores[:, place]).tolist(), learned=len(rows) - judged,
                          judged=judged) for place in range(1, len(candidates))]
    return (None, *behind)


def _settled(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate's parameters in full, as the search would have drawn them."""
    model = candidate.pipeline["model"]
    return {"model": model, SCALING: candidate.pipeline.get_params()[SCALING],
            **{f"model__{name}": value for name, value in model.get_params().items()}}


def _search(sample: Sample, settings: Settings, told: Progress, *,
            columns: Collection[str] | None = None) -> tuple[Candidate, ...]:
    rows, fallen = sample.matrix[sample.train], sample.fallen[sample.train]
    found = _searcher(len(rows), settings, columns=columns).fit(rows, fallen, told)
    return _ranked(found.trials_, found.fold_scores, settings)


def _searcher(rows: int, settings: Settings, *,
              columns: Collection[str] | None = None) -> WarmSearch:
    """Build the search over so many rows."""
    template = make_pipeline(families(settings)[0], settings, columns=columns)
    # The winner is calibrated without a fold, in a part of the customers that lacks one itself.
    fewest = int(rows * (1 - 1 / settings.model.folds) ** 2)
    return WarmSearch(
        template,
        [search_space(family, settings, rows=fewest) for family in families(settings)],
        n_iter=settings.model.candidates, scoring="roc_auc", cv=_inner_folds(settings),
        refit=False, random_state=settings.model.seed, n_jobs=settings.model.workers or -1,
    )


def _winners(outer: Sequence[Indices], sample: Sample, settings: Settings,
             told: Progress) -> list[Candidate]:
    """Search in each part of the sample, in the inner folds of all parts at once.

    The seed is the same, so every part's search draws the same candidates.
    """
    inner = [
        (part[learned], part[judged]) for part in outer
        for learned, judged in _inner_folds(settings).split(sample.matrix[part],
                                                            sample.fallen[part])
    ]
    trials = _searcher(min(map(len, outer)), settings).draw()
    scores = score_folds(trials, sample.matrix, sample.fallen, inner,
                         workers=settings.model.workers, told=told)
    return [_ranked(trials, own, settings)[0] for own in np.split(scores, len(outer))]


def _folds(settings: Settings, seed: int) -> TwinFolds:
    return TwinFolds(settings.model.folds, seed=(settings.model.seed + seed) % 2**32)


def _inner_folds(settings: Settings) -> TwinFolds:
    return _folds(settings, 0)


def _outer_folds(sample: Sample, settings: Settings, repeat: int) -> list[tuple[Indices, Indices]]:
    return list(_folds(settings, _OUTER_SEED + repeat).split(sample.matrix, sample.fallen))


def _fit_and_ask(winner: Candidate, learned: Matrix, fallen: NDArray[np.bool_], asked: Matrix,
                 settings: Settings) -> Matrix:
    with threadpool_limits(1):      # the processes share the cores already
        return probabilities(calibrated(winner.pipeline, settings).fit(learned, fallen), asked)


# ── The choice ───────────────────────────────────────────────────────────────────────────────────


def _ranked(trials: Trials, scores: Matrix, settings: Settings) -> tuple[Candidate, ...]:
    """Keep the best candidate of each family, the winner first."""
    names = [family_of(pipeline) for pipeline in trials.pipelines]
    winner = choose(names, trials.parameters, scores, settings)
    best = {names[winner]: winner}
    # Stable: of equal candidates the one drawn first wins.
    for number in np.argsort(-scores.mean(axis=0), kind="stable").tolist():
        best.setdefault(names[number], number)
    return tuple(
        _candidate(trials, number, family, names.count(family), scores[:, number])
        for family, number in best.items()
    )


def choose(names: Sequence[str], parameters: Sequence[Mapping[str, Any]], scores: Matrix,
           settings: Settings) -> int:
    """Choose the winner: the best mean, or the simplest within one standard error of it.

    The standard error is the standard deviation over the folds by the root of their number; it
    is optimistic, for folds share customers.

    References
    ----------
    Breiman et al. (1984), Classification and Regression Trees, section 3.4.3.
    """
    means = scores.mean(axis=0)
    best = int(np.argmax(means))
    if settings.model.rule == "best":
        return best
    error = scores[:, best].std(ddof=1) / np.sqrt(len(scores))
    near = np.flatnonzero(means >= means[best] - error).tolist()
    sizes = {family.name: family.size for family in CANDIDATES}

    def complexity(number: int) -> tuple[int, tuple[float, ...], float]:
        own = {name.removeprefix("model__"): value for name, value in parameters[number].items()}
        name = names[number]
        return COMPLEXITY.index(name), sizes[name](own), -means[number]

    return min(near, key=complexity)


def _candidate(trials: Trials, number: int, family: str, tried: int, scores: Matrix) -> Candidate:
    chosen = trials.parameters[number]
    model = {name.removeprefix("model__"): value
             for name, value in chosen.items() if name.startswith("model__")}
    scaling = chosen[SCALING]
    return Candidate(
        family=family,
        pipeline=trials.pipelines[number],
        parameters={name: _plain(value) for name, value in sorted(model.items())},
        scaling=scaling if isinstance(scaling, str) else type(scaling).__name__,
        tried=tried,
        fold_scores=tuple(scores.tolist()),
    )


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
