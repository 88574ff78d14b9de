"""The style: the page's own colours, readable contrast, and text that is measured, not guessed."""

from __future__ import annotations

import re

import matplotlib
import pytest

from reportgen.charts import style
from reportgen.localization import templates_folder


def contrast_on_white(colour: str) -> float:
    """Return the contrast ratio as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


@pytest.mark.parametrize("colour", [style.INK, style.MUTED, style.PRIMARY, style.ACCENT])
def test_colours_of_text_are_readable_on_white(colour: str) -> None:
    assert contrast_on_white(colour) >= 4.5


@pytest.mark.parametrize("colour", [style.SECONDARY, style.WARM, style.REFERENCE])
def test_colours_of_marks_are_visible_on_white(colour: str) -> None:
    assert contrast_on_white(colour) >= 3.0


@pytest.mark.parametrize(
    ("variable", "colour"),
    [("blue", style.PRIMARY), ("plum", style.ACCENT), ("teal", style.SECONDARY),
     ("orange", style.WARM), ("ink", style.INK), ("soft", style.MUTED), ("rule", style.RULE),
     ("paper", style.PAPER)],
)
def test_charts_have_the_colours_of_the_page(variable: str, colour: str) -> None:
    css = (templates_folder() / "css" / "_variables.css").read_text(encoding="utf-8")
    match = re.search(rf"--{variable}:\s*(#\w+)", css)
    assert match is not None
    assert match[1].lower() == colour


def test_width_is_measured_in_points_with_the_report_s_font() -> None:
    # FiraSans-Regular.ttf: "н" is 593 of 1,000 units wide, so ten of them at 10 points are 59.3.
    assert style.width_of("н" * 10) == pytest.approx(59.3, abs=0.8)


def test_wrapped_lines_keep_to_the_width_and_lose_no_word() -> None:
    text = "высокий риск, покупают в\u00a0основном по\u00a0акциям и\u00a0распродажам"
    lines = style.wrap(text, 120)
    assert len(lines) > 1
    assert " ".join(lines) == text
    assert all(style.width_of(line) <= 120 for line in lines)


def test_word_longer_than_the_line_is_broken_unless_words_are_to_stay_whole() -> None:
    text = "и достопримечательность рядом"
    lines = style.wrap(text, 60)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(style.width_of(line) <= 60 for line in lines)
    assert style.wrap(text, 60, whole=True) == ("и", "достопримечательность", "рядом")


@pytest.mark.parametrize(
    ("values", "unit", "decimals"),
    [([6.0, 10], "pages", 0), ([6.5, 10], "pages", 1), ([0.2, 0.07], "share", 0),
     ([0.125], "share", 1), ([0.2], "pages", 1)],
)
def test_decimals_are_written_only_where_a_value_has_some(
    values: list[float], unit: str, decimals: int
) -> None:
    assert style.decimals_of(values, unit, most=1) == decimals


def test_style_holds_whatever_the_machine_s_own_settings_are_and_leaves_them() -> None:
    with matplotlib.rc_context({"font.size": 31, "axes.grid": True}):
        with style.applied():
            assert matplotlib.rcParams["font.size"] == style.TEXT
            assert not matplotlib.rcParams["axes.grid"]
        assert matplotlib.rcParams["font.size"] == 31
