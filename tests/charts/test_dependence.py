"""Which columns get a panel, that all panels share one scale, and where thresholds stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest
from reports import make_unproven_report

from reportgen.charts import Picture, dependence, style
from reportgen.charts.svg import to_picture
from reportgen.localization import Localizer
from reportgen.results import Report, SignalEvidence

from .drawn import plain, texts, words_of


def with_signals(report: Report, **changes: object) -> Report:
    """Change all signals of recommendation 5."""
    items = tuple(
        replace(item, evidence=replace(item.evidence, signals=tuple(
            replace(signal, **changes) for signal in item.evidence.signals)))
        if isinstance(item.evidence, SignalEvidence) else item
        for item in report.recommendations
    )
    return replace(report, recommendations=items)


def thresholds(report: Report) -> list[float | None]:
    panels = dependence.frame(report)
    assert panels is not None
    return [panel.threshold for panel in panels.panels]


def picture_of(report: Report, words: Localizer) -> Picture:
    panels = dependence.frame(report)
    assert panels is not None
    with style.applied():
        return to_picture(dependence.draw(panels, words), name="dependence", alt="")


def test_dependence_shows_number_columns_with_bins_on_one_scale(
    report: Report, ru: Localizer
) -> None:
    panels = dependence.frame(report)
    assert panels is not None
    assert len(panels.panels) == 4
    with style.applied():
        axes = dependence.draw(panels, ru).axes
    assert {ax.get_ylim() for ax in axes} == {(0.0, 1.0)}
    assert "при значениях 1–4 активность снизили 85 % клиентов" in plain(dependence.alt(panels, ru))


def test_dependence_leaves_out_categories_and_missing_values(report: Report) -> None:
    drivers = list(report.explanation.drivers)
    missing = replace(drivers[0].bins[0], low=None, high=None)
    drivers[0] = replace(drivers[0], bins=(*drivers[0].bins, missing))
    goods = next(i for i, driver in enumerate(drivers) if driver.column == "popular_category")
    drivers[goods] = replace(drivers[goods], bins=drivers[1].bins)
    changed = replace(report, explanation=replace(report.explanation, drivers=tuple(drivers)))
    assert dependence.frame(changed) == dependence.frame(report)


def test_dependence_shows_the_confirmed_levels_of_recommendation_5(
    report: Report, ru: Localizer
) -> None:
    # The fixture confirms levels of pages (6) and minutes (10); promo and contacts have none.
    assert thresholds(report) == [6, 10, None, None]
    assert {"порог: 6", "порог: 10"} <= set(words_of(picture_of(report, ru)))


@pytest.mark.parametrize("changes", [{"finding": "unclear"}, {"finding": "opposite"},
                                     {"form": "fall"}])
def test_dependence_shows_no_threshold_that_is_not_a_confirmed_level(
    report: Report, changes: dict[str, object]
) -> None:
    assert thresholds(with_signals(report, **changes)) == [None] * 4


@pytest.mark.parametrize("threshold", [1.2, 5.5, 11.0, 19.9])
def test_threshold_lies_on_no_other_text(report: Report, ru: Localizer, threshold: float) -> None:
    changed = with_signals(report, threshold=threshold)
    picture = picture_of(changed, ru)
    found = texts(picture)
    assert [t.words for t in found if t.left < 0 or t.right > picture.width] == []
    assert [(one.words, other.words) for one, other in combinations(found, 2)
            if one.overlaps(other)] == []


def test_dependence_of_a_withheld_model_is_not_drawn() -> None:
    assert dependence.frame(make_unproven_report()) is None
