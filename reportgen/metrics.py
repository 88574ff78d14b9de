"""Every figure of a model's worth, with its interval, and whether its risks mean what they say.

Classes and risks of single customers come in; `Scores`, a `Calibration` and the curve of gains go
out. No figure leaves without a 95 % interval, of a kind that docs/simulation.md shows to cover.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from sklearn.metrics import roc_curve

from reportgen import delong, intervals
from reportgen.intervals import Floats
from reportgen.results import Calibration, CalibrationBin, Estimand, Estimate, Point, Scores, Top

#: A customer counts as recognised from even odds on.
THRESHOLD = 0.5

#: Shares of the customers with the highest risk that a campaign may reach.
SHARES = (0.1, 0.2, 0.3)

#: With fewer fallen, or fewer others, among those of the highest risk than this, intervals were
#: seen to miss the truth too often: precisions near their ceiling at 90 % instead of 95.
FEW = 5

#: Share of the customers on either side of the end of a list that tell the rate of fallen there.
EDGE = 0.05

#: Groups of equal size in which promised and observed risk are compared, and how many customers
#: each needs for its rate to say something.
CALIBRATION_BINS = 10
SMALLEST_BIN = 20

#: Bars of the histogram of risks: five percentage points each, which the eye still tells apart.
RISK_BINS = 20

#: Risks this close to 0 or 1 are taken as this, for log odds would be infinite.
NEAREST = 1e-6

#: A calibration slope outside calls for recalibration (Van Calster et al., 2019).
SLOPE_RANGE = (0.8, 1.2)

#: Points that draw the curve of gains: one a percent; those that draw a ROC curve, of which more
#: cannot be told apart on paper.
GAIN_POINTS, ROC_POINTS = 101, 120

#: A lower bound of the ROC-AUC at or below it is hardly better than guessing.
FLOOR = 0.60

#: Newton's steps until a logistic regression of two coefficients has converged, and how exactly.
_STEPS, _TOLERANCE = 50, 1e-10


# ── Scores ───────────────────────────────────────────────────────────────────────────────────────


def scores(fallen: ArrayLike, risk: ArrayLike, *, estimand: Estimand, seed: int,
           parts: NDArray[np.intp] | None = None, threshold: float = THRESHOLD) -> Scores:
    """Measure risks against what happened.

    Parameters
    ----------
    fallen
        Classes, shape (n,); both must occur.
    risk
        Probabilities, shape (n,).
    estimand
        What the figures speak about.
    seed
        Of the bootstrap behind PR-AUC, F1 and Brier score.
    parts
        Number of the fold of each customer, shape (n,), where every fold has a model of its own:
        the ROC-AUC is then the mean over the folds. All else is pooled, as the list is.
    threshold
        Risk from which on a customer counts as recognised.

    Raises
    ------
    ValueError
        Where one class is missing.

    Notes
    -----
    Intervals: ROC-AUC by DeLong on log odds; PR-AUC (average precision), F1 and Brier score by the
    bootstrap on log odds; precision and recall by Wilson; precision, lift and capture at the top
    of the list by the influence of each customer (see `_top`).
    """
    happened, promised = np.asarray(fallen, dtype=bool), np.asarray(risk, dtype=np.float64)
    found = promised >= threshold
    true_positive, false_positive = int((found & happened).sum()), int((found & ~happened).sum())
    count = int(happened.sum())
    return Scores(
        estimand=estimand,
        customers=len(happened),
        fallen=count,
        threshold=threshold,
        roc_auc=delong.roc_auc(happened, promised, parts=parts),
        pr_auc=intervals.logit_bootstrap(average_precision, happened, promised, seed=seed),
        f1=intervals.logit_bootstrap(f1, happened, found, seed=seed),
        precision=intervals.wilson(true_positive, true_positive + false_positive),
        recall=intervals.wilson(true_positive, count),
        brier=intervals.logit_bootstrap(brier, happened, promised, seed=seed),
        confusion=(true_positive, false_positive, count - true_positive,
                   len(happened) - count - false_positive),
        top=tuple(top(happened, promised, share) for share in SHARES),
        lift_ceiling=len(happened) / count,
    )


def averaged(repeats: Sequence[Scores]) -> Scores:
    """Average the figures of repeated cross-validations over the same customers.

    Counts are those of the first repeat.
    """
    first = repeats[0]
    if len(repeats) == 1:
        return first
    def mean(name: str) -> Estimate:
        return intervals.averaged([getattr(one, name) for one in repeats])

    def mean_top(place: int, name: str) -> Estimate:
        return intervals.averaged([getattr(one.top[place], name) for one in repeats])

    tops = tuple(
        replace(one, precision=mean_top(i, "precision"), lift=mean_top(i, "lift"),
                capture=mean_top(i, "capture"),
                doubtful=any(other.top[i].doubtful for other in repeats))
        for i, one in enumerate(first.top)
    )
    return replace(
        first, roc_auc=mean("roc_auc"), pr_auc=mean("pr_auc"), f1=mean("f1"),
        precision=mean("precision"), recall=mean("recall"), brier=mean("brier"), top=tops,
    )


def top(fallen: NDArray[np.bool_], risk: Floats, share: float) -> Top:
    """Measure the customers of the highest risk against all others.

    Where the list ends is chance as well: with w the share contacted, π that of the fallen and μ
    the rate of fallen around the end of the list, a customer who is fallen (y) and on the list (t)
    moves the capture c by ((t − c)·y − μ·(t − w)) / π and the precision p by
    (t·(y − μ)) / w − (p − μ). The lift is the capture over w, so one interval serves both.

    References
    ----------
    Hampel (1974), The influence curve and its role in robust estimation. JASA 69.
    """
    n, count = len(fallen), int(fallen.sum())
    size = max(1, math.floor(share * n + 0.5))
    ordered = fallen[np.argsort(-risk, kind="stable")]
    inside = int(ordered[:size].sum())
    around = max(1, round(EDGE * n))
    edge = float(ordered[max(0, size - around) : size + around].mean())
    w, listed = size / n, np.arange(n) < size
    capture = inside / count
    moved = ((listed - capture) * ordered - edge * (listed - w)) * n / count
    reached = intervals.on_log_odds(capture, float(moved.std(ddof=1)) / math.sqrt(n), n,
                                    fallback=intervals.wilson(inside, count))
    return Top(
        share=share, customers=size,
        precision=intervals.wilson(inside, size, spread=_spread(inside, size, w, edge)),
        lift=intervals.through(reached, lambda part: part / w),
        capture=reached,
        doubtful=min(inside, size - inside) < FEW,
    )


def _spread(inside: int, size: int, w: float, edge: float) -> float:
    """By how much the variance of a precision exceeds that of as many independent customers."""
    # As if two more of each class had been counted: at none or all the variance would vanish.
    p = (inside + 2) / (size + 4)
    variance = p * (1 - 2 * edge) + edge**2 - w * (p - edge) ** 2
    return max(1.0, variance / (p * (1 - p)))


def average_precision(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Precision at each fallen customer from the highest risk down, averaged.

    Equals scikit-learn's ``average_precision_score``: customers of equal risk enter together.
    """
    order = np.argsort(-p, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(p[order]) < 0, True])
    drawn = weights[:, order]
    hits = np.cumsum(drawn * y[order], axis=1)[:, ends]
    all_ = np.cumsum(drawn, axis=1)[:, ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(all_ > 0, hits / all_, 0.0)
        found = np.diff(hits, axis=1, prepend=0.0) / hits[:, -1:]
    return np.asarray(np.nan_to_num((precision * found).sum(axis=1)), dtype=np.float64)


def brier(y: Floats, p: Floats, weights: Floats) -> Floats:
    """Mean squared distance of a probability from what happened."""
    return np.asarray(weights @ (p - y) ** 2 / weights.sum(axis=1), dtype=np.float64)


def f1(y: Floats, predicted: Floats, weights: Floats) -> Floats:
    """Harmonic mean of precision and recall of predicted labels, 0 where nobody is found."""
    found = weights @ (y * predicted)
    together = weights @ (y + predicted)
    return np.asarray(2 * found / np.maximum(together, 1.0), dtype=np.float64)


def gains(fallen: ArrayLike, risk: ArrayLike) -> tuple[Point, ...]:
    """Share of the fallen reached over the share of customers contacted, highest risk first."""
    happened = np.asarray(fallen, dtype=bool)
    order = np.argsort(-np.asarray(risk, dtype=np.float64), kind="stable")
    reached = np.r_[0, np.cumsum(happened[order])]
    places = np.unique(np.linspace(0, len(happened), GAIN_POINTS).round().astype(int))
    return tuple(Point(float(i / len(happened)), float(reached[i] / reached[-1])) for i in places)


# ── Calibration ──────────────────────────────────────────────────────────────────────────────────


def roc(fallen: ArrayLike, risk: ArrayLike) -> tuple[Point, ...]:
    """Return the ROC curve: share of others and share of fallen above each threshold."""
    false_positive, true_positive, _ = roc_curve(fallen, risk)
    kept = np.unique(np.linspace(0, len(false_positive) - 1, ROC_POINTS).round().astype(int))
    return tuple(Point(float(false_positive[i]), float(true_positive[i])) for i in kept)


@dataclass(frozen=True)
class Sigmoid:
    """Turns scores into probabilities: the log odds are intercept + slope · score (Platt)."""

    intercept: float
    slope: float

    def apply(self, scores: Floats) -> Floats:
        """Return the probability of each score, shape (n,)."""
        return np.asarray(special.expit(self.intercept + self.slope * scores))


@dataclass(frozen=True)
class Recalibration:
    """A correction of risks: the sigmoid over their log odds."""

    sigmoid: Sigmoid

    def apply(self, risk: Floats) -> Floats:
        """Correct risks, shape (n,)."""
        return self.sigmoid.apply(_log_odds(risk))


def calibration(fallen: ArrayLike, risk: ArrayLike, *, seed: int) -> Calibration:
    """Hold promised risks against what happened.

    The slope comes from a logistic regression of the class on the log odds promised, the
    intercept from one whose slope is held at 1 (calibration in the large); both intervals are
    Wald's.

    References
    ----------
    Van Calster et al. (2019), Calibration: the Achilles heel of predictive analytics. BMC
    Medicine 17.
    """
    happened, promised = np.asarray(fallen, dtype=bool), np.asarray(risk, dtype=np.float64)
    odds = _log_odds(promised)
    ones = np.ones((len(odds), 1))
    slope, slope_errors = _logistic(np.column_stack([ones, odds]), happened)
    intercept, intercept_errors = _logistic(ones, happened, offset=odds)
    edges = np.linspace(0, 1, RISK_BINS + 1)
    return Calibration(
        intercept=intervals.normal(float(intercept[0]), float(intercept_errors[0]), len(odds)),
        slope=intervals.normal(float(slope[1]), float(slope_errors[1]), len(odds)),
        before=None,
        brier=intervals.logit_bootstrap(brier, happened, promised, seed=seed),
        bins=_bins(happened, promised),
        edges=tuple(edges.tolist()),
        histogram=tuple(np.histogram(promised, bins=edges)[0].tolist()),
    )


def needs_recalibration(found: Calibration) -> bool:
    """Whether the slope lies outside `SLOPE_RANGE`, and not by chance."""
    slope = found.slope
    return not SLOPE_RANGE[0] <= slope.value <= SLOPE_RANGE[1] and not slope.low <= 1 <= slope.high


def fit_sigmoid(fallen: ArrayLike, scores: Floats) -> Sigmoid:
    """Fit the sigmoid on customers whose scores come from a model that did not see them."""
    design = np.column_stack([np.ones(len(scores)), scores])
    (intercept, slope), _ = _logistic(design, np.asarray(fallen, dtype=bool))
    return Sigmoid(float(intercept), float(slope))


def fit_recalibration(fallen: ArrayLike, risk: ArrayLike) -> Recalibration:
    """Fit the correction on customers whose risks are out of fold."""
    return Recalibration(fit_sigmoid(fallen, _log_odds(np.asarray(risk, dtype=np.float64))))


def _logistic(design: Floats, fallen: NDArray[np.bool_], *,
              offset: Floats | float = 0.0) -> tuple[Floats, Floats]:
    """Fit a logistic regression without a penalty; return coefficients and standard errors.

    Steps are those of Newton and Raphson; a ridge far below any rounding keeps them finite where
    the classes are parted without overlap.
    """
    coefficients = np.zeros(design.shape[1])
    ridge = NEAREST * np.eye(design.shape[1])
    for _ in range(_STEPS):
        p = special.expit(design @ coefficients + offset)
        information = (design * (p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(information, design.T @ (fallen - p) - ridge @ coefficients)
        coefficients = coefficients + step
        if np.abs(step).max() < _TOLERANCE:
            break
    return coefficients, np.sqrt(np.diag(np.linalg.inv(information)))


def _bins(fallen: NDArray[np.bool_], risk: Floats) -> tuple[CalibrationBin, ...]:
    """Compare promised and observed risk in groups of equal size."""
    count = max(1, min(CALIBRATION_BINS, len(fallen) // SMALLEST_BIN))
    groups = np.array_split(np.argsort(risk, kind="stable"), count)
    return tuple(
        CalibrationBin(float(risk[group].mean()),
                       intervals.wilson(int(fallen[group].sum()), len(group)))
        for group in groups
    )


def _log_odds(risk: Floats) -> Floats:
    return np.asarray(special.logit(np.clip(risk, NEAREST, 1 - NEAREST)))
