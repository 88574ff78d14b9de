"""Files that stand inside the page: fonts, and pictures of the templates such as a logo."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path

from fontTools import subset

from reportgen import fonts
from reportgen.errors import RenderError

#: What a page embeds of a font: Latin, Cyrillic, punctuation, arrows, currencies, mathematics.
_CHARACTERS = (
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x400, 0x460), *range(0x2010, 0x2027),
    *range(0x2190, 0x2194), 0x202F, 0x20AC, 0x20BD, 0x2116, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265,
)

_MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}

#: Bytes of a picture; a larger one is no logo and would burst the page's budget.
_LARGEST = 200_000


def font_faces(*, for_print: bool) -> list[dict[str, object]]:
    """List the faces the page is set in: upright ones, it has no italics."""
    return [
        {"weight": weight, "url": path.as_uri() if for_print else _embedded(path)}
        for (weight, style), path in fonts.faces().items() if style == "normal"
    ]


def picture(name: str, folders: Sequence[Path]) -> str:
    """Write a picture of the templates' folders as a data URL.

    Raises
    ------
    RenderError
        Where no folder has it, it lies outside of them, is too large, or of another kind.
    """
    for folder in folders:
        path = (folder / name).resolve()
        if path.is_relative_to(folder.resolve()) and path.is_file():
            break
    else:
        raise RenderError(f"the templates ask for the picture {name!r}, which is in none of "
                          f"{', '.join(map(str, folders))}")
    if path.suffix not in _MEDIA_TYPES:
        raise RenderError(f"the picture {name!r} must be one of {', '.join(_MEDIA_TYPES)}")
    content = path.read_bytes()
    if len(content) > _LARGEST:
        raise RenderError(f"the picture {name!r} has {len(content)} bytes; at most {_LARGEST} fit")
    return f"data:{_MEDIA_TYPES[path.suffix]};base64,{base64.b64encode(content).decode()}"


@cache
def _embedded(font: Path) -> str:
    """Write the report's characters of a font as a data URL; both languages share them.

    Kerning is left out: it would take four fifths of the time and a third of the size.
    """
    options = subset.Options(flavor="woff2", layout_features=["tnum", "lnum"], hinting=False)
    options.drop_tables = [*options.drop_tables, "GPOS"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_CHARACTERS)
    buffer = BytesIO()
    with subset.load_font(str(font), options, lazy=True, dontLoadGlyphNames=True) as face:
        subsetter.subset(face)
        subset.save_font(face, buffer, options)
    return f"data:font/woff2;base64,{base64.b64encode(buffer.getvalue()).decode()}"
