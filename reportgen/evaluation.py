"""What the winner is worth on customers it never saw.

The sample, the best candidate of each family and the out-of-fold risks come in, a `ModelCard`
goes out. For the test figures each candidate is refitted and calibrated on the training part
alone and asked about the test part once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from reportgen import intervals
from reportgen.config import Settings
from reportgen.estimators import Candidate, Matrix, calibrated, probabilities
from reportgen.results import CalibrationBin, Estimate, FamilyScore, ModelCard, Point
from reportgen.sample import Sample

#: A customer counts as recognised from even odds on.
THRESHOLD = 0.5

#: A training ROC-AUC this close to 1 tells that the model returns the labels it learned.
MEMORISED = 0.999

#: Groups of equal size in which promised and observed risk are compared.
CALIBRATION_BINS = 10

#: Points that draw a ROC curve; more cannot be told apart on paper.
ROC_POINTS = 120


@dataclass(frozen=True)
class Trial:
    """A candidate fitted on the training part, and its probabilities on the test part."""

    candidate: Candidate
    model: CalibratedClassifierCV
    risk: Matrix


def try_out(
    candidates: tuple[Candidate, ...], sample: Sample, settings: Settings
) -> tuple[Trial, ...]:
    """Fit the best candidate of each family on the training part; ask it about the test part."""
    trials = []
    for candidate in candidates:
        model = calibrated(candidate.pipeline, settings)
        model.fit(sample.matrix[sample.train], sample.fallen[sample.train])
        risk = probabilities(model, sample.matrix[sample.test])
        trials.append(Trial(candidate, model, risk))
    return tuple(trials)


def evaluate(
    trials: tuple[Trial, ...], out_of_fold: Matrix, sample: Sample, settings: Settings
) -> ModelCard:
    """Measure the winner, the first of ``trials``, beside the best of each other family."""
    winner, fallen = trials[0], sample.fallen[sample.test]
    found = winner.risk >= THRESHOLD
    negatives, positives = confusion_matrix(fallen, found, labels=[False, True]).tolist()
    confusion = (positives[1], negatives[1], positives[0], negatives[0])
    train_risk = probabilities(winner.model, sample.matrix[sample.train])
    train_roc_auc = float(roc_auc_score(sample.fallen[sample.train], train_risk))
    families = tuple(_family_score(trial, fallen, settings, winner=trial is winner)
                     for trial in trials)
    seed = settings.model.seed
    return ModelCard(
        family=winner.candidate.family,
        parameters=winner.candidate.parameters,
        scaling=winner.candidate.scaling,
        memorises=train_roc_auc >= MEMORISED,
        candidates=sum(trial.candidate.tried for trial in trials),
        folds=settings.model.folds,
        seed=seed,
        customers_train=len(sample.train),
        customers_test=len(sample.test),
        fallen_train=int(sample.fallen[sample.train].sum()),
        fallen_test=int(fallen.sum()),
        cv_roc_auc=winner.candidate.cv_mean,
        train_roc_auc=train_roc_auc,
        test_roc_auc=families[0].test_roc_auc,
        test_f1=families[0].test_f1,
        test_precision=intervals.wilson(confusion[0], confusion[0] + confusion[1]),
        test_recall=intervals.wilson(confusion[0], confusion[0] + confusion[2]),
        threshold=THRESHOLD,
        confusion=confusion,
        baseline_roc_auc=0.5,
        baseline_f1=_baseline_f1(fallen),
        oof_roc_auc=intervals.bootstrap(intervals.roc_auc, sample.fallen, out_of_fold, seed=seed),
        oof_brier=intervals.bootstrap(intervals.brier, sample.fallen, out_of_fold, seed=seed),
        families=families,
        roc=_roc(fallen, winner.risk),
        calibration=_calibration(sample.fallen, out_of_fold),
        target_window=settings.columns[settings.target].window.value,
    )


def _family_score(
    trial: Trial, fallen: NDArray[np.bool_], settings: Settings, *, winner: bool
) -> FamilyScore:
    seed = settings.model.seed
    return FamilyScore(
        family=trial.candidate.family,
        candidates=trial.candidate.tried,
        cv_mean=trial.candidate.cv_mean,
        cv_sd=trial.candidate.cv_sd,
        test_roc_auc=intervals.bootstrap(intervals.roc_auc, fallen, trial.risk, seed=seed),
        test_f1=intervals.bootstrap(intervals.f1, fallen, trial.risk >= THRESHOLD, seed=seed),
        winner=winner,
    )


def _baseline_f1(fallen: NDArray[np.bool_]) -> float:
    """F1 of calling everyone fallen: precision is their share π, recall 1, so 2π / (1 + π)."""
    share = float(fallen.mean())
    return 2 * share / (1 + share)


def _roc(fallen: NDArray[np.bool_], risk: Matrix) -> tuple[Point, ...]:
    false_positive, true_positive, _ = roc_curve(fallen, risk)
    kept = np.unique(np.linspace(0, len(false_positive) - 1, ROC_POINTS).round().astype(int))
    return tuple(Point(float(false_positive[i]), float(true_positive[i])) for i in kept)


def _calibration(fallen: NDArray[np.bool_], risk: Matrix) -> tuple[CalibrationBin, ...]:
    """Compare promised and observed risk in groups of equal size."""
    groups = np.array_split(np.argsort(risk, kind="stable"), CALIBRATION_BINS)
    return tuple(
        CalibrationBin(
            predicted=float(risk[group].mean()),
            observed=_share(fallen[group]),
        )
        for group in groups
    )


def _share(fallen: NDArray[np.bool_]) -> Estimate:
    return intervals.wilson(int(fallen.sum()), len(fallen))
