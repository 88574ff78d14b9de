"""Sample, split and search."""

import ibis
import numpy as np
import pytest
from samples import customers_table, demo_sample, small

from reportgen.model_selection import search
from reportgen.sample import draw_sample


def test_the_split_is_stratified_and_leaves_nobody_out(settings):
    sample = demo_sample(settings, customers=600)
    everyone = np.sort(np.concatenate([sample.train, sample.test]))
    assert everyone.tolist() == list(range(len(sample.fallen)))
    assert len(sample.test) == pytest.approx(0.25 * len(sample.fallen), abs=1)
    # A stratified part has the share of the whole to within one customer.
    fallen = sample.fallen.mean()
    assert sample.fallen[sample.test].sum() == pytest.approx(fallen * len(sample.test), abs=1)


def test_another_seed_splits_otherwise_and_the_same_seed_alike(settings):
    first = demo_sample(settings, customers=300)
    again = demo_sample(settings, customers=300)
    other = demo_sample(small(settings, seed=21), customers=300)
    assert first.test.tolist() == again.test.tolist()
    assert first.test.tolist() != other.test.tolist()


def test_a_large_store_is_thinned_to_the_sample_with_the_share_of_the_classes_kept(settings):
    table = customers_table(settings, customers=2_000)
    sample = draw_sample(ibis.memtable(table), small(settings, sample=500))
    assert len(sample.fallen) == 500
    share = np.mean([value == "fallen" for value in table["activity"].to_pylist()])
    assert sample.fallen.sum() == pytest.approx(500 * share, abs=1)
    assert set(sample.frame["id"]) <= set(table["id"].to_pylist())


@pytest.fixture(scope="module")
def found(settings):
    settings = small(settings, candidates=16)
    return settings, search(demo_sample(settings, customers=400), settings)


def test_the_search_keeps_the_best_of_every_family_best_first(found):
    settings, candidates = found
    assert {c.family for c in candidates} == set(settings.model.families)
    assert sum(c.tried for c in candidates) == 16
    scores = [c.cv_mean for c in candidates]
    assert scores == sorted(scores, reverse=True)
    assert all(0.5 < score < 1 for score in scores)


def test_only_the_tree_is_found_unscaled(found):
    for candidate in found[1]:
        assert (candidate.scaling == "passthrough") == (candidate.family == "decision_tree")
        assert candidate.parameters


def test_the_search_is_the_same_for_the_same_seed(found, settings):
    again = search(demo_sample(found[0], customers=400), found[0])
    assert [(c.family, c.parameters, c.cv_mean) for c in again] == [
        (c.family, c.parameters, c.cv_mean) for c in found[1]]


def test_families_can_be_left_out(settings):
    only = small(settings, candidates=4, families=("logistic_regression",))
    assert [c.family for c in search(demo_sample(only, customers=300), only)] == [
        "logistic_regression"]
