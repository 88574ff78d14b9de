"""ROC-AUC and the difference of two, with DeLong's intervals.

Classes and scores of single customers come in, an `Estimate` goes out. A customer's placement is
the share of the other class that the scores order rightly against the customer; the ROC-AUC is
their mean, and their spread gives its error.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from reportgen.intervals import CONFIDENCE, LEAST, Floats, classes, normal, on_log_odds, wilson
from reportgen.results import Estimate


def roc_auc(y: ArrayLike, p: ArrayLike, *, parts: NDArray[np.intp] | None = None,
            confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a ROC-AUC with DeLong's variance, the interval on log odds.

    Where no pair is ordered wrongly (or none rightly) the variance vanishes; the farther bound is
    then the one at which so many independent pairs of the smaller class would just all agree.

    Parameters
    ----------
    y
        Labels, shape (n,); both classes must occur.
    p
        Scores, shape (n,).
    parts
        Number of the part of each customer, shape (n,), where the parts were scored by different
        models: the ROC-AUC is then the mean over the parts, for scores of different models cannot
        be ordered against each other. Pooled, they would lie below one half without signal.

    References
    ----------
    DeLong, DeLong and Clarke-Pearson (1988), Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 44; computed as by Sun and Xu (2014), Fast
    implementation of DeLong's algorithm. IEEE Signal Processing Letters 21. For parts: LeDell,
    Petersen and van der Laan (2015), Computationally efficient confidence intervals for
    cross-validated area under the ROC curve estimates. Electronic Journal of Statistics 9.
    """
    fallen, scores = classes(y), np.asarray(p, dtype=np.float64)
    value, error = _over_parts(fallen, parts, lambda own: _placements(fallen[own], scores[own]))
    smaller = min(int(fallen.sum()), int((~fallen).sum()))
    return on_log_odds(value, error, len(fallen), confidence=confidence,
                       fallback=wilson(round(value) * smaller, smaller, confidence=confidence))


def difference(y: ArrayLike, first: ArrayLike, *second: ArrayLike,
               parts: NDArray[np.intp] | None = None,
               confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the difference of two ROC-AUCs on the same customers, first less second.

    Of several second scores, such as those of shuffled columns, the mean ROC-AUC counts. With
    ``parts`` both are the mean over the parts, as in `roc_auc`.
    """
    fallen = classes(y)
    one = np.asarray(first, dtype=np.float64)
    others = [np.asarray(p, dtype=np.float64) for p in second]

    def placements(own: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        hits, misses = _placements(fallen[own], one[own])
        theirs = [_placements(fallen[own], other[own]) for other in others]
        return (hits - np.mean([other[0] for other in theirs], axis=0),
                misses - np.mean([other[1] for other in theirs], axis=0))

    value, error = _over_parts(fallen, parts, placements)
    found = normal(value, error, len(fallen), confidence=confidence)
    return Estimate(value, max(found.low, -1.0), min(found.high, 1.0), len(fallen))


def _over_parts(
    fallen: NDArray[np.bool_], parts: NDArray[np.intp] | None,
    figures: Callable[[NDArray[np.bool_]], tuple[Floats, Floats]],
) -> tuple[float, float]:
    """Average a figure made of placements over the parts; return it and its standard error.

    A part that lacks a class has no ROC-AUC and is left out.
    """
    numbers = np.zeros(len(fallen), dtype=np.intp) if parts is None else parts
    values, variances = [], []
    for number in np.unique(numbers):
        own = numbers == number
        if min(fallen[own].sum(), (~fallen[own]).sum()) < LEAST:
            continue
        hits, misses = figures(own)
        values.append(hits.mean())
        variances.append(hits.var(ddof=1) / len(hits) + misses.var(ddof=1) / len(misses))
    if not values:
        raise ValueError("no part holds two customers of each class")
    return float(np.mean(values)), math.sqrt(float(np.sum(variances))) / len(values)


def _placements(fallen: NDArray[np.bool_], scores: Floats) -> tuple[Floats, Floats]:
    """Share of the other class that each customer is ordered rightly against, ties half.

    Returns one figure for each fallen and one for each other customer; both have the ROC-AUC as
    their mean.
    """
    ranks = rankdata(scores)
    own = np.empty_like(ranks)
    own[fallen], own[~fallen] = rankdata(scores[fallen]), rankdata(scores[~fallen])
    count = int(fallen.sum())
    hits = (ranks - own)[fallen] / (len(fallen) - count)
    misses = 1 - (ranks - own)[~fallen] / count
    return hits, misses
