"""Columns that say nearly the same stand together."""

from __future__ import annotations

import numpy as np
from samples import demo_sample

from reportgen.groups import driver_groups


def named(groups, settings):
    return [{settings.features[place] for place in group} for group in groups]


def test_the_contracts_groups_are_kept_and_everybody_is_in_one(settings):
    sample = demo_sample(settings, customers=400)
    groups = driver_groups(sample.matrix, settings)
    assert sorted(place for group in groups for place in group) == list(range(19))
    found = named(groups, settings)
    minutes = next(group for group in found if "minutes_current" in group)
    assert {"minutes_current", "minutes_previous", "minutes_change"} <= minutes
    assert {"popular_category"} in found


def test_numbers_whose_ranks_go_together_join(settings):
    sample = demo_sample(settings, customers=400)
    matrix = sample.matrix.copy()
    place = {name: position for position, name in enumerate(settings.features)}
    # A curve of the pages: the ranks are the same, whatever the shape; and against another one.
    matrix[:, place["unpaid_items"]] = np.exp(-matrix[:, place["pages_per_visit"]])
    joined = next(group for group in named(driver_groups(matrix, settings), settings)
                  if "unpaid_items" in group)
    assert "pages_per_visit" in joined


def test_a_group_of_the_contract_brings_its_relations_along(settings):
    sample = demo_sample(settings, customers=400)
    matrix = sample.matrix.copy()
    place = {name: position for position, name in enumerate(settings.features)}
    matrix[:, place["service_errors"]] = matrix[:, place["revenue_previous"]]
    joined = next(group for group in named(driver_groups(matrix, settings), settings)
                  if "service_errors" in group)
    assert {"revenue_current", "revenue_change", "revenue_previous"} <= joined


def test_constants_and_unknown_values_stand_alone(settings):
    sample = demo_sample(settings, customers=400)
    matrix = sample.matrix.copy()
    place = {name: position for position, name in enumerate(settings.features)}
    matrix[:, place["service_errors"]] = 3.0
    matrix[:, place["contacts_current"]] = np.nan
    found = named(driver_groups(matrix, settings), settings)
    assert {"service_errors"} in found
    assert {"contacts_current"} in found
