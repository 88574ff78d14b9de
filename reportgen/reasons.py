"""Why each listed customer has the risk: three reasons a customer, for those who act on it.

The scored customers, the models of the folds and the groups of columns come in; reasons.parquet,
a row a reason, goes out. It belongs to the customer list and is never published. A customer is
explained by the model that gave the risk, which did not learn from the customer's class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reportgen.attribution import FoldModel, draw_permutations, sampled
from reportgen.config import BANDS, Settings
from reportgen.estimators import Matrix
from reportgen.results import DriverGroup
from reportgen.sample import Indices, Sample

#: Reasons that a person reads before calling a customer.
REASONS = 3

#: Customers listed at most, the highest risk first: more than a team can call in a month.
MOST_CUSTOMERS = 5_000

#: Customers that stand in for hidden columns.
BACKGROUND = 8

_SCHEMA = pa.schema([
    ("id", pa.string()), ("place", pa.int8()), ("group", pa.string()), ("column", pa.string()),
    ("value_number", pa.float64()), ("value_text", pa.string()), ("contribution", pa.float64()),
    ("base", pa.float64()), ("remainder", pa.float64()), ("risk", pa.float64()),
])


def write_reasons(scored: ir.Table, folds: Sequence[FoldModel], groups: Sequence[DriverGroup],
                  sample: Sample, settings: Settings, *, path: Path) -> None:
    """Write the reasons of the customers of the sample who may be acted on: high band, or fallen.

    Columns: ``id``, ``place`` (1 is the strongest reason), ``group`` and ``column`` (the group's
    first column and its strongest for this customer), ``value_number`` or ``value_text`` (the
    customer's value of that column), ``contribution`` of the group to the risk, ``base``, the
    ``remainder`` of all other groups, and ``risk``: base + the contributions + remainder.
    """
    listed = _listed(scored, sample)
    tables = [_explain(fold, listed, groups, sample, settings) for fold in folds]
    rows = [row for table in tables for row in table]
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path, compression="zstd")


def _listed(scored: ir.Table, sample: Sample) -> Indices:
    """Positions in the sample of the customers to explain."""
    listed = (scored["risk_band"] == BANDS[-1]) | scored["fallen"]
    high = scored.filter(listed & (scored["part"] != "rest"))
    first = high.order_by([high["risk"].desc(), "id"]).limit(MOST_CUSTOMERS)
    ids = first.select("id").to_pyarrow().column("id").to_pandas()
    return np.asarray(pd.Index(sample.frame["id"]).get_indexer(ids), dtype=np.intp)


def _explain(fold: FoldModel, listed: Indices, groups: Sequence[DriverGroup], sample: Sample,
             settings: Settings) -> Iterator[dict[str, object]]:
    own = np.intersect1d(listed, fold.held_out)
    if len(own) == 0:
        return
    rng = np.random.default_rng(settings.model.seed)
    learned = np.setdiff1d(np.arange(len(sample.fallen)), fold.held_out)
    background = sample.matrix[rng.choice(learned, BACKGROUND, replace=False)]
    rows = sample.matrix[own]
    permutations = draw_permutations(*rows.shape, seed=settings.model.seed)
    values, base = sampled(fold.risk, rows, background, permutations)
    places = [[settings.features.index(name) for name in group.columns] for group in groups]
    joint = np.stack([values[:, group].sum(axis=1) for group in places], axis=1)
    for position, contributions, single in zip(own, joint, values, strict=True):
        yield from _reasons(int(position), contributions, single, base, groups, sample, settings)


def _reasons(position: int, contributions: Matrix, single: Matrix, base: float,
             groups: Sequence[DriverGroup], sample: Sample,
             settings: Settings) -> Iterator[dict[str, object]]:
    order = np.argsort(-np.abs(contributions), kind="stable")[:REASONS]
    remainder = float(contributions.sum() - contributions[order].sum())
    customer = sample.frame.iloc[position]
    for place, number in enumerate(order.tolist(), start=1):
        group = groups[number]
        column = max(group.columns, key=lambda name: abs(single[settings.features.index(name)]))
        value, text = customer[column], column in settings.categories
        yield {
            "id": customer["id"], "place": place, "group": group.columns[0], "column": column,
            "value_number": None if text or pd.isna(value) else float(value),
            "value_text": str(value) if text else None,
            "contribution": float(contributions[number]), "base": base, "remainder": remainder,
            "risk": base + float(contributions.sum()),
        }
