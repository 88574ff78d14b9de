"""How many of the fallen are reached from the top of the list down: the curve of gains.

The gains of `results.ModelCard` and the intervals of the first tenths come in; a square goes out.
"""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.charts import squares, style
from reportgen.localization import Localizer
from reportgen.results import Point, Report, Top


@dataclass(frozen=True)
class Gains:
    """The curve from (0, 0) to (1, 1), and what its first tenths hold."""

    curve: tuple[Point, ...]
    top: tuple[Top, ...]


def frame(report: Report) -> Gains | None:
    """Select the curve; a model that is withheld orders nobody."""
    model = report.model
    if not model.gains or model.gate.withholds:
        return None
    return Gains(model.gains, model.honest.top)


def draw(gains: Gains, words: Localizer) -> style.Canvas:
    """Draw the curve, calling at random as the diagonal, and the tenths with their intervals."""
    picture, axes = squares.square(
        words, x=words.text("charts.gains.contacted"), y=words.text("charts.gains.reached"),
        diagonal=words.text("charts.gains.diagonal"),
    )
    axes.plot([point.x for point in gains.curve], [point.y for point in gains.curve],
              color=style.PRIMARY, linewidth=2, clip_on=False)
    style.dots(axes, [top.share for top in gains.top], [top.capture for top in gains.top])
    for point in gains.curve:
        style.tell(axes, point.x, point.y, words.text(
            "charts.gains.value", share=words.percent(point.x), captured=words.percent(point.y)))
    for top in gains.top:
        axes.annotate(words.percent(top.capture.value), (top.share, top.capture.value),
                      xytext=(7, -3), textcoords="offset points", va="top", fontweight=500,
                      color=style.PRIMARY)
    return picture


def alt(gains: Gains, words: Localizer) -> str:
    """Tell how many of the fallen the middle one of the tenths reaches."""
    top = gains.top[len(gains.top) // 2]
    return words.text("charts.gains.alt", share=words.percent(top.share),
                      captured=words.estimate(top.capture))
