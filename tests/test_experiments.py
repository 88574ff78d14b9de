"""Control groups: who is in them, what they can show, what they have shown."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pytest
from scipy import stats

from reportgen import experiments
from reportgen.experiments import Outcomes
from reportgen.intervals import newcombe

KEY = b"a key that nobody guesses"


def group(ids: list[str], **changes: object) -> np.ndarray:
    asked: dict[str, object] = {"key": KEY, "campaign": "spring", "share": 0.2}
    return experiments.in_control(ids, **(asked | changes))  # type: ignore[arg-type]


IDS = [f"c{i}" for i in range(20_000)]


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────


def test_the_group_is_the_keyed_hash_below_the_share() -> None:
    digest = hmac.new(KEY, b"spring\0c7", hashlib.sha256).digest()
    fraction = int.from_bytes(digest[:8], "big") / 2**64
    assert group(["c7"], share=fraction + 1e-9).tolist() == [True]
    assert group(["c7"], share=fraction).tolist() == [False]


def test_the_group_hangs_on_nothing_else() -> None:
    assert (group(IDS[:50][::-1])[::-1] == group(IDS[:50])).all()


def test_a_share_of_all_is_drawn_and_a_larger_one_holds_the_smaller() -> None:
    small, large = group(IDS), group(IDS, share=0.3)
    # Four standard errors of a share of 20,000: 4·√(0.2·0.8/20,000) = 0.0113.
    assert small.mean() == pytest.approx(0.2, abs=0.0113)
    assert (large >= small).all()


@pytest.mark.parametrize("change", [{"key": b"another key altogether"}, {"campaign": "autumn"}])
def test_another_key_or_campaign_draws_anew(change: dict[str, object]) -> None:
    first, second = group(IDS), group(IDS, **change)
    # Independent draws of a fifth meet in 0.2·0.2 + 0.8·0.8 = 68 % of the customers.
    assert (first == second).mean() == pytest.approx(0.68, abs=0.014)


# ── What numbers can show ────────────────────────────────────────────────────────────────────────


def test_the_smallest_fall_is_that_of_the_tables() -> None:
    # From 60 %, 100 customers a group show 19.7 points and 387 show 10 (power 80 %, two-sided 5 %).
    assert experiments.detectable(100, 100, base=0.6) == pytest.approx(0.197, abs=0.0005)
    assert experiments.detectable(387, 387, base=0.6) == pytest.approx(0.100, abs=0.0005)
    assert experiments.needed(0.10, base=0.6, share=0.5) == pytest.approx(774, abs=1)


def test_the_fall_found_is_shown_in_four_of_five_experiments() -> None:
    """By simulation: the test of two shares rejects in 80 % where the fall is the smallest."""
    fall = experiments.detectable(240, 60, base=0.7)
    assert fall is not None
    rng = np.random.default_rng(1)
    treated = rng.binomial(240, 0.7 - fall, 20_000) / 240
    control = rng.binomial(60, 0.7, 20_000) / 60
    pooled = (240 * treated + 60 * control) / 300
    z = (control - treated) / np.sqrt(pooled * (1 - pooled) * (1 / 240 + 1 / 60))
    assert (z > 1.96).mean() == pytest.approx(0.8, abs=0.02)


def test_more_tests_need_a_larger_fall() -> None:
    one = experiments.detectable(200, 200, base=0.5)
    five = experiments.detectable(200, 200, base=0.5, tests=5)
    assert one is not None
    assert five is not None
    # The normal quantiles are 1.960 and 2.576: (2.576 + 0.842) / (1.960 + 0.842) = 1.22.
    assert five / one == pytest.approx(1.22, abs=0.01)


@pytest.mark.parametrize(("treated", "control", "base"), [(100, 0, 0.5), (0, 10, 0.5), (5, 5, 0.2)])
def test_too_few_can_show_nothing(treated: int, control: int, base: float) -> None:
    assert experiments.detectable(treated, control, base=base) is None


# ── What they have shown ─────────────────────────────────────────────────────────────────────────


def outcomes(treated: np.ndarray, declined: np.ndarray, **parts: np.ndarray) -> Outcomes:
    n = len(treated)
    made = {"fallen": np.ones(n, bool), "risk": np.linspace(0, 1, n),
            "cohort": np.full(n, "2026-09"), "action": np.full(n, "R5"), "lost": np.zeros(n, bool)}
    made |= parts
    return Outcomes(treated=treated, declined=declined, totals={}, **made)  # type: ignore[arg-type]


def test_one_stratum_gives_newcombes_interval_almost() -> None:
    treated = np.repeat([True, False], [80, 40])
    hit = np.r_[np.arange(80) < 30, np.arange(40) < 24]
    found = experiments.compare_shares(hit, treated, np.zeros(120, dtype=np.intp))
    # The share is worth 82 and 42 customers instead of 80 and 40: one more of each is counted.
    plain = newcombe(30, 80, 24, 40)
    assert found.difference.value == pytest.approx(30 / 80 - 24 / 40)
    assert found.difference.low == pytest.approx(plain.low, abs=0.003)
    assert found.difference.high == pytest.approx(plain.high, abs=0.003)


def test_strata_weigh_as_many_customers_as_they_have() -> None:
    # Stratum 0: 60 customers, 40 treated of whom 10 hit, 20 others of whom 10 hit.
    # Stratum 1: 40 customers, 10 treated of whom 8 hit, 30 others of whom 27 hit.
    treated = np.repeat([True, False, True, False], [40, 20, 10, 30])
    hit = np.concatenate([np.arange(n) < k for n, k in ((40, 10), (20, 10), (10, 8), (30, 27))])
    numbers = np.repeat([0, 1], [60, 40]).astype(np.intp)
    found = experiments.compare_shares(hit, treated, numbers)
    assert found.treated.value == pytest.approx(0.6 * 10 / 40 + 0.4 * 8 / 10)       # 0.47
    assert found.control.value == pytest.approx(0.6 * 10 / 20 + 0.4 * 27 / 30)      # 0.66
    assert found.difference.value == pytest.approx(0.47 - 0.66)


def test_means_are_compared_as_welch_does_where_there_is_one_stratum() -> None:
    rng = np.random.default_rng(0)
    values = np.r_[rng.normal(5, 1, 60), rng.normal(6, 3, 25)]
    treated = np.repeat([True, False], [60, 25])
    found = experiments.compare_means(values, treated, np.zeros(85, dtype=np.intp))
    welch = stats.ttest_ind(values[:60], values[60:], equal_var=False).confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((welch.low, welch.high))


def test_a_customer_without_a_figure_is_left_out_of_the_mean() -> None:
    values = np.array([1.0, 3.0, np.nan, 5.0, 7.0, 100.0])
    treated = np.array([True, True, True, False, False, False])
    values[5] = np.nan
    found = experiments.compare_means(values, treated, np.zeros(6, dtype=np.intp))
    assert (found.treated.value, found.control.value, found.difference.n) == (2.0, 6.0, 4)


def test_strata_are_month_class_and_half_of_the_risk_as_far_as_they_are_filled() -> None:
    n = 160
    treated = np.arange(n) % 2 == 0
    parts = {"fallen": np.arange(n) < 80, "cohort": np.where(np.arange(n) % 80 < 40, "a", "b"),
             "risk": np.random.default_rng(0).random(n)}
    assert experiments.strata(outcomes(treated, treated, **parts)).max() == 7
    # Fewer customers: the risk goes first, then the class, then the month.
    for size, groups in ((60, 4), (24, 2), (12, 1)):
        some = outcomes(treated, treated, **parts).only(
            np.isin(np.arange(n), np.linspace(0, n - 1, size).astype(int)))
        assert experiments.strata(some).max() + 1 <= groups


def test_the_decline_without_actions_is_that_of_the_control_groups() -> None:
    treated = np.repeat([True, False], [50, 18])
    one = outcomes(treated, np.r_[np.zeros(50, bool), np.arange(18) < 12])
    assert experiments.pooled_base([one]) == (13 / 20, True)
    assert experiments.pooled_base([]) == (0.5, False)
