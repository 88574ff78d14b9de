"""Which columns the model's risk hangs on, and which of them may be named: sorted bars.

`results.Explanation` comes in; the strongest columns go out as bars from zero, in percentage
points of risk, each with its interval over the refits.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from reportgen.charts import rows, style
from reportgen.localization import Localizer
from reportgen.results import Estimate, Labels, Report

#: More bars would be shorter than the eye can compare.
MOST_BARS = 7

#: Colours inside and around a bar that may be named, and of one that may not: full or hollow, so
#: that grey print tells it as well.
_COLOURS = {True: (style.PRIMARY, style.PRIMARY), False: (style.PAPER, style.REFERENCE)}

#: Points: the height of a bar, and what the bars leave for the key above.
_BAR = 13.0
_KEY_ROOM = 2 * style.LINE

#: Points across the line of an interval, and across its light edge.
_LINE, _HALO = 1.2, 3.4


@dataclass(frozen=True)
class Bar:
    """Mean absolute SHAP value of a column (0.05 = five percentage points)."""

    label: Labels
    short: Labels
    importance: Estimate
    headlined: bool


def frame(report: Report) -> tuple[Bar, ...] | None:
    """Select the strongest columns, strongest first; none of a model that is withheld."""
    if report.model.gate.withholds:
        return None
    drivers = sorted(report.explanation.drivers, key=lambda driver: driver.rank)
    strongest = [(driver, report.columns[driver.column]) for driver in drivers[:MOST_BARS]]
    return tuple(
        Bar(column.label, column.short or column.label, driver.importance, driver.headlined)
        for driver, column in strongest
    ) or None


def draw(bars: tuple[Bar, ...], words: Localizer, *, width: float = style.FULL) -> style.Canvas:
    """Draw the bars, the strongest on top, with a key above; the width is in inches."""
    labels = [rows.Label(words.label(bar.short)) for bar in bars]
    places = rows.places(labels)
    picture = style.figure(width, (places.height + _KEY_ROOM) / style.POINTS)
    axes = style.bare(picture.subplots())
    for place, bar in zip(places.centres, bars, strict=True):
        fill, edge = _COLOURS[bar.headlined]
        axes.barh(place, bar.importance.value, height=_BAR, color=fill, edgecolor=edge)
        _draw_interval(axes, place, bar)
        style.tell(axes, bar.importance.value, place,
                   f"{words.label(bar.label)}: {_estimate(bar, words)}")
        axes.annotate(
            words.points(bar.importance.value, 1, signed=False), (bar.importance.high, place),
            xytext=(5, 0), textcoords="offset points", va="center_baseline",
            fontweight=500 if bar.headlined else 400,
            color=style.PRIMARY if bar.headlined else style.MUTED, annotation_clip=False,
        )
    axes.set_xlim(0, max(bar.importance.high for bar in bars) or 1)
    axes.set_ylim(places.height, 0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    rows.write_labels(axes, labels, places)
    shown = [named for named in (True, False) if any(bar.headlined == named for bar in bars)]
    style.key(picture, [(_swatch(headlined=named), _meaning(words, headlined=named))
                        for named in shown], width=width)
    return picture


def alt(bars: tuple[Bar, ...], words: Localizer) -> str:
    """Name the strongest stable column with its figure, and the other stable ones."""
    named = [bar for bar in bars if bar.headlined]
    if not named:
        return words.text("charts.importance.alt_none", points=_estimate(bars[0], words))
    first, *others = named
    return words.text(
        "charts.importance.alt" if others else "charts.importance.alt_one",
        column=words.label(first.label), points=_estimate(first, words),
        others=words.join(words.label(bar.label) for bar in others),
    )


def _draw_interval(axes: Axes, place: float, bar: Bar) -> None:
    """Draw the interval; over a full bar it needs a light edge to be seen."""
    ends = (bar.importance.low, bar.importance.high)
    if bar.headlined:
        axes.plot(ends, (place, place), color=style.PAPER, linewidth=_HALO,
                  solid_capstyle="butt", clip_on=False, zorder=2)
    axes.plot(ends, (place, place), color=style.INK if bar.headlined else style.REFERENCE,
              linewidth=_LINE, solid_capstyle="butt", clip_on=False, zorder=3)


def _swatch(*, headlined: bool) -> Line2D:
    fill, edge = _COLOURS[headlined]
    return Line2D([], [], linestyle="none", marker="s", markersize=_BAR - 3, markerfacecolor=fill,
                  markeredgecolor=edge)


def _meaning(words: Localizer, *, headlined: bool) -> str:
    return words.text("charts.importance.stable" if headlined else "charts.importance.unstable")


def _estimate(bar: Bar, words: Localizer) -> str:
    """Write an importance with its interval, neither of which has a direction."""
    return (f"{words.points(bar.importance.value, 1, signed=False)} "
            f"({words.interval(bar.importance, 'unsigned_points', 1)})")
