"""What a campaign is worth under the store's assumptions, and how sure that is.

The sample, its out-of-fold risks and the assumptions come in; a `Money` goes out. Without the
assumptions nothing is claimed. Amounts are totals over all customers, of whom the sample is a part.
"""

from __future__ import annotations

import numpy as np

from reportgen import campaigns, empc
from reportgen.campaigns import Case, Plan, Terms
from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.errors import DataError, Problem
from reportgen.estimators import Matrix
from reportgen.intervals import CONFIDENCE
from reportgen.results import (
    Assumptions as ToldAssumptions,
)
from reportgen.results import (
    Campaign,
    CampaignName,
    Estimate,
    Money,
    ProfitPoint,
    Sensitivity,
    ValueBand,
)
from reportgen.sample import Sample
from reportgen.sections import Assumptions

#: Share of customers who may be worth less than the offer before its unit is doubted.
MOST_WORTHLESS = 0.9

#: Each assumption is halved, and raised by half, all else equal.
FACTORS = (0.5, 1.5)
VARIED = ("contact_cost", "offer_cost", "acceptance", "horizon_months", "loss_share")

#: An acceptance or a share that is raised stays below certainty, respectively at all of it.
_LARGEST = {"acceptance": 0.99, "loss_share": 1.0}

#: Groups of customers by value in the table of break-even risks.
VALUE_BANDS = 5

#: The campaigns of the report in their order.
NAMES: tuple[CampaignName, ...] = ("nobody", "everyone", "random", "most_valuable", "known_fallen",
                                   "highest_risk", "own_threshold")


def evaluate(sample: Sample, risk: Matrix, settings: Settings, *, customers: int,
             usable: bool) -> Money:
    """Work out what campaigns are worth.

    Parameters
    ----------
    sample, risk
        Customers with known classes and their out-of-fold risks, shape (customers of the sample,).
    customers
        All customers that amounts are scaled to.
    usable
        Whether the model may be acted on; no campaign of another one is worked out.

    Notes
    -----
    Contacting a fallen customer of value V brings γ·(V − d) − f, any other −(d + f): whoever would
    have stayed takes the offer d, too (Verbraken, Verbeke and Baesens, 2013). γ is the acceptance,
    f the cost of a contact. Intervals hold the chance of the customers (bootstrap) and the
    doubt about γ (drawn from its Beta distribution) together.

    References
    ----------
    Verbraken, Verbeke and Baesens (2013), A novel profit maximizing metric for measuring
    classification performance of customer churn prediction models. IEEE TKDE 25.
    """
    column = settings.first_of_role(Role.VALUE)
    missing = settings.assumptions.missing + (() if column else ("value_column",))
    if missing or column is None or not usable:
        return _nothing(missing, column or "", customers)
    terms = campaigns.terms(settings.assumptions)
    case = Case(sample.fallen, risk, _values(sample, settings), scale=customers / len(risk),
                seed=settings.model.seed, folds=settings.model.folds)
    plans = campaigns.plan_all(case, terms)
    profits = campaigns.profits(case, terms, plans)
    told = tuple(_campaign(name, plans[name], profits[name], case) for name in NAMES)
    best = profits["highest_risk"]
    measure = empc.measure(case, terms)
    return Money(
        missing=(), value_column=column, customers=customers,
        assumptions=_told(settings.assumptions),
        campaigns=told,
        advantage={name: _interval(best.value - other.value, best.draws - other.draws, case)
                   for name, other in profits.items() if name != "highest_risk"},
        curve=curve(case, terms),
        best_share=campaigns.best_share(case, terms),
        pays=any(one.profit.low > 0 for one in told
                 if one.name in ("highest_risk", "own_threshold")),
        empc=measure.empc, mpc=measure.mpc,
        sensitivity=_sensitivity(case, settings.assumptions, told),
        bands=_bands(case, terms, plans["own_threshold"]),
    )


def check_unit(sample: Sample, settings: Settings) -> None:
    """Refuse an offer that costs more than nearly every customer is worth.

    It needs no model, so it comes before all that takes long.

    Raises
    ------
    DataError
        Telling both figures: most likely one of them has another unit.
    """
    column = settings.first_of_role(Role.VALUE)
    if column is None or settings.assumptions.missing:
        return
    values, offer = _values(sample, settings), settings.assumptions.offer_cost or 0.0
    if (values < offer).mean() <= MOST_WORTHLESS:
        return
    table = settings.tables[settings.columns[column].table].file
    raise DataError([Problem(
        file=table, column=settings.columns[column].source, row=0, code="offer_cost",
        message=f"an offer of {offer:g} (assumptions.offer_cost) costs more than "
                f"{(values < offer).mean():.0%} of the customers are worth (half of them less "
                f"than {np.median(values):.4g}); check the unit of offer_cost and of profit_unit",
    )])


