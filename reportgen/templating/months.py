"""The page of all months, and the few lines about one that a CI job shows.

Reports come in, texts go out; like every page they are filled from templates and compute nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen import localization
from reportgen.results import Report
from reportgen.templating import completeness
from reportgen.templating.page import Picture, environment, fill

#: Signs that Markdown would take for its own; in a text of the data they are only signs.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~>-])")


@dataclass(frozen=True)
class Listed:
    """A month on the page of all months.

    ``report`` is None where it cannot be read; ``documents`` are names of files in its folder.
    """

    month: str
    report: Report | None
    documents: tuple[str, ...]


def render_index(listed: Sequence[Listed], newest: Report, *, language: str,
                 pages: Mapping[str, str], pictures: Mapping[str, Picture],
                 templates: Path | None = None) -> str:
    """Write the page of all months, the newest first.

    Parameters
    ----------
    newest
        The newest report that can be read; it holds the trend.
    pages
        The file of this page in each language.
    """
    words = localization.load(language, templates, currency=newest.store.currency)
    made = environment(localization.folders(templates), words)
    document = fill("index.html", made, {
        "months": list(reversed(listed)), "report": newest, "language": language,
        "pages": pages, "pictures": pictures,
    })
    completeness.check(document, language)
    return localization.readable(document)


def render_summary(report: Report, *, language: str, languages: Sequence[str],
                   templates: Path | None = None) -> str:
    """Write a month in a few lines of Markdown."""
    words = localization.load(language, templates, currency=report.store.currency)
    made = environment(localization.folders(templates), words)
    made.autoescape = False
    made.filters["plain"] = _plain
    return fill("summary.md", made, {"report": report, "language": language,
                                     "languages": languages})


def _plain(text: object) -> str:
    """Write a text so that Markdown, and the HTML inside it, shows nothing but its signs."""
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(str(text).split()), quote=False))
