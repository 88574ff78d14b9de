"""How the key figures went from month to month: a line each, this month marked.

The points of `results.History` come in; small plots side by side go out, one time axis for all and
a scale for each. A month that is missing leaves a gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reportgen import months
from reportgen.charts import style
from reportgen.localization import Localizer
from reportgen.results import Labels, Report

#: Two points are a change, which is told in words; from three on a line says more.
FEWEST_MONTHS = 3

#: Key figures beside the share of the fallen.
_TOTALS = 2

_HEIGHT = 1.25
_TICKS = 3


@dataclass(frozen=True)
class Point:
    """A figure of a month, with its interval where it has one."""

    month: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """A key figure over the months; the share of the fallen has no label in the contract."""

    name: str
    label: Labels | None
    unit: str
    points: tuple[Point, ...]


def frame(report: Report) -> tuple[Line, ...] | None:
    """Select the lines; None where there are too few months for one."""
    points = report.history.points
    if len(points) < FEWEST_MONTHS:
        return None
    lines = [Line("fallen_share", None, "share", tuple(
        Point(one.month, one.fallen_share.value, one.fallen_share.low, one.fallen_share.high)
        for one in points))]
    for total in report.overview.totals[:_TOTALS]:
        values = [(one.month, one.totals[total.name]) for one in points if total.name in one.totals]
        lines.append(Line(total.name, total.label, total.unit, tuple(
            Point(month, value, value, value) for month, value in values)))
    return tuple(line for line in lines if len(line.points) >= FEWEST_MONTHS)


def draw(lines: tuple[Line, ...], words: Localizer, *, width: float = style.FULL) -> style.Canvas:
    """Draw the lines side by side; the width is in inches."""
    picture = style.figure(width, _HEIGHT)
    panels = picture.subplots(1, len(lines), squeeze=False)[0]
    for axes, line in zip(panels, lines, strict=True):
        _panel(axes, line, words)
    return picture


def _panel(axes: Axes, line: Line, words: Localizer) -> None:
    style.bare(axes, grid="y")
    first, last = line.points[0].month, line.points[-1].month
    span = months.range_of(first, last)
    known = {point.month: point for point in line.points}
    gap = Point("", math.nan, math.nan, math.nan)
    shown = [known.get(month, gap) for month in span]
    places = range(len(span))
    axes.fill_between(places, [point.low for point in shown], [point.high for point in shown],
                      color=style.RULE, linewidth=0)
    values = [point.value for point in shown]
    axes.plot(places, values, color=style.REFERENCE, linewidth=2, marker="o", markersize=3.5)
    axes.plot(places[-1:], values[-1:], marker="o", markersize=6.5, color=style.PRIMARY,
              clip_on=False)
    for place, point in zip(places, shown, strict=True):
        if point is not gap:
            style.tell(axes, place, point.value, words.text(
                "charts.trend.value", month=words.month(point.month),
                value=_value(point.value, line, words)))
    axes.set_title(_label(line, words), loc="left", color=style.MUTED)
    axes.set_xlim(-0.25, len(span) - 0.75)
    axes.set_xticks([places[0], places[-1]], [words.short_month(first), words.short_month(last)])
    first_tick, last_tick = axes.get_xticklabels()
    first_tick.set_horizontalalignment("left")
    last_tick.set_horizontalalignment("right")
    axes.margins(y=0.15)
    low, high = axes.get_ylim()
    axes.set_yticks([tick for tick in MaxNLocator(_TICKS, steps=[1, 2, 2.5, 5, 10]).tick_values(
        low, high) if low <= tick <= high])
    axes.yaxis.set_major_formatter(
        style.Percents(words) if line.unit == "share"
        else FuncFormatter(lambda value, _: words.number(value)))


def _label(line: Line, words: Localizer) -> str:
    return words.label(line.label) if line.label else words.text("charts.trend.fallen")


def _value(value: float, line: Line, words: Localizer) -> str:
    return words.percent(value, 1) if line.unit == "share" else words.number(value)


def alt(lines: tuple[Line, ...], words: Localizer) -> str:
    """Tell each line's first and last value."""
    share, *others = lines
    first, last = share.points[0], share.points[-1]
    return words.text(
        "charts.trend.alt", n=len(share.points), first=words.month(first.month),
        last=words.month(last.month), then=words.percent(first.value),
        now=words.percent(last.value), others=" ".join(words.text(
            "charts.trend.other", label=_label(line, words),
            then=_value(line.points[0].value, line, words),
            now=_value(line.points[-1].value, line, words)) for line in others))
