"""Rows take the height they need, and every mark means what the key says."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reportgen import localization
from reportgen.charts import rows, style

SCALE = rows.Scale(0, 1, (0, 1), FuncFormatter(lambda x, _: f"{x:g}"), 0.4, "all")


def compare(*lines: rows.Row, meanings: tuple[str, ...] = ("own", "others")) -> Figure:
    with style.applied():
        return rows.compare(lines, SCALE, localization.load("en"), heads=["own"],
                            meanings=meanings)


def row(value: float, other: rows.Span | None, *, accent: bool = False) -> rows.Row:
    return rows.Row(rows.Label("group"), rows.Span(value, value - 0.1, value + 0.1), other,
                    (f"{value}",), accent)


def colours(figure: Figure) -> list[str]:
    """List the colours of the filled marks from top to bottom."""
    (axes,) = figure.axes
    return [line.get_color() for line in axes.lines
            if line.get_marker() == "o" and line.get_markerfacecolor() == line.get_color()]


def test_row_is_as_high_as_its_label_needs() -> None:
    short, noted = rows.Label("short"), rows.Label("short", "and a note")
    at = rows.places([short, noted, short])
    # A line is 13 points high, the air around a row 5: rows of 18, 31 and 18 points.
    assert at.centres == (9.0, 33.5, 58.0)
    assert at.height == 67.0


def test_only_the_accented_row_has_the_accent() -> None:
    figure = compare(row(0.5, None), row(0.6, None, accent=True), meanings=("own",))
    assert colours(figure) == [style.PRIMARY, style.ACCENT]


def test_key_has_a_mark_for_each_meaning() -> None:
    (key,) = compare(row(0.5, rows.Span(0.3))).legends
    assert [text.get_text() for text in key.get_texts()] == ["own", "others"]
    filled, hollow = key.get_lines()
    assert (filled.get_linestyle(), hollow.get_linestyle()) == ("-", "None")
    assert hollow.get_markerfacecolor() == style.PAPER


def test_two_intervals_of_a_row_lie_apart() -> None:
    (axes,) = compare(row(0.5, rows.Span(0.5, 0.4, 0.6))).axes
    heights = {line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"}
    assert len(heights) == 2


def test_reference_is_a_named_line_on_the_scale() -> None:
    (axes,) = compare(row(0.5, None), meanings=("own",)).axes
    assert [0.4, 0.4] in [list(line.get_xdata()) for line in axes.lines]
    assert "all" in [text.get_text() for text in axes.texts]
