"""Stores in memory, and the population that a world's stores are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from reportgen import config
from reportgen.config import Settings
from reportgen.demo import WORLDS, Month, generate
from reportgen.estimators import Matrix, to_matrix
from reportgen.folds import split_once
from reportgen.sample import Sample
from simulation.fixed import encode

#: The month of the drifting world in which its truth has moved; the others never move.
MONTH = {"drifting": 2}

#: Customers of a population: so many that its own chance is an eighth of a store's at most, which
#: costs an interval less than half a percentage point of its coverage.
POPULATION = 50_000

#: Keeps the populations' seeds apart from those of the stores, and the worlds' from each other.
POPULATION_SEED, WORLD_SEEDS = 10_000_000, 100_000

#: Assumptions about money under which some campaigns pay and others do not.
ASSUMPTIONS = """
[assumptions]
contact_cost = 10
offer_cost = 300
acceptance = 0.3
horizon_months = 6
loss_share = 0.5
profit_unit = 300
"""


@dataclass(frozen=True)
class Population:
    """Customers of a world as every stage sees them, with the truth beside them."""

    rows: Matrix
    encoded: Matrix
    fallen: NDArray[np.bool_]
    probability: Matrix
    profit: Matrix


@lru_cache
def settings() -> Settings:
    """Return the shipped contract, one process, a single effort for all stores."""
    found = config.parse(ASSUMPTIONS)
    model = found.model.model_copy(update={"workers": 1, "explained_customers": 100})
    return found.model_copy(update={"model": model})


@lru_cache
def population(world: str) -> Population:
    """Draw the population of a world; the same on every call."""
    month = _month(world, seed=POPULATION_SEED, customers=POPULATION)
    regular = _regular(month)
    table = _table(month, regular)
    rng = np.random.default_rng(POPULATION_SEED)
    probability = month.decline_probability[regular]
    rows = to_matrix(table, settings())
    return Population(
        rows=rows,
        encoded=encode(rows, settings()),
        # Its own draw, for the classes in the table are those of one store.
        fallen=rng.random(len(probability)) < probability,
        probability=probability,
        profit=np.asarray(month.columns["profit"])[regular],
    )


def own_seed(world: str, seed: int) -> int:
    """Return a seed that no store of another world has: each world has its own chance."""
    return seed + WORLD_SEEDS * list(WORLDS).index(world)


def store(world: str, seed: int, *, customers: int = 1_300) -> Sample:
    """Draw a store of a world, ready for the stages that learn."""
    month = _month(world, seed=own_seed(world, seed), customers=customers)
    table = _table(month, _regular(month))
    matrix = to_matrix(table, settings())
    fallen = np.asarray(table.column(settings().target).to_numpy(zero_copy_only=False)
                        == settings().columns[settings().target].positive)
    train, test = split_once(matrix, fallen, test_share=settings().model.test_share,
                             seed=settings().model.seed)
    return Sample(frame=table.to_pandas(), matrix=matrix, fallen=fallen, train=train, test=test)


def _month(world: str, *, seed: int, customers: int) -> Month:
    number = MONTH.get(world, 0)
    months = generate(WORLDS[world], seed=seed, customers=customers, months=number + 1)
    return next(islice(months, number, None))


def _regular(month: Month) -> NDArray[np.bool_]:
    bought = [name for name, column in settings().columns.items() if column.regular]
    return np.all([np.asarray(month.columns[name]) > 0 for name in bought], axis=0)


def _table(month: Month, chosen: NDArray[np.bool_]) -> pa.Table:
    """Lay out the table of customers as `features` builds it."""
    columns = {name: np.asarray(values)[chosen] for name, values in month.columns.items()}
    table = {"id": pa.array(columns["id"].astype(str))}
    for name, column in settings().columns.items():
        if column.change is not None:
            earlier = columns[column.change.against].astype(float)
            values = columns[column.change.of] / np.where(earlier == 0, np.nan, earlier) - 1
        else:
            values = columns[name]
        table[name] = pa.array(values.astype(str if column.values else float))
    return pa.table(table)
