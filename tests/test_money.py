"""Money is spoken of under assumptions only, and within its bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import demo_sample

from reportgen import campaigns, config, money
from reportgen.config import Settings
from reportgen.errors import DataError
from reportgen.results import Money
from reportgen.sample import Sample

GIVEN = """
[assumptions]
contact_cost = 10
offer_cost = 300
acceptance = 0.3
horizon_months = 6
loss_share = 0.5
profit_unit = {unit}
"""


@pytest.fixture(scope="module")
def store() -> Settings:
    return config.parse(GIVEN.format(unit=500))


@pytest.fixture(scope="module")
def sample(store: Settings) -> Sample:
    return demo_sample(store, customers=600)


@pytest.fixture(scope="module")
def risk(sample: Sample) -> np.ndarray:
    """Risks that tell the fallen apart well but not perfectly."""
    rng = np.random.default_rng(1)
    score = np.where(sample.fallen, 1.0, -1.0) + rng.normal(0, 1.2, len(sample.fallen))
    return 1 / (1 + np.exp(-1.4 * score))


@pytest.fixture(scope="module")
def found(sample: Sample, risk: np.ndarray, store: Settings) -> Money:
    return money.evaluate(sample, risk, store, customers=len(risk), usable=True)


def test_without_assumptions_nothing_is_claimed(sample, risk, settings):
    told = money.evaluate(sample, risk, settings, customers=600, usable=True)
    assert told.missing == ("contact_cost", "offer_cost", "acceptance", "horizon_months",
                            "loss_share", "profit_unit")
    assert (told.campaigns, told.curve, told.empc, told.assumptions) == ((), (), None, None)


def test_a_model_that_may_not_be_used_earns_nothing(sample, risk, store):
    told = money.evaluate(sample, risk, store, customers=600, usable=False)
    assert (told.missing, told.campaigns, told.bands) == ((), (), ())


def test_campaigns_stand_in_their_order_with_bounds(found):
    assert tuple(one.name for one in found.campaigns) == money.NAMES
    for one in found.campaigns:
        assert one.profit.low <= one.profit.value <= one.profit.high
        assert one.per_customer.value == pytest.approx(one.profit.value / found.customers)
    assert found.campaigns[0].profit.value == 0.0


def test_the_advantage_is_the_difference_of_the_values(found):
    value = {one.name: one.profit.value for one in found.campaigns}
    for name, advantage in found.advantage.items():
        assert advantage.value == pytest.approx(value["highest_risk"] - value[name])
    assert "highest_risk" not in found.advantage


def test_knowing_the_fallen_beats_guessing_them(found):
    assert found.advantage["known_fallen"].high < 0 < found.advantage["random"].low


def test_the_curve_runs_from_nobody_to_everybody(found):
    value = {one.name: one.profit.value for one in found.campaigns}
    assert (found.curve[0].share, found.curve[0].profit) == (0.0, 0.0)
    assert found.curve[-1].share == 1.0
    assert found.curve[-1].profit == pytest.approx(value["everyone"])
    best = max(found.curve, key=lambda point: point.profit)
    assert found.best_share == pytest.approx(best.share)


def test_amounts_are_those_of_all_customers(sample, risk, store, found):
    tenfold = money.evaluate(sample, risk, store, customers=10 * len(risk), usable=True)
    for one, ten in zip(found.campaigns, tenfold.campaigns, strict=True):
        assert ten.profit.value == pytest.approx(10 * one.profit.value)
        assert ten.share == one.share
    assert sum(band.customers for band in tenfold.bands) == pytest.approx(10 * len(risk), abs=5)


def test_every_assumption_is_varied_either_way(found):
    assert [(row.assumption, row.factor) for row in found.sensitivity] == [
        (name, factor) for name in money.VARIED for factor in (0.5, 1.5)]
    by = {(row.assumption, row.factor): row for row in found.sensitivity}
    assert by["acceptance", 1.5].value == pytest.approx(0.45)
    # More who accept, or more to keep, is worth more; a dearer offer less.
    now = next(one for one in found.campaigns if one.name == "highest_risk").profit.value
    for name in ("acceptance", "horizon_months", "loss_share"):
        assert by[name, 0.5].profit.value < now < by[name, 1.5].profit.value
    for name in ("contact_cost", "offer_cost"):
        assert by[name, 1.5].profit.value < now < by[name, 0.5].profit.value


def test_a_sign_that_changes_is_marked(sample, risk):
    poor = config.parse(GIVEN.format(unit=130))
    told = money.evaluate(sample, risk, poor, customers=len(risk), usable=True)
    now = next(one for one in told.campaigns if one.name == "highest_risk").profit.low > 0
    assert {row.sign_changes for row in told.sensitivity} == {True, False}
    for row in told.sensitivity:
        assert row.pays == (row.profit.low > 0)
        assert row.sign_changes == (row.pays != now)


def test_no_campaign_pays_where_little_can_be_kept(sample, risk):
    told = money.evaluate(sample, risk, config.parse(GIVEN.format(unit=28)),
                          customers=len(risk), usable=True)
    assert not told.pays
    assert any(band.threshold is None for band in told.bands)


def test_bands_of_value_rise_and_their_break_even_falls(found):
    values = [band.value for band in found.bands]
    thresholds = [band.threshold for band in found.bands]
    assert values == sorted(values)
    assert thresholds == sorted(thresholds, reverse=True)
    own = next(one for one in found.campaigns if one.name == "own_threshold")
    assert sum(band.contacted for band in found.bands) == own.customers


def test_an_offer_dearer_than_nearly_every_customer_stops_the_run(sample, store, settings):
    money.check_unit(sample, store)
    money.check_unit(sample, settings)      # without assumptions there is nothing to check
    wrong = config.parse(GIVEN.format(unit=1))
    with pytest.raises(DataError, match="check the unit") as raised:
        money.check_unit(sample, wrong)
    assert raised.value.exit_code == 3
    assert [(p.code, p.file, p.column) for p in raised.value.problems] == [
        ("offer_cost", "money", "Прибыль")]


def test_customers_without_profit_are_worth_nothing_and_never_contacted(sample, risk, store):
    frame = sample.frame.copy()
    frame.loc[:9, "profit"] = [-5.0, np.nan] * 5
    told = replace(sample, frame=frame)
    values = money._values(told, store)
    assert (values[:10] == 0).all()
    assert np.isinf(campaigns.threshold(values[:10], campaigns.terms(store.assumptions))).all()
