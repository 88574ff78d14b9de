"""Everybody's risk, never from a model that saw the label.

The winner and the table of customers come in. Customers of the training sample get their risk out
of fold: for each fold the winning pipeline is fitted and calibrated on the others. All other
customers are scored by the model refitted on the whole sample, streaming in batches. Out go the
refitted model and customers.parquet: one row a customer with its risk, read back as a table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline

from reportgen.config import BANDS, Settings
from reportgen.contract import Role
from reportgen.estimators import Matrix, calibrated, probabilities, to_matrix
from reportgen.sample import Sample

#: Customers scored at once: large enough for fast matrix products, small enough for any memory.
BATCH_ROWS = 65_536


@dataclass(frozen=True)
class Scorer:
    """What is needed to score any customer honestly.

    Attributes
    ----------
    model
        The winner, calibrated, refitted on the whole sample.
    out_of_fold
        Risk of every customer of the sample, shape (customers,).
    """

    model: CalibratedClassifierCV
    out_of_fold: Matrix


def fit_scorer(pipeline: Pipeline, sample: Sample, settings: Settings) -> Scorer:
    """Cross-fit the winner over the sample, then refit it on all of it."""
    return Scorer(
        model=calibrated(pipeline, settings).fit(sample.matrix, sample.fallen),
        out_of_fold=cross_fit(pipeline, sample, settings),
    )


def cross_fit(pipeline: Pipeline, sample: Sample, settings: Settings) -> Matrix:
    """Score every customer of the sample by a model that did not see its label.

    Returns
    -------
    Calibrated probabilities of the positive class, shape (customers,). Pipeline and calibration
    are fitted on the other folds alone.
    """
    risk = np.full(len(sample.fallen), np.nan)
    folds = StratifiedKFold(settings.model.folds, shuffle=True, random_state=settings.model.seed)
    for learned, held_out in folds.split(sample.matrix, sample.fallen):
        model = calibrated(pipeline, settings)
        model.fit(sample.matrix[learned], sample.fallen[learned])
        risk[held_out] = probabilities(model, sample.matrix[held_out])
    return risk


def score(
    customers: ibis.Table, scorer: Scorer, sample: Sample, settings: Settings, *, path: Path
) -> ibis.Table:
    """Write every customer with its risk to a Parquet file, a batch at a time.

    To the columns of the table of customers come ``risk``, ``risk_band``, ``fallen``, ``alike``
    (not fallen, but in the high band), ``contactable`` and ``part`` ("train" or "test" of the
    split, "rest" for customers outside the sample).

    Returns
    -------
    The file as a table of an engine of its own.
    """
    lookup = pd.Index(sample.frame["id"])
    parts = np.full(len(lookup), "train", dtype=object)
    parts[sample.test] = "test"
    writer = None
    try:
        for batch in customers.to_pyarrow_batches(chunk_size=BATCH_ROWS):
            places = lookup.get_indexer(batch.column("id").to_pandas())
            risk = _risk(batch, places, scorer, settings)
            part = np.where(places >= 0, parts[places], "rest")
            scored = _with_risk(batch, risk, part, settings)
            writer = writer or pq.ParquetWriter(path, scored.schema, compression="zstd")
            writer.write_table(scored)
    finally:
        if writer is not None:
            writer.close()
    return ibis.duckdb.connect().read_parquet(path)


def save_model(scorer: Scorer, settings: Settings, *, path: Path) -> None:
    """Store the refitted model with the columns it takes, never as a pickle."""
    import skops.io

    columns = {name: list(settings.columns[name].values) for name in settings.features}
    skops.io.dump({"model": scorer.model, "columns": columns}, path)


def _risk(
    batch: pa.RecordBatch, places: np.ndarray, scorer: Scorer, settings: Settings
) -> Matrix:
    risk: Matrix = scorer.out_of_fold[places].copy()
    unseen = places < 0
    if unseen.any():
        matrix = to_matrix(batch, settings)[unseen]
        risk[unseen] = probabilities(scorer.model, matrix)
    return risk


def _with_risk(
    batch: pa.RecordBatch, risk: Matrix, part: np.ndarray, settings: Settings
) -> pa.Table:
    borders = [settings.risk.medium, settings.risk.high]
    band = np.array(BANDS, dtype=object)[np.searchsorted(borders, risk, side="right")]
    fallen = _equals(batch, settings.target, settings)
    permission = settings.first_of_role(Role.PERMISSION)
    contactable = (np.ones(len(risk), dtype=bool) if permission is None
                   else _equals(batch, permission, settings))
    added = {
        "risk": pa.array(risk),
        "risk_band": pa.array(band, pa.string()),
        "fallen": pa.array(fallen),
        "alike": pa.array(~fallen & (band == BANDS[-1])),
        "contactable": pa.array(contactable),
        "part": pa.array(part, pa.string()),
    }
    table = pa.Table.from_batches([batch])
    for name, column in added.items():
        table = table.append_column(name, column)
    return table


def _equals(batch: pa.RecordBatch, column: str, settings: Settings) -> np.ndarray:
    """Whether each customer has the positive value of a target or permission column."""
    equal = pc.equal(batch.column(column), settings.columns[column].positive)
    return np.asarray(pc.fill_null(equal, False).to_numpy(zero_copy_only=False))
