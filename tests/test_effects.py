"""How much more risk one end of a column has, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen.effects import effect
from reportgen.stability import Refits

#: Nine customers; the lower third has values 1 to 3, the upper one 7 to 9.
VALUES = np.arange(1.0, 10.0)


def refits(values: np.ndarray, *tables: np.ndarray) -> Refits:
    """Refits on the same customers, each drawn once."""
    own = np.array(tables)[:, :, None]
    everyone = np.tile(np.arange(len(values)), (len(tables), 1))
    return Refits(values[:, None], own, everyone)


def test_the_ends_of_a_number_are_its_thirds(settings):
    contributions = np.array([0.3, 0.3, 0.3, 0, 0, 0, -0.1, -0.1, -0.1])
    again = refits(VALUES, contributions, contributions + np.where(VALUES <= 3, 0.1, 0.0))
    found = effect(VALUES, contributions, again, 0, settings.columns["pages_per_visit"])
    assert (found.side, found.risky, found.safe, found.value) == ("low", 4.0, 6.0, "")
    # At 4 and less 0.225 on average, at 6 and more -0.075.
    assert found.size.value == pytest.approx(0.3)
    # The refits differ by 0.075 at the risky end, so their standard deviation is 0.075 / sqrt 2.
    assert found.size.high - found.size.value == pytest.approx(1.96 * 0.075 / 2**0.5, abs=1e-4)


def test_the_risky_end_is_where_the_contributions_are(settings):
    contributions = (VALUES - 5) / 10
    again = refits(VALUES, contributions, contributions)
    found = effect(VALUES, contributions, again, 0, settings.columns["pages_per_visit"])
    assert (found.side, found.risky, found.safe) == ("high", 6.0, 4.0)
    assert found.size.low == found.size.value == found.size.high > 0


def test_a_number_most_customers_share_is_held_against_the_others(settings):
    values = np.array([0.0] * 8 + [3.0])
    contributions = np.array([-0.01] * 8 + [0.2])
    found = effect(values, contributions, refits(values, contributions, contributions), 0,
                   settings.columns["unpaid_items"])
    assert (found.side, found.risky, found.safe) == ("high", 3.0, 0.0)
    assert found.size.value == pytest.approx(0.21)


def test_a_category_is_told_by_its_riskiest_value(settings):
    values = np.array([0.0] * 12 + [1.0] * 15 + [2.0] * 3)
    # The third value is riskier still, but only three customers have it.
    contributions = np.array([0.1] * 12 + [-0.1] * 15 + [0.9] * 3)
    column = settings.columns["popular_category"]
    found = effect(values, contributions, refits(values, contributions, contributions), 0, column)
    assert (found.side, found.value, found.risky) == ("value", "children", None)
    # 0.1 against (15 · -0.1 + 3 · 0.9) / 18 = 0.0667.
    assert found.size.value == pytest.approx(0.1 - 1.2 / 18)


@pytest.mark.parametrize("values", [np.full(9, 2.0), np.full(9, np.nan)])
def test_a_column_without_two_ends_has_no_effect(settings, values):
    contributions = np.zeros(9)
    assert effect(values, contributions, refits(values, contributions, contributions), 0,
                  settings.columns["unpaid_items"]) is None
