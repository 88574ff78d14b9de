"""What a campaign is worth under the store's assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Estimate

CampaignName = Literal["nobody", "everyone", "random", "most_valuable", "known_fallen",
                       "highest_risk", "own_threshold"]
"""Whom a campaign contacts.

"random" and "most_valuable" contact as many customers as "highest_risk"; "known_fallen" needs no
model; "own_threshold" contacts every customer whose risk lies above the threshold of the own value.
"""


@dataclass(frozen=True)
class Assumptions:
    """What the store assumes; money in the unit of the revenue columns.

    ``acceptance`` is the mean of the Beta distribution with ``acceptance_alpha`` and
    ``acceptance_beta``. The value of a customer is the monthly profit times ``profit_unit``
    times ``horizon_months`` times ``loss_share``.
    """

    contact_cost: float
    offer_cost: float
    acceptance: float
    acceptance_alpha: float
    acceptance_beta: float
    horizon_months: float
    loss_share: float
    profit_unit: float


@dataclass(frozen=True)
class Campaign:
    """Expected profit of a way to choose whom to contact, against contacting nobody."""

    name: CampaignName
    customers: int
    share: float
    profit: Estimate
    per_customer: Estimate


@dataclass(frozen=True)
class ProfitPoint:
    """Expected profit of contacting this share of customers, highest risk first.

    Attributes
    ----------
    customers, fallen, value
        Who is contacted, the fallen among them, and what the fallen are worth together: with γ
        the acceptance, d the offer and f the contact, the profit is
        γ·(value − d·fallen) − d·(customers − fallen) − f·customers.
        None in a report of an older schema.
    """

    share: float
    profit: float
    low: float
    high: float
    customers: float | None = None
    fallen: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Sensitivity:
    """The best campaign when one assumption is another, all else equal.

    ``factor`` is 0.5 or 1.5. ``pays`` tells whether the interval of the profit lies above zero,
    ``sign_changes`` whether that differs from the assumption as it stands.
    """

    assumption: str
    factor: float
    value: float
    share: float
    profit: Estimate
    pays: bool
    sign_changes: bool


@dataclass(frozen=True)
class ValueBand:
    """Customers of similar value and the risk from which on contacting one of them pays.

    ``threshold`` is None where contacting never pays: the offer costs more than it can keep.
    """

    low: float
    high: float
    customers: int
    value: float
    threshold: float | None
    contacted: int


@dataclass(frozen=True)
class Money:
    """What a campaign is worth; nothing is claimed where assumptions are missing.

    Attributes
    ----------
    missing
        Keys of reportgen.toml that must be supplied; everything below is then empty or None.
    value_column
        The column that the value is computed from.
    campaigns
        In the order of `CampaignName`.
    advantage
        Profit of contacting the highest risk less that of each other campaign, by its name.
    curve, best_share
        Profit over the share contacted, and the share with the highest profit (chosen on one
        part of the customers and judged on the others).
    pays
        Whether the best campaign's interval lies above zero.
    empc, mpc
        Expected maximum profit measure for churn, and maximum profit, in money per customer.
    """

    missing: tuple[str, ...]
    value_column: str
    customers: int
    assumptions: Assumptions | None
    campaigns: tuple[Campaign, ...]
    advantage: dict[str, Estimate]
    curve: tuple[ProfitPoint, ...]
    best_share: float | None
    pays: bool
    empc: Estimate | None
    mpc: Estimate | None
    sensitivity: tuple[Sensitivity, ...]
    bands: tuple[ValueBand, ...]
