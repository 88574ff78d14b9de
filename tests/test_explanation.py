"""What is named as a factor, with which direction and size, and what is not."""

from dataclasses import replace

import numpy as np
import pytest
from samples import demo_sample, small, with_labels

from reportgen import explanation, scoring
from reportgen.estimators import CANDIDATES, calibrated, make_pipeline


def explained(settings, family=2, world="linear", labels=None, usable=True, **parameters):
    sample = demo_sample(settings, customers=400, world=world)
    if labels is not None:
        sample = with_labels(sample, labels(sample))
    pipeline = make_pipeline(CANDIDATES[family], settings).set_params(
        **{f"model__{name}": value for name, value in parameters.items()})
    model = calibrated(pipeline, settings)
    model.fit(sample.matrix[sample.train], sample.fallen[sample.train])
    folds = scoring.fit_scorer(pipeline, sample, settings).folds
    found = explanation.explain(model, pipeline, folds, sample, settings, usable=usable)
    return sample, model, found


@pytest.fixture(scope="module")
def quick(settings):
    """Settings of a quick run: twenty refits."""
    return small(settings, effort="quick")


@pytest.fixture(scope="module")
def result(quick):
    return explained(quick)[2]


FAMILIES = [pytest.param(place, id=family.name,
                         marks=[] if place < 4 else pytest.mark.slow)     # forests take ten seconds
            for place, family in enumerate(CANDIDATES)]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_explained_on_the_contracts_columns(quick, family):
    found = explained(quick, family)[2]
    assert sorted(driver.column for driver in found.drivers) == sorted(quick.features)
    assert sum(driver.share for driver in found.drivers) == pytest.approx(1)
    members = [name for group in found.groups for name in group.columns]
    assert sorted(members) == sorted(quick.features)
    assert found.refits == 20
    for driver in found.drivers:
        assert driver.importance.low <= driver.importance.value <= driver.importance.high
        assert driver.rank_low <= driver.rank <= driver.rank_high


def test_values_add_up_to_the_prediction(result):
    assert result.additivity_error < 1e-9


def test_direction_follows_the_data(quick):
    pages = quick.features.index("pages_per_visit")

    def many_pages(sample):
        return sample.matrix[:, pages] > np.median(sample.matrix[:, pages])

    _, _, up = explained(quick, labels=many_pages)
    _, _, down = explained(quick, labels=lambda sample: ~many_pages(sample))
    assert (up.drivers[0].column, up.drivers[0].direction) == ("pages_per_visit", "up")
    assert (down.drivers[0].column, down.drivers[0].direction) == ("pages_per_visit", "down")


def test_a_u_shape_has_no_single_direction(quick):
    days = quick.features.index("days_registered")

    def ends(sample):
        ranks = np.argsort(np.argsort(sample.matrix[:, days])) / len(sample.matrix)
        return (ranks < 0.25) | (ranks > 0.75)

    _, _, found = explained(quick, 0, labels=ends, max_depth=4, min_samples_leaf=10)
    assert (found.drivers[0].column, found.drivers[0].direction) == ("days_registered", "unclear")


def test_bins_of_the_top_drivers_count_everyone_once(quick):
    sample, _, found = explained(quick)
    for driver in found.drivers[:explanation.DETAILED_DRIVERS]:
        assert sum(group.customers for group in driver.bins) == len(sample.fallen)
        fallen = sum(group.decline.value * group.customers for group in driver.bins)
        assert fallen == pytest.approx(sample.fallen.sum())
    assert all(not driver.bins for driver in found.drivers[explanation.DETAILED_DRIVERS:])


def test_a_categorys_values_are_explained_as_one_column(quick):
    place = quick.features.index("popular_category")
    # The first category of the contract alone declines.
    _, _, found = explained(quick, 0, labels=lambda sample: sample.matrix[:, place] == 0)
    top = found.drivers[0]
    assert (top.column, top.direction, top.correlation) == ("popular_category", "unclear", None)
    rates = {group.value: group.decline.value for group in top.bins}
    first = next(iter(quick.columns["popular_category"].values))
    assert rates.pop(first) == 1
    assert set(rates.values()) == {0}


def test_what_decides_is_named_with_its_size_and_its_end(quick):
    pages = quick.features.index("pages_per_visit")
    sample, _, found = explained(
        quick, labels=lambda sample: sample.matrix[:, pages] <= np.median(sample.matrix[:, pages]))
    top = found.drivers[0]
    assert (top.column, top.rank, top.rank_high, top.headlined) == ("pages_per_visit", 1, 1, True)
    assert top.top_share == top.direction_share == 1.0
    assert (top.effect.side, top.effect.value) == ("low", "")
    # The ends are values that customers have, the risky one below the safe one.
    assert top.effect.risky < top.effect.safe
    assert {top.effect.risky, top.effect.safe} <= set(sample.matrix[:, pages])
    # Half of the customers fall for certain, and nothing but pages tells who.
    assert top.effect.size.low > 0.5
    assert top.permutation.low > 0.3
    assert top.permutation_rank == 1
    others = [driver.column for driver in found.headlined[1:]]
    assert not {"permission", "days_registered", "contacts_current"} & set(others)


def test_no_factor_of_a_model_that_may_not_be_used_is_named(quick):
    assert explained(quick)[2].headlined
    assert explained(quick, usable=False)[2].headlined == ()


def test_without_any_signal_no_factor_is_named(quick):
    def shuffled(sample):
        return np.random.default_rng(5).permutation(sample.fallen)

    assert explained(quick, labels=shuffled)[2].headlined == ()


def test_columns_of_a_group_are_added_up(result):
    minutes = next(group for group in result.groups if "minutes_current" in group.columns)
    assert {"minutes_current", "minutes_previous", "minutes_change"} <= set(minutes.columns)
    members = {d.column: d for d in result.drivers if d.column in minutes.columns}
    # The sum's size is at most the sum of the sizes, and its first column is the largest.
    assert minutes.importance.value <= sum(d.importance.value for d in members.values()) + 1e-12
    assert minutes.columns[0] == min(members.values(), key=lambda d: d.rank).column
    assert {d.group for d in members.values()} == {minutes.columns[0]}
    assert sum(group.share for group in result.groups) == pytest.approx(1)


def test_a_group_is_divided_where_its_two_places_disagree(result):
    by_name = {driver.column: driver for driver in result.drivers}
    for group in result.groups:
        apart = any(abs(by_name[name].rank - by_name[name].permutation_rank) > 3
                    for name in group.columns)
        assert group.divided == (len(group.columns) > 1 and apart)


def test_a_constant_column_has_neither_effect_nor_direction(quick):
    sample = demo_sample(quick, customers=400)
    place = quick.features.index("service_errors")
    matrix = sample.matrix.copy()
    matrix[:, place] = 2.0
    sample = replace(sample, matrix=matrix)
    pipeline = make_pipeline(CANDIDATES[2], quick)
    model = calibrated(pipeline, quick).fit(matrix[sample.train], sample.fallen[sample.train])
    folds = scoring.fit_scorer(pipeline, sample, quick).folds
    found = explanation.explain(model, pipeline, folds, sample, quick, usable=True)
    constant = next(d for d in found.drivers if d.column == "service_errors")
    assert (constant.effect, constant.correlation, constant.direction) == (None, None, "unclear")
    assert (constant.importance.value, constant.permutation.value) == pytest.approx((0, 0))
    assert not constant.headlined
