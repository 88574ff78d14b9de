"""Whether the risk means what it says: promised against observed, and how many are promised what.

`results.Calibration` comes in; a square plot with the diagonal goes out, a histogram of the risks
below it.
"""

from __future__ import annotations

from reportgen.charts import squares, style
from reportgen.localization import Localizer
from reportgen.results import Calibration, Report


def frame(report: Report) -> Calibration | None:
    """Select the calibration; a model that is withheld promises nothing."""
    found = report.model.calibration
    return found if found.bins and not report.model.gate.withholds else None


def draw(found: Calibration, words: Localizer) -> style.Canvas:
    """Draw each group's observed rate with its interval over the promised one."""
    picture, axes, strip = squares.square_with_strip(
        words, x=words.text("charts.calibration.promised"),
        y=words.text("charts.calibration.observed"),
        diagonal=words.text("charts.calibration.diagonal"),
    )
    style.dots(axes, [bin_.predicted for bin_ in found.bins],
               [bin_.observed for bin_ in found.bins])
    for bin_ in found.bins:
        style.tell(axes, bin_.predicted, bin_.observed.value, words.text(
            "charts.calibration.value", promised=words.percent(bin_.predicted),
            observed=words.estimate(bin_.observed)))
    widths = [high - low for low, high in zip(found.edges, found.edges[1:], strict=False)]
    strip.bar(found.edges[:-1], found.histogram, widths, align="edge", color=style.REFERENCE,
              edgecolor=style.PAPER, linewidth=0.5)
    strip.annotate(
        f"{words.text('charts.calibration.customers')}: {words.number(sum(found.histogram))}",
        (0.5, 1), xycoords="axes fraction", ha="center", va="top", color=style.MUTED,
    )
    return picture


def alt(found: Calibration, words: Localizer) -> str:
    """Tell what was promised and what happened in the highest group, and how many groups agree."""
    last = found.bins[-1]
    agree = sum(bin_.observed.low <= bin_.predicted <= bin_.observed.high for bin_ in found.bins)
    return words.text(
        "charts.calibration.alt",
        promised=words.percent(last.predicted), observed=words.estimate(last.observed),
        agree=agree, bins=len(found.bins),
    )
