"""The families' order."""

from __future__ import annotations

from reportgen.charts import families
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_families_put_the_winner_of_the_search_first(report: Report, ru: Localizer) -> None:
    data = families.frame(report)
    assert data is not None
    assert [family.behind is None for family in data.families] == [True, False, False, False]
    assert "«опорные векторы»: 0,92 (0,89–0,95); угадывание даёт 0,5" in plain(
        families.alt(data, ru))


def test_families_that_nothing_tells_from_the_winner_say_so(report: Report, ru: Localizer) -> None:
    data = families.frame(report)
    assert data is not None
    # By the report's intervals the regression and the neighbours may be as good, the tree may not.
    assert [family.indistinguishable for family in data.families] == [True, True, True, False]
    notes = [families._note(family, ru) for family in data.families]
    assert notes[1] == notes[2] == ru.text("charts.families.same")
    assert notes[0] == ru.text("charts.families.winner")
    assert notes[3] == ""
