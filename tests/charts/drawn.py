"""Reads a chart's SVG back: its texts and the place each takes on the paper."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree

from reportgen.charts import Picture, style

SVG = "{http://www.w3.org/2000/svg}"

#: Fira Sans at 10 points: how far letters reach above and below the line.
ASCENT, DESCENT = 7.5, 2.5


@dataclass(frozen=True)
class Text:
    """A line of text and its box in points, the picture's upper left corner being (0, 0)."""

    words: str
    size: float
    transform: str
    left: float
    right: float
    top: float
    bottom: float

    def overlaps(self, other: Text) -> bool:
        return (self.left < other.right and other.left < self.right
                and self.top < other.bottom and other.top < self.bottom)


def texts(picture: Picture) -> list[Text]:
    """List every text of a chart with its box."""
    return [_text(element) for element in ElementTree.fromstring(picture.svg).iter(f"{SVG}text")]


def words_of(picture: Picture) -> list[str]:
    """List what a reader sees, ordinary spaces for no-break ones."""
    return [plain(text.words) for text in texts(picture)]


def plain(text: str) -> str:
    """Write ordinary spaces for no-break ones."""
    return text.replace("\u00a0", " ")


def _text(element: ElementTree.Element) -> Text:
    css = element.attrib
    transform = element.attrib["transform"]
    if "x" in element.attrib:
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
    else:
        x, y = map(float, re.findall(r"[-\d.]+", transform))
    words = element.text or ""
    width = style.width_of(words, int(css.get("font-weight", 400)))
    left = x - {"start": 0.0, "middle": 0.5, "end": 1.0}[css.get("text-anchor", "start")] * width
    size = float(css["font-size"].removesuffix("px"))
    return Text(words, size, transform, left, left + width, y - ASCENT, y + DESCENT)
