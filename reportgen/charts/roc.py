"""How many of the fallen are found for how many false alarms: the ROC curve.

The curve of `results.ModelCard` on the held-out part comes in; a square plot goes out.
"""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.charts import squares, style
from reportgen.localization import Localizer
from reportgen.results import Estimate, Point, Report

_DECIMALS = 2


@dataclass(frozen=True)
class Curve:
    """The points of the curve from (0, 0) to (1, 1) and the area below it."""

    points: tuple[Point, ...]
    area: Estimate


def frame(report: Report) -> Curve | None:
    """Select the curve of the held-out part."""
    points = report.model.roc
    return Curve(points, report.model.holdout.roc_auc) if points else None


def draw(curve: Curve, words: Localizer) -> style.Canvas:
    """Draw the curve, guessing as the diagonal, and the area in figures."""
    picture, axes = squares.square(
        words, x=words.text("charts.roc.false_alarms"), y=words.text("charts.roc.found"),
        diagonal=words.text("charts.roc.diagonal"),
    )
    axes.plot([point.x for point in curve.points], [point.y for point in curve.points],
              color=style.PRIMARY, linewidth=2, clip_on=False)
    for point in curve.points:
        style.tell(axes, point.x, point.y, words.text(
            "charts.roc.value", alarms=words.percent(point.x), found=words.percent(point.y)))
    area = words.text("charts.roc.area", area=words.number(curve.area.value, _DECIMALS))
    axes.annotate(area, (0.97, 0.34), xycoords="axes fraction", ha="right",
                  fontweight=500, color=style.PRIMARY)
    return picture


def alt(curve: Curve, words: Localizer) -> str:
    """Give the area below the curve."""
    return words.text("charts.roc.alt", area=words.estimate(curve.area, "none", _DECIMALS))
