"""The PDF of the report.

An HTML text made by `templating` for print comes in, the bytes of a PDF go out. The only door to
WeasyPrint. Nothing but the report's own fonts and the pictures inside the page is ever read, and
whatever WeasyPrint complains about stops the run: a page that it had to guess is handed to nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import weasyprint
from weasyprint.urls import FatalURLFetchingError, URLFetcher

from reportgen import fonts
from reportgen.errors import RenderError

#: How a chart stands in the page.
_PICTURE = "data:image/svg+xml;base64,"


def write_pdf(html: str) -> bytes:
    """Lay out an HTML document on pages.

    The same text gives the same bytes.

    Raises
    ------
    RenderError
        Where the document asks for anything but the report's fonts and its own pictures, or
        WeasyPrint warns.
    """
    with _complaints() as complaints:
        try:
            written: bytes = weasyprint.HTML(string=html, url_fetcher=_Fetcher()).write_pdf()
        except FatalURLFetchingError as error:
            raise RenderError(f"the PDF was not written: {error}") from error
    if complaints:
        raise RenderError("the PDF was not written, WeasyPrint complained:\n"
                          + "\n".join(f"  {complaint}" for complaint in complaints))
    return written


class _Fetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint is untyped
    """Reads the report's font files and pictures and refuses everything else."""

    def fetch(self, url: str, headers: Any = None) -> Any:
        allowed = {path.as_uri() for path in fonts.faces().values()}
        if url not in allowed and not url.startswith(_PICTURE):
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
