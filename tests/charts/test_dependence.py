"""Which columns get a panel, and that all panels share one scale."""

from __future__ import annotations

from dataclasses import replace

from reportgen.charts import dependence, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


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
