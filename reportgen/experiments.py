"""Control groups, what they can show, and what they have shown.

Customers' ids and a secret key come in and groups go out; outcomes of two groups come in and an
effect with its interval goes out. Nothing here knows files, engines or words.

One experiment covers the whole programme: whoever is in the control group receives no action at
all. The group hangs on the customer, the campaign and the key alone, so it is the same in every
rerun and nobody can choose it.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from reportgen import intervals
from reportgen.comparison import SMALLEST_GROUP
from reportgen.intervals import CONFIDENCE, Floats
from reportgen.results import Compared, Estimate

Bools = NDArray[np.bool_]
Group = Literal["treated", "control"]

#: Chance of showing an effect that is there, and of "showing" one that is not (two-sided).
POWER, SIGNIFICANCE = 0.8, 0.05

#: A fall of the decline in percentage points that a good programme can be hoped to bring.
HOPED = 0.15

#: Decline without any action where no control group has shown it: no other is harder to test.
HARDEST = 0.5

#: Customers of each group that every stratum needs to be compared.
SMALLEST_STRATUM = 5

#: Halvings until the smallest effect is known to a ten-thousandth.
_STEPS = 40

_FRACTIONS = 2.0**64


# ── Groups ───────────────────────────────────────────────────────────────────────────────────────


def in_control(customers: Iterable[str], *, key: bytes, campaign: str, share: float) -> Bools:
    """Tell who belongs to the control group, shape (customers,).

    A keyed hash (HMAC-SHA256) of campaign and customer is a number between 0 and 1; the group is
    whoever lies below the share. Without the key nobody can foresee or choose a group.
    """
    return np.fromiter(
        (_fraction(key, f"{campaign}\0{customer}") < share for customer in customers), dtype=bool)


def _fraction(key: bytes, text: str) -> float:
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / _FRACTIONS


# ── What numbers can show ────────────────────────────────────────────────────────────────────────


def detectable(treated: int, control: int, *, base: float, tests: int = 1) -> float | None:
    """Return the smallest fall of a share that is shown with a power of 80 %.

    Parameters
    ----------
    treated, control
        Customers of both groups.
    base
        Share in the control group.
    tests
        Tests made together: each is made at a fraction of the significance, as Holm's first.

    Returns
    -------
    float or None
        The fall, at most ``base``; None where a group is empty or not even all of it is enough.

    References
    ----------
    Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, chapter 4.
    """
    if min(treated, control) == 0 or _power_gap(base, treated, control, base, tests) < 0:
        return None
    low, high = 0.0, base
    for _ in range(_STEPS):
        middle = (low + high) / 2
        enough = _power_gap(middle, treated, control, base, tests) >= 0
        low, high = (low, middle) if enough else (middle, high)
    return high


def needed(fall: float, *, base: float, share: float, tests: int = 1) -> int:
    """Return how many customers, both groups together, show a fall of a share.

    Parameters
    ----------
    share
        Share of the control group among them.
    """
    size = 2
    while _power_gap(fall, size * (1 - share), size * share, base, tests) < 0:
        size *= 2
    low, high = size // 2, size
    while high - low > 1:
        middle = (low + high) // 2
        enough = _power_gap(fall, middle * (1 - share), middle * share, base, tests) >= 0
        low, high = (low, middle) if enough else (middle, high)
    return high


def _power_gap(fall: float, treated: float, control: float, base: float, tests: int) -> float:
    """Return by how much a fall exceeds what the numbers can show; it grows with the fall."""
    rest = base - fall
    pooled = (treated * rest + control * base) / (treated + control)
    by_chance = math.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / control))
    found = math.sqrt(base * (1 - base) / control + rest * (1 - rest) / treated)
    z, strength = special.ndtri(1 - SIGNIFICANCE / tests / 2), special.ndtri(POWER)
    return float(fall - z * by_chance - strength * found)


# ── What they have shown ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Outcomes:
    """What became of the customers drawn, one place each.

    Attributes
    ----------
    treated
        Who was to get an action, whether or not it arrived.
    fallen
        Who had fallen when drawn; the others looked like those who had.
    risk
        Risk when drawn.
    cohort
        Month in which the customer was drawn.
    action
        Code of the action that came first then, for the control group too.
    declined
        Who buys less now, the lost included.
    lost
        Who is gone or no longer regular.
    totals
        Revenue, minutes or the like by name; 0 for the lost, NaN where unknown.
    """

    treated: Bools
    fallen: Bools
    risk: Floats
    cohort: NDArray[np.str_]
    action: NDArray[np.str_]
    declined: Bools
    lost: Bools
    totals: Mapping[str, Floats]

    def only(self, mask: Bools) -> Outcomes:
        """Keep some of the customers."""
        return Outcomes(
            self.treated[mask], self.fallen[mask], self.risk[mask], self.cohort[mask],
            self.action[mask], self.declined[mask], self.lost[mask],
            {name: values[mask] for name, values in self.totals.items()},
        )

    @property
    def comparable(self) -> bool:
        """Whether both groups are large enough to be shown."""
        treated = int(self.treated.sum())
        return min(treated, len(self.treated) - treated) >= SMALLEST_GROUP


def strata(outcomes: Outcomes) -> NDArray[np.intp]:
    """Sort the customers into numbered groups of similar ones: by month, class, half of the risk.

    Only what was known when the customers were drawn counts. Where a group would hold under five
    customers of an arm, the risk, then the class, then the month is left out.
    """
    risky = np.zeros(len(outcomes.risk), dtype=bool)
    for fallen in (True, False):
        own = outcomes.fallen == fallen
        if own.any():
            risky[own] = outcomes.risk[own] >= np.median(outcomes.risk[own])
    parts: list[NDArray[np.intp]] = [np.unique(column, return_inverse=True)[1]
                                     for column in (outcomes.cohort, outcomes.fallen, risky)]
    for depth in (3, 2, 1):
        numbers = np.zeros(len(risky), dtype=np.intp)
        for part in parts[:depth]:
            numbers = numbers * (part.max(initial=0) + 1) + part
        numbers = np.unique(numbers, return_inverse=True)[1]
        if _smallest(numbers, outcomes.treated) >= SMALLEST_STRATUM:
            return numbers
    return np.zeros(len(risky), dtype=np.intp)


def _smallest(numbers: NDArray[np.intp], treated: Bools) -> int:
    counts = [np.bincount(numbers[arm], minlength=numbers.max(initial=0) + 1)
              for arm in (treated, ~treated)]
    return int(np.min(counts))


def compare_shares(hit: Bools, treated: Bools, numbers: NDArray[np.intp], *,
                   confidence: float = CONFIDENCE) -> Compared:
    """Compare a share of both groups, post-stratified.

    Every stratum weighs as many customers as it has, in both groups. Each group's interval is
    Wilson's for as many independent customers as its stratified share is worth; the
    difference's is Newcombe's, made of both.

    Parameters
    ----------
    hit, treated
        Who shows the outcome, and who belongs to which group, shape (customers,).
    numbers
        Stratum of each customer, shape (customers,); each has customers of both groups.

    References
    ----------
    Miratrix, Sekhon and Yu (2013), Adjusting treatment effect estimates by post-stratification in
    randomized experiments. JRSS B 75. Yan and Su (2010), Stratified Wilson and Newcombe confidence
    intervals for multiple binomial proportions. Statistics in Biopharmaceutical Research 2.
    """
    ours, theirs = (
        _stratified_share(hit[arm], numbers[arm], numbers, confidence=confidence)
        for arm in (treated, ~treated)
    )
    return Compared(ours, theirs, intervals.square_and_add(ours, theirs))


def _stratified_share(hit: Bools, numbers: NDArray[np.intp], everybody: NDArray[np.intp], *,
                      confidence: float) -> Estimate:
    """Weight a group's share to the mix of all customers."""
    count = int(everybody.max(initial=0)) + 1
    weights = np.bincount(everybody, minlength=count) / len(everybody)
    sizes = np.bincount(numbers, minlength=count)
    hits = np.bincount(numbers, hit.astype(np.float64), minlength=count)
    share = float((weights * hits / sizes).sum())
    # As if one more of each had been counted: at none or all a stratum would be without error.
    smoothed = (hits + 1) / (sizes + 2)
    variance = float((weights**2 * smoothed * (1 - smoothed) / sizes).sum())
    # Of the same smoothing, so that one stratum is worth as many customers as it has.
    whole = (hits.sum() + 1) / (sizes.sum() + 2)
    worth = whole * (1 - whole) / variance
    return intervals.score_interval(share, worth, n=len(hit), confidence=confidence)


