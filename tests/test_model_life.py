"""An earlier month's model, kept or beside the one in use, is judged on what it never saw."""

from __future__ import annotations

import numpy as np
import pytest
from reports import make_report
from samples import demo_sample, small
from sklearn.metrics import roc_auc_score

from reportgen import model_life, scoring
from reportgen.estimators import CANDIDATES, make_pipeline
from reportgen.model_life import Seen
from reportgen.risk_model import Stored


@pytest.fixture(scope="module")
def earlier(settings) -> Stored:
    sample = demo_sample(settings, customers=500, seed=3)
    pipeline = make_pipeline(CANDIDATES[2], settings)
    return Stored("2026-08", scoring.fit_scorer(pipeline, sample, small(settings)).final)


@pytest.fixture(scope="module")
def now(settings):
    return demo_sample(settings, customers=600, seed=4)


def test_a_kept_model_scores_everybody_by_itself(settings, earlier, now):
    scorer = scoring.keep(earlier.risk_model, now, settings)
    np.testing.assert_array_equal(scorer.out_of_fold, earlier.risk_model.risk(now.matrix))
    held_out = np.concatenate([fold.held_out for fold in scorer.folds])
    assert sorted(held_out) == list(range(len(now.fallen)))
    assert all(fold.model is earlier.risk_model.model for fold in scorer.folds)


def test_its_card_keeps_how_it_was_trained_and_tells_what_it_is_worth_now(settings, earlier, now):
    trained = make_report().model
    risk = earlier.risk_model.risk(now.matrix)
    card = model_life.card(trained, Seen(risk, trained.gate, trained.leakage), now, settings)
    assert (card.family, card.training, card.families) == (
        trained.family, trained.training, trained.families)
    assert (card.nested, card.repeats, card.past_only) == (None, 0, None)
    assert card.honest is card.holdout
    assert card.honest.customers == card.customers_test == len(now.fallen)
    assert card.honest.roc_auc.value == pytest.approx(roc_auc_score(now.fallen, risk))


def test_a_rival_is_compared_on_the_same_customers(settings, earlier, now):
    in_use = model_life.judged(np.linspace(0, 1, len(now.fallen)))
    found = model_life.rival(earlier, in_use, now, settings)
    theirs = roc_auc_score(now.fallen, earlier.risk_model.risk(now.matrix))
    ours = roc_auc_score(now.fallen, in_use.risks[0])
    assert found.month == "2026-08"
    assert found.roc_auc.value == pytest.approx(theirs)
    assert found.difference.value == pytest.approx(ours - theirs)
    assert found.difference.high < 0
