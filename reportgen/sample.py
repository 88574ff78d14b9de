"""The customers a model may learn from, and their split.

The table of customers comes in, a `Sample` goes out: the only customers that Python ever holds
whole, stratified into a training and a test part.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from reportgen.config import Settings
from reportgen.estimators import Matrix, to_matrix
from reportgen.folds import split_once
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
    """

    frame: pd.DataFrame
    matrix: Matrix
    fallen: NDArray[np.bool_]
    train: Indices
    test: Indices


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


def draw_sample(customers: ibis.Table, settings: Settings) -> Sample:
    """Fetch the training sample and split it, stratified by class, twins together.

    All customers where there are no more than ``model.sample``, else a seeded random sample that
    keeps the share of the classes.
    """
    if customers.count().to_pyarrow().as_py() > settings.model.sample:
        customers = _thin(customers, settings)
    rows: pa.Table = customers.to_pyarrow()
    fallen = np.asarray(rows.column(settings.target).to_numpy(zero_copy_only=False)
                        == settings.columns[settings.target].positive)
    matrix = to_matrix(rows, settings)
    train, test = split_once(matrix, fallen, test_share=settings.model.test_share,
                             seed=settings.model.seed)
    return Sample(frame=rows.to_pandas(), matrix=matrix, fallen=fallen, train=train, test=test)


def _thin(customers: ibis.Table, settings: Settings) -> ibis.Table:
    """Keep a stratified random sample of the customers; only ids and classes are fetched."""
    keys = customers.select("id", settings.target).to_pyarrow()
    kept, _ = train_test_split(
        np.arange(keys.num_rows), train_size=settings.model.sample,
        stratify=keys.column(settings.target).to_numpy(zero_copy_only=False),
        random_state=settings.model.seed,
    )
    chosen = ibis.memtable(keys.select(["id"]).take(pa.array(np.sort(kept))))
    return customers.semi_join(chosen, "id")
