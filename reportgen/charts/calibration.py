"""Whether the risk means what it says: promised against observed.

The calibration bins of `results.ModelCard` come in; a square plot with the diagonal goes out.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from reportgen.charts import squares, style
from reportgen.localization import Localizer
from reportgen.results import CalibrationBin, Report


def frame(report: Report) -> tuple[CalibrationBin, ...] | None:
    """Select the bins of out-of-fold risk, lowest first."""
    return tuple(sorted(report.model.calibration, key=lambda bin_: bin_.predicted)) or None


def draw(bins: tuple[CalibrationBin, ...], words: Localizer) -> Figure:
    """Draw each bin's observed rate with its interval over the promised one."""
    picture, axes = squares.square(
        words, x=words.text("charts.calibration.promised"),
        y=words.text("charts.calibration.observed"),
        diagonal=words.text("charts.calibration.diagonal"),
    )
    style.dots(axes, [bin_.predicted for bin_ in bins], [bin_.observed for bin_ in bins])
    return picture


def alt(bins: tuple[CalibrationBin, ...], words: Localizer) -> str:
    """Tell what was promised and what happened in the highest bin, and how many bins agree."""
    last = bins[-1]
    agree = sum(bin_.observed.low <= bin_.predicted <= bin_.observed.high for bin_ in bins)
    return words.text(
        "charts.calibration.alt",
        promised=words.percent(last.predicted), observed=words.estimate(last.observed),
        agree=agree, bins=len(bins),
    )
