"""What a campaign earns over how many it contacts: expected profit with its interval.

The curve of `results.Money` comes in; a line from nobody to everybody goes out, the best share
marked.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.ticker import FuncFormatter, MaxNLocator

from reportgen.charts import style
from reportgen.localization import Localizer
from reportgen.results import ProfitPoint, Report

_HEIGHT = 1.8
_SHARES = (0, 0.25, 0.5, 0.75, 1)
#: Ticks of money: more would stand too close for their long figures.
_TICKS = 5


@dataclass(frozen=True)
class Profit:
    """Expected profit by share contacted, and the share that earns most."""

    curve: tuple[ProfitPoint, ...]
    best: ProfitPoint


def frame(report: Report) -> Profit | None:
    """Select the curve; None where nothing may be said about money."""
    money = report.money
    if not money.curve or money.best_share is None:
        return None
    best = min(money.curve, key=lambda point: abs(point.share - (money.best_share or 0.0)))
    return Profit(money.curve, best)


def draw(profit: Profit, words: Localizer) -> style.Canvas:
    """Draw the line in its band, zero, and the best share with its figures."""
    picture = style.figure(style.FULL, _HEIGHT)
    axes = style.bare(picture.subplots(), grid="y")
    shares = [point.share for point in profit.curve]
    axes.fill_between(shares, [point.low for point in profit.curve],
                      [point.high for point in profit.curve], color=style.RULE, linewidth=0)
    axes.plot(shares, [point.profit for point in profit.curve], color=style.PRIMARY, linewidth=2)
    for point in profit.curve:
        style.tell(axes, point.share, point.profit, words.text(
            "charts.profit.value", share=words.percent(point.share),
            profit=words.money(point.profit), interval=words.span(point.low, point.high, "money")))
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.plot([profit.best.share], [profit.best.profit], marker="o", markersize=7,
              color=style.ACCENT)
    axes.set_xlim(0, 1)
    axes.set_xticks(_SHARES)
    axes.xaxis.set_major_formatter(style.Percents(words))
    axes.yaxis.set_major_locator(MaxNLocator(_TICKS))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda money, _: words.money(money)))
    axes.set_xlabel(words.text("charts.profit.contacted"))
    axes.set_title(words.text("charts.profit.profit"), loc="left", color=style.MUTED)
    right = profit.best.share > 0.5
    axes.annotate(
        words.text("charts.profit.best", share=words.percent(profit.best.share),
                   profit=words.money(profit.best.profit)),
        (profit.best.share, profit.best.profit), xytext=(-8 if right else 8, 8),
        textcoords="offset points", ha="right" if right else "left", va="bottom",
        fontweight=500, color=style.ACCENT,
    )
    return picture


def alt(profit: Profit, words: Localizer) -> str:
    """Tell the best share, what it earns and within which bounds."""
    best = profit.best
    return words.text("charts.profit.alt", share=words.percent(best.share),
                      profit=words.money(best.profit), low=words.money(best.low),
                      high=words.money(best.high))
