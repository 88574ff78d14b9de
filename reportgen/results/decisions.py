"""What changed since the month before, and what leadership is asked to decide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Labels

DecisionKey = Literal["launch", "continue", "stop", "assumptions", "experiment", "no_targeting",
                      "data"]
"""What is asked for; the key of its sentence."""

Owner = Literal["marketing", "finance", "analytics"]
"""Who carries a decision out: the key of a name, where the store gives none."""


@dataclass(frozen=True)
class Change:
    """A key figure against a month before.

    Attributes
    ----------
    name
        "customers", "fallen_share", "alike_share", or "total." and the name of a total.
    unit
        Unit of the figure; a share's difference is one of shares.
    previous
        The figure then.
    difference, relative
        Now less then, and that over then; None where then was nothing, or less.
    low, high
        The 95 % interval of the difference; None where nothing is estimated (all customers are
        counted) or what is doubtful has no interval (two models draw the line).
    """

    name: str
    unit: str
    previous: float
    difference: float
    relative: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Changes:
    """How the key figures changed.

    ``month`` is the month of the earlier report, empty where there is none, and ``apart`` by how
    many months it is earlier; the totals of the tables know the month before by themselves.
    """

    month: str
    apart: int
    figures: tuple[Change, ...]


@dataclass(frozen=True)
class Budget:
    """Money that a decision needs at most: everybody is contacted and takes the offer."""

    most: float


@dataclass(frozen=True)
class Decision:
    """A decision asked for.

    Attributes
    ----------
    facts
        Figures of its sentence.
    owner, owner_label
        Who carries it out; the label is empty where the store does not name them.
    due
        Day, as YYYY-MM-DD, by which it is asked for.
    budget
        None where it costs nothing or the assumptions are missing.
    """

    key: DecisionKey
    facts: dict[str, int]
    owner: Owner
    owner_label: Labels
    due: str
    budget: Budget | None
