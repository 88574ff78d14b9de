"""Which categories of goods the focus segment turns to, against all other customers.

The evidence of recommendation 1 comes in; a row a category goes out, most frequent first.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from reportgen.charts import rows, style
from reportgen.localization import Localizer
from reportgen.results import CategoryEvidence, Labels, Report

#: The smallest scale, so that a few per cent do not look like a lot.
_LEAST_SCALE = 0.2
_ROUND = MaxNLocator(nbins=4, steps=[1, 2, 5, 10])


@dataclass(frozen=True)
class Category:
    """Share of one category in the focus segment and among the others."""

    label: Labels
    customers: int
    segment: float
    others: float
    attention: bool


def frame(report: Report) -> tuple[Category, ...] | None:
    """Select the goods categories of the focus segment, most frequent first."""
    for recommendation in report.recommendations:
        evidence = recommendation.evidence
        if isinstance(evidence, CategoryEvidence) and evidence.rows:
            values = report.columns[evidence.column].values
            found = [
                Category(values[row.value], row.customers, row.segment, row.others,
                         row.value == evidence.attention)
                for row in evidence.rows
            ]
            return tuple(sorted(found, key=lambda category: -category.segment))
    return None


def draw(categories: tuple[Category, ...], words: Localizer) -> style.Canvas:
    """Draw both shares of each category; one that deserves attention stands out."""
    attention = words.text("charts.categories.attention")
    lines = [
        rows.Row(
            label=rows.Label(words.label(category.label),
                             attention if category.attention else ""),
            span=rows.Span(category.segment),
            other=rows.Span(category.others),
            figures=(words.percent(category.segment), words.percent(category.others)),
            accent=category.attention,
        )
        for category in categories
    ]
    top = max(_LEAST_SCALE, *(max(c.segment, c.others) for c in categories))
    ticks = [tick for tick in _ROUND.tick_values(0, top) if tick >= 0]
    scale = rows.Scale(0, ticks[-1], tuple(ticks), style.Percents(words))
    return rows.compare(
        lines, scale, words,
        heads=[words.text(f"charts.categories.{head}") for head in ("segment", "others")],
        meanings=[words.text(f"charts.categories.{mark}") for mark in ("mark", "mark_others")],
    )


def alt(categories: tuple[Category, ...], words: Localizer) -> str:
    """Name the largest category with both shares."""
    first = categories[0]
    return words.text(
        "charts.categories.alt",
        category=words.label(first.label), share=words.percent(first.segment),
        others=words.percent(first.others),
    )
