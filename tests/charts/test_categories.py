"""Which category stands out, and only where the report says so."""

from __future__ import annotations

from dataclasses import replace

from reportgen.charts import categories
from reportgen.localization import Localizer
from reportgen.results import CategoryEvidence, Report

from .drawn import plain


def test_categories_mark_only_the_one_that_deserves_attention(
    report: Report, ru: Localizer
) -> None:
    found = categories.frame(report)
    assert found is not None
    assert [category.attention for category in found] == [True] + [False] * 5
    assert [category.segment for category in found] == sorted(
        (category.segment for category in found), reverse=True)
    # 55 of 140 = 39.3 %; of the other 1,156 customers 274 = 23.7 %.
    assert "«товары для детей»: 39 % клиентов сегмента против 24 %" in plain(
        categories.alt(found, ru))


def test_categories_without_attention_mark_none(report: Report) -> None:
    first = report.recommendations[0]
    assert isinstance(first.evidence, CategoryEvidence)
    calm = replace(first, evidence=replace(first.evidence, attention=""))
    found = categories.frame(replace(report, recommendations=(calm,)))
    assert found is not None
    assert not any(category.attention for category in found)
