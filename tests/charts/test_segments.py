"""The segments' order, and what may not be published."""

from __future__ import annotations

from dataclasses import replace

from reportgen.charts import segments
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_segments_come_most_declined_first_against_all_others(
    report: Report, ru: Localizer
) -> None:
    groups = segments.frame(report)
    assert groups is not None
    assert [group.customers for group in groups.groups] == [140, 156, 138, 444, 337]
    # 131 of 140 = 93.6 %; of the other 1,156 customers 363 = 31.4 %.
    assert "94 % против 31 %" in plain(segments.alt(groups, ru))


def test_suppressed_segment_is_not_drawn(report: Report) -> None:
    hidden = replace(report.segments[1], suppressed=True, decline=None, others_decline=None)
    groups = segments.frame(replace(report, segments=(report.segments[0], hidden)))
    assert groups is not None
    assert [group.label for group in groups.groups] == [report.segments[0].label]