def compare_means(values: Floats, treated: Bools, numbers: NDArray[np.intp], *,
                  confidence: float = CONFIDENCE) -> Compared:
    """Compare a mean of both groups, post-stratified; customers without a value are left out.

    The difference's interval is Welch's over the strata's means.
    """
    known = np.isfinite(values)
    values, treated, numbers = values[known], treated[known], numbers[known]
    if _smallest(numbers, treated) < intervals.LEAST:
        numbers = np.zeros_like(numbers)
    weights = np.bincount(numbers) / len(numbers)
    arms = [_stratum_means(values[arm], numbers[arm], weights) for arm in (treated, ~treated)]
    ours, theirs = (
        intervals.student(float((weights * mean).sum()), error2, n=int(arm.sum()),
                          confidence=confidence)
        for (mean, error2), arm in zip(arms, (treated, ~treated), strict=True)
    )
    difference = intervals.student(ours.value - theirs.value, arms[0][1] + arms[1][1],
                                   n=len(values), confidence=confidence)
    return Compared(ours, theirs, difference)


def _stratum_means(values: Floats, numbers: NDArray[np.intp],
                   weights: Floats) -> tuple[Floats, intervals.Parts]:
    """Return the strata's means, and the parts of the variance of their weighted mean."""
    groups = [values[numbers == number] for number in range(len(weights))]
    means = np.array([group.mean() for group in groups])
    parts = tuple((float(weight**2 * group.var(ddof=1) / len(group)), len(group) - 1)
                  for weight, group in zip(weights, groups, strict=True))
    return means, parts


def pooled_base(outcomes: Sequence[Outcomes]) -> tuple[float, bool]:
    """Return the decline of all control groups so far, and whether there were enough customers."""
    declined = sum(int(one.declined[~one.treated].sum()) for one in outcomes)
    customers = sum(int((~one.treated).sum()) for one in outcomes)
    if customers < SMALLEST_GROUP:
        return HARDEST, False
    # Never quite 0 or 1, where no fall could be shown or every one could.
    return (declined + 1) / (customers + 2), True
