"""The month as an e-mail: subject, HTML and the same as plain text; and what its owner is told.

A report and its charts as pictures come in; texts go out, in markup that mail programs draw:
tables, and every style written into its element.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import jinja2
from markupsafe import Markup

from reportgen import localization
from reportgen.errors import RenderError
from reportgen.results import Report
from reportgen.templating import palette
from reportgen.templating.page import environment, fill

#: Gmail cuts a longer one off, at about 102 kB.
LARGEST_HTML = 90_000

#: Columns of the plain text.
_COLUMNS = 72

#: What may stand between two words; no-break spaces stay.
_SPACES = re.compile("[ \t-\r\x1c-\x1f\x85\u2028\u2029]+")


class Shown(Protocol):
    """A chart as a picture of the message: its name, text alternative and size in pixels."""

    @property
    def name(self) -> str: ...  # noqa: D102  # the class says it
    @property
    def content_id(self) -> str: ...  # noqa: D102
    @property
    def alt(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class Letter:
    """What a message says, in both of its forms."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Event:
    """Something the owner is told: the key of its text, and lines as the command told them."""

    kind: str
    lines: tuple[str, ...]


def render_letter(report: Report, *, language: str, pictures: Mapping[str, Shown],
                  attached: str, templates: Path | None = None) -> Letter:
    """Write a month as an e-mail.

    Parameters
    ----------
    pictures
        The charts by name; the message refers to each by its ``content_id``.
    attached
        Name of the file with the whole report.

    Raises
    ------
    RenderError
        Where a template, a message or a number is missing, or a mail program would cut it off.
    """
    made = _environment(report, language, templates)
    subject = _line(fill("email/subject.txt", made, {"report": report, "language": language}))
    content = {
        "report": report, "language": language, "pictures": pictures, "subject": subject,
        "attached": attached, "address": _address(report, language),
    }
    html = _inlined(localization.readable(fill("email/message.html", made, content)))
    if len(html.encode()) > LARGEST_HTML:
        raise RenderError(f"the e-mail ({language}) has {len(html.encode())} bytes of HTML and "
                          f"mail programs cut off what is over {LARGEST_HTML}; shorten the labels "
                          "in reportgen.toml")
    text = localization.readable(fill("email/message.txt", made, content))
    return Letter(subject, html, text)


def render_alert(events: Sequence[Event], *, language: str, month: str,
                 templates: Path | None = None) -> tuple[str, str]:
    """Write what the owner is told: the subject, by the first event, and the text."""
    words = localization.load(language, templates)
    folders = localization.folders(templates)
    made = environment(folders, words)
    _add_text_filters(made)
    told_month = words.month(month) if month else ""
    subject = words.text(f"alert.subject_{events[0].kind}", month=told_month)
    text = fill("email/alert.txt", made, {"events": events, "month": told_month,
                                          "language": language})
    return _line(subject), localization.readable(text)


def own_colours(templates: Path | None) -> Mapping[str, str]:
    """Return the colours that stand in the place of the shipped ones, for charts drawn anew."""
    return palette.read(localization.folders(templates)).replaced


def _environment(report: Report, language: str, templates: Path | None) -> jinja2.Environment:
    folders = localization.folders(templates)
    words = localization.load(language, templates, currency=report.store.currency)
    made = environment(folders, words)
    made.globals["colours"] = palette.read(folders).colours
    _add_text_filters(made)
    return made


def _add_text_filters(made: jinja2.Environment) -> None:
    made.filters |= {"told": _told, "underlined": _underlined, "wrapped": _wrapped}


def _address(report: Report, language: str) -> str:
    """Where the month's page is published, empty where it is not."""
    published = report.store.published
    return f"{published.rstrip('/')}/{report.month}/report.{language}.html" if published else ""


def _inlined(html: str) -> str:
    """Write each style into its element; what only some mail programs know stays a style sheet."""
    import css_inline

    inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
    return str(inliner.inline(html))


def _line(text: str) -> str:
    """Write a text as a header may hold it: an end of a line would begin another header."""
    # "=?" would begin an encoded word, which a mail program reads as something else.
    return _SPACES.sub(" ", localization.readable(text)).strip().replace("=?", "= ?")


def _told(text: str) -> str:
    """Read what a macro wrote, or a text as it is."""
    return str(text.unescape() if isinstance(text, Markup) else text).strip()


def _wrapped(text: str, indent: str = "", first: str = "") -> str:
    """Break a text into lines, never at a no-break space; ``indent`` begins all but the first."""
    return textwrap.fill(_told(text), _COLUMNS, initial_indent=first, subsequent_indent=indent,
                         break_long_words=False, break_on_hyphens=False)


def _underlined(text: str) -> str:
    lines = _wrapped(text)
    return f"{lines}\n{'-' * max(map(len, lines.splitlines()))}"
