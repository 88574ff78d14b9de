"""Charts that read like a table: a label on the left, marks on a scale, figures on the right.

Rows in words come in; a figure goes out. Three charts compare a group with the others this way
and one compares models; the bars of a fifth share the labels. The vertical scale of such a chart
counts points from its top, so that every row is as high as its own label needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import Formatter

from reportgen.charts import style
from reportgen.localization import Localizer

#: Points: the widest label, the least column of figures, and the gaps around texts.
_LABEL_WIDTH = 215.0
_LEAST_FIGURE = 44.0
_GAP = 12.0
_ROW_PADDING = 5.0
#: Points for the scale below, and for each line of the key above.
_SCALE_HEIGHT = 30.0
_KEY_HEIGHT = 18.0
#: Points between two intervals of one row.
_APART = 9.0
#: Points across the marks.
_DOT, _RING = 7.0, 9.0


@dataclass(frozen=True)
class Span:
    """A value on the scale with its interval, where it has one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Label:
    """What a row is about, and a muted line below it."""

    text: str
    note: str = ""

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines to write."""
        wrapped = style.wrap(self.text, _LABEL_WIDTH)
        return (*wrapped, self.note) if self.note else wrapped


@dataclass(frozen=True)
class Places:
    """Where the rows stand: points from the top, and the height of all."""

    centres: tuple[float, ...]
    height: float


@dataclass(frozen=True)
class Row:
    """One line of the chart.

    Attributes
    ----------
    span, other
        The row's own value, and the one it is compared with.
    figures
        Texts on the right, one under each heading.
    accent
        Whether this is the row to look at.
    """

    label: Label
    span: Span
    other: Span | None
    figures: tuple[str, ...]
    accent: bool = False


@dataclass(frozen=True)
class Scale:
    """What the values are measured on, with a reference line where `reference` is given."""

    low: float
    high: float
    ticks: tuple[float, ...]
    write: Formatter
    reference: float | None = None
    reference_label: str = ""


def shares(words: Localizer, *, mean: float) -> Scale:
    """Return the scale from 0 to 100 %, with the rate of all customers as its reference."""
    return Scale(0, 1, (0, 0.25, 0.5, 0.75, 1), style.Percents(words), mean,
                 words.text("charts.all_customers", share=words.percent(mean)))


def compare(
    rows: Sequence[Row], scale: Scale, words: Localizer, *, heads: Sequence[str],
    meanings: Sequence[str]
) -> style.Canvas:
    """Draw rows of one or two marks each.

    Parameters
    ----------
    rows
        From top to bottom.
    heads
        Headings of the figures on the right.
    meanings
        What the filled mark means and, where the rows have one, the hollow mark.
    """
    labels = [row.label for row in rows]
    columns = [_Column.of(head, [row.figures[i] for row in rows]) for i, head in enumerate(heads)]
    at = places(labels)
    head_height = max(len(column.head) for column in columns) * style.LINE
    height = at.height + head_height + len(meanings) * _KEY_HEIGHT + _SCALE_HEIGHT
    picture = style.figure(style.FULL, height / style.POINTS)
    axes = style.bare(picture.subplots(), grid="x")
    axes.set_ylim(at.height, 0)
    _draw_scale(axes, scale)
    for centre, row in zip(at.centres, rows, strict=True):
        _draw_row(axes, centre, row)
        for span, head, figure in zip((row.span, row.other), heads, row.figures, strict=False):
            if span is not None:
                style.tell(axes, span.value, centre, words.text(
                    "charts.row_value", row=row.label.text, head=head, figure=figure))
    write_labels(axes, labels, at)
    _write_figures(axes, rows, columns, at)
    marks = (_mark(rows[0].span, hollow=False), _mark(rows[0].other, hollow=True))
    style.key(picture, list(zip(marks, meanings, strict=False)))
    return picture


def places(labels: Sequence[Label]) -> Places:
    """Give every row the height of its label, air included."""
    centres, top = [], 0.0
    for label in labels:
        height = len(label.lines) * style.LINE + _ROW_PADDING
        centres.append(top + height / 2)
        top += height
    return Places(tuple(centres), top)


def write_labels(axes: Axes, labels: Sequence[Label], at: Places) -> None:
    """Write the labels left of the axes, each centred on its row."""
    width = max(style.width_of(line) for label in labels for line in label.lines)
    for centre, label in zip(at.centres, labels, strict=True):
        last = len(label.lines) - 1
        for i, line in enumerate(label.lines):
            axes.annotate(
                line, (0, centre), xycoords=axes.get_yaxis_transform(), va="center_baseline",
                xytext=(-width - _GAP, (last / 2 - i) * style.LINE), textcoords="offset points",
                color=style.MUTED if label.note and i == last else style.INK,
            )
    axes.set_yticks([])


def _draw_scale(axes: Axes, scale: Scale) -> None:
    axes.set_xlim(scale.low, scale.high)
    axes.set_xticks(scale.ticks)
    axes.xaxis.set_major_formatter(scale.write)
    if scale.reference is None:
        return
    axes.axvline(scale.reference, color=style.REFERENCE, linewidth=1, dashes=(4, 3), zorder=1)
    near_figures = scale.reference > scale.low + 0.75 * (scale.high - scale.low)
    axes.annotate(
        scale.reference_label, (scale.reference, 1), xycoords=axes.get_xaxis_transform(),
        xytext=(0, 4), textcoords="offset points", ha="right" if near_figures else "center",
        va="bottom", color=style.MUTED,
    )


def _draw_row(axes: Axes, centre: float, row: Row) -> None:
    """Draw both marks; where both have intervals, apart, so that none hides the other."""
    apart = _APART / 2 if row.other and row.other.low is not None else 0.0
    if row.other is not None:
        if not apart:
            axes.plot([row.span.value, row.other.value], [centre, centre], color=style.RULE,
                      linewidth=1.5, zorder=1.5)
        _draw_span(axes, row.other, centre + apart, style.REFERENCE, hollow=True)
    colour = style.ACCENT if row.accent else style.PRIMARY
    _draw_span(axes, row.span, centre - apart, colour, hollow=False)


def _draw_span(axes: Axes, span: Span, y: float, colour: str, *, hollow: bool) -> None:
    if span.low is not None and span.high is not None:
        axes.plot([span.low, span.high], [y, y], color=colour, linewidth=2,
                  solid_capstyle="butt", zorder=2)
    # The hollow mark is larger, so that it shows behind a filled one of the same value.
    axes.plot([span.value], [y], marker="o", markersize=_RING if hollow else _DOT, color=colour,
              markeredgewidth=1.5, markerfacecolor=style.PAPER if hollow else colour,
              zorder=2.5 if hollow else 3, clip_on=False)


def _mark(span: Span | None, *, hollow: bool) -> Line2D:
    """Return a mark for the key, with a line through it where the marks have intervals."""
    colour = style.REFERENCE if hollow else style.PRIMARY
    line = "-" if span is not None and span.low is not None else "none"
    return Line2D([], [], marker="o", markersize=_RING if hollow else _DOT, color=colour,
                  linewidth=2, linestyle=line, markeredgewidth=1.5,
                  markerfacecolor=style.PAPER if hollow else colour)


@dataclass(frozen=True)
class _Column:
    """A column of figures: the lines of its heading and its width."""

    head: tuple[str, ...]
    width: float

    @classmethod
    def of(cls, head: str, figures: Sequence[str]) -> _Column:
        """Wrap the heading to the figures' width; a long word widens the column."""
        width = max([_LEAST_FIGURE, *(style.width_of(figure, 500) for figure in figures)])
        lines = style.wrap(head, width, whole=True)
        return cls(lines, max([width, *map(style.width_of, lines)]))


def _write_figures(
    axes: Axes, rows: Sequence[Row], columns: Sequence[_Column], at: Places
) -> None:
    """Write the figures right of the axes under their headings; the first column is the row's."""
    right = 0.0
    for i, column in enumerate(columns):
        right += _GAP + column.width
        for j, line in enumerate(reversed(column.head)):
            axes.annotate(
                line, (1, 1), xycoords="axes fraction", xytext=(right, 4 + j * style.LINE),
                textcoords="offset points", ha="right", va="bottom", color=style.MUTED,
            )
        for centre, row in zip(at.centres, rows, strict=True):
            own = style.ACCENT if row.accent else style.PRIMARY
            axes.annotate(
                row.figures[i], (1, centre), xycoords=axes.get_yaxis_transform(),
                xytext=(right, 0), textcoords="offset points", ha="right", va="center_baseline",
                fontweight=400 if i else 500, color=style.MUTED if i else own,
            )
