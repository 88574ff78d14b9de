"""From a figure to SVG that can stand inside an HTML page beside others.

A matplotlib figure comes in; SVG text goes out: sized in points, with a title that a screen reader
speaks, ids that no other chart of the page has, and the same bytes on every run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from io import StringIO

from reportgen.charts.style import POINTS, Canvas

_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(url\(#|href="#)([^)"]+)')
_TAG = re.compile(r"<[^>]*>")
_OPENING = re.compile(r"<svg\b[^>]*>")

#: matplotlib gives every line these ends by a style sheet. Inside a page that would hold for the
#: whole page, so the picture's own element states them instead.
_STYLE_SHEET = re.compile(r"\s*<defs>\s*<style\b.*?</style>\s*</defs>", re.DOTALL)
_LINE_ENDS = 'stroke-linejoin="round" stroke-linecap="butt"'

#: How matplotlib states fills, strokes and fonts; every one of them is an attribute of SVG, too.
_STYLE = re.compile(r'style="([^"]+)"')

#: The viewer would smooth pictures when scaling, which PDF/A forbids; page CSS does not reach an
#: <image> inside an SVG.
_IMAGE = re.compile(r"<image\b")

#: Without these, the file would tell the day and the version it was drawn with.
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(frozen=True)
class Value:
    """What the mark at a place says; points from the picture's upper left corner."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Picture:
    """A chart as SVG text for use inside HTML; width and height in points.

    ``values`` are what its marks say, in the order they are drawn, and ``data`` is CSV text of what
    it was drawn from.
    """

    svg: str
    alt: str
    width: float
    height: float
    values: tuple[Value, ...] = ()
    data: str = ""


def to_picture(figure: Canvas, *, name: str, alt: str, data: str = "") -> Picture:
    """Write a figure as SVG whose ids all begin with the chart's name."""
    buffer = StringIO()
    figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
    text = buffer.getvalue()
    drawing = text[text.index("<svg"):]  # an XML prologue may not stand inside a page
    drawing = _STYLE_SHEET.sub("", drawing, count=1)
    drawing = _TAG.sub(lambda tag: _fit_for_page(tag[0], name), drawing)
    width, height = (float(inches) * POINTS for inches in figure.get_size_inches())
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{width:g}pt" height="{height:g}pt" viewBox="0 0 {width:g} {height:g}" '
        f'{_LINE_ENDS} role="img" aria-labelledby="{name}-title">'
        f'<title id="{name}-title">{escape(alt)}</title>'
    )
    drawing = _OPENING.sub(lambda _: opening, drawing, count=1)
    return Picture(drawing, alt, width, height, _values(figure, width, height), data)


def _fit_for_page(tag: str, name: str) -> str:
    """Give a tag, never a text, ids of its own and attributes for styles."""
    tag = _ID.sub(rf'id="{name}-\1"', tag)
    tag = _REFERENCE.sub(rf"\1{name}-\2", tag)
    tag = _IMAGE.sub('<image image-rendering="crisp-edges"', tag)
    return _STYLE.sub(_attributes, tag)


def _attributes(found: re.Match[str]) -> str:
    """Write a style as attributes: a page that forbids styles inside its text shows them, too."""
    parts = (part.split(":", 1) for part in found[1].split(";"))
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, value in parts)


def _values(figure: Canvas, width: float, height: float) -> tuple[Value, ...]:
    """Place what the marks say; the layout has been worked out while the figure was saved."""
    to_share = figure.transFigure.inverted()
    placed = []
    for told in figure.told:
        x, y = to_share.transform(told.axes.transData.transform((told.x, told.y)))
        placed.append(Value(round(x * width, 1), round((1 - y) * height, 1), told.text))
    return tuple(placed)
