"""Intervals against published examples and independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import brier_score_loss, f1_score, roc_auc_score

from reportgen import intervals
from reportgen.results import Estimate


def bounds(estimate: Estimate) -> tuple[float, float]:
    return estimate.low, estimate.high


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 10), (81, 263), (15, 148), (29, 29)])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_wilson_agrees_with_scipy(successes: int, n: int, confidence: float) -> None:
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    found = intervals.wilson(successes, n, confidence=confidence)
    assert bounds(found) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.value == successes / n
    assert found.n == n


def test_wilson_gives_newcombes_published_bounds() -> None:
    # Newcombe (1998), Two-sided confidence intervals for the single proportion, table I,
    # method 3: 81/263 -> 0.2553 to 0.3662, 0/20 -> 0.0000 to 0.1611.
    assert bounds(intervals.wilson(81, 263)) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert bounds(intervals.wilson(0, 20)) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_share_of_nobody_is_unknown() -> None:
    assert intervals.wilson(0, 0) == Estimate(0.0, 0.0, 1.0, 0)
    assert intervals.newcombe(3, 10, 0, 0) == Estimate(0.0, -1.0, 1.0, 10)


@pytest.mark.parametrize("counts", [(3, 2), (-1, 2)])
def test_an_impossible_count_is_refused(counts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not a share"):
        intervals.wilson(*counts)


@pytest.mark.parametrize(("counts", "expected"), [
    # Newcombe (1998), Interval estimation for the difference, table II, method 10.
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
])
def test_newcombe_gives_the_published_bounds(
        counts: tuple[int, int, int, int], expected: tuple[float, float]) -> None:
    assert bounds(intervals.newcombe(*counts)) == pytest.approx(expected, abs=5e-5)


def test_a_difference_turned_round_is_the_negative() -> None:
    ours, theirs = intervals.newcombe(9, 10, 3, 10), intervals.newcombe(3, 10, 9, 10)
    assert (theirs.value, theirs.low, theirs.high) == pytest.approx(
        (-ours.value, -ours.high, -ours.low))


def test_welch_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.normal(5, 1, 30), rng.normal(4, 3, 12)
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.99)
    found = intervals.welch(first.mean(), first.var(ddof=1), 30,
                            second.mean(), second.var(ddof=1), 12, confidence=0.99)
    assert bounds(found) == pytest.approx((expected.low, expected.high))
    assert found.n == 42


def test_a_mean_agrees_with_scipy() -> None:
    values = np.array([2.0, 4.0, 4.0, 5.0, 9.0])
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    found = intervals.mean_interval(values.mean(), values.var(ddof=1), 5)
    assert bounds(found) == pytest.approx((expected.low, expected.high))


def test_a_column_without_spread_has_an_exact_difference() -> None:
    assert intervals.welch(3, 0, 5, 2, 0, 5) == Estimate(1, 1, 1, 10)


def test_the_mean_of_one_value_has_no_interval() -> None:
    with pytest.raises(ValueError, match="needs two values"):
        intervals.mean_interval(1.0, 0.0, 1)
    with pytest.raises(ValueError, match="needs two values"):
        intervals.welch(1.0, 1.0, 9, 1.0, 0.0, 1)


def test_intervals_read_together_share_the_error() -> None:
    # Five intervals of 99 % miss together in at most 5 %.
    assert intervals.simultaneous(5) == pytest.approx(0.99)
    assert intervals.simultaneous(1) == intervals.simultaneous(0) == intervals.CONFIDENCE


@pytest.fixture(scope="module")
def scores() -> tuple[np.ndarray, np.ndarray]:
    """Return 324 labels and scores with ties, as a test part of the real month has."""
    rng = np.random.default_rng(3)
    y = np.arange(324) < 124
    return y, np.round(rng.normal(0.3 + 0.3 * y, 0.2), 2)


def test_each_metric_equals_scikit_learns_on_resampled_customers(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = scores
    p = p.clip(0, 1)
    picked = np.random.default_rng(5).integers(0, len(y), len(y))
    weights = np.bincount(picked, minlength=len(y))[None, :].astype(float)
    label, found = y.astype(float), (p > 0.5).astype(float)
    assert intervals.roc_auc(label, p, weights) == pytest.approx(
        roc_auc_score(y[picked], p[picked]))
    assert intervals.brier(label, p, weights) == pytest.approx(
        brier_score_loss(y[picked], p[picked]))
    assert intervals.f1(label, found, weights) == pytest.approx(
        f1_score(y[picked], found[picked]))


def test_the_bootstrap_of_roc_auc_is_as_wide_as_delong_says(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = scores
    # DeLong (1988): the variance of AUC from each customer's share of pairs won.
    wins = (p[y][:, None] > p[~y]) + 0.5 * (p[y][:, None] == p[~y])
    error = np.sqrt(wins.mean(1).var(ddof=1) / y.sum() + wins.mean(0).var(ddof=1) / (~y).sum())
    found = intervals.bootstrap(intervals.roc_auc, y, p, seed=20)
    assert found.value == pytest.approx(wins.mean())
    assert bounds(found) == pytest.approx(
        (wins.mean() - 1.96 * error, wins.mean() + 1.96 * error), abs=0.01)
    assert found.n == 324


def test_the_bootstrap_depends_on_the_seed_only(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    first = intervals.bootstrap(intervals.brier, *scores, draws=50, seed=1)
    assert intervals.bootstrap(intervals.brier, *scores, draws=50, seed=1) == first
    assert intervals.bootstrap(intervals.brier, *scores, draws=50, seed=2) != first


def test_draws_that_do_not_fit_into_memory_at_once_are_all_made(
        scores: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []

    def count(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> np.ndarray:
        rows.append(len(weights))
        return weights @ y

    monkeypatch.setattr(intervals, "BLOCK", 324 * 20)
    found = intervals.bootstrap(count, *scores, draws=50, seed=1)
    assert rows == [1, 20, 20, 10]
    # Stratified: the fallen number 124 in every draw.
    assert bounds(found) == (124, 124)


def test_a_single_class_has_no_bootstrap() -> None:
    with pytest.raises(ValueError, match="one class"):
        intervals.bootstrap(intervals.brier, np.ones(5), np.ones(5), seed=1)
