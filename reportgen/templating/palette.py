"""A company's own colours: in the page by its style sheet, in the charts by replacing ours.

The folders of templates come in; from ``css/company.css`` the colours of ``:root`` that stand in
the place of those in ``css/_variables.css`` go out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen.errors import RenderError

#: A rule of :root alone, and what it says of a colour.
_ROOT = re.compile(r"(?<![\w:\-]):root\s*{([^}]*)}")
_VARIABLE = re.compile(r"--([\w-]+):\s*([^;}]+)")
_HEXADECIMAL = re.compile(r"#[0-9a-fA-F]{6}")

#: What is no rule of the page on paper: comments, and what holds for some screens only.
_ASIDE = re.compile(r"/\*.*?\*/|@media[^{]*{(?:[^{}]*{[^{}]*})*[^{}]*}", re.DOTALL)

#: Least contrast with the paper (WCAG 2.2, 1.4.3 and 1.4.11): of text, and of marks.
_LEAST = {"ink": 4.5, "soft": 4.5, "blue": 4.5, "plum": 4.5, "teal": 3.0, "orange": 3.0}

#: The charts' own grey, between the rule's and the text's; no variable of the page.
_REFERENCE = "#868f98"


@dataclass(frozen=True)
class Palette:
    """The page's colours by name, and what stands in the place of each shipped one."""

    colours: Mapping[str, str]
    replaced: Mapping[str, str]

    @property
    def of_charts(self) -> Mapping[str, str]:
        """Names of the variables by the colours that charts are drawn in on this page."""
        return {_REFERENCE: "soft"} | {colour: name for name, colour in self.colours.items()}


def read(folders: Sequence[Path]) -> Palette:
    """Read the colours of folders of templates, of which the last is the shipped one.

    Raises
    ------
    RenderError
        Where a colour could hardly be seen on the paper, or is not written as #rrggbb.
    """
    shipped = _colours(folders[-1] / "css/_variables.css", ())
    own = shipped.copy()
    for folder in reversed(folders[:-1]):
        for name in ("_variables.css", "company.css"):
            path = folder / "css" / name
            own |= _colours(path, tuple(shipped))
            _check_contrast(own, path)
    return Palette(own, {colour: own[name] for name, colour in shipped.items()
                         if own[name] != colour})


def _check_contrast(colours: Mapping[str, str], path: Path) -> None:
    for name, least in _LEAST.items():
        found = contrast(colours[name], colours["paper"])
        if found < least:
            raise RenderError(f"{path}: the colour --{name}: {colours[name]} has a contrast of "
                              f"{found:.1f} with the paper; it needs {least} to be seen by "
                              "everyone")


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


def _colours(path: Path, known: Collection[str]) -> dict[str, str]:
    """Read the colours of a style sheet's :root by name; a known one must be one."""
    if not path.is_file():
        return {}
    found = {}
    text = _ASIDE.sub("", path.read_text(encoding="utf-8-sig"))
    for name, value in (pair for root in _ROOT.findall(text) for pair in _VARIABLE.findall(root)):
        if _HEXADECIMAL.fullmatch(value.strip()):
            found[name] = value.strip().lower()
        elif name in known:
            raise RenderError(f"{path}: the colour --{name}: {value.strip()} must be written as "
                              "#rrggbb, for the charts take it from there, too")
    return found
