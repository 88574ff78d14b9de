"""The state of the customers this month."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Estimate, Labels


@dataclass(frozen=True)
class Total:
    """A key figure over the months the tables hold, oldest first; the last is this month's.

    ``unit`` is the unit of the columns summed.
    """

    name: str
    label: Labels
    unit: str
    sums: tuple[float, ...]
    means: tuple[float, ...]


@dataclass(frozen=True)
class ClassMeans:
    """Mean of a column among the fallen and among the others, and the difference."""

    column: str
    fallen: Estimate
    others: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Band:
    """Customers whose out-of-fold risk lies in ``low`` ≤ risk < ``high``; see `Overview`."""

    name: str
    low: float
    high: float
    customers: int
    share: float
    fallen: int
    alike: int
    decline: Estimate


@dataclass(frozen=True)
class Overview:
    """The state of the customers this month.

    ``fallen`` are known to buy less. ``alike`` have not fallen but stand in the high band. Where
    the gate withholds the model, nobody is alike, and bands and histograms are empty.
    """

    customers: int
    fallen: int
    fallen_share: Estimate
    alike: int
    alike_share: float
    contactable: int
    contactable_share: float
    fallen_contactable: int
    alike_contactable: int
    totals: tuple[Total, ...]
    classes: tuple[ClassMeans, ...]
    bands: tuple[Band, ...]
    risk_edges: tuple[float, ...]
    risk_fallen: tuple[int, ...]
    risk_others: tuple[int, ...]
