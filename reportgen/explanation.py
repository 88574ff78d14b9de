"""Why the model sees a risk: SHAP values back on the store's own columns, and what is stable.

The winner (fitted on the training part), its unfitted pipeline and the sample come in, an
`Explanation` goes out. Every family is explained the same way: shap's permutation explainer over
the contract's columns, in calibrated probability, on customers of the test part. Values of a
category's dummies never arise, since the model takes the category as one column. A factor is named
only where refits on other customers agree on it, and where shuffling it harms the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from reportgen import delong
from reportgen.attribution import FoldModel, shap_values
from reportgen.config import Settings
from reportgen.contract import Column, Kind
from reportgen.effects import effect
from reportgen.estimators import Matrix, probabilities
from reportgen.groups import driver_groups
from reportgen.intervals import CONFIDENCE, normal, wilson
from reportgen.progress import Progress, counted, parts, silent
from reportgen.results import Bin, Direction, Driver, DriverGroup, Estimate, Explanation
from reportgen.sample import Indices, Sample, some
from reportgen.stability import Refits, ranks, refit

#: Customers of the training part that stand in for a column that is hidden.
BACKGROUND_CUSTOMERS = 16

#: Below this |Spearman| of value and SHAP value no single direction is stated.
CLEAR_DIRECTION = 0.5

#: A direction must hold in this share of the refits to be stated.
STABLE_DIRECTION = 0.95

#: A factor, which is a group of columns, must be among so many first ones in this share of the
#: refits to be named: by the column that leads the group, and by others that are as stable alone.
TOP, STABLE_TOP = 5, 0.9

#: How often each column is shuffled; more changes the mean fall of ROC-AUC little.
SHUFFLES = 3

#: Places by the two measures that may differ before columns are said to divide a contribution.
MOST_DISAGREEMENT = 3

#: Drivers whose decline rate is shown along their values, and into how many groups.
DETAILED_DRIVERS = 4
BINS = 5

#: How long the refits and the shuffling take, to each other.
_REFITTING, _SHUFFLING = 5, 1

#: SHAP values must add up to the prediction within rounding.
ADDITIVITY_LIMIT = 1e-6


@dataclass(frozen=True)
class _Shuffled:
    """Fall of ROC-AUC when columns are shuffled: each alone, and each group together."""

    columns: tuple[Estimate, ...]
    groups: tuple[Estimate, ...]


def explain(
    model: CalibratedClassifierCV, pipeline: Pipeline, folds: Sequence[FoldModel],
    sample: Sample, settings: Settings, *, usable: bool, told: Progress = silent,
) -> Explanation:
    """Explain the winner on customers it never saw.

    Parameters
    ----------
    model
        The winner, calibrated and fitted on the training part.
    pipeline
        The same, unfitted: it is refitted on ``settings.model.refits`` bootstrap samples.
    folds
        The same, fitted without the customers of each fold, for the shuffling of columns.
    usable
        Whether the model may be acted on; no factor of another one is headlined.

    Returns
    -------
    Drivers, most important first. A driver's importance is the mean absolute SHAP value over the
    explained customers, in probability.

    References
    ----------
    Fisher, Rudin and Dominici (2019), All models are wrong, but many are useful. JMLR 20, for
    the fall of a score when a column is shuffled.
    """
    refitting, shuffling = parts(told, _REFITTING, _SHUFFLING)
    rng = np.random.default_rng(settings.model.seed)
    explained = sample.matrix[some(sample.test, settings.model.explained_customers, rng)]
    background = sample.matrix[some(sample.train, BACKGROUND_CUSTOMERS, rng)]
    values, base = shap_values(lambda rows: probabilities(model, rows), explained, background,
                               seed=settings.model.seed)
    predicted = probabilities(model, explained)
    error = float(np.abs(base + values.sum(axis=1) - predicted).max())
    if error > ADDITIVITY_LIMIT:
        raise ArithmeticError(f"SHAP values miss the prediction by {error:g}")
    groups = driver_groups(sample.matrix, settings)
    refits = refit(pipeline, sample, settings, refitting)
    shuffled = _shuffle(folds, groups, sample, shuffling, seed=settings.model.seed)
    drivers = _drivers(values, explained, groups, refits, shuffled, sample, settings,
                       usable=usable)
    return Explanation(
        drivers=drivers,
        groups=_groups(values, groups, refits, shuffled, drivers, settings),
        base_probability=base,
        customers=len(explained),
        background=len(background),
        refits=len(refits.values),
        additivity_error=error,
    )


# ── Shuffling ────────────────────────────────────────────────────────────────────────────────────


def _shuffle(folds: Sequence[FoldModel], groups: Sequence[Sequence[int]], sample: Sample,
             told: Progress, *, seed: int) -> _Shuffled:
    """Shuffle each column, and each group of columns, among the customers held out of each fold.

    Everybody is judged once, by a model that did not learn from the customer, so that the fall
    is known four times better than on the test part alone.
    """
    rng = np.random.default_rng(seed)
    together = [list(group) for group in groups if len(group) > 1]
    sets = [[place] for place in range(sample.matrix.shape[1])] + together
    plain = np.empty(len(sample.fallen))
    shuffled = np.empty((len(sets), SHUFFLES, len(sample.fallen)))
    for fold in counted(folds, len(folds), "fits", told):
        rows = sample.matrix[fold.held_out]
        orders = [rng.permutation(len(rows)) for _ in range(SHUFFLES)]
        asked = [_with(rows, order, places) for places in sets for order in orders]
        first, *rest = np.split(fold.risk(np.concatenate([rows, *asked])), len(asked) + 1)
        plain[fold.held_out] = first
        shuffled[:, :, fold.held_out] = np.reshape(rest, (len(sets), SHUFFLES, len(rows)))
    falls = [delong.difference(sample.fallen, plain, *risks) for risks in shuffled]
    alone, joint = falls[: sample.matrix.shape[1]], iter(falls[sample.matrix.shape[1]:])
    return _Shuffled(tuple(alone), tuple(
        next(joint) if len(group) > 1 else alone[group[0]] for group in groups))


def _with(rows: Matrix, order: Indices, places: Sequence[int]) -> Matrix:
    changed = rows.copy()
    changed[:, places] = rows[order][:, places]
    return changed


# ── Drivers ──────────────────────────────────────────────────────────────────────────────────────


def _drivers(values: Matrix, explained: Matrix, groups: Sequence[Sequence[int]], refits: Refits,
             shuffled: _Shuffled, sample: Sample, settings: Settings, *,
             usable: bool) -> tuple[Driver, ...]:
    importance = np.abs(values).mean(axis=0)
    total = importance.sum() or 1.0
    again = np.abs(refits.resampled()).mean(axis=1)
    places = ranks(again)
    tops = _tops(refits, groups)
    by_shuffling = rankdata([-fall.value for fall in shuffled.columns], method="min").astype(int)
    group_of = {place: group for group in groups for place in group}
    drivers = []
    for rank, place in enumerate(np.argsort(-importance, kind="stable").tolist(), start=1):
        name = settings.features[place]
        column = settings.columns[name]
        correlation = _correlation(explained[:, place], values[:, place], column)
        agreeing = _agreeing(refits, place, correlation)
        low, high = np.quantile(places[:, place], [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
        fall = shuffled.columns[place]
        first = max(group_of[place], key=lambda one: importance[one])
        drivers.append(Driver(
            column=name,
            importance=_spread(float(importance[place]), again[:, place], len(explained)),
            share=float(importance[place] / total),
            rank=rank,
            rank_low=min(int(low), rank),
            rank_high=max(int(np.ceil(high)), rank),
            top_share=float(tops.together[place]),
            direction=_direction(correlation, agreeing),
            direction_share=agreeing,
            correlation=correlation,
            effect=effect(explained[:, place], values[:, place], refits, place, column),
            permutation=fall,
            permutation_rank=int(by_shuffling[place]),
            headlined=bool(
                usable and fall.low > 0 and tops.together[place] >= STABLE_TOP
                and (place == first or tops.alone[place] >= STABLE_TOP)),
            group=settings.features[first],
            bins=_bins(sample, name, column) if rank <= DETAILED_DRIVERS else (),
        ))
    return tuple(drivers)


@dataclass(frozen=True)
class _Tops:
    """Share of the refits in which each column, and each column's group, is among the first."""

    alone: NDArray[np.float64]
    together: NDArray[np.float64]


