"""Groups of customers that the data single out, found on one part and described on another."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Estimate


@dataclass(frozen=True)
class Discovery:
    """A group that holds more decline than its size, by a rule that was searched for.

    Attributes
    ----------
    rule, conditions
        As a segment of reportgen.toml would be written.
    customers, fallen
        Counted over all customers now.
    decline, others_decline, difference
        Rates inside and outside, on customers who had no say in the rule.
    effect
        Cohen's h of these rates.
    q_value
        False discovery rate among the groups described (Benjamini and Hochberg).
    confirmed
        Whether q is below 0.05, the effect at least small (0.2) and the difference above zero.
    """

    rule: str
    conditions: tuple[tuple[str, str, float | str], ...]
    customers: int
    fallen: int
    decline: Estimate
    others_decline: Estimate
    difference: Estimate
    effect: float
    q_value: float
    confirmed: bool


@dataclass(frozen=True)
class Discoveries:
    """What the search found.

    ``searched`` and ``described`` count the customers of both parts, ``candidates`` the rules that
    were compared. ``by_value`` tells that the money at risk was looked for instead of the decline.
    """

    searched: int
    described: int
    candidates: int
    by_value: bool
    groups: tuple[Discovery, ...]
