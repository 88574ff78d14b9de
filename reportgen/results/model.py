"""What the model is worth, and how far it may be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reportgen.results.common import Estimate

Estimand = Literal["training", "model", "procedure"]
"""What a figure speaks about.

"training" is the model on the customers it learned from. "model" is this one fitted model on new
customers of the same kind (measured on the held-out part). "procedure" is the whole search and
fit, repeated on customers like these (measured by nested or cross-validation).
"""

GateReason = Literal["permutation", "floor", "baseline"]

ChoiceRule = Literal["best", "one_standard_error"]


@dataclass(frozen=True)
class Point:
    """A point of a curve."""

    x: float
    y: float


# ── What the model is worth ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Top:
    """What contacting the ``share`` of customers with the highest risk would reach.

    ``precision`` is the share of fallen among them, ``lift`` that share over the share among all
    customers, ``capture`` the share of all fallen who are among them. ``doubtful`` tells that so
    few customers stand behind them that the intervals may not cover.
    """

    share: float
    customers: int
    precision: Estimate
    lift: Estimate
    capture: Estimate
    doubtful: bool


@dataclass(frozen=True)
class Scores:
    """All figures of a model's worth on one set of customers.

    Attributes
    ----------
    estimand
        What the figures speak about.
    threshold
        Risk from which on a customer counts as recognised (for F1, precision, recall, confusion).
    confusion
        (true positive, false positive, false negative, true negative).
    lift_ceiling
        Largest lift that any model could reach: one over the share of fallen.
    """

    estimand: Estimand
    customers: int
    fallen: int
    threshold: float
    roc_auc: Estimate
    pr_auc: Estimate
    f1: Estimate
    precision: Estimate
    recall: Estimate
    brier: Estimate
    confusion: tuple[int, int, int, int]
    top: tuple[Top, ...]
    lift_ceiling: float


@dataclass(frozen=True)
class CalibrationBin:
    """Customers of similar out-of-fold risk: mean risk promised, share that fell."""

    predicted: float
    observed: Estimate


@dataclass(frozen=True)
class Calibration:
    """Whether the risk means what it says, on out-of-fold risks.

    Attributes
    ----------
    intercept
        Log-odds by which the risks are too low on the whole (0 is right).
    slope
        Slope of what happened on the log-odds promised: below 1 the risks are too extreme.
    before
        The slope before recalibration, None where none was needed.
    edges, histogram
        Customers by risk, in bins of equal width between the edges.
    """

    intercept: Estimate
    slope: Estimate
    before: Estimate | None
    brier: Estimate
    bins: tuple[CalibrationBin, ...]
    edges: tuple[float, ...]
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class FamilyScore:
    """The best candidate of one family.

    Attributes
    ----------
    cv_roc_auc
        Mean over the folds of the search, with an interval for folds that share their customers.
    behind
        ROC-AUC of the winner less this one's over the same fresh folds; None for the winner.
    indistinguishable
        Whether that difference may be zero (true for the winner).
    outer_wins
        In how many outer folds of the nested cross-validation the family won; None without it.
    """

    family: str
    candidates: int
    parameters: dict[str, str]
    scaling: str
    cv_roc_auc: Estimate
    holdout_roc_auc: Estimate
    holdout_f1: Estimate
    behind: Estimate | None
    indistinguishable: bool
    outer_wins: int | None
    winner: bool


@dataclass(frozen=True)
class PastOnly:
    """The model without the columns of the current month, beside the full one.

    Both are searched on the training part and scored out of fold over all customers of the
    sample. ``columns`` counts those that are left; ``difference`` is the full model's ROC-AUC
    less this one's, on the same customers.
    """

    family: str
    columns: int
    roc_auc: Estimate
    full_roc_auc: Estimate
    difference: Estimate


# ── How far it may be trusted ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class SampleSize:
    """Riley's criteria for the size of a sample.

    ``r_squared`` is Cox and Snell's, of predictions on customers that the model never saw.
    ``shrinkage``, ``optimism`` and ``mean_risk`` are the customers that each criterion needs,
    ``required`` the largest of them.
    """

    parameters: int
    customers: int
    fallen: int
    r_squared: float
    shrinkage: int
    optimism: int
    mean_risk: int
    required: int
    enough: bool


@dataclass(frozen=True)
class Gate:
    """Whether the model is proven useful: open, or closed by the reasons named.

    Attributes
    ----------
    estimand
        Whose predictions were judged: the procedure's (nested), in a quick run the model's.
    p_value
        Of the permutation test that labels and risks have nothing to do with each other.
    column, column_roc_auc, gain
        The best single column, its own cross-validated ROC-AUC on the judged customers, and
        how far the model lies above it there.
    constant_roc_auc, constant_f1, constant_brier
        Of calling everyone fallen, or promising everyone the same risk.
    brier_gain
        The constant's Brier score less the model's.
    enforced
        Whether the store keeps the gate; else a closed one only warns.
    """

    open: bool
    closed_by: tuple[GateReason, ...]
    estimand: Estimand
    roc_auc: Estimate
    floor: float
    permutations: int
    p_value: float
    significance: float
    column: str
    column_roc_auc: Estimate
    gain: Estimate
    constant_roc_auc: float
    constant_f1: Estimate
    constant_brier: Estimate
    brier_gain: Estimate
    sample_size: SampleSize
    enforced: bool = True

    @property
    def withholds(self) -> bool:
        """Whether the model's risks are kept back from every reader."""
        return self.enforced and not self.open


