"""Nobody is scored by a model that saw its label."""

import ibis
import numpy as np
import pyarrow.parquet as pq
import pytest
from samples import customers_table, demo_sample, small, with_labels
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from reportgen import scoring
from reportgen.estimators import CANDIDATES, make_pipeline
from reportgen.sample import draw_sample


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
    scoring.score(customers, scorer, sample, settings, path=tmp_path / "customers.parquet")
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


def test_bands_and_flags_follow_the_risk_and_the_known_class(settings, tmp_path):
    settings = small(settings)
    customers = ibis.memtable(customers_table(settings, customers=400))
    sample = draw_sample(customers, settings)
    scorer = scoring.Scorer(model=None, out_of_fold=np.linspace(0, 1, len(sample.fallen)))
    scoring.score(customers, scorer, sample, settings, path=tmp_path / "customers.parquet")
    scored = pq.read_table(tmp_path / "customers.parquet").to_pandas()
    # 0.3 and 0.6 open the medium and the high band.
    assert (scored["risk_band"] == "low").equals(scored["risk"] < 0.3)
    assert (scored["risk_band"] == "high").equals(scored["risk"] >= 0.6)
    assert scored["fallen"].equals(scored["activity"] == "fallen")
    assert scored["alike"].equals(~scored["fallen"] & (scored["risk"] >= 0.6))
    assert scored["contactable"].equals(scored["permission"] == "yes")
