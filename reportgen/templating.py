"""The report as one HTML page that needs nothing else: no network, no script, no file beside it.

A `results.Report`, a language and the charts' pictures come in; the text of an HTML document goes
out. The same templates serve the screen and the PDF; only fonts and pictures arrive differently.
Words and numbers pass through the `Localizer`; the templates choose what is shown and compute
nothing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import jinja2
from fontTools import subset

from reportgen import fonts, localization
from reportgen.errors import RenderError
from reportgen.localization import Localizer
from reportgen.results import Caveat, ColumnInfo, Report

#: What a page embeds of a font: Latin, Cyrillic, punctuation, arrows, currencies, mathematics.
_CHARACTERS = (
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x400, 0x460), *range(0x2010, 0x2027),
    *range(0x2190, 0x2194), 0x202F, 0x20AC, 0x20BD, 0x2116, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265,
)

#: Units that are written with every value; the others are told by the column's label.
_WRITTEN_UNITS = ("money", "share", "relative_change")

#: Decimals of a caveat's means and scores.
_CAVEAT_DECIMALS = 2

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "": "none"}

#: What the templates take from the localizer as it is.
_OF_THE_LOCALIZER = ("number", "percent", "points", "money", "quantity", "interval", "estimate",
                     "label", "month", "date")


class Picture(Protocol):
    """A chart: SVG text, its text alternative, and its width in points."""

    @property
    def svg(self) -> str: ...  # noqa: D102  # the class says it
    @property
    def alt(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> float: ...  # noqa: D102


def render_html(
    report: Report, *, language: str, pictures: Mapping[str, Picture],
    templates: Path | None = None, for_print: bool = False,
) -> str:
    """Write a report as an HTML document.

    Parameters
    ----------
    report
        All numbers that may be shown.
    language
        Code of a language that has a catalogue.
    pictures
        The charts by name; a chart without anything to show this month is absent.
    templates
        Folder of templates, the shipped one where absent.
    for_print
        Whether the page is made for `pdf`: fonts are linked as files instead of embedded,
        charts stand as images, and what only a browser needs is left out.

    Raises
    ------
    RenderError
        Where a template, a message or a number is missing.
    """
    folder = templates or localization.templates_folder()
    words = localization.load(language, folder, currency=report.store.currency)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder), undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
        # Compiling takes half a second; what is compiled serves every document and later runs.
        bytecode_cache=jinja2.FileSystemBytecodeCache(),
    )
    environment.filters |= _filters(words)
    environment.globals |= {"t": words.text, "for_print": for_print}
    try:
        return environment.get_template("report.html").render(
            report=report, language=language, pictures=pictures,
            font_family=fonts.FAMILY, font_faces=_font_faces(for_print=for_print),
        )
    except jinja2.TemplateError as error:
        place = getattr(error, "name", None) or "a template"
        raise RenderError(f"{place} ({language}): {error}") from error


def _filters(words: Localizer) -> dict[str, Callable[..., Any]]:
    own: dict[str, Callable[..., Any]] = {
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
        "bound": lambda value, column: _bound(words, value, column),
        "caveat": lambda caveat: _caveat(words, caveat),
        "delimiter": lambda mark: words.text(f"delimiter.{_DELIMITERS[mark]}"),
        "listed": words.join,
        "mean": lambda value, column: words.quantity(value, _unit(column), column.decimals),
        "parameter": lambda value, name: _parameter(words, name, value),
        "sentence_case": lambda text: text[:1].upper() + text[1:],
        # What a macro wrote is escaped; a message that takes it in will be escaped as a whole.
        "words": lambda markup: markup.strip().unescape(),
        # A label is a text of this language like any other, and is typeset as one.
        "typeset": lambda text: type(text)(words.label({words.language: str(text)})),
    }
    return {name: getattr(words, name) for name in _OF_THE_LOCALIZER} | own


def _unit(column: ColumnInfo) -> str:
    return column.unit if column.unit in _WRITTEN_UNITS else "none"


def _bound(words: Localizer, value: float, column: ColumnInfo) -> str:
    """Write the edge of a group of values: whole where it is whole."""
    decimals = 0 if float(value).is_integer() else column.decimals
    return words.quantity(value, _unit(column), decimals)


def _caveat(words: Localizer, caveat: Caveat) -> str:
    """Write a caveat; the name of a figure tells what it is."""

    def written(name: str, value: float) -> object:
        if name == "n":
            return value
        if name == "share":
            return words.percent(value)
        return words.money(value) if name == "money" else words.number(value, _CAVEAT_DECIMALS)

    facts = {name: written(name, value) for name, value in caveat.facts.items()}
    return words.text(f"caveats.{caveat.key}", **facts)


def _parameter(words: Localizer, name: str, value: str) -> str:
    """Write a parameter of a model: its word where it has one, else the number."""
    if words.has(f"parameter.{name}.{value}"):
        return words.text(f"parameter.{name}.{value}")
    try:
        number = Decimal(value).normalize()
    except InvalidOperation:
        return value
    return words.number(float(value), max(0, -int(number.as_tuple().exponent)))


def _font_faces(*, for_print: bool) -> list[dict[str, object]]:
    """List the faces the page is set in: upright ones, it has no italics."""
    return [
        {"weight": weight, "url": path.as_uri() if for_print else _embedded(path)}
        for (weight, style), path in fonts.faces().items() if style == "normal"
    ]


@cache
def _embedded(font: Path) -> str:
    """Write the report's characters of a font as a data URL; both languages share them.

    Kerning is left out: it would take four fifths of the time and a third of the size.
    """
    options = subset.Options(flavor="woff2", layout_features=["tnum", "lnum"], hinting=False)
    options.drop_tables = [*options.drop_tables, "GPOS"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_CHARACTERS)
    buffer = BytesIO()
    with subset.load_font(str(font), options, lazy=True, dontLoadGlyphNames=True) as face:
        subsetter.subset(face)
        subset.save_font(face, buffer, options)
    return f"data:font/woff2;base64,{base64.b64encode(buffer.getvalue()).decode()}"
