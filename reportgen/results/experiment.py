"""The programme of actions as an experiment: this month's groups, and what last month's showed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Estimate, Labels

VerdictStatus = Literal["worked", "no_evidence", "harmful", "none"]
"""What an experiment showed about the decline; "none" where there is nothing to judge."""


CustomerClass = Literal["fallen", "alike"]
"""What was known of a customer when drawn."""

FaultReason = Literal["unknown_customer", "date", "action", "unreadable"]
"""Why a row of the feedback is left out."""


@dataclass(frozen=True)
class ActionGroup:
    """Customers for whom one action comes first.

    ``detectable`` is the smallest fall of the decline that a group of its own could show, for as
    many tests as there are actions; None where a side is empty. ``testable`` tells whether that
    is small enough to be hoped for.
    """

    code: str
    treated: int
    control: int
    site: int
    detectable: float | None
    testable: bool


@dataclass(frozen=True)
class Programme:
    """Who gets an action this month, and what the experiment can show.

    Attributes
    ----------
    missing
        Why no groups were drawn: "key", "share" (the control group is switched off),
        "model" (not proven useful), "nobody" (no action fits anybody); empty where they were.
    reached
        Fallen and alike customers for whom at least one action is meant.
    no_permission, contacted, capacity
        How many of them were left out: may not be messaged (they see the offer on the site), have
        had the most contacts already, exceed what the team can make.
    treated, control
        Customers drawn who may be messaged: those who get their action, those who get none.
    newly
        How many of them were drawn this month for the first time; only they can add to what is
        known.
    control_share
        Share of the control group that the settings ask for.
    base_rate, base_observed
        Decline expected without any action, and whether control groups have shown it; otherwise
        it is the one that is hardest to test.
    detectable
        Smallest fall of the decline that the programme's experiment shows in four of five cases.
    enough
        Whether that is small enough to be hoped for.
    wanted, needed
        The fall that should be shown, and the customers that it needs, both groups together.
    valid_until
        Last day, as YYYY-MM-DD, on which the list may be used.
    """

    campaign: str
    missing: str
    reached: int
    no_permission: int
    contacted: int
    capacity: int
    treated: int
    control: int
    newly: int
    control_share: float
    base_rate: float
    base_observed: bool
    detectable: float | None
    enough: bool
    wanted: float
    needed: int
    actions: tuple[ActionGroup, ...]
    valid_until: str


@dataclass(frozen=True)
class Compared:
    """A share or a mean of both groups, and their difference (treated less control).

    The difference is weighted to the same mix of customers; the groups' own figures are too.
    """

    treated: Estimate
    control: Estimate
    difference: Estimate


@dataclass(frozen=True)
class ClassOutcome:
    """The share that did well: of the "fallen" who came back, of the "alike" who did not fall."""

    name: CustomerClass
    well: Compared


@dataclass(frozen=True)
class ActionOutcome:
    """The decline of those for whom one action came first, drawn to get it or nothing."""

    code: str
    decline: Compared


@dataclass(frozen=True)
class TotalOutcome:
    """Revenue, minutes or the like, a customer; who was lost brought nothing."""

    name: str
    label: Labels
    unit: str
    mean: Compared


@dataclass(frozen=True)
class FeedbackFault:
    """Rows of the feedback that were left out for one reason; ``row`` is the first of them."""

    reason: FaultReason
    rows: int
    row: int


@dataclass(frozen=True)
class Reached:
    """What the feedback says was really sent: customers of each group, and the rows left out."""

    treated: int
    control: int
    faults: tuple[FeedbackFault, ...]


@dataclass(frozen=True)
class ProgrammeEffect:
    """The two groups of the customers drawn in some months, by intention to treat.

    Attributes
    ----------
    months
        Months in which they were drawn.
    lost_treated, lost_control
        Customers who were gone or no longer regular: they count as declined and without revenue.
    decline, decline_without_lost
        Share that declined, all customers counted and the lost left out.
    actions
        Single actions, as far as so many customers can show an effect; their intervals hold
        together.
    strata
        Groups of similar risk that the customers were compared in.
    detectable
        Smallest fall of the decline that so many customers show in four of five cases.
    """

    months: tuple[str, ...]
    treated: int
    control: int
    lost_treated: int
    lost_control: int
    decline: Compared
    decline_without_lost: Compared
    classes: tuple[ClassOutcome, ...]
    totals: tuple[TotalOutcome, ...]
    actions: tuple[ActionOutcome, ...]
    strata: int
    detectable: float | None


@dataclass(frozen=True)
class Verdict:
    """Whether the actions worked.

    Attributes
    ----------
    status
        By the decline in ``overall``.
    missing
        Why there is none: "first" (no earlier run drew groups), "few" (a group is too small to be
        shown), "known" (everybody drawn was judged already); empty where there is one.
    last
        Those drawn in the newest month before this one, None where there were none.
    overall
        Everybody drawn so far, each in the first month after being drawn.
    reached
        What was really sent to ``last``; None without feedback.
    """

    campaign: str
    status: VerdictStatus
    missing: str
    last: ProgrammeEffect | None
    overall: ProgrammeEffect | None
    reached: Reached | None
