"""The curve's corners."""

from __future__ import annotations

from reportgen.charts import roc, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_roc_runs_from_corner_to_corner(report: Report, ru: Localizer) -> None:
    curve = roc.frame(report)
    assert curve is not None
    with style.applied():
        (axes,) = roc.draw(curve, ru).axes
    line = axes.lines[-1]
    assert (line.get_xdata()[0], line.get_ydata()[0]) == (0, 0)
    assert (line.get_xdata()[-1], line.get_ydata()[-1]) == (1, 1)
    assert "0,92 (0,89–0,95)" in plain(roc.alt(curve, ru))
