"""What earlier months tell of the hand-built report's month, built by hand as well.

September had 1,290 customers; 40 of them are lost in October and 46 are new, so 1,296 are there.
"""

from __future__ import annotations

from typing import Any

from reportgen import config
from reportgen import results as r

SETTINGS = config.load(None)

#: From band to band, or lost; the last row is the new ones. Rows add up to September's bands (630,
#: 230 and 430 of 1,290), columns to October's (640, 196 and 460).
FLOWS = {
    "low": (530, 52, 28, 20), "medium": (62, 88, 72, 8), "high": (26, 50, 342, 12),
    r.NEW: (22, 6, 18, 0),
}
MEAN_REVENUE = 5120.4
EDGES = ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0))


def history(points: tuple[r.TrendPoint, ...], **changes: Any) -> r.History:
    """Return the history of a third month, or one with whole parts replaced."""
    made: dict[str, Any] = {
        "points": points, "faults": (), "migration": migration(), "held": held(),
        "restated": restated(), "drift": (drift(),), "contract": (),
    }
    return r.History(**made | changes)


def points(rate: Any, this: r.TrendPoint) -> tuple[r.TrendPoint, ...]:
    """Return August, September and this month."""
    return (
        r.TrendPoint("2026-08", 1284, 441, rate(441, 1284), 0.088,
                     {"revenue": 6_267_718.0, "minutes": 17_902.0},
                     r.Estimate(0.905, 0.887, 0.921, 1284)),
        r.TrendPoint("2026-09", 1290, 452, rate(452, 1290), 120 / 1290,
                     {"revenue": 6_411_919.5, "minutes": 17_458.0},
                     r.Estimate(0.908, 0.890, 0.924, 1290)),
        this,
    )


def migration() -> r.Migration:
    ends = ("low", "medium", "high", r.LOST)
    flows = tuple(
        r.Flow(before, now, n,
               None if before == r.NEW or n < 10 else n * MEAN_REVENUE,
               None if now == r.LOST or n < 10 else n * (MEAN_REVENUE + 85))
        for before, row in FLOWS.items() for now, n in zip(ends, row, strict=True) if n)
    return r.Migration(
        month="2026-09", customers_before=1290, customers_now=1296, lost=40, gone=37,
        not_regular=3, new=46, bands=flows,
        before=tuple(r.BandTotal(band, sum(row)) for band, row in FLOWS.items()),
        now=tuple(r.BandTotal(band, sum(row[place] for row in FLOWS.values()))
                  for place, band in enumerate(ends)),
        segments=tuple(_segment_flow(*figures) for figures in (
            ("high_risk_promo", 151, 98, 45, 8, 38, 4),
            ("unpaid_baskets", 466, 330, 120, 16, 100, 14),
            ("no_messages", 341, 309, 18, 14, 16, 12))),
    )


def _segment_flow(name: str, before: int, stayed: int, left: int, lost: int, entered: int,
                  new: int) -> r.SegmentFlow:
    now = stayed + entered + new
    return r.SegmentFlow(name, dict(SETTINGS.segments[name].label), before, stayed, left, lost,
                         entered, new, now, before * MEAN_REVENUE, now * MEAN_REVENUE)


def held() -> tuple[r.Held, ...]:
    def bands(*rows: tuple[str, int, float, int, int]) -> tuple[r.BandOutcome, ...]:
        return tuple(r.BandOutcome(band, low, high, n, promised, share(fallen, n - lost), lost)
                     for (band, n, promised, fallen, lost), (low, high)
                     in zip(rows, EDGES, strict=True))

    def share(hits: int, n: int) -> r.Estimate:
        half = 1.96 * (hits / n * (1 - hits / n) / n) ** 0.5
        return r.Estimate(hits / n, hits / n - half, hits / n + half, n)

    return (
        r.Held("2026-09", "forecast", 1290, 1250, 40, 471,
               r.Estimate(0.852, 0.829, 0.872, 1250), r.Estimate(0.150, 0.139, 0.161, 1250),
               r.Estimate(-0.03, -0.17, 0.11, 1250), r.Estimate(1.07, 0.94, 1.19, 1250),
               "agrees", r.Expected(806, 184, 176), r.Expected(38, 28, 29), 310,
               bands(("low", 618, 0.141, 76, 18), ("medium", 352, 0.442, 151, 9),
                     ("high", 320, 0.798, 244, 13))),
        r.Held("2026-09", "recognised", 1290, 1250, 40, 471,
               r.Estimate(0.831, 0.807, 0.853, 1250), r.Estimate(0.168, 0.154, 0.183, 1250),
               r.Estimate(-0.05, -0.21, 0.12, 1250), r.Estimate(0.57, 0.50, 0.64, 1250),
               "unknown", r.Expected(806, 151, 176), r.Expected(57, 43, 31), 310,
               bands(("low", 630, 0.087, 96, 20), ("medium", 230, 0.446, 98, 8),
                     ("high", 430, 0.861, 277, 12))),
    )


