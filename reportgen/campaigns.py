"""Whom a campaign contacts and what that brings.

Customers with their classes, risks and values (a `Case`) and the terms of a contact come in; plans,
who is contacted with which probability, and their profits with bootstrap draws go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from reportgen.estimators import Matrix
from reportgen.results import CampaignName
from reportgen.sections import Assumptions

Plan = NDArray[np.float64]
"""Probability that each customer is contacted, shape (customers,)."""

#: Bootstrap draws behind every interval of money.
DRAWS = 2_000

#: Shares of customers that a campaign may reach: whole percents.
SHARES = 101

#: Bootstrap draws worked on at once, as numbers (2 million of them are 16 MB).
BLOCK = 2_000_000


@dataclass(frozen=True)
class Terms:
    """What a contact and an offer cost, in money, and who accepts.

    ``trials`` tells how sure the acceptance is: its Beta distribution has α + β of it.
    """

    contact: float
    offer: float
    acceptance: float
    trials: float

    @property
    def alpha(self) -> float:
        """First parameter of the acceptance's Beta distribution."""
        return self.acceptance * self.trials

    @property
    def beta(self) -> float:
        """Second parameter of the acceptance's Beta distribution."""
        return (1 - self.acceptance) * self.trials


@dataclass(frozen=True)
class Case:
    """The customers that campaigns are judged on.

    Attributes
    ----------
    fallen, risk, value
        Class, out-of-fold risk and worth in money of each customer, shape (customers,).
    scale
        How many customers of the store each of these stands for.
    seed, folds
        Of the bootstrap, and of the parts on which the best share is chosen and judged.
    """

    fallen: NDArray[np.bool_]
    risk: Matrix
    value: Matrix
    scale: float
    seed: int
    folds: int

    def worth(self, factor: float) -> Case:
        """Return the same customers, each worth so many times as much."""
        return replace(self, value=self.value * factor)

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """Positions from the highest risk to the lowest."""
        return np.argsort(-self.risk, kind="stable")

    @cached_property
    def parts(self) -> NDArray[np.intp]:
        """Number of the part of each customer, shape (customers,)."""
        numbers = np.arange(len(self.risk)) % self.folds
        return np.random.default_rng(self.seed).permutation(numbers)


@dataclass(frozen=True)
class Profit:
    """Expected profit over all customers, and the same in every bootstrap draw."""

    value: float
    draws: NDArray[np.float64]


def value_factor(given: Assumptions) -> float:
    """Return what one unit of the monthly profit is worth when its customer falls, in money."""
    return (given.profit_unit or 0.0) * (given.horizon_months or 0.0) * (given.loss_share or 0.0)


def terms(given: Assumptions) -> Terms:
    """Read the terms of a contact off complete assumptions."""
    return Terms(
        contact=given.contact_cost or 0.0, offer=given.offer_cost or 0.0,
        acceptance=given.acceptance or 0.0, trials=given.acceptance_trials,
    )


def plan_all(case: Case, terms: Terms) -> dict[CampaignName, Plan]:
    """Decide whom each campaign contacts."""
    best = highest_risk(case, terms)
    count = int(best.sum())
    valuable = np.zeros(len(case.risk))
    valuable[np.argsort(-case.value, kind="stable")[:count]] = 1.0
    return {
        "nobody": np.zeros(len(case.risk)),
        "everyone": np.ones(len(case.risk)),
        "random": np.full(len(case.risk), count / len(case.risk)),
        "most_valuable": valuable,
        "known_fallen": case.fallen.astype(np.float64),
        "highest_risk": best,
        "own_threshold": (case.risk >= threshold(case.value, terms)).astype(np.float64),
    }


def highest_risk(case: Case, terms: Terms) -> Plan:
    """Contact the best share of the customers of each part, chosen on the other parts.

    Chosen and judged on the same customers, the best share would look better than it is.
    """
    plan = np.zeros(len(case.risk))
    for part in range(case.folds):
        inside = np.flatnonzero(case.parts == part)
        share = _best_share(case, terms, case.order[case.parts[case.order] != part])
        first = inside[np.argsort(-case.risk[inside], kind="stable")]
        plan[first[: round(share * len(inside))]] = 1.0
    return plan


