"""Which columns the model's risk hangs on, and in which direction: sorted bars.

`results.Explanation` comes in; the strongest columns go out as bars from zero, in percentage
points of risk, each with a mark for its direction.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reportgen.charts import rows, style
from reportgen.localization import Localizer
from reportgen.results import Direction, Labels, Report

#: More bars would be shorter than the eye can compare.
MOST_BARS = 12

#: Colour and mark of each direction; the mark tells it in grey print as well.
_COLOURS: dict[Direction, str] = {
    "up": style.ACCENT, "down": style.PRIMARY, "unclear": style.REFERENCE,
}
_MARKS: dict[Direction, str] = {"up": "↑", "down": "↓", "unclear": "≈"}

#: Points: the height of a bar.
_BAR = 15.0
#: Points above the bars.
_KEY_ROOM = 3 * style.LINE


@dataclass(frozen=True)
class Bar:
    """Mean absolute SHAP value of a column (0.05 = five percentage points) and its direction."""

    label: Labels
    short: Labels
    importance: float
    direction: Direction


def frame(report: Report) -> tuple[Bar, ...] | None:
    """Select the strongest columns, strongest first."""
    drivers = sorted(report.explanation.drivers, key=lambda driver: -driver.importance)
    strongest = [(driver, report.columns[driver.column]) for driver in drivers[:MOST_BARS]]
    return tuple(
        Bar(column.label, column.short or column.label, driver.importance, driver.direction)
        for driver, column in strongest
    ) or None


def draw(bars: tuple[Bar, ...], words: Localizer) -> Figure:
    """Draw the bars, the strongest on top, with a key of the directions above."""
    labels = [rows.Label(words.label(bar.short)) for bar in bars]
    places = rows.places(labels)
    shown = [direction for direction in _MARKS if any(bar.direction == direction for bar in bars)]
    picture = style.figure(style.FULL, (places.height + _KEY_ROOM) / style.POINTS)
    axes = style.bare(picture.subplots())
    axes.barh(places.centres, [bar.importance for bar in bars], height=_BAR,
              color=[_COLOURS[bar.direction] for bar in bars])
    axes.set_xlim(0, max(bar.importance for bar in bars) or 1)
    axes.set_ylim(places.height, 0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    rows.write_labels(axes, labels, places)
    for place, bar in zip(places.centres, bars, strict=True):
        axes.annotate(
            f"{_MARKS[bar.direction]} {words.points(bar.importance, 1, signed=False)}",
            (bar.importance, place), xytext=(5, 0), textcoords="offset points",
            va="center_baseline", annotation_clip=False,
        )
    style.key(picture, [(_swatch(direction), _meaning(direction, words)) for direction in shown])
    return picture


def alt(bars: tuple[Bar, ...], words: Localizer) -> str:
    """Name the strongest column with its figure, and those that follow."""
    first, *others = bars
    return words.text(
        "charts.importance.alt",
        column=words.label(first.label),
        points=words.points(first.importance, 1, signed=False),
        direction=words.text(f"charts.importance.alt_{first.direction}"),
        others=words.join(words.label(bar.label) for bar in others[:2]),
    )


def _swatch(direction: Direction) -> Line2D:
    return Line2D([], [], color=_COLOURS[direction], linewidth=8, solid_capstyle="butt")


def _meaning(direction: Direction, words: Localizer) -> str:
    return f"{_MARKS[direction]} {words.text(f'charts.importance.{direction}')}"
