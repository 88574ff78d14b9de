"""A forecast learns one month's class from the month before, and says what that is worth."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa
import pytest
from samples import customers_table, small
from sklearn.metrics import roc_auc_score
from stores import scored_columns

from reportgen import forecast, scoring
from reportgen.config import KNOWN_CLASS
from reportgen.contract import Window
from reportgen.estimators import CANDIDATES, make_pipeline
from reportgen.sample import Judged, draw_sample


@pytest.fixture(scope="module")
def then(settings) -> pa.Table:
    """A month's customers with the risk that recognised its falls."""
    table = customers_table(settings, customers=600)
    fell = np.asarray(table.column(settings.target)) == settings.columns[settings.target].positive
    noise = np.random.default_rng(8).normal(size=table.num_rows)
    return table.append_column("risk", pa.array(1 / (1 + np.exp(-(2 * fell - 1 + noise)))))


def month_after(then: pa.Table, fallen: np.ndarray, settings) -> pa.Table:
    """The same customers, a month on, with other classes and one column moved."""
    target = np.where(fallen, settings.columns[settings.target].positive, "steady")
    place = then.column_names.index(settings.target)
    return then.set_column(place, settings.target, pa.array(target))


def lesson(then, now, settings):
    return forecast.prepare(ibis.memtable(then), ibis.memtable(now), settings, month="2026-09")


def test_features_are_those_of_the_month_before_and_the_class_is_this_month_s(settings, then):
    fallen = np.random.default_rng(1).random(then.num_rows) < 0.4
    found = lesson(then, month_after(then, fallen, settings), settings)
    rows = found.table.to_pyarrow().to_pandas().set_index("id")
    before = then.to_pandas().set_index("id").loc[rows.index]
    assert (rows[KNOWN_CLASS] == before[settings.target]).all()
    assert (rows["pages_per_visit"] == before["pages_per_visit"]).all()
    assert found.settings.features == (*settings.features, KNOWN_CLASS)
    assert settings.features[-1] != KNOWN_CLASS


def test_who_is_no_longer_there_is_counted(settings, then):
    fallen = np.random.default_rng(1).random(then.num_rows) < 0.4
    now = month_after(then, fallen, settings).slice(25)
    assert lesson(then, now, settings).lost == 25


@pytest.mark.parametrize("share", [0.0, 0.02, 0.98])
def test_too_few_of_a_class_teach_nothing(settings, then, share):
    fallen = np.arange(then.num_rows) < share * then.num_rows
    assert lesson(then, month_after(then, fallen, settings), settings) is None


def test_a_month_without_one_of_the_columns_teaches_nothing(settings, then):
    now = month_after(then, np.arange(then.num_rows) % 2 == 0, settings)
    assert lesson(then.drop(["promo_share"]), now, settings) is None


def test_a_class_of_the_future_needs_no_second_model(settings, then):
    target = settings.columns[settings.target].model_copy(update={"window": Window.FUTURE})
    future = settings.with_columns({**settings.columns, settings.target: target})
    now = month_after(then, np.arange(then.num_rows) % 2 == 0, settings)
    assert lesson(then, now, future) is None


@pytest.fixture(scope="module")
def judged(settings, then):
    """Classes that hang on the known class and on one column, and risks that know both."""
    rng = np.random.default_rng(2)
    known = np.asarray(then.column(settings.target)) == settings.columns[settings.target].positive
    pages = np.asarray(then.column("pages_per_visit"), dtype=float)
    odds = 1.5 * known - 0.9 + 0.35 * (pages.mean() - pages)
    chance = 1 / (1 + np.exp(-odds))
    fallen = rng.random(len(chance)) < chance
    found = lesson(then, month_after(then, fallen, settings), settings)
    sample = draw_sample(found.table, found.settings)
    by_id = dict(zip(then.column("id").to_pylist(), chance, strict=True))
    risk = np.array([by_id[one] for one in sample.frame["id"]])
    everyone = np.arange(len(risk))
    parts = np.zeros((1, len(risk)), dtype=np.intp)
    card = forecast.judge(found, sample, Judged(risk[None], parts, everyone, "procedure"),
                          family="logistic_regression")
    return card, sample, risk


def test_what_it_adds_to_the_known_class_is_told(judged, settings):
    card, sample, risk = judged
    known = (sample.frame[KNOWN_CLASS] == "fallen").to_numpy()
    assert card.roc_auc.value == pytest.approx(roc_auc_score(sample.fallen, risk))
    assert card.known_roc_auc.value == pytest.approx(roc_auc_score(sample.fallen, known))
    assert card.gain.value == pytest.approx(card.roc_auc.value - card.known_roc_auc.value)
    assert card.gain.low > 0
    assert card.useful
    assert (card.learned_from, card.for_month) == ("2026-09", "2026-11")


