"""Where the report's font lies: one family for charts, HTML and PDF, the same on every machine.

The font comes from a package, never from the system, so that a page looks and breaks the same
everywhere. Fira Sans has Cyrillic, the rouble sign and tabular figures.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

FAMILY = "Fira Sans"

_PACKAGE = "fontpkg_fira_sans"

#: CSS weight and style of every face the report uses, and its file in the package.
_FACES = {
    (400, "normal"): "FiraSans-Regular.ttf",
    (400, "italic"): "FiraSans-Italic.ttf",
    (500, "normal"): "FiraSans-Medium.ttf",
    (600, "normal"): "FiraSans-SemiBold.ttf",
}


#: What stands in print for characters that the font lacks: emoji, or another script.
_UNKNOWN = "?"


def drawable(text: str) -> str:
    """Replace what the font cannot draw; on paper it would be an empty box, which PDF/A forbids."""
    return _undrawable().sub(_UNKNOWN, text)


@cache
def _undrawable() -> re.Pattern[str]:
    from fontTools.ttLib import TTFont

    with TTFont(faces()[400, "normal"], lazy=True) as face:
        known = face.getBestCmap()
    return re.compile(f"[^\\s{''.join(re.escape(chr(code)) for code in known)}]+")


def faces() -> dict[tuple[int, str], Path]:
    """Return the font files by CSS weight and style."""
    folder = Path(str(files(_PACKAGE))) / "files"
    return {face: folder / name for face, name in _FACES.items()}
