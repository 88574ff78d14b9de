"""Nothing half-done: a document with an empty section or heading is a failed run, not a page.

The text of a finished document comes in; nothing goes out, or an error with the place.
"""

from __future__ import annotations

import re
from html import unescape

from reportgen.errors import RenderError

_SECTION = re.compile(r'<section class="section[^"]*" id="([^"]+)".*?>(.*?)</section>', re.DOTALL)
_HEADING = re.compile(r"<(h[1-6]|caption|figcaption)\b[^>]*>(.*?)</\1>", re.DOTALL)
_NAME = re.compile(r'<p class="kicker">.*?</p>', re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LIST = re.compile(r"<(tbody|ol|ul|dl)\b[^>]*>\s*</\1>")
_WORD = re.compile(r"\w")


def check(document: str, language: str) -> None:
    """Refuse a document that says nothing where a reader is promised something.

    Raises
    ------
    RenderError
        Where a section has nothing below its head, or a heading or a title is empty.
    """
    for name, content in _SECTION.findall(document):
        if not _told(_HEADING.sub("", _NAME.sub("", content))):
            raise RenderError(f"the section {name!r} ({language}) has nothing but headings; a "
                              "report without its content is not published")
        if _LIST.search(content):
            raise RenderError(f"a list or a table of the section {name!r} ({language}) is empty; a "
                              "report without its content is not published")
        for heading in _HEADING.finditer(content):
            if not _told(heading[2]):
                raise RenderError(f"a heading of the section {name!r} ({language}) is empty; a "
                                  "report without it is not published")


def _told(markup: str) -> bool:
    """Whether there is a word between the tags."""
    return _WORD.search(unescape(_TAG.sub("", markup))) is not None
