"""Differences between models, columns alone and signals, each beside its truth."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa

from reportgen import delong, intervals, leakage, signals
from reportgen.contract import Kind
from reportgen.estimators import Matrix
from reportgen.fold_scores import roc_auc
from reportgen.folds import TwinFolds
from reportgen.leakage import Screening
from reportgen.results import Gate, Signal
from simulation import fixed, truth
from simulation.fitted import Claim, Fitted, claim
from simulation.stores import settings

#: A column whose ROC-AUC alone is held against the truth, besides the best one of the gate.
ALONE = "promo_share"

#: Rounds of folds over which two candidates are compared, as `model_selection.compare` does.
ROUNDS = 4


def measure(fitted: Fitted, judged: Gate,
            screening: Screening) -> tuple[dict[str, Claim], bool]:
    """Return the claims, and whether any signal was confirmed or called opposite."""
    found, confirmed = _signals(fitted)
    return _columns(fitted, judged, screening) | _past(fitted) | _behind(fitted) | found, confirmed


# ── A column alone ───────────────────────────────────────────────────────────────────────────────


def _columns(fitted: Fitted, judged: Gate, screening: Screening) -> dict[str, Claim]:
    """Judge the columns alone as procedures: the mean over the folds of what each has learned."""
    own = next(one for one in screening.leakage.columns if one.column == ALONE)
    best = _alone(fitted, judged.column)
    return {
        f"leakage guard: roc_auc of {ALONE} alone": claim(own.roc_auc, _alone(fitted, ALONE)),
        "gate: roc_auc of the best column": claim(judged.column_roc_auc, best),
        "gate: gain over the best column": claim(judged.gain, fitted.procedure["roc_auc"] - best),
        "gate: brier less that of a constant": claim(judged.brier_gain, _brier_gain(fitted)),
    }


def _alone(fitted: Fitted, name: str) -> float:
    place = settings().features.index(name)
    categories = settings().columns[name].kind == Kind.CATEGORY
    learn = leakage._rates if categories else leakage._ranges
    sample, everyone = fitted.sample, fitted.everyone
    return float(np.mean([
        truth.roc_auc(learn(sample.matrix[learned, place], sample.fallen[learned],
                            everyone.rows[:, place]), everyone.probability)
        for learned, _ in fitted.folds
    ]))


def _brier_gain(fitted: Fitted) -> float:
    p, constant = fitted.everyone.probability, float(fitted.sample.fallen.mean())
    return float(((constant - p) ** 2 + p * (1 - p)).mean()) - fitted.procedure["brier"]


# ── Two models ───────────────────────────────────────────────────────────────────────────────────


def _past(fitted: Fitted) -> dict[str, Claim]:
    """Hold the model of the past's columns beside the full one, on the same folds."""
    sample, everyone = fitted.sample, fitted.everyone
    chosen = _past_columns()
    risk, falls_behind = np.empty(len(fitted.risk)), []
    for (learned, held_out), full in zip(fitted.folds, fitted.worths, strict=True):
        model = fixed.fit(fitted.encoded[learned], sample.fallen[learned], settings(),
                          columns=chosen)
        risk[held_out] = model.risk(fitted.encoded[held_out])
        past = truth.roc_auc(model.risk(everyone.encoded), everyone.probability)
        falls_behind.append(full.figures["roc_auc"] - past)
    found = delong.difference(sample.fallen, fitted.risk, risk)
    return {"past columns: roc_auc behind the full model": claim(
        found, float(np.mean(falls_behind)))}


def _behind(fitted: Fitted) -> dict[str, Claim]:
    """Compare two candidates over fresh folds of the training part: all columns, the past's.

    The truth is the mean over the models of the first round.
    """
    rows, fallen = fitted.encoded[fitted.sample.train], fitted.sample.fallen[fitted.sample.train]
    numbers, everyone = len(settings().numbers), fitted.everyone
    chosen, scores, true = _past_columns(), [], []
    for number in range(ROUNDS):
        folds = TwinFolds(settings().model.folds, seed=settings().model.seed + 1 + number)
        for learned, held_out in folds.split(rows, fallen):
            first, second = (fixed.fit_weights(rows[learned], fallen[learned], numbers, columns=own)
                             for own in (None, chosen))
            scores.append(roc_auc(fallen[held_out], first.score(rows[held_out]))
                          - roc_auc(fallen[held_out], second.score(rows[held_out])))
            if number == 0:
                values = [truth.roc_auc(one.score(everyone.encoded), everyone.probability)
                          for one in (first, second)]
                true.append(values[0] - values[1])
    judged = len(rows) / settings().model.folds
    found = intervals.corrected_t(scores, judged=judged, learned=len(rows) - judged)
    return {"families: roc_auc behind the winner": claim(found, float(np.mean(true)))}


def _past_columns() -> Matrix:
    """Tell for each encoded column whether the past knew it."""
    known = settings().past_features
    flags = [[name in known] for name in settings().numbers]
    flags += [[name in known] * len(settings().columns[name].values)
              for name in settings().categories]
    return np.concatenate(flags).astype(np.float64)


# ── Signals ──────────────────────────────────────────────────────────────────────────────────────


def _signals(fitted: Fitted) -> tuple[dict[str, Claim], bool]:
    """Test the signals; of intervals that hold together, tell the one that fits its truth worst."""
    sample = fitted.sample
    part = np.where(np.isin(np.arange(len(sample.fallen)), sample.test), "test", "train")
    frame = sample.frame.assign(fallen=sample.fallen, alike=False, part=part)
    rows = pa.Table.from_pandas(frame, preserve_index=False)
    found = signals.find_signals(ibis.memtable(rows), settings())
    claims = [claim(one.difference, _true_difference(fitted, one)) for one in found]
    first = found[0]
    below, _ = _true_rates(fitted, first)
    return {
        "signals: all differences together": max(claims, key=_misfit),
        "signals: rate at or below the first threshold": claim(first.below, below),
    }, any(one.finding != "unclear" for one in found)


def _true_rates(fitted: Fitted, signal: Signal) -> tuple[float, float]:
    values = fitted.everyone.rows[:, settings().features.index(signal.column)]
    p, low = fitted.everyone.probability, values <= signal.threshold
    return float(p[low].mean()), float(p[values > signal.threshold].mean())


def _true_difference(fitted: Fitted, signal: Signal) -> float:
    below, above = _true_rates(fitted, signal)
    return below - above


def _misfit(one: Claim) -> float:
    """How far the truth lies from the value, in lengths of the interval on that side."""
    value, low, high, true = one
    side = high - value if true > value else value - low
    return abs(true - value) / max(side, np.finfo(float).tiny)
