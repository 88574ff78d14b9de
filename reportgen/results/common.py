"""What all parts of a report share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Labels = dict[str, str]
"""A text in each language, by language code."""

Direction = Literal["up", "down", "unclear"]
"""How risk moves as the column grows; "unclear" where no single direction holds."""

Status = Literal["supported", "caution", "unsupported"]
"""How far this month's figures carry a recommendation."""

Light = Literal["green", "amber", "red"]

Effort = Literal["quick", "standard", "thorough"]
"""How much a run spends on honesty; a quick one has no nested cross-validation."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and the number of customers behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ColumnInfo:
    """What the renderers need to know of a column of the contract."""

    name: str
    role: str
    kind: str
    unit: str
    window: str
    group: str
    decimals: int
    label: Labels
    short: Labels
    values: dict[str, Labels]


@dataclass(frozen=True)
class StoreInfo:
    """Who the report is about.

    ``currency`` is empty where the store does not state it, ``published`` where the reports have no
    web address.
    """

    name: Labels
    currency: str
    languages: tuple[str, ...]
    published: str
