"""How often the customers of each segment declined, against all other customers.

The segments of `results.Report` come in; a row a segment goes out, most declined first.
"""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.charts import rows
from reportgen.charts.style import Canvas
from reportgen.localization import Localizer
from reportgen.results import Estimate, Labels, Report


@dataclass(frozen=True)
class Group:
    """A segment's decline rate and that of all other customers."""

    label: Labels
    customers: int
    decline: Estimate
    others: float


@dataclass(frozen=True)
class Groups:
    """The segments, most declined first, and the decline rate of all customers."""

    groups: tuple[Group, ...]
    mean: float


def frame(report: Report) -> Groups | None:
    """Select the segments that may be published."""
    groups = [
        Group(segment.label, segment.customers, segment.decline, segment.others_decline.value)
        for segment in report.segments
        if segment.decline is not None and segment.others_decline is not None
    ]
    if not groups:
        return None
    ordered = sorted(groups, key=lambda group: -group.decline.value)
    return Groups(tuple(ordered), report.overview.fallen_share.value)


def draw(data: Groups, words: Localizer) -> Canvas:
    """Draw each segment's rate with its interval and the others' rate."""
    lines = [
        rows.Row(
            label=rows.Label(words.label(group.label),
                             words.quantity(group.customers, "customers")),
            span=rows.Span(group.decline.value, group.decline.low, group.decline.high),
            other=rows.Span(group.others),
            figures=(words.percent(group.decline.value), words.percent(group.others)),
        )
        for group in data.groups
    ]
    return rows.compare(
        lines, rows.shares(words, mean=data.mean), words,
        heads=[words.text(f"charts.segments.{head}") for head in ("segment", "others")],
        meanings=[words.text(f"charts.segments.{mark}") for mark in ("mark", "mark_others")],
    )


def alt(data: Groups, words: Localizer) -> str:
    """Name the segment that declined most."""
    first = data.groups[0]
    return words.text(
        "charts.segments.alt",
        segment=words.label(first.label), share=words.percent(first.decline.value),
        others=words.percent(first.others), n=len(data.groups),
    )
