"""Nobody is scored by a model that saw its label."""

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import customers_table, demo_sample, small, with_labels
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from reportgen import queries, risk_model, scoring
from reportgen.estimators import CANDIDATES, make_pipeline
from reportgen.metrics import calibration
from reportgen.sample import draw_sample
from reportgen.trends import drift


class Memory(ClassifierMixin, BaseEstimator):
    """Returns the label of every customer it has seen, and one half for all others."""

    def fit(self, matrix, fallen):
        self.classes_ = np.array([False, True])
        self.labels_ = {row.tobytes(): bool(label)
                        for row, label in zip(matrix, fallen, strict=True)}
        return self

    def predict_proba(self, matrix):
        risk = np.array([{True: 1.0, False: 0.0, None: 0.5}[self.labels_.get(row.tobytes())]
                         for row in matrix])
        return np.column_stack([1 - risk, risk])

    def predict(self, matrix):
        return self.predict_proba(matrix)[:, 1] > 0.5


def with_risks(risk):
    """A scorer that needs no model, for its customers are all in the sample."""
    return scoring.Scorer(final=None, folds=(), out_of_fold=risk, slope_before=None)


def test_a_model_that_remembers_knows_nobody_out_of_fold(settings):
    sample = demo_sample(settings, customers=400)
    risk = scoring.cross_fit(Pipeline([("model", Memory())]), sample, settings)
    # Had one customer been seen, its score would differ from that of the unknown ones.
    for held_out in np.unique(risk.round(9)):
        assert 0 < held_out < 1
    assert len(np.unique(risk.round(9))) <= settings.model.folds
    assert np.isfinite(risk).all()


def test_nearest_neighbours_cannot_recall_labels_without_signal(settings):
    sample = demo_sample(settings, customers=600)
    shuffled = with_labels(sample, np.random.default_rng(4).permutation(sample.fallen))
    pipeline = make_pipeline(CANDIDATES[1], settings).set_params(
        model__n_neighbors=1, model__weights="distance")
    assert isinstance(pipeline["model"], KNeighborsClassifier)
    risk = scoring.cross_fit(pipeline, shuffled, settings)
    # Refitted, it recalls every label; out of fold it must not beat chance: the standard error
    # of a ROC-AUC of one half on 600 customers is about 0.024.
    assert roc_auc_score(shuffled.fallen, risk) == pytest.approx(0.5, abs=0.08)
    assert roc_auc_score(shuffled.fallen, pipeline.fit(
        shuffled.matrix, shuffled.fallen).predict_proba(shuffled.matrix)[:, 1]) == 1.0


def test_everyone_is_scored_once_whether_in_the_sample_or_not(settings, tmp_path):
    settings = small(settings, sample=300)
    table = customers_table(settings, customers=700)
    customers = ibis.memtable(table)
    sample = draw_sample(customers, settings)
    scorer = scoring.fit_scorer(make_pipeline(CANDIDATES[2], settings), sample, settings)
    scoring.score(customers, scorer, sample, settings, path=tmp_path / "customers.parquet",
                  usable=True)
    scored = pq.read_table(tmp_path / "customers.parquet").to_pandas().set_index("id")

    assert list(scored.index) == table["id"].to_pylist()
    assert scored["part"].value_counts().to_dict() == {"rest": table.num_rows - 300,
                                                       "train": 225, "test": 75}
    by_id = dict(zip(sample.frame["id"], scorer.out_of_fold, strict=True))
    inside = scored[scored["part"] != "rest"]
    assert [by_id[name] for name in inside.index] == inside["risk"].tolist()
    assert scored["risk"].between(0, 1).all()
    # The model recognises customers it has not seen, too.
    rest = scored[scored["part"] == "rest"]
    assert roc_auc_score(rest["fallen"], rest["risk"]) > 0.8


def test_scoring_tells_of_the_rows_a_batch_at_a_time(settings, tmp_path, monkeypatch):
    settings = small(settings)
    customers = ibis.memtable(customers_table(settings, customers=300))
    sample = draw_sample(customers, settings)
    scorer = scoring.fit_scorer(make_pipeline(CANDIDATES[2], settings), sample, settings)
    rows, seen = len(sample.fallen), []
    monkeypatch.setattr(queries, "BATCH_ROWS", 100)
    scored = scoring.score(customers, scorer, sample, settings, path=tmp_path / "scored.parquet",
                           usable=True, told=lambda *what: seen.append(what))
    batches = [(done, rows, "rows") for done in (*range(0, rows, 100), rows)]
    assert seen == batches
    seen.clear()
    scoring.rescored(scored, scorer, sample, settings, lambda *what: seen.append(what))
    assert seen[0] == (0, rows, "rows")
    assert seen[-1] == (rows, rows, "rows")


def test_each_fit_of_the_scorer_is_told(settings):
    settings, seen = small(settings), []
    sample = demo_sample(settings, customers=300)
    scoring.fit_scorer(make_pipeline(CANDIDATES[2], settings), sample, settings,
                       lambda *what: seen.append(what))
    fits = settings.model.folds + 1
    assert seen == [(done, fits, "fits") for done in range(fits + 1)]


