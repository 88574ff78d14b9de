"""What earlier months tell of this one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Estimate, Labels

FaultReason = Literal["missing", "newer", "older", "damaged", "no_customers", "ids"]
"""Why an earlier month cannot be compared with.

"missing" was never reported though the store began before it, or is lost. "newer" and "older" were
written by a version whose results this one cannot read. "damaged" cannot be read. "no_customers"
has figures but no list of customers. "ids" writes its customers otherwise than this month.
"""

DriftLevel = Literal["none", "small", "moderate", "strong"]
"""How far a distribution has moved: not beyond chance, or beyond it with a PSI below 0.1, up to
0.25, and above."""

PromiseVerdict = Literal["agrees", "too_low", "too_high", "too_sure", "too_timid", "unknown"]
"""What the outcome says of a forecast: no difference beyond chance, all shares too low or too high,
high ones too high and low ones too low, or the reverse; "unknown" of what was no forecast."""

Foresight = Literal["recognised", "forecast"]
"""What was held against the outcome: the risk that recognised a fall in its own month, or the
forecast of the month after."""

LOST, NEW = "lost", "new"
"""Where customers of a migration came from or went to, beside the bands."""


@dataclass(frozen=True)
class HistoryFault:
    """An earlier month that is not compared with, and why."""

    month: str
    reason: FaultReason


@dataclass(frozen=True)
class TrendPoint:
    """The key figures of a month.

    ``alike_share`` is None where the model was withheld, ``totals`` are sums by name.
    """

    month: str
    customers: int
    fallen: int
    fallen_share: Estimate
    alike_share: float | None
    totals: dict[str, float]
    roc_auc: Estimate


@dataclass(frozen=True)
class Flow:
    """Customers who went from a band of the month before to a band of this one.

    ``before`` may be `NEW` and ``now`` `LOST`. ``money_before`` and ``money_now`` are what they
    spent in either month (the newest column of the report's first total), None where that is
    unknown or would tell of fewer than ten customers.
    """

    before: str
    now: str
    customers: int
    money_before: float | None
    money_now: float | None


@dataclass(frozen=True)
class BandTotal:
    """Customers of a band, or `NEW` or `LOST` ones."""

    band: str
    customers: int


@dataclass(frozen=True)
class SegmentFlow:
    """What became of a segment: before = stayed + left + lost, now = stayed + entered + new.

    ``left`` are in this month's tables but not in the segment, ``entered`` were regular customers
    outside it, ``new`` were not regular the month before. The money is what the customers before
    and now spent in their month.
    """

    name: str
    label: Labels
    before: int
    stayed: int
    left: int
    lost: int
    entered: int
    new: int
    now: int
    money_before: float | None
    money_now: float | None


@dataclass(frozen=True)
class Migration:
    """Where the customers of an earlier month are now.

    Attributes
    ----------
    month
        The earlier month; the bands are those of either month's own model.
    customers_before, customers_now
        Of both months; the flows add up to them.
    lost, gone, not_regular
        Customers of the month before who are not used now, and how they are lost: they are in no
        table any more, or are left out.
    new
        Customers of this month who were not used in the month before.
    bands
        Flows between bands, in their order; empty where a model was withheld.
    before, now
        Sums of the flows by the band they come from and by the band they go to.
    segments
        Those whose rule is the same in both months.
    """

    month: str
    customers_before: int
    customers_now: int
    lost: int
    gone: int
    not_regular: int
    new: int
    bands: tuple[Flow, ...]
    before: tuple[BandTotal, ...]
    now: tuple[BandTotal, ...]
    segments: tuple[SegmentFlow, ...]


@dataclass(frozen=True)
class BandOutcome:
    """Customers of a band of the month before, and how many of them are fallen this month.

    The band lies from ``low`` to ``high``; ``promised`` is the mean risk of its customers, ``lost``
    counts those whose outcome is unknown.
    """

    band: str
    low: float
    high: float
    customers: int
    promised: float
    observed: Estimate
    lost: int


@dataclass(frozen=True)
class Expected:
    """Customers who had not fallen, how many were expected to fall, and how many did."""

    customers: int
    expected: int
    fallen: int


@dataclass(frozen=True)
class Held:
    """An earlier month's risks held against what happened.

    Attributes
    ----------
    month
        Whose risks they are.
    of
        Which risks.
    customers, known, lost
        All who had such a risk; those of them who are regular this month, so that their class is
        known; the others.
    fallen
        Of those known.
    roc_auc, brier, intercept, slope
        On those known; None where they are all of one class. Intercept and slope are those of
        `Calibration`.
    verdict
        Whether a forecast came true, by calibration; see `trends.outcomes`.
    steady, named
        Of those known, all who had not fallen in the month of the risks, and those of them in the
        high band: whom the risks warned of.
    treated
        Customers whom that month's programme meant to act on: what came of them is not the risks'
        doing alone.
    """

    month: str
    of: Foresight
    customers: int
    known: int
    lost: int
    fallen: int
    roc_auc: Estimate | None
    brier: Estimate | None
    intercept: Estimate | None
    slope: Estimate | None
    verdict: PromiseVerdict
    steady: Expected
    named: Expected
    treated: int
    bands: tuple[BandOutcome, ...]


@dataclass(frozen=True)
class Restatement:
    """A column of the month before, as it was reported then and as this month's tables repeat it.

    ``column`` is this month's, ``then`` the earlier one's. ``customers`` are those in both,
    ``changed`` those of them whose value differs; the sums are over ``customers``.
    """

    column: str
    then: str
    month: str
    customers: int
    changed: int
    sum_then: float
    sum_now: float
    difference: float


@dataclass(frozen=True)
class ColumnDrift:
    """How far the distribution of a column moved since an earlier month.

    Attributes
    ----------
    column
        A feature of the contract, or "risk".
    month
        The earlier month.
    psi
        Population stability index.
    p_value
        Of the permutation test that the months do not differ, adjusted for all columns (Holm).
    mean_before, mean_now
        None for a category.
    """

    column: str
    month: str
    psi: float
    p_value: float
    level: DriftLevel
    mean_before: float | None
    mean_now: float | None


@dataclass(frozen=True)
class Drift:
    """How the columns moved since an earlier month; ``moved`` of them beyond chance."""

    month: str
    moved: int
    columns: tuple[ColumnDrift, ...]


@dataclass(frozen=True)
class ContractChange:
    """A difference between what both months say the columns are.

    ``kind`` is "added", "removed" (a column), "value_added", "value_removed" (of a category),
    "redefined" (kind, unit, role or window); such a column is not compared.
    """

    kind: Literal["added", "removed", "value_added", "value_removed", "redefined"]
    column: str
    value: str


@dataclass(frozen=True)
class History:
    """Earlier months beside this one.

    Attributes
    ----------
    points
        Every month that can be read, oldest first, this one last.
    faults
        Months that should be there and cannot be compared with.
    migration, held, restated, drift, contract
        Beside the month before, where its customers can be compared with; `drift` also beside
        the month whose model was kept.
    """

    points: tuple[TrendPoint, ...]
    faults: tuple[HistoryFault, ...]
    migration: Migration | None
    held: tuple[Held, ...]
    restated: tuple[Restatement, ...]
    drift: tuple[Drift, ...]
    contract: tuple[ContractChange, ...]


# ── The forecast ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ForecastBand:
    """Customers of this month by the forecast for the next, from ``low`` to ``high``.

    ``fallen`` of them are so already, ``steady`` not; of these ``expected`` are to fall: the sum of
    their forecasts.
    """

    band: str
    low: float
    high: float
    customers: int
    fallen: int
    steady: int
    expected: int


@dataclass(frozen=True)
class Forecast:
    """A model that learned this month's class from the columns of the month before.

    Attributes
    ----------
    learned_from, for_month
        The month of the columns, and the one that is forecast from this month's.
    customers, fallen, lost
        Who it learned from, how many of them are fallen this month, and how many of the month
        before it could not learn from, for their class is unknown.
    nested
        Whether the scores come from nested cross-validation; else from one held-out part.
    roc_auc, brier, intercept, slope
        Of the forecast, on customers it never saw; intercept and slope as in `Calibration`.
    known_roc_auc, gain
        Of taking those fallen in the month before for those fallen now, and how far the forecast
        lies above it.
    recognised_roc_auc, over_recognised
        The same for the risk that recognised the month before; None where there was none.
    steady, newly
        Customers not fallen in the month before, and those of them who are now.
    newly_roc_auc
        Of the forecast among ``steady``: what it adds where recognising says nothing; None where
        too few fell.
    newly_top
        Share of ``newly`` among the tenth of ``steady`` with the highest forecast.
    steady_now, expected
        This month's customers who have not fallen, and how many of them are to fall: the sum of
        their forecasts; 0 where it is withheld.
    bands
        This month's customers by the forecast for the next; empty where it is withheld.
    useful
        Whether the forecast beats chance, the known class, and guessing among ``steady``; else it
        is withheld.
    """

    family: str
    learned_from: str
    for_month: str
    customers: int
    fallen: int
    lost: int
    nested: bool
    roc_auc: Estimate
    brier: Estimate
    intercept: Estimate
    slope: Estimate
    known_roc_auc: Estimate
    gain: Estimate
    recognised_roc_auc: Estimate | None
    over_recognised: Estimate | None
    steady: int
    newly: int
    newly_roc_auc: Estimate | None
    newly_top: Estimate | None
    useful: bool
    steady_now: int
    expected: int
    bands: tuple[ForecastBand, ...]


# ── The model's life, and the gates ──────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rival:
    """Another month's model on this month's customers, whose classes it never saw.

    ``difference`` is the ROC-AUC of the model in use less this one's, on the same customers.
    """

    month: str
    family: str
    roc_auc: Estimate
    brier: Estimate
    difference: Estimate


@dataclass(frozen=True)
class ModelLife:
    """Which model was used; ``kept`` where it is an earlier month's, who only scored."""

    trained: str
    kept: bool
    rivals: tuple[Rival, ...]


CheckName = Literal["roc_auc", "rows_repaired", "drift", "history"]


@dataclass(frozen=True)
class Check:
    """A limit that the store set, and whether it holds.

    ``value`` is the lower bound of the honest ROC-AUC, the share of rows repaired, the largest PSI
    beyond chance, the number of months that cannot be compared with; None where there is none.
    """

    name: CheckName
    value: float | None
    limit: float
    passed: bool
