"""Intervals around every figure of the report.

Counts, means and variances come in (or, for the bootstrap, labels and scores of single customers);
an `Estimate` with its interval goes out. The intervals hold at 95 % unless ``confidence`` says
otherwise; `simultaneous` gives the confidence for several intervals that are read together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from reportgen.results import Estimate

CONFIDENCE = 0.95

#: Bootstrap draws held in memory at once, as numbers (2 million of them are 16 MB).
BLOCK = 2_000_000

Floats = NDArray[np.float64]

Statistic = Callable[[Floats, Floats, Floats], Floats]
"""Labels (n,), scores (n,) and weights (draws, n) give one figure a draw, (draws,)."""


def simultaneous(comparisons: int, *, confidence: float = CONFIDENCE) -> float:
    """Return the confidence of each of several intervals that shall hold together (Bonferroni)."""
    return 1 - (1 - confidence) / max(comparisons, 1)


def wilson(successes: int, n: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a share by Wilson's score interval.

    With nobody counted (``n`` = 0) nothing is known: the value is 0, the interval 0 to 1.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference. JASA 22.
    """
    _check_count(successes, n)
    if n == 0:
        return Estimate(0.0, 0.0, 1.0, 0)
    share, z2 = successes / n, _z(confidence) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    # At none and at all the bound is exactly 0 or 1; rounding must not push it past the value.
    low = 0.0 if successes == 0 else centre - half
    high = 1.0 if successes == n else centre + half
    return Estimate(share, low, high, n)


def newcombe(successes1: int, n1: int, successes2: int, n2: int, *,
             confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the difference of two independent shares, first less second.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Statistics in Medicine 17, method 10 (hybrid score).
    """
    first = wilson(successes1, n1, confidence=confidence)
    second = wilson(successes2, n2, confidence=confidence)
    if n1 == 0 or n2 == 0:
        return Estimate(0.0, -1.0, 1.0, n1 + n2)
    difference = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(difference, difference - below, difference + above, n1 + n2)


def mean_interval(mean: float, variance: float, n: int, *,
                  confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a mean by Student's t; ``variance`` is the sample's, with n − 1 below.

    Raises
    ------
    ValueError
        With fewer than two values, whose spread is unknown.
    """
    _check_pair(n)
    half = _t(confidence, n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, n)


def welch(mean1: float, variance1: float, n1: int, mean2: float, variance2: float, n2: int, *,
          confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the difference of two independent means, first less second.

    The variances, of the samples with n − 1 below, need not be equal.

    Raises
    ------
    ValueError
        With fewer than two values on a side, whose spread is unknown.

    References
    ----------
    Welch (1947), The generalization of "Student's" problem when several different population
    variances are involved. Biometrika 34.
    """
    _check_pair(n1)
    _check_pair(n2)
    part1, part2 = variance1 / n1, variance2 / n2
    error2 = part1 + part2
    difference = mean1 - mean2
    if error2 == 0:
        return Estimate(difference, difference, difference, n1 + n2)
    freedom = error2**2 / (part1**2 / (n1 - 1) + part2**2 / (n2 - 1))
    half = _t(confidence, freedom) * math.sqrt(error2)
    return Estimate(difference, difference - half, difference + half, n1 + n2)


def bootstrap(statistic: Statistic, y: ArrayLike, p: ArrayLike, *, draws: int = 2_000, seed: int,
              confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a metric of a model by the stratified percentile bootstrap.

    Both classes are drawn with replacement at their own size, so every draw holds both. A draw
    is told by how often each customer is in it, which lets a statistic work on all draws at once.

    Parameters
    ----------
    statistic
        The metric, for example `roc_auc`.
    y
        Labels 0 and 1 (or false and true), shape (n,); both must occur.
    p
        Scores, or predicted labels where the statistic takes those, shape (n,).
    draws
        Number of resamples.
    seed
        The same seed gives the same interval.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
    """
    labels, scores = np.asarray(y, dtype=np.float64), np.asarray(p, dtype=np.float64)
    classes = [np.flatnonzero(labels == label) for label in (0, 1)]
    if min(len(members) for members in classes) == 0:
        raise ValueError("the labels hold one class only")
    value = float(statistic(labels, scores, np.ones((1, len(labels))))[0])
    rng = np.random.default_rng(seed)
    figures = np.concatenate([
        statistic(labels, scores, weights) for weights in _resamples(classes, draws, rng)
    ])
    low, high = np.quantile(figures, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Estimate(value, float(low), float(high), len(labels))


def roc_auc(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Probability that a fallen customer scores above another one, ties counting half.

    Notes
    -----
    With W the weight at each distinct score, AUC = Σ W₁·(W₀ below + W₀ at it / 2) / (ΣW₁·ΣW₀).
    """
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(p[order]) > 0])
    labels, drawn = y[order], weights[:, order]
    fallen = np.add.reduceat(drawn * labels, starts, axis=1)
    others = np.add.reduceat(drawn * (1 - labels), starts, axis=1)
    below = np.cumsum(others, axis=1) - others / 2
    pairs = fallen.sum(axis=1) * others.sum(axis=1)
    return np.asarray((fallen * below).sum(axis=1) / pairs, dtype=np.float64)


def brier(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Mean squared distance of a probability from what happened."""
    return np.asarray(weights @ (p - y) ** 2 / weights.sum(axis=1), dtype=np.float64)


def f1(y: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Harmonic mean of precision and recall of predicted labels, 0 where nobody is found."""
    found = weights @ (y * predicted)
    return np.asarray(2 * found / (weights @ (y + predicted)), dtype=np.float64)


def _resamples(classes: list[NDArray[np.intp]], draws: int,
               rng: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each customer is drawn, (block, n), until ``draws`` rows are out."""
    n = sum(len(members) for members in classes)
    block = max(1, BLOCK // n)
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        weights = np.zeros((rows, n))
        for members in classes:
            size = len(members)
            picked = rng.integers(0, size, (rows, size)) + size * np.arange(rows)[:, None]
            counts = np.bincount(picked.ravel(), minlength=rows * size)
            weights[:, members] = counts.reshape(rows, size)
        yield weights


def _z(confidence: float) -> float:
    return float(special.ndtri((1 + confidence) / 2))


def _t(confidence: float, freedom: float) -> float:
    return float(special.stdtrit(freedom, (1 + confidence) / 2))


def _check_count(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share")


def _check_pair(n: int) -> None:
    if n < 2:
        raise ValueError(f"an interval of a mean needs two values, got {n}")
