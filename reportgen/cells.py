"""What a cell means: expressions that read an id, a number or a known value.

Columns of the engine come in, expressions go out; nothing is computed here. Notation is judged
value by value (`form`); whether a column's commas can be told from thousands separators is for
`validation` to decide, and everything after it may take a comma for a decimal one.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import ibis
from ibis.expr.operations import IsInf, IsNan

from reportgen.contract import Period, Value

#: Blanks of ASCII and of Unicode; spelled out because engines disagree on what \s means.
_BLANK = "[ \t\n\r\f\v\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_EDGES = f"^{_BLANK}+|{_BLANK}+$"

#: How exports write an empty cell.
_MISSING = ("-", "–", "—", "nan", "na", "n/a", "#n/a", "#н/д", "null", "none")

# How numbers are written. Digits are limited so that every number is finite as a float64.
_WHOLE = "([0-9]{1,30}|[0-9]{1,3}([ \u00a0\u2009\u202f][0-9]{3}){1,9})"
_SIGN, _EXPONENT = "[+\\-−]?", "([eE]([+]?[0-9]{1,2}|-[0-9]{1,3}))?"
_PLAIN = "^-?[0-9]{1,30}(\\.[0-9]+)?$"
_POINT = f"^{_BLANK}*{_SIGN}({_WHOLE}(\\.[0-9]+)?|\\.[0-9]+){_EXPONENT}{_BLANK}*$"
_COMMA = f"^{_BLANK}*{_SIGN}{_WHOLE}?,[0-9]+{_EXPONENT}{_BLANK}*$"
#: «1,234» is one thousand or one and a quarter; «0,234» and «1234,500» can only be decimals.
_UNCLEAR = f"^{_BLANK}*{_SIGN}[1-9][0-9]{{0,2}},[0-9]{{3}}{_BLANK}*$"
_UNCLEAR_POINT = _UNCLEAR.replace(",[", "\\.[")
_DIGITS = f"^([+\\-−0-9.,]|{_BLANK})+$"

#: The largest float64.
_GREATEST = sys.float_info.max

#: A float64 holds every whole number up to here.
_EXACT_WHOLE = 2**53

#: Longest piece of the data that a message repeats.
_SHOWN = 40


def _signs(codec: str) -> tuple[str, ...]:
    """Give the sign of each byte, as Windows reads it: one without a letter is a control sign."""
    return tuple(bytes([byte]).decode(codec, "replace").replace("\ufffd", chr(byte))
                 for byte in range(256))


#: The encodings that UTF-8 is misread in.
_MISREAD = (_signs("cp1251"), _signs("cp1252"), _signs("latin-1"))


class Form(StrEnum):
    """How a cell writes a number."""

    MISSING = "missing"
    NUMBER = "number"
    COMMA = "comma"
    UNCLEAR = "unclear"
    BOTH = "both"
    TEXT = "text"


@dataclass(frozen=True)
class Spelling:
    """What a text in a file stands for.

    ``code`` is the repair it needs, as in the cleaning log; empty where it needs none.
    """

    name: str
    source: str
    code: Literal["", "alias", "double_encoding"]


def written(column: ibis.Column) -> ibis.Column:
    """Take the blanks off a text, leave a number as it is; NULL where nothing is left."""
    if column.type().is_numeric():
        return column
    return column.cast("string").re_replace(_EDGES, "").nullif("")


def tidy(text: str) -> str:
    """Take the blanks off a text of the contract or a header, letters composed (macOS)."""
    return re.sub(_EDGES, "", unicodedata.normalize("NFC", text))


def as_text(column: ibis.Column) -> ibis.Column:
    """Read a cell as text; a whole number has no decimals («215348.0» is «215348»)."""
    if column.type().is_floating():
        whole = (column == column.floor()) & (column.abs() <= _EXACT_WHOLE)
        digits = ibis.ifelse(whole, column, ibis.null()).cast("int64").cast("string")
        return digits.coalesce(column.cast("string"))
    if column.type().is_numeric():
        return column.cast("string")
    whole = column.re_search(r"^[0-9]+\.0+$")
    return ibis.ifelse(whole, column.re_replace(r"\.0+$", ""), column)


def is_missing(column: ibis.Column) -> ibis.Column:
    """Whether a cell is empty or holds a mark for an empty one."""
    if column.type().is_floating():
        return column.isnull() | _is_nan(column)
    if column.type().is_string():
        return column.isnull() | column.lower().isin(_MISSING)
    return column.isnull()


def _is_nan(number: ibis.Column) -> ibis.Column:
    """Whether a number is none; an engine without the question (SQLite) holds none such."""
    known = number.get_backend().has_operation(IsNan)
    return number.isnan() if known else ibis.literal(False)


def _is_infinite(number: ibis.Column) -> ibis.Column:
    known = number.get_backend().has_operation(IsInf)
    return number.isinf() if known else number.abs() > _GREATEST


def identifier(column: ibis.Column) -> ibis.Column:
    """Read the id of a customer; NULL where it is missing."""
    return ibis.ifelse(is_missing(column), ibis.null(), as_text(column))


def form(column: ibis.Column) -> ibis.Column:
    """Tell how each cell writes a number: values of `Form`."""
    if column.type().is_numeric():
        number = column.cast("float64")
        return ibis.cases(
            (is_missing(number), Form.MISSING), (_is_infinite(number), Form.TEXT),
            else_=Form.NUMBER,
        )
    return ibis.cases(
        (column.re_search(_POINT), Form.NUMBER),
        (has_unclear_comma(column), Form.UNCLEAR),
        (column.re_search(_COMMA), Form.COMMA),
        (is_missing(written(column)), Form.MISSING),
        (column.contains(".") & column.contains(",") & column.re_search(_DIGITS), Form.BOTH),
        else_=Form.TEXT,
    )


def number(column: ibis.Column) -> ibis.Column:
    """Read numbers as float64, every comma as a decimal one; NULL where a cell holds none."""
    if column.type().is_numeric():
        value = column.cast("float64")
        return ibis.ifelse(_is_nan(value) | _is_infinite(value), ibis.null(), value)
    bare = column.re_replace(_BLANK, "").translate(",−", ".-")
    return ibis.cases(
        (column.re_search(_PLAIN), column), (column.re_search(f"{_POINT}|{_COMMA}"), bare),
    ).cast("float64")


def has_comma(text: ibis.Column) -> ibis.Column:
    """Whether a number that was understood is written with a decimal comma."""
    return text.contains(",")


def has_unclear_comma(text: ibis.Column) -> ibis.Column:
    """Whether the comma of a cell may separate thousands or decimals."""
    return text.re_search(_UNCLEAR)


def has_unclear_point(text: ibis.Column) -> ibis.Column:
    """Whether the point of a cell may separate thousands, as beside decimal commas it may."""
    return text.re_search(_UNCLEAR_POINT)


def spellings(options: Mapping[str, Value] | Mapping[str, Period]) -> dict[str, Spelling]:
    """Every text that stands for one of the options, declared repairs included."""
    known: dict[str, Spelling] = {}
    for name, option in options.items():
        source = tidy(option.source)
        known.setdefault(source, Spelling(name, source, ""))
    for name, option in options.items():
        source = tidy(option.source)
        for alias in map(tidy, option.aliases):
            known.setdefault(alias, Spelling(name, source, "alias"))
    for text, spelling in tuple(known.items()):
        for twice in twice_encoded(text):
            known.setdefault(twice, Spelling(spelling.name, spelling.source, "double_encoding"))
    return known


def meaning(column: ibis.Column, known: Mapping[str, Spelling]) -> ibis.Column:
    """Name the option that a cell stands for; NULL where it is unknown or missing."""
    return as_text(column).cases(*((text, spelling.name) for text, spelling in known.items()))


def twice_encoded(text: str) -> tuple[str, ...]:
    """Give what becomes of a text if its UTF-8 bytes are read as cp1251, cp1252 or Latin-1.

    Examples
    --------
    >>> twice_encoded("да")
    ('РґР°', 'Ð´Ð°')
    >>> twice_encoded("id")
    ()
    """
    read = (tidy("".join(signs[byte] for byte in text.encode())) for signs in _MISREAD)
    return tuple(dict.fromkeys(twice for twice in read if twice != text))


def quoted(text: str) -> str:
    """Show a piece of the data in a message: short, in quotes, control characters escaped."""
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return "«{}»".format("".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in short
    ))
