"""EMPC and MPC: the profit of the best use of a model, in money per customer.

A `Case` and the terms of a contact come in; both measures go out. As in the literature every
customer counts with the mean value. Both choose the best cut-off on the customers that they are
measured on, so they lie a little too high; they serve for comparison with other studies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from reportgen.campaigns import Case, Terms
from reportgen.estimators import Matrix
from reportgen.intervals import CONFIDENCE
from reportgen.results import Estimate

#: Bootstrap draws; each needs a convex hull of its own.
DRAWS = 200


@dataclass(frozen=True)
class Measure:
    """Expected maximum profit over the acceptance's distribution, and that at its mean."""

    empc: Estimate
    mpc: Estimate


def measure(case: Case, terms: Terms) -> Measure:
    """Measure the risks of a case.

    References
    ----------
    Verbraken, Verbeke and Baesens (2013), A novel profit maximizing metric for measuring
    classification performance of customer churn prediction models. IEEE TKDE 25.
    """
    rng = np.random.default_rng(case.seed)
    n = len(case.risk)
    found = profits(case.fallen, case.risk, float(case.value.mean()), terms)
    draws: list[tuple[float, float]] = []
    while len(draws) < DRAWS:
        picked = rng.integers(0, n, n)
        fallen = case.fallen[picked]
        if 0 < fallen.sum() < n:
            draws.append(profits(fallen, case.risk[picked], float(case.value[picked].mean()),
                                 terms))
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return Measure(*(
        Estimate(value, min(float(below), value), max(float(above), value), n)
        for value, below, above in zip(found, low, high, strict=True)
    ))


def profits(fallen: NDArray[np.bool_], risk: Matrix, value: float,
            terms: Terms) -> tuple[float, float]:
    """Return EMPC and MPC.

    Notes
    -----
    With F₀ and F₁ the shares of fallen and of others contacted, at the acceptance γ a vertex of the
    ROC curve's convex hull earns V(γ(1 − δ) − φ)π₀F₀ − V(δ + φ)π₁F₁ per customer, where δ = d/V and
    φ = f/V. Between the acceptances at which two vertices earn the same, one vertex is best.
    """
    if value <= 0:
        return 0.0, 0.0
    reached, alarmed = _hull(fallen, risk)
    share = float(fallen.mean())
    slope = (value - terms.offer) * share * reached
    cost = terms.contact * share * reached + (terms.offer + terms.contact) * (1 - share) * alarmed
    mpc = float(np.max(terms.acceptance * slope - cost))
    if value <= terms.offer:
        return 0.0, max(mpc, 0.0)
    rises = np.diff(slope)
    ties = np.diff(cost) / np.where(rises > 0, rises, np.nan)
    bounds = np.clip(np.r_[0.0, np.nan_to_num(ties, nan=1.0), 1.0], 0.0, 1.0)
    bounds = np.maximum.accumulate(bounds)
    weight = np.diff(betainc(terms.alpha, terms.beta, bounds))
    moment = terms.acceptance * np.diff(betainc(terms.alpha + 1, terms.beta, bounds))
    return float((slope * moment - cost * weight).sum()), mpc


def _hull(fallen: NDArray[np.bool_], risk: Matrix) -> tuple[Matrix, Matrix]:
    """Return the vertices of the ROC curve's upper convex hull, from (0, 0) to (1, 1)."""
    order = np.argsort(-risk, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(risk[order]) < 0, True])
    hits = np.cumsum(fallen[order])[ends] / fallen.sum()
    alarms = np.cumsum(~fallen[order])[ends] / (~fallen).sum()
    hull: list[tuple[float, float]] = [(0.0, 0.0)]
    for point in zip(alarms.tolist(), hits.tolist(), strict=True):
        while len(hull) > 1 and _turns_left(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    x, y = np.array(hull).T
    return y, x


def _turns_left(first: tuple[float, float], second: tuple[float, float],
                third: tuple[float, float]) -> bool:
    """Whether the way over three points bends upwards, so that the middle one lies below."""
    ahead = (second[0] - first[0]) * (third[1] - first[1])
    return ahead >= (second[1] - first[1]) * (third[0] - first[0])
