"""How the decline rate runs along the values of the strongest columns: small multiples.

The bins of `results.Driver` come in; a panel a column goes out, all on one scale. Where
recommendation 5 watches a column's level, a thin line shows from where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reportgen.charts import style
from reportgen.localization import Localizer
from reportgen.results import Bin, Labels, Report, SignalEvidence

MOST_PANELS = 4
_COLUMNS = 2
_PANEL_HEIGHT = 1.05
_TITLE_WIDTH = 200.0
#: Points between a panel and its title.
_TITLE_PAD = 8.0
#: A line of text as a share of a panel's scale.
_TEXT_HEIGHT = 0.22
#: How a threshold's label stands to its line, by the share of the panel left of it.
_ALIGNMENTS = ((0.25, "left"), (0.75, "center"), (1.0, "right"))
_ROUND = MaxNLocator(nbins=5, steps=[1, 2, 5, 10])


@dataclass(frozen=True)
class Panel:
    """Decline rate by bins of one number column, lowest values first.

    ``threshold`` is the level at or below which recommendation 5 sees a signal of risk.
    """

    label: Labels
    unit: str
    decimals: int
    bins: tuple[Bin, ...]
    threshold: float | None


@dataclass(frozen=True)
class Panels:
    """The panels and the decline rate of all customers, which each of them shows."""

    panels: tuple[Panel, ...]
    mean: float


@dataclass(frozen=True)
class _Head:
    """Points above a row of panels: for its titles, and for thresholds between them and it."""

    titles: float
    thresholds: float

    @classmethod
    def of(cls, panels: Sequence[Panel], titles: Sequence[tuple[str, ...]]) -> _Head:
        watched = any(panel.threshold is not None for panel in panels)
        return cls(max(map(len, titles)) * style.LINE, style.LINE if watched else 0.0)

    @property
    def height(self) -> float:
        return self.titles + self.thresholds


def frame(report: Report) -> Panels | None:
    """Select the strongest number columns that have bins; categories have no values to go along.

    A model that is withheld has no strongest columns.
    """
    if report.model.gate.withholds:
        return None
    thresholds = _thresholds(report)
    panels = []
    for driver in report.explanation.drivers:
        column = report.columns[driver.column]
        bins = tuple(bin_ for bin_ in driver.bins if bin_.low is not None)
        if column.kind == "number" and len(bins) > 1:
            panels.append(Panel(column.label, column.unit, column.decimals, bins,
                                thresholds.get(driver.column)))
    if not panels:
        return None
    return Panels(tuple(panels[:MOST_PANELS]), report.overview.fallen_share.value)


def draw(data: Panels, words: Localizer) -> style.Canvas:
    """Draw a panel a column, two in a row."""
    across = min(_COLUMNS, len(data.panels))
    down = -(-len(data.panels) // across)
    titles = [style.wrap(words.label(panel.label), _TITLE_WIDTH, 500) for panel in data.panels]
    heads = [_Head.of(data.panels[i:i + across], titles[i:i + across])
             for i in range(0, len(titles), across)]
    height = down * _PANEL_HEIGHT + sum(head.height for head in heads) / style.POINTS
    picture = style.figure(style.FULL, height)
    grid = picture.subplots(down, across, sharey=True, squeeze=False).flat
    for axes in grid[len(data.panels):]:
        axes.set_axis_off()
    for i, panel in enumerate(data.panels):
        _draw_panel(style.bare(grid[i], grid="y"), panel, data.mean, words)
        grid[i].set_title("\n".join(titles[i]), loc="left", fontweight=500,
                          pad=_TITLE_PAD + heads[i // across].thresholds)
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
    axes.yaxis.set_major_formatter(style.Percents(words))
    axes.axhline(mean, color=style.REFERENCE, linewidth=1, dashes=(4, 3), zorder=1)
    rates = [bin_.decline for bin_ in panel.bins]
    middles = [_middle(bin_) for bin_ in panel.bins]
    edges = [_edges(bin_) for bin_ in panel.bins]
    axes.hlines([rate.value for rate in rates], [low for low, _ in edges],
                [high for _, high in edges], color=style.PRIMARY, linewidth=1.2)
    style.dots(axes, middles, rates)
    for bin_, middle in zip(panel.bins, middles, strict=True):
        style.tell(axes, middle, bin_.decline.value, words.text(
            "charts.dependence.value", column=words.label(panel.label),
            values=_values(bin_, panel, words), decline=words.estimate(bin_.decline)))
    for bin_ in _extremes(panel):
        above = bin_.decline.high < 0.85
        axes.annotate(
            words.percent(bin_.decline.value),
            (_middle(bin_), bin_.decline.high if above else bin_.decline.low),
            xytext=(0, 3 if above else -3), textcoords="offset points", ha="center",
            va="bottom" if above else "top", fontweight=500, color=style.PRIMARY,
            bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.5},
        )
    _write_values(axes, panel, words)
    if panel.threshold is not None:
        _draw_threshold(axes, panel, panel.threshold, words)


def _draw_threshold(axes: Axes, panel: Panel, threshold: float, words: Localizer) -> None:
    """Draw a thin line, and its value above the panel: beside it where the panel ends."""
    axes.axvline(threshold, color=style.ACCENT, linewidth=1, zorder=1)
    low, high = axes.get_xlim()
    place = (threshold - low) / (high - low)
    align = next(ha for end, ha in _ALIGNMENTS if place <= end)
    axes.annotate(
        words.text("charts.dependence.threshold", value=_value(threshold, panel, words)),
        (threshold, 1), xycoords=axes.get_xaxis_transform(), xytext=(0, 3),
        textcoords="offset points", ha=align, va="bottom", color=style.ACCENT,
    )


def _write_values(axes: Axes, panel: Panel, words: Localizer) -> None:
    """Put round values below the panel, all with the same decimals, the unit at the last one."""
    low, high = axes.get_xlim()
    ticks = [tick for tick in _ROUND.tick_values(low, high) if low <= tick <= high]
    decimals = style.decimals_of(ticks, panel.unit, most=1)
    unit = style.bare_unit(panel.unit)
    written = [words.quantity(tick, unit, decimals) for tick in ticks]
    if unit != "none":
        written[:-1] = [words.number(100 * tick, decimals) for tick in ticks[:-1]]
    axes.set_xticks(ticks, written)


def _name_mean(axes: Axes, data: Panels, words: Localizer) -> None:
    """Say in the first panel what the dashed line is, at the side with more room above it."""
    bins, text_height = data.panels[0].bins, _TEXT_HEIGHT
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


def _thresholds(report: Report) -> dict[str, float]:
    """Return the confirmed levels of recommendation 5 by column."""
    return {
        signal.column: signal.threshold
        for item in report.recommendations
        if isinstance(item.evidence, SignalEvidence)
        for signal in item.evidence.signals
        if signal.form == "level" and signal.finding == "confirmed"
    }


def _extremes(panel: Panel) -> tuple[Bin, Bin]:
    """Return the bins with the highest and the lowest decline rate."""
    ordered = sorted(panel.bins, key=lambda bin_: bin_.decline.value)
    return ordered[-1], ordered[0]


def _edges(bin_: Bin) -> tuple[float, float]:
    low = bin_.low if bin_.low is not None else 0.0
    return low, bin_.high if bin_.high is not None else low


def _middle(bin_: Bin) -> float:
    return sum(_edges(bin_)) / 2


def _value(value: float, panel: Panel, words: Localizer) -> str:
    decimals = style.decimals_of([value], panel.unit, most=panel.decimals)
    return words.quantity(value, style.bare_unit(panel.unit), decimals)


def _values(bin_: Bin, panel: Panel, words: Localizer) -> str:
    (low, high), unit = _edges(bin_), style.bare_unit(panel.unit)
    decimals = style.decimals_of((low, high), panel.unit, most=panel.decimals)
    if low == high:
        return _value(low, panel, words)
    return words.span(low, high, unit, decimals)
