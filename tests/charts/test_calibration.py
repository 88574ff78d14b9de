"""How many promises were kept."""

from __future__ import annotations

from reportgen.charts import calibration
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_calibration_counts_the_groups_that_kept_their_promise(
    report: Report, ru: Localizer
) -> None:
    bins = calibration.frame(report)
    assert bins is not None
    # Only the last promise, 93 %, lies outside its interval: 106 of 130 = 82 % (74–87 %).
    assert "обещано 93 %, на деле 82 % (74–87 %)" in plain(calibration.alt(bins, ru))
    assert "в 9 группах из 10" in plain(calibration.alt(bins, ru))
