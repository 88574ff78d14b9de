"""What the e-mail of a month says, and whether mail programs can draw it."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pytest
from documents import Page, plain, read
from reports import make_report

from reportgen import localization, templating
from reportgen.errors import RenderError
from reportgen.results import Report

from . import clients
from .letters import (
    LANGUAGES,
    PUBLISHED,
    REPORTS,
    letter,
    letter_of,
    pictures_of,
    report_of,
    with_address,
)

every_letter = pytest.mark.parametrize(
    ("kind", "language"), [(kind, language) for kind in REPORTS for language in LANGUAGES])
every_language = pytest.mark.parametrize("language", LANGUAGES)

HOSTILE = "<script>alert(1)</script>\r\nBcc: all@example.org \"&<b>"


def shown(kind: str, language: str) -> str:
    """Return what stands in the message itself, without its title and its preview line."""
    body = letter_of(kind, language).html.partition("<body")[2]
    return read("<body" + re.sub(r'<div class="preheader".*?</div>', "", body)).text


def visible(kind: str, language: str) -> str:
    return plain(shown(kind, language))


def numerals(text: str) -> list[str]:
    return re.findall(r"\d+(?:[\xa0,.]\d+)*", text)


# ── Mail programs ────────────────────────────────────────────────────────────────────────────────


@every_letter
def test_gmail_word_and_apple_mail_can_draw_it(kind: str, language: str) -> None:
    assert clients.check(letter_of(kind, language).html) == []


@every_letter
def test_it_stays_far_below_what_gmail_cuts_off(kind: str, language: str) -> None:
    assert len(letter_of(kind, language).html.encode()) < 40_000


def test_it_is_refused_where_gmail_would_cut_it_off() -> None:
    label = {"ru": "длинный " * 3_000, "en": "long " * 3_000}
    report = make_report()
    total = replace(report.overview.totals[0], label=label)
    endless = replace(report, overview=replace(report.overview, totals=(total,) * 2))
    with pytest.raises(RenderError, match=r"the e-mail \(ru\) has \d+ bytes .*shorten the labels"):
        letter(endless)


@every_letter
def test_every_picture_is_referred_to_once_with_its_text_and_its_size(
    kind: str, language: str
) -> None:
    images = [attrs for tag, attrs in read(letter_of(kind, language).html).tags if tag == "img"]
    pictures = pictures_of(kind, language)
    assert [(one["src"], one["alt"], one["width"], one["height"]) for one in images] == [
        (f"cid:{picture.content_id}", picture.alt, str(picture.width), str(picture.height))
        for picture in pictures.values()]


# ── What it says ─────────────────────────────────────────────────────────────────────────────────


@every_letter
def test_text_and_html_tell_the_same_numbers(kind: str, language: str) -> None:
    written = letter_of(kind, language)
    alternatives = [attrs["alt"] for tag, attrs in read(written.html).tags if tag == "img"]
    html, pictured = shown(kind, language), [n for text in alternatives for n in numerals(text)]
    of_text = numerals(re.sub(r"(?m)^\s*https?://\S+|: https?://\S+$", "", written.text))
    # The plain text says in words what the pictures show, and numbers the recommendations alike.
    assert sorted(of_text) == sorted([*numerals(html), *pictured])
    for item in report_of(kind).recommendations:
        name = localization.load(language).text(f"recommendation.{item.code}")
        assert plain(name) in plain(html)
        assert plain(name) in plain(written.text)


@every_letter
def test_subject_tells_the_finding_and_the_month(kind: str, language: str) -> None:
    subject = letter_of(kind, language).subject
    assert "2026" in subject
    assert re.search(r"\d+[\xa0]?%", subject)
    assert len(subject) <= 95
    assert "\n" not in subject


def test_subject_of_a_model_that_is_withheld_warns() -> None:
    assert "не применять" in plain(letter_of("unproven model", "ru").subject)
    assert "do not use" in letter_of("unproven model", "en").subject


@every_letter
def test_preview_line_says_more_than_the_subject_in_40_to_90_signs(
    kind: str, language: str
) -> None:
    html = letter_of(kind, language).html
    (preheader,) = re.findall(r'<div class="preheader"[^>]*>(.*?)</div>', html)
    assert 40 <= len(unescape(preheader)) <= 90
    assert unescape(preheader) not in letter_of(kind, language).subject


@every_language
def test_message_has_the_headline_figures_changes_advice_caveats_and_the_way_to_the_rest(
    language: str
) -> None:
    report, words = report_of("third month"), localization.load(language)
    page = read(letter_of("third month", language).html)
    text = visible("third month", language)
    assert [level for level, _ in page.headings] == [1, 2, 2, 2, 2, 2, 2, 2]
    for figure in (report.overview.customers, report.overview.fallen, report.overview.alike):
        assert plain(words.number(figure)) in text
    for change in report.changes.figures:
        if change.name in ("customers", "fallen_share", "alike_share"):
            written = (words.points(change.difference, 1) if change.unit == "share"
                       else words.number(change.difference, signed=True))
            assert plain(written) in text
    assert text.count(plain(words.text("status.supported")).capitalize()) == sum(
        item.status == "supported" for item in report.recommendations)
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == [f"{PUBLISHED}2026-10/report.{language}.html"]
    assert f"report-2026-10-{language}.pdf" in text


@every_language
def test_first_month_invents_no_change(language: str) -> None:
    none = localization.load(language).text("changes.none")
    assert visible("first month", language).count(plain(none)) >= 2


@every_language
def test_closed_gate_and_quick_run_are_told_before_the_headline(language: str) -> None:
    words = localization.load(language)
    for kind, key in (("closed gate", "checks.failed"), ("quick", "trust.quick"),
                      ("unproven model", "trust.withheld")):
        text = visible(kind, language).lower()
        told = plain(words.text(key)).lower()
        assert told in text
        heading = plain(read(letter_of(kind, language).html).headings[0][1]).lower()
        assert text.index(told) < text.index(heading)


@every_language
def test_why_a_model_is_withheld_is_told(language: str) -> None:
    words, text = localization.load(language), visible("unproven model", language)
    for reason in report_of("unproven model").model.gate.closed_by:
        assert plain(words.text(f"trust.{reason}", interval="#", floor="#", chance="#",
                                column="#")).split("#")[0] in text
    assert plain(f"{words.text('trust.withheld')}. ") in text


@every_language
def test_segment_and_the_decisions_are_told(language: str) -> None:
    report, text = report_of("third month"), visible("third month", language)
    words = localization.load(language)
    assert plain(words.label(report.focus.label)) in text
    assert plain(words.text("summary.decisions", n=len(report.decisions),
                            due=words.date(report.decisions[0].due))) in text


def test_subject_of_a_report_that_misses_a_limit_says_so() -> None:
    assert "порог качества не соблюдён" in plain(letter_of("closed gate", "ru").subject)
    assert "limit is not kept" in letter_of("closed gate", "en").subject


def test_report_without_an_address_has_no_button() -> None:
    page = read(letter_of("no address", "ru").html)
    assert [tag for tag, _ in page.tags if tag == "a"] == []


def test_month_of_a_model_that_is_withheld_shows_no_importance() -> None:
    assert "importance" not in pictures_of("unproven model", "ru")


@every_language
def test_plain_text_fits_into_72_columns(language: str) -> None:
    lines = letter_of("third month", language).text.splitlines()
    assert all(len(line) <= 72 for line in lines if "://" not in line)


# ── Text of the data ─────────────────────────────────────────────────────────────────────────────


def hostile() -> Report:
    report = with_address(make_report())
    label = {"ru": HOSTILE, "en": HOSTILE}
    columns = {name: replace(column, label=label, short=label,
                             values=dict.fromkeys(column.values, label))
               for name, column in report.columns.items()}
    totals = tuple(replace(total, label=label) for total in report.overview.totals)
    return replace(report, columns=columns, store=replace(report.store, name=label),
                   overview=replace(report.overview, totals=totals))


@every_language
def test_text_of_the_data_stays_text(language: str) -> None:
    written = letter(hostile(), language)
    page: Page = read(written.html)
    assert not {"script", "b"} & {tag for tag, _ in page.tags}
    assert "\n" not in written.subject
    assert "<script>" in written.text       # as it is, and nothing a mail program would run
    assert "&lt;" not in written.text
    assert clients.check(written.html) == []


def test_address_that_could_break_out_of_the_link_is_refused_by_the_settings() -> None:
    from reportgen import config
    from reportgen.errors import ConfigError

    for address in ('https://x/"onclick="y', "javascript:alert(1)", "https://x/<b>"):
        with pytest.raises(ConfigError, match=r"store\.published"):
            config.parse(f"[store]\npublished = '{address}'")


# ── What the owner is told ───────────────────────────────────────────────────────────────────────


@every_language
@pytest.mark.parametrize("kind", ["failed", "gate", "undelivered", "approval"])
def test_notice_tells_what_happened_and_the_command_s_own_words(language: str, kind: str) -> None:
    line = "data/market.csv, column «x», row 3: <not> a number & nothing"
    events = [templating.Event(kind, (line,)), templating.Event("kept_back", ("reportgen send",))]
    subject, text = templating.render_alert(events, language=language, month="2026-10")
    assert subject.startswith("reportgen: ")
    assert f"    {line}\n" in text
    assert "    reportgen send\n" in text
    assert localization.load(language).text("alert.foot")[:20] in text


def test_own_colours_reach_the_message(tmp_path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/company.css").write_text(":root { --blue: #0b5d3b; }")
    written = templating.render_letter(make_report(), language="ru", pictures={}, attached="x.pdf",
                                       templates=tmp_path)
    assert "#0b5d3b" in written.html
    assert "#12436d" not in written.html
    assert clients.check(written.html) == []
