"""The signs of risk: who is at or below a threshold against who is above it.

The evidence of recommendation 5 comes in; a row a signal goes out, in its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.charts import rows, style
from reportgen.localization import Localizer
from reportgen.results import ColumnInfo, Estimate, Report, SignalEvidence

Finding = Literal["confirmed", "opposite", "unclear"]


@dataclass(frozen=True)
class Pair:
    """Decline rates at or below a column's threshold, and above it."""

    column: ColumnInfo
    threshold: float
    below: Estimate
    above: Estimate
    finding: Finding


@dataclass(frozen=True)
class Pairs:
    """The signals, and the decline rate of all customers."""

    pairs: tuple[Pair, ...]
    mean: float


def frame(report: Report) -> Pairs | None:
    """Select the tested signals."""
    pairs = tuple(
        Pair(report.columns[signal.column], signal.threshold, signal.below, signal.above,
             signal.finding)
        for recommendation in report.recommendations
        if isinstance(recommendation.evidence, SignalEvidence)
        for signal in recommendation.evidence.signals
    )
    return Pairs(pairs, report.overview.fallen_share.value) if pairs else None


def draw(data: Pairs, words: Localizer) -> style.Canvas:
    """Draw both rates of each signal with their intervals."""
    lines = [
        rows.Row(
            label=rows.Label(_name(pair, words), _note(pair, words)),
            span=rows.Span(pair.below.value, pair.below.low, pair.below.high),
            other=rows.Span(pair.above.value, pair.above.low, pair.above.high),
            figures=(words.percent(pair.below.value), words.percent(pair.above.value)),
        )
        for pair in data.pairs
    ]
    return rows.compare(
        lines, rows.shares(words, mean=data.mean), words,
        heads=[words.text(f"charts.signals.{head}") for head in ("below", "above")],
        meanings=[words.text(f"charts.signals.{mark}") for mark in ("mark", "mark_above")],
    )


def alt(data: Pairs, words: Localizer) -> str:
    """State the first signal with both rates."""
    first = data.pairs[0]
    return words.text(
        "charts.signals.alt",
        signal=_name(first, words), below=words.percent(first.below.value),
        above=words.percent(first.above.value),
        finding=words.text(f"charts.signals.{first.finding}"), n=len(data.pairs),
    )


def _note(pair: Pair, words: Localizer) -> str:
    """Say below a name where it is no signal of risk: the others are what the chart is about."""
    return "" if pair.finding == "confirmed" else words.text(f"charts.signals.{pair.finding}")


def _name(pair: Pair, words: Localizer) -> str:
    """Write the condition: a column and its threshold."""
    decimals = style.decimals_of([pair.threshold], pair.column.unit,
                                 most=pair.column.decimals)
    threshold = words.quantity(pair.threshold, style.bare_unit(pair.column.unit), decimals)
    return words.text("charts.signals.name",
                      column=words.label(pair.column.short or pair.column.label),
                      threshold=threshold)
