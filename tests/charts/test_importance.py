"""Which columns the bars rank, from where, and how they tell the stable ones."""

from __future__ import annotations

from dataclasses import replace

from matplotlib.axes import Axes
from reports import make_unproven_report

from reportgen.charts import importance, style
from reportgen.charts.importance import Bar
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def bars_of(report: Report) -> tuple[Bar, ...]:
    bars = importance.frame(report)
    assert bars is not None
    return bars


def drawn(bars: tuple[Bar, ...], words: Localizer) -> Axes:
    with style.applied():
        (axes,) = importance.draw(bars, words).axes
    return axes


def headlining(report: Report, count: int) -> Report:
    """Headline only so many of the drivers."""
    drivers = tuple(replace(driver, headlined=driver.rank <= count)
                    for driver in report.explanation.drivers)
    return replace(report, explanation=replace(report.explanation, drivers=drivers))


def test_importance_shows_the_seven_strongest_from_the_top(report: Report) -> None:
    shuffled = replace(report.explanation, drivers=report.explanation.drivers[::-1])
    bars = bars_of(replace(report, explanation=shuffled))
    assert len(bars) == 7
    assert bars[0].label == report.columns["pages_per_visit"].label
    values = [bar.importance.value for bar in bars]
    assert values == sorted(values, reverse=True)


def test_importance_bars_start_at_zero_and_are_as_long_as_the_figures(
    report: Report, ru: Localizer
) -> None:
    bars = bars_of(report)
    axes = drawn(bars, ru)
    found = [patch for patch in axes.patches if patch.get_width() > 0]
    assert [patch.get_x() for patch in found] == [0.0] * len(bars)
    assert [patch.get_width() for patch in found] == [bar.importance.value for bar in bars]
    assert axes.get_xlim()[0] == 0


def test_importance_draws_every_interval_in_full(report: Report, ru: Localizer) -> None:
    bars = bars_of(report)
    axes = drawn(bars, ru)
    ends = {tuple(line.get_xdata()) for line in axes.lines}
    assert ends == {(bar.importance.low, bar.importance.high) for bar in bars}
    assert axes.get_xlim()[1] == max(bar.importance.high for bar in bars)


def test_importance_tells_stable_columns_by_full_bars_and_others_by_hollow_ones(
    report: Report, ru: Localizer
) -> None:
    bars = bars_of(headlining(report, 2))
    colours = [style.PRIMARY] * 2 + [style.PAPER] * 5
    with style.applied():
        picture = importance.draw(bars, ru)
    fills = [patch.get_facecolor() for patch in picture.axes[0].patches]
    assert [_hex(fill) for fill in fills] == colours
    key = [text.get_text() for legend in picture.legends for text in legend.get_texts()]
    assert key == ["устойчивые", "неустойчивые"]


def test_importance_names_only_stable_columns_in_words(report: Report, ru: Localizer) -> None:
    # The fixture's interval is a fifth of the value on both sides: 11.2 ± 2.24.
    two = plain(importance.alt(bars_of(headlining(report, 2)), ru))
    assert "«страниц за визит»: в среднем 11,2 п. п. (9,0–13,4 п. п.)" in two
    assert two.endswith("Устойчивы также: минут на сайте в текущем месяце.")
    one = plain(importance.alt(bars_of(headlining(report, 1)), ru))
    assert "Устойчив только один: «страниц за визит»" in one
    none = plain(importance.alt(bars_of(headlining(report, 0)), ru))
    assert "Устойчивых нет" in none
    assert "страниц за визит" not in none


def test_importance_of_a_withheld_model_is_not_drawn() -> None:
    assert importance.frame(make_unproven_report()) is None


def _hex(colour: tuple[float, ...]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour[:3])
