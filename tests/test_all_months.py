"""The page of all months, and the summary that a CI job shows."""

from __future__ import annotations

import re
from dataclasses import replace

import histories
import pytest
from documents import LANGUAGES, Blanks, plain, read
from reports import make_first_report, make_report, make_unproven_report

from reportgen import templating
from reportgen.results import HistoryFault, Report
from reportgen.templating import Listed

DOCUMENTS = ("report.en.html", "report.en.pdf", "report.ru.html", "report.ru.pdf")
PAGES = {"ru": "index.html", "en": "index.en.html"}
HOSTILE = "<b>|x|</b> [y](javascript:z) `code` *bold* # &amp;"


def listed() -> list[Listed]:
    return [Listed("2026-08", make_report(month="2026-08"), DOCUMENTS),
            Listed("2026-09", None, DOCUMENTS[2:]),
            Listed("2026-10", make_report(), DOCUMENTS)]


def index(language: str = "ru", newest: Report | None = None) -> str:
    return templating.render_index(listed(), newest or make_report(), language=language,
                                   pages=PAGES, pictures=Blanks())


def summary(report: Report, language: str = "ru") -> str:
    return templating.render_summary(report, language=language, languages=("ru", "en"))


# ── The page ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_newest_month_stands_first_and_every_document_is_linked(language: str) -> None:
    page = read(index(language))
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    other = "en" if language == "ru" else "ru"
    assert links[0] == PAGES[other]
    own_first = sorted(DOCUMENTS, key=lambda name: f".{language}." not in name)
    assert links[1:6] == [*(f"2026-10/{name}" for name in own_first), "2026-10/results.json"]
    assert f"2026-09/{DOCUMENTS[2]}" in links
    assert "2026-09/results.json" not in links


def test_month_that_cannot_be_read_is_listed_without_figures() -> None:
    rows = re.findall(r"<tr>.*?</tr>", index(), re.S)
    (row,) = [row for row in rows if "сентябрь" in row]
    assert "отчёт нельзя прочитать" in plain(read(row).text)


def test_month_that_does_not_keep_the_limits_says_so() -> None:
    failed = [*listed()[:2], Listed("2026-10", make_report(
        checks=histories.checks(drift=0.4)), DOCUMENTS)]
    page = templating.render_index(failed, make_report(), language="ru", pages=PAGES,
                                   pictures=Blanks())
    assert plain(page).count("пороги качества не соблюдены") == 1
    assert "не соблюдены" not in plain(index())


def test_page_needs_nothing_from_elsewhere_and_runs_nothing_foreign() -> None:
    store = replace(make_report().store, name={"ru": HOSTILE, "en": HOSTILE})
    page = index(newest=make_report(store=store))
    assert "<b>" not in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "default-src 'none'" in page


def test_store_without_totals_has_its_page_too() -> None:
    bare = make_report(overview=replace(make_report().overview, totals=()))
    page = templating.render_index([Listed("2026-10", bare, DOCUMENTS)], bare, language="ru",
                                   pages=PAGES, pictures=Blanks())
    assert "выручка" not in page.lower()


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_has_one_heading_a_caption_and_a_language(language: str) -> None:
    page = read(index(language))
    assert [level for level, _ in page.headings] == [1]
    assert dict(page.tags[0][1])["lang"] == language
    regions = [attrs for _, attrs in page.tags if attrs.get("class") == "table"]
    assert all(attrs["aria-label"] for attrs in regions)


# ── The summary ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("make", [make_report, make_first_report, make_unproven_report])
def test_summary_has_the_headline_the_figures_and_the_limits(make, language: str) -> None:
    text = plain(summary(make(), language))
    assert text.startswith("# ")
    assert "1 296" in text or "1,296" in text
    # A first month has nothing that could have drifted.
    assert text.count("✓") == (3 if make is make_first_report else 4)
    assert "report.en.pdf" in text


def test_summary_tells_what_failed_and_what_is_missing() -> None:
    report = make_report(
        checks=histories.checks(drift=0.4),
        history=replace(make_report().history, faults=(HistoryFault("2026-09", "damaged"),)))
    text = plain(summary(report))
    assert re.search(r"наибольший сдвиг столбца.*0,40 \| 0,25 \| ✗", text)
    assert "сентябрь 2026: отчёт повреждён" in text


def test_text_of_the_data_stays_text_in_markdown() -> None:
    store = replace(make_report().store, name={"ru": HOSTILE, "en": HOSTILE})
    first, *_ = summary(make_report(store=store)).splitlines()
    assert "<b>" not in first
    assert r"\[y\]\(javascript:z\)" in first
    assert r"\|x\|" in first
    assert r"\`code\` \*bold\* \#" in first
    assert "&amp;amp;" in first


def test_tables_of_the_summary_have_as_many_cells_in_every_row() -> None:
    for block in re.findall(r"(?:^\|.*\n)+", summary(make_report()), re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
