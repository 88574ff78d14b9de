"""The customers a model may learn from, and their split.

The table of customers comes in, a `Sample` goes out: the only customers that Python ever holds
whole, stratified into a training and a test part.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reportgen.config import Settings
from reportgen.engine import watched
from reportgen.estimators import Matrix, to_matrix
from reportgen.folds import split_once
from reportgen.progress import Progress, silent
from reportgen.queries import fetch, one_row, rows_of
from reportgen.results import Estimand

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Sample:
    """The customers a model may learn from, split into a training and a test part.

    Attributes
    ----------
    frame
        One row a customer: ``id`` and the contract's columns.
    matrix
        The features as `estimators.to_matrix` encodes them, shape (customers, features).
    fallen
        Whether each customer's class is the positive one, shape (customers,).
    train, test
        Positions of the two parts.
    thinned
        Whether there are more customers than these.
    """

    frame: pd.DataFrame
    matrix: Matrix
    fallen: NDArray[np.bool_]
    train: Indices
    test: Indices
    thinned: bool = False


@dataclass(frozen=True)
class Judged:
    """Risks of customers that the models which gave them never saw.

    Attributes
    ----------
    risks, parts
        Risks and the number of the model that gave each, shape (repeats, customers judged).
    positions
        These customers' positions in the sample.
    estimand
        What the risks speak about.
    """

    risks: Matrix
    parts: Indices
    positions: Indices
    estimand: Estimand


def some(positions: Indices, count: int, rng: np.random.Generator) -> Indices:
    """Draw so many positions, ascending, or all where there are no more."""
    if len(positions) <= count:
        return positions
    return np.sort(rng.choice(positions, count, replace=False))


def draw_sample(customers: ibis.Table, settings: Settings, told: Progress = silent) -> Sample:
    """Fetch the training sample and split it, stratified by class, twins together.

    All customers where there are no more than ``model.sample``, else a seeded random sample that
    keeps the share of the classes. A model that is judged apart gets ``model.judged`` customers
    more, and they are the test part.
    """
    search = settings.model
    apart = search.judging == "apart"
    wanted = search.sample + search.judged * apart
    test_share = search.judged / wanted if apart else search.test_share
    count = one_row(customers.aggregate(count=customers.count()))["count"]
    digest = customers["id"].concat(f"/{search.seed}").hexdigest("md5")
    customers = customers.mutate(digest=digest)
    if count > wanted:
        customers = _thin(customers, wanted, settings)
    # One order, in whatever order the tables hold their rows.
    with watched(customers.get_backend(), told):
        rows = fetch(customers.order_by("digest").drop("digest"))
    fallen = np.asarray(rows.column(settings.target).to_numpy(zero_copy_only=False)
                        == settings.columns[settings.target].positive)
    matrix = to_matrix(rows, settings)
    train, test = split_once(matrix, fallen, test_share=test_share, seed=search.seed)
    return Sample(frame=rows.to_pandas(), matrix=matrix, fallen=fallen, train=train, test=test,
                  thinned=count > wanted)


def _thin(customers: ibis.Table, wanted: int, settings: Settings) -> ibis.Table:
    """Keep so many customers, of each class those whose ids have the smallest digests.

    A digest of id and seed is as good as chance and the same in every engine, so nothing but the
    rows kept is fetched, whatever engine holds the others.
    """
    target = customers[settings.target]
    classes = rows_of(customers.group_by(settings.target).aggregate(count=customers.count())
                      .order_by(settings.target))
    # Rounding sums instead of parts, so that the parts add up to what is wanted.
    borders = np.rint(np.cumsum([0, *(one["count"] for one in classes)])
                      * wanted / sum(one["count"] for one in classes)).astype(int)
    kept = [customers.filter(target == one[settings.target]).order_by("digest").limit(int(count))
            for one, count in zip(classes, np.diff(borders), strict=True)]
    return ibis.union(*kept) if len(kept) > 1 else kept[0]
