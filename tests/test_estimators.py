"""The pipelines of the four families, and the matrix they take."""

import numpy as np
import pyarrow as pa
import pytest
import skops.io
from samples import customers_table, demo_sample, small
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import RobustScaler
from threadpoolctl import threadpool_limits

from reportgen.estimators import (
    CANDIDATES,
    COMPLEXITY,
    SCALING,
    UNSCALED,
    calibrated,
    family_of,
    kernel_decision,
    make_pipeline,
    probabilities,
    search_space,
    to_matrix,
)
from reportgen.metrics import calibration

FAMILIES = {family.name: family for family in CANDIDATES}


def test_categories_become_their_position_in_the_contract(settings):
    table = customers_table(settings, customers=250)
    matrix = to_matrix(table, settings)
    tier = settings.features.index("service_tier")
    # The contract lists premium first, standard second.
    expected = [0.0 if value == "premium" else 1.0 for value in table["service_tier"].to_pylist()]
    assert matrix[:, tier].tolist() == expected
    assert matrix[:, settings.features.index("minutes_current")].tolist() == (
        table["minutes_current"].to_pylist())


def test_unknown_numbers_become_nan_and_are_filled_in_the_pipeline(settings):
    sample = demo_sample(settings, customers=300)
    matrix = sample.matrix.copy()
    matrix[5, settings.features.index("minutes_change")] = np.nan
    pipeline = make_pipeline(FAMILIES["logistic_regression"], settings)
    assert np.isfinite(pipeline.fit(matrix, sample.fallen).predict_proba(matrix)).all()


def test_the_target_and_the_profit_are_no_features(settings):
    assert settings.target not in settings.features
    assert "profit" not in settings.features
    assert len(settings.features) == 19  # 16 of the tables and 3 changes


@pytest.mark.parametrize("name", FAMILIES)
def test_a_pipeline_tells_its_family(settings, name):
    assert family_of(make_pipeline(FAMILIES[name], settings)) == name


def test_only_trees_leave_numbers_unscaled(settings):
    trees = {"decision_tree", "extra_trees", "gradient_boosting"}
    for name, family in FAMILIES.items():
        scalings = search_space(family, settings)[SCALING]
        assert (UNSCALED in scalings) == (name in trees)


def test_every_family_has_its_place_in_the_order_of_complexity():
    assert sorted(COMPLEXITY) == sorted(FAMILIES)


@pytest.mark.parametrize(("name", "simple", "complex_"), [
    ("logistic_regression", {"C": 0.1}, {"C": 1.0}),
    ("decision_tree", {"max_depth": 3, "min_samples_leaf": 5},
     {"max_depth": 6, "min_samples_leaf": 50}),
    ("nearest_neighbours", {"n_neighbors": 50}, {"n_neighbors": 5}),
    ("support_vectors", {"kernel": "linear", "C": 9.0, "gamma": 0.1},
     {"kernel": "rbf", "C": 0.1, "gamma": 0.1}),
    ("extra_trees", {"min_samples_leaf": 20}, {"min_samples_leaf": 1}),
    ("gradient_boosting", {"max_iter": 30, "max_leaf_nodes": 4, "learning_rate": 0.3},
     {"max_iter": 200, "max_leaf_nodes": 16, "learning_rate": 0.1}),
])
def test_the_freer_model_of_a_family_is_the_more_complex(name, simple, complex_):
    assert FAMILIES[name].size(simple) < FAMILIES[name].size(complex_)


