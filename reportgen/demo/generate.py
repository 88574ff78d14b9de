"""Months of a made-up store, from a seed and a world.

In: a `World`, a seed, how many customers and months. Out: one `Month` after another, each with
the store's columns and the truth behind them. Everything is drawn column-wise, so that a million
customers take seconds.

A customer has one hidden number for disengagement and one for every column; both wander from
month to month. The tables' columns are read off them, the class is drawn from the columns, and
what a table calls "previous" is what last month's called "current".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
from scipy.special import expit, logit

from reportgen.demo.columns import (
    DAYS_REGISTERED,
    MINUTES,
    MONTHLY,
    REVENUE,
    FloatArray,
    Values,
)
from reportgen.demo.worlds import World

# The store that is committed as the demo.
DEMO_WORLD = "linear"
DEMO_SEED = 20
CUSTOMERS = 1300
MONTHS = 3
FIRST_MONTH = "2026-08"

# Nine digits, so that no figure of a report can be taken for a customer.
FIRST_ID = 731_400_001

JOIN_SHARE = 0.03
STOP_SHARE = 0.025
# Three months stand side by side in a table, so about 0.2 % of customers show such a month.
NO_REVENUE_SHARE = 0.0007

# Disengagement lasts: correlation with last month's.
_PERSISTENCE = 0.95


@dataclass(frozen=True)
class Action:
    """What a programme of actions really does to the customers who get it.

    Attributes
    ----------
    log_odds
        Added to the log-odds of a decline.
    leaving
        Factor of the chance of leaving for good.
    """

    log_odds: float
    leaving: float


#: An action that helps keeps three in ten leavers from going, one that harms doubles them.
ACTIONS: Mapping[str, Action] = {
    "helps": Action(log_odds=-1.2, leaving=0.7),
    "nothing": Action(log_odds=0.0, leaving=1.0),
    "harms": Action(log_odds=1.2, leaving=2.0),
}


@dataclass(frozen=True)
class Programme:
    """An action, and who gets it from which month on: customers by the month of the list."""

    action: Action
    treated: Mapping[str, Collection[str]]

    def reaches(self, ids: Values, month: str) -> Values:
        """Tell who has been given the action before a month, shape (customers,)."""
        given = {customer for listed, customers in self.treated.items() if listed < month
                 for customer in customers}
        return np.isin(ids.astype(str), list(given)) if given else np.zeros(len(ids), dtype=bool)


@dataclass(frozen=True, eq=False)
class Month:
    """One month of the store and the truth behind it.

    Attributes
    ----------
    name
        The calendar month, as 2026-10.
    columns
        The tables' columns by their internal names, each of shape (customers,), ids ascending.
    decline_probability
        Each customer's true probability of the class "fallen", shape (customers,).
    strengths
        Declared ROC-AUC of each column alone.
    dirt_seed
        What the faults of the written files, and their order of rows, are drawn from.
    """

    name: str
    columns: Mapping[str, Values]
    decline_probability: FloatArray
    strengths: Mapping[str, float]
    dirt_seed: int


@dataclass(frozen=True, eq=False)
class _Customers:
    """Everyone who is a regular customer now; monthly figures with the newest month first."""

    ids: Values
    registered: Values
    disengagement: FloatArray
    own: Mapping[str, FloatArray]
    revenue: tuple[FloatArray, ...] = ()
    minutes: tuple[FloatArray, ...] = ()

    def pick(self, mask: Values) -> _Customers:
        return _Customers(
            ids=self.ids[mask],
            registered=self.registered[mask],
            disengagement=self.disengagement[mask],
            own={name: values[mask] for name, values in self.own.items()},
            revenue=tuple(values[mask] for values in self.revenue),
            minutes=tuple(values[mask] for values in self.minutes),
        )

    def together_with(self, others: _Customers) -> _Customers:
        def join(ours: Values, theirs: Values) -> Values:
            return np.concatenate((ours, theirs))

        return _Customers(
            ids=join(self.ids, others.ids),
            registered=join(self.registered, others.registered),
            disengagement=join(self.disengagement, others.disengagement),
            own={name: join(values, others.own[name]) for name, values in self.own.items()},
            revenue=tuple(map(join, self.revenue, others.revenue)),
            minutes=tuple(map(join, self.minutes, others.minutes)),
        )


def generate(
    world: World,
    *,
    seed: int,
    customers: int = CUSTOMERS,
    months: int = MONTHS,
    first_month: str = FIRST_MONTH,
    programme: Programme | None = None,
) -> Iterator[Month]:
    """Generate consecutive months of one store; the same arguments give the same months.

    A programme changes what follows its first list and nothing before.

    Customers persist: from the second month on, some have stopped and some have joined. Those who
    join have bought for three months already, because the tables hold regular customers only.
    """
    rng = np.random.default_rng(seed)
    start = np.datetime64(first_month, "M")
    present = _enter(world, rng, first_id=FIRST_ID, count=customers, number=0, end=_end(start))
    next_id = FIRST_ID + customers
    for number in range(months):
        end = _end(start + number)
        if number:
            leaving = _leaving(present, programme, end=end)
            staying = present.pick(rng.random(len(present.ids)) >= leaving)
            count = rng.binomial(len(present.ids), JOIN_SHARE)
            joining = _enter(world, rng, first_id=next_id, count=count, number=number, end=end)
            present = _advance(staying, world, rng, number=number).together_with(joining)
            next_id += count
        yield _month(present, world, rng, number=number, end=end, programme=programme)


def _leaving(customers: _Customers, programme: Programme | None, *,
             end: np.datetime64) -> FloatArray:
    """Give everyone's chance of leaving before a month, shape (customers,)."""
    chance = np.full(len(customers.ids), STOP_SHARE)
    if programme is not None:
        chance[programme.reaches(customers.ids, _name(end))] *= programme.action.leaving
    return chance


