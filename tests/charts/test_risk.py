"""Both sides of the histogram."""

from __future__ import annotations

from reportgen.charts import risk, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_risk_counts_the_fallen_upwards_and_the_others_downwards(
    report: Report, ru: Localizer
) -> None:
    data = risk.frame(report)
    assert data is not None
    with style.applied():
        (axes,) = risk.draw(data, ru).axes
    heights = [patch.get_height() for patch in axes.patches]
    assert heights == [*data.fallen, *(-n for n in data.others)]
    assert "368 из 494" in plain(risk.alt(data, ru))
