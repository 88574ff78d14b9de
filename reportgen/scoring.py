"""Everybody's risk, never from a model that saw the label.

The winner and the table of customers come in. Customers of the training sample get their risk out
of fold: for each fold the winning pipeline is fitted and calibrated on the others. All other
customers are scored by the model refitted on the whole sample, streaming in batches. Out go the
refitted model and customers.parquet: one row a customer with its risk, read back as a table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from joblib import delayed
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from reportgen import workers
from reportgen.campaigns import value_factor
from reportgen.config import BANDS, FORECAST, FORECAST_BAND, KNOWN_CLASS, Settings
from reportgen.contract import Role
from reportgen.estimators import Matrix, calibrated, to_matrix
from reportgen.folds import TwinFolds
from reportgen.metrics import Recalibration, calibration, fit_recalibration, needs_recalibration
from reportgen.progress import Progress, silent
from reportgen.queries import mapped
from reportgen.results import Estimate
from reportgen.risk_model import RiskModel
from reportgen.sample import Indices, Sample


@dataclass(frozen=True)
class Scorer:
    """What is needed to score any customer honestly.

    Attributes
    ----------
    final
        The winner, calibrated, refitted on the whole sample.
    folds
        The winner fitted without each fold: who scores the customers of the sample.
    out_of_fold
        Risk of every customer of the sample, shape (customers,).
    slope_before
        Calibration slope before recalibration, None where none was needed.
    """

    final: RiskModel
    folds: tuple[RiskModel, ...]
    out_of_fold: Matrix
    slope_before: Estimate | None


@dataclass(frozen=True)
class Ahead:
    """A forecast of the month after: its models, and what they learned from.

    ``settings`` name the class known already for one more feature (see `forecast.Lesson`).
    """

    scorer: Scorer
    sample: Sample
    settings: Settings

    def risk(self, batch: pa.RecordBatch) -> Matrix:
        """Return what is forecast for customers of this month, shape (rows,).

        A customer whose class of this month a model has learned is asked of the one that has not,
        so that the forecast is as sure of everybody as its score says.
        """
        known = batch.append_column(KNOWN_CLASS, batch.column(self.settings.target))
        return _unseen_risk(known, self.scorer, self.sample, self.settings)


def rescored(customers: ibis.Table, scorer: Scorer, sample: Sample, settings: Settings,
             told: Progress = silent) -> ibis.Table:
    """Give another month's customers the risk that this month's models see in them.

    Two months' own risks differ by their models, too; these differ by the customers alone. As this
    month, each is asked of a model that has not learned from that customer.

    Returns
    -------
    ``id``, the features and ``risk``.
    """
    columns = customers.select("id", *settings.features)
    return mapped(columns, partial(_with_unseen_risk, scorer=scorer, sample=sample,
                                   settings=settings), scratch=settings.engine.scratch, told=told)


def _with_unseen_risk(batch: pa.RecordBatch, scorer: Scorer, sample: Sample,
                      settings: Settings) -> pa.Table:
    risk = _unseen_risk(batch, scorer, sample, settings)
    return pa.Table.from_batches([batch]).append_column("risk", pa.array(risk))


def _unseen_risk(batch: pa.RecordBatch, scorer: Scorer, sample: Sample,
                 settings: Settings) -> Matrix:
    """Ask of each customer a model that has not learned from that customer."""
    places = pd.Index(sample.frame["id"]).get_indexer(batch.column("id").to_pandas())
    rows = to_matrix(batch, settings)
    asked = [(scorer.final, places < 0),
             *((fold, np.isin(places, fold.held_out)) for fold in scorer.folds)]
    risk = np.empty(len(rows))
    for model, own in asked:
        if own.any():
            risk[own] = model.risk(rows[own])
    return risk


def fit_scorer(pipeline: Pipeline, sample: Sample, settings: Settings,
               told: Progress = silent) -> Scorer:
    """Cross-fit the winner over the sample, refit it on all of it, recalibrate where needed."""
    everyone = np.arange(len(sample.fallen))
    nobody = np.array([], dtype=np.intp)
    fitted = _fit_all(pipeline, [(everyone, nobody), *_folds(sample, settings)], sample, settings,
                      told)
    final, folds = fitted[0], fitted[1:]
    risk = _out_of_fold(folds, sample)
    found = calibration(sample.fallen, risk, seed=settings.model.seed)
    if not needs_recalibration(found):
        return Scorer(final, folds, risk, None)
    folds = tuple(
        replace(fold, recalibration=_recalibration_without(fold.held_out, sample, risk))
        for fold in folds
    )
    final = replace(final, recalibration=fit_recalibration(sample.fallen, risk))
    return Scorer(final, folds, _out_of_fold(folds, sample), found.slope)


def keep(model: RiskModel, sample: Sample, settings: Settings) -> Scorer:
    """Score by a model of an earlier month, which has seen no label of this one."""
    folds = tuple(replace(model, held_out=held_out) for _, held_out in _folds(sample, settings))
    return Scorer(model, folds, model.risk(sample.matrix), None)


def cross_fit(pipeline: Pipeline, sample: Sample, settings: Settings,
              told: Progress = silent) -> Matrix:
    """Score every customer of the sample by a model that did not see its label.

    Returns
    -------
    Calibrated probabilities of the positive class, shape (customers,). Pipeline and calibration
    are fitted on the other folds alone.
    """
    fitted = _fit_all(pipeline, _folds(sample, settings), sample, settings, told)
    return _out_of_fold(fitted, sample)


def _folds(sample: Sample, settings: Settings) -> list[tuple[Indices, Indices]]:
    folds = TwinFolds(settings.model.folds, seed=settings.model.seed)
    return list(folds.split(sample.matrix, sample.fallen))


def _fit_all(pipeline: Pipeline, parts: list[tuple[Indices, Indices]], sample: Sample,
             settings: Settings, told: Progress) -> tuple[RiskModel, ...]:
    """Fit and calibrate the pipeline on the first half of every part."""
    models = workers.fitted(
        (delayed(_fit)(calibrated(pipeline, settings), sample.matrix[learned],
                       sample.fallen[learned]) for learned, _ in parts),
        len(parts), workers=settings.model.workers, told=told)
    return tuple(RiskModel(model, held_out)
                 for model, (_, held_out) in zip(models, parts, strict=True))


def _fit(model: CalibratedClassifierCV, rows: Matrix, fallen: np.ndarray) -> CalibratedClassifierCV:
    return model.fit(rows, fallen)


def _out_of_fold(folds: tuple[RiskModel, ...], sample: Sample) -> Matrix:
    risk = np.full(len(sample.fallen), np.nan)
    for fold in folds:
        risk[fold.held_out] = fold.risk(sample.matrix[fold.held_out])
    return risk


def _recalibration_without(held_out: Indices, sample: Sample, risk: Matrix) -> Recalibration:
    """Fit the correction of a fold on the other folds, whose labels it may see."""
    others = np.setdiff1d(np.arange(len(risk)), held_out)
    return fit_recalibration(sample.fallen[others], risk[others])


def score(
    customers: ibis.Table, scorer: Scorer, sample: Sample, settings: Settings, *, path: Path,
    usable: bool, ahead: Ahead | None = None, told: Progress = silent,
) -> ibis.Table:
    """Write every customer with its risk to a Parquet file, a batch at a time.

    To the columns of the table of customers come ``risk``, ``risk_band``, ``fallen``, ``alike``
    (not fallen, but in the high band), ``contactable``, ``part`` ("train" or "test" of the
    split, "rest" for customers outside the sample) and ``value_at_risk``, risk times value in
    money, unknown where the store's assumptions are. Where the model is not ``usable``, risk and
    band are unknown and nobody is alike, so that nobody can be targeted by them. Where there is a
    forecast ``ahead``, ``forecast`` and ``forecast_band`` tell the risk of the month after.

    Returns
    -------
    The file as a table of the same engine; of Spark the folder, whose parts its workers write.
    """
    parts = np.full(len(sample.frame), "train", dtype=object)
    parts[sample.test] = "test"
    return mapped(customers, _Scoring(pd.Index(sample.frame["id"]), parts, scorer, settings,
                                      usable, ahead), path, told=told)


@dataclass(frozen=True)
class _Scoring:
    """Scores a batch; see `score`. ``known`` are the ids of the sample, ``parts`` where they are.

    Spark's workers get it as it is.
    """

    known: pd.Index
    parts: np.ndarray
    scorer: Scorer
    settings: Settings
    usable: bool
    ahead: Ahead | None

    def __call__(self, batch: pa.RecordBatch) -> pa.Table:
        places = self.known.get_indexer(batch.column("id").to_pandas())
        risk = _risk(batch, places, self.scorer, self.settings) if self.usable else None
        part = np.where(places >= 0, self.parts[places], "rest")
        scored = _with_risk(batch, risk, part, self.settings)
        return (scored if self.ahead is None
                else _with_forecast(scored, self.ahead.risk(batch), self.settings))


def _risk(
    batch: pa.RecordBatch, places: np.ndarray, scorer: Scorer, settings: Settings
) -> Matrix:
    risk: Matrix = scorer.out_of_fold[places].copy()
    unseen = places < 0
    if unseen.any():
        risk[unseen] = scorer.final.risk(to_matrix(batch, settings)[unseen])
    return risk


def _with_risk(
    batch: pa.RecordBatch, risk: Matrix | None, part: np.ndarray, settings: Settings
) -> pa.Table:
    fallen = _equals(batch, settings.target, settings)
    permission = settings.first_of_role(Role.PERMISSION)
    contactable = (np.ones(len(fallen), dtype=bool) if permission is None
                   else _equals(batch, permission, settings))
    band = _bands(risk, settings, customers=len(fallen))
    added = {
        "risk": pa.nulls(len(fallen), pa.float64()) if risk is None else pa.array(risk),
        "risk_band": pa.array(band, pa.string()),
        "fallen": pa.array(fallen),
        "alike": pa.array(~fallen & (band == BANDS[-1])),
        "contactable": pa.array(contactable),
        "part": pa.array(part, pa.string()),
        "value_at_risk": _value_at_risk(batch, risk, settings),
    }
    table = pa.Table.from_batches([batch])
    for name, column in added.items():
        table = table.append_column(name, column)
    return table


def _with_forecast(scored: pa.Table, risk: Matrix, settings: Settings) -> pa.Table:
    band = _bands(risk, settings, customers=len(risk))
    return (scored.append_column(FORECAST, pa.array(risk))
            .append_column(FORECAST_BAND, pa.array(band, pa.string())))


def _value_at_risk(batch: pa.RecordBatch, risk: Matrix | None, settings: Settings) -> pa.Array:
    """Weigh each customer's value by the risk; a customer who brings no profit has none."""
    column = settings.first_of_role(Role.VALUE)
    if risk is None or column is None or settings.assumptions.missing:
        return pa.nulls(batch.num_rows, pa.float64())
    profit = batch.column(column).to_numpy(zero_copy_only=False)
    value = np.clip(profit, 0.0, None) * value_factor(settings.assumptions)
    return pa.array(risk * value, from_pandas=True)


def _bands(risk: Matrix | None, settings: Settings, *, customers: int) -> np.ndarray:
    """Name the band of each risk; None where it is unknown."""
    if risk is None:
        return np.full(customers, None, dtype=object)
    borders = [settings.risk.medium, settings.risk.high]
    return np.array(BANDS, dtype=object)[np.searchsorted(borders, risk, side="right")]


def _equals(batch: pa.RecordBatch, column: str, settings: Settings) -> np.ndarray:
    """Whether each customer has the positive value of a target or permission column."""
    equal = pc.equal(batch.column(column), settings.columns[column].positive)
    return np.asarray(pc.fill_null(equal, False).to_numpy(zero_copy_only=False))
