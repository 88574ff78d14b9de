"""Every figure a reader meets is a figure of results.json: nothing is computed on the way.

Three nets, from the finest to the widest. What the templates hand to the localizer must be numbers
of results.json, exactly. What stands in the templates and catalogues themselves must hold no
figure. And every numeral of the documents, whoever wrote it, must be a rounded number of
results.json.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from documents import LANGUAGES, Page, html, pdf_of, read, render
from mail.letters import letter_of
from reports import make_report

from reportgen import localization, results
from reportgen.localization import Localizer

TEMPLATES = localization.templates_folder()
NBSP = "\u00a0"

#: Figures that belong to a word: names of metrics, penalties and of the hash.
NAMES = re.compile(r"F1|L[12]|SHA-256|R[1-5]")
#: The level of all intervals is a convention, not a result.
CONSTANTS = {"95"}

#: A number as the languages write it: grouped by no-break spaces or commas, a decimal mark.
NUMERAL = re.compile(rf"\d+(?:[{NBSP},.]\d+)*")


# ── Exactly what the templates hand over ─────────────────────────────────────────────────────────


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Collect every number that a template asks the localizer to write."""
    seen: list[float] = []

    def watch(name: str) -> None:
        write = getattr(Localizer, name)

        def watched(self: Localizer, *values: Any, **facts: Any) -> Any:
            given = (*values[:1], *facts.values()) if name == "text" else values[:1]
            seen.extend(value for value in given
                        if isinstance(value, int | float) and not isinstance(value, bool))
            return write(self, *values, **facts)

        monkeypatch.setattr(Localizer, name, watched)

    for name in ("number", "percent", "points", "money", "quantity", "text"):
        watch(name)
    return seen


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_hand_over_nothing_but_numbers_of_the_report(
    handed_over: list[float], language: str
) -> None:
    render(make_report(), language)
    assert len(handed_over) > 300
    # Parameters of the model travel as texts; the localizer is asked for the number in them.
    known = _numbers() | {float(value) for value in make_report().model.parameters.values()
                          if NUMERAL.fullmatch(value)}
    assert [value for value in handed_over if value not in known] == []


# ── Nothing in the texts themselves ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_hold_no_figures_of_their_own(language: str) -> None:
    for key, forms in localization.load(language).messages.items():
        if not key.startswith("charts."):
            for form in forms:
                assert _numerals(form) <= CONSTANTS, key
    for path in sorted(TEMPLATES.rglob("*.html")):
        code = re.sub(r"{{.*?}}|{%.*?%}|{#.*?#}|<style.*?</style>", "", path.read_text("utf-8"),
                      flags=re.S)
        assert _numerals(read(code).text) <= CONSTANTS, path.name


# ── Every numeral of the documents ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_numeral_of_the_page_stands_in_the_results(language: str) -> None:
    page = read(html(language))
    assert len(_numerals(page.text)) > 100
    assert _unknown(page.text, language) == set()
    assert _unknown("\n".join(page.alternatives), language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_numeral_of_the_e_mail_stands_in_the_results(language: str) -> None:
    written = letter_of("no address", language)
    assert len(_numerals(written.text)) > 50
    body = re.sub(r".*<body", "<body", written.html, flags=re.S)
    for text in (written.subject, written.text, read(body).text):
        assert _unknown(text, language) == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_invented_numeral_is_found_out(language: str) -> None:
    written = localization.load(language).number(make_report().overview.fallen * 3)
    assert _unknown(f"{written} customers", language) == {str(make_report().overview.fallen * 3)}
    assert _unknown(localization.load(language).percent(0.4321, 2), language) == {"43.21"}


def test_both_languages_tell_the_same_numbers() -> None:
    ru, en = ({_value(numeral, language) for numeral in _raw(_told(read(html(language))))}
              for language in LANGUAGES)
    assert ru == en


@pytest.mark.skipif(shutil.which("pdftotext") is None,
                    reason="pdftotext (poppler-utils) is not installed")
@pytest.mark.parametrize("language", LANGUAGES)
def test_pdf_tells_no_number_that_the_page_does_not_tell(language: str, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_of(language))
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True,
                          text=True).stdout
    page = read(html(language))
    told = set(re.findall(r"\d+", page.text + page.chart_text + _code(html(language))))
    pages = {str(number) for number in range(1, 12)}
    # Digits only: pdftotext writes a no-break space like any other, so groups fall apart.
    assert set(re.findall(r"\d+", text)) <= told | pages


# ── Helpers ──────────────────────────────────────────────────────────────────────────────────────


@cache
def _plain() -> Any:
    return json.loads(results.to_json(make_report()))


def _walk(node: Any) -> Iterator[Any]:
    """Yield all values, and how many rows a list has: a count may be told too."""
    if isinstance(node, dict):
        for value in node.values():
            yield from _walk(value)
    elif isinstance(node, list):
        yield len(node)
        for value in node:
            yield from _walk(value)
    else:
        yield node


@cache
def _numbers() -> frozenset[float]:
    return frozenset(value for value in _walk(_plain())
                     if isinstance(value, int | float) and not isinstance(value, bool))


@cache
def _names() -> frozenset[str]:
    """Numerals inside texts of the report: the month, file names, typos, versions."""
    texts = [value for value in _walk(_plain()) if isinstance(value, str) and len(value) < 64]
    return frozenset(part for text in texts for part in re.findall(r"\d+(?:\.\d+)*", text))


@cache
def _rounded(decimals: int) -> frozenset[Decimal]:
    """All numbers as they may be written with so many decimals: plain, or as percent."""
    unit = Decimal(1).scaleb(-decimals)
    return frozenset(
        abs(Decimal(str(number)) * factor).quantize(unit, ROUND_HALF_UP)
        for number in _numbers() for factor in (1, 100)
    )


def _raw(text: str) -> list[str]:
    return NUMERAL.findall(NAMES.sub("", text))


def _numerals(text: str) -> set[str]:
    return set(_raw(text))


def _value(numeral: str, language: str) -> str:
    """Write a numeral without groups and with a decimal point."""
    if language == "ru":
        return numeral.replace(NBSP, "").replace(",", ".")
    return numeral.replace(",", "")


def _unknown(text: str, language: str) -> set[str]:
    """Return the numerals of a text that are no rounded number of results.json."""
    found = set()
    for numeral in _raw(text):
        value = _value(numeral, language)
        if value in CONSTANTS or numeral in _names() or value in _names():
            continue
        number = Decimal(value)
        if number not in _rounded(max(0, -int(number.as_tuple().exponent))):
            found.add(value)
    return found


def _told(page: Page) -> str:
    """What both languages must tell alike: the text without the names that hold digits."""
    return re.sub(r"\d+(?:\.\d+){2,}", "", page.text)


def _code(document: str) -> str:
    return " ".join(re.findall(r"<code>(.*?)</code>", document))
