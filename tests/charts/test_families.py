"""The families' order."""

from __future__ import annotations

from reportgen.charts import families
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_families_put_the_winner_of_the_search_first(report: Report, ru: Localizer) -> None:
    data = families.frame(report)
    assert data is not None
    assert [family.winner for family in data.families] == [True, False, False, False]
    assert "«опорные векторы»: 0,92 (0,89–0,95); угадывание даёт 0,5" in plain(
        families.alt(data, ru))
