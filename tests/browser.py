"""Headless Chromium for tests of the page; they skip where it is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed; on Debian: apt-get install chromium")

#: The browser that `opened` uses, while the fixture `chromium` has one running.
_running: Any = None


@contextmanager
def started() -> Iterator[None]:
    """Keep one browser for many pages: to start it takes longer than to look at a page."""
    global _running
    from playwright.sync_api import sync_playwright

    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        _running = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield
        finally:
            _running.close()
            _running = None


@contextmanager
def opened(document: str, folder: Path, *, width: int = 1280, scheme: str = "light",
           scripts: bool = True) -> Iterator[Any]:
    """Open a document from disk, offline, and fail on anything that the browser complains about.

    Every document has a context of its own, which shares nothing with the others.
    """
    assert _running is not None, "the test has to ask for the fixture `chromium`"
    path = folder / "page.html"
    path.write_text(document, encoding="utf-8")
    context = _running.new_context(viewport={"width": width, "height": 900}, offline=True,
                                   color_scheme=scheme, java_script_enabled=scripts)
    try:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url == path.as_uri()
                or request.url.startswith("data:") else complaints.append(request.url))
        page.goto(path.as_uri())
        yield page
    finally:
        context.close()
    assert not complaints, "\n".join(complaints)
