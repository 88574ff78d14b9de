"""Texts of the data that mean harm, or that no font and no line can hold."""

from __future__ import annotations

import re
import warnings
from dataclasses import replace
from functools import cache
from itertools import cycle
from pathlib import Path

import outloud
import page as page_validation
import pytest
from browser import needs_chromium, opened
from documents import DAY, read
from reports import make_report
from test_page_in_browser import violations

from reportgen import charts, config, fonts, localization, pdf, templating
from reportgen.charts import Picture
from reportgen.errors import ConfigError
from reportgen.results import Report, from_json, to_json

TEXTS = {
    "script": "<script>document.title = 'taken'</script>",
    "handler": "<img src='x.png' onerror=\"document.title = 'taken'\">",
    "closes the page's own script": "</script><script>document.title = 'taken'</script>",
    "style": "<style>* { display: none }</style>",
    "template": "{{ report }}{% include 'base.html' %}",
    "entities": "&amp; &lt;b&gt; &#60;",
    "quotes": "\"'><b>",
    "one very long word": "Сверхдлинноеназваниебезпробелов" * 6,
    "right to left": "مرحبا بالعالم",
    "turns the line around": "\u202egnp.exe\u202c",
    "emoji": "🎁 подарки 👍🏽",
    "control characters": "a\x00b\x1bc\x7f\ud800",
    "one letter": "я",
}

#: The charts that show labels of the store.
LABELLED = ("importance", "dependence", "segments", "categories", "signals")


@cache
def hostile(kind: str) -> Report:
    """Return the report of a store whose every label is such a text; of "every kind", in turn."""
    report = make_report()
    turns = cycle(TEXTS.values() if kind == "every kind" else [TEXTS[kind]])

    def label() -> dict[str, str]:
        text = next(turns)
        return {"ru": text, "en": text}

    columns = {name: replace(column, label=label(), short=label(),
                             values={value: label() for value in column.values})
               for name, column in report.columns.items()}
    return replace(
        report, store=replace(report.store, name=label()), columns=columns,
        segments=tuple(replace(one, label=label()) for one in report.segments),
        focus=replace(report.focus, label=label()),
        decisions=tuple(replace(one, owner_label=label()) for one in report.decisions),
        data=replace(report.data, log=tuple(
            replace(entry, before=next(turns)) for entry in report.data.log)),
    )


@cache
def pictures_of(kind: str) -> dict[str, Picture]:
    """Draw the charts that show labels of the store."""
    return charts.draw_some(hostile(kind), localization.load("ru"), names=LABELLED)


@cache
def page_of(kind: str, *, for_print: bool = False) -> str:
    return templating.render_html(hostile(kind), language="ru", pictures=pictures_of(kind),
                                  for_print=for_print)


every_text = pytest.mark.parametrize("kind", TEXTS)


@every_text
def test_text_is_never_part_of_the_page_s_own_code(kind: str) -> None:
    tags = read(page_of(kind)).tags
    assert [tag for tag, _ in tags].count("script") == 3
    assert [tag for tag, _ in tags].count("style") == 1
    assert not [tag for tag, _ in tags if tag in ("img", "b")]
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on")]


@pytest.mark.parametrize("kind", [
    "every kind", pytest.param("one very long word", marks=pytest.mark.slow)])
def test_page_with_such_texts_is_archived_and_heard_like_any_other(
    kind: str, tmp_path: Path
) -> None:
    content = pdf.write_pdf(page_of(kind, for_print=True), dated=DAY)
    for profile in ("ua1", "3a"):
        assert page_validation.validate_pdf_bytes(content, profile=profile).failures == []
    path = tmp_path / "report.pdf"
    path.write_bytes(content)
    # A running head of many words is prose to this checker (TAG-002); it is the store's name.
    assert [found.message for found in outloud.check(path).findings
            if found.severity == "error" and found.rule != "TAG-002"] == []


@needs_chromium
@pytest.mark.usefixtures("chromium")
@pytest.mark.parametrize("kind", ["every kind", "closes the page's own script",
                                  "one very long word"])
def test_page_with_such_texts_works_in_a_browser(kind: str, tmp_path: Path) -> None:
    with opened(page_of(kind), tmp_path, width=360) as page:
        assert page.title() != "taken"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator("h1").is_visible()
        assert violations(page) == []


def test_characters_that_the_font_lacks_are_replaced_on_paper_only() -> None:
    assert fonts.drawable("Скидки 🎁👍🏽 — 5\u00a0%\n") == "Скидки ? — 5\u00a0%\n"
    assert "🎁 подарки" in page_of("emoji")
    assert "🎁" not in page_of("emoji", for_print=True)


def test_marks_that_turn_lines_around_and_control_characters_are_taken_away() -> None:
    for kind in ("turns the line around", "control characters"):
        assert not re.search("[\x00-\x08\x1b\x7f\u202c\u202e\ud800]", page_of(kind))
    assert "gnp.exe" in page_of("turns the line around")


def test_charts_of_such_texts_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = charts.draw_all(hostile("emoji"), localization.load("ru"))
    assert tuple(name for name, one in pictures.items() if "подарки" in one.svg) == LABELLED


def test_label_of_nothing_is_refused_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "reportgen.toml"
    path.write_text('[store]\nname = { ru = "  ", en = "x" }\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"store\.name\.ru"):
        config.load(path)


def test_text_survives_the_way_through_the_results() -> None:
    report = hostile("entities")
    assert from_json(to_json(report)) == report
