"""The figures of the model card, against scikit-learn and by hand."""

from dataclasses import replace

import ibis
import numpy as np
import pytest
from reports import make_report
from samples import customers_table, demo_sample, small
from sklearn.metrics import f1_score, roc_auc_score

from reportgen import evaluation, scoring
from reportgen.estimators import CANDIDATES, Candidate, make_pipeline
from reportgen.evaluation import Findings, PastFit
from reportgen.results import Estimate
from reportgen.sample import Judged, draw_sample

FOLD_SCORES = (0.9, 0.92, 0.88, 0.91, 0.89)
BEHIND = Estimate(0.03, 0.01, 0.05, 20)


def candidate(family, settings, **parameters):
    pipeline = make_pipeline(family, settings).set_params(
        **{f"model__{name}": value for name, value in parameters.items()})
    return Candidate(family.name, pipeline, {}, "StandardScaler", 3, FOLD_SCORES)


def findings(risk, **changes):
    """What the other stages found; the gate and the guard pass through as they are."""
    card = make_report().model
    plain = Findings(out_of_fold=risk, slope_before=None, judged=nested(risk), outer_winners=(),
                     behind=(None,), past=None, gate=card.gate, leakage=card.leakage)
    return replace(plain, **changes)


def nested(risk):
    """Risks that one model gave to everybody."""
    return Judged(risk[None, :], np.zeros((1, len(risk)), dtype=np.intp), np.arange(len(risk)),
                  "procedure")


@pytest.fixture(scope="module")
def measured(settings):
    settings = small(settings)
    sample = demo_sample(settings, customers=500)
    candidates = (candidate(CANDIDATES[2], settings), candidate(CANDIDATES[0], settings))
    trials = evaluation.try_out(candidates, sample, settings)
    risk = scoring.cross_fit(candidates[0].pipeline, sample, settings)
    weaker = np.clip(risk + np.random.default_rng(1).normal(0, 0.2, len(risk)), 0.01, 0.99)
    found = findings(
        risk, judged=nested(weaker), behind=(None, BEHIND),
        outer_winners=("decision_tree",) + ("logistic_regression",) * 4,
        past=PastFit("decision_tree", 9, weaker, risk),
    )
    return sample, trials, found, evaluation.evaluate(trials, found, sample, settings)


def test_every_set_of_figures_says_what_it_speaks_about(measured):
    card = measured[3]
    assert (card.training.estimand, card.holdout.estimand, card.nested.estimand) == (
        "training", "model", "procedure")


def test_held_out_figures_agree_with_scikit_learn(measured):
    sample, trials, _, card = measured
    fallen = sample.fallen[sample.test]
    assert card.holdout.roc_auc.value == pytest.approx(roc_auc_score(fallen, trials[0].test_risk))
    assert card.holdout.f1.value == pytest.approx(f1_score(fallen, trials[0].test_risk >= 0.5))
    assert card.holdout.customers == card.customers_test == len(sample.test)
    assert card.training.customers == card.customers_train


def test_the_honest_score_is_the_nested_one_over_everybody(measured):
    sample, _, found, card = measured
    assert card.honest is card.nested
    assert card.nested.roc_auc.value == pytest.approx(
        roc_auc_score(sample.fallen, found.judged.risks[0]))
    assert card.nested.customers == len(sample.fallen)


def test_a_quick_run_is_judged_by_the_held_out_part(measured, settings):
    sample, trials, found, _ = measured
    judged = evaluation.judged_risks(trials[0], None, sample)
    assert (judged.risks.shape, judged.estimand) == ((1, len(sample.test)), "model")
    assert judged.positions is sample.test
    quick = replace(found, judged=judged, outer_winners=())
    card = evaluation.evaluate(trials, quick, sample, small(settings, effort="quick"))
    assert card.nested is None
    assert card.honest is card.holdout
    assert (card.outer_folds, card.repeats) == (0, 0)
    assert all(family.outer_wins is None for family in card.families)


def test_the_winner_comes_first_and_the_others_lie_behind(measured):
    first, second = measured[3].families
    assert (first.winner, first.behind, first.indistinguishable) == (True, None, True)
    # The interval of the second one's distance, 0.01 to 0.05, leaves zero out.
    assert (second.winner, second.behind, second.indistinguishable) == (False, BEHIND, False)
    assert (first.outer_wins, second.outer_wins) == (4, 1)
    assert first.cv_roc_auc.value == pytest.approx(0.9)


