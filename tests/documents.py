"""The documents of the hand-built report, rendered once, and a reader of what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from html.parser import HTMLParser

import shared
from reports import make_report

from reportgen import charts, localization, pdf, templating
from reportgen.charts import Picture
from reportgen.results import Report

LANGUAGES = ("ru", "en")
DAY = datetime(2026, 10, 31)

#: A chart where the test is not about charts.
BLANK = Picture('<svg role="img"><title>alt</title></svg>', "alt", 482.4, 100.0)


class Blanks(dict[str, Picture]):
    """Every chart, drawn as nothing."""

    def get(self, _name: object, _default: object = None) -> Picture:  # type: ignore[override]
        return BLANK


@cache
def pictures(language: str) -> dict[str, Picture]:
    return charts.draw_all(make_report(), localization.load(language))


@cache
def html(language: str, *, for_print: bool = False) -> str:
    return templating.render_html(make_report(), language=language, pictures=pictures(language),
                                  for_print=for_print)


@cache
def pdf_of(language: str) -> bytes:
    return shared.once(f"report.{language}.pdf", lambda: pdf.write_pdf(
        html(language, for_print=True), dated=DAY))


def render(report: Report, language: str = "ru", *, for_print: bool = False) -> str:
    """Render a report without drawing its charts."""
    return templating.render_html(report, language=language, pictures=Blanks(),
                                  for_print=for_print)


@dataclass
class Page:
    """What a reader, or a screen reader, meets in an HTML document.

    Attributes
    ----------
    tags
        Every start tag with its attributes.
    headings
        Level and text of each heading.
    text
        All visible text outside of charts and `code`.
    alternatives
        The charts' text alternatives.
    chart_text
        What is written inside the charts.
    by_class
        Texts of the elements that have a class.
    """

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    text: str = ""
    title: str = ""
    alternatives: list[str] = field(default_factory=list)
    chart_text: str = ""
    by_class: dict[str, list[str]] = field(default_factory=dict)


class _Reader(HTMLParser):
    VOID = ("meta", "img", "br", "input")

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.page.tags.append((tag, found))
        if tag in self.VOID:
            return
        self.open.append((tag, found.get("class", "")))
        if re.fullmatch("h[1-6]", tag):
            self.page.headings.append((int(tag[1]), ""))
        for name in found.get("class", "").split():
            self.page.by_class.setdefault(name, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.page.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass
        if tag in ("p", "li", "td", "th", "dt", "dd", "h1", "h2", "h3", "h4", "caption", "span"):
            self._write("\n")

    def handle_data(self, data: str) -> None:
        names = [tag for tag, _ in self.open]
        if "svg" in names:
            if names[-1] == "title":
                self.page.alternatives.append(data)
            elif names[-1] != "style":
                self.page.chart_text += f"{data}\n"
        elif names and names[-1] == "title":
            self.page.title += data
        elif not {"style", "code", "script"} & set(names):
            self._write(data)

    def _write(self, data: str) -> None:
        self.page.text += data
        if any(re.fullmatch("h[1-6]", tag) for tag, _ in self.open):
            level, text = self.page.headings[-1]
            self.page.headings[-1] = (level, text + data)
        for _, classes in self.open:
            for name in classes.split():
                self.page.by_class[name][-1] += data


def read(document: str) -> Page:
    """Read an HTML document."""
    reader = _Reader()
    reader.feed(document)
    return reader.page


def plain(text: str) -> str:
    """Write ordinary spaces for no-break ones and single ones for many."""
    return " ".join(text.split())
