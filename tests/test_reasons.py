"""Each listed customer gets three reasons that add up to the risk."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from samples import customers_table, small

from reportgen import explanation, reasons, scoring
from reportgen.estimators import CANDIDATES, calibrated, make_pipeline
from reportgen.sample import draw_sample


@pytest.fixture(scope="module")
def listed(settings, tmp_path_factory):
    settings = small(settings, effort="quick")
    customers = ibis.memtable(customers_table(settings, customers=400))
    sample = draw_sample(customers, settings)
    pipeline = make_pipeline(CANDIDATES[2], settings)
    scorer = scoring.fit_scorer(pipeline, sample, settings)
    folder = tmp_path_factory.mktemp("reasons")
    scored = scoring.score(customers, scorer, sample, settings, path=folder / "customers.parquet",
                           usable=True)
    model = calibrated(pipeline, settings).fit(sample.matrix[sample.train],
                                               sample.fallen[sample.train])
    groups = explanation.explain(model, pipeline, scorer.folds, sample, settings,
                                 usable=True).groups
    path = folder / "reasons.parquet"
    reasons.write_reasons(scored, scorer.final, scorer.folds, groups, sample, settings, path=path)
    customers = scored.to_pyarrow().to_pandas().set_index("id")
    return settings, customers, groups, pq.read_table(path).to_pandas()


def test_those_who_may_be_acted_on_get_three_reasons_each(listed):
    _, customers, _, found = listed
    high = customers[(customers["risk_band"] == "high") | customers["fallen"]]
    assert set(found["id"]) == set(high.index)
    assert (found.groupby("id").size() == 3).all()
    assert sorted(found["place"].unique()) == [1, 2, 3]


def test_reasons_add_up_to_the_risk_that_the_list_tells(listed):
    _, customers, _, found = listed
    told = found.groupby("id").agg(base=("base", "first"), remainder=("remainder", "first"),
                                   parts=("contribution", "sum"))
    added = told["base"] + told["parts"] + told["remainder"]
    np.testing.assert_allclose(added, customers.loc[added.index, "risk"], atol=1e-6)


def test_the_strongest_reason_comes_first(listed):
    sizes = listed[3].assign(size=listed[3]["contribution"].abs())
    ordered = sizes.sort_values(["id", "place"]).groupby("id")["size"]
    assert ordered.apply(lambda one: one.is_monotonic_decreasing).all()


def test_a_reason_tells_the_customers_own_value(listed):
    settings, customers, groups, found = listed
    members = {group.columns[0]: group.columns for group in groups}
    for row in found.itertuples():
        assert row.column in members[row.group]
        value = customers.loc[row.id, row.column]
        if row.column in settings.categories:
            assert (row.value_text, np.isnan(row.value_number)) == (value, True)
        else:
            assert row.value_text is None or pd.isna(row.value_text)
            assert row.value_number == value


def test_no_more_customers_are_explained_than_a_team_can_call(listed, monkeypatch, tmp_path):
    settings, customers, groups, _ = listed
    monkeypatch.setattr(reasons, "MOST_CUSTOMERS", 5)
    frame = ibis.memtable(pa.Table.from_pandas(customers.reset_index()))
    chosen = reasons._listed(frame, settings)
    first = customers[(customers["risk_band"] == "high") | customers["fallen"]].nlargest(5, "risk")
    assert chosen.column("id").to_pylist() == list(first.index)


def test_customers_beside_the_sample_get_their_reasons_too(settings, tmp_path):
    settings = small(settings, effort="quick", sample=250)
    customers = ibis.memtable(customers_table(settings, customers=600))
    sample = draw_sample(customers, settings)
    pipeline = make_pipeline(CANDIDATES[2], settings)
    scorer = scoring.fit_scorer(pipeline, sample, settings)
    scored = scoring.score(customers, scorer, sample, settings, path=tmp_path / "customers.parquet",
                           usable=True)
    groups = explanation.explain(scorer.final.model, pipeline, scorer.folds, sample, settings,
                                 usable=True).groups
    path = tmp_path / "reasons.parquet"
    reasons.write_reasons(scored, scorer.final, scorer.folds, groups, sample, settings, path=path)
    found = pq.read_table(path).to_pandas()
    everyone = scored.to_pyarrow().to_pandas().set_index("id")
    assert set(everyone.loc[found["id"].unique(), "part"]) == {"train", "test", "rest"}
    told = found.groupby("id").agg(base=("base", "first"), remainder=("remainder", "first"),
                                   parts=("contribution", "sum"))
    added = told["base"] + told["parts"] + told["remainder"]
    np.testing.assert_allclose(added, everyone.loc[added.index, "risk"], atol=1e-6)
