"""How the risk is spread over those who have fallen and over the others: a mirrored histogram.

The histogram of `results.Overview` comes in; counts of the fallen go up, of the others down, with
the borders of the bands between them.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reportgen.charts import style
from reportgen.localization import Localizer
from reportgen.results import Band, Report

_HEIGHT = 2.0
#: Points above the plot: the first and the second line of a band's name.
_NAME_DROP = (18, 5)
#: Share of the scale that a band's name takes.
_NAME_WIDTH = 0.24
#: Height of a side's name, as a share of the bars' whole height.
_STRIP = 0.18


@dataclass(frozen=True)
class Histogram:
    """Customers by out-of-fold risk: ``edges`` has one entry more than the counts."""

    edges: tuple[float, ...]
    fallen: tuple[int, ...]
    others: tuple[int, ...]
    bands: tuple[Band, ...]


def frame(report: Report) -> Histogram | None:
    """Select the histogram and the bands; a model that is withheld has none."""
    overview = report.overview
    if not overview.bands:
        return None
    return Histogram(overview.risk_edges, overview.risk_fallen, overview.risk_others,
                     overview.bands)


def draw(data: Histogram, words: Localizer) -> style.Canvas:
    """Draw the fallen upwards and the others downwards from one line."""
    picture = style.figure(style.FULL, _HEIGHT)
    axes = style.bare(picture.subplots(), grid="y")
    widths = [high - low for low, high in zip(data.edges, data.edges[1:], strict=False)]
    sides = ((data.fallen, style.ACCENT), ([-n for n in data.others], style.PRIMARY))
    for counts, colour in sides:
        axes.bar(data.edges[:-1], counts, widths, align="edge", color=colour,
                 edgecolor=style.PAPER, linewidth=0.8)
    for i, (low, width) in enumerate(zip(data.edges, widths, strict=False)):
        style.tell(axes, low + width / 2, data.fallen[i], words.text(
            "charts.risk.value", risk=words.span(low, low + width, "share"),
            fallen=data.fallen[i], others=data.others[i]))
    axes.axhline(0, color=style.INK, linewidth=0.8)
    axes.set_xlim(data.edges[0], data.edges[-1])
    axes.xaxis.set_major_formatter(style.Percents(words))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda n, _: words.number(abs(n))))
    axes.set_xlabel(words.text("charts.risk.axis"))
    _name_sides(axes, data, words)
    for band, place in zip(data.bands, _name_places(data), strict=True):
        if band.low > data.edges[0]:
            axes.axvline(band.low, color=style.INK, linewidth=1, dashes=(4, 3))
        _name_band(axes, band, place, words)
    return picture


def alt(data: Histogram, words: Localizer) -> str:
    """Tell how many of the fallen stand in the highest band, and how many others with them."""
    high = data.bands[-1]
    return words.text(
        "charts.risk.alt",
        band=words.text(f"charts.risk.{high.name}"),
        fallen=high.fallen, all_fallen=sum(data.fallen),
        alike=words.quantity(high.customers - high.fallen, "customers"),
    )


def _name_sides(axes: Axes, data: Histogram, words: Localizer) -> None:
    """Write what each side counts into a strip that no bar reaches."""
    top, bottom = max(data.fallen), max(data.others)
    strip = _STRIP * max(top + bottom, 1)
    axes.set_ylim(-bottom - strip, top + strip)
    sides = (
        ("fallen", sum(data.fallen), (0.02, 0.97), "left", "top", style.ACCENT),
        ("others", sum(data.others), (0.98, 0.03), "right", "bottom", style.PRIMARY),
    )
    for name, n, place, ha, va, colour in sides:
        axes.annotate(words.text(f"charts.risk.{name}", n=n), place, xycoords="axes fraction",
                      ha=ha, va=va, color=colour, fontweight=500,
                      bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 2})


def _name_places(data: Histogram) -> list[float]:
    """Centre each name over its band, but no two of them closer than a name is wide."""
    first, last = data.edges[0], data.edges[-1]
    places = [(max(band.low, first) + min(band.high, last)) / 2 for band in data.bands]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + _NAME_WIDTH)
    limit = last - _NAME_WIDTH / 2
    for i in reversed(range(len(places))):
        places[i] = min(places[i], limit)
        limit = places[i] - _NAME_WIDTH
    return places


def _name_band(axes: Axes, band: Band, place: float, words: Localizer) -> None:
    lines = (words.text(f"charts.risk.{band.name}"), words.quantity(band.customers, "customers"))
    for line, drop, colour in zip(lines, _NAME_DROP, (style.INK, style.MUTED), strict=True):
        axes.annotate(line, (place, 1), xycoords=axes.get_xaxis_transform(), xytext=(0, drop),
                      textcoords="offset points", ha="center", va="bottom", color=colour)
