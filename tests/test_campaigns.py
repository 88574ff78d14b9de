"""Whom a campaign contacts and what that brings, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reportgen import campaigns, empc
from reportgen.campaigns import Case, Terms

#: A contact costs 10, an offer 100; half of the fallen who get one stay.
TERMS = Terms(contact=10, offer=100, acceptance=0.5, trials=20)

#: Five customers by risk; the first, the second and the fourth fell.
FIVE = Case(
    fallen=np.array([True, True, False, True, False]),
    risk=np.array([0.9, 0.8, 0.6, 0.3, 0.1]),
    value=np.array([1000.0, 300.0, 500.0, 100.0, 0.0]),
    scale=10.0, seed=1, folds=5,
)


def worth(*contacted: int) -> float:
    plan = np.zeros(5)
    plan[list(contacted)] = 1.0
    return campaigns.profits_of(FIVE, TERMS, plan[None, :])[0].value


def test_a_contact_brings_what_it_keeps_less_what_it_costs():
    # Fallen: 0.5 · (1000 - 100) - 10 = 440 and 0.5 · (300 - 100) - 10 = 90; each stands for ten.
    assert worth(0) == pytest.approx(4_400)
    assert worth(1) == pytest.approx(900)
    # Worth as much as the offer: the contact alone is lost.
    assert worth(3) == pytest.approx(-100)
    # Not fallen: the contact and the offer, taken by one who would have stayed.
    assert worth(2) == worth(4) == pytest.approx(-1_100)
    assert worth(0, 2) == pytest.approx(3_300)


def test_the_threshold_follows_the_value():
    # The requirement's examples: d = 300, f = 10, γ = 0.3 give 0.18 at 5,000 and 0.61 at 1,000.
    terms = Terms(contact=10, offer=300, acceptance=0.3, trials=20)
    found = campaigns.threshold(np.array([5_000.0, 1_000.0, 300.0, 0.0]), terms)
    assert found[:2] == pytest.approx([310 / 1710, 310 / 510])
    assert np.isinf(found[2:]).all()


def test_contacting_exactly_at_the_threshold_neither_wins_nor_loses():
    value = 1_000.0
    p = campaigns.threshold(np.array([value]), TERMS)[0]
    gain = p * (TERMS.acceptance * (value - TERMS.offer) - TERMS.contact)
    assert gain == pytest.approx((1 - p) * (TERMS.offer + TERMS.contact))


def test_each_campaign_contacts_whom_it_says():
    plans = campaigns.plan_all(FIVE, TERMS)
    assert plans["nobody"].sum() == 0
    assert plans["everyone"].sum() == 5
    assert plans["known_fallen"].tolist() == [1, 1, 0, 1, 0]
    # Thresholds: 110 / 550 = 0.2, 110 / 200 = 0.55, 110 / 300 = 0.37, never, never.
    assert plans["own_threshold"].tolist() == [1, 1, 1, 0, 0]
    count = plans["highest_risk"].sum()
    assert plans["random"].sum() == pytest.approx(count)
    assert plans["most_valuable"].sum() == count


def large(n: int = 3_000, *, seed: int = 2, value: float = 900.0) -> Case:
    """Customers whose risk is right, and whose value has nothing to do with it."""
    rng = np.random.default_rng(seed)
    risk = 1 / (1 + np.exp(-rng.normal(-0.5, 1.5, n)))
    return Case(rng.random(n) < risk, risk, rng.gamma(4, value / 4, n), 1.0, seed, 5)


def test_the_best_share_is_where_the_last_contact_still_pays():
    case = large(20_000, value=900.0)
    # At the mean value of 900 a contact pays from 110 / 500 = 0.22 on.
    expected = float((case.risk >= 0.22).mean())
    assert campaigns.best_share(case, TERMS) == pytest.approx(expected, abs=0.06)


def test_nothing_is_contacted_where_no_contact_pays():
    poor = large(value=60.0)
    assert campaigns.best_share(poor, TERMS) == 0.0
    assert campaigns.highest_risk(poor, TERMS).sum() == 0


def test_a_share_is_chosen_on_the_other_parts():
    case = large(2_000)
    plan = campaigns.highest_risk(case, TERMS)
    for part in range(case.folds):
        inside = case.parts == part
        others = case.order[case.parts[case.order] != part]
        share = campaigns._best_share(case, TERMS, others)
        assert plan[inside].sum() == round(share * inside.sum())
        # Of each part the highest risks are contacted.
        assert case.risk[inside & (plan == 1)].min() >= case.risk[inside & (plan == 0)].max()


def test_plans_are_judged_on_the_same_draws():
    plans = np.stack([np.ones(5), np.zeros(5), np.ones(5)])
    everyone, nobody, again = campaigns.profits_of(FIVE, TERMS, plans)
    np.testing.assert_array_equal(everyone.draws, again.draws)
    assert (nobody.value, nobody.draws.any()) == (0.0, False)


def test_the_doubt_about_acceptance_is_in_the_draws():
    case = large()
    sure = Terms(contact=10, offer=100, acceptance=0.5, trials=1e9)
    plan = np.ones((1, 3_000))
    known, doubted = (campaigns.profits_of(case, terms, plan)[0] for terms in (sure, TERMS))
    assert known.value == doubted.value
    # Beta(10, 10) has a standard deviation of sqrt(0.25 / 21) = 0.109.
    kept = np.where(case.fallen, case.value - 100, 0).sum()
    assert doubted.draws.std() == pytest.approx(
        np.hypot(known.draws.std(), 0.109 * kept), rel=0.05)


# ── EMPC ─────────────────────────────────────────────────────────────────────────────────────────


def integrated(fallen, risk, value: float, terms: Terms) -> float:
    """EMPC by brute force: the best cut-off at each of 2,000 acceptances, weighted by density."""
    order = np.argsort(-risk)
    f0 = np.r_[0, np.cumsum(fallen[order])] / fallen.sum()
    f1 = np.r_[0, np.cumsum(~fallen[order])] / (~fallen).sum()
    pi = fallen.mean()
    gamma = (np.arange(2_000) + 0.5) / 2_000
    density = gamma ** (terms.alpha - 1) * (1 - gamma) ** (terms.beta - 1)
    density /= density.sum()
    kept = np.outer(gamma, (value - terms.offer) * pi * f0) - terms.contact * pi * f0
    best = (kept - (terms.offer + terms.contact) * (1 - pi) * f1).max(axis=1)
    return float((best * density).sum())


@pytest.mark.parametrize(("value", "terms"), [
    (200.0, Terms(1.0, 10.0, 0.3, 20.0)), (1_000.0, Terms(10.0, 300.0, 0.3, 20.0)),
    (500.0, Terms(20.0, 100.0, 0.1, 20.0)), (90.0, Terms(0.0, 100.0, 0.3, 20.0)),
])
def test_empc_is_the_best_profit_over_all_acceptances(value: float, terms: Terms) -> None:
    case = large(400)
    found, mpc = empc.profits(case.fallen, case.risk, value, terms)
    assert found == pytest.approx(integrated(case.fallen, case.risk, value, terms), rel=2e-3,
                                  abs=1e-6)
    # The best cut-off for each acceptance earns at least what one for their mean does.
    assert found >= mpc - 1e-9


def test_empc_has_an_interval_around_it():
    found = empc.measure(large(400), TERMS)
    assert found.empc.low < found.empc.value < found.empc.high
    assert found.mpc.low < found.mpc.value < found.mpc.high
