"""What the report says that campaigns earn, beside what the same rules earn on the population."""

from __future__ import annotations

import numpy as np

from reportgen import campaigns, empc
from reportgen.campaigns import Case, Profit, Terms
from reportgen.estimators import Matrix
from reportgen.results import CampaignName
from reportgen.sample import Indices
from simulation.fitted import Claim, Fitted, claim
from simulation.stores import settings

#: Campaigns whose profit is not zero by definition.
NAMES: tuple[CampaignName, ...] = ("everyone", "random", "most_valuable", "known_fallen",
                                   "highest_risk", "own_threshold")

#: How often the population's classes are drawn for the maximum profit, which needs classes.
CLASSES = 4

#: Decimals of the risk at which the population's ROC curve is built: a thousand vertices.
DECIMALS = 3


def measure(fitted: Fitted, seed: int,
            *, extra: bool) -> tuple[dict[str, Claim], dict[str, list[float]]]:
    """Hold each campaign's profit, and the lead of the first by risk, against the truth.

    The acceptance is drawn anew for every store, for that is what its distribution says; biases
    (promised, true) are told at its mean. ``extra`` adds the maximum profit measures.
    """
    given = settings().assumptions
    unit = given.profit_unit * given.horizon_months * given.loss_share
    terms = Terms(given.contact_cost, given.offer_cost, given.acceptance, given.acceptance_trials)
    case = Case(fitted.sample.fallen, fitted.risk, fitted.sample.frame["profit"].to_numpy() * unit,
                scale=1.0, seed=seed, folds=settings().model.folds)
    plans = campaigns.plan_all(case, terms)
    earned = campaigns.profits(case, terms, plans)
    drawn = float(np.random.default_rng(seed).beta(terms.alpha, terms.beta))
    # Each part of the customers is contacted to a share of its own.
    shares = [float(plans["highest_risk"][case.parts == part].mean())
              for part in range(case.folds)]
    true, usual = (_true(fitted, shares, fitted.everyone.profit * unit, terms,
                         acceptance=acceptance) for acceptance in (drawn, terms.acceptance))
    claims = {f"money: {name}": _claim(earned[name], true[name]) for name in NAMES}
    best = earned["highest_risk"]
    for name in ("everyone", "known_fallen", "own_threshold"):
        lead = Profit(best.value - earned[name].value, best.draws - earned[name].draws)
        claims[f"money: highest_risk less {name}"] = _claim(
            lead, true["highest_risk"] - true[name])
    if extra:
        claims |= _maximum(fitted, case, terms, fitted.everyone.profit * unit)
    return claims, {name: [earned[name].value, usual[name]] for name in NAMES}


def _claim(profit: Profit, true: float) -> Claim:
    low, high = np.quantile(profit.draws, [0.025, 0.975])
    return [profit.value, float(low), float(high), true]


def _true(fitted: Fitted, shares: list[float], value: Matrix, terms: Terms, *,
          acceptance: float) -> dict[str, float]:
    """Expected profit of each rule on as many customers of the population as the store has."""
    p, n = fitted.everyone.probability, len(fitted.sample.fallen)
    falls = p * (acceptance * (value - terms.offer) - terms.contact)
    gain = falls - (1 - p) * (terms.offer + terms.contact)
    threshold = campaigns.threshold(value, terms)
    by_name = {
        "everyone": float(gain.mean()),
        "random": float(np.mean(shares) * gain.mean()),
        "most_valuable": _first(gain, np.argsort(-value, kind="stable"), [np.mean(shares)]),
        # Everybody who falls is contacted, nobody else.
        "known_fallen": float(falls.mean()),
        "highest_risk": float(np.mean([_first(gain, one.order, shares)
                                       for one in fitted.worths])),
        "own_threshold": float(np.mean([(gain * (one.risk >= threshold)).mean()
                                        for one in fitted.worths])),
    }
    return {name: n * profit for name, profit in by_name.items()}


def _first(gain: Matrix, order: Indices, shares: list[float]) -> float:
    """Mean profit a customer of contacting the first by an order, averaged over the shares."""
    running = np.r_[0.0, np.cumsum(gain[order])] / len(gain)
    return float(running[np.round(np.array(shares) * len(gain)).astype(int)].mean())


def _maximum(fitted: Fitted, case: Case, terms: Terms, value: Matrix) -> dict[str, Claim]:
    found = empc.measure(case, terms)
    p = fitted.everyone.probability
    rng = np.random.default_rng(0)
    fallen = np.concatenate([rng.random(len(p)) < p for _ in range(CLASSES)])
    true = np.mean([
        empc.profits(fallen, np.tile(np.round(one.risk, DECIMALS), CLASSES), float(value.mean()),
                     terms)
        for one in fitted.worths
    ], axis=0)
    return {"money: EMPC": claim(found.empc, float(true[0])),
            "money: MPC": claim(found.mpc, float(true[1]))}