def _name(end: np.datetime64) -> str:
    return str(end.astype("datetime64[M]"))


def _end(month: np.datetime64) -> np.datetime64:
    """Give the last day of a calendar month."""
    first_of_next: np.datetime64 = (month + 1).astype("datetime64[D]")
    return first_of_next - 1


def _enter(
    world: World,
    rng: np.random.Generator,
    *,
    first_id: int,
    count: int,
    number: int,
    end: np.datetime64,
) -> _Customers:
    """Draw new customers together with the history that this month's tables show of them."""
    days = DAYS_REGISTERED.values(rng.standard_normal(count)).astype(np.int64)
    customers = _Customers(
        ids=np.arange(first_id, first_id + count),
        registered=end - days,
        disengagement=rng.standard_normal(count),
        own={name: rng.standard_normal(count) for name in world.columns},
    )
    for past in range(number - len(REVENUE) + 1, number + 1):
        customers = _advance(customers, world, rng, number=past)
    return customers


def _advance(
    customers: _Customers, world: World, rng: np.random.Generator, *, number: int
) -> _Customers:
    """Move everyone on by a month, whose number tells how far the columns have drifted."""
    moved = replace(
        customers,
        disengagement=_wander(customers.disengagement, rng, persistence=_PERSISTENCE),
        own={
            name: _wander(customers.own[name], rng, persistence=column.persistence)
            for name, column in world.columns.items()
        },
    )
    revenue = _values(moved, world, "revenue", number=number)
    revenue[rng.random(len(revenue)) < NO_REVENUE_SHARE] = 0.0
    minutes = _values(moved, world, "minutes", number=number)
    return replace(
        moved,
        revenue=(revenue, *customers.revenue)[: len(REVENUE)],
        minutes=(minutes, *customers.minutes)[: len(MINUTES)],
    )


def _wander(values: FloatArray, rng: np.random.Generator, *, persistence: float) -> FloatArray:
    """Take one step of a first-order autoregression whose values stay standard normal."""
    return persistence * values + sqrt(1 - persistence**2) * rng.standard_normal(len(values))


def _values(customers: _Customers, world: World, name: str, *, number: int) -> Values:
    """Read a column off the customers' hidden positions."""
    loading = world.loadings.get(name, 0.0)
    latent = loading * customers.disengagement + sqrt(1 - loading**2) * customers.own[name]
    return world.columns[name].values(latent + number * world.drift.get(name, 0.0))


def _month(
    customers: _Customers,
    world: World,
    rng: np.random.Generator,
    *,
    number: int,
    end: np.datetime64,
    programme: Programme | None,
) -> Month:
    """Read the tables' columns off the customers and draw this month's class."""
    columns: dict[str, Values] = {
        "id": customers.ids,
        "days_registered": (end - customers.registered).astype(np.int64),
        **{
            name: _values(customers, world, name, number=number)
            for name in world.columns
            if name not in MONTHLY
        },
        **dict(zip(REVENUE, customers.revenue, strict=True)),
        **dict(zip(MINUTES, customers.minutes, strict=True)),
    }
    probability = world.decline_probability(columns, month=number)
    if programme is not None:
        reached = programme.reaches(customers.ids, _name(end))
        probability[reached] = expit(logit(probability[reached]) + programme.action.log_odds)
    fallen = rng.random(len(probability)) < probability
    columns["activity"] = np.where(fallen, "fallen", "steady")
    return Month(
        name=_name(end),
        columns=columns,
        decline_probability=probability,
        strengths=world.strengths,
        dirt_seed=int(rng.integers(2**32)),
    )
