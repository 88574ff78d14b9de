"""A company's colours: seen by everyone, or refused; in the charts as on the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reportgen import localization
from reportgen.charts import style
from reportgen.errors import RenderError
from reportgen.templating import palette

SHIPPED = localization.templates_folder()


def company(folder: Path, colours: str) -> tuple[Path, Path]:
    (folder / "css").mkdir()
    (folder / "css/company.css").write_text(f":root {{ {colours} }}", encoding="utf-8")
    return folder, SHIPPED


@pytest.mark.parametrize(("one", "other", "ratio"), [
    # The definition's ends, and the grey that the guidelines call just enough.
    ("#ffffff", "#000000", 21.0), ("#ffffff", "#ffffff", 1.0), ("#767676", "#ffffff", 4.54),
    # By hand: 18, 67 and 109 of 255 are 0.0061, 0.0561 and 0.1529 of light, together 0.0525;
    # 1.05 over 0.1025.
    ("#12436d", "#ffffff", 10.25),
])
def test_contrast_is_that_of_the_guidelines(one: str, other: str, ratio: float) -> None:
    assert palette.contrast(one, other) == pytest.approx(ratio, abs=0.05)


def test_own_colours_stand_in_the_place_of_the_shipped_ones(tmp_path: Path) -> None:
    found = palette.read(company(tmp_path, "--blue: #0B5D3B; --teal: #1a8f87;"))
    assert found.replaced == {"#12436d": "#0b5d3b", "#28a197": "#1a8f87"}
    assert palette.recoloured('fill="#12436d" stroke="#801650"', found.replaced) == (
        'fill="#0b5d3b" stroke="#801650"')
    assert (found.of_charts["#0b5d3b"], found.of_charts["#868f98"]) == ("blue", "soft")


def test_shipped_colours_replace_nothing() -> None:
    assert palette.read((SHIPPED,)).replaced == {}
    assert palette.recoloured("<svg/>", {}) == "<svg/>"


def schemes() -> dict[str, dict[str, str]]:
    """Return the colours of both schemes as the style sheets state them."""
    dark = (SHIPPED / "css/screen.css").read_text(encoding="utf-8")
    night = re.search(r"html:root {(.*?)}", dark, re.S)
    assert night
    return {"light": dict(palette.read((SHIPPED,)).colours),
            "dark": dict(re.findall(r"--(\w+): (#\w{6})", night[1]))}


@pytest.mark.parametrize(("scheme", "text", "marks"), [("light", 4.5, 3.0), ("dark", 7.0, 4.5)])
def test_shipped_colours_are_seen_by_everyone(scheme: str, text: float, marks: float) -> None:
    colours = schemes()[scheme]
    for name in ("ink", "soft", "blue", "plum"):
        assert palette.contrast(colours[name], colours["paper"]) >= text, name
        assert palette.contrast(colours[name], colours.get("tint", colours["paper"])) >= 4.5, name
    for name in ("teal", "orange"):
        assert palette.contrast(colours[name], colours["paper"]) >= marks, name


@pytest.mark.parametrize(("colours", "told"), [
    ("--blue: #9fc5e8;", r"--blue: #9fc5e8 has a contrast of 1\.8"),
    ("--orange: #ffe0c0;", r"--orange: #ffe0c0 .* needs 3\.0"),
    ("--ink: rgb(250, 250, 250);", r"company\.css: the colour --ink: rgb.* as #rrggbb"),
    ("--blue: #063;", r"--blue: #063 must be written as #rrggbb"),
])
def test_colour_that_can_hardly_be_seen_is_refused(
    tmp_path: Path, colours: str, told: str
) -> None:
    with pytest.raises(RenderError, match=told):
        palette.read(company(tmp_path, colours))


def test_charts_are_drawn_in_the_colours_of_the_style_sheet() -> None:
    shipped = palette.read((SHIPPED,)).colours
    pairs = {"blue": style.PRIMARY, "plum": style.ACCENT, "teal": style.SECONDARY,
             "orange": style.WARM, "ink": style.INK, "soft": style.MUTED, "rule": style.RULE,
             "paper": style.PAPER}
    assert {name: shipped[name] for name in pairs} == pairs
    assert palette._REFERENCE == style.REFERENCE


def test_only_what_holds_on_paper_is_read(tmp_path: Path) -> None:
    folder, _ = company(tmp_path, "--blue: #0b5d3b;")
    path = folder / "css/company.css"
    aside = ("/* :root { --blue: #ffffff; } */ @media (prefers-color-scheme: dark) { html:root "
             "{ --blue: #eeeeee; } } html:root { --blue: #dddddd; } ")
    path.write_text(f"\ufeff{aside}{path.read_text(encoding='utf-8')}", encoding="utf-8")
    assert palette.read((folder, SHIPPED)).colours["blue"] == "#0b5d3b"