@dataclass(frozen=True)
class SingleColumn:
    """How well one column alone tells the fallen apart, cross-validated."""

    column: str
    roc_auc: Estimate
    allowed: bool


@dataclass(frozen=True)
class Leakage:
    """The guard against columns that give the answer away: it let these pass.

    ``columns`` are sorted by ROC-AUC, best first. A column above ``limit`` passes only where the
    contract allows it. ``twins`` counts customers who equal another one in every column; they
    are never split between learning and checking.
    """

    limit: float
    columns: tuple[SingleColumn, ...]
    twins: int


@dataclass(frozen=True)
class LearningPoint:
    """ROC-AUC on the test part of the winner that learned from so many customers."""

    customers: int
    roc_auc: Estimate


@dataclass(frozen=True)
class LearningCurve:
    """What learning from more customers brought, fewest first.

    ``gain`` is the ROC-AUC that the last doubling added, on the same test part; ``grows`` tells
    whether that is beyond chance and worth having.
    """

    points: tuple[LearningPoint, ...]
    gain: Estimate
    grows: bool


@dataclass(frozen=True)
class ModelCard:
    """The winner of the search and what it is worth on customers it never saw.

    Attributes
    ----------
    rule
        How the winner was chosen.
    memorises
        Whether the winner returns its training labels, so that its training figures say nothing.
    candidates, folds, seed
        Of the search.
    outer_folds, repeats
        Of the nested cross-validation; 0 without it (a quick run, a large store).
    training, holdout, nested
        The seed's train and test figures, and the honest score; None without it.
    roc
        Curve on the held-out part.
    gains
        Share of customers contacted, highest risk first, and share of fallen reached: of the
        honest score's customers.
    target_window
        When the class was observed: "future", "same_month", "past" or "unknown".
    learning
        Whether more customers to learn from would help, None where all were learned from.
    """

    family: str
    parameters: dict[str, str]
    scaling: str
    rule: ChoiceRule
    memorises: bool
    candidates: int
    folds: int
    seed: int
    outer_folds: int
    repeats: int
    customers_train: int
    customers_test: int
    fallen_train: int
    fallen_test: int
    cv_roc_auc: Estimate
    training: Scores
    holdout: Scores
    nested: Scores | None
    families: tuple[FamilyScore, ...]
    past_only: PastOnly | None
    calibration: Calibration
    roc: tuple[Point, ...]
    gains: tuple[Point, ...]
    gate: Gate
    leakage: Leakage
    target_window: str
    learning: LearningCurve | None

    @property
    def honest(self) -> Scores:
        """The figures to tell first: nested, in a quick run the held-out part's."""
        return self.nested or self.holdout
