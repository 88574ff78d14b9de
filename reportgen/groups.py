"""Which columns say nearly the same and are reported together.

The matrix of features comes in, groups of positions go out: the contract's own groups, joined with
numbers whose ranks go together.
"""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from reportgen.config import Settings
from reportgen.estimators import Matrix

#: Mean |Spearman| from which on columns count as one story.
TOGETHER = 0.7


def driver_groups(matrix: Matrix, settings: Settings) -> tuple[tuple[int, ...], ...]:
    """Group the features; each is in exactly one group, in the contract's order.

    Numbers are joined by average linkage on 1 − |Spearman|, categories stand alone.
    """
    names = settings.features
    group = list(range(len(names)))

    def join(one: int, other: int) -> None:
        old, new = group[other], group[one]
        group[:] = [new if label == old else label for label in group]

    declared: dict[str, int] = {}
    for place, name in enumerate(names):
        label = settings.columns[name].group
        if label and declared.setdefault(label, place) != place:
            join(declared[label], place)
    places = [names.index(name) for name in settings.numbers]
    first: dict[int, int] = {}
    for place, cluster in zip(places, _clusters(matrix[:, places]), strict=True):
        if first.setdefault(cluster, place) != place:
            join(first[cluster], place)
    labels = dict.fromkeys(group)
    return tuple(tuple(place for place, own in enumerate(group) if own == label)
                 for label in labels)


def _clusters(numbers: Matrix) -> list[int]:
    """Give each column the number of its cluster."""
    if numbers.shape[1] < 2:
        return list(range(numbers.shape[1]))
    middle = np.nanmedian(np.where(np.isfinite(numbers).any(axis=0), numbers, 0.0), axis=0)
    ranks = rankdata(np.where(np.isfinite(numbers), numbers, middle), axis=0)
    centred = ranks - ranks.mean(axis=0)
    scale = np.sqrt((centred**2).sum(axis=0))
    unit = np.divide(centred, scale, out=np.zeros_like(centred), where=scale > 0)
    distance = 1 - np.abs(unit.T @ unit)
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(np.clip(distance, 0.0, 1.0), checks=False), method="average")
    return [int(label) for label in fcluster(tree, t=1 - TOGETHER, criterion="distance")]
