"""An earlier month's risks held against what happened.

A `Pair` of months comes in, a `Held` for each kind of risk goes out. The risk of a month recognises
a fall in that month; what its bands came to is worth knowing, but it promised nothing. A forecast
did, so its calibration is judged.
"""

from __future__ import annotations

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from reportgen import delong, metrics
from reportgen.config import BANDS, FORECAST, FORECAST_BAND, RISK, RISK_BAND, Settings
from reportgen.intervals import LEAST, wilson
from reportgen.results import BandOutcome, Foresight, Held
from reportgen.sample import some
from reportgen.tables import rows_of
from reportgen.trends.pair import Pair

_COLUMNS: dict[Foresight, tuple[str, str]] = {
    "forecast": (FORECAST, FORECAST_BAND), "recognised": (RISK, RISK_BAND),
}

#: Customers of each class below which a ROC-AUC says nothing.
FEWEST = 10


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
    joined = told.select("id", risk=told[risk], band=told[band]).left_join(now, "id")
    bands = _bands(joined)
    if not bands:
        return None
    customers, lost = (sum(getattr(one, key) for one in bands) for key in ("customers", "lost"))
    fallen, risks = _known(joined, settings)
    enough = min(fallen.sum(), (~fallen).sum()) >= max(LEAST, FEWEST)
    judged = metrics.calibration(fallen, risks, seed=settings.model.seed) if enough else None
    return Held(
        month=months.month, of=of, customers=customers, known=customers - lost, lost=lost,
        fallen=sum(round(one.observed.value * one.observed.n) for one in bands),
        roc_auc=delong.roc_auc(fallen, risks) if enough else None,
        brier=judged.brier if judged else None,
        intercept=judged.intercept if judged else None,
        slope=judged.slope if judged else None,
        bands=bands,
    )


def _bands(joined: ir.Table) -> tuple[BandOutcome, ...]:
    known = joined["fallen_now"].notnull()
    rows = {row["band"]: row for row in rows_of(joined.group_by("band").aggregate(
        customers=joined.count(), known=known.sum(), promised=joined["risk"].mean(),
        fallen=(joined["fallen_now"].fill_null(False)).sum(),
    ))}
    return tuple(
        BandOutcome(band, row["customers"], row["promised"], wilson(row["fallen"], row["known"]),
                    row["customers"] - row["known"])
        for band in BANDS if (row := rows.get(band)) is not None and row["known"]
    )


def _known(joined: ir.Table,
           settings: Settings) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Fetch risk and class of those whose class is known, of at most a sample's customers."""
    known = joined.filter(joined["fallen_now"].notnull()).order_by("id")
    rows = known.select("fallen_now", "risk").to_pyarrow()
    chosen = some(np.arange(rows.num_rows), settings.model.sample,
                  np.random.default_rng(settings.model.seed))
    return (rows.column("fallen_now").to_numpy(zero_copy_only=False)[chosen].astype(bool),
            rows.column("risk").to_numpy(zero_copy_only=False)[chosen])
