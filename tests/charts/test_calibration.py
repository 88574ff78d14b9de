"""How many promises were kept."""

from __future__ import annotations

from reports import make_unproven_report

from reportgen.charts import calibration, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_calibration_counts_the_groups_that_kept_their_promise(
    report: Report, ru: Localizer
) -> None:
    found = calibration.frame(report)
    assert found is not None
    # Only the last promise, 93 %, lies outside its interval: 106 of 130 = 82 % (74–87 %).
    assert "обещано 93 %, на деле 82 % (74–87 %)" in plain(calibration.alt(found, ru))
    assert "в 9 группах из 10" in plain(calibration.alt(found, ru))


def test_calibration_shows_how_many_customers_are_promised_what(
    report: Report, ru: Localizer
) -> None:
    found = calibration.frame(report)
    assert found is not None
    with style.applied():
        square, strip = calibration.draw(found, ru).axes
    assert [bar.get_height() for bar in strip.patches] == list(found.histogram)
    assert square.get_xlim() == strip.get_xlim() == (0, 1)


def test_a_withheld_model_has_no_calibration() -> None:
    assert calibration.frame(make_unproven_report()) is None
