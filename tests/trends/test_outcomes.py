"""What was said of customers, held against their class of the month after."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from reports import make_report
from sklearn.metrics import brier_score_loss, roc_auc_score

from reportgen.config import Settings
from reportgen.results import Expected
from reportgen.trends.outcomes import hold

from .two_months import two_months

RNG = np.random.default_rng(5)
SIZE = 400
RISK = RNG.uniform(0.05, 0.95, SIZE)
FELL = RNG.random(SIZE) < RISK
FELL_THEN = RNG.random(SIZE) < 0.4
BANDS = np.where(RISK < 0.3, "low", np.where(RISK < 0.6, "medium", "high"))
IDS = [f"c{i}" for i in range(SIZE)]


def promised(settings: Settings, *, apart: int = 1, gone: int = 0, risk=RISK):
    then = {"id": IDS, "risk": [0.5] * SIZE, "risk_band": ["medium"] * SIZE,
            "forecast": risk.tolist(), "forecast_band": BANDS.tolist(),
            "fallen": FELL_THEN.tolist()}
    return two_months(settings, then, {"id": IDS[gone:], "fallen": FELL[gone:].tolist()},
                      apart=apart)


def test_promises_that_hold_are_found_to_hold(settings: Settings) -> None:
    held, _ = hold(promised(settings), settings)
    assert (held.of, held.customers, held.known, held.lost) == ("forecast", SIZE, SIZE, 0)
    assert held.roc_auc.value == pytest.approx(roc_auc_score(FELL, RISK))
    assert held.brier.value == pytest.approx(brier_score_loss(FELL, RISK))
    assert held.verdict == "agrees"


def test_whom_the_forecast_warned_of_is_held_apart(settings: Settings) -> None:
    held, _ = hold(promised(settings), settings)
    steady = ~FELL_THEN
    named = steady & (BANDS == "high")
    assert held.steady == Expected(steady.sum(), round(RISK[steady].sum()), FELL[steady].sum())
    assert held.named == Expected(named.sum(), round(RISK[named].sum()), FELL[named].sum())
    assert held.treated == make_report().programme.treated


def test_bands_tell_what_was_promised_and_what_came(settings: Settings) -> None:
    held, _ = hold(promised(settings), settings)
    high = held.bands[-1]
    inside = BANDS == "high"
    assert high.promised == pytest.approx(RISK[inside].mean())
    assert high.observed.value == pytest.approx(FELL[inside].mean())
    assert sum(band.customers for band in held.bands) == SIZE
    assert held.fallen == FELL.sum()


def test_promises_three_times_as_sure_are_found_too_extreme(settings: Settings) -> None:
    odds = 3 * np.log(RISK / (1 - RISK))
    held, _ = hold(promised(settings, risk=1 / (1 + np.exp(-odds))), settings)
    assert held.slope.high < 1
    assert held.verdict == "too_sure"


@pytest.mark.parametrize(("shift", "verdict"), [(-1.0, "too_low"), (1.0, "too_high")])
def test_promises_that_miss_to_one_side_are_told_so(
    settings: Settings, shift: float, verdict: str
) -> None:
    odds = np.log(RISK / (1 - RISK)) + shift
    held, _ = hold(promised(settings, risk=1 / (1 + np.exp(-odds))), settings)
    assert held.verdict == verdict


def test_the_lost_are_counted_and_not_taken_for_steady(settings: Settings) -> None:
    held, _ = hold(promised(settings, gone=60), settings)
    assert (held.known, held.lost, held.fallen) == (SIZE - 60, 60, FELL[60:].sum())
    assert sum(band.lost for band in held.bands) == 60
    assert held.roc_auc.value == pytest.approx(roc_auc_score(FELL[60:], RISK[60:]))


def test_forecast_is_held_to_the_next_month_only(settings: Settings) -> None:
    found = hold(promised(settings, apart=2), settings)
    assert [(held.of, held.verdict) for held in found] == [("recognised", "unknown")]


def test_few_outcomes_of_a_class_give_no_score(settings: Settings) -> None:
    then = {"id": IDS[:30], "risk": RISK[:30].tolist(), "risk_band": BANDS[:30].tolist()}
    pair = two_months(settings, then, {"id": IDS[:30], "fallen": [True] * 4 + [False] * 26})
    (held,) = hold(pair, settings)
    assert (held.roc_auc, held.slope, held.fallen) == (None, None, 4)


def test_month_whose_model_was_withheld_said_nothing(settings: Settings) -> None:
    pair = two_months(settings, {"id": IDS, "risk": pa.nulls(SIZE, pa.float64()),
                                 "risk_band": pa.nulls(SIZE, pa.string())},
                      {"id": IDS, "fallen": FELL.tolist()})
    assert hold(pair, settings) == ()