def test_the_mean_over_folds_has_an_interval_for_folds_that_share_customers(measured):
    # sd = sqrt((0 + 4 + 4 + 1 + 1) / 4) / 100 = 0.015811; 1/5 + 1/4 under the root; t(4) = 2.7764.
    half = 2.7764 * 0.015811 * np.sqrt(0.2 + 0.25)
    assert measured[3].cv_roc_auc.low == pytest.approx(0.9 - half, abs=1e-5)


def test_the_past_alone_stands_beside_the_full_model(measured):
    sample, _, found, card = measured
    past = card.past_only
    assert (past.family, past.columns) == ("decision_tree", 9)
    assert past.roc_auc.value == pytest.approx(roc_auc_score(sample.fallen, found.past.risk))
    assert past.difference.value == pytest.approx(past.full_roc_auc.value - past.roc_auc.value)
    assert past.difference.low > 0


def test_the_slope_before_recalibration_is_kept(measured, settings):
    sample, trials, found, card = measured
    assert card.calibration.before is None
    slope = Estimate(0.6, 0.5, 0.7, 500)
    told = evaluation.evaluate(trials, replace(found, slope_before=slope), sample,
                               small(settings))
    assert told.calibration.before == slope


def test_a_store_may_keep_its_gate_open(measured, settings):
    sample, trials, found, _ = measured
    closed = replace(found, gate=replace(found.gate, open=False, closed_by=("floor",)))
    kept = evaluation.evaluate(trials, closed, sample, small(settings))
    assert kept.gate.withholds
    gates = settings.gates.model_copy(update={"usefulness": False})
    lax = small(settings).model_copy(update={"gates": gates})
    assert not evaluation.evaluate(trials, closed, sample, lax).gate.withholds


def test_the_curve_runs_from_corner_to_corner(measured):
    curve = measured[3].roc
    assert (curve[0].x, curve[0].y) == (0, 0)
    assert (curve[-1].x, curve[-1].y) == (1, 1)


def test_learning_from_more_customers_is_judged_on_the_same_others(settings):
    settings = small(settings, sample=800, judged=400, judging="apart")
    sample = draw_sample(ibis.memtable(customers_table(settings, customers=1_500)), settings)
    curve = evaluation.learning_curve(candidate(CANDIDATES[2], settings), sample, settings)
    assert [point.customers for point in curve.points] == [100, 200, 400, 800]
    assert {point.roc_auc.n for point in curve.points} == {400}
    # The difference is the one between the last two points, and its interval is a paired one.
    before, last = (point.roc_auc for point in curve.points[-2:])
    assert curve.gain.value == pytest.approx(last.value - before.value)
    assert curve.gain.high - curve.gain.low < last.high - last.low
    assert evaluation.learning_curve(candidate(CANDIDATES[2], settings),
                                     replace(sample, thinned=False), settings) is None


@pytest.mark.parametrize(("gain", "grows"), [(0.02, True), (0.004, False)])
def test_a_gain_counts_where_it_is_beyond_chance_and_worth_having(
    settings, monkeypatch, gain, grows
):
    settings = small(settings, sample=400, judged=200, judging="apart")
    sample = draw_sample(ibis.memtable(customers_table(settings, customers=800)), settings)
    monkeypatch.setattr(evaluation.delong, "difference",
                        lambda *_: Estimate(gain, gain / 2, 2 * gain, 200))
    curve = evaluation.learning_curve(candidate(CANDIDATES[2], settings), sample, settings)
    assert curve.grows == grows


def test_a_model_that_returns_its_labels_is_marked(settings):
    settings = small(settings)
    sample = demo_sample(settings, customers=300)
    memory = candidate(CANDIDATES[1], settings, n_neighbors=15, weights="distance")
    trials = evaluation.try_out((memory,), sample, settings)
    risk = scoring.cross_fit(memory.pipeline, sample, settings)
    card = evaluation.evaluate(trials, findings(risk), sample, settings)
    assert card.memorises
    assert card.training.roc_auc.value == 1.0
    assert card.holdout.roc_auc.value < 0.99
