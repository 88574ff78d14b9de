"""Samples of demo stores, for the tests of whatever learns."""

from __future__ import annotations

from dataclasses import replace

import ibis
import numpy as np
import pyarrow as pa

from reportgen.config import Settings
from reportgen.demo import WORLDS, generate
from reportgen.sample import Sample, draw_sample


def customers_table(
    settings: Settings, *, world: str = "linear", seed: int = 1, customers: int = 600
) -> pa.Table:
    """The table of customers of a demo store's first month, as `features` builds it."""
    month = next(iter(generate(WORLDS[world], seed=seed, customers=customers, months=1)))
    columns = {name: np.asarray(values) for name, values in month.columns.items()}
    regular = np.all([columns[name] > 0 for name, c in settings.columns.items() if c.regular],
                     axis=0)
    columns = {name: values[regular] for name, values in columns.items()}
    table = {"id": pa.array(columns["id"].astype(str))}
    for name, column in settings.columns.items():
        if column.change is not None:
            values = columns[column.change.of] / columns[column.change.against] - 1
        else:
            values = columns[name]
        table[name] = pa.array(values.astype(str if column.values else float))
    return pa.table(table)


def small(settings: Settings, **changes: object) -> Settings:
    """The settings with a search that takes a second."""
    changes = {"candidates": 8, "workers": 1, "explained_customers": 50, **changes}
    return settings.model_copy(update={"model": settings.model.model_copy(update=changes)})


def demo_sample(settings: Settings, **store: object) -> Sample:
    """A demo store's customers, drawn and split."""
    return draw_sample(ibis.memtable(customers_table(settings, **store)), settings)


def with_labels(sample: Sample, fallen: np.ndarray) -> Sample:
    """The same customers with other labels."""
    return replace(sample, fallen=fallen)
