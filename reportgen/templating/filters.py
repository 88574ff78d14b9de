"""What the templates may do with a value: write it in the language of the page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from reportgen.localization import Localizer, readable
from reportgen.results import Caveat, ColumnInfo

#: Units that are written with every value; the others are told by the column's label.
_WRITTEN_UNITS = ("money", "share", "relative_change")

#: Decimals of a caveat's means and scores.
_CAVEAT_DECIMALS = 2

#: The size of a drawing in points, as its opening tag states it.
_SIZE = re.compile(r'width="[\d.]+pt" height="[\d.]+pt"')

_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

#: What the templates take from the localizer as it is.
_OF_THE_LOCALIZER = ("number", "percent", "points", "money", "quantity", "interval", "estimate",
                     "label", "month", "date")


def filters(words: Localizer) -> dict[str, Callable[..., Any]]:
    """Return the filters of a language by the names that templates use."""
    own: dict[str, Callable[..., Any]] = {
        "base64": lambda text: base64.b64encode(text.encode()).decode(),
        "bound": lambda value, column: _bound(words, value, column),
        "caveat": lambda caveat: _caveat(words, caveat),
        "delimiter": lambda mark: words.text(f"delimiter.{_DELIMITERS[mark]}"),
        "listed": words.join,
        "mean": lambda value, column: words.quantity(value, _unit(column), column.decimals),
        "parameter": lambda value, name: _parameter(words, name, value),
        "sentence_case": lambda text: text[:1].upper() + text[1:],
        # What a Content-Security-Policy knows the page's own style and script by.
        "sha256": lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode(),
        "readable": lambda text: type(text)(readable(text)),
        "sized": _sized,
        "values": lambda picture: json.dumps([[mark.x, mark.y, mark.text]
                                              for mark in picture.values], ensure_ascii=False),
        # What a macro wrote is escaped; a message that takes it in will be escaped as a whole.
        "words": lambda markup: markup.strip().unescape(),
        # A label is a text of this language like any other, and is typeset as one.
        "typeset": lambda text: type(text)(words.label({words.language: str(text)})),
    }
    return {name: getattr(words, name) for name in _OF_THE_LOCALIZER} | own


def _sized(picture: Any) -> str:
    """Size a chart by the text around it, a tenth of which is its point; the height follows."""
    return _SIZE.sub(f'width="{picture.width / 10:g}rem"', picture.svg, count=1)


def _unit(column: ColumnInfo) -> str:
    return column.unit if column.unit in _WRITTEN_UNITS else "none"


def _bound(words: Localizer, value: float, column: ColumnInfo) -> str:
    """Write the edge of a group of values: whole where it is whole."""
    decimals = 0 if float(value).is_integer() else column.decimals
    return words.quantity(value, _unit(column), decimals)


def _caveat(words: Localizer, caveat: Caveat) -> str:
    """Write a caveat; the name of a figure tells what it is."""

    def written(name: str, value: float) -> object:
        if name == "n":
            return value
        if name == "share":
            return words.percent(value)
        return words.money(value) if name == "money" else words.number(value, _CAVEAT_DECIMALS)

    facts = {name: written(name, value) for name, value in caveat.facts.items()}
    return words.text(f"caveats.{caveat.key}", **facts)


def _parameter(words: Localizer, name: str, value: str) -> str:
    """Write a parameter of a model: its word where it has one, else the number."""
    if words.has(f"parameter.{name}.{value}"):
        return words.text(f"parameter.{name}.{value}")
    try:
        number = Decimal(value).normalize()
    except InvalidOperation:
        return value
    return words.number(float(value), max(0, -int(number.as_tuple().exponent)))
