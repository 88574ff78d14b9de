"""How the decline rate runs along the values of the strongest columns: small multiples.

The bins of `results.Driver` come in; a panel a column goes out, all on one scale.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reportgen.charts import style
from reportgen.localization import Localizer
from reportgen.results import Bin, Labels, Report

MOST_PANELS = 4
_COLUMNS = 2
_PANEL_HEIGHT = 1.75
_TITLE_WIDTH = 200.0
_ROUND = MaxNLocator(nbins=5, steps=[1, 2, 5, 10])


@dataclass(frozen=True)
class Panel:
    """Decline rate by bins of one number column, lowest values first."""

    label: Labels
    unit: str
    decimals: int
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Panels:
    """The panels and the decline rate of all customers, which each of them shows."""

    panels: tuple[Panel, ...]
    mean: float


def frame(report: Report) -> Panels | None:
    """Select the strongest number columns that have bins; categories have no values to go along."""
    panels = []
    for driver in report.explanation.drivers:
        column = report.columns[driver.column]
        bins = tuple(bin_ for bin_ in driver.bins if bin_.low is not None)
        if column.kind == "number" and len(bins) > 1:
            panels.append(Panel(column.label, column.unit, column.decimals, bins))
    if not panels:
        return None
    return Panels(tuple(panels[:MOST_PANELS]), report.overview.fallen_share.value)


def draw(data: Panels, words: Localizer) -> Figure:
    """Draw a panel a column, two in a row."""
    across = min(_COLUMNS, len(data.panels))
    down = -(-len(data.panels) // across)
    titles = [style.wrap(words.label(panel.label), _TITLE_WIDTH, 500) for panel in data.panels]
    lines = max(map(len, titles))
    height = down * (_PANEL_HEIGHT + lines * style.LINE / style.POINTS)
    picture = style.figure(style.FULL, height)
    grid = picture.subplots(down, across, sharey=True, squeeze=False).flat
    for axes in grid[len(data.panels):]:
        axes.set_axis_off()
    for i, panel in enumerate(data.panels):
        _draw_panel(style.bare(grid[i], grid="y"), panel, data.mean, words)
        grid[i].set_title("\n".join(titles[i]), loc="left", fontweight=500)
    _name_mean(grid[0], data, words)
    return picture


def alt(data: Panels, words: Localizer) -> str:
    """Tell for the strongest column where most and where fewest customers declined."""
    panel = data.panels[0]
    most, fewest = _extremes(panel)
    return words.text(
        "charts.dependence.alt",
        column=words.label(panel.label),
        most=words.percent(most.decline.value), most_values=_values(most, panel, words),
        fewest=words.percent(fewest.decline.value), fewest_values=_values(fewest, panel, words),
        panels=len(data.panels),
    )


def _draw_panel(axes: Axes, panel: Panel, mean: float, words: Localizer) -> None:
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    axes.yaxis.set_major_formatter(style.percents(words))
    axes.axhline(mean, color=style.REFERENCE, linewidth=1, dashes=(4, 3), zorder=1)
    rates = [bin_.decline for bin_ in panel.bins]
    middles = [_middle(bin_) for bin_ in panel.bins]
    edges = [_edges(bin_) for bin_ in panel.bins]
    axes.hlines([rate.value for rate in rates], [low for low, _ in edges],
                [high for _, high in edges], color=style.PRIMARY, linewidth=1.2)
    style.dots(axes, middles, rates)
    for bin_ in _extremes(panel):
        above = bin_.decline.high < 0.85
        axes.annotate(
            words.percent(bin_.decline.value),
            (_middle(bin_), bin_.decline.high if above else bin_.decline.low),
            xytext=(0, 3 if above else -3), textcoords="offset points", ha="center",
            va="bottom" if above else "top", fontweight=500, color=style.PRIMARY,
        )
    _write_values(axes, panel, words)


def _write_values(axes: Axes, panel: Panel, words: Localizer) -> None:
    """Put round values below the panel, all with the same decimals."""
    low, high = axes.get_xlim()
    ticks = [tick for tick in _ROUND.tick_values(low, high) if low <= tick <= high]
    decimals = style.decimals_of(ticks, panel.unit, most=1)
    unit = style.bare_unit(panel.unit)
    axes.set_xticks(ticks, [words.quantity(tick, unit, decimals) for tick in ticks])


def _name_mean(axes: Axes, data: Panels, words: Localizer) -> None:
    """Say in the first panel what the dashed line is, at the side with more room above it."""
    bins, text_height = data.panels[0].bins, 0.15
    centre = (_edges(bins[0])[0] + _edges(bins[-1])[1]) / 2
    crowd = [_middle(bin_) > centre for bin_ in bins
             if bin_.decline.high > data.mean and bin_.decline.low < data.mean + text_height]
    at_right = sum(crowd) * 2 <= len(crowd)
    axes.annotate(
        words.text("charts.all_customers", share=words.percent(data.mean)),
        (1 if at_right else 0, data.mean), xycoords=axes.get_yaxis_transform(),
        xytext=(0, 3), textcoords="offset points", ha="right" if at_right else "left",
        va="bottom", color=style.MUTED,
    )


def _extremes(panel: Panel) -> tuple[Bin, Bin]:
    """Return the bins with the highest and the lowest decline rate."""
    ordered = sorted(panel.bins, key=lambda bin_: bin_.decline.value)
    return ordered[-1], ordered[0]


def _edges(bin_: Bin) -> tuple[float, float]:
    low = bin_.low if bin_.low is not None else 0.0
    return low, bin_.high if bin_.high is not None else low


def _middle(bin_: Bin) -> float:
    return sum(_edges(bin_)) / 2


def _values(bin_: Bin, panel: Panel, words: Localizer) -> str:
    (low, high), unit = _edges(bin_), style.bare_unit(panel.unit)
    decimals = style.decimals_of((low, high), panel.unit, most=panel.decimals)
    if low == high:
        return words.quantity(low, unit, decimals)
    return words.span(low, high, unit, decimals)
