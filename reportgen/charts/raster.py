"""Charts as pictures for e-mail, which shows no SVG: narrow, so that a phone can show them whole.

A `results.Report` and the words of a language come in; PNG files go out, of twice the size that
they are shown in, on an opaque ground that a dark scheme does not show through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.figure import Figure

from reportgen.charts import importance, style, trend
from reportgen.localization import Localizer
from reportgen.results import Report

#: Inches that a chart is drawn in, and pixels that it is shown in: its text then is as large as the
#: message's own on a desk, and can still be read on a phone.
_WIDTH = 4.3
_SHOWN = 552

#: Pixels of the file for one that is shown.
_DENSITY = 2

#: Two panels have room beside each other; a third would leave none for their words.
_LINES = 2

#: Inches around the drawing: on a dark message its ground has an edge.
_MARGIN = 0.06

_PARTS = ("color", "facecolor", "edgecolor", "markerfacecolor", "markeredgecolor")


@dataclass(frozen=True)
class Raster:
    """A chart as PNG; width and height are the pixels that it is shown in."""

    name: str
    png: bytes
    alt: str
    width: int
    height: int

    @property
    def content_id(self) -> str:
        """What the message calls it (RFC 2392): another picture has another name everywhere."""
        return f"{self.name}.{hashlib.sha256(self.png).hexdigest()[:16]}@reportgen"


@dataclass(frozen=True)
class _Drawn:
    """How a chart of the report is drawn for e-mail; see `charts.ChartSpec`."""

    frame: Callable[[Report], Any]
    draw: Callable[..., style.Canvas]
    alt: Callable[[Any, Localizer], str]


def _two_lines(report: Report) -> tuple[trend.Line, ...] | None:
    lines = trend.frame(report)
    return lines and lines[:_LINES]


#: What leadership looks at first: where the figures go, and what goes with the fall.
_MAILED: Mapping[str, _Drawn] = {
    "trend": _Drawn(_two_lines, trend.draw, trend.alt),
    "importance": _Drawn(importance.frame, importance.draw, importance.alt),
}


def draw_rasters(report: Report, words: Localizer, *,
                 colours: Mapping[str, str]) -> dict[str, Raster]:
    """Draw the charts of the e-mail that have something to show this month, by name.

    ``colours`` are those that stand in the place of the shipped ones.
    """
    drawn = {}
    with style.applied():
        for name, chart in _MAILED.items():
            data = chart.frame(report)
            if data is not None:
                figure = chart.draw(data, words, width=_WIDTH)
                _recolour(figure, colours)
                drawn[name] = _rasterized(figure, name, chart.alt(data, words))
    return drawn


def _rasterized(figure: style.Canvas, name: str, alt: str) -> Raster:
    figure.leave_margin(_MARGIN)
    buffer = BytesIO()
    # Without its metadata the file does not tell the version it was drawn with.
    figure.savefig(buffer, format="png", dpi=_DENSITY * _SHOWN / _WIDTH,
                   metadata={"Software": None})
    width, height = figure.get_size_inches()
    return Raster(name, buffer.getvalue(), alt, _SHOWN, round(_SHOWN * height / width))


def _recolour(figure: Figure, colours: Mapping[str, str]) -> None:
    """Draw in a company's own colours: an SVG is rewritten, a PNG has to be drawn in them."""
    if not colours:
        return
    figure.draw_without_rendering()     # ticks get their labels only now
    for artist in figure.findobj():
        for part in _PARTS:
            read = getattr(artist, f"get_{part}", None)
            own = read and colours.get(_hexadecimal(read()))
            if own:
                getattr(artist, f"set_{part}")(own)


def _hexadecimal(colour: Any) -> str:
    """Write the one colour of an artist; nothing where it has none, or several."""
    if isinstance(colour, str) and colour in ("none", "auto"):
        return ""
    found = np.unique(to_rgba_array(colour), axis=0)
    return to_hex(found[0]) if len(found) == 1 else ""