def _tops(refits: Refits, groups: Sequence[Sequence[int]]) -> _Tops:
    values = refits.resampled()
    alone = (ranks(np.abs(values).mean(axis=1)) <= TOP).mean(axis=0)
    joint = np.stack([np.abs(values[:, :, list(group)].sum(axis=2)).mean(axis=1)
                      for group in groups], axis=1)
    shares = (ranks(joint) <= TOP).mean(axis=0)
    together = np.empty(len(alone))
    for group, share in zip(groups, shares, strict=True):
        together[list(group)] = share
    return _Tops(alone, together)


def _spread(value: float, again: NDArray[np.float64], n: int) -> Estimate:
    """Lay an interval around a figure by the standard deviation of its refits, from zero up."""
    around = normal(value, float(again.std(ddof=1)), n)
    return Estimate(value, max(around.low, 0.0), around.high, n)


def _correlation(values: Matrix, contributions: Matrix, column: Column) -> float | None:
    """Spearman's correlation of value and SHAP value; None for categories and constants."""
    known = np.isfinite(values)
    if column.kind == Kind.CATEGORY or known.sum() < 2:
        return None
    if np.ptp(values[known]) == 0 or np.ptp(contributions[known]) == 0:
        return None
    return float(spearmanr(values[known], contributions[known]).statistic)


