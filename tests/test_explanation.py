"""SHAP values on the contract's columns, against an exact oracle."""

import numpy as np
import pytest
from samples import demo_sample, small, with_labels

from reportgen import explanation
from reportgen.estimators import CANDIDATES, calibrated, make_pipeline


def explained(settings, family=2, world="linear", labels=None, **parameters):
    sample = demo_sample(settings, customers=400, world=world)
    if labels is not None:
        sample = with_labels(sample, labels(sample))
    pipeline = make_pipeline(CANDIDATES[family], settings).set_params(
        **{f"model__{name}": value for name, value in parameters.items()})
    model = calibrated(pipeline, settings)
    model.fit(sample.matrix[sample.train], sample.fallen[sample.train])
    return sample, model, explanation.explain(model, sample, settings)


@pytest.fixture(scope="module")
def result(settings):
    return explained(small(settings))[2]


@pytest.mark.parametrize("family", range(len(CANDIDATES)), ids=[c.name for c in CANDIDATES])
def test_every_family_is_explained_on_the_contracts_columns(settings, family):
    settings = small(settings)
    drivers = explained(settings, family)[2].drivers
    assert sorted(driver.column for driver in drivers) == sorted(settings.features)
    assert sum(driver.share for driver in drivers) == pytest.approx(1)


def test_values_add_up_to_the_prediction(result):
    assert result.additivity_error < 1e-9


def test_values_agree_with_the_exact_ones_where_these_are_known(settings):
    """Without interactions one forward and backward round is exact.

    For f(x) = Σ wⱼ·xⱼ the Shapley value of column j is wⱼ·(xⱼ − mean of the background).
    """
    rng = np.random.default_rng(3)
    rows, background = rng.normal(size=(6, 4)), rng.normal(size=(5, 4))
    weights = np.array([0.5, -1.0, 0.0, 2.0])
    values, base = explanation.shap_values(lambda masked: masked @ weights, rows, background,
                                           seed=1)
    np.testing.assert_allclose(values, weights * (rows - background.mean(axis=0)), atol=1e-12)
    assert base == pytest.approx(float(background.mean(axis=0) @ weights))


def test_direction_follows_the_data(settings):
    settings = small(settings)
    pages = settings.features.index("pages_per_visit")

    def many_pages(sample):
        return sample.matrix[:, pages] > np.median(sample.matrix[:, pages])

    _, _, up = explained(settings, labels=many_pages)
    _, _, down = explained(settings, labels=lambda sample: ~many_pages(sample))
    assert (up.drivers[0].column, up.drivers[0].direction) == ("pages_per_visit", "up")
    assert (down.drivers[0].column, down.drivers[0].direction) == ("pages_per_visit", "down")


def test_a_u_shape_has_no_single_direction(settings):
    settings = small(settings)
    days = settings.features.index("days_registered")

    def ends(sample):
        ranks = np.argsort(np.argsort(sample.matrix[:, days])) / len(sample.matrix)
        return (ranks < 0.25) | (ranks > 0.75)

    _, _, found = explained(settings, 0, labels=ends, max_depth=4, min_samples_leaf=10)
    assert (found.drivers[0].column, found.drivers[0].direction) == ("days_registered", "unclear")


def test_bins_of_the_top_drivers_count_everyone_once(settings):
    sample, _, found = explained(small(settings))
    for driver in found.drivers[:explanation.DETAILED_DRIVERS]:
        assert sum(group.customers for group in driver.bins) == len(sample.fallen)
        fallen = sum(group.decline.value * group.customers for group in driver.bins)
        assert fallen == pytest.approx(sample.fallen.sum())
    assert all(not driver.bins for driver in found.drivers[explanation.DETAILED_DRIVERS:])


def test_a_categorys_values_are_explained_as_one_column(settings):
    settings = small(settings)
    place = settings.features.index("popular_category")
    # The first category of the contract alone declines.
    _, _, found = explained(settings, 0, labels=lambda sample: sample.matrix[:, place] == 0)
    top = found.drivers[0]
    assert (top.column, top.direction, top.correlation) == ("popular_category", "unclear", None)
    rates = {group.value: group.decline.value for group in top.bins}
    first = next(iter(settings.columns["popular_category"].values))
    assert rates.pop(first) == 1
    assert set(rates.values()) == {0}
