"""The five recommendations and the evidence of each."""

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


Evidence = CategoryEvidence | MailingEvidence | DepthEvidence | LoyaltyEvidence | SignalEvidence


@dataclass(frozen=True)
class Recommendation:
    """One of the five recommendations: its figures and how far they carry it.

    ``reason`` is the key of the sentence that tells why the status is what it is.
    """

    code: str
    status: Status
    reason: str
    audience: Audience
    evidence: Evidence
