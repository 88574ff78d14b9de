"""Why each listed customer has the risk: three reasons a customer, for those who act on it.

The scored customers, the models of the folds and the groups of columns come in; reasons.parquet,
a row a reason, goes out. It belongs to the customer list and is never published. A customer is
explained by the model that gave the risk, which did not learn from the customer's class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reportgen.attribution import FoldModel, draw_permutations, sampled
from reportgen.config import BANDS, Settings
from reportgen.estimators import Matrix, to_matrix
from reportgen.progress import Progress, parts, silent
from reportgen.queries import fetch
from reportgen.results import DriverGroup
from reportgen.sample import Indices, Sample

#: Reasons that a person reads before calling a customer.
REASONS = 3

#: Customers explained at most, those to be acted on first: more than a team can call in a month.
MOST_CUSTOMERS = 5_000

#: Customers that stand in for hidden columns.
BACKGROUND = 8

_SCHEMA = pa.schema([
    ("id", pa.string()), ("place", pa.int8()), ("group", pa.string()), ("column", pa.string()),
    ("value_number", pa.float64()), ("value_text", pa.string()), ("contribution", pa.float64()),
    ("base", pa.float64()), ("remainder", pa.float64()), ("risk", pa.float64()),
])


def write_reasons(scored: ir.Table, final: FoldModel, folds: Sequence[FoldModel],
                  groups: Sequence[DriverGroup], sample: Sample, settings: Settings, *,
                  path: Path, told: Progress = silent) -> None:
    """Write the reasons of those to be acted on first: fallen or in the high band, by their worth.

    Customers of the sample are explained by the model of the fold that scored them, the others by
    the ``final`` one.

    Columns: ``id``, ``place`` (1 is the strongest reason), ``group`` and ``column`` (the group's
    first column and its strongest for this customer), ``value_number`` or ``value_text`` (the
    customer's value of that column), ``contribution`` of the group to the risk, ``base``, the
    ``remainder`` of all other groups, and ``risk``: base + the contributions + remainder.
    """
    listed = _listed(scored, settings)
    places = pd.Index(sample.frame["id"]).get_indexer(listed.column("id").to_pandas())
    everyone = np.arange(len(sample.fallen))
    asked = [(final, places < 0, everyone),
             *((fold, np.isin(places, fold.held_out), np.setdiff1d(everyone, fold.held_out))
               for fold in folds)]
    shares = parts(told, *(int(own.sum()) for _, own, _ in asked), unit="rows")
    rows = [row for (model, own, learned), share in zip(asked, shares, strict=True) if own.any()
            for row in _explain(model, listed.filter(pa.array(own)), learned, groups, sample,
                                settings, share)]
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), path, compression="zstd")


def _listed(scored: ir.Table, settings: Settings) -> pa.Table:
    """Fetch the customers to explain, in the order of `programme`'s list."""
    wanted = scored.filter((scored["risk_band"] == BANDS[-1]) | scored["fallen"])
    worth = wanted["value_at_risk"].fill_null(0.0)
    first = wanted.order_by([worth.desc(), wanted["risk"].desc(), "id"]).limit(MOST_CUSTOMERS)
    return fetch(first.select("id", *settings.features))


def _explain(model: FoldModel, listed: pa.Table, learned: Indices, groups: Sequence[DriverGroup],
             sample: Sample, settings: Settings, told: Progress) -> Iterator[dict[str, object]]:
    """Yield the reasons of customers whose risk is of one model, and who it learned from."""
    rng = np.random.default_rng(settings.model.seed)
    background = sample.matrix[rng.choice(learned, BACKGROUND, replace=False)]
    rows = to_matrix(listed, settings)
    permutations = draw_permutations(*rows.shape, seed=settings.model.seed)
    values, base = sampled(model.risk, rows, background, permutations, told=told)
    places = [[settings.features.index(name) for name in group.columns] for group in groups]
    joint = np.stack([values[:, group].sum(axis=1) for group in places], axis=1)
    for customer, contributions, single in zip(listed.to_pylist(), joint, values, strict=True):
        yield from _reasons(customer, contributions, single, base, groups, settings)


def _reasons(customer: Mapping[str, Any], contributions: Matrix, single: Matrix, base: float,
             groups: Sequence[DriverGroup], settings: Settings) -> Iterator[dict[str, object]]:
    order = np.argsort(-np.abs(contributions), kind="stable")[:REASONS]
    remainder = float(contributions.sum() - contributions[order].sum())
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
