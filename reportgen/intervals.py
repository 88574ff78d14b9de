"""Intervals around every figure of the report.

Counts, means, variances and differences come in, or labels and scores of single customers; an
`Estimate` with its interval goes out. The intervals hold at 95 % unless ``confidence`` says
otherwise; `simultaneous` gives the confidence for several intervals that are read together.

Figures between 0 and 1 get their intervals on log odds, where their errors are close to normal and
no bound can leave the range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from reportgen.results import Estimate

CONFIDENCE = 0.95

#: Bootstrap draws held in memory at once, as numbers (2 million of them are 16 MB).
BLOCK = 2_000_000

#: Customers of each class that a ROC-AUC with an error of its own needs.
LEAST = 2

Floats = NDArray[np.float64]

Parts = tuple[tuple[float, int], ...]
"""Variances of independent means with their degrees of freedom."""

Statistic = Callable[[Floats, Floats, Floats], Floats]
"""Labels (n,), scores (n,) and weights (draws, n) give one figure a draw, (draws,)."""


def simultaneous(comparisons: int, *, confidence: float = CONFIDENCE) -> float:
    """Return the confidence of each of several intervals that shall hold together (Bonferroni)."""
    return 1 - (1 - confidence) / max(comparisons, 1)


def averaged(estimates: Sequence[Estimate]) -> Estimate:
    """Average estimates of the same customers: value and bounds are means.

    Repeating a cross-validation takes away the chance of the folds, not that of the customers,
    so the interval does not narrow.
    """
    value, low, high = np.mean([(e.value, e.low, e.high) for e in estimates], axis=0).tolist()
    return Estimate(value, low, high, estimates[0].n)


def through(estimate: Estimate, increasing: Callable[[float], float]) -> Estimate:
    """Carry an estimate and its bounds through an increasing function."""
    return Estimate(increasing(estimate.value), increasing(estimate.low),
                    increasing(estimate.high), estimate.n)


def normal(value: float, error: float, n: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Lay a normal interval around a figure by its standard error."""
    half = _z(confidence) * error
    return Estimate(value, value - half, value + half, n)


def on_log_odds(value: float, error: float, n: int, *, fallback: Estimate,
                confidence: float = CONFIDENCE) -> Estimate:
    """Lay a normal interval around a figure's log odds, whose error is its own over p(1 − p).

    A figure of 0 or 1 has none and takes the bounds of the fallback.
    """
    if not 0 < value < 1:
        return Estimate(value, fallback.low, fallback.high, n)
    centre = special.logit(value)
    half = _z(confidence) * error / (value * (1 - value))
    return Estimate(value, float(special.expit(centre - half)),
                    float(special.expit(centre + half)), n)


# ── Shares ───────────────────────────────────────────────────────────────────────────────────────


def wilson(successes: int, n: int, *, spread: float = 1.0,
           confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a share by Wilson's score interval.

    With nobody counted (``n`` = 0) nothing is known: the value is 0, the interval 0 to 1.

    Parameters
    ----------
    successes, n
        Those counted.
    spread
        Design effect: the share's variance over that of ``n`` independent customers, at least 1.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference. JASA 22.
    """
    _check_count(successes, n)
    if n == 0:
        return Estimate(0.0, 0.0, 1.0, 0)
    return score_interval(successes / n, n / spread, n=n, confidence=confidence)


def score_interval(share: float, size: float, *, n: int,
                   confidence: float = CONFIDENCE) -> Estimate:
    """Lay Wilson's interval around a share of ``n`` that are worth ``size`` independent ones."""
    z2 = _z(confidence) ** 2
    centre = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = math.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size**2))) / (1 + z2 / size)
    # At none and at all the bound is exactly 0 or 1; rounding must not push it past the value.
    low = 0.0 if share <= 0 else centre - half
    high = 1.0 if share >= 1 else centre + half
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
    return square_and_add(first, second)


def square_and_add(first: Estimate, second: Estimate) -> Estimate:
    """Estimate a difference, first less second, from the intervals of two independent shares."""
    difference = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(difference, difference - below, difference + above, first.n + second.n)


def share_ratio(successes1: int, n1: int, successes2: int, n2: int, *,
                confidence: float = CONFIDENCE) -> Estimate | None:
    """Estimate the ratio of two independent shares, first over second; None where one is 0.

    References
    ----------
    Katz et al. (1978), Obtaining confidence intervals for the risk ratio in cohort studies.
    Biometrics 34.
    """
    if min(successes1, successes2) == 0:
        return None
    ratio = successes1 / n1 / (successes2 / n2)
    half = _z(confidence) * math.sqrt(1 / successes1 - 1 / n1 + 1 / successes2 - 1 / n2)
    return Estimate(ratio, ratio * math.exp(-half), ratio * math.exp(half), n1 + n2)


# ── Means ────────────────────────────────────────────────────────────────────────────────────────


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