def restated() -> tuple[r.Restatement, ...]:
    return (
        r.Restatement("revenue_previous", "revenue_current", "2026-09", 1253, 4,
                      6_231_080.0, 6_228_960.0, -2_120.0),
        r.Restatement("minutes_previous", "minutes_current", "2026-09", 1253, 0,
                      16_951.0, 16_951.0, 0.0),
    )


def drift() -> r.Drift:
    return r.Drift("2026-09", 2, (
        r.ColumnDrift("pages_per_visit", "2026-09", 0.131, 0.009, "moderate", 8.9, 8.2),
        r.ColumnDrift("risk", "2026-09", 0.044, 0.018, "small", 0.352, 0.381),
        r.ColumnDrift("promo_share", "2026-09", 0.031, 0.402, "none", 0.31, 0.32),
        r.ColumnDrift("service_tier", "2026-09", 0.002, 1.0, "none", None, None),
    ))


def forecast(**changes: Any) -> r.Forecast:
    made: dict[str, Any] = {
        "family": "logistic_regression", "learned_from": "2026-09", "for_month": "2026-11",
        "customers": 1250, "fallen": 471, "lost": 40, "nested": True,
        "roc_auc": r.Estimate(0.846, 0.823, 0.867, 1250),
        "brier": r.Estimate(0.153, 0.142, 0.165, 1250),
        "intercept": r.Estimate(0.0, -0.14, 0.14, 1250),
        "slope": r.Estimate(0.99, 0.87, 1.11, 1250),
        "known_roc_auc": r.Estimate(0.702, 0.676, 0.728, 1250),
        "gain": r.Estimate(0.144, 0.121, 0.166, 1250),
        "recognised_roc_auc": r.Estimate(0.838, 0.815, 0.859, 1250),
        "over_recognised": r.Estimate(0.008, -0.004, 0.020, 1250), "steady": 806, "newly": 176,
        "newly_roc_auc": r.Estimate(0.793, 0.752, 0.828, 806),
        "newly_top": r.Estimate(0.307, 0.243, 0.378, 176), "useful": True,
        "steady_now": 802, "expected": 191,
        "bands": tuple(r.ForecastBand(band, low, high, *counts) for (band, *counts), (low, high)
                       in zip((("low", 630, 60, 570, 76), ("medium", 333, 144, 189, 83),
                               ("high", 333, 290, 43, 32)), EDGES, strict=True)),
    }
    return r.Forecast(**made | changes)


def life() -> r.ModelLife:
    return r.ModelLife("2026-10", False, (
        r.Rival("2026-09", "logistic_regression", r.Estimate(0.909, 0.891, 0.925, 1296),
                r.Estimate(0.113, 0.103, 0.124, 1296), r.Estimate(0.003, -0.002, 0.008, 1296)),))


def checks(**failed: float) -> tuple[r.Check, ...]:
    """Return the limits, all kept but those that are given a value."""
    kept = {"roc_auc": (0.896, 0.65), "rows_repaired": (0.361, 0.5), "drift": (0.131, 0.25),
            "history": (0.0, 0.0)}
    return tuple(r.Check(name, failed.get(name, value), limit, name not in failed)
                 for name, (value, limit) in kept.items())


def first(this: r.TrendPoint) -> r.History:
    """Return the history of a store's first month."""
    return r.History((this,), (), None, (), (), (), ())
