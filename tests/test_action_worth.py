"""What an action is worth under the assumptions, and the figure to watch."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from reports import make_report
from scipy import stats
from stores import scored_table

from reportgen import action_worth
from reportgen.config import Settings
from reportgen.results import Recommendation, Report

REPORT = make_report()
ITEMS = {item.code: item for item in (*REPORT.recommendations, *REPORT.further)}


@pytest.fixture
def store(settings: Settings) -> Settings:
    """A contact costs 10, an offer 300; three in ten accept, known as from 20 customers."""
    given = settings.assumptions.model_copy(update={
        "contact_cost": 10.0, "offer_cost": 300.0, "acceptance": 0.3, "horizon_months": 6.0,
        "loss_share": 0.5, "profit_unit": 1000.0})
    return settings.model_copy(update={"assumptions": given})


def valued(item: Recommendation, store: Settings, *, inside: int = 20,
           earlier: Report | None = None) -> Recommendation:
    """Forty customers, each at risk 0.8 and worth 5,000; the last ten may not be messaged."""
    scored = scored_table(store, {
        "risk": [0.8] * 40, "fallen": [True] * 40, "contactable": [True] * 30 + [False] * 10,
        "value_at_risk": pa.array([0.8 * 5_000.0] * 40), "promo_share": [0.5] * 40,
        "unpaid_items": [5.0] * inside + [1.0] * (40 - inside),
    })
    meant = {} if item.status == "unsupported" else {item.code: scored["unpaid_items"] >= 4}
    return action_worth.valued([item], scored, meant, REPORT.focus, store, customers=1296,
                               earlier=earlier)[0]


def supported(code: str) -> Recommendation:
    return replace(ITEMS[code], status="supported")


def test_the_profit_of_an_audience_is_that_of_its_customers(store: Settings) -> None:
    worth = valued(supported("R1"), store).worth
    assert worth is not None
    # A contact brings 0.3·0.8·(5,000 − 300) − 0.2·300 − 10 = 1,128 − 60 − 10 = 1,058.
    assert worth.customers == 20
    assert worth.profit.value == pytest.approx(20 * 1_058)
    assert worth.value_at_risk == pytest.approx(20 * 4_000)
    assert worth.break_even == pytest.approx(1_068)
    # Of 20 offers half go to purchases on promotion anyway.
    assert worth.given_away == pytest.approx(20 * 0.5 * 300)


def test_the_range_is_that_of_the_acceptance(store: Settings) -> None:
    worth = valued(supported("R2"), store).worth
    assert worth is not None
    ends = [20 * (accept * 0.8 * 4_700 - 70) for accept in stats.beta(6, 14).ppf([0.025, 0.975])]
    assert (worth.profit.low, worth.profit.high) == pytest.approx(tuple(ends))
    assert worth.given_away is None


def test_only_those_who_may_be_messaged_count(store: Settings) -> None:
    worth = valued(supported("R7"), store, inside=40).worth
    assert worth is not None
    assert worth.customers == 30


def test_nothing_is_said_of_few_customers_without_support_or_assumptions(
    store: Settings, settings: Settings
) -> None:
    assert valued(supported("R1"), store, inside=9).worth is None
    assert valued(replace(ITEMS["R1"], status="unsupported"), store).worth is None
    assert valued(supported("R1"), settings).worth is None


@pytest.mark.parametrize(("code", "name", "better"), [
    ("R1", "focus_share", "down"), ("R2", "focus_share", "down"), ("R3", "focus_mean", "up"),
    ("R4", "promo_buyers_decline", "down"), ("R5", "flagged", "down"),
    ("R6", "group_share", "down"),
    ("R7", "group_share", "down"),
])
def test_every_recommendation_has_a_figure_to_watch(store: Settings, code: str, name: str,
                                                    better: str) -> None:
    kpi = valued(ITEMS[code], store).kpi
    assert kpi is not None
    assert (kpi.name, kpi.better, kpi.previous) == (name, better, None)


def test_the_figure_is_told_beside_that_of_the_month_before(store: Settings) -> None:
    now = valued(ITEMS["R7"], store)
    assert now.kpi is not None
    assert now.kpi.value == pytest.approx(444 / 1296)
    before = replace(now, kpi=replace(now.kpi, value=0.41))
    then = replace(REPORT, further=(before,))
    later = valued(ITEMS["R7"], store, earlier=then).kpi
    assert later is not None
    assert later.previous == 0.41
    # Another column is another figure.
    other = replace(then, further=(replace(before, kpi=replace(now.kpi, column="profit")),))
    changed = valued(ITEMS["R7"], store, earlier=other).kpi
    assert changed is not None
    assert changed.previous is None


def test_a_hidden_figure_is_not_watched(store: Settings) -> None:
    few = replace(ITEMS["R7"].evidence, decline=None, customers=4)
    assert valued(replace(ITEMS["R7"], evidence=few), store).kpi is None
