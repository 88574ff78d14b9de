"""The sections of reportgen.toml beside the contract, as frozen settings.

Each class is a section or a part of one; `config` puts them together and checks what they say of
each other.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from reportgen.contract import Labels, _Frozen

#: Addresses of Spark: a cluster's, a Spark Connect server's, or this machine as a cluster.
_SPARK = re.compile(r"(spark|sc|k8s)://|local($|\[)|yarn$")

_MONTH = "^[0-9]{4}-(0[1-9]|1[0-2])$"
_MONTH_OR_NONE = rf"{_MONTH}|^$"

#: How much a run spends on judging the model.
Effort = Literal["quick", "standard", "thorough"]


class Store(_Frozen):
    """Who the report is about.

    ``currency`` is an ISO code; where it is absent, money is written without one. ``published`` is
    the web address under which the readers find output/public, empty where they do not.
    """

    name: Labels
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    languages: tuple[str, ...] = Field(default=("ru", "en"), min_length=1)
    published: str = Field(default="", pattern=r"^(https?://[^\s\"'<>]+)?$")


class Engine(_Frozen):
    """Where the tables are worked on, and how much of this machine that takes.

    Attributes
    ----------
    url
        Database that holds the tables and does what can be done there; empty for files, which the
        embedded engine reads. User and password may stand in the environment only, see
        `reportgen.database`.
    memory
        Most memory, such as "1.5GB"; what does not fit is put on disk meanwhile. Models and pages
        need about 1 GB beside it.
    threads
        Cores that it uses; 0 means all.
    scratch
        Folder for what does not fit into memory; the system's one for temporary files if absent.
    """

    url: str = ""
    memory: str = Field(default="1.5GB", pattern=r"^[0-9]+(\.[0-9]+)? ?([KMGT]i?B|%)$")
    threads: int = Field(default=0, ge=0, le=1_024)
    scratch: Path | None = None

    @property
    def kind(self) -> Literal["embedded", "database", "spark"]:
        """What works on the tables."""
        if not self.url:
            return "embedded"
        return "spark" if _SPARK.match(self.url) else "database"

    @field_validator("url")
    @classmethod
    def _without_secret(cls, url: str) -> str:
        if url and not _SPARK.match(url):
            parts = urlsplit(url)
            if not parts.scheme:
                raise ValueError("an address begins with a kind, such as postgresql://")
            if parts.password is not None or "password" in parts.query:
                raise ValueError("the password stands in no file, it comes from "
                                 "REPORTGEN_DATABASE_PASSWORD")
        return url


class Cleaning(_Frozen):
    """Limits of the declared repairs.

    Attributes
    ----------
    outlier_limit
        Largest plausible modified z-score, 0.6745·|x − median| / MAD (Iglewicz and Hoaglin, 1993).
    missing_tolerance
        Largest share of customers that may be missing from a table; they are excluded.
    repair_double_encoding
        Whether Cyrillic that was encoded twice is decoded; otherwise it is refused.
    minimum_customers
        Fewer do not carry an analysis.
    """

    outlier_limit: float = Field(default=3.5, gt=0)
    missing_tolerance: float = Field(default=0.01, ge=0, le=1)
    repair_double_encoding: bool = True
    minimum_customers: int = Field(default=200, ge=50)


#: Families that score a million customers within seconds.
QUICK_FAMILIES = ("decision_tree", "logistic_regression", "gradient_boosting")


class ModelSearch(_Frozen):
    """The model search, and how much is spent on judging it honestly.

    Attributes
    ----------
    effort
        "quick" leaves out the nested cross-validation and the model without the current month,
        and refits less; "thorough" repeats the nested cross-validation.
    rule
        Which candidate wins: the "best" mean ROC-AUC over the folds, or the simplest within
        "one_standard_error" of it.
    sample
        Most customers that a model learns from.
    slow_sample
        Most of these that nearest neighbours and support vectors learn from: the cost of the one
        grows with them at every customer scored, that of the other with their square.
    judging
        How the honest score is found: "nested" repeats the whole search without the customers it
        is judged on; "apart" judges on ``judged`` further customers, whom the search never saw.
    judged
        How many customers that are.
    large
        Customers above which a store is large: judged apart, by the families that are quick there.
    explained_customers
        Customers of the held-out part whose risk is explained.
    workers
        Processes; 0 means one a core.
    """

    effort: Effort = "standard"
    rule: Literal["best", "one_standard_error"] = "best"
    candidates: int = Field(default=60, ge=4, le=2_000)
    folds: int = Field(default=5, ge=2, le=20)
    test_share: float = Field(default=0.25, gt=0.05, lt=0.9)
    seed: int = Field(default=20, ge=0, lt=2**32)
    families: tuple[str, ...] = ("decision_tree", "nearest_neighbours", "logistic_regression",
                                 "support_vectors")
    sample: int = Field(default=5_000, ge=200)
    slow_sample: int = Field(default=5_000, ge=200)
    judging: Literal["nested", "apart"] = "nested"
    judged: int = Field(default=15_000, ge=200)
    large: int = Field(default=200_000, ge=1_000)
    explained_customers: int = Field(default=200, ge=50, le=5_000)
    workers: int = Field(default=0, ge=0)

    @property
    def repeats(self) -> int:
        """How often the nested cross-validation runs."""
        if self.judging == "apart":
            return 0
        return {"quick": 0, "standard": 1, "thorough": 3}[self.effort]

    def for_size(self, customers: int) -> Self:
        """Return the search for a store of so many customers.

        A store has customers to judge a model on who had no part in its search only where it has
        more than a model learns from; else the search is repeated. In a large store both the
        repeats and the families that take a minute to score it are left out.
        """
        if customers <= self.large:
            apart = self.judging == "apart" and customers > self.sample + self.judged
            return self if apart else self.model_copy(update={"judging": "nested"})
        quick = tuple(name for name in self.families if name in QUICK_FAMILIES)
        return self.model_copy(update={"judging": "apart", "families": quick or self.families})

    @property
    def refits(self) -> int:
        """On how many bootstrap samples the explanation is repeated."""
        return 20 if self.effort == "quick" else 100


class Gates(_Frozen):
    """What stands between a model and its readers.

    Attributes
    ----------
    usefulness
        Whether a model without proven signal is withheld: nobody is listed, exit code 4.
    leakage
        Cross-validated ROC-AUC above which a single column stops the run.
    roc_auc
        Lowest lower bound of the honest ROC-AUC. Below about 0.65 a list holds hardly more of the
        fallen than one drawn by chance.
    rows_repaired
        Largest share of rows that may need a declared repair.
    drift
        Largest PSI of a column whose shift is beyond chance; above 0.25 it is by convention another
        population.
    data_age
        Most days from the end of the newest month to today, where no month is asked for: by then
        a second delivery is late.
    history
        Whether a month that should be there and cannot be compared with closes the gate.
    """

    usefulness: bool = True
    leakage: float = Field(default=0.95, gt=0.5, le=1)
    roc_auc: float = Field(default=0.65, ge=0.5, le=1)
    rows_repaired: float = Field(default=0.5, ge=0, le=1)
    drift: float = Field(default=0.25, ge=0)
    data_age: int = Field(default=62, ge=1)
    history: bool = True


class History(_Frozen):
    """What is known of the months before.

    Attributes
    ----------
    since
        First month of the store, ``YYYY-MM``. From then on every month should be there, and one
        that is missing is told; without it, a store whose output folder is empty is a new one.
    accepted
        Months whose absence, or whose break with the month before (other units, other ids, many
        more customers), is known and right.
    """

    since: str = Field(default="", pattern=_MONTH_OR_NONE)
    accepted: tuple[Annotated[str, Field(pattern=_MONTH)], ...] = ()


class Assumptions(_Frozen):
    """What the store assumes about campaigns; without all of them nothing is said about money.

    Attributes
    ----------
    contact_cost, offer_cost
        Cost of one contact, and of one offer that is taken up, in the unit of the revenue.
    acceptance
        Share of fallen customers who take up an offer and then stay.
    acceptance_trials
        How sure that is: as if it had been seen in a trial with so many customers.
    horizon_months
        For how many months a customer who is kept goes on bringing profit.
    loss_share
        Share of the monthly profit that is lost when a customer's activity falls.
    profit_unit
        How many units of the revenue one unit of the profit column is (1000 for thousands).
    """

    contact_cost: float | None = Field(default=None, ge=0)
    offer_cost: float | None = Field(default=None, ge=0)
    acceptance: float | None = Field(default=None, gt=0, lt=1)
    acceptance_trials: float = Field(default=20, ge=2)
    horizon_months: float | None = Field(default=None, gt=0, le=120)
    loss_share: float | None = Field(default=None, gt=0, le=1)
    profit_unit: float | None = Field(default=None, gt=0)

    @property
    def missing(self) -> tuple[str, ...]:
        """Keys that must be supplied before anything is said about money."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is None)


