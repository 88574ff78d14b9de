"""The figures of the model card, against scikit-learn and by hand."""

import numpy as np
import pytest
from samples import demo_sample, small
from sklearn.metrics import f1_score, roc_auc_score

from reportgen import evaluation, scoring
from reportgen.estimators import CANDIDATES, Candidate, make_pipeline


def candidate(family, settings, **parameters):
    pipeline = make_pipeline(family, settings).set_params(
        **{f"model__{name}": value for name, value in parameters.items()})
    return Candidate(family.name, pipeline, {}, "StandardScaler", 3, 0.9, 0.01)


@pytest.fixture(scope="module")
def measured(settings):
    settings = small(settings)
    sample = demo_sample(settings, customers=500)
    candidates = (candidate(CANDIDATES[2], settings), candidate(CANDIDATES[0], settings))
    trials = evaluation.try_out(candidates, sample, settings)
    risk = scoring.cross_fit(candidates[0].pipeline, sample, settings)
    return sample, trials, risk, evaluation.evaluate(trials, risk, sample, settings)


def test_test_figures_agree_with_scikit_learn(measured):
    sample, trials, risk, card = measured
    fallen = sample.fallen[sample.test]
    assert card.test_roc_auc.value == pytest.approx(roc_auc_score(fallen, trials[0].risk))
    assert card.test_f1.value == pytest.approx(f1_score(fallen, trials[0].risk >= 0.5))
    assert card.oof_roc_auc.value == pytest.approx(roc_auc_score(sample.fallen, risk))
    assert card.oof_brier.value == pytest.approx(np.mean((risk - sample.fallen) ** 2))


def test_the_confusion_adds_up_and_gives_precision_and_recall(measured):
    sample, _, _, card = measured
    true_positive, false_positive, false_negative, _ = card.confusion
    assert sum(card.confusion) == card.customers_test == len(sample.test)
    assert true_positive + false_negative == card.fallen_test
    assert card.test_precision.value == true_positive / (true_positive + false_positive)
    assert card.test_recall.value == true_positive / card.fallen_test


def test_every_interval_holds_its_figure(measured):
    card = measured[3]
    for figure in (card.test_roc_auc, card.test_f1, card.test_precision, card.test_recall,
                   card.oof_roc_auc, card.oof_brier):
        assert figure.low <= figure.value <= figure.high


def test_the_constant_baseline_is_worked_out(measured):
    card = measured[3]
    # Calling everyone fallen: precision is their share, recall is 1.
    share = card.fallen_test / card.customers_test
    assert card.baseline_f1 == pytest.approx(2 * share * 1 / (share + 1))
    assert card.baseline_roc_auc == 0.5


def test_the_winner_comes_first_and_alone(measured):
    families = measured[3].families
    assert [score.winner for score in families] == [True, False]
    assert families[0].family == measured[3].family == "logistic_regression"


def test_calibration_compares_all_customers_once(measured):
    sample, _, _, card = measured
    assert sum(group.observed.n for group in card.calibration) == len(sample.fallen)
    predicted = [group.predicted for group in card.calibration]
    assert predicted == sorted(predicted)


def test_the_curve_runs_from_corner_to_corner(measured):
    curve = measured[3].roc
    assert (curve[0].x, curve[0].y) == (0, 0)
    assert (curve[-1].x, curve[-1].y) == (1, 1)


def test_a_model_that_returns_its_labels_is_marked(settings):
    settings = small(settings)
    sample = demo_sample(settings, customers=300)
    memory = candidate(CANDIDATES[1], settings, n_neighbors=15, weights="distance")
    trials = evaluation.try_out((memory,), sample, settings)
    card = evaluation.evaluate(trials, trials[0].model.predict_proba(sample.matrix)[:, 1],
                               sample, settings)
    assert card.memorises
    assert card.train_roc_auc == 1.0
    assert card.test_roc_auc.value < 0.99
