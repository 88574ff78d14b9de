"""What holds for every chart of the report, in every language."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from reports import make_first_report, make_report, money_withheld

from reportgen import charts, localization
from reportgen.charts import CHARTS, FORMS, Picture
from reportgen.results import Report

from .drawn import SVG, texts, words_of

LANGUAGES = localization.languages()
NAMES = [chart.name for chart in CHARTS]

#: A label of a store that likes to explain, 70 letters in both languages.
LONG = {
    "ru": "среднемесячная доля неоплаченных и возвращённых товаров за три квартала",
    "en": "average monthly share of unpaid and returned goods over three quarters",
}


def long_labels(report: Report) -> Report:
    """Give every column, value and segment a long label."""
    columns = {
        name: replace(column, label=LONG, short=LONG,
                      values={value: LONG for value in column.values})
        for name, column in report.columns.items()
    }
    segments = tuple(replace(segment, label=LONG) for segment in report.segments)
    return replace(report, columns=columns, segments=segments)


def narrow_bands(report: Report) -> Report:
    """Put both borders of the bands close to zero."""
    edges = ((0.0, 0.05), (0.05, 0.1), (0.1, 1.0))
    bands = tuple(replace(band, low=low, high=high)
                  for band, (low, high) in zip(report.overview.bands, edges, strict=True))
    return replace(report, overview=replace(report.overview, bands=bands))


@pytest.fixture(scope="module")
def drawn() -> Callable[[str, str], dict[str, Picture]]:
    """Return the pictures of a kind of report in a language, each drawn once."""
    reports = {"usual": make_report(), "long labels": long_labels(make_report()),
               "narrow bands": narrow_bands(make_report())}
    cache: dict[tuple[str, str], dict[str, Picture]] = {}

    def draw(kind: str, language: str) -> dict[str, Picture]:
        if (kind, language) not in cache:
            words = localization.load(language)
            cache[kind, language] = charts.draw_all(reports[kind], words)
        return cache[kind, language]

    return draw


Drawn = Callable[[str, str], dict[str, Picture]]
every_language = pytest.mark.parametrize("language", LANGUAGES)
every_chart = pytest.mark.parametrize("name", NAMES)
every_kind = pytest.mark.parametrize("kind", ["usual", "long labels", "narrow bands"])


@every_language
def test_every_chart_of_a_full_month_is_drawn(drawn: Drawn, language: str) -> None:
    assert list(drawn("usual", language)) == NAMES


def test_every_chart_of_the_folder_is_registered_once_for_one_task() -> None:
    files = {path.stem for path in Path(charts.__file__).parent.glob("*.py")
             if "def draw(" in path.read_text(encoding="utf-8")}
    assert sorted(NAMES) == sorted(files)
    assert {chart.task for chart in CHARTS} == set(FORMS)


@every_language
@every_chart
def test_marks_say_their_values_in_place(drawn: Drawn, language: str, name: str) -> None:
    picture = drawn("usual", language)[name]
    assert picture.values
    for value in picture.values:
        assert 0 <= value.x <= picture.width
        assert 0 <= value.y <= picture.height
        assert re.search(r"\d", value.text)


@every_language
@every_chart
def test_colours_and_fonts_are_attributes_which_a_strict_page_shows(
    drawn: Drawn, language: str, name: str
) -> None:
    svg = drawn("usual", language)[name].svg
    assert "style=" not in svg
    assert "<style" not in svg
    assert 'font-family="' in svg


@every_kind
@every_language
@every_chart
def test_no_text_is_clipped(drawn: Drawn, kind: str, language: str, name: str) -> None:
    picture = drawn(kind, language)[name]
    outside = [
        text.words for text in texts(picture)
        if text.left < -0.5 or text.top < -0.5
        or text.right > picture.width + 0.5 or text.bottom > picture.height + 0.5
    ]
    assert outside == []


@every_kind
@every_language
@every_chart
def test_no_text_lies_on_another(drawn: Drawn, kind: str, language: str, name: str) -> None:
    pairs = combinations(texts(drawn(kind, language)[name]), 2)
    assert [(one.words, other.words) for one, other in pairs if one.overlaps(other)] == []


@every_language
@every_chart
def test_text_is_horizontal_and_as_large_as_the_report_s(
    drawn: Drawn, language: str, name: str
) -> None:
    found = texts(drawn("usual", language)[name])
    assert found
    assert {text.size for text in found} == {10.0}
    assert all(re.match(r"rotate\(-?0 |translate\(", text.transform) for text in found)


@every_language
@every_chart
def test_picture_is_as_wide_as_the_page_or_half_of_it(
    drawn: Drawn, language: str, name: str
) -> None:
    # An A4 page with margins of 18 mm has a body of 174 mm = 493.2 points.
    picture = drawn("usual", language)[name]
    assert picture.width == pytest.approx(493.2) or picture.width == pytest.approx(237.6)
    assert picture.height < 400, "two charts must fit on a page"


@every_language
@every_chart
def test_alternative_states_a_number_and_titles_the_picture(
    drawn: Drawn, language: str, name: str
) -> None:
    picture = drawn("usual", language)[name]
    root = ElementTree.fromstring(picture.svg)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == picture.alt
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == title.attrib["id"]
    assert re.search(r"\d", picture.alt)


@every_chart
def test_russian_text_has_no_decimal_point_straight_quote_or_hyphen_for_minus(
    drawn: Drawn, name: str
) -> None:
    picture = drawn("usual", "ru")[name]
    for line in [picture.alt, *words_of(picture)]:
        assert not re.search(r'\d\.\d|"|(?<!\w)-\d| - ', line), line


@every_language
def test_pictures_of_one_page_share_no_id(drawn: Drawn, language: str) -> None:
    pictures = drawn("usual", language)
    ids = [id_ for picture in pictures.values() for id_ in re.findall(r'\bid="(.*?)"', picture.svg)]
    assert len(set(ids)) == len(ids)


@every_chart
def test_every_reference_inside_a_picture_leads_somewhere(drawn: Drawn, name: str) -> None:
    svg = drawn("usual", "ru")[name].svg
    ids = set(re.findall(r'\bid="(.*?)"', svg))
    assert set(re.findall(r'(?:url\(#|href="#)(.*?)[)"]', svg)) <= ids


@every_chart
def test_picture_can_stand_inside_a_page(drawn: Drawn, name: str) -> None:
    svg = drawn("usual", "ru")[name].svg
    assert svg.startswith("<svg ")
    for foreign in ("<?xml", "<!DOCTYPE", "<style", "<metadata", "<script", "http://matplotlib"):
        assert foreign not in svg


def test_drawing_twice_gives_the_same_bytes(drawn: Drawn) -> None:
    again = charts.draw_all(make_report(), localization.load("ru"))
    assert again == drawn("usual", "ru")


def test_month_with_nothing_to_show_leaves_those_charts_out(report: Report) -> None:
    drivers = tuple(replace(driver, bins=()) for driver in report.explanation.drivers)
    bare = replace(
        report, segments=(), recommendations=(),
        explanation=replace(report.explanation, drivers=drivers),
        model=replace(report.model, roc=(), gains=(),
                      calibration=replace(report.model.calibration, bins=())),
        money=money_withheld("offer_cost"), history=make_first_report().history,
    )
    pictures = charts.draw_all(bare, localization.load("ru"))
    assert list(pictures) == ["importance", "risk", "families"]


def test_dollar_sign_in_a_label_stays_a_dollar_sign(report: Report) -> None:
    label = {"ru": "покупки до 5$ и от 10$", "en": "purchases up to 5$ and from 10$"}
    segments = (replace(report.segments[0], label=label),)
    pictures = charts.draw_all(replace(report, segments=segments), localization.load("ru"))
    assert "покупки до 5$ и от 10$" in words_of(pictures["segments"])
