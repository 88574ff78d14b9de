"""Plots of one share against another: both scales from 0 to 100 %, and the diagonal.

The texts of the axes come in; an empty square of half the page's width goes out, on request with
a strip below that shares its horizontal scale.
"""

from __future__ import annotations

from matplotlib.axes import Axes

from reportgen.charts import style
from reportgen.localization import Localizer

#: Points below the plot, so that the two zeros in the corner keep apart.
_CORNER = 9
_TICKS = (0, 0.25, 0.5, 0.75, 1)
_LABEL_WIDTH = style.HALF * style.POINTS * 0.8

#: Inches: less than half the page is wide, so that two rows and their table fit on one.
_HEIGHT = 2.8

#: Inches that a strip adds, and its height as a part of the square's.
_STRIP, _STRIP_PART = 0.6, 0.18


def square(words: Localizer, *, x: str, y: str, diagonal: str) -> tuple[style.Canvas, Axes]:
    """Return the figure and its axes; the name of the vertical one stands above, horizontally."""
    picture = style.figure(style.HALF, _HEIGHT)
    axes = style.bare(picture.subplots())
    axes.set_aspect("equal")
    _dress(axes, words, y=y, diagonal=diagonal)
    _name_below(axes, x)
    return picture, axes


def square_with_strip(words: Localizer, *, x: str, y: str,
                      diagonal: str) -> tuple[style.Canvas, Axes, Axes]:
    """Return the figure, the plot's axes, and those of a strip below it; both are equally wide."""
    picture = style.figure(style.HALF, _HEIGHT + _STRIP)
    axes, strip = picture.subplots(2, 1, sharex=True, height_ratios=(1, _STRIP_PART))
    _dress(style.bare(axes), words, y=y, diagonal=diagonal)
    axes.tick_params(axis="x", labelbottom=False)
    style.bare(strip)
    strip.set_yticks([])
    strip.spines["left"].set_visible(False)
    _name_below(strip, x)
    return picture, axes, strip


def _dress(axes: Axes, words: Localizer, *, y: str, diagonal: str) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(_TICKS)
        axis.set_major_formatter(style.Percents(words))
    axes.plot([0, 1], [0, 1], color=style.REFERENCE, linewidth=1, dashes=(4, 3), zorder=1)
    axes.set_title("\n".join(style.wrap(y, _LABEL_WIDTH)), loc="left", color=style.MUTED)
    axes.annotate("\n".join(style.wrap(diagonal, 0.42 * style.HALF * style.POINTS)), (0.97, 0.08),
                  xycoords="axes fraction", ha="right", va="bottom", color=style.MUTED)


def _name_below(axes: Axes, x: str) -> None:
    axes.tick_params(axis="x", pad=_CORNER)
    axes.set_xlabel("\n".join(style.wrap(x, _LABEL_WIDTH)))
