"""Thresholds found on one part and judged on the other."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import pytest
from stores import parts, scored_table

from reportgen.config import Settings
from reportgen.intervals import newcombe, wilson
from reportgen.results import Signal
from reportgen.signals import FALLS, find_signals, showing


def only(settings: Settings, *, levels: tuple[str, ...] = (),
         falls: tuple[str, ...] = ()) -> Settings:
    names = settings.recommendations.model_copy(update={"levels": levels, "falls": falls})
    return settings.model_copy(update={"recommendations": names})


def table(settings: Settings, **columns: list[Any]) -> ir.Table:
    return scored_table(settings, columns)


def one(settings: Settings, scored: ir.Table) -> Signal:
    (signal,) = find_signals(scored, settings)
    return signal


@pytest.fixture(scope="module")
def minutes(settings: Settings) -> Settings:
    return only(settings, levels=("minutes_current",))


# 400 customers, a quarter in the test part. Of the 160 with 2 minutes 80 % fell, of the 240 with
# 5 to 9 minutes a tenth.
MINUTES = [2.0] * 160 + [5.0, 6.0, 7.0, 8.0, 9.0] * 48
FALLEN = [i % 160 < 128 for i in range(160)] + [i < 24 for i in range(240)]


def test_a_low_level_with_more_fallen_customers_is_confirmed(minutes: Settings) -> None:
    signal = one(minutes, table(minutes, minutes_current=MINUTES, fallen=FALLEN))
    assert (signal.column, signal.form, signal.threshold) == ("minutes_current", "level", 2.0)
    # The test part: 40 customers with 2 minutes, 32 of them fell; 6 of the 60 others.
    assert signal.below == wilson(32, 40)
    assert signal.above == wilson(6, 60)
    assert signal.difference == newcombe(32, 40, 6, 60)
    assert signal.finding == "confirmed"
    assert (signal.customers, signal.fallen) == (160, 128)


def test_a_low_level_with_fewer_fallen_customers_is_opposite(minutes: Settings) -> None:
    steady = [not fallen for fallen in FALLEN]
    signal = one(minutes, table(minutes, minutes_current=MINUTES, fallen=steady))
    assert (signal.threshold, signal.finding) == (2.0, "opposite")
    assert signal.difference == newcombe(8, 40, 54, 60)


def test_a_level_that_tells_nothing_is_unclear(minutes: Settings) -> None:
    even = [i % 8 < 4 for i in range(400)]
    signal = one(minutes, table(minutes, minutes_current=MINUTES, fallen=even))
    assert signal.finding == "unclear"


def test_the_test_part_has_no_say_in_the_threshold(minutes: Settings) -> None:
    # Trained on, falling belongs to 2 minutes; in the test part, to at most 6.
    part = parts(400)
    fallen = [
        m <= 6 if p == "test" else f for m, p, f in zip(MINUTES, part, FALLEN, strict=True)
    ]
    signal = one(minutes, table(minutes, minutes_current=MINUTES, fallen=fallen))
    assert signal.threshold == 2.0
    assert signal.below == wilson(40, 40)


def test_customers_outside_both_parts_count_as_showing_it_only(minutes: Settings) -> None:
    scored = table(minutes, minutes_current=[*MINUTES, *[2.0] * 50], fallen=[*FALLEN, *[True] * 50],
                   part=[*parts(400), *["rest"] * 50])
    signal = one(minutes, scored)
    assert (signal.below, signal.customers, signal.fallen) == (wilson(32, 40), 210, 178)


def test_too_few_test_customers_on_a_side_leave_it_unclear(minutes: Settings) -> None:
    # 76 customers with 2 minutes, all fallen: 19 in the test part; 76 others, none fallen.
    scored = table(minutes, minutes_current=[2.0] * 76 + [9.0] * 76,
                   fallen=[True] * 76 + [False] * 76)
    assert one(minutes, scored).finding == "unclear"
    larger = table(minutes, minutes_current=[2.0] * 80 + [9.0] * 80,
                   fallen=[True] * 80 + [False] * 80)
    assert one(minutes, larger).finding == "confirmed"


def test_a_threshold_that_can_be_measured_is_preferred(minutes: Settings) -> None:
    # At 1 minute all 40 fell, but only 10 of them are in the test part; at 2 minutes, half.
    scored = table(minutes, minutes_current=[1.0] * 40 + [2.0] * 80 + [9.0] * 280,
                   fallen=[True] * 40 + [i < 40 for i in range(80)] + [i < 28 for i in range(280)])
    signal = one(minutes, scored)
    assert (signal.threshold, signal.finding) == (2.0, "confirmed")


def test_a_fall_is_tested_at_round_changes(settings: Settings) -> None:
    falls = only(settings, falls=("minutes_change",))
    changes = [-0.45] * 160 + [-0.35, 0.2] * 120
    signal = one(falls, table(falls, minutes_change=changes, fallen=FALLEN))
    assert (signal.form, signal.threshold, signal.finding) == ("fall", -0.4, "confirmed")
    assert signal.threshold in FALLS
    assert signal.customers == 160


def test_a_change_that_is_unknown_counts_on_neither_side(settings: Settings) -> None:
    falls = only(settings, falls=("minutes_change",))
    scored = table(falls, minutes_change=[-0.45] * 160 + [0.0] * 240 + [None] * 40,
                   fallen=[*FALLEN, *[True] * 40])
    signal = one(falls, scored)
    assert (signal.below.n, signal.above.n, signal.customers) == (40, 60, 160)


def test_intervals_of_several_signals_hold_together(settings: Settings) -> None:
    both = only(settings, levels=("minutes_current", "pages_per_visit"))
    scored = table(both, minutes_current=MINUTES, pages_per_visit=MINUTES[::-1], fallen=FALLEN)
    by_name = {signal.column: signal for signal in find_signals(scored, both)}
    assert by_name["minutes_current"].difference == newcombe(32, 40, 6, 60, confidence=0.975)


def test_confirmed_signals_come_first_and_the_strongest_leads(settings: Settings) -> None:
    several = only(settings, levels=("unpaid_items", "categories_per_visit", "pages_per_visit",
                                     "minutes_current"))
    weaker = [2.0] * 120 + [9.0] * 80 + [2.0] * 40 + [9.0] * 160
    scored = table(several, minutes_current=MINUTES, pages_per_visit=weaker,
                   categories_per_visit=[11.0 - value for value in MINUTES],
                   unpaid_items=[i // 4 % 2 for i in range(400)], fallen=FALLEN)
    found = [(signal.column, signal.finding) for signal in find_signals(scored, several)]
    assert found == [("minutes_current", "confirmed"), ("pages_per_visit", "confirmed"),
                     ("categories_per_visit", "opposite"), ("unpaid_items", "unclear")]


def test_a_column_that_leaves_nobody_on_one_side_has_no_signal(settings: Settings) -> None:
    constant = only(settings, levels=("minutes_current",), falls=("minutes_change",))
    scored = table(constant, minutes_current=[5.0] * 400, minutes_change=[0.1] * 400,
                   fallen=FALLEN)
    assert find_signals(scored, constant) == ()


def test_a_threshold_is_as_fine_as_the_report_writes_it(settings: Settings) -> None:
    shares = only(settings, levels=("promo_share",))
    values = [0.2 + i / 10_000 for i in range(400)]
    signal = one(shares, table(shares, promo_share=values, fallen=[i < 200 for i in range(400)]))
    # Written as whole percent: 22 %, nearest to the middle of 0.20 to 0.24.
    assert signal.threshold == 0.22


def test_a_column_without_a_value_to_train_on_has_no_signal(minutes: Settings) -> None:
    scored = table(minutes, minutes_current=[None, None, None, 5.0], fallen=[True, False] * 2)
    assert find_signals(scored, minutes) == ()


def test_the_customers_of_several_signals_are_counted_once(settings: Settings) -> None:
    both = only(settings, levels=("minutes_current", "pages_per_visit"))
    pages = [2.0] * 120 + [9.0] * 80 + [2.0] * 40 + [9.0] * 160
    scored = table(both, minutes_current=MINUTES, pages_per_visit=pages, fallen=FALLEN)
    signals = find_signals(scored, both)
    assert [signal.finding for signal in signals] == ["confirmed", "confirmed"]
    # 160 by minutes; by pages 120 of these and 40 others.
    assert scored.filter(showing(scored, signals)).count().to_pyarrow().as_py() == 200
    assert scored.filter(showing(scored, ())).count().to_pyarrow().as_py() == 0
