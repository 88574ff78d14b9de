"""Search for the groups of customers that hold more decline than their size.

The sample and the scored customers come in; `Discoveries` go out. A rule of at most two conditions
is found on the training part and described on the test part, which had no say in it.

All pairs of a few hundred conditions are two matrix products, so the search is exhaustive and takes
20 ms for a thousand customers. pysubgroup 0.9 finds the same best rules in a second, needs
statsmodels for it, and divides by zero on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, fisher_exact

from reportgen import campaigns
from reportgen.comparison import (
    FALSE_DISCOVERIES,
    SMALL_EFFECT,
    SMALLEST_GROUP,
    Comparison,
    cohens_h,
    compare,
    matching,
)
from reportgen.config import Settings
from reportgen.contract import Kind, Role
from reportgen.estimators import Matrix
from reportgen.intervals import newcombe, wilson
from reportgen.results import Discoveries, Discovery
from reportgen.rules import Condition, Operator, Rule
from reportgen.sample import Sample

Bools = NDArray[np.bool_]

#: Cuts of a number: its deciles in the training part.
DECILES = tuple(step / 10 for step in range(1, 10))

#: Customers of the whole sample that a group needs, and that must be left outside it.
SMALLEST = 50

#: Groups that are described, and how alike two of them may be (Jaccard's index).
GROUPS, ALIKE = 3, 0.5

#: By how much a second condition must raise the quality to be worth reading.
SECOND_ADDS = 1.1


def discover(scored: ir.Table, sample: Sample, settings: Settings) -> Discoveries:
    """Search for groups and describe the best.

    Parameters
    ----------
    scored
        One row a customer, see `scoring.score`: what the groups hold now is counted over all.
    sample
        Customers with their classes, parted: rules are found on the one part only.

    Notes
    -----
    The quality of a group is its weighted relative accuracy: its share of all customers times what
    its mean outcome exceeds that of all. The outcome is the class, or the money lost with it where
    the store's assumptions tell it.

    References
    ----------
    Lavrač, Flach and Zupan (1999), Rule evaluation measures: a unifying view. ILP-99.
    """
    outcome = _outcome(sample, settings)
    conditions = list(_conditions(sample, settings))
    inside = np.array([_meets(condition, sample, settings) for condition in conditions])
    found, candidates = _best(inside[:, sample.train], outcome[sample.train],
                              smallest=SMALLEST * len(sample.train) / len(sample.fallen))
    rules = [Rule(tuple(conditions[i] for i in places)) for places in found]
    members = [np.logical_and.reduce(inside[list(places)]) for places in found]
    described = [_Described.of(own[sample.test], sample.fallen[sample.test]) for own in members]
    q_values = _q_values(described)
    told = (_tell(rule, one, q, compare(scored, matching(scored, rule), settings))
            for rule, one, q in zip(rules, described, q_values, strict=True))
    return Discoveries(
        searched=len(sample.train), described=len(sample.test), candidates=candidates,
        by_value=_values(sample, settings) is not None,
        groups=tuple(one for one in told if one is not None),
    )


def _outcome(sample: Sample, settings: Settings) -> Matrix:
    """Return what is lost with each customer who fell: 1, or money, over its mean."""
    values = _values(sample, settings)
    lost = sample.fallen * (np.ones(len(sample.fallen)) if values is None else values)
    return np.asarray(lost / lost.mean() * sample.fallen.mean(), dtype=np.float64)


def _values(sample: Sample, settings: Settings) -> Matrix | None:
    column = settings.first_of_role(Role.VALUE)
    if column is None or settings.assumptions.missing:
        return None
    profit = np.nan_to_num(sample.frame[column].to_numpy(dtype=np.float64))
    values: Matrix = np.clip(profit, 0.0, None) * campaigns.value_factor(settings.assumptions)
    return values if values.any() else None


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────


def _conditions(sample: Sample, settings: Settings) -> Iterator[Condition]:
    """Yield every condition that a group may be told by, as the report would write it."""
    for name in settings.features:
        column = settings.columns[name]
        if column.kind == Kind.CATEGORY:
            yield from (Condition(name, "=", value) for value in column.values)
            continue
        known = sample.frame[name].to_numpy(dtype=np.float64)[sample.train]
        known = known[np.isfinite(known)]
        if len(known):
            decimals = column.written_decimals
            for cut in sorted({round(float(q), decimals) for q in np.quantile(known, DECILES)}):
                sides: tuple[Operator, ...] = ("<=", ">=")
                yield from (Condition(name, side, cut) for side in sides)


def _meets(condition: Condition, sample: Sample, settings: Settings) -> Bools:
    """Tell who meets a condition; an unknown value never does."""
    column = sample.frame[condition.column]
    if condition.operator == "=":
        return np.asarray(column == condition.value)
    values = column.to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        found = (values <= condition.value if condition.operator == "<="
                 else values >= condition.value)
    return np.asarray(found)


# ── The search ───────────────────────────────────────────────────────────────────────────────────


def _best(inside: Bools, outcome: Matrix, *,
          smallest: float) -> tuple[list[tuple[int, ...]], int]:
    """Find the groups of the highest quality that are no near copies of each other.

    Returns
    -------
    The places of each group's conditions, the best group first; and how many were compared.
    """
    n = inside.shape[1]
    members = inside.astype(np.float64)
    counts = members @ members.T
    quality = ((members * outcome) @ members.T - outcome.mean() * counts) / n
    quality[(counts < smallest) | (counts > n - smallest)] = -np.inf
    alone = np.diag(quality).copy()
    # Two conditions on one group's line count where the second adds enough to the better one.
    first, second = np.triu_indices(len(inside), k=1)
    pairs = quality[first, second]
    better = np.maximum(np.maximum(alone[first], alone[second]), 0.0)
    pairs = np.where(pairs >= SECOND_ADDS * better, pairs, -np.inf)
    scores = np.concatenate([alone, pairs])
    chosen: list[tuple[int, ...]] = []
    for place in np.argsort(-scores, kind="stable"):
        if scores[place] <= 0 or len(chosen) == GROUPS:
            break
        pair = int(place) - len(alone)
        group = (int(place),) if pair < 0 else (int(first[pair]), int(second[pair]))
        if all(_jaccard(inside, group, other) < ALIKE for other in chosen):
            chosen.append(group)
    return chosen, int(np.isfinite(np.concatenate([alone, quality[first, second]])).sum())


def _jaccard(inside: Bools, one: Sequence[int], other: Sequence[int]) -> float:
    """Share of the customers of either group who belong to both."""
    ours, theirs = (np.logical_and.reduce(inside[list(group)]) for group in (one, other))
    return float((ours & theirs).sum() / (ours | theirs).sum())


# ── The description ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Described:
    """Fallen and all customers inside and outside, on the part without a say in the rule."""

    fallen: int
    inside: int
    others_fallen: int
    others: int

    @classmethod
    def of(cls, own: Bools, fallen: Bools) -> _Described:
        return cls(int((own & fallen).sum()), int(own.sum()), int((~own & fallen).sum()),
                   int((~own).sum()))

    @property
    def p_value(self) -> float:
        """Fisher's exact test, for groups may be small."""
        return float(fisher_exact([[self.fallen, self.inside - self.fallen],
                                   [self.others_fallen, self.others - self.others_fallen]]).pvalue)

    @property
    def publishable(self) -> bool:
        """Whether both sides are large enough to be shown."""
        return min(self.inside, self.others) >= SMALLEST_GROUP


def _q_values(described: Sequence[_Described]) -> list[float]:
    if not described:
        return []
    return [float(q) for q in false_discovery_control([one.p_value for one in described])]


def _tell(rule: Rule, one: _Described, q: float, now: Comparison) -> Discovery | None:
    """Describe a group; None where too few customers could be recognised in it."""
    if not (one.publishable and now.publishable):
        return None
    decline = wilson(one.fallen, one.inside)
    others = wilson(one.others_fallen, one.others)
    effect = cohens_h(decline.value, others.value)
    return Discovery(
        rule=str(rule),
        conditions=tuple((c.column, c.operator, c.value) for c in rule.conditions),
        customers=now.inside.customers, fallen=now.inside.fallen,
        decline=decline, others_decline=others,
        difference=newcombe(one.fallen, one.inside, one.others_fallen, one.others),
        effect=effect, q_value=q,
        confirmed=q < FALSE_DISCOVERIES and effect >= SMALL_EFFECT,
    )
