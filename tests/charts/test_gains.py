"""How far down the list one must go."""

from __future__ import annotations

from reports import make_unproven_report

from reportgen.charts import gains, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_gains_tell_what_a_fifth_of_the_list_holds(report: Report, ru: Localizer) -> None:
    data = gains.frame(report)
    assert data is not None
    # 0.94 · 1296 / 494 · 0.2 = 49 % of the fallen.
    assert "первые 20 %" in plain(gains.alt(data, ru)).replace("первым", "первые")
    assert "49 % (48–51 %)" in plain(gains.alt(data, ru))


def test_gains_run_from_corner_to_corner(report: Report, ru: Localizer) -> None:
    data = gains.frame(report)
    assert data is not None
    with style.applied():
        axes, = gains.draw(data, ru).axes
    _, curve, *_ = axes.lines
    assert (curve.get_xdata()[0], curve.get_ydata()[0]) == (0, 0)
    assert (curve.get_xdata()[-1], curve.get_ydata()[-1]) == (1, 1)


def test_a_withheld_model_orders_nobody() -> None:
    assert gains.frame(make_unproven_report()) is None
