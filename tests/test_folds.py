"""Twins stay together; without twins nothing differs from scikit-learn's own splits."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, train_test_split

from reportgen.folds import TwinFolds, split_once, twin_groups, twins

RNG = np.random.default_rng(5)
MATRIX = RNG.normal(size=(120, 3))
FALLEN = RNG.random(120) < 0.4


def with_twins() -> np.ndarray:
    matrix = MATRIX.copy()
    matrix[[7, 40, 99]] = matrix[3]
    matrix[60] = matrix[61]
    return matrix


def test_rows_are_grouped_by_all_columns_and_unknown_values_equal_each_other():
    rows = np.array([[1.0, np.nan], [0.0, 2.0], [1.0, np.nan], [-0.0, 2.0], [1.0, 2.0]])
    first, group = twin_groups(rows)
    assert first.tolist() == [0, 1, 4]
    assert group.tolist() == [0, 1, 0, 1, 2]
    assert twins(rows) == 4  # two pairs; the last row is alone


def test_twins_share_a_fold():
    matrix = with_twins()
    seen = []
    for learned, held_out in TwinFolds(5, seed=1).split(matrix, FALLEN):
        assert not set(learned) & set(held_out)
        assert len({i in held_out for i in (3, 7, 40, 99)}) == 1
        assert len({i in held_out for i in (60, 61)}) == 1
        seen.extend(held_out)
    assert sorted(seen) == list(range(120))


@pytest.mark.parametrize("seed", [0, 20])
def test_without_twins_the_folds_are_scikit_learns(seed):
    ours = TwinFolds(5, seed=seed).split(MATRIX, FALLEN)
    theirs = StratifiedKFold(5, shuffle=True, random_state=seed).split(MATRIX, FALLEN)
    for (learned, held_out), (other_learned, other_held_out) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(learned, other_learned)
        np.testing.assert_array_equal(held_out, other_held_out)


def test_split_keeps_twins_together_and_the_share_of_the_classes():
    train, test = split_once(with_twins(), FALLEN, test_share=0.25, seed=3)
    assert sorted([*train, *test]) == list(range(120))
    assert len({i in test for i in (3, 7, 40, 99)}) == 1
    assert abs(FALLEN[train].mean() - FALLEN[test].mean()) < 0.06


def test_split_without_twins_is_scikit_learns():
    train, test = split_once(MATRIX, FALLEN, test_share=0.25, seed=3)
    theirs = train_test_split(np.arange(120), test_size=0.25, stratify=FALLEN, random_state=3)
    assert train.tolist() == sorted(theirs[0])
    assert test.tolist() == sorted(theirs[1])
