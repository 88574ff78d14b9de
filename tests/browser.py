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


@contextmanager
def opened(document: str, folder: Path, *, width: int = 1280, scheme: str = "light",
           scripts: bool = True) -> Iterator[Any]:
    """Open a document from disk, offline, and fail on anything that the browser complains about."""
    from playwright.sync_api import sync_playwright

    path = folder / "page.html"
    path.write_text(document, encoding="utf-8")
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        context = browser.new_context(viewport={"width": width, "height": 900}, offline=True,
                                      color_scheme=scheme, java_script_enabled=scripts)
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: None if request.url == path.as_uri()
                or request.url.startswith("data:") else complaints.append(request.url))
        page.goto(path.as_uri())
        yield page
        browser.close()
    assert not complaints, "\n".join(complaints)
