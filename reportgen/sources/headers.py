"""Find the contract's columns among the headers of a file.

Headers come in as the file spells them; `Match` goes out: where each column of the contract
stands, and a problem for each that is missing or there twice.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reportgen.cells import quoted, tidy, twice_encoded
from reportgen.errors import Problem

#: Most headers a message lists.
_LISTED = 20

_MARKS = ("\ufeff", *twice_encoded("\ufeff"))

#: What an editor leaves where it could not read a letter.
_LOST = "\ufffd"


@dataclass(frozen=True)
class Match:
    """Where the contract's columns stand in a file.

    Attributes
    ----------
    positions
        By header as the contract spells it, counted from 0.
    double_encoded
        Whether a header was recognised only by undoing a second encoding.
    """

    positions: Mapping[str, int]
    double_encoded: bool = False
    problems: tuple[Problem, ...] = ()


def match(found: Sequence[str], expected: Sequence[str], *, file: str) -> Match:
    """Look for each expected header, also in Cyrillic that was encoded twice."""
    names = [_bare(name) for name in found]
    positions: dict[str, int] = {}
    problems: list[Problem] = []
    double_encoded = False
    for header in expected:
        plain = tidy(header)
        places = [place for place, name in enumerate(names) if name == plain]
        if not places:
            twice = twice_encoded(plain)
            places = [place for place, name in enumerate(names) if name in twice]
            double_encoded = double_encoded or bool(places)
        if len(places) == 1:
            positions[header] = places[0]
        elif places:
            problems.append(_doubled(header, places, file))
        else:
            problems.append(_missing(header, names, file))
    return Match(positions, double_encoded, tuple(problems))


def _bare(name: str) -> str:
    """Take off blanks, and byte-order marks that were read as letters."""
    for mark in _MARKS:
        name = name.removeprefix(mark)
    return tidy(name)


def _doubled(header: str, places: Sequence[int], file: str) -> Problem:
    listed = ", ".join(str(place + 1) for place in places)
    return Problem(file, header, 1, "doubled_column",
                   f"the header is there {len(places)} times, in columns {listed}; "
                   "keep the right one")


def _missing(header: str, names: Sequence[str], file: str) -> Problem:
    listed = ", ".join(quoted(name) for name in names[:_LISTED])
    more = ", …" if len(names) > _LISTED else ""
    near = difflib.get_close_matches(header, names, n=1)
    if any(_LOST in name for name in names):
        advice = "letters were lost when the file was saved in a wrong encoding: export it again"
    elif near:
        advice = f"rename {quoted(near[0])} if it is the one"
    else:
        advice = "add it, or name it in reportgen.toml as the file does"
    return Problem(file, header, 1, "missing_column",
                   f"the column is missing; the file has {listed}{more}; {advice}")
