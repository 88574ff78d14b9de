"""What the winner is worth on customers it never saw.

The sample, the best candidate of each family and what the other stages found (`Findings`) come in,
a `ModelCard` goes out. For the figures of the split each candidate is refitted and calibrated on
the training part alone and asked about the test part once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from joblib import delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV

from reportgen import delong, intervals, metrics, workers
from reportgen.config import Settings
from reportgen.estimators import Candidate, Matrix, calibrated, probabilities
from reportgen.progress import Progress, counted, silent
from reportgen.results import (
    Calibration,
    Estimate,
    FamilyScore,
    Gate,
    Leakage,
    LearningCurve,
    LearningPoint,
    ModelCard,
    PastOnly,
    Scores,
)
from reportgen.sample import Indices, Judged, Sample

#: A training ROC-AUC this close to 1 tells that the model returns the labels it learned.
MEMORISED = 0.999


@dataclass(frozen=True)
class Trial:
    """A candidate fitted on the training part, and its probabilities on both parts."""

    candidate: Candidate
    model: CalibratedClassifierCV
    train_risk: Matrix
    test_risk: Matrix


@dataclass(frozen=True)
class PastFit:
    """The winner of the search over the columns of the past, and its out-of-fold risks.

    ``full_risk`` are the full winner's, over the same folds.
    """

    family: str
    columns: int
    risk: Matrix
    full_risk: Matrix


@dataclass(frozen=True)
class Findings:
    """What the other stages found out about the winner.

    Attributes
    ----------
    out_of_fold
        The risks of the report, shape (customers,).
    slope_before
        Calibration slope before recalibration, None where none was needed.
    judged
        The risks that the honest score is measured on (see `judged_risks`).
    outer_winners
        The family that won each outer fold, () in a quick run.
    behind
        ROC-AUC of the winner less that of each candidate, in the order of the trials.
    learning
        What more customers to learn from brought, None where there are no more.
    past
        The model without the columns of the current month, None where it was not asked for.
    """

    out_of_fold: Matrix
    slope_before: Estimate | None
    judged: Judged
    outer_winners: tuple[str, ...]
    behind: tuple[Estimate | None, ...]
    past: PastFit | None
    gate: Gate
    leakage: Leakage
    learning: LearningCurve | None = None


def try_out(
    candidates: Sequence[Candidate], sample: Sample, settings: Settings, told: Progress = silent
) -> tuple[Trial, ...]:
    """Fit the best candidate of each family on the training part; ask it about both parts."""
    train, test = sample.matrix[sample.train], sample.matrix[sample.test]
    fallen = sample.fallen[sample.train]
    return tuple(workers.fitted(
        (delayed(_try)(candidate, calibrated(candidate.pipeline, settings), train, fallen, test)
         for candidate in candidates),
        len(candidates), workers=settings.model.workers, told=told))


def _try(candidate: Candidate, model: CalibratedClassifierCV, train: Matrix,
         fallen: NDArray[np.bool_], test: Matrix) -> Trial:
    model.fit(train, fallen)
    return Trial(candidate, model, probabilities(model, train), probabilities(model, test))


#: ROC-AUC that a doubling must add for more customers to be worth learning from: a list of a
#: thousand then holds a few more of the fallen.
WORTHWHILE_GAIN = 0.005

#: Parts of the training part that the winner learns from anew, each twice the one before.
_PARTS = (1 / 8, 1 / 4, 1 / 2, 1.0)


def learning_curve(winner: Candidate, sample: Sample, settings: Settings,
                   told: Progress = silent) -> LearningCurve | None:
    """Let the winner learn from growing parts of the training part; ask each about the test part.

    None where everybody is in the sample already: there is nobody more to learn from.
    """
    if not sample.thinned:
        return None
    order = np.random.default_rng(settings.model.seed).permutation(sample.train)
    parts = [order[:round(share * len(order))] for share in _PARTS]
    test, fallen = sample.matrix[sample.test], sample.fallen[sample.test]
    scores = workers.fitted(
        (delayed(_score)(winner, sample.matrix[part], sample.fallen[part], test)
         for part in parts), len(parts), workers=settings.model.workers, told=told)
    points = tuple(LearningPoint(len(part), delong.roc_auc(fallen, score))
                   for part, score in zip(parts, scores, strict=True))
    gain = delong.difference(fallen, scores[-1], scores[-2])
    return LearningCurve(points, gain, gain.low > 0 and gain.value >= WORTHWHILE_GAIN)


def _score(candidate: Candidate, rows: Matrix, fallen: NDArray[np.bool_], asked: Matrix) -> Matrix:
    """Order customers by the risk a pipeline sees, uncalibrated: the order is all that counts."""
    fitted = clone(candidate.pipeline).fit(rows, fallen)
    if hasattr(fitted, "decision_function"):
        return np.asarray(fitted.decision_function(asked))
    return np.asarray(fitted.predict_proba(asked)[:, 1])


def judged_risks(winner: Trial, nested: tuple[Matrix, Indices] | None,
                 sample: Sample) -> Judged:
    """Choose what is judged: the whole procedure, in a quick run this one model.

    Parameters
    ----------
    nested
        Risks of the nested cross-validation and the outer fold of each, both of shape (repeats,
        customers); None without it.
    """
    if nested is None:
        once = np.zeros((1, len(sample.test)), dtype=np.intp)
        return Judged(winner.test_risk[None, :], once, sample.test, "model")
    return Judged(*nested, np.arange(len(sample.fallen)), "procedure")


def evaluate(
    trials: tuple[Trial, ...], findings: Findings, sample: Sample, settings: Settings,
    told: Progress = silent,
) -> ModelCard:
    """Measure the winner, the first of ``trials``, beside the best of each other family.

    ``told`` is told of the families measured.
    """
    winner, search = trials[0], settings.model
    train, test = sample.fallen[sample.train], sample.fallen[sample.test]
    training = metrics.scores(train, winner.train_risk, estimand="training", seed=search.seed)
    held_out = list(counted(
        (metrics.scores(test, trial.test_risk, estimand="model", seed=search.seed)
         for trial in trials), len(trials), "families", told))
    families = tuple(
        _family_score(trial.candidate, scores, behind, findings, sample, settings)
        for trial, scores, behind in zip(trials, held_out, findings.behind, strict=True)
    )
    return ModelCard(
        family=winner.candidate.family,
        parameters=winner.candidate.parameters,
        scaling=winner.candidate.scaling,
        rule=search.rule,
        memorises=training.roc_auc.value >= MEMORISED,
        candidates=sum(trial.candidate.tried for trial in trials),
        folds=search.folds,
        seed=search.seed,
        outer_folds=search.folds if findings.outer_winners else 0,
        repeats=search.repeats,
        customers_train=len(train),
        customers_test=len(test),
        fallen_train=int(train.sum()),
        fallen_test=int(test.sum()),
        cv_roc_auc=families[0].cv_roc_auc,
        training=training,
        holdout=held_out[0],
        nested=_nested(findings.judged, sample, settings),
        families=families,
        past_only=None if findings.past is None else _past_only(findings.past, sample),
        calibration=_calibration(findings, sample, settings),
        roc=metrics.roc(test, winner.test_risk),
        gains=metrics.gains(sample.fallen[findings.judged.positions], findings.judged.risks[0]),
        gate=replace(findings.gate, enforced=settings.gates.usefulness),
        leakage=findings.leakage,
        target_window=settings.columns[settings.target].window.value,
        learning=findings.learning,
    )


def _nested(judged: Judged, sample: Sample, settings: Settings) -> Scores | None:
    if judged.estimand != "procedure":
        return None
    return metrics.averaged([
        metrics.scores(sample.fallen, risk, parts=parts, estimand="procedure",
                       seed=settings.model.seed)
        for risk, parts in zip(judged.risks, judged.parts, strict=True)
    ])


def _family_score(candidate: Candidate, held_out: Scores, behind: Estimate | None,
                  findings: Findings, sample: Sample, settings: Settings) -> FamilyScore:
    judged = len(sample.train) / settings.model.folds
    wins = findings.outer_winners.count(candidate.family) if findings.outer_winners else None
    return FamilyScore(
        family=candidate.family,
        candidates=candidate.tried,
        parameters=candidate.parameters,
        scaling=candidate.scaling,
        cv_roc_auc=intervals.corrected_t(candidate.fold_scores, judged=judged,
                                         learned=len(sample.train) - judged),
        holdout_roc_auc=held_out.roc_auc,
        holdout_f1=held_out.f1,
        behind=behind,
        indistinguishable=behind is None or behind.low <= 0 <= behind.high,
        outer_wins=wins,
        winner=behind is None,
    )


def _past_only(past: PastFit, sample: Sample) -> PastOnly:
    return PastOnly(
        family=past.family,
        columns=past.columns,
        roc_auc=delong.roc_auc(sample.fallen, past.risk),
        full_roc_auc=delong.roc_auc(sample.fallen, past.full_risk),
        difference=delong.difference(sample.fallen, past.full_risk, past.risk),
    )


def _calibration(findings: Findings, sample: Sample, settings: Settings) -> Calibration:
    found = metrics.calibration(sample.fallen, findings.out_of_fold, seed=settings.model.seed)
    return replace(found, before=findings.slope_before)
