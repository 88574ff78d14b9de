"""Which columns the bars rank, from where, and how they tell the direction."""

from __future__ import annotations

from dataclasses import replace

from reportgen.charts import importance, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_importance_shows_the_twelve_strongest_from_the_top(report: Report) -> None:
    shuffled = replace(report.explanation, drivers=report.explanation.drivers[::-1])
    bars = importance.frame(replace(report, explanation=shuffled))
    assert bars is not None
    assert len(bars) == 12
    assert bars[0].label == report.columns["pages_per_visit"].label
    assert [bar.importance for bar in bars] == sorted((b.importance for b in bars), reverse=True)


def test_importance_bars_start_at_zero_and_are_as_long_as_the_figures(
    report: Report, ru: Localizer
) -> None:
    bars = importance.frame(report)
    assert bars is not None
    with style.applied():
        (axes,) = importance.draw(bars, ru).axes
    drawn = [patch for patch in axes.patches if patch.get_width() > 0]
    assert [patch.get_x() for patch in drawn] == [0.0] * len(bars)
    assert [patch.get_width() for patch in drawn] == [bar.importance for bar in bars]
    assert axes.get_xlim()[0] == 0


def test_importance_tells_the_direction_by_a_mark_beside_the_colour(
    report: Report, ru: Localizer
) -> None:
    bars = importance.frame(report)
    assert bars is not None
    with style.applied():
        (axes,) = importance.draw(bars, ru).axes
    marks = {text.get_text()[0] for text in axes.texts if "п." in text.get_text()}
    assert marks == {"↑", "↓", "≈"}
    assert "«страниц за визит»: в среднем 11,2 п. п., чем он больше, тем риск ниже" in plain(
        importance.alt(bars, ru))