def test_single_precision_is_right_to_six_digits(settings):
    sample = demo_sample(settings, customers=300)
    pipeline = make_pipeline(FAMILIES["support_vectors"], settings)
    pipeline.fit(sample.matrix, sample.fallen)
    prepared = pipeline["prepare"].transform(sample.matrix)
    exact = pipeline["model"].decision_function(prepared)
    single = kernel_decision(pipeline["model"], prepared.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, exact, atol=1e-5)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_gives_probabilities_that_keep_its_order(settings, name):
    sample = demo_sample(small(settings), customers=400)
    model = calibrated(make_pipeline(FAMILIES[name], settings), settings)
    with threadpool_limits(1):
        model.fit(sample.matrix[sample.train], sample.fallen[sample.train])
    risk = probabilities(model, sample.matrix[sample.test])
    assert risk.min() >= 0
    assert risk.max() <= 1
    # scikit-learn's own prediction is the oracle of the faster one.
    np.testing.assert_allclose(risk, model.predict_proba(sample.matrix[sample.test])[:, 1],
                               atol=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_stored_without_a_pickle_and_promises_as_before(settings, name):
    sample = demo_sample(settings, customers=250)
    pipeline = make_pipeline(FAMILIES[name], settings)
    with threadpool_limits(1):      # boosting's threads wait for each other on a busy machine
        pipeline.fit(sample.matrix, sample.fallen)
    stored = skops.io.dumps(pipeline)
    trusted = skops.io.get_untrusted_types(data=stored)
    assert all(kind.startswith(("sklearn.", "numpy.", "reportgen.estimators.")) for kind in trusted)
    again = skops.io.loads(stored, trusted=trusted)
    np.testing.assert_array_equal(again.predict(sample.matrix), pipeline.predict(sample.matrix))


def test_neighbours_are_at_most_half_of_few_customers(settings):
    def most(rows):
        space = search_space(FAMILIES["nearest_neighbours"], settings, rows=rows)
        return space["model__n_neighbors"].support()[1]
    assert [most(None), most(1_000), most(50), most(4)] == [60, 60, 25, 5]


@pytest.mark.parametrize("name", ["decision_tree", "nearest_neighbours", "logistic_regression",
                                  "support_vectors"])
def test_every_family_promises_what_happens(settings, name):
    """Calibrated, a family's slope on customers it never saw lies about one."""
    sample = demo_sample(settings, customers=1_300)
    pipeline = make_pipeline(FAMILIES[name], settings)
    if name == "decision_tree":     # a free tree remembers its customers and promises 0 or 1
        pipeline.set_params(model__min_samples_leaf=20)
    model = calibrated(pipeline, settings)
    model.fit(sample.matrix[sample.train], sample.fallen[sample.train])
    risk = probabilities(model, sample.matrix[sample.test])
    found = calibration(sample.fallen[sample.test], risk, seed=1)
    # 325 customers tell a slope to within a quarter or so.
    assert 0.7 < found.slope.value < 1.4
    assert found.intercept.low < 0.2
    assert found.intercept.high > -0.2


@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_blocked_kernels_equal_libsvm(settings, kernel):
    sample = demo_sample(settings, customers=300)
    pipeline = make_pipeline(FAMILIES["support_vectors"], settings).set_params(
        model__kernel=kernel, model__gamma=0.05, **{SCALING: RobustScaler()})
    model = calibrated(pipeline, settings).fit(sample.matrix, sample.fallen)
    many = np.tile(sample.matrix, (40, 1))  # more than one block
    np.testing.assert_allclose(probabilities(model, many), model.predict_proba(many)[:, 1],
                               atol=1e-9)


def test_a_value_outside_the_contract_is_unknown(settings):
    table = customers_table(settings, customers=250)
    place = table.column_names.index("service_tier")
    odd = pa.array(["gold", *table["service_tier"].to_pylist()[1:]])
    table = table.set_column(place, "service_tier", odd)
    assert np.isnan(to_matrix(table, settings)[0, settings.features.index("service_tier")])


@pytest.mark.parametrize("name", ["nearest_neighbours", "support_vectors"])
def test_slow_families_learn_from_no_more_rows_than_their_own_cap(settings, name):
    sample = demo_sample(settings, customers=700)
    capped = settings.model_copy(update={"model": settings.model.model_copy(
        update={"slow_sample": 250})})
    plain, few = (make_pipeline(FAMILIES[name], one).fit(sample.matrix, sample.fallen)
                  for one in (settings, capped))
    assert plain["model"].shape_fit_[0] == 700 if name == "support_vectors" else (
        plain["model"].n_samples_fit_ == 700)
    kept = (few["model"].shape_fit_[0] if name == "support_vectors"
            else few["model"].n_samples_fit_)
    assert kept == 250
    again = make_pipeline(FAMILIES[name], capped).fit(sample.matrix, sample.fallen)
    assert (again.predict(sample.matrix) == few.predict(sample.matrix)).all()
    # Still a model: it orders customers it has not learned from nearly as well.
    scores = [roc_auc_score(sample.fallen, probabilities(
        calibrated(one, settings).fit(sample.matrix, sample.fallen), sample.matrix))
        for one in (plain, few)]
    assert scores[1] > scores[0] - 0.08
    assert family_of(few) == name