def _agreeing(refits: Refits, place: int, correlation: float | None) -> float:
    """Share of the refits in which the correlation is clear and has the sign given."""
    if correlation is None:
        return 0.0
    values = refits.rows[:, place]
    known = np.isfinite(values)
    value_ranks = rankdata(values[known])
    other_ranks = rankdata(refits.values[:, known, place], axis=1)
    centred = value_ranks - value_ranks.mean()
    others = other_ranks - other_ranks.mean(axis=1, keepdims=True)
    scale = np.sqrt((centred**2).sum() * (others**2).sum(axis=1))
    found = np.divide(others @ centred, scale, out=np.zeros(len(others)), where=scale > 0)
    return float((found * np.sign(correlation) >= CLEAR_DIRECTION).mean())


def _direction(correlation: float | None, agreeing: float) -> Direction:
    if correlation is None or abs(correlation) < CLEAR_DIRECTION or agreeing < STABLE_DIRECTION:
        return "unclear"
    return "up" if correlation > 0 else "down"


def _groups(values: Matrix, groups: Sequence[Sequence[int]], refits: Refits,
            shuffled: _Shuffled, drivers: Sequence[Driver],
            settings: Settings) -> tuple[DriverGroup, ...]:
    """Sum the contributions of the columns of each group, most important group first."""
    again = refits.resampled()
    by_name = {driver.column: driver for driver in drivers}
    found = []
    for group, fall in zip(groups, shuffled.groups, strict=True):
        places = list(group)
        own = float(np.abs(values[:, places].sum(axis=1)).mean())
        spread = np.abs(again[:, :, places].sum(axis=2)).mean(axis=1)
        members = sorted((by_name[settings.features[place]] for place in places),
                         key=lambda driver: driver.rank)
        apart = any(abs(d.rank - d.permutation_rank) > MOST_DISAGREEMENT for d in members)
        found.append((tuple(d.column for d in members), _spread(own, spread, len(values)), fall,
                      len(places) > 1 and apart))
    total = sum(importance.value for _, importance, _, _ in found) or 1.0
    return tuple(
        DriverGroup(columns, importance, importance.value / total, fall, divided)
        for columns, importance, fall, divided in sorted(found, key=lambda one: -one[1].value)
    )


def _bins(sample: Sample, name: str, column: Column) -> tuple[Bin, ...]:
    """Decline rate along a column's values, over the whole sample."""
    values, fallen = sample.frame[name], pd.Series(sample.fallen)
    if column.kind == Kind.CATEGORY:
        return tuple(
            Bin(low=None, high=None, value=str(value), customers=len(group),
                decline=wilson(int(group.sum()), len(group)))
            for value, group in fallen.groupby(values.to_numpy())
        )
    quantiles = pd.qcut(values, BINS, duplicates="drop")
    return tuple(
        Bin(low=float(values[group.index].min()), high=float(values[group.index].max()), value="",
            customers=len(group), decline=wilson(int(group.sum()), len(group)))
        for _, group in fallen.groupby(quantiles, observed=True)
    )