def test_it_is_judged_where_recognising_says_nothing(judged):
    card, sample, risk = judged
    steady = (sample.frame[KNOWN_CLASS] != "fallen").to_numpy()
    assert (card.steady, card.newly) == (steady.sum(), sample.fallen[steady].sum())
    assert card.newly_roc_auc.value == pytest.approx(
        roc_auc_score(sample.fallen[steady], risk[steady]))
    top = np.argsort(-risk[steady], kind="stable")[: int(0.1 * steady.sum() + 0.5)]
    assert card.newly_top.value == pytest.approx(
        sample.fallen[steady][top].sum() / sample.fallen[steady].sum())


def test_a_forecast_that_only_repeats_the_known_class_is_not_useful(settings, then):
    known = np.asarray(then.column(settings.target)) == settings.columns[settings.target].positive
    fallen = np.where(np.random.default_rng(3).random(len(known)) < 0.85, known, ~known)
    found = lesson(then, month_after(then, fallen, settings), settings)
    sample = draw_sample(found.table, found.settings)
    risk = (sample.frame[KNOWN_CLASS] == "fallen").to_numpy().astype(float)
    card = forecast.judge(found, sample, Judged(
        risk[None], np.zeros((1, len(risk)), dtype=np.intp), np.arange(len(risk)), "procedure"),
        family="logistic_regression")
    assert card.gain.value == 0
    assert not card.useful


def test_nobody_is_asked_of_a_model_that_learned_the_own_class(settings, then, tmp_path):
    """Customers of the sample are scored by the fold without them, on this month's columns."""
    fallen = np.random.default_rng(1).random(then.num_rows) < 0.4
    now = month_after(then, fallen, settings)
    found = lesson(then, now, settings)
    sample = draw_sample(found.table, found.settings)
    scorer = scoring.fit_scorer(make_pipeline(CANDIDATES[1], found.settings), sample,
                                small(found.settings))
    ahead = scoring.Ahead(scorer, sample, found.settings)
    batch = now.combine_chunks().to_batches()[0]
    risk = dict(zip(now.column("id").to_pylist(), ahead.risk(batch), strict=True))
    rows = now.to_pandas()
    rows[KNOWN_CLASS] = rows[settings.target]
    for fold in scorer.folds:
        own = [sample.frame["id"][place] for place in fold.held_out[:5]]
        matrix = scoring.to_matrix(pa.Table.from_pandas(
            rows.set_index("id").loc[own].reset_index()), found.settings)
        np.testing.assert_allclose([risk[one] for one in own], fold.risk(matrix))


def test_what_it_adds_to_recognising_is_told(judged):
    card, sample, risk = judged
    recognised = sample.frame["risk"].to_numpy()
    assert card.recognised_roc_auc.value == pytest.approx(
        roc_auc_score(sample.fallen, recognised))
    assert card.over_recognised.value == pytest.approx(
        card.roc_auc.value - card.recognised_roc_auc.value)


def test_a_forecast_that_guesses_among_the_steady_is_not_useful(settings, then):
    """It orders those who have fallen already, and nobody else."""
    known = np.asarray(then.column(settings.target)) == settings.columns[settings.target].positive
    rng = np.random.default_rng(4)
    chance = np.where(known, rng.choice([0.1, 0.9], len(known)), 0.3)
    fallen = rng.random(len(known)) < chance
    found = lesson(then, month_after(then, fallen, settings), settings)
    sample = draw_sample(found.table, found.settings)
    by_id = dict(zip(then.column("id").to_pylist(), chance, strict=True))
    risk = np.array([by_id[one] for one in sample.frame["id"]])
    card = forecast.judge(found, sample, Judged(
        risk[None], np.zeros((1, len(risk)), dtype=np.intp), np.arange(len(risk)), "procedure"),
        family="logistic_regression")
    assert card.gain.low > 0
    assert card.newly_roc_auc.value == 0.5
    assert not card.useful


def test_bands_count_this_month_s_customers_and_who_is_to_fall(settings, judged):
    scored = ibis.memtable(scored_columns(settings, {
        "forecast": [0.1, 0.28, 0.5, 0.9, 0.8, None],
        "fallen": [False, True, False, True, False, True],
        "forecast_band": ["low", "low", "medium", "high", "high", None]}))
    found = forecast.with_bands(judged[0], scored, settings)
    assert [(one.band, one.customers, one.fallen, one.steady, one.expected)
            for one in found.bands] == [("low", 2, 1, 1, 0), ("medium", 1, 0, 1, 0),
                                        ("high", 2, 1, 1, 1)]
    # Three have not fallen; 0.1 + 0.5 + 0.8 = 1.4 of them are to.
    assert (found.steady_now, found.expected) == (3, 1)
    assert [(one.low, one.high) for one in found.bands] == [(0.0, 0.3), (0.3, 0.6), (0.6, 1.0)]
