"""A company's own colours: in the page by its style sheet, in the charts by replacing ours.

The folders of templates come in; from ``css/company.css`` the colours of ``:root`` that stand in
the place of those in ``css/_variables.css`` go out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from reportgen.errors import RenderError

_ROOT = re.compile(r":root\s*{([^}]*)}")
_COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\b")

#: Least contrast with the paper (WCAG 2.2, 1.4.3 and 1.4.11): of text, and of marks.
_LEAST = {"ink": 4.5, "soft": 4.5, "blue": 4.5, "plum": 4.5, "teal": 3.0, "orange": 3.0}


def replacements(folders: Sequence[Path]) -> Mapping[str, str]:
    """Return what stands in the place of each shipped colour; the last folder is the shipped one.

    Raises
    ------
    RenderError
        Where a colour could hardly be seen on the paper.
    """
    shipped = _colours(folders[-1] / "css/_variables.css")
    own = shipped.copy()
    for folder in reversed(folders[:-1]):
        own |= _colours(folder / "css/_variables.css") | _colours(folder / "css/company.css")
    for name, least in _LEAST.items():
        found = contrast(own[name], own["paper"])
        if found < least:
            raise RenderError(f"the colour --{name}: {own[name]} has a contrast of {found:.1f} "
                              f"with the paper; it needs {least} to be seen by everyone")
    return {colour: own[name] for name, colour in shipped.items() if own[name] != colour}


def recoloured(svg: str, colours: Mapping[str, str]) -> str:
    """Draw a chart in other colours."""
    if not colours:
        return svg
    return re.sub("|".join(map(re.escape, colours)), lambda found: colours[found[0]], svg)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, definition)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    values = (int(colour[place:place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
                        for value in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _colours(path: Path) -> dict[str, str]:
    """Read the colours of a style sheet's first :root, by name."""
    if not path.is_file():
        return {}
    root = _ROOT.search(path.read_text(encoding="utf-8"))
    return {name: colour.lower() for name, colour in _COLOUR.findall(root[1])} if root else {}
