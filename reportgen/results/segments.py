"""Groups of customers against all others."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Estimate, Labels


@dataclass(frozen=True)
class ProfileRow:
    """Mean of a number column in the segment and among all other customers."""

    column: str
    segment: float | None
    others: float | None
    difference: Estimate | None


@dataclass(frozen=True)
class CategoryRow:
    """Share of one value of a category in the segment and among all other customers."""

    column: str
    value: str
    customers: int
    segment: float
    others: float
    difference: Estimate


@dataclass(frozen=True)
class Segment:
    """One segment against all other customers.

    Where fewer customers than the smallest publishable count are in it, ``suppressed`` is true
    and everything but the name is left out. ``risk`` is the mean, None where the model is
    withheld.
    """

    name: str
    label: Labels
    rule: str
    conditions: tuple[tuple[str, str, float | str], ...]
    suppressed: bool
    customers: int
    share: float
    fallen: int
    alike: int
    contactable: int
    contactable_share: float
    risk: float | None
    decline: Estimate | None
    others_decline: Estimate | None
    profile: tuple[ProfileRow, ...]
    categories: tuple[CategoryRow, ...]
