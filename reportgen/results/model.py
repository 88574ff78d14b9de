"""What the model is worth, and why it sees a risk."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Direction, Estimate


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
