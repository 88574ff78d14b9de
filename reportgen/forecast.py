"""What next month will bring, learned from what this month brought.

The month before and this one come in: its columns and this month's class, for customers of both. A
model of them looks from one month into the next, so of this month's columns it gives a forecast; it
knows the class of the month it looks from. Out go the table and settings that such a model learns
from, and the `Forecast` that tells what it is worth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from reportgen import delong, intervals, metrics, months
from reportgen.config import BANDS, FORECAST, FORECAST_BAND, KNOWN_CLASS, Settings
from reportgen.contract import Column, Role, Window
from reportgen.estimators import Matrix
from reportgen.results import Estimate, Forecast, ForecastBand
from reportgen.sample import Judged, Sample
from reportgen.tables import one_row, rows_of

#: Customers of each class, and newly fallen ones, below which a forecast cannot be judged.
FEWEST = 50

#: Share of the customers who have not fallen that a list of those to watch may hold.
WATCHED = 0.1


@dataclass(frozen=True)
class Lesson:
    """What a forecast is learned from.

    Attributes
    ----------
    table
        Customers of both months: ``id``, the features of the month before, the class known then
        (`config.KNOWN_CLASS`), and this month's class.
    settings
        The store's, with the known class for one more feature.
    month
        The month before.
    lost
        Its customers whose class is unknown this month.
    """

    table: ir.Table
    settings: Settings
    month: str
    lost: int


def prepare(then: ir.Table, now: ir.Table, settings: Settings, *, month: str) -> Lesson | None:
    """Put together what a forecast learns from.

    Parameters
    ----------
    then, now
        Customers of ``month`` and of the month after it, in one engine.

    Returns
    -------
    None where the earlier customers lack a column, where the class is itself one of the future, or
    where too few of either class are in both months.
    """
    target = settings.target
    needed = {target, *settings.features}
    if settings.columns[target].window == Window.FUTURE or not needed <= set(then.columns):
        return None
    earlier = then.select("id", *settings.features, **{KNOWN_CLASS: then[target]})
    table = earlier.inner_join(now.select("id", target), "id")
    row = one_row(table.aggregate(
        n=table.count(),
        fallen=(table[target] == settings.columns[target].positive).sum(),
    ))
    fallen = row["fallen"] or 0
    if min(fallen, row["n"] - fallen) < FEWEST or row["n"] < settings.cleaning.minimum_customers:
        return None
    before = one_row(then.aggregate(n=then.count()))["n"]
    return Lesson(table, _settings(settings), month, before - row["n"])


def _settings(settings: Settings) -> Settings:
    """Make the class that is known already a feature; it is a category of the past."""
    target = settings.columns[settings.target]
    known = Column(role=Role.FEATURE, kind=target.kind, label=target.label, table=target.table,
                   source=target.source, values=target.values, window=Window.PAST)
    return settings.with_columns({**settings.columns, KNOWN_CLASS: known})


def judge(lesson: Lesson, sample: Sample, judged: Judged, *, family: str) -> Forecast:
    """Tell what the forecast is worth on customers it never saw, beside the class known already."""
    fallen = sample.fallen[judged.positions]
    known = _known(lesson, sample)[judged.positions]
    risk, parts = judged.risks[0], judged.parts[0]
    gain = delong.difference(fallen, risk, known.astype(float), parts=parts)
    roc_auc = delong.roc_auc(fallen, risk, parts=parts)
    steady = ~known
    newly = int(fallen[steady].sum())
    enough = newly >= FEWEST and int((~fallen[steady]).sum()) >= FEWEST
    return Forecast(
        family=family, learned_from=lesson.month,
        for_month=months.after(months.after(lesson.month)),
        customers=len(sample.fallen), fallen=int(sample.fallen.sum()), lost=lesson.lost,
        nested=judged.estimand == "procedure",
        roc_auc=roc_auc,
        brier=intervals.logit_bootstrap(metrics.brier, fallen, risk,
                                        seed=lesson.settings.model.seed),
        known_roc_auc=delong.roc_auc(fallen, known.astype(float), parts=parts), gain=gain,
        steady=int(steady.sum()), newly=newly,
        newly_roc_auc=(delong.roc_auc(fallen[steady], risk[steady], parts=parts[steady])
                       if enough else None),
        newly_top=_watched(fallen[steady], risk[steady]) if enough else None,
        useful=roc_auc.low > metrics.FLOOR and gain.low > 0,
        bands=(),
    )


def _known(lesson: Lesson, sample: Sample) -> NDArray[np.bool_]:
    positive = lesson.settings.columns[lesson.settings.target].positive
    return np.asarray(sample.frame[KNOWN_CLASS] == positive)


def _watched(fallen: NDArray[np.bool_], risk: Matrix) -> Estimate:
    """Share of those who fell who were among the `WATCHED` with the highest forecast."""
    size = max(1, round(WATCHED * len(risk)))
    top = np.argsort(-risk, kind="stable")[:size]
    return intervals.wilson(int(fallen[top].sum()), int(fallen.sum()))


def with_bands(card: Forecast, scored: ir.Table) -> Forecast:
    """Count this month's customers by the forecast for the next."""
    told = scored.filter(scored[FORECAST].notnull())
    rows = {row["band"]: row for row in rows_of(told.group_by(band=told[FORECAST_BAND]).aggregate(
        customers=told.count(), fallen=told["fallen"].sum(), mean=told[FORECAST].mean()))}
    return replace(card, bands=tuple(
        ForecastBand(band, row["customers"], row["fallen"], row["customers"] - row["fallen"],
                     row["mean"])
        for band in BANDS if (row := rows.get(band)) is not None
    ))
