"""Plots of one share against another: both scales from 0 to 100 %, and the diagonal.

The texts of the axes come in; an empty square of half the page's width goes out.
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reportgen.charts import style
from reportgen.localization import Localizer

#: Points below the plot, so that the two zeros in the corner keep apart.
_CORNER = 9
_TICKS = (0, 0.25, 0.5, 0.75, 1)
_LABEL_WIDTH = style.HALF * style.POINTS * 0.8


def square(words: Localizer, *, x: str, y: str, diagonal: str) -> tuple[Figure, Axes]:
    """Return the figure and its axes; the name of the vertical one stands above, horizontally."""
    picture = style.figure(style.HALF, style.HALF)
    axes = style.bare(picture.subplots())
    axes.set_aspect("equal")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(_TICKS)
        axis.set_major_formatter(style.percents(words))
    axes.tick_params(axis="x", pad=_CORNER)
    axes.plot([0, 1], [0, 1], color=style.REFERENCE, linewidth=1, dashes=(4, 3), zorder=1)
    axes.set_xlabel("\n".join(style.wrap(x, _LABEL_WIDTH)))
    axes.set_title("\n".join(style.wrap(y, _LABEL_WIDTH)), loc="left", color=style.MUTED)
    axes.annotate("\n".join(style.wrap(diagonal, 0.42 * style.HALF * style.POINTS)), (0.97, 0.08),
                  xycoords="axes fraction", ha="right", va="bottom", color=style.MUTED)
    return picture, axes
