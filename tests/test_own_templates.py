"""Other people's templates: the documented example, and what a folder of one's own may not do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from documents import DAY, LANGUAGES, html, pictures, plain, read
from reports import make_report

from reportgen import localization, pdf, templating
from reportgen.errors import ConfigError, RenderError

COMPANY = Path(__file__).parents[1] / "docs/company"


def company(language: str, *, for_print: bool = False, folder: Path = COMPANY) -> str:
    return templating.render_html(make_report(), language=language, pictures=pictures(language),
                                  templates=folder, for_print=for_print)


@pytest.mark.parametrize("language", LANGUAGES)
def test_example_has_its_logo_its_colours_its_words_and_its_section(language: str) -> None:
    document = company(language)
    page = read(document)
    assert [attrs for tag, attrs in page.tags if tag == "img" and attrs["class"] == "logo"
            and attrs["src"].startswith("data:image/svg+xml;base64,")]
    assert "#12436d" not in re.sub(r"<style>.*?</style>", "", document, flags=re.S)
    assert 'stroke="#0b5d3b"' in document
    title = {"ru": "Удержание клиентов: отчёт правлению",
             "en": "Customer retention: report to the board"}[language]
    assert title in plain(page.title)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links.index("#contacts") == links.index("#money") + 1
    assert localization.load(language, COMPANY).text("contacts.actions") in page.text


def test_example_leaves_everything_else_as_it_is() -> None:
    ours = [row for row in read(company("ru")).text.split("\n") if row.strip()]
    shipped = [row for row in read(html("ru")).text.split("\n") if row.strip()]
    lost = [row for row in shipped if row not in ours]
    assert len(lost) <= 2, lost      # the title of the document


def test_example_is_laid_out_on_pages() -> None:
    assert pdf.write_pdf(company("ru", for_print=True), dated=DAY).startswith(b"%PDF")


def test_a_message_of_one_s_own_replaces_the_shipped_one_and_leaves_the_others() -> None:
    own, shipped = localization.load("ru", COMPANY), localization.load("ru")
    assert own.messages.keys() - shipped.messages.keys() == {
        "company.logo", "contacts.name", "contacts.headline", "contacts.data", "contacts.actions"}
    changed = {key for key in shipped.messages if own.messages[key] != shipped.messages[key]}
    assert changed == {"report.title"}


def test_an_empty_folder_changes_nothing(tmp_path: Path) -> None:
    assert company("ru", folder=tmp_path) == html("ru")


def test_language_of_one_s_own_is_offered_beside_the_shipped_ones(tmp_path: Path) -> None:
    folder = tmp_path / "locales/de/LC_MESSAGES"
    folder.mkdir(parents=True)
    text = 'msgid ""\nmsgstr "Language: de\\n"\n\nmsgid "report.title"\nmsgstr "Bericht"\n'
    (folder / "own.po").write_text(text, encoding="utf-8")
    assert localization.languages(tmp_path) == ("de", "en", "ru")
    with pytest.raises(ConfigError, match="there are: de, en, ru"):
        localization.load("fr", tmp_path)


@pytest.mark.parametrize(("name", "told"), [
    ("../secret.svg", "in none of"), ("missing.png", "in none of"), ("/etc/passwd", "in none of"),
    ("logo.txt", r"must be one of \.svg, \.png"), ("large.svg", "at most 200000 fit"),
])
def test_picture_comes_from_the_folders_of_templates_only(
    tmp_path: Path, name: str, told: str
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (tmp_path / "secret.svg").write_text("<svg/>", encoding="utf-8")
    (folder / "logo.txt").write_text("x", encoding="utf-8")
    (folder / "large.svg").write_text("x" * 300_000, encoding="utf-8")
    (folder / "logo.html").write_text(f"{{{{ picture_of('{name}') }}}}", encoding="utf-8")
    with pytest.raises(RenderError, match=told):
        company("ru", folder=folder)


def test_address_that_a_template_would_fetch_stops_the_pdf_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "logo.html").write_text('<img src="https://example.org/x.png" alt="x">', "utf-8")
    with pytest.raises(RenderError, match=r"example\.org"):
        pdf.write_pdf(company("ru", for_print=True, folder=tmp_path), dated=DAY)


def test_store_without_a_label_of_that_language_is_told_where(tmp_path: Path) -> None:
    report = make_report()
    bare = replace(report, store=replace(report.store, name={"ru": "Магазин"}))
    with pytest.raises(RenderError, match="has no text in 'en'"):
        templating.render_html(bare, language="en", pictures={})
