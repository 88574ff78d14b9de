"""The gate opens for a proven model only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import demo_sample, with_labels
from simulation import fixed
from sklearn.metrics import brier_score_loss, roc_auc_score

from reportgen import gate, leakage
from reportgen.config import Settings
from reportgen.estimators import Matrix
from reportgen.folds import TwinFolds
from reportgen.intervals import wilson
from reportgen.results import Gate
from reportgen.sample import Judged, Sample


@pytest.fixture(scope="module")
def sample(settings: Settings) -> Sample:
    return demo_sample(settings, customers=600)


@pytest.fixture(scope="module")
def single(sample: Sample, settings: Settings) -> Matrix:
    return leakage.screen(sample, settings).risks


def knowing(sample: Sample, noise: float, *, seed: int = 1) -> Matrix:
    """Risks that know the class up to some noise, as probabilities."""
    rng = np.random.default_rng(seed)
    score = np.where(sample.fallen, 1.0, -1.0) + rng.normal(0, noise, len(sample.fallen))
    return 1 / (1 + np.exp(-2 * score / noise**2))


def judge(sample: Sample, risk: Matrix, single: Matrix, settings: Settings,
          positions: np.ndarray | None = None) -> Gate:
    risks = np.atleast_2d(risk)
    where = np.arange(len(sample.fallen)) if positions is None else positions
    once = np.zeros(risks.shape, dtype=np.intp)
    return gate.judge(sample, Judged(risks, once, where, "model"), single, settings)


def cross_fitted(sample: Sample, settings: Settings) -> Judged:
    """Out-of-fold risks of a logistic regression on all columns."""
    encoded = fixed.encode(sample.matrix, settings)
    risk, parts = np.empty(len(encoded)), np.empty(len(encoded), dtype=np.intp)
    folds = TwinFolds(settings.model.folds, seed=1)
    for number, (learned, held_out) in enumerate(folds.split(sample.matrix, sample.fallen)):
        model = fixed.fit(encoded[learned], sample.fallen[learned], settings)
        risk[held_out], parts[held_out] = model.risk(encoded[held_out]), number
    return Judged(risk[None, :], parts[None, :], np.arange(len(risk)), "procedure")


def test_a_model_with_proven_signal_passes(sample, single, settings):
    found = judge(sample, knowing(sample, 1.0), single, settings)
    assert (found.open, found.closed_by, found.withholds) == (True, (), False)
    assert found.roc_auc.low > found.column_roc_auc.high > 0.6
    assert found.gain.low > 0
    # None of 2,000 permutations does as well; the observed one counts, too.
    assert found.p_value == pytest.approx(1 / 2001)
    best = max(single, key=lambda risk: roc_auc_score(sample.fallen, risk))
    assert found.column_roc_auc.value == pytest.approx(roc_auc_score(sample.fallen, best))


def test_guessing_is_refused_for_every_reason(sample, single, settings):
    risk = np.random.default_rng(3).uniform(0.2, 0.5, len(sample.fallen))
    found = judge(sample, risk, single, settings)
    assert found.closed_by == ("permutation", "floor", "baseline")
    assert found.withholds
    assert found.p_value > 0.01


def test_a_weak_signal_is_real_but_below_the_floor(sample, single, settings):
    found = judge(sample, knowing(sample, 6.0), single, settings)
    assert found.p_value <= 0.01
    assert found.roc_auc.low <= 0.60
    assert "permutation" not in found.closed_by
    assert "floor" in found.closed_by


def test_a_model_that_is_its_best_column_is_not_needed(sample, single, settings):
    best = max(single, key=lambda risk: roc_auc_score(sample.fallen, risk))
    found = judge(sample, best, single, settings)
    assert found.closed_by == ("baseline",)
    assert (found.gain.value, found.gain.low) == (0.0, 0.0)


def test_a_bound_at_the_floor_is_not_above_it(sample, single, settings, monkeypatch):
    risk = knowing(sample, 1.0)
    low = judge(sample, risk, single, settings).roc_auc.low
    monkeypatch.setattr(gate, "FLOOR", low)
    assert judge(sample, risk, single, settings).closed_by == ("floor",)
    monkeypatch.setattr(gate, "FLOOR", np.nextafter(low, 0))
    assert judge(sample, risk, single, settings).open


def test_a_p_value_at_the_limit_still_passes(sample, single, settings, monkeypatch):
    risk = knowing(sample, 1.0)
    monkeypatch.setattr(gate, "SIGNIFICANCE", 1 / 2001)
    assert judge(sample, risk, single, settings).open
    monkeypatch.setattr(gate, "SIGNIFICANCE", np.nextafter(1 / 2001, 0))
    assert judge(sample, risk, single, settings).closed_by == ("permutation",)


def test_a_store_that_does_not_keep_the_gate_gets_the_same_judgement(sample, single, settings):
    gates = settings.gates.model_copy(update={"usefulness": False})
    risk = knowing(sample, 6.0)
    assert (judge(sample, risk, single, settings.model_copy(update={"gates": gates}))
            == judge(sample, risk, single, settings))


def test_the_column_and_the_gain_add_up_to_the_model(sample, single, settings):
    found = gate.judge(sample, cross_fitted(sample, settings), single, settings)
    assert found.column_roc_auc.value + found.gain.value == pytest.approx(found.roc_auc.value)


def test_the_gate_judges_the_customers_it_is_told(sample, single, settings):
    risk = knowing(sample, 1.0)[sample.test]
    found = judge(sample, risk, single, settings, positions=sample.test)
    assert found.roc_auc.n == len(sample.test)
    assert found.column_roc_auc.n == len(sample.test)
    assert found.estimand == "model"
    # The sample's size is that of all customers it was learned from.
    assert found.sample_size.customers == len(sample.fallen)


def test_repeats_are_judged_by_their_mean(sample, single, settings):
    good, other = knowing(sample, 1.0), knowing(sample, 1.4, seed=2)
    both = judge(sample, np.stack([good, other]), single, settings)
    alone = [judge(sample, risk, single, settings).roc_auc.value for risk in (good, other)]
    assert both.roc_auc.value == pytest.approx(np.mean(alone))


def test_baselines_of_a_constant_are_worked_out(sample, single, settings):
    risk = knowing(sample, 1.0)
    found = judge(sample, risk, single, settings)
    share = wilson(int(sample.fallen.sum()), len(sample.fallen))
    # Calling everyone fallen: precision is their share p, recall is 1.
    assert found.constant_f1.value == pytest.approx(2 * share.value / (1 + share.value))
    assert found.constant_f1.low == pytest.approx(2 * share.low / (1 + share.low))
    assert found.constant_brier.value == pytest.approx(share.value * (1 - share.value))
    assert found.brier_gain.value == pytest.approx(
        share.value * (1 - share.value) - brier_score_loss(sample.fallen, risk))
    assert found.brier_gain.low > 0


def test_the_brier_score_of_a_constant_is_largest_at_one_half(settings):
    half = gate._constant_brier(wilson(50, 100))
    assert (half.value, half.high) == (0.25, 0.25)
    assert half.low < 0.25


@pytest.mark.parametrize(("r_squared", "needed"), [(0.30, 494), (0.15, 1097)])
def test_riley_asks_for_the_published_customers(r_squared: float, needed: int) -> None:
    # 20 / ((0.9 - 1) · ln(1 - 0.30 / 0.9)) = 20 / 0.0405465 = 493.26, likewise 1,096.98. The
    # published 493 is rounded; with 493 customers the shrinkage stays just short of 0.9.
    assert gate._needed(20, r_squared, gate.SHRINKAGE) == needed


def test_a_small_sample_is_told_but_does_not_close_the_gate(settings):
    small = demo_sample(settings, customers=220)
    single = leakage.screen(small, settings).risks
    found = judge(small, knowing(small, 1.0), single, settings)
    assert found.open
    assert not found.sample_size.enough
    # 0.05 either way at a share of 0.38 takes (1.96 / 0.05)² · 0.38 · 0.62 = 362 customers.
    assert found.sample_size.mean_risk == pytest.approx(362, abs=25)
    assert found.sample_size.required == max(found.sample_size.shrinkage,
                                             found.sample_size.optimism,
                                             found.sample_size.mean_risk)
    # 16 numbers, and one value less than each of three categories has: 1 + 1 + 5.
    assert found.sample_size.parameters == 23


def test_no_sample_is_large_enough_for_a_model_that_knows_nothing():
    fallen = np.arange(1_000) % 2 == 0
    found = gate.sample_size(fallen, np.where(fallen, 0.4, 0.6), parameters=1,
                             customers=10_000_000)
    # A constant 0.5 is likelier: R² is negative, and so many customers only look enough.
    assert found.r_squared < 0
    assert found.required < found.customers
    assert not found.enough


def test_cox_and_snells_r_squared_is_that_of_the_likelihood_ratio():
    fallen = np.array([True, True, False, False])
    risk = np.array([0.8, 0.8, 0.2, 0.2])
    # Mean log-likelihood ln 0.8 = -0.223 against ln 0.5 = -0.693: 1 - exp(-2 · 0.470) = 0.609.
    assert gate.cox_snell(fallen, risk) == pytest.approx(0.609375)
    assert gate.cox_snell(fallen, np.full(4, 0.5)) == pytest.approx(0.0)
    assert gate.cox_snell(fallen, 1 - risk) < 0


@pytest.mark.parametrize(("world", "stores", "opened"),
                         [("noise", range(20), 0), ("linear", range(3), 3)])
def test_noise_is_always_refused_and_signal_never(settings, world, stores, opened):
    found = []
    for seed in stores:
        store = demo_sample(settings, customers=500, world=world, seed=seed)
        single = leakage.screen(store, settings).risks
        found.append(gate.judge(store, cross_fitted(store, settings), single, settings))
    assert sum(one.open for one in found) == opened
    # The floor alone would refuse noise, and the best column alone, too.
    for reason in ("floor", "baseline"):
        assert sum(reason not in one.closed_by for one in found) == opened


def test_one_signal_alone_needs_no_model(settings):
    store = demo_sample(settings, customers=500, world="noise", seed=1)
    # All that is known of the class: means 1.2 apart, Φ(1.2 / √2) = Φ(0.849) = 0.80.
    matrix = store.matrix.copy()
    place = settings.features.index("pages_per_visit")
    matrix[:, place] = np.random.default_rng(4).normal(1.2 * store.fallen, 1.0)
    store = replace(store, matrix=matrix)
    found = gate.judge(store, cross_fitted(store, settings),
                       leakage.screen(store, settings).risks, settings)
    assert found.column == "pages_per_visit"
    assert found.roc_auc.low > 0.6
    assert found.closed_by == ("baseline",)


def test_the_permutation_test_is_exact_on_six_customers():
    fallen = np.array([True, True, True, False, False, False])
    # One of (6 choose 3) = 20 arrangements does as well as a perfect order, all as a constant.
    perfect = gate.permutation_p_value(fallen, np.array([0.9, 0.8, 0.7, 0.3, 0.2, 0.1]), seed=1)
    assert perfect == pytest.approx(1 / 20, abs=0.015)
    assert gate.permutation_p_value(fallen, np.full(6, 0.4), seed=1) == 1.0


def test_shuffled_labels_have_a_p_value_that_is_uniform_at_best(sample):
    rng = np.random.default_rng(6)
    risk = rng.random(len(sample.fallen))
    found = [gate.permutation_p_value(with_labels(sample, rng.permutation(sample.fallen)).fallen,
                                      risk, seed=1) for _ in range(30)]
    assert 0.3 < np.mean(found) < 0.7
    assert min(found) > 1 / 2001
