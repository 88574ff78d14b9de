"""How every chart looks: colours, sizes, type, and the helpers that keep text in its place.

Nothing of a chart's content comes in here; what goes out are empty figures and axes without
ornament, wrapped labels and a key. The colours are those of ``templates/css/_variables.css``.
"""

from __future__ import annotations

import warnings
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from math import isclose
from typing import Any, Literal

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import LoadFlags
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import Formatter

from reportgen import fonts
from reportgen.localization import Localizer
from reportgen.results import Estimate

#: Contrast on white (WCAG): ink 16:1, muted 7.6:1, primary 10:1 and accent 9.8:1 carry text; the
#: others are at least 3:1 and carry marks only. The rule is no mark, it may be faint.
PRIMARY = "#12436d"
ACCENT = "#801650"
SECONDARY = "#28a197"
WARM = "#f46a25"
INK = "#1c2126"
MUTED = "#4c555e"
REFERENCE = "#868f98"
RULE = "#c8cfd6"
PAPER = "#ffffff"

#: Inches: the body of an A4 page, and half of it for charts that stand in pairs.
FULL = 6.85
HALF = 3.3

#: Points: the size of the report's own text, so that a chart reads as part of it, and its leading.
TEXT = 10.0
LINE = 13.0
POINTS = 72.0

#: Points of a mark in the key, and of the gaps before and behind its text.
_KEY_MARK = 18.0
_KEY_GAPS = 22.0

#: Units that are part of the number.
_PERCENT_UNITS = ("share", "relative_change")

#: FreeType measures in 64ths of a pixel, which at 72 dots an inch is a point.
_FREETYPE_UNITS = 64

_SETTINGS: dict[str, Any] = {
    "font.family": fonts.FAMILY,
    "font.size": TEXT,
    "text.color": INK,
    "text.parse_math": False,       # a dollar sign in a label is a dollar sign
    "axes.labelcolor": MUTED,
    "axes.titlesize": TEXT,
    "axes.titlepad": 8,
    "axes.labelsize": TEXT,
    "axes.edgecolor": RULE,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "legend.frameon": False,
    "legend.fontsize": TEXT,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0,
    "legend.handletextpad": 0.6,
    "legend.columnspacing": 1.6,
    "figure.facecolor": PAPER,
    "svg.fonttype": "none",         # text stays text, in the font of the page
    "svg.hashsalt": "reportgen",    # the same ids on every run
}


@contextmanager
def applied() -> Iterator[None]:
    """Draw in the report's style, whatever this machine's own matplotlib settings are."""
    _register_fonts()
    with matplotlib.rc_context(), warnings.catch_warnings():
        # On screen the browser draws such a character by another font; paper replaces it.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


@cache
def _register_fonts() -> None:
    """Let matplotlib measure text with the very files that the page will use."""
    for path in fonts.faces().values():
        font_manager.fontManager.addfont(path)


@dataclass(frozen=True)
class Told:
    """What a mark says when it is pointed at: its place in data coordinates, and its text."""

    axes: Axes
    x: float
    y: float
    text: str


class Canvas(Figure):
    """A figure that remembers what its marks say."""

    def __init__(self, width: float, height: float) -> None:
        gaps = ConstrainedLayoutEngine(w_pad=0.02, h_pad=0.02, wspace=0.05, hspace=0.06)
        super().__init__(figsize=(width, height), layout=gaps)
        self.told: list[Told] = []
        self._gaps = gaps

    def leave_margin(self, inches: float) -> None:
        """Keep the drawing off the edges."""
        self._gaps.set(w_pad=inches, h_pad=inches)


def figure(width: float, height: float) -> Canvas:
    """Return an empty figure of so many inches, which makes room for its own labels."""
    return Canvas(width, height)


def tell(axes: Axes, x: float, y: float, text: str) -> None:
    """Let a mark say its value to whoever points at it or walks the chart by keys."""
    canvas = axes.get_figure(root=True)
    assert isinstance(canvas, Canvas), "charts are drawn on figures of `figure`"
    canvas.told.append(Told(axes, x, y, text))


def bare(axes: Axes, *, grid: Literal["x", "y"] | None = None) -> Axes:
    """Take the ornament off: no tick marks, a faint grid along one axis at most."""
    axes.tick_params(length=0, pad=5)
    if grid is not None:
        axes.grid(visible=True, axis=grid)
        axes.spines["left" if grid == "x" else "bottom"].set_visible(False)
    return axes


def dots(axes: Axes, x: Sequence[float], rates: Sequence[Estimate]) -> None:
    """Draw rates with their intervals over the values `x`."""
    axes.vlines(x, [rate.low for rate in rates], [rate.high for rate in rates],
                color=PRIMARY, linewidth=2)
    axes.plot(x, [rate.value for rate in rates], linestyle="none", marker="o", markersize=5.5,
              color=PRIMARY, clip_on=False)


class Percents(Formatter):
    """Writes the ticks of a share as percent, the sign at the last one only: 0, 25, 50 %."""

    def __init__(self, words: Localizer) -> None:
        self.words = words

    def __call__(self, share: float, pos: int | None = None) -> str:
        """Write one tick."""
        return self.words.percent(share)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Write all ticks of an axis."""
        *others, last = values
        return [*(self.words.number(100 * share) for share in others), self(last)]


def bare_unit(unit: str) -> str:
    """Return the unit to write where a column's label already says what is counted."""
    return unit if unit in _PERCENT_UNITS else "none"


def decimals_of(values: Iterable[float], unit: str, *, most: int) -> int:
    """Return how many decimals thresholds or ticks need: none where all are whole as written."""
    factor = 100 if unit in _PERCENT_UNITS else 1
    whole = all(isclose(value * factor, round(value * factor)) for value in values)
    return 0 if whole else most


@cache
def width_of(text: str, weight: int = 400) -> float:
    """Measure a line of text in points."""
    face = font_manager.get_font(fonts.faces()[weight, "normal"])
    face.set_size(TEXT, POINTS)
    face.set_text(text, flags=LoadFlags.NO_HINTING)
    return float(face.get_width_height()[0]) / _FREETYPE_UNITS


def _broken(words: Sequence[str], width: float, weight: int) -> Iterator[str]:
    """Break words that no line can hold."""
    for word in words:
        rest = word
        while width_of(rest, weight) > width and len(rest) > 1:
            widths = [width_of(rest[:n], weight) for n in range(1, len(rest))]
            fits = max(1, bisect(widths, width))
            yield rest[:fits]
            rest = rest[fits:]
        yield rest


def wrap(text: str, width: float, weight: int = 400, *, whole: bool = False) -> tuple[str, ...]:
    """Break a text into lines of at most `width` points, never at a no-break space.

    A word that no line can hold is broken too, unless words are to stay `whole`.
    """
    lines: list[str] = []
    words = text.split(" ")
    for word in words if whole else _broken(words, width, weight):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, weight) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def key(target: Figure, marks: Sequence[tuple[Line2D, str]], *, width: float = FULL) -> None:
    """Write above the plot what the marks mean: in columns where they fit, else one under another.

    `marks` are pairs of a mark and its meaning; `width` is the figure's, in inches.
    """
    room = width * POINTS
    widths = [width_of(meaning) + _KEY_MARK + _KEY_GAPS for _, meaning in marks]
    columns = len(marks) if sum(widths) <= room else max(1, int(room / max(widths)))
    target.legend(
        [mark for mark, _ in marks], [meaning for _, meaning in marks],
        loc="outside upper left", ncols=columns,
        handlelength=_KEY_MARK / TEXT, labelcolor=INK,
    )