def _nothing(missing: tuple[str, ...], column: str, customers: int) -> Money:
    return Money(
        missing=missing, value_column=column, customers=customers, assumptions=None, campaigns=(),
        advantage={}, curve=(), best_share=None, pays=False, empc=None, mpc=None, sensitivity=(),
        bands=(),
    )


def _values(sample: Sample, settings: Settings) -> Matrix:
    """Return what is lost when each customer falls, in money; nothing where no profit is made."""
    profit = sample.frame[settings.first_of_role(Role.VALUE)].to_numpy(dtype=np.float64)
    factor = campaigns.value_factor(settings.assumptions)
    return np.asarray(np.clip(np.nan_to_num(profit), 0.0, None) * factor)


def _told(given: Assumptions) -> ToldAssumptions:
    terms = campaigns.terms(given)
    return ToldAssumptions(
        contact_cost=terms.contact, offer_cost=terms.offer, acceptance=terms.acceptance,
        acceptance_alpha=terms.alpha, acceptance_beta=terms.beta,
        horizon_months=given.horizon_months or 0.0, loss_share=given.loss_share or 0.0,
        profit_unit=given.profit_unit or 0.0,
    )


def _interval(value: float, draws: Matrix, case: Case) -> Estimate:
    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(float(value), min(float(low), float(value)), max(float(high), float(value)),
                    len(case.fallen))


def _campaign(name: CampaignName, plan: Plan, profit: campaigns.Profit, case: Case) -> Campaign:
    total = _interval(profit.value, profit.draws, case)
    everyone = case.scale * len(case.fallen)
    return Campaign(
        name=name,
        customers=round(plan.mean() * everyone),
        share=float(plan.mean()),
        profit=total,
        per_customer=Estimate(total.value / everyone, total.low / everyone, total.high / everyone,
                              total.n),
    )


def curve(case: Case, terms: Terms) -> tuple[ProfitPoint, ...]:
    """Work out the profit of contacting a growing share, and what each point is made of."""
    shares, plans = campaigns.by_share(case)
    points = []
    reached = case.scale * plans.sum(axis=1)
    fallen = case.scale * plans @ case.fallen
    value = case.scale * plans @ (case.fallen * case.value)
    for i, profit in enumerate(campaigns.profits_of(case, terms, plans)):
        found = _interval(profit.value, profit.draws, case)
        points.append(ProfitPoint(shares[i], found.value, found.low, found.high,
                                  float(reached[i]), float(fallen[i]), float(value[i])))
    return tuple(points)


def _sensitivity(case: Case, given: Assumptions,
                 told: tuple[Campaign, ...]) -> tuple[Sensitivity, ...]:
    """Work out the best campaign again with one assumption changed at a time."""
    now = next(one for one in told if one.name == "highest_risk")
    rows = []
    for name in VARIED:
        for factor in FACTORS:
            value = min(getattr(given, name) * factor, _LARGEST.get(name, np.inf))
            changed = given.model_copy(update={name: value})
            other = case.worth(value / getattr(given, name)
                               if name in ("horizon_months", "loss_share") else 1.0)
            terms = campaigns.terms(changed)
            plan = campaigns.highest_risk(other, terms)
            profit = campaigns.profits(other, terms, {"highest_risk": plan})["highest_risk"]
            found = _interval(profit.value, profit.draws, other)
            rows.append(Sensitivity(
                assumption=name, factor=factor, value=float(value),
                share=float(plan.mean()), profit=found, pays=found.low > 0,
                sign_changes=(found.low > 0) != (now.profit.low > 0),
            ))
    return tuple(rows)


def _bands(case: Case, terms: Terms, plan: Plan) -> tuple[ValueBand, ...]:
    """Tell from which risk on contacting pays, for customers of similar value."""
    order = np.argsort(case.value, kind="stable")
    rows = []
    for group in np.array_split(order, VALUE_BANDS):
        mean = float(case.value[group].mean())
        threshold = float(campaigns.threshold(np.array([mean]), terms)[0])
        rows.append(ValueBand(
            low=float(case.value[group].min()), high=float(case.value[group].max()),
            customers=round(len(group) * case.scale), value=mean,
            threshold=threshold if threshold <= 1 else None,
            contacted=round(float(plan[group].sum()) * case.scale),
        ))
    return tuple(rows)
