"""Groups of customers against all others."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Estimate, Labels


@dataclass(frozen=True)
class ProfileRow:
    """Mean of a number column in the segment and among all other customers.

    Attributes
    ----------
    effect
        Cohen's d: the difference over the pooled standard deviation.
    q_value
        False discovery rate over all rows of all segments; None outside the segments.
    told
        Whether the row may be put into words: q below 0.05 and the effect at least small.
    """

    column: str
    segment: float | None
    others: float | None
    difference: Estimate | None
    effect: float | None = None
    q_value: float | None = None
    told: bool = False


@dataclass(frozen=True)
class CategoryRow:
    """Share of one value of a category in the segment and among all other customers.

    ``ratio`` is the one over the other, ``effect`` Cohen's h; see `ProfileRow` for the rest. Where
    so few customers stand behind a value that they could be recognised, its row is left out.
    """

    column: str
    value: str
    customers: int
    segment: float
    others: float
    difference: Estimate
    ratio: Estimate | None = None
    effect: float | None = None
    q_value: float | None = None
    told: bool = False


@dataclass(frozen=True)
class Segment:
    """One segment against all other customers.

    Attributes
    ----------
    suppressed
        Whether so few customers are in it that everything but the name is left out.
    merged
        Names of the segments that are too small to stand alone and are told together here.
    risk
        The mean, None where the model is withheld.
    value_at_risk, contactable_value
        Sum of risk times value over all and over those who may be messaged, in money; None where
        the store's assumptions are absent. Their intervals hold the chance of who falls.
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
    merged: tuple[str, ...] = ()
    value_at_risk: Estimate | None = None
    contactable_value: Estimate | None = None


@dataclass(frozen=True)
class Overlap:
    """Customers who belong to two segments at once; None where so few could be recognised."""

    first: str
    second: str
    customers: int | None


@dataclass(frozen=True)
class Part:
    """A part of all customers; ``value_at_risk`` None where the assumptions are absent."""

    customers: int
    fallen: int
    alike: int
    contactable: int
    value_at_risk: float | None


@dataclass(frozen=True)
class Segmentation:
    """How the segments lie to each other; inside any and outside all add up to everybody."""

    overlaps: tuple[Overlap, ...]
    inside: Part
    outside: Part