class Programme(_Frozen):
    """The programme of actions, and the experiment that shows whether it helps.

    Attributes
    ----------
    campaign
        Name of the programme; another name draws the groups anew.
    control_share
        Share of the customers drawn who receive no action at all; 0 for no experiment.
    contacts_a_month
        Contacts that the team can make in a month.
    coupon_budget
        Money for offers in a month, in the unit of the revenue; needs ``assumptions.offer_cost``.
    most_contacts
        Contacts that a customer may get in a month, those of the data included.
    priority
        Codes of the actions, the one that comes first wins; a code left out is never carried out.
    feedback
        File in a month's folder that tells what was really sent (customer, action, date).
    """

    campaign: str = Field(default="programme", pattern=r"^[\w-]{1,64}$")
    control_share: float = Field(default=0.2, ge=0, le=0.5)
    contacts_a_month: int = Field(default=5_000, ge=0)
    coupon_budget: float | None = Field(default=None, ge=0)
    most_contacts: float | None = Field(default=None, gt=0)
    priority: tuple[str, ...] = ("R6", "R4", "R1", "R3", "R2", "R7", "R5")
    feedback: str = Field(default="feedback.csv", pattern=r"^[^/\\]+$")

    @field_validator("priority")
    @classmethod
    def _known_once(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        known = cls.model_fields["priority"].default
        for code in codes:
            if code not in known:
                raise ValueError(f"unknown action {code!r}; known: {', '.join(sorted(known))}")
        if len(set(codes)) < len(codes):
            raise ValueError("an action is named twice")
        return codes


class Decisions(_Frozen):
    """Who carries out what leadership decides, and by when it is asked to.

    Attributes
    ----------
    day
        Of the month after the report's.
    owners
        Names by "marketing", "finance" and "analytics"; one that is absent goes by the word of
        the report's language.
    """

    day: int = Field(default=10, ge=1, le=28)
    owners: dict[Literal["marketing", "finance", "analytics"], Labels] = {}


class Risk(_Frozen):
    """Where the bands of risk begin, as probabilities."""

    medium: float = Field(default=0.3, gt=0, lt=1)
    high: float = Field(default=0.6, gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.medium >= self.high:
            raise ValueError("'medium' must lie below 'high'")
        return self


class Segment(_Frozen):
    """A named group of customers, told by a rule."""

    rule: str
    label: Labels


class Recommendations(_Frozen):
    """Which columns the five recommendations look at.

    Attributes
    ----------
    focus, focus_label
        Rule and name of the segment that all five speak about.
    promo, promo_buyer
        The share of purchases made on promotion, and from which share on a customer counts as
        buying mostly on promotion.
    depth
        Columns that tell how deep a customer looks (pages, categories).
    basket
        Goods left unpaid.
    contacts
        Marketing contacts that reached the customer this month.
    levels, falls
        Columns whose low level, or whose fall, is tested as a signal of risk.
    basket_from, failures, failures_from
        From how many unpaid goods on a basket is worth a reminder; the column of failures of the
        service, and from how many on they call for an apology. Without them nothing is said.
    """

    focus: str
    focus_label: Labels
    promo: str
    promo_buyer: float = Field(default=0.5, gt=0, lt=1)
    depth: tuple[str, ...]
    basket: str
    contacts: str
    levels: tuple[str, ...]
    falls: tuple[str, ...]
    basket_from: float | None = None
    failures: str | None = None
    failures_from: float | None = None


class Total(_Frozen):
    """A key figure over the months that the tables hold, oldest column first."""

    label: Labels
    columns: tuple[str, ...] = Field(min_length=1)


class Presentation(_Frozen):
    """What the report shows of the contract's columns."""

    totals: dict[str, Total] = {}
    profile: tuple[str, ...] = ()
