"""From a report to the text of its page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import jinja2

from reportgen import fonts, localization
from reportgen.errors import RenderError
from reportgen.localization import Localizer
from reportgen.results import Report
from reportgen.templating import assets, completeness, palette, panel
from reportgen.templating.filters import filters


class Value(Protocol):
    """What a mark of a chart says, and where."""

    @property
    def x(self) -> float: ...  # noqa: D102  # the class says it
    @property
    def y(self) -> float: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102


class Picture(Protocol):
    """A chart: SVG text, its text alternative, its width in points, what its marks say."""

    @property
    def svg(self) -> str: ...  # noqa: D102
    @property
    def alt(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> float: ...  # noqa: D102
    @property
    def values(self) -> tuple[Value, ...]: ...  # noqa: D102


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
        Folder whose files stand in the place of the shipped ones of the same name.
    for_print
        Whether the page is made for `pdf`: fonts are linked as files instead of embedded,
        charts stand as images, and what only a browser needs is left out.

    Raises
    ------
    RenderError
        Where a template, a message or a number is missing.
    """
    folders = localization.folders(templates)
    words = localization.load(language, templates, currency=report.store.currency)
    document = fill("report.html", environment(folders, words, for_print=for_print), {
        "report": report, "language": language, "pictures": pictures,
        "panel": panel.panel(report, words), "marks": panel.marks(words),
    })
    completeness.check(document, language)
    document = localization.readable(document)
    return fonts.drawable(document) if for_print else document


def environment(folders: tuple[Path, ...], words: Localizer, *,
                for_print: bool = False) -> jinja2.Environment:
    """Return the templates of the folders with everything that a page is made with."""
    made = _environment(folders)
    made.filters |= filters(words)
    colours = palette.read(folders)
    made.globals |= {
        "t": words.text, "has": words.has,
        "for_print": for_print, "chart_colours": colours.of_charts,
        "currency": panel.currency(words),
        "picture_of": lambda name: assets.picture(name, folders),
        "recoloured": lambda svg: _chart(svg, colours.replaced, for_print=for_print),
        "font_family": fonts.FAMILY, "font_faces": assets.font_faces(for_print=for_print),
    }
    return made


def fill(template: str, made: jinja2.Environment, content: Mapping[str, object]) -> str:
    """Fill a template in.

    Raises
    ------
    RenderError
        Where a template, a message or a number is missing.
    """
    try:
        return made.get_template(template).render(content)
    except jinja2.TemplateError as error:
        place = getattr(error, "name", None) or template
        raise RenderError(f"{place} ({content.get('language')}): {error}") from error


def _chart(svg: str, colours: Mapping[str, str], *, for_print: bool) -> str:
    """Draw a chart in the page's colours, and on paper with what its font has."""
    drawing = palette.recoloured(svg, colours)
    return fonts.drawable(drawing) if for_print else drawing


def _environment(folders: tuple[Path, ...]) -> jinja2.Environment:
    """Look a template up in the folders; the shipped ones are also there as ``shipped/NAME``."""
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([
            jinja2.FileSystemLoader(folders),
            jinja2.PrefixLoader({"shipped": jinja2.FileSystemLoader(folders[-1])}),
        ]),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(["html"]), trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
        # Compiling takes half a second; what is compiled serves every document and later runs.
        bytecode_cache=jinja2.FileSystemBytecodeCache(),
    )
