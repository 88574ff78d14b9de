"""An earlier month's risks held against what happened.

A `Pair` of months comes in, a `Held` for each kind of risk goes out. The risk of a month recognises
a fall in that month; what its bands came to is worth knowing, but it promised nothing. A forecast
did, so its calibration is judged.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from reportgen import delong, metrics
from reportgen.config import BANDS, FORECAST, FORECAST_BAND, RISK, RISK_BAND, Settings
from reportgen.intervals import CONFIDENCE, simultaneous, wilson
from reportgen.queries import fetch, one_row, rows_of
from reportgen.results import (
    BandOutcome,
    Calibration,
    Estimate,
    Expected,
    Forecast,
    Foresight,
    Held,
    PromiseVerdict,
)
from reportgen.sample import some
from reportgen.trends.pair import Pair

_COLUMNS: dict[Foresight, tuple[str, str]] = {
    "forecast": (FORECAST, FORECAST_BAND), "recognised": (RISK, RISK_BAND),
}

#: Customers of each class below which neither a ROC-AUC nor a calibration says much.
FEWEST = 50

#: Intercept and slope are both tested.
_TESTS = 2


def hold(months: Pair, settings: Settings) -> tuple[Held, ...]:
    """Hold what was said of the customers against their class this month, the forecast first."""
    found = (_hold(months, of, settings) for of in _COLUMNS)
    return tuple(held for held in found if held is not None)


def _hold(months: Pair, of: Foresight, settings: Settings) -> Held | None:
    risk, band = _COLUMNS[of]
    if not {risk, band} <= set(months.then.columns) or (of == "forecast" and months.apart != 1):
        return None
    told = months.then.filter(months.then[risk].notnull())
    now = months.now.select("id", fallen_now=months.now["fallen"])
    joined = told.select("id", risk=told[risk], band=told[band],
                         fallen_then=told["fallen"]).left_join(now, "id")
    bands = _bands(joined, months, settings)
    if not bands:
        return None
    customers, lost = (sum(getattr(one, key) for one in bands) for key in ("customers", "lost"))
    fallen, risks = _known(joined, settings)
    enough = min(fallen.sum(), (~fallen).sum()) >= FEWEST
    judged = metrics.calibration(fallen, risks, seed=settings.model.seed) if enough else None
    steady = joined.filter(joined["fallen_now"].notnull() & ~joined["fallen_then"])
    return Held(
        month=months.month, of=of, customers=customers, known=customers - lost, lost=lost,
        fallen=sum(round(one.observed.value * one.observed.n) for one in bands),
        roc_auc=delong.roc_auc(fallen, risks) if enough else None,
        brier=judged.brier if judged else None,
        intercept=judged.intercept if judged else None,
        slope=judged.slope if judged else None,
        verdict=_verdict(judged, months.report.forecast, bands) if of == "forecast" else "unknown",
        steady=_expected(steady), named=_expected(steady.filter(steady["band"] == BANDS[-1])),
        treated=months.report.programme.treated, bands=bands,
    )


def _verdict(judged: Calibration | None, promised: Forecast | None,
             bands: Sequence[BandOutcome]) -> PromiseVerdict:
    """Tell whether a forecast came true, by the intercept and the slope of its calibration.

    Their errors hold the chance of the outcome alone; what was learned hung on the chance of an
    earlier month, too, which the forecast's own calibration tells the size of. Both tests together
    err once in twenty times. Which way a forecast missed is read off its bands.
    """
    if judged is None or promised is None:
        return "unknown"
    misses = ((judged.intercept, promised.intercept, 0.0), (judged.slope, promised.slope, 1.0))
    z = norm.ppf((1 + simultaneous(_TESTS)) / 2)
    if all(abs(now.value - right) <= z * math.hypot(_error(now), _error(then))
           for now, then, right in misses):
        return "agrees"
    above = [band.observed.value > band.promised for band in bands]
    if len(set(above)) == 1:
        return "too_low" if above[0] else "too_high"
    return "too_timid" if above[-1] else "too_sure"


def _error(estimate: Estimate) -> float:
    """Return the standard error behind an interval of equal arms."""
    return (estimate.high - estimate.low) / (2 * float(norm.ppf((1 + CONFIDENCE) / 2)))


def _expected(steady: ir.Table) -> Expected:
    row = one_row(steady.aggregate(n=steady.count(), expected=steady["risk"].sum(),
                                   fallen=steady["fallen_now"].sum()))
    return Expected(row["n"], round(row["expected"] or 0.0), row["fallen"] or 0)


def _bands(joined: ir.Table, months: Pair,
           settings: Settings) -> tuple[BandOutcome, ...]:
    known = joined["fallen_now"].notnull()
    rows = {row["band"]: row for row in rows_of(joined.group_by("band").aggregate(
        customers=joined.count(), known=known.sum(), promised=joined["risk"].mean(where=known),
        fallen=(joined["fallen_now"].fill_null(False)).sum(),
    ))}
    return tuple(
        BandOutcome(band, low, high, row["customers"], row["promised"],
                    wilson(row["fallen"], row["known"]), row["customers"] - row["known"])
        for band, (low, high) in _borders(months, settings).items()
        if (row := rows.get(band)) is not None and row["known"]
    )


def _borders(months: Pair, settings: Settings) -> dict[str, tuple[float, float]]:
    """Return the bands of then, whatever the settings have made of them since."""
    told = {band.name: (band.low, band.high) for band in months.report.overview.bands}
    medium, high = settings.risk.medium, settings.risk.high
    return told or dict(zip(BANDS, ((0.0, medium), (medium, high), (high, 1.0)), strict=True))


def _known(joined: ir.Table,
           settings: Settings) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Fetch risk and class of those whose class is known, of at most a sample's customers."""
    known = joined.filter(joined["fallen_now"].notnull()).order_by("id")
    rows = fetch(known.select("fallen_now", "risk"))
    chosen = some(np.arange(rows.num_rows), settings.model.sample,
                  np.random.default_rng(settings.model.seed))
    return (rows.column("fallen_now").to_numpy(zero_copy_only=False)[chosen].astype(bool),
            rows.column("risk").to_numpy(zero_copy_only=False)[chosen])
