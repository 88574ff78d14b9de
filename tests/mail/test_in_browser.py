"""The e-mail as Chromium draws it: wide and narrow, with and without pictures, light and dark."""

from __future__ import annotations

import base64
import colorsys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import needs_chromium, opened

from reportgen.templating.palette import contrast

from .letters import LANGUAGES, letter_of, pictures_of

pytestmark = [needs_chromium, pytest.mark.usefixtures("chromium")]

#: WCAG 2.2, 1.4.3: text, and large text (from 24 px, or from 18.66 px where it is bold).
LEAST, LEAST_LARGE = 4.5, 3.0

#: Of every piece of text: its colour, the colour behind it, and whether it is large.
PAIRS = """() => {
  const pairs = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.offsetParent) continue;
    let ground = element;
    const painted = (one) => getComputedStyle(one).backgroundColor;
    while (ground && painted(ground) === "rgba(0, 0, 0, 0)") ground = ground.parentElement;
    const style = getComputedStyle(element), size = parseFloat(style.fontSize);
    pairs.push([style.color, ground ? painted(ground) : "rgb(255, 255, 255)",
                size >= 24 || size >= 18.66 && style.fontWeight >= 700,
                walker.currentNode.textContent.trim().slice(0, 40)]);
  }
  return pairs;
}"""


def document(language: str, *, pictures: bool, kind: str = "third month") -> str:
    """Return the HTML with its pictures as a mail program puts them in, or without any."""
    html = letter_of(kind, language).html
    for picture in pictures_of(kind, language).values():
        shown = f"data:image/png;base64,{base64.b64encode(picture.png).decode()}"
        html = html.replace(f"cid:{picture.content_id}", shown if pictures else "data:,")
    return html


@pytest.fixture(params=[(language, width, pictures) for language in LANGUAGES
                        for width in (600, 360) for pictures in (True, False)],
                ids=lambda case: f"{case[0]}-{case[1]}-{'pictures' if case[2] else 'bare'}")
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    language, width, pictures = request.param
    with opened(document(language, pictures=pictures), tmp_path, width=width,
                scripts=True) as made:
        yield made


def test_nothing_is_wider_than_the_window(page: Any) -> None:
    wide = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    outside = page.evaluate("""() => [...document.querySelectorAll("td, th, h1, h2, img")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5).length""")
    assert outside == 0


def test_every_text_can_be_read(page: Any) -> None:
    too_small = page.evaluate("""() => [...document.querySelectorAll("td, th, span, p, h1, h2")]
        .filter((one) => one.offsetParent && one.textContent.trim()
                         && parseFloat(getComputedStyle(one).fontSize) < 13).length""")
    assert too_small == 0
    assert page.evaluate("() => document.querySelector('.preheader').offsetParent") is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_pictures_their_text_is_shown_in_their_place(
    language: str, tmp_path: Path
) -> None:
    with opened(document(language, pictures=False), tmp_path, width=360) as made:
        for natural, told, height in made.evaluate("""() => [...document.images].map((one) =>
                [one.naturalWidth, one.alt.length, one.getBoundingClientRect().height])"""):
            assert natural == 0
            assert told > 60
            assert height > 40


def test_pictures_are_drawn_in_their_proportions_at_every_width(tmp_path: Path) -> None:
    for width in (700, 600, 360):
        with opened(document("ru", pictures=True), tmp_path, width=width) as made:
            for natural, drawn, shown in made.evaluate("""() => [...document.images].map((one) =>
                    [one.naturalWidth / one.naturalHeight, one.width / one.height, one.width])"""):
                assert drawn == pytest.approx(natural, rel=0.01)
                assert shown <= 552


@pytest.mark.parametrize("kind", ["third month", "unproven model", "closed gate", "quick"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(kind: str, scheme: str, tmp_path: Path) -> None:
    pairs = _pairs(kind, scheme, tmp_path)
    assert len(pairs) > 40
    assert _faint(pairs, lambda colour, _: colour) == []
    grounds = {ground for _, ground, _, _ in pairs}
    assert any(_lightness(_hexadecimal(one)) < 0.2 for one in grounds) == (scheme == "dark")


@pytest.mark.parametrize("kind", ["third month", "unproven model"])
def test_contrast_holds_where_a_mail_program_turns_the_colours_itself(
    kind: str, tmp_path: Path
) -> None:
    """Gmail and Outlook do not ask: they turn all colours, or light grounds and dark texts."""
    pairs = _pairs(kind, "light", tmp_path)
    assert _faint(pairs, lambda colour, _: _turned(colour)) == []
    assert _faint(pairs, lambda colour, is_ground: _turned(colour) if
                  (_lightness(colour) > 0.5) == is_ground else colour) == []


def test_measure_of_contrast_finds_what_is_faint() -> None:
    pair = ["rgb(150, 150, 150)", "rgb(255, 255, 255)", False, "grey"]
    assert _faint([pair], lambda colour, _: colour) == ["grey: 3.0"]


def _pairs(kind: str, scheme: str, folder: Path) -> list[Any]:
    with opened(document("ru", pictures=True, kind=kind), folder, width=600,
                scheme=scheme) as made:
        return list(made.evaluate(PAIRS))


def _faint(pairs: list[Any], change: Callable[[str, bool], str]) -> list[str]:
    found = []
    for text, ground, large, told in pairs:
        measured = contrast(change(_hexadecimal(text), False), change(_hexadecimal(ground), True))
        if measured < (LEAST_LARGE if large else LEAST):
            found.append(f"{told}: {measured:.1f}")
    return found


def _hexadecimal(colour: str) -> str:
    red, green, blue = (int(part) for part in colour[4:-1].split(",")[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def _hls(colour: str) -> tuple[float, float, float]:
    return colorsys.rgb_to_hls(*(int(colour[at:at + 2], 16) / 255 for at in (1, 3, 5)))


def _lightness(colour: str) -> float:
    return _hls(colour)[1]


def _turned(colour: str) -> str:
    hue, lightness, saturation = _hls(colour)
    parts = colorsys.hls_to_rgb(hue, 1 - lightness, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
