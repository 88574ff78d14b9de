"""The pages as pictures, beside those that were looked at and accepted (`make accept`).

The report is the hand-built one, so only a change of the templates, the charts or the layout can
change a page. A picture is small and grey: what it is to catch is a page that looks otherwise, not
a letter's edge.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from documents import LANGUAGES, pdf_of
from numpy.typing import NDArray
from PIL import Image

ACCEPTED = Path(__file__).parent / "pictures"

#: Dots per inch: enough to see a line of text that moved.
RESOLUTION = 40

#: A pixel differs from a quarter of the greys on; so many of a page may, for fonts are drawn a
#: little otherwise elsewhere. A line of text has twice as many.
DIFFERENT, TOLERATED = 64, 0.001

pytestmark = pytest.mark.skipif(
    shutil.which("pdftoppm") is None,
    reason="pdftoppm is not installed; on Debian: apt-get install poppler-utils")


def drawn(language: str, folder: Path) -> list[Path]:
    path = folder / "report.pdf"
    path.write_bytes(pdf_of(language))
    subprocess.run(["pdftoppm", "-r", str(RESOLUTION), "-png", path, folder / language],
                   check=True)
    return sorted(folder.glob(f"{language}-*.png"))


def greys(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.array(picture.convert("L"))


def difference(one: Path, other: Path) -> float:
    """Return the share of pixels that differ."""
    first, second = (greys(path).astype(np.int16) for path in (one, other))
    if first.shape != second.shape:
        return 1.0
    return float((np.abs(first - second) >= DIFFERENT).mean())


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_look_as_they_were_accepted(
    language: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    pages = drawn(language, tmp_path)
    if request.config.getoption("--accept"):
        ACCEPTED.mkdir(exist_ok=True)
        for old in ACCEPTED.glob(f"{language}-*.png"):
            old.unlink()
        for page in pages:
            Image.fromarray(greys(page)).quantize(16).save(ACCEPTED / page.name, optimize=True)
        pytest.skip(f"accepted {len(pages)} pages of {language!r}")
    assert [page.name for page in pages] == sorted(
        path.name for path in ACCEPTED.glob(f"{language}-*.png"))
    changed = {page.name: share for page in pages
               if (share := difference(page, ACCEPTED / page.name)) > TOLERATED}
    assert not changed, (f"{changed} of the pixels differ from {ACCEPTED}; look at {tmp_path}, and "
                         "if the pages are as they should be, run `make accept`")


def test_a_line_that_is_missing_is_seen(tmp_path: Path) -> None:
    page = drawn("ru", tmp_path)[0]
    picture = greys(page)
    written = np.flatnonzero((picture < 160).sum(axis=1) > 50)
    middle = written[len(written) // 2]
    picture[middle - 3:middle + 4] = 255
    Image.fromarray(picture).save(tmp_path / "changed.png")
    assert difference(page, tmp_path / "changed.png") > TOLERATED


def test_a_page_that_moved_by_a_line_is_seen(tmp_path: Path) -> None:
    page = drawn("ru", tmp_path)[1]
    moved = np.roll(greys(page), 7, axis=0)
    Image.fromarray(moved).save(tmp_path / "moved.png")
    assert difference(page, tmp_path / "moved.png") > TOLERATED
