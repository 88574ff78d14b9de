"""The recommendations and the evidence of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Estimate, Status
from reportgen.results.segments import CategoryRow, ProfileRow


@dataclass(frozen=True)
class Audience:
    """Whom a recommendation speaks to."""

    customers: int
    fallen: int
    alike: int
    contactable: int


@dataclass(frozen=True)
class CategoryEvidence:
    """Which categories of goods the focus segment turns to, most frequent first.

    ``attention`` is the category that is over-represented beyond chance (simultaneous intervals
    over all categories), empty where none is.
    """

    kind: Literal["categories"]
    column: str
    largest: str
    attention: str
    rows: tuple[CategoryRow, ...]
    profit: ProfileRow | None


@dataclass(frozen=True)
class MailingEvidence:
    """Who may be messaged, what they turn to, and how often they are messaged now."""

    kind: Literal["mailing"]
    column: str
    contactable: int
    contactable_share: Estimate | None
    rows: tuple[CategoryRow, ...]
    contacts: ProfileRow | None


@dataclass(frozen=True)
class DepthEvidence:
    """Viewing depth and unpaid goods of the focus segment against the others.

    ``shallower`` names the depth columns that are lower beyond chance, ``basket_fuller`` tells
    whether more goods are left unpaid beyond chance.
    """

    kind: Literal["depth"]
    rows: tuple[ProfileRow, ...]
    basket: ProfileRow
    shallower: tuple[str, ...]
    deeper: tuple[str, ...]
    basket_fuller: bool


@dataclass(frozen=True)
class LoyaltyEvidence:
    """Those who buy mostly on promotion against all others."""

    kind: Literal["loyalty"]
    column: str
    threshold: float
    buyers: int
    decline: Estimate | None
    others_decline: Estimate | None
    difference: Estimate | None
    profit: ProfileRow | None


@dataclass(frozen=True)
class Signal:
    """A level or a fall of a column tested as a sign of risk.

    The threshold is found on the training part; the rates come from the test part, which had no
    say in it. ``finding`` is "confirmed" where customers at or below the threshold decline
    more beyond chance, "opposite" where they decline less, "unclear" otherwise.
    ``customers`` counts all customers at or below the threshold now, ``fallen`` and ``alike`` those
    among them.
    """

    column: str
    form: Literal["level", "fall"]
    threshold: float
    below: Estimate
    above: Estimate
    difference: Estimate
    customers: int
    fallen: int
    alike: int
    finding: Literal["confirmed", "opposite", "unclear"]


@dataclass(frozen=True)
class SignalEvidence:
    """The signals of recommendation 5, strongest confirmed first.

    ``unmeasured`` names the level columns whose fall cannot be measured without history.
    """

    kind: Literal["signals"]
    signals: tuple[Signal, ...]
    unmeasured: tuple[str, ...]
    flagged: int
    flagged_not_fallen: int


@dataclass(frozen=True)
class GroupEvidence:
    """Customers at or above a limit of a column against all others."""

    kind: Literal["group"]
    column: str
    threshold: float
    customers: int
    decline: Estimate | None
    others_decline: Estimate | None
    difference: Estimate | None


Evidence = (CategoryEvidence | MailingEvidence | DepthEvidence | LoyaltyEvidence | SignalEvidence
            | GroupEvidence)


# ── What it is worth, and what to watch ──────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Kpi:
    """The figure to watch.

    ``name`` is the key of its text, ``column`` the column that it speaks of (empty where it speaks
    of none). ``better`` tells which way is good, ``previous`` the value a month before, None where
    no earlier report tells it.
    """

    name: str
    column: str
    unit: str
    value: float
    previous: float | None
    better: Literal["up", "down"]


@dataclass(frozen=True)
class ActionWorth:
    """What an action is worth under the store's assumptions.

    Attributes
    ----------
    customers
        Fallen and alike customers it is meant for who may be messaged.
    value_at_risk
        Sum of risk times value over them.
    profit
        Expected profit of acting on all of them; the range is that of the acceptance.
    break_even
        Cost of a contact up to which it pays; below zero where it pays at no cost.
    given_away
        Offers taken for purchases that would be made on promotion anyway, in money; None where
        the action gives none.
    """

    customers: int
    value_at_risk: float
    profit: Estimate
    break_even: float
    given_away: float | None


@dataclass(frozen=True)
class Recommendation:
    """A recommendation: its figures and how far they carry it.

    ``reason`` is the key of the sentence that tells why the status is what it is. ``worth`` is None
    where the assumptions are absent or the audience is too small to be shown.
    """

    code: str
    status: Status
    reason: str
    audience: Audience
    evidence: Evidence
    kpi: Kpi | None = None
    worth: ActionWorth | None = None
