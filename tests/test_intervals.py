"""Intervals against published examples and independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from reportgen import delong, intervals
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


def test_a_mean_difference_of_the_same_customers_is_paired() -> None:
    rng = np.random.default_rng(4)
    first = rng.normal(1, 1, 40)
    second = first - rng.normal(0.2, 0.1, 40)
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert bounds(intervals.mean_difference(first, second)) == pytest.approx(
        (expected.low, expected.high))


def test_a_mean_over_folds_is_wider_for_the_customers_they_share() -> None:
    # Mean 0.8, s² = (0.01 + 0 + 0.01) / 2 = 0.01; variance of the mean (1/3 + 100/200)·0.01
    # = 0.0083333, error 0.0912871; t with 2 degrees of freedom is 4.302653.
    found = intervals.corrected_t((0.7, 0.8, 0.9), learned=200, judged=100)
    assert (found.value, found.n) == (pytest.approx(0.8), 3)
    assert bounds(found) == pytest.approx((0.8 - 0.392776, 0.8 + 0.392776), abs=1e-5)


def test_a_design_effect_is_like_fewer_customers() -> None:
    # Twice the variance of 80 customers is that of 40.
    assert bounds(intervals.wilson(20, 80, spread=2.0)) == pytest.approx(
        bounds(intervals.wilson(10, 40)))


def test_estimates_are_averaged_bound_by_bound() -> None:
    found = intervals.averaged([Estimate(0.6, 0.5, 0.8, 9), Estimate(0.8, 0.7, 0.9, 9)])
    assert found == Estimate(pytest.approx(0.7), pytest.approx(0.6), pytest.approx(0.85), 9)


# ── ROC-AUC ──────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def scores() -> tuple[np.ndarray, np.ndarray]:
    """Return 324 labels and scores with ties, as a test part of the real month has."""
    rng = np.random.default_rng(3)
    y = np.arange(324) < 124
    return y, np.round(rng.normal(0.3 + 0.3 * y, 0.2), 2)


def naive_delong(y: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """DeLong (1988) by all pairs: the ROC-AUC and its standard error."""
    wins = (p[y][:, None] > p[~y]) + 0.5 * (p[y][:, None] == p[~y])
    variance = wins.mean(1).var(ddof=1) / y.sum() + wins.mean(0).var(ddof=1) / (~y).sum()
    return float(wins.mean()), float(np.sqrt(variance))


def test_delong_agrees_with_all_pairs_and_lies_on_log_odds(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    value, error = naive_delong(*scores)
    found = delong.roc_auc(*scores)
    assert found.value == pytest.approx(value) == pytest.approx(roc_auc_score(*scores))
    odds, half = np.log(value / (1 - value)), 1.959964 * error / (value * (1 - value))
    assert bounds(found) == pytest.approx(
        (1 / (1 + np.exp(half - odds)), 1 / (1 + np.exp(-half - odds))), abs=1e-6)


def test_delong_agrees_with_the_bootstrap_to_a_hundredth(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = scores
    rng = np.random.default_rng(8)
    draws = []
    for _ in range(1_000):
        picked = rng.integers(0, len(y), len(y))
        draws.append(roc_auc_score(y[picked], p[picked]))
    assert bounds(delong.roc_auc(y, p)) == pytest.approx(
        tuple(np.quantile(draws, [0.025, 0.975])), abs=0.01)


def test_a_perfect_order_of_few_customers_is_not_certain() -> None:
    found = delong.roc_auc([0, 0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6, 7])
    # As if all of the three fallen agreed: Wilson's bound of 3 of 3 is 0.4385.
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.4385, abs=5e-5)


def test_the_difference_of_two_scores_of_the_same_customers_is_paired(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = scores
    rng = np.random.default_rng(2)
    worse = p + rng.normal(0, 0.15, len(p))
    found = delong.difference(y, p, worse)
    assert found.value == pytest.approx(roc_auc_score(y, p) - roc_auc_score(y, worse))
    draws = []
    for _ in range(1_000):
        picked = rng.integers(0, len(y), len(y))
        draws.append(roc_auc_score(y[picked], p[picked])
                     - roc_auc_score(y[picked], worse[picked]))
    assert found.high - found.low == pytest.approx(3.92 * np.std(draws), rel=0.1)
    same = delong.difference(y, p, p)
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)


def test_several_second_scores_count_by_their_mean(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = scores
    first, second = np.roll(p, 1), np.roll(p, 2)
    found = delong.difference(y, p, first, second)
    mean = (roc_auc_score(y, first) + roc_auc_score(y, second)) / 2
    assert found.value == pytest.approx(roc_auc_score(y, p) - mean)


def test_parts_that_different_models_scored_are_not_ordered_against_each_other() -> None:
    # Two models order their own customers rightly, but the second one's scores lie lower.
    y = np.array([0, 0, 1, 1, 0, 0, 1, 1])
    p = np.array([0.6, 0.7, 0.8, 0.9, 0.1, 0.2, 0.3, 0.4])
    parts = np.repeat([0, 1], 4)
    assert delong.roc_auc(y, p).value == pytest.approx(12 / 16)
    assert delong.roc_auc(y, p, parts=parts).value == 1.0
    gain = delong.difference(y, p, -p, parts=parts)
    assert gain.value == 1.0


def test_the_error_over_parts_is_that_of_independent_halves(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    y, p = scores
    parts = np.arange(len(y)) % 2
    halves = [naive_delong(y[parts == part], p[parts == part]) for part in (0, 1)]
    value = np.mean([half[0] for half in halves])
    error = np.hypot(halves[0][1], halves[1][1]) / 2
    found = delong.roc_auc(y, p, parts=parts)
    assert found.value == pytest.approx(value)
    assert found.high - found.low == pytest.approx(3.92 * error, rel=0.01)


# ── Bootstrap ────────────────────────────────────────────────────────────────────────────────────


def share_of_fallen(y: np.ndarray, _p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return weights @ y / weights.sum(axis=1)


def test_the_bootstrap_of_a_share_is_as_wide_as_theory_says() -> None:
    y = np.arange(400) < 100
    found = intervals.logit_bootstrap(share_of_fallen, y, y, draws=4_000, seed=1)
    # A quarter of 400: the standard error of the log odds is 1 / sqrt(400 · 1/4 · 3/4) = 0.11547.
    odds = np.log(1 / 3)
    expected = [1 / (1 + np.exp(-(odds + side * 1.96 * 0.11547))) for side in (-1, 1)]
    assert found.value == 0.25
    assert bounds(found) == pytest.approx(expected, abs=0.004)


def test_a_figure_at_its_end_still_has_an_interval() -> None:
    y = np.array([0, 0, 1, 1, 1] * 8)
    found = intervals.logit_bootstrap(lambda *given: np.ones(len(given[2])), y, y, seed=1)
    assert found.value == found.high == 1.0
    assert found.low <= intervals.wilson(40, 40).low


def test_the_bootstrap_depends_on_the_seed_only(
        scores: tuple[np.ndarray, np.ndarray]) -> None:
    def first(seed: int) -> Estimate:
        return intervals.logit_bootstrap(share_of_fallen, *scores, draws=50, seed=seed)

    assert first(1) == first(1) != first(2)


def test_draws_that_do_not_fit_into_memory_at_once_are_all_made(
        scores: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []

    def count(y: np.ndarray, p: np.ndarray, weights: np.ndarray) -> np.ndarray:
        rows.append(len(weights))
        return share_of_fallen(y, p, weights)

    monkeypatch.setattr(intervals, "BLOCK", 324 * 20)
    intervals.logit_bootstrap(count, *scores, draws=50, seed=1)
    assert rows == [1, 20, 20, 10]


@pytest.mark.parametrize("estimate", [
    lambda y: delong.roc_auc(y, y),
    lambda y: intervals.logit_bootstrap(share_of_fallen, y, y, seed=1),
])
def test_a_single_class_is_refused(estimate) -> None:
    with pytest.raises(ValueError, match="one class"):
        estimate(np.ones(5))
