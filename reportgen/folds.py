"""Splits that never put twins, customers equal in every column, on both sides.

A matrix of features and the classes come in, positions go out. A customer whose twin was learned
from would not be judged but remembered. Without twins every split is scikit-learn's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold, train_test_split

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def twin_groups(matrix: Floats) -> tuple[Indices, Indices]:
    """Group rows that are equal in every column; unknown values equal each other.

    Returns
    -------
    The position of each group's first row, ascending, and the group's number of every row.
    """
    # No value is infinite, so infinity can stand for the unknown, which never equals itself.
    known = np.where(np.isnan(matrix), np.inf, matrix)
    _, first, group = np.unique(known, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty_like(order)
    number[order] = np.arange(len(order))
    return first[order], number[group.ravel()]


def twins(matrix: Floats) -> int:
    """Count the rows that equal another one in every column."""
    _, group = twin_groups(matrix)
    sizes = np.bincount(group)
    return int(sizes[sizes > 1].sum())


class TwinFolds(StratifiedKFold):  # type: ignore[misc]
    """Stratified, shuffled folds; twins share a fold."""

    def __init__(self, n_splits: int, *, seed: int) -> None:
        super().__init__(n_splits, shuffle=True, random_state=seed)

    def split(self, X: Any, y: Any, groups: Any = None) -> Iterator[tuple[Indices, Indices]]:  # noqa: N803
        """Yield the positions of the learning and of the held-out rows of each fold."""
        first, group = twin_groups(np.asarray(X, dtype=np.float64))
        classes = np.asarray(y)[first]
        for _, held_out in super().split(first.reshape(-1, 1), classes):
            away = np.isin(group, held_out)
            yield np.flatnonzero(~away), np.flatnonzero(away)


def split_once(
    matrix: Floats, classes: NDArray[np.bool_], *, test_share: float, seed: int
) -> tuple[Indices, Indices]:
    """Split into a training and a test part, stratified by class, positions ascending."""
    first, group = twin_groups(matrix)
    train, test = train_test_split(
        np.arange(len(first)), test_size=test_share, stratify=classes[first], random_state=seed,
    )
    return np.flatnonzero(np.isin(group, train)), np.flatnonzero(np.isin(group, test))
