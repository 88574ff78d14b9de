"""The report's charts: every file draws one, and `CHARTS` names them all.

A `results.Report` and the words of a language come in; SVG texts with their alternatives go out.
In each file ``frame`` selects plain data, ``draw`` makes a figure of it and ``alt`` states its
finding in a sentence with a number. No chart computes anything that the report does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from reportgen.charts import (
    calibration,
    categories,
    dependence,
    families,
    gains,
    importance,
    profit,
    risk,
    roc,
    segments,
    signals,
    style,
    trend,
)
from reportgen.charts.data import to_csv
from reportgen.charts.raster import Raster, draw_rasters
from reportgen.charts.style import Canvas
from reportgen.charts.svg import Picture, to_picture
from reportgen.localization import Localizer
from reportgen.results import Report

__all__ = ["CHARTS", "ChartSpec", "Picture", "Raster", "draw_all", "draw_rasters", "draw_some"]


Task = Literal["ranking", "relation", "distribution", "comparison", "profit", "targeting",
               "calibration", "discrimination", "trend"]

#: The form that serves each task: no other one is drawn for it.
FORMS: Mapping[Task, str] = {
    "ranking": "sorted bars from zero with intervals",
    "relation": "small multiples on one scale",
    "distribution": "a mirrored histogram",
    "comparison": "dots with intervals, a row a group",
    "profit": "a line in its band, zero marked",
    "targeting": "a curve of gains over the diagonal",
    "calibration": "dots on the diagonal over a histogram",
    "discrimination": "the ROC curve",
    "trend": "lines over the months side by side, this month marked",
}


@dataclass(frozen=True)
class ChartSpec:
    """A chart and the one question it answers.

    Attributes
    ----------
    name
        Name of its file, of its picture and of its messages (``charts.NAME.…``).
    task
        What its reader wants to know, which fixes its form (`FORMS`).
    frame
        Selects the chart's data; None where this month has nothing to show.
    draw, alt
        Make the figure and its text alternative of these data.
    """

    name: str
    task: Task
    frame: Callable[[Report], Any]
    draw: Callable[[Any, Localizer], Canvas]
    alt: Callable[[Any, Localizer], str]


CHARTS: tuple[ChartSpec, ...] = (
    ChartSpec("trend", "trend", trend.frame, trend.draw, trend.alt),
    ChartSpec("importance", "ranking", importance.frame, importance.draw, importance.alt),
    ChartSpec("dependence", "relation", dependence.frame, dependence.draw, dependence.alt),
    ChartSpec("risk", "distribution", risk.frame, risk.draw, risk.alt),
    ChartSpec("segments", "comparison", segments.frame, segments.draw, segments.alt),
    ChartSpec("categories", "comparison", categories.frame, categories.draw, categories.alt),
    ChartSpec("signals", "comparison", signals.frame, signals.draw, signals.alt),
    ChartSpec("profit", "profit", profit.frame, profit.draw, profit.alt),
    ChartSpec("families", "comparison", families.frame, families.draw, families.alt),
    ChartSpec("gains", "targeting", gains.frame, gains.draw, gains.alt),
    ChartSpec("calibration", "calibration", calibration.frame, calibration.draw,
              calibration.alt),
    ChartSpec("roc", "discrimination", roc.frame, roc.draw, roc.alt),
)


def draw_all(report: Report, words: Localizer) -> dict[str, Picture]:
    """Draw every chart that has something to show this month, by name."""
    return draw_some(report, words, names=[chart.name for chart in CHARTS])


def draw_some(report: Report, words: Localizer, *, names: Collection[str]) -> dict[str, Picture]:
    """Draw those of some charts that have something to show this month, by name."""
    pictures = {}
    with style.applied():
        for chart in CHARTS:
            if chart.name not in names:
                continue
            data = chart.frame(report)
            if data is not None:
                pictures[chart.name] = to_picture(
                    chart.draw(data, words), name=chart.name, alt=chart.alt(data, words),
                    data=to_csv(data, words))
    return pictures
