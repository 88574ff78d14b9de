"""Report: every number of a month's report, and nothing else.

The analysis ends here and every renderer begins here. A `Report` holds plain numbers, dates,
labels from the contract and keys of texts, never a data frame and never a sentence, and it
round-trips exactly through results.json. Shares and probabilities lie between 0 and 1, changes
of shares are differences of such shares, and anything that is unknown is None, never NaN.

Customer ids have no place here: a Report is published.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from reportgen.errors import ReportgenError

SCHEMA_VERSION = 1

Labels = dict[str, str]
"""A text in each language, by language code."""

Direction = Literal["up", "down", "unclear"]
"""How risk moves as the column grows; "unclear" where no single direction holds."""

Status = Literal["supported", "caution", "unsupported"]
"""How far this month's figures carry a recommendation."""

Light = Literal["green", "amber", "red"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval and the number of customers behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ColumnInfo:
    """What the renderers need to know of a column of the contract."""

    name: str
    role: str
    kind: str
    unit: str
    window: str
    group: str
    decimals: int
    label: Labels
    short: Labels
    values: dict[str, Labels]


@dataclass(frozen=True)
class StoreInfo:
    """Who the report is about; ``currency`` is empty where the store does not state it."""

    name: Labels
    currency: str
    languages: tuple[str, ...]


# ── Data quality ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SourceFile:
    """One input file; ``customers`` counts the distinct customers in it."""

    table: str
    file: str
    sha256: str
    encoding: str
    delimiter: str
    rows: int
    customers: int


@dataclass(frozen=True)
class CleaningEntry:
    """One declared repair or exclusion, and what it touched.

    ``code`` names the rule: "alias" (a known typo, ``before`` → ``after``), "decimal_comma",
    "double_encoding", "duplicate" (identical rows dropped), "missing" (a customer without rows
    in a table), "not_regular", "outlier". ``money`` is the revenue of the newest month of
    the touched customers, None where it does not apply.
    """

    code: str
    table: str
    column: str
    before: str
    after: str
    rows: int
    money: float | None


@dataclass(frozen=True)
class Exclusion:
    """Customers left out for one reason ("missing", "not_regular", "outlier")."""

    reason: str
    customers: int
    money: float | None


@dataclass(frozen=True)
class DataQuality:
    """How the tables became the table of customers: customers_in = used + all exclusions."""

    files: tuple[SourceFile, ...]
    log: tuple[CleaningEntry, ...]
    exclusions: tuple[Exclusion, ...]
    customers_in: int
    customers_used: int
    rows_in: int
    rows_changed: int
    share_changed: float
    money_in: float | None
    money_used: float | None
    light: Light


# ── Overview ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Total:
    """A key figure over the months the tables hold, oldest first; the last is this month's.

    ``change`` is relative to the month before. ``unit`` is the unit of the columns summed.
    """

    name: str
    label: Labels
    unit: str
    sums: tuple[float, ...]
    means: tuple[float, ...]
    change: float | None


@dataclass(frozen=True)
class ClassMeans:
    """Mean of a column among the fallen and among the others, and the difference."""

    column: str
    fallen: Estimate
    others: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Band:
    """Customers whose out-of-fold risk lies in ``low`` ≤ risk < ``high``."""

    name: str
    low: float
    high: float
    customers: int
    share: float
    fallen: int
    decline: Estimate


@dataclass(frozen=True)
class Overview:
    """The state of the customers this month.

    ``fallen`` are known to buy less. ``alike`` have not fallen but stand in the high band.
    """

    customers: int
    fallen: int
    fallen_share: Estimate
    alike: int
    alike_share: float
    contactable: int
    contactable_share: float
    fallen_contactable: int
    alike_contactable: int
    totals: tuple[Total, ...]
    classes: tuple[ClassMeans, ...]
    bands: tuple[Band, ...]
    risk_edges: tuple[float, ...]
    risk_fallen: tuple[int, ...]
    risk_others: tuple[int, ...]


# ── Model ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class FamilyScore:
    """The best candidate of one family: cross-validated on the training part."""

    family: str
    candidates: int
    cv_mean: float
    cv_sd: float
    test_roc_auc: Estimate
    test_f1: Estimate
    winner: bool


@dataclass(frozen=True)
class Point:
    """A point of a curve."""

    x: float
    y: float


@dataclass(frozen=True)
class CalibrationBin:
    """Customers of similar out-of-fold risk: mean risk promised, share that fell."""

    predicted: float
    observed: Estimate


@dataclass(frozen=True)
class ModelCard:
    """The winner of the search and what it is worth on customers it never saw.

    ``memorises`` tells that the winner returns its training labels, so that its training figure
    says nothing. ``baseline_*`` belong to a constant prediction. ``confusion`` is
    (true positive, false positive, false negative, true negative) on the test part.
    """

    family: str
    parameters: dict[str, str]
    scaling: str
    memorises: bool
    candidates: int
    folds: int
    seed: int
    customers_train: int
    customers_test: int
    fallen_train: int
    fallen_test: int
    cv_roc_auc: float
    train_roc_auc: float
    test_roc_auc: Estimate
    test_f1: Estimate
    test_precision: Estimate
    test_recall: Estimate
    threshold: float
    confusion: tuple[int, int, int, int]
    baseline_roc_auc: float
    baseline_f1: float
    oof_roc_auc: Estimate
    oof_brier: Estimate
    families: tuple[FamilyScore, ...]
    roc: tuple[Point, ...]
    calibration: tuple[CalibrationBin, ...]
    target_window: str


# ── Drivers ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Bin:
    """Customers with ``low`` ≤ value ≤ ``high`` (or of one category) and how many of them fell."""

    low: float | None
    high: float | None
    value: str
    customers: int
    decline: Estimate


@dataclass(frozen=True)
class Driver:
    """What one column of the contract adds to the model's probability.

    Attributes
    ----------
    importance
        Mean absolute SHAP value, in probability (0.05 = five percentage points).
    direction, correlation
        Sign of Spearman's correlation of value and SHAP value, "unclear" where |ρ| < 0.5
        or the column is a category; None where it is one.
    bins
        Decline rate along the column's values, for the top drivers only.
    """

    column: str
    importance: float
    share: float
    direction: Direction
    correlation: float | None
    bins: tuple[Bin, ...]


@dataclass(frozen=True)
class Explanation:
    """SHAP values of the calibrated probability, summed over the contract's columns."""

    drivers: tuple[Driver, ...]
    base_probability: float
    customers: int
    background: int
    additivity_error: float


# ── Segments ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class ProfileRow:
    """Mean of a number column in the segment and among all other customers."""

    column: str
    segment: float | None
    others: float | None
    difference: Estimate | None


@dataclass(frozen=True)
class CategoryRow:
    """Share of one value of a category in the segment and among all other customers."""

    column: str
    value: str
    customers: int
    segment: float
    others: float
    difference: Estimate


@dataclass(frozen=True)
class Segment:
    """One segment against all other customers.

    Where fewer customers than the smallest publishable count are in it, ``suppressed`` is true
    and everything but the name is left out.
    """

    name: str
    label: Labels
    rule: str
    conditions: tuple[tuple[str, str, float | str], ...]
    suppressed: bool
    customers: int
    share: float
    fallen: int
    alike: int
    contactable: int
    contactable_share: float
    risk: float
    decline: Estimate | None
    others_decline: Estimate | None
    profile: tuple[ProfileRow, ...]
    categories: tuple[CategoryRow, ...]


# ── Recommendations ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Audience:
    """Whom a recommendation speaks to."""

    customers: int
    fallen: int
    alike: int
    contactable: int


@dataclass(frozen=True)
class CategoryEvidence:
    """Which categories of goods the focus segment turns to, most frequent first.

    ``attention`` is the category that is over-represented beyond chance (simultaneous intervals
    over all categories), empty where none is.
    """

    kind: Literal["categories"]
    column: str
    largest: str
    attention: str
    rows: tuple[CategoryRow, ...]
    profit: ProfileRow | None


@dataclass(frozen=True)
class MailingEvidence:
    """Who may be messaged, what they turn to, and how often they are messaged now."""

    kind: Literal["mailing"]
    column: str
    contactable: int
    contactable_share: Estimate | None
    rows: tuple[CategoryRow, ...]
    contacts: ProfileRow | None


@dataclass(frozen=True)
class DepthEvidence:
    """Viewing depth and unpaid goods of the focus segment against the others.

    ``shallower`` names the depth columns that are lower beyond chance, ``basket_fuller`` tells
    whether more goods are left unpaid beyond chance.
    """

    kind: Literal["depth"]
    rows: tuple[ProfileRow, ...]
    basket: ProfileRow
    shallower: tuple[str, ...]
    deeper: tuple[str, ...]
    basket_fuller: bool


@dataclass(frozen=True)
class LoyaltyEvidence:
    """Those who buy mostly on promotion against all others."""

    kind: Literal["loyalty"]
    column: str
    threshold: float
    buyers: int
    decline: Estimate | None
    others_decline: Estimate | None
    difference: Estimate | None
    profit: ProfileRow | None


@dataclass(frozen=True)
class Signal:
    """A level or a fall of a column tested as a sign of risk.

    The threshold is found on the training part; the rates come from the test part, which had no
    say in it. ``finding`` is "confirmed" where customers at or below the threshold decline
    more beyond chance, "opposite" where they decline less, "unclear" otherwise.
    ``customers`` counts all customers at or below the threshold now.
    """

    column: str
    form: Literal["level", "fall"]
    threshold: float
    below: Estimate
    above: Estimate
    difference: Estimate
    customers: int
    fallen: int
    finding: Literal["confirmed", "opposite", "unclear"]


@dataclass(frozen=True)
class SignalEvidence:
    """The signals of recommendation 5, strongest confirmed first.

    ``unmeasured`` names the level columns whose fall cannot be measured without history.
    """

    kind: Literal["signals"]
    signals: tuple[Signal, ...]
    unmeasured: tuple[str, ...]
    flagged: int
    flagged_not_fallen: int


Evidence = CategoryEvidence | MailingEvidence | DepthEvidence | LoyaltyEvidence | SignalEvidence


@dataclass(frozen=True)
class Recommendation:
    """One of the five recommendations: its figures and how far they carry it.

    ``reason`` is the key of the sentence that tells why the status is what it is.
    """

    code: str
    status: Status
    reason: str
    audience: Audience
    evidence: Evidence


# ── The whole ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Caveat:
    """A limit of this month's figures: the key of its text and the figures in it."""

    key: str
    facts: dict[str, float]


@dataclass(frozen=True)
class Provenance:
    """What made the report: versions of the program and of the libraries it leans on."""

    program: str
    versions: dict[str, str]
    settings_sha256: str


@dataclass(frozen=True)
class Report:
    """Every number of one month's report; see the parts."""

    schema_version: int
    store: StoreInfo
    month: str
    columns: dict[str, ColumnInfo]
    data: DataQuality
    overview: Overview
    model: ModelCard
    explanation: Explanation
    focus: Segment
    segments: tuple[Segment, ...]
    recommendations: tuple[Recommendation, ...]
    caveats: tuple[Caveat, ...]
    provenance: Provenance


_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


class ResultsError(ReportgenError):
    """A results.json cannot be used."""


def to_json(report: Report) -> str:
    """Write a report as JSON text.

    Raises
    ------
    ResultsError
        Where a number is NaN or infinite: such a report must not be published.
    """
    try:
        return json.dumps(
            _REPORT.dump_python(report, mode="json"),
            ensure_ascii=False, allow_nan=False, indent=1,
        ) + "\n"
    except ValueError as error:
        raise ResultsError("the report holds a number that is not finite") from error


def from_json(text: str, *, name: str = "results.json") -> Report:
    """Read a report back; ``name`` is told in messages.

    Raises
    ------
    ResultsError
        Where the text is not a report, is cut off, or has another schema version.
    """
    try:
        plain: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise ResultsError(f"{name}: not valid JSON ({error}); run the month again") from error
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if version != SCHEMA_VERSION:
        raise ResultsError(
            f"{name}: schema version {version}, this program reads {SCHEMA_VERSION}; "
            "render it with the version of reportgen that wrote it, or run the month again"
        )
    try:
        return _REPORT.validate_json(text)
    except ValidationError as error:
        raise ResultsError(f"{name}: damaged ({error.error_count()} faults, the first at "
                           f"{error.errors()[0]['loc']}); run the month again") from error
