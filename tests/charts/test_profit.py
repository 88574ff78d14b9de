"""What a campaign earns over how many it contacts."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import make_unproven_report, money_withheld

from reportgen.charts import profit, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_the_best_share_is_marked_and_told(report: Report, ru: Localizer) -> None:
    data = profit.frame(report)
    assert data is not None
    # The curve has a point every twentieth; 64 % lies nearest to the one at 65 %.
    assert data.best.share == pytest.approx(0.65)
    assert "больше всего она при 65 %" in plain(profit.alt(data, ru)).lower()


def test_the_line_lies_in_its_band_and_zero_is_drawn(report: Report, ru: Localizer) -> None:
    data = profit.frame(report)
    assert data is not None
    with style.applied():
        axes, = profit.draw(data, ru).axes
    line, zero, best = axes.lines
    assert list(line.get_ydata()) == [point.profit for point in data.curve]
    assert set(zero.get_ydata()) == {0}
    assert list(best.get_ydata()) == [data.best.profit]
    low, high = axes.get_ylim()
    assert low <= 0 < max(point.high for point in data.curve) <= high


def test_nothing_is_drawn_where_nothing_is_claimed(report: Report) -> None:
    assert profit.frame(make_unproven_report()) is None
    assert profit.frame(replace(report, money=money_withheld("offer_cost"))) is None