def best_share(case: Case, terms: Terms) -> float:
    """Return the share with the highest profit over all customers: the one to carry out."""
    return _best_share(case, terms, case.order)


def _best_share(case: Case, terms: Terms, ordered: NDArray[np.intp]) -> float:
    gained = _gain(case, terms)[ordered]
    running = np.r_[0.0, np.cumsum(gained)]
    counts = np.round(np.linspace(0, 1, SHARES) * len(ordered)).astype(int)
    return float(np.argmax(running[counts]) / (SHARES - 1))


def threshold(value: Matrix, terms: Terms) -> Matrix:
    """Risk from which on contacting a customer of a value pays; above 1 where it never does.

    Notes
    -----
    With p the risk, p·(γ(V − d) − f) − (1 − p)·(d + f) ≥ 0 where p ≥ (d + f) / (γ(V − d) + d).

    References
    ----------
    Óskarsdóttir et al. (2018), A profit-driven view of churn. Big Data 6.
    """
    kept = terms.acceptance * (value - terms.offer) + terms.offer
    never = value <= terms.offer
    return np.where(never, np.inf, (terms.offer + terms.contact) / np.where(never, 1.0, kept))


def by_share(case: Case) -> tuple[list[float], NDArray[np.float64]]:
    """Contact a growing share of the customers, the highest risk first.

    Returns
    -------
    The shares, and their plans, shape (shares, customers).
    """
    shares = np.linspace(0, 1, SHARES)
    place = np.empty(len(case.order))
    place[case.order] = np.arange(len(case.order))
    counts = np.round(shares * len(case.order))
    return shares.tolist(), (place < counts[:, None]).astype(np.float64)


def profits(case: Case, terms: Terms,
            plans: Mapping[CampaignName, Plan]) -> dict[CampaignName, Profit]:
    """Work out the profit of named plans on the same bootstrap draws."""
    found = profits_of(case, terms, np.stack(list(plans.values())))
    return dict(zip(plans, found, strict=True))


def profits_of(case: Case, terms: Terms, plans: NDArray[np.float64]) -> list[Profit]:
    """Work out the profit of plans, shape (plans, customers), on the same bootstrap draws.

    In every draw the customers are drawn with replacement and the acceptance from its
    distribution; the profit is linear in the acceptance, so its mean serves for the value.
    """
    kept, spent = _parts(case, terms)
    by_plan = np.stack([plans * kept, plans * spent])
    totals = case.scale * by_plan.sum(axis=2)
    rng = np.random.default_rng(case.seed)
    acceptance = rng.beta(terms.alpha, terms.beta, DRAWS)
    n = len(kept)
    block = max(1, BLOCK // n)
    drawn = np.concatenate([
        _counts(rng, min(block, DRAWS - start), n) @ by_plan.reshape(-1, n).T
        for start in range(0, DRAWS, block)
    ]).reshape(DRAWS, 2, -1) * case.scale
    draws = acceptance[:, None] * drawn[:, 0] - drawn[:, 1]
    values = terms.acceptance * totals[0] - totals[1]
    return [Profit(float(value), column)
            for value, column in zip(values, draws.T, strict=True)]


def _gain(case: Case, terms: Terms) -> Matrix:
    """Return what contacting each customer brings."""
    kept, spent = _parts(case, terms)
    return terms.acceptance * kept - spent


def _parts(case: Case, terms: Terms) -> tuple[Matrix, Matrix]:
    """Split the gain of a contact: what is kept if the offer is accepted, and what is spent."""
    kept = np.where(case.fallen, case.value - terms.offer, 0.0)
    spent = terms.contact + np.where(case.fallen, 0.0, terms.offer)
    return kept, spent


def _counts(rng: np.random.Generator, draws: int, n: int) -> NDArray[np.float64]:
    """Return how often each customer is drawn, shape (draws, n)."""
    picked = rng.integers(0, n, (draws, n)) + n * np.arange(draws)[:, None]
    return np.bincount(picked.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)
