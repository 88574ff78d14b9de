"""Groups of customers against all others."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Estimate, Labels


@dataclass(frozen=True)
class ProfileRow:
    """Mean of a number column in the segment and among all other customers.

    Attributes
    ----------
    segment, others
        None where so few customers have a value that they could be recognised.
    effect
        Cohen's d: the difference over the pooled standard deviation.
    q_value
        False discovery rate over all rows of all segments; None outside the segments.
    told
        Whether the row may be put into words: q below 0.05 and the effect at least small (0.2).
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

    ``ratio`` is the one over the other, None where one is 0; ``effect`` is Cohen's h; see
    `ProfileRow` for the rest. Where so few customers stand behind a value that they could be
    recognised, its row is left out.
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
    decline, others_decline, decline_difference, decline_ratio
        Share of fallen customers inside, outside, the one less and over the other. All but the
        first are None where too few are outside, the ratio also where one share is 0.
    value_at_risk, contactable_value
        Sum of risk times value over all and over those who may be messaged, in money; None where
        the store's assumptions are absent, or where so few stand behind the sum, or behind what
        is left without it, that they could be recognised. The intervals hold the chance of who
        falls, see `segments`.
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
    decline_difference: Estimate | None = None
    decline_ratio: Estimate | None = None
    merged: tuple[str, ...] = ()
    value_at_risk: Estimate | None = None
    contactable_value: Estimate | None = None


@dataclass(frozen=True)
class Overlap:
    """Customers who belong to two segments at once; None where they are fewer than 10."""

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
    """How the segments lie to each other.

    Attributes
    ----------
    overlaps
        Every pair of segments that are told, in their order.
    inside, outside
        Customers in at least one segment of the settings and in none, everybody together. Both
        None where one side has customers, but so few that they could be recognised.
    """

    overlaps: tuple[Overlap, ...]
    inside: Part | None
    outside: Part | None
