"""From an HTML document to pages.

Nothing but the report's own fonts and the pictures inside the page is ever read, and whatever
WeasyPrint complains about stops the run: a page that it had to guess is handed to nobody.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import weasyprint
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from reportgen import fonts
from reportgen.errors import RenderError
from reportgen.pdf.conformance import conform

#: How charts and a company's logo stand in the page.
_PICTURES = ("data:image/svg+xml;base64,", "data:image/png;base64,")

#: Letters of a complaint: it may quote a whole picture.
_LONGEST = 300

#: WeasyPrint's name of an accessible archive that may hold files of any kind.
_VARIANT = "pdf/a-3a"


@dataclass(frozen=True)
class Attachment:
    """A file that the PDF carries along: the data behind its pages, aggregates only."""

    name: str
    description: str
    content: bytes


def write_pdf(html: str, *, dated: datetime, attachments: Sequence[Attachment] = ()) -> bytes:
    """Lay out an HTML document on pages.

    The same text, files and date give the same bytes.

    Parameters
    ----------
    html
        The document; it tells its language and its title.
    dated
        The date that the document and its attachments bear.
    attachments
        Files to embed.

    Raises
    ------
    RenderError
        Where the document asks for anything but the report's fonts and its own pictures, or
        WeasyPrint warns.
    """
    files = [
        weasyprint.Attachment(string=file.content, name=file.name, description=file.description,
                              created=dated, modified=dated, relationship="Data")
        for file in attachments
    ]
    with _complaints() as complaints, warnings.catch_warnings():
        # WeasyPrint 70.0 leaves the file of its colour profile to the collector.
        warnings.filterwarnings("ignore", category=ResourceWarning)
        try:
            document = weasyprint.HTML(string=html, url_fetcher=_Fetcher())
            laid_out: bytes = document.write_pdf(pdf_variant=_VARIANT, attachments=files)
        except FatalURLFetchingError as error:
            raise RenderError(f"the PDF was not written: {error}") from error
    if complaints:
        raise RenderError("the PDF was not written, WeasyPrint complained:\n"
                          + "\n".join(f"  {complaint[:_LONGEST]}" for complaint in complaints))
    links = {link.get("href", ""): " ".join("".join(link.itertext()).split())
             for link in document.etree_element.iter("a")}
    return conform(laid_out, links=links, dated=dated)


class _Fetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint is untyped
    """Reads the report's font files and pictures and refuses everything else."""

    def fetch(self, url: str, headers: Any = None) -> Any:
        allowed = {path.as_uri() for path in fonts.faces().values()}
        if url not in allowed and not url.startswith(_PICTURES):
            raise FatalURLFetchingError(f"the document asks for {url[:200]}, and a report needs "
                                        "nothing but its own fonts and pictures")
        return super().fetch(url, headers)


class _Collector(logging.Handler):
    """Keeps the texts of all warnings and errors."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what the libraries of the layout warn of, instead of printing it."""
    loggers = [logging.getLogger(name) for name in ("weasyprint", "fontTools")]
    propagated = [logger.propagate for logger in loggers]
    collector = _Collector()
    for logger in loggers:
        logger.addHandler(collector)
        logger.propagate = False
    try:
        yield collector.messages
    finally:
        for logger, propagate in zip(loggers, propagated, strict=True):
            logger.removeHandler(collector)
            logger.propagate = propagate