def test_bands_and_flags_follow_the_risk_and_the_known_class(settings, tmp_path):
    settings = small(settings)
    customers = ibis.memtable(customers_table(settings, customers=400))
    sample = draw_sample(customers, settings)
    scorer = with_risks(np.linspace(0, 1, len(sample.fallen)))
    scoring.score(customers, scorer, sample, settings, path=tmp_path / "customers.parquet",
                  usable=True)
    scored = pq.read_table(tmp_path / "customers.parquet").to_pandas()
    # 0.3 and 0.6 open the medium and the high band.
    assert (scored["risk_band"] == "low").equals(scored["risk"] < 0.3)
    assert (scored["risk_band"] == "high").equals(scored["risk"] >= 0.6)
    assert scored["fallen"].equals(scored["activity"] == "fallen")
    assert scored["alike"].equals(~scored["fallen"] & (scored["risk"] >= 0.6))
    assert scored["contactable"].equals(scored["permission"] == "yes")


def test_nobody_can_be_targeted_by_a_model_that_may_not_be_used(settings, tmp_path):
    settings = small(settings)
    customers = ibis.memtable(customers_table(settings, customers=400))
    sample = draw_sample(customers, settings)
    scored = scoring.score(customers, with_risks(np.linspace(0, 1, len(sample.fallen))), sample,
                           settings, path=tmp_path / "customers.parquet", usable=False)
    found = scored.to_pyarrow().to_pandas()
    assert len(found) == len(sample.fallen)
    assert found["risk"].isna().all()
    assert found["risk_band"].isna().all()
    assert not found["alike"].any()
    # The known class is no model's finding.
    assert found["fallen"].sum() == sample.fallen.sum()


class Overconfident(ClassifierMixin, BaseEstimator):
    """Knows each customer's log-odds, which the second column holds, and promises thrice as much.

    The sigmoid that `calibrated` fits around it is undone, so that only recalibration is left.
    """

    def fit(self, matrix, fallen):
        self.classes_ = np.array([False, True])
        return self


def test_risks_that_are_too_extreme_are_recalibrated_out_of_fold(settings, monkeypatch):
    sample = demo_sample(settings, customers=1300)
    rng = np.random.default_rng(7)
    log_odds = rng.normal(-0.5, 1.0, len(sample.fallen))
    sample = with_labels(sample, rng.random(len(log_odds)) < 1 / (1 + np.exp(-log_odds)))
    by_row = {row.tobytes(): value for row, value in zip(sample.matrix, log_odds, strict=True)}
    monkeypatch.setattr(scoring, "_fit", lambda model, rows, fallen: model)
    monkeypatch.setattr(risk_model, "probabilities", lambda model, rows: 1 / (1 + np.exp(
        [-3 * by_row[row.tobytes()] for row in rows])))
    scorer = scoring.fit_scorer(Pipeline([("model", Overconfident())]), sample,
                                small(settings))
    # Thrice the true log-odds have a slope of one third; afterwards it is one again.
    assert scorer.slope_before.value == pytest.approx(1 / 3, abs=0.05)
    after = calibration(sample.fallen, scorer.out_of_fold, seed=1)
    assert after.slope.value == pytest.approx(1, abs=0.03)
    assert after.intercept.low < 0 < after.intercept.high
    # Each fold's correction is its own, learned on the others; the final model has one of all.
    corrections = {fold.recalibration for fold in scorer.folds}
    assert len(corrections) == settings.model.folds
    assert scorer.final.recalibration not in corrections
    fold = scorer.folds[0]
    np.testing.assert_allclose(scorer.out_of_fold[fold.held_out],
                               fold.risk(sample.matrix[fold.held_out]))


def test_calibrated_risks_are_left_alone(settings):
    settings = small(settings)
    sample = demo_sample(settings, customers=600)
    scorer = scoring.fit_scorer(make_pipeline(CANDIDATES[2], settings), sample, settings)
    assert scorer.slope_before is None
    assert all(fold.recalibration is None for fold in (scorer.final, *scorer.folds))
    assert sorted(np.concatenate([fold.held_out for fold in scorer.folds])) == list(
        range(len(sample.fallen)))


def test_another_month_is_seen_by_this_month_s_models(settings):
    """Both months' risks come from the same models, so that they differ by the customers alone."""
    settings = small(settings, sample=300)
    table = customers_table(settings, customers=500)
    sample = draw_sample(ibis.memtable(table), settings)
    scorer = scoring.fit_scorer(make_pipeline(CANDIDATES[1], settings), sample, settings)
    own = table.append_column("risk", pa.nulls(table.num_rows, pa.float64()))
    store = ibis.duckdb.connect()
    then = scoring.rescored(store.create_table("then", own), scorer, sample, settings)
    risk = then.to_pyarrow().to_pandas().set_index("id")["risk"]
    # The very same customers get the very risk of the report: out of fold, never a memory.
    np.testing.assert_allclose(risk.loc[sample.frame["id"]], scorer.out_of_fold)
    now = store.create_table("now", table.append_column(
        "risk", pa.array(risk.loc[table["id"].to_pylist()])))
    moved = drift.measure(then, now, settings, month="2026-09", columns=settings.features, seed=1)
    assert len(moved) == len(settings.features) + 1
    assert all((one.level, round(one.psi, 9)) == ("none", 0) for one in moved)
