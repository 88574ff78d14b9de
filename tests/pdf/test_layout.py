"""The PDF: pages, bookmarks, text that can be searched, nothing outside the paper, no surprises."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from documents import DAY, LANGUAGES, html, pdf_of, render
from reports import make_report

from reportgen import localization, pdf
from reportgen.errors import RenderError

NBSP = "\u00a0"

poppler = pytest.mark.skipif(shutil.which("pdftotext") is None,
                             reason="pdftotext (poppler-utils) is not installed")

#: A4 in points, and the margins of the page style.
WIDTH, SIDE = 595.3, 18 * 72 / 25.4


def document(body: str) -> str:
    return f'<!doctype html><html lang="en"><head><title>t</title></head><body>{body}</body></html>'


@poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_page_of_decisions_body_and_appendix_keep_to_their_pages(
    language: str, tmp_path: Path
) -> None:
    # Everything that a report can hold stands in this one: a page of decisions, then at most six
    # pages of the body, then at most six of the appendix.
    first_of = {section: _page_of(section, language, tmp_path)
                for section in ("drivers", "portraits")}
    assert first_of["drivers"] == 2
    assert first_of["portraits"] <= 8
    assert _pages(pdf_of(language)) - first_of["portraits"] < 6


def test_bookmarks_name_the_sections_and_the_recommendations() -> None:
    titles = [bytes.fromhex(found.decode()).decode("utf-16")
              for found in re.findall(rb"/Title <(feff[0-9a-f]*)>", _readable(pdf_of("ru")))]
    names = [title.replace(NBSP, " ") for title in titles]
    for name in ("Главное", "Что связано со снижением", "Риск и сегменты", "Рекомендации",
                 "1. Скидки: «товары для детей» — 39 % сегмента против 24 %",
                 "Качество модели", "Качество данных", "Метод", "Словарь"):
        assert name in names


@pytest.mark.slow       # of a whole run, test_pipeline.py holds it always
def test_same_page_gives_the_same_bytes() -> None:
    assert pdf.write_pdf(html("ru", for_print=True), dated=DAY) == pdf_of("ru")


@pytest.mark.parametrize("body", [
    '<img src="https://example.org/logo.png">',
    '<img src="file:///etc/hostname">',
    '<style>@import url("https://example.org/style.css");</style>',
    '<style>body { background: url("http://example.org/a.png") }</style>',
    '<link rel="stylesheet" href="https://example.org/style.css">',
    '<object data="https://example.org/a.svg"></object>',
])
def test_document_that_asks_for_anything_else_is_refused(body: str) -> None:
    with pytest.raises(RenderError, match=r"example\.org|hostname"):
        pdf.write_pdf(document(body), dated=DAY)


def test_picture_inside_a_chart_is_not_fetched() -> None:
    chart = '<svg xmlns="http://www.w3.org/2000/svg"><image href="https://example.org/a.png"/></svg>'
    with pytest.raises(RenderError, match="SVG"):
        pdf.write_pdf(document(chart), dated=DAY)


def test_style_that_is_not_understood_is_no_small_matter() -> None:
    with pytest.raises(RenderError, match="no-such-property"):
        pdf.write_pdf(document("<style>p { no-such-property: 1 }</style><p>text</p>"), dated=DAY)


@poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_first_page_stands_alone(language: str, tmp_path: Path) -> None:
    first, second = (_text(pdf_of(language), tmp_path, page=page) for page in (1, 2))
    for mark in ("1 296" if language == "ru" else "1,296", "494", "92"):
        assert mark in first
    last = {"ru": "единица — без ошибок", "en": "one is without error"}[language]
    assert last in first
    assert {"ru": "Что связано со снижением", "en": "What goes with decline"}[language] in second


@poppler
def test_text_can_be_searched_with_its_typography(tmp_path: Path) -> None:
    report = make_report()
    roubles = replace(report, store=replace(report.store, currency="RUB"))
    content = pdf.write_pdf(render(roubles, for_print=True), dated=DAY)
    text = _text(content, tmp_path)
    assert "ещё 92 похожи" in text
    assert "6 788 573 ₽" in text
    # pdftotext writes every space alike; the fonts' own tables know the no-break one.
    assert b"<00a0>" in _readable(content)


@poppler
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_leaves_the_text_area(language: str, tmp_path: Path) -> None:
    for left, right, word in _words(pdf_of(language), tmp_path):
        assert left >= SIDE - 1, word
        assert right <= WIDTH - SIDE + 1, word


@poppler
def test_very_long_words_of_the_store_stay_on_the_paper(tmp_path: Path) -> None:
    report = make_report()
    long = {"ru": "Сверхдлинноеназваниебезпробелов" * 4, "en": "x"}
    columns = {name: replace(column, label=long, short=long)
               for name, column in report.columns.items()}
    changed = replace(report, store=replace(report.store, name=long), columns=columns)
    content = pdf.write_pdf(render(changed, for_print=True), dated=DAY)
    for left, right, word in _words(content, tmp_path):
        assert left >= 0, word
        assert right <= WIDTH, word


def test_every_page_is_numbered_in_words() -> None:
    assert 'data-page="Страница" data-of="из"' in re.sub(r"\s+", " ", html("ru", for_print=True))


def _pages(content: bytes) -> int:
    with pikepdf.open(BytesIO(content)) as document:
        return len(document.pages)


def _page_of(section: str, language: str, folder: Path) -> int:
    """Read in the contents on which page a section begins."""
    name = " ".join(localization.load(language).text(f"{section}.name").split())
    told = _text(pdf_of(language), folder, page=2)
    found = re.search(rf"{name}[ .]+(\d+)", told)
    assert found, told
    return int(found[1])


def _readable(content: bytes) -> bytes:
    """Unpack the streams that hold the document's objects and the fonts' tables."""
    unpacked = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.S):
        try:
            # The last byte of a stream may look like a line's end and be cut off with it.
            unpacked.append(zlib.decompressobj().decompress(stream))
        except zlib.error:
            continue  # an uncompressed one
    return content + b"\n".join(unpacked)


def _text(content: bytes, folder: Path, *, page: int | None = None) -> str:
    path = folder / "report.pdf"
    path.write_bytes(content)
    only = [] if page is None else ["-f", str(page), "-l", str(page)]
    text = subprocess.run(["pdftotext", *only, path, "-"], capture_output=True, check=True,
                          text=True).stdout
    return " ".join(text.split())


def _words(content: bytes, folder: Path) -> list[tuple[float, float, str]]:
    """List left edge, right edge and text of every word."""
    path = folder / "report.pdf"
    path.write_bytes(content)
    text = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, check=True,
                          text=True).stdout
    found = re.findall(r'<word xMin="([\d.-]+)" .*?xMax="([\d.-]+)" .*?>(.*?)</word>', text)
    assert found
    return [(float(left), float(right), word) for left, right, word in found]