def mean_difference(first: ArrayLike, second: ArrayLike, *,
                    confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the mean difference of two figures of the same customers, first less second."""
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    _check_pair(len(differences))
    return mean_interval(float(differences.mean()), float(differences.var(ddof=1)),
                         len(differences), confidence=confidence)


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
    return student(mean1 - mean2, ((variance1 / n1, n1 - 1), (variance2 / n2, n2 - 1)),
                   n=n1 + n2, confidence=confidence)


def student(value: float, parts: Parts, *, n: int, confidence: float = CONFIDENCE) -> Estimate:
    """Lay Student's interval around a sum of independent means.

    Parameters
    ----------
    parts
        Variance of each mean and its degrees of freedom.

    References
    ----------
    Satterthwaite (1946), An approximate distribution of estimates of variance components.
    Biometrics Bulletin 2.
    """
    error2 = sum(variance for variance, _ in parts)
    if error2 == 0:
        return Estimate(value, value, value, n)
    freedom = error2**2 / sum(variance**2 / own for variance, own in parts)
    half = _t(confidence, freedom) * math.sqrt(error2)
    return Estimate(value, value - half, value + half, n)


def corrected_t(values: Sequence[float], *, learned: float, judged: float,
                confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the mean of a figure over the folds of a cross-validation.

    Folds share the customers they learn from, so their spread tells too little; the variance of
    the mean is (1/J + judged/learned) s² over J folds instead of s²/J.

    Parameters
    ----------
    values
        The figure of each fold.
    learned, judged
        Customers that each fold learns from, and that it is judged on.

    References
    ----------
    Nadeau and Bengio (2003), Inference for the generalization error. Machine Learning 52.
    """
    folds = len(values)
    _check_pair(folds)
    mean, variance = float(np.mean(values)), float(np.var(values, ddof=1))
    half = _t(confidence, folds - 1) * math.sqrt((1 / folds + judged / learned) * variance)
    return Estimate(mean, mean - half, mean + half, folds)


# ── Bootstrap ────────────────────────────────────────────────────────────────────────────────────


def logit_bootstrap(statistic: Statistic, y: ArrayLike, p: ArrayLike, *, draws: int = 2_000,
                    seed: int, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a figure between 0 and 1 by the bootstrap, normal on log odds.

    Customers are drawn with replacement, whatever their class: a metric's error comes from how
    many fallen there are, too. The spread of the draws' log odds gives the interval, which
    keeps its promise where percentiles of the draws are too narrow.

    Parameters
    ----------
    statistic
        The figure, for example `metrics.brier`.
    y
        Labels, shape (n,); both classes must occur.
    p
        Scores, or predicted labels where the statistic takes those, shape (n,).
    draws
        Number of resamples.
    seed
        The same seed gives the same interval.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapters 12 and 13.
    """
    labels, scores = classes(y).astype(np.float64), np.asarray(p, dtype=np.float64)
    n = len(labels)
    value = float(statistic(labels, scores, np.ones((1, n)))[0])
    rng = np.random.default_rng(seed)
    figures = np.concatenate([
        statistic(labels, scores, weights) for weights in _resamples(n, draws, rng)
    ])
    # A figure of 0 or 1 has no log odds; half a customer less is the nearest that has.
    nearest = 1 / (2 * n)
    spread = float(special.logit(np.clip(figures, nearest, 1 - nearest)).std(ddof=1))
    centre = special.logit(min(max(value, nearest), 1 - nearest))
    half = _z(confidence) * spread
    low, high = float(special.expit(centre - half)), float(special.expit(centre + half))
    if not 0 < value < 1:
        bound = wilson(round(value) * n, n, confidence=confidence)
        low, high = min(low, bound.low), max(high, bound.high)
    return Estimate(value, min(low, value), max(high, value), n)


def _resamples(n: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each customer is drawn, (block, n), until ``draws`` rows are out."""
    block = max(1, BLOCK // n)
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        picked = rng.integers(0, n, (rows, n)) + n * np.arange(rows)[:, None]
        counts = np.bincount(picked.ravel(), minlength=rows * n)
        yield counts.reshape(rows, n).astype(np.float64)


# ── Helpers ──────────────────────────────────────────────────────────────────────────────────────


def _z(confidence: float) -> float:
    return float(special.ndtri((1 + confidence) / 2))


def _t(confidence: float, freedom: float) -> float:
    return float(special.stdtrit(freedom, (1 + confidence) / 2))


def classes(y: ArrayLike) -> NDArray[np.bool_]:
    """Read labels, both of which must occur."""
    fallen = np.asarray(y, dtype=bool)
    if fallen.all() or not fallen.any():
        raise ValueError("the labels hold one class only")
    return fallen


def _check_count(successes: int, n: int) -> None:
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is not a share")


def _check_pair(n: int) -> None:
    if n < 2:
        raise ValueError(f"an interval of a mean needs two values, got {n}")
