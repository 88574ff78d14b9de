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

from reportgen import delong, metrics, months
from reportgen.config import (
    BANDS,
    FORECAST,
    FORECAST_BAND,
    KNOWN_CLASS,
    RISK,
    Settings,
)
from reportgen.contract import Column, Role, Window
from reportgen.estimators import Matrix
from reportgen.queries import one_row, rows_of
from reportgen.results import Forecast, ForecastBand
from reportgen.sample import Judged, Sample

#: Customers of each class below which nothing can be learned, and newly fallen ones below which it
#: cannot be told whether the forecast sees more than the class known already.
FEWEST, FEWEST_NEWLY = 50, 20

#: ROC-AUC of guessing: a forecast that does not beat it among those who have not fallen adds
#: nothing to knowing who has.
GUESSING = 0.5

#: Share of the customers who have not fallen that a list of those to watch may hold.
WATCHED = 0.1


@dataclass(frozen=True)
class Lesson:
    """What a forecast is learned from.

    Attributes
    ----------
    table
        Customers of both months: ``id``, the risk and the features of the month before, the class
        known then (`config.KNOWN_CLASS`), and this month's class.
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
    needed = {target, RISK, *settings.features}
    if settings.columns[target].window == Window.FUTURE or not needed <= set(then.columns):
        return None
    earlier = then.select("id", RISK, *settings.features, **{KNOWN_CLASS: then[target]})
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
    recognised = _recognised(sample, judged)
    risk, parts = judged.risks[0], judged.parts[0]
    gain = delong.difference(fallen, risk, known.astype(float), parts=parts)
    roc_auc = delong.roc_auc(fallen, risk, parts=parts)
    calibration = metrics.calibration(fallen, risk, seed=lesson.settings.model.seed)
    steady = ~known
    newly = int(fallen[steady].sum())
    enough = min(newly, int((~fallen[steady]).sum())) >= FEWEST_NEWLY
    among = delong.roc_auc(fallen[steady], risk[steady], parts=parts[steady]) if enough else None
    return Forecast(
        family=family, learned_from=lesson.month,
        for_month=months.after(months.after(lesson.month)),
        customers=len(sample.fallen), fallen=int(sample.fallen.sum()), lost=lesson.lost,
        nested=judged.estimand == "procedure",
        roc_auc=roc_auc, brier=calibration.brier,
        intercept=calibration.intercept, slope=calibration.slope,
        known_roc_auc=delong.roc_auc(fallen, known.astype(float), parts=parts), gain=gain,
        recognised_roc_auc=(None if recognised is None
                            else delong.roc_auc(fallen, recognised, parts=parts)),
        over_recognised=(None if recognised is None
                         else delong.difference(fallen, risk, recognised, parts=parts)),
        steady=int(steady.sum()), newly=newly, newly_roc_auc=among,
        newly_top=(metrics.top(fallen[steady], risk[steady], WATCHED).capture if enough else None),
        useful=(roc_auc.low > metrics.FLOOR and gain.low > 0
                and among is not None and among.low > GUESSING),
        steady_now=0, expected=0, bands=(),
    )


def _known(lesson: Lesson, sample: Sample) -> NDArray[np.bool_]:
    positive = lesson.settings.columns[lesson.settings.target].positive
    return np.asarray(sample.frame[KNOWN_CLASS] == positive)


def _recognised(sample: Sample, judged: Judged) -> Matrix | None:
    """Return the risk that recognised the month before; None where its model was withheld."""
    risk = sample.frame[RISK].to_numpy(dtype=float)[judged.positions]
    return risk if np.isfinite(risk).all() else None


def with_bands(card: Forecast, scored: ir.Table, settings: Settings) -> Forecast:
    """Count this month's customers by the forecast for the next, and who is to fall."""
    told = scored.filter(scored[FORECAST].notnull())
    steady = ~told["fallen"]
    rows = {row["band"]: row for row in rows_of(told.group_by(band=told[FORECAST_BAND]).aggregate(
        customers=told.count(), steady=steady.sum(),
        expected=told[FORECAST].sum(where=steady)))}
    edges = (0.0, settings.risk.medium, settings.risk.high, 1.0)
    bands = tuple(
        ForecastBand(band, low, high, row["customers"], row["customers"] - row["steady"],
                     row["steady"], round(row["expected"] or 0.0))
        for band, low, high in zip(BANDS, edges[:-1], edges[1:], strict=True)
        if (row := rows.get(band)) is not None
    )
    return replace(card, bands=bands, steady_now=sum(band.steady for band in bands),
                   expected=round(sum(row["expected"] or 0.0 for row in rows.values())))
