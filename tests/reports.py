"""A Report built by hand, of the size and shape of a store's real month; no model is fitted.

`make_report` takes replacements for whole parts. The figures agree with each other: bands,
histogram, segments and classes count the same 1,296 customers, of whom 494 are fallen.
"""

from __future__ import annotations

from dataclasses import replace
from math import asin, erfc, exp, sqrt
from typing import Any

import histories

from reportgen import config
from reportgen import results as r

MONTH = "2026-10"
CUSTOMERS, FALLEN, ALIKE = 1296, 494, 92
CONTACTABLE = 959

SETTINGS = config.load(None)


def make_report(**changes: Any) -> r.Report:
    """Return the report with whole parts replaced."""
    report = r.Report(
        schema_version=r.SCHEMA_VERSION,
        store=r.StoreInfo(name=dict(SETTINGS.store.name), currency="", languages=("ru", "en"),
                          published=""),
        month=MONTH,
        effort="standard",
        columns=columns(),
        data=data_quality(),
        overview=overview(),
        changes=since_september(),
        model=model(),
        explanation=explanation(),
        money=money(),
        focus=focus(),
        segments=segments(),
        segmentation=segmentation(),
        discoveries=discoveries(),
        recommendations=recommendations(),
        further=further(),
        programme=programme(),
        verdict=verdict(),
        history=histories.history(histories.points(rate, this_month())),
        forecast=histories.forecast(),
        life=histories.life(),
        checks=histories.checks(),
        decisions=decisions(),
        caveats=(
            r.Caveat("recognises", {}),
            r.Caveat("association", {}),
            r.Caveat("score", {"n": CUSTOMERS, "low": 0.896, "high": 0.928}),
        ),
        provenance=r.Provenance(
            program="0.1.0",
            versions={"python": "3.11", "scikit-learn": "1.9.1", "shap": "0.51.0",
                      "pandas": "3.1.0", "duckdb": "1.5.0"},
            settings_sha256="5f" * 32,
        ),
    )
    return replace(report, **changes)


def make_first_report(**changes: Any) -> r.Report:
    """Return the report of a store's first month: nothing came before it."""
    report = make_report()
    return replace(report, **{
        "changes": r.Changes("", 0, tuple(change for change in report.changes.figures
                                          if change.name.startswith("total."))),
        "history": histories.first(this_month()), "forecast": None,
        "life": r.ModelLife(MONTH, False, ()),
        "checks": tuple(replace(check, value=None) if check.name == "drift" else check
                        for check in report.checks),
        "verdict": no_verdict(),
        "caveats": (*report.caveats, r.Caveat("no_history", {})),
    } | changes)


def this_month() -> r.TrendPoint:
    """Return this month's point of the trend."""
    return r.TrendPoint(MONTH, CUSTOMERS, FALLEN, rate(FALLEN, CUSTOMERS), ALIKE / CUSTOMERS,
                        {total.name: total.sums[-1] for total in overview().totals},
                        model().honest.roc_auc)


def make_unproven_report(**changes: Any) -> r.Report:
    """Return the report of a month whose model is withheld: nobody is listed, nothing supported."""
    report = make_report()
    unproven = {
        "overview": replace(report.overview, alike=0, alike_share=0.0, alike_contactable=0,
                            bands=(), risk_fallen=(), risk_others=()),
        "model": replace(report.model, nested=replace(
            report.model.honest, roc_auc=about(0.512, 0.031, CUSTOMERS)), gate=replace(
            report.model.gate, open=False, closed_by=("permutation", "floor", "baseline"),
            roc_auc=about(0.512, 0.031, CUSTOMERS), p_value=0.231,
            gain=about(-0.021, 0.034, CUSTOMERS))),
        "explanation": replace(report.explanation, drivers=tuple(
            replace(driver, headlined=False) for driver in report.explanation.drivers)),
        "money": money_withheld(),
        "focus": suppressed(report.focus),
        "segments": tuple(
            replace(one, alike=0, risk=None, value_at_risk=None, contactable_value=None)
            if "risk" not in one.rule else suppressed(one) for one in report.segments),
        "segmentation": replace(report.segmentation, **{
            side: replace(part, alike=0, value_at_risk=None)
            for side, part in (("inside", report.segmentation.inside),
                               ("outside", report.segmentation.outside)) if part}),
        "further": tuple(
            replace(one, status="unsupported", reason="model_not_useful",
                    audience=r.Audience(0, 0, 0, 0), worth=None) for one in report.further),
        "decisions": (r.Decision("no_targeting", {}, "analytics", {}, "2026-11-10", None),),
        "verdict": no_verdict(),
        "programme": replace(report.programme, missing="model", reached=0, no_permission=0,
                             treated=0, control=0, newly=0, detectable=None, actions=()),
        "recommendations": tuple(
            replace(one, status="unsupported", reason="model_not_useful",
                    audience=r.Audience(0, 0, 0, 0)) for one in report.recommendations),
        "caveats": (r.Caveat("model_not_useful", {}), *report.caveats),
    }
    return replace(report, **unproven | changes)


# ── Figures with intervals ───────────────────────────────────────────────────────────────────────


def rate(hits: int, n: int) -> r.Estimate:
    """Share with Wilson's 95 % interval."""
    share, z2 = hits / n, 1.96**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(share * (1 - share) / n + z2 / (4 * n * n)) * 1.96 / (1 + z2 / n)
    return r.Estimate(share, max(0.0, centre - half), min(1.0, centre + half), n)


def about(value: float, half: float, n: int = 324) -> r.Estimate:
    """Estimate with an interval of equal arms."""
    return r.Estimate(value, value - half, value + half, n)


def gap(one: r.Estimate, other: r.Estimate) -> r.Estimate:
    """Difference of two rates with Newcombe's interval."""
    value = one.value - other.value
    low = sqrt((one.value - one.low) ** 2 + (other.high - other.value) ** 2)
    high = sqrt((one.high - one.value) ** 2 + (other.value - other.low) ** 2)
    return r.Estimate(value, value - low, value + high, one.n + other.n)


# ── Columns and data ─────────────────────────────────────────────────────────────────────────────


def columns() -> dict[str, r.ColumnInfo]:
    return {
        name: r.ColumnInfo(
            name=name, role=column.role.value, kind=column.kind.value, unit=column.unit.value,
            window=column.window.value, group=column.group, decimals=column.decimals,
            label=dict(column.label), short=dict(column.short),
            values={value: dict(entry.label) for value, entry in column.values.items()},
        )
        for name, column in SETTINGS.columns.items()
        if column.role != "ignore"
    }


def data_quality() -> r.DataQuality:
    files = (
        ("customers", "market_file.csv", ",", 1300), ("revenue", "market_money.csv", ",", 3900),
        ("minutes", "market_time.csv", ",", 2600), ("profit", "money.csv", ";", 1300),
    )
    log = (
        ("alias", "customers", "service_tier", "стандартт", "standard", 10, 52_100.0),
        ("alias", "customers", "popular_category", "Косметика и аксесуары", "cosmetics", 223, None),
        ("alias", "minutes", "period", "предыдцщий_месяц", "previous", 1300, None),
        ("decimal_comma", "profit", "profit", "", "", 1300, None),
        ("not_regular", "revenue", "revenue_previous", "", "", 3, 14_014.4),
        ("outlier", "revenue", "revenue_current", "106862.2", "", 1, 106_862.2),
    )
    return r.DataQuality(
        files=tuple(r.SourceFile(table, file, "ab" * 32, "utf-8", delimiter, rows, 1300)
                    for table, file, delimiter, rows in files),
        log=tuple(r.CleaningEntry(*entry) for entry in log),
        exclusions=(r.Exclusion("not_regular", 3, 14_014.4), r.Exclusion("outlier", 1, 106_862.2)),
        customers_in=1300, customers_used=CUSTOMERS, rows_in=9100, rows_changed=2837,
        share_changed=2837 / 9100, money_in=6_909_449.1, money_used=6_788_572.5, light="amber",
    )


# ── Overview ─────────────────────────────────────────────────────────────────────────────────────

RISK_OTHERS = (190, 150, 96, 70, 53, 40, 30, 24, 19, 16, 12, 10, 14, 14, 13, 12, 12, 11, 9, 7)
RISK_FALLEN = (2, 4, 6, 8, 10, 11, 11, 12, 13, 14, 17, 18, 24, 30, 38, 46, 54, 62, 64, 50)


def overview() -> r.Overview:
    bands = (
        ("low", 0.0, 0.3, 640, 41, 0), ("medium", 0.3, 0.6, 196, 85, 0),
        ("high", 0.6, 1.0, 460, 368, ALIKE),
    )
    classes = (
        ("revenue_current", 5303.7, 79.0, 5197.7, 55.0), ("profit", 4.00, 0.09, 4.02, 0.07),
    )
    return r.Overview(
        customers=CUSTOMERS, fallen=FALLEN, fallen_share=rate(FALLEN, CUSTOMERS),
        alike=ALIKE, alike_share=ALIKE / CUSTOMERS,
        contactable=CONTACTABLE, contactable_share=CONTACTABLE / CUSTOMERS,
        fallen_contactable=368, alike_contactable=68,
        totals=(
            r.Total("revenue", {"ru": "выручка", "en": "revenue"}, "money",
                    (6_267_718.0, 6_411_919.5, 6_788_572.5), (4836.2, 4947.5, 5238.1)),
            r.Total("minutes", {"ru": "минуты на сайте", "en": "minutes on the site"}, "minutes",
                    (17_458.0, 17_121.0), (13.47, 13.21)),
        ),
        classes=tuple(
            r.ClassMeans(column, about(fallen, fallen_half, FALLEN),
                         about(others, others_half, CUSTOMERS - FALLEN),
                         about(fallen - others, fallen_half + others_half, CUSTOMERS))
            for column, fallen, fallen_half, others, others_half in classes
        ),
        bands=tuple(r.Band(name, low, high, n, n / CUSTOMERS, fallen, alike, rate(fallen, n))
                    for name, low, high, n, fallen, alike in bands),
        risk_edges=tuple(step / 20 for step in range(21)),
        risk_fallen=RISK_FALLEN, risk_others=RISK_OTHERS,
    )


# ── Model and drivers ────────────────────────────────────────────────────────────────────────────


def since_september() -> r.Changes:
    """What the second month of a store knows of its first one."""
    return r.Changes("2026-09", 1, (
        # 494 of 1,296 against 452 of 1,290: 38.1 % and 35.0 %.
        r.Change("customers", "customers", 1290, 6, 6 / 1290),
        r.Change("fallen_share", "share", 452 / 1290, 494 / 1296 - 452 / 1290,
                 (494 / 1296) / (452 / 1290) - 1, -0.006, 0.068),
        r.Change("alike_share", "share", 120 / 1290, 92 / 1296 - 120 / 1290,
                 (92 / 1296) / (120 / 1290) - 1),
        *(r.Change(f"total.{total.name}", total.unit, total.sums[-2],
                   total.sums[-1] - total.sums[-2], total.sums[-1] / total.sums[-2] - 1)
          for total in overview().totals),
    ))


def decisions() -> tuple[r.Decision, ...]:
    return (
        r.Decision("launch", {"n": 294, "control": 79}, "marketing", {}, "2026-11-10",
                   r.Budget(294 * 310.0)),
        r.Decision("continue", {"n": 394}, "marketing", {}, "2026-11-10", None),
        r.Decision("data", {"n": 2837}, "analytics",
                   {"ru": "аналитики", "en": "the analysts"}, "2026-11-10", None),
    )


def model() -> r.ModelCard:
    families = (
        ("support_vectors", 15, 0.912, 0.921, 0.815, None, 3),
        ("logistic_regression", 15, 0.898, 0.907, 0.801, (0.012, 0.018), 1),
        ("nearest_neighbours", 15, 0.887, 0.893, 0.776, (0.019, 0.021), 1),
        ("decision_tree", 15, 0.846, 0.852, 0.742, (0.061, 0.032), 0),
    )
    parameters = {"C": "1.7", "gamma": "0.05", "kernel": "rbf"}
    return r.ModelCard(
        family="support_vectors", parameters=parameters, scaling="StandardScaler", rule="best",
        memorises=False, candidates=60, folds=5, seed=20, outer_folds=5, repeats=1,
        customers_train=972, customers_test=324, fallen_train=370, fallen_test=124,
        cv_roc_auc=about(0.912, 0.027, 5),
        training=scores("training", 972, 370, 0.958, (318, 44, 52, 558)),
        holdout=scores("model", 324, 124, 0.921, (98, 19, 26, 181)),
        nested=scores("procedure", CUSTOMERS, FALLEN, 0.912, (384, 80, 110, 722)),
        families=tuple(
            r.FamilyScore(
                family=family, candidates=candidates,
                parameters=parameters if family == "support_vectors" else {"C": "0.9"},
                scaling="StandardScaler", cv_roc_auc=about(mean, 0.027, 5),
                holdout_roc_auc=about(auc, 0.12 * (1.18 - auc)), holdout_f1=about(f1, 0.05),
                behind=None if gap_ is None else about(*gap_, 20),
                indistinguishable=gap_ is None or gap_[0] < gap_[1], outer_wins=wins,
                winner=gap_ is None)
            for family, candidates, mean, auc, f1, gap_, wins in families
        ),
        past_only=r.PastOnly("logistic_regression", 9, about(0.873, 0.019, CUSTOMERS),
                             about(0.914, 0.016, CUSTOMERS), about(0.041, 0.013, CUSTOMERS)),
        calibration=calibration(),
        # The area below x^0.086 is 1 / 1.086 = 0.921.
        roc=tuple(r.Point((step / 40) ** 4, (step / 40) ** 0.344) for step in range(41)),
        # Through what the first tenths hold: 25, 49 and 67 % of the fallen.
        gains=tuple(r.Point(x, y) for x, y in (
            (0.0, 0.0), (0.1, 0.254), (0.2, 0.493), (0.3, 0.669), (0.4, 0.79), (0.5, 0.87),
            (0.6, 0.92), (0.7, 0.955), (0.8, 0.98), (0.9, 0.995), (1.0, 1.0))),
        gate=gate(),
        learning=None, leakage=r.Leakage(0.95, (
            r.SingleColumn("pages_per_visit", about(0.815, 0.025, CUSTOMERS), False),
            r.SingleColumn("promo_share", about(0.781, 0.026, CUSTOMERS), False),
            r.SingleColumn("permission", about(0.497, 0.032, CUSTOMERS), False)), twins=22),
        target_window="same_month",
    )


def scores(estimand: Any, n: int, fallen: int, roc_auc: float,
           confusion: tuple[int, int, int, int]) -> r.Scores:
    """Figures of a set of customers; the spread shrinks with the root of their number."""
    half = 0.55 / sqrt(n)
    found, alarms, missed, _ = confusion
    tops = []
    for share, precision in ((0.1, 0.97), (0.2, 0.94), (0.3, 0.85)):
        size = round(share * n)
        lift = precision * n / fallen
        tops.append(r.Top(share, size, rate(round(precision * size), size),
                          about(lift, 4 * half, n), about(lift * share, half, n), share < 0.15))
    return r.Scores(
        estimand=estimand, customers=n, fallen=fallen, threshold=0.5,
        roc_auc=about(roc_auc, half, n), pr_auc=about(roc_auc - 0.012, 1.2 * half, n),
        f1=about(2 * found / (2 * found + alarms + missed), 1.6 * half, n),
        precision=rate(found, found + alarms), recall=rate(found, found + missed),
        brier=about(0.112, half / 2, n), confusion=confusion, top=tuple(tops),
        lift_ceiling=n / fallen,
    )


def calibration() -> r.Calibration:
    bins = (
        (0.03, 2, 130), (0.08, 9, 130), (0.13, 15, 129), (0.19, 27, 130), (0.27, 36, 129),
        (0.38, 44, 130), (0.52, 71, 129), (0.67, 84, 130), (0.82, 100, 129), (0.93, 106, 130),
    )
    return r.Calibration(
        intercept=about(0.02, 0.15, CUSTOMERS), slope=about(0.98, 0.09, CUSTOMERS), before=None,
        brier=about(0.112, 0.009, CUSTOMERS),
        bins=tuple(r.CalibrationBin(promised, rate(fell, n)) for promised, fell, n in bins),
        edges=tuple(step / 20 for step in range(21)),
        histogram=tuple(a + b for a, b in zip(RISK_FALLEN, RISK_OTHERS, strict=True)),
    )


def gate() -> r.Gate:
    return r.Gate(
        open=True, closed_by=(), estimand="procedure", roc_auc=about(0.912, 0.0153, CUSTOMERS),
        floor=0.6, permutations=2000, p_value=0.0005, significance=0.01,
        column="pages_per_visit", column_roc_auc=about(0.815, 0.025, CUSTOMERS),
        gain=about(0.097, 0.021, CUSTOMERS), constant_roc_auc=0.5,
        constant_f1=about(0.552, 0.027, CUSTOMERS), constant_brier=about(0.236, 0.006, CUSTOMERS),
        brier_gain=about(0.124, 0.012, CUSTOMERS),
        sample_size=r.SampleSize(23, CUSTOMERS, FALLEN, 0.462, 312, 446, 363, 446, True),
    )


#: Column, importance, direction and correlation, the strongest first.
DRIVERS: tuple[tuple[str, float, r.Direction, float | None], ...] = (
    ("pages_per_visit", 0.112, "down", -0.93), ("minutes_current", 0.081, "down", -0.91),
    ("promo_share", 0.052, "up", 0.78), ("contacts_6_months", 0.047, "down", -0.88),
    ("categories_per_visit", 0.041, "down", -0.90), ("unpaid_items", 0.038, "up", 0.92),
    ("minutes_previous", 0.036, "down", -0.89), ("popular_category", 0.027, "unclear", None),
    ("revenue_before_previous", 0.024, "down", -0.83), ("revenue_current", 0.017, "unclear", 0.31),
    ("revenue_change", 0.012, "up", 0.64), ("days_registered", 0.009, "unclear", 0.44),
    ("revenue_previous", 0.008, "unclear", -0.12), ("service_tier", 0.006, "unclear", None),
    ("minutes_change", 0.006, "up", 0.58), ("revenue_change_2", 0.005, "unclear", 0.22),
    ("service_errors", 0.004, "down", -0.71), ("contacts_current", 0.003, "unclear", 0.06),
    ("permission", 0.001, "unclear", None),
)

#: Of the top drivers: lowest and highest value, customers, fallen among them.
BINS: dict[str, tuple[tuple[float, float, int, int], ...]] = {
    "pages_per_visit": ((1, 4, 265, 224), (5, 6, 240, 139), (7, 8, 210, 47), (9, 10, 212, 29),
                        (11, 12, 165, 26), (13, 20, 204, 29)),
    "minutes_current": ((4, 9, 280, 184), (10, 11, 209, 126), (12, 13, 214, 85), (14, 15, 204, 53),
                        (16, 18, 215, 24), (19, 23, 174, 22)),
    "promo_share": ((0.11, 0.15, 233, 31), (0.16, 0.21, 260, 40), (0.22, 0.24, 187, 74),
                    (0.25, 0.28, 206, 58), (0.29, 0.39, 209, 132), (0.40, 0.99, 201, 159)),
    "contacts_6_months": ((0.9, 3.4, 234, 159), (3.5, 3.9, 213, 110), (4.0, 4.2, 208, 80),
                          (4.3, 4.7, 239, 71), (4.8, 5.3, 190, 40), (5.4, 6.6, 212, 34)),
}


def driver(rank: int, column: str, importance: float, direction: r.Direction,
           correlation: float | None) -> r.Driver:
    """A driver whose spread, rank and effect follow from its importance."""
    category = SETTINGS.columns[column].kind == "category"
    ends = {"pages_per_visit": (6.0, 10.0), "minutes_current": (11.0, 15.0),
            "promo_share": (0.28, 0.2), "contacts_6_months": (3.9, 4.6)}
    risky, safe = ends.get(column, (1.0, 2.0))
    side: Any = "value" if category else "high" if direction == "up" else "low"
    value = next(iter(SETTINGS.columns[column].values)) if category else ""
    groups = {"minutes_previous": "minutes_current", "minutes_change": "minutes_current",
              "revenue_current": "revenue_before_previous",
              "revenue_previous": "revenue_before_previous",
              "revenue_change": "revenue_before_previous",
              "revenue_change_2": "revenue_before_previous"}
    return r.Driver(
        column=column, importance=about(importance, 0.2 * importance, 300),
        share=importance / sum(row[1] for row in DRIVERS),
        rank=rank, rank_low=max(1, rank - 2), rank_high=min(rank + 2, len(DRIVERS)),
        top_share=1.0 if rank <= 4 else 0.42 if rank <= 7 else 0.0,
        direction=direction, direction_share=0.0 if correlation is None else 0.98,
        correlation=correlation,
        effect=r.Effect(about(2.3 * importance, 0.6 * importance, 300), side,
                        None if category else risky, None if category else safe, value),
        permutation=about(0.25 * importance, 0.07 * importance + 0.001, CUSTOMERS),
        permutation_rank=rank, headlined=rank <= 4, group=groups.get(column, column),
        bins=tuple(r.Bin(low, high, "", n, rate(fallen, n))
                   for low, high, n, fallen in BINS.get(column, ())),
    )


def explanation() -> r.Explanation:
    drivers = tuple(driver(rank, *row) for rank, row in enumerate(DRIVERS, start=1))
    members: dict[str, list[r.Driver]] = {}
    for one in drivers:
        members.setdefault(one.group, []).append(one)
    groups = [(tuple(one.column for one in own), sum(one.importance.value for one in own))
              for own in members.values()]
    total = sum(importance for _, importance in groups)
    return r.Explanation(
        drivers=drivers,
        groups=tuple(
            r.DriverGroup(columns, about(importance, 0.2 * importance, 300), importance / total,
                          about(0.25 * importance, 0.07 * importance + 0.001, CUSTOMERS),
                          columns[0] == "minutes_current")
            for columns, importance in sorted(groups, key=lambda one: -one[1])),
        base_probability=0.381, customers=300, background=100, refits=100,
        additivity_error=2.1e-16,
    )


# ── Money ────────────────────────────────────────────────────────────────────────────────────────


def money_withheld(*missing: str) -> r.Money:
    """Money about which nothing may be said."""
    return r.Money(missing=missing, value_column="profit", customers=CUSTOMERS, assumptions=None,
                   campaigns=(), advantage={}, curve=(), best_share=None, pays=False, empc=None,
                   mpc=None, sensitivity=(), bands=())


def money() -> r.Money:
    amounts: tuple[tuple[r.CampaignName, int, float, float], ...] = (
        ("nobody", 0, 0.0, 0.0), ("everyone", 1296, 412_000.0, 310_000.0),
        ("random", 830, 264_000.0, 199_000.0), ("most_valuable", 830, 331_000.0, 215_000.0),
        ("known_fallen", 494, 702_000.0, 340_000.0), ("highest_risk", 830, 588_000.0, 331_000.0),
        ("own_threshold", 760, 601_000.0, 330_000.0),
    )
    best = 588_000.0
    return r.Money(
        missing=(), value_column="profit", customers=CUSTOMERS,
        assumptions=r.Assumptions(10.0, 300.0, 0.3, 6.0, 14.0, 6.0, 0.5, 500.0),
        campaigns=tuple(
            r.Campaign(name, n, n / CUSTOMERS, about(profit, half, CUSTOMERS),
                       about(profit / CUSTOMERS, half / CUSTOMERS, CUSTOMERS))
            for name, n, profit, half in amounts),
        advantage={name: about(best - profit, 61_000.0, CUSTOMERS)
                   for name, _, profit, _ in amounts if name != "highest_risk"},
        curve=tuple(profit_point(step / 20, 2 * best * (step / 20) * (1.3 - 1.1 * step / 20))
                    for step in range(21)),
        best_share=0.64, pays=True, empc=about(498.0, 36.0, CUSTOMERS),
        mpc=about(489.0, 35.0, CUSTOMERS),
        sensitivity=tuple(
            r.Sensitivity(name, factor, base * factor, share, about(profit, half, CUSTOMERS),
                          profit > half, profit <= half)
            for name, base, rows in (
                ("contact_cost", 10.0, ((0.65, 592e3, 331e3), (0.63, 584e3, 331e3))),
                ("offer_cost", 300.0, ((0.81, 741e3, 342e3), (0.52, 447e3, 322e3))),
                ("acceptance", 0.3, ((0.34, 171e3, 204e3), (0.78, 1_068e3, 402e3))),
                ("horizon_months", 6.0, ((0.33, 165e3, 118e3), (0.79, 1_080e3, 509e3))),
                ("loss_share", 0.5, ((0.33, 165e3, 118e3), (0.79, 1_080e3, 509e3))),
            )
            for factor, (share, profit, half) in zip((0.5, 1.5), rows, strict=True)),
        bands=tuple(
            r.ValueBand(low, high, n, value, threshold, contacted)
            for low, high, n, value, threshold, contacted in (
                (1290.0, 4695.0, 260, 3842.0, 0.227, 104),
                (4710.0, 5640.0, 259, 5196.0, 0.175, 148),
                (5640.0, 6420.0, 259, 6058.0, 0.153, 166),
                (6420.0, 7275.0, 259, 6824.0, 0.138, 170),
                (7275.0, 11145.0, 259, 8070.0, 0.118, 172))),
    )


def profit_point(share: float, profit: float) -> r.ProfitPoint:
    """A point of the curve whose parts give its profit: γ·(V − d·F) − d·(n − F) − f·n."""
    n, fallen = CUSTOMERS * share, FALLEN * (1 - (1 - share) ** 3)
    value = (profit + 300 * (n - fallen) + 10 * n) / 0.3 + 300 * fallen
    return r.ProfitPoint(share, profit, profit - 0.55 * abs(profit), profit * 1.55, n, fallen,
                         value)


# ── Segments ─────────────────────────────────────────────────────────────────────────────────────

#: Column: mean in the focus, among the others, half an interval of the difference.
PROFILE = {
    "revenue_current": (5142.6, 5249.4, 168.0), "profit": (4.02, 3.99, 0.18),
    "promo_share": (0.782, 0.257, 0.025), "minutes_current": (10.7, 13.5, 0.61),
    "pages_per_visit": (5.1, 8.6, 0.58), "categories_per_visit": (2.4, 3.4, 0.21),
    "unpaid_items": (4.2, 2.7, 0.37),
}

#: Category: customers of the focus, and of everyone.
CATEGORIES = {
    "children": (55, 329), "cosmetics": (24, 223), "textile": (20, 250), "beauty": (17, 182),
    "cookware": (15, 138), "appliances": (9, 174),
}


def profile(scale: float = 1.0) -> tuple[r.ProfileRow, ...]:
    """Rows whose distance from the others is `scale` times that of the focus."""
    rows = []
    for column, (segment, others, half) in PROFILE.items():
        distance = scale * (segment - others)
        # Half an interval is 1.96 standard deviations times the root of both groups' 1/n.
        effect = distance / half * 1.96 * sqrt(1 / 140 + 1 / (CUSTOMERS - 140))
        rows.append(r.ProfileRow(column, others + distance, others,
                                 about(distance, half, CUSTOMERS),
                                 **tested(effect, 1.96 * distance / half)))
    return tuple(rows)


def tested(effect: float, z: float) -> dict[str, Any]:
    """Return what the segments' rows are judged by; the p-value stands in for its rate."""
    p_value = erfc(abs(z) / sqrt(2))
    return {"effect": effect, "q_value": p_value, "told": abs(effect) >= 0.2 and p_value < 0.05}


def ratio(hits: int, n: int, other_hits: int, other_n: int) -> r.Estimate:
    """Ratio of two shares with Katz' interval."""
    value = hits / n / (other_hits / other_n)
    half = 1.96 * sqrt(1 / hits - 1 / n + 1 / other_hits - 1 / other_n)
    return r.Estimate(value, value * exp(-half), value * exp(half), n + other_n)


def category_rows(customers: int) -> tuple[r.CategoryRow, ...]:
    """Shares of the categories in a segment of so many customers, as in the focus."""
    rows = []
    for value, (inside, everyone) in CATEGORIES.items():
        n = round(inside * customers / 140)
        segment, others = rate(n, customers), rate(everyone - n, CUSTOMERS - customers)
        pooled = everyone / CUSTOMERS
        error = sqrt(pooled * (1 - pooled) * (1 / customers + 1 / (CUSTOMERS - customers)))
        effect = 2 * (asin(sqrt(segment.value)) - asin(sqrt(others.value)))
        rows.append(r.CategoryRow(
            "popular_category", value, n, segment.value, others.value, gap(segment, others),
            ratio=ratio(n, customers, everyone - n, CUSTOMERS - customers),
            **tested(effect, (segment.value - others.value) / error)))
    return tuple(rows)


def suppressed(one: r.Segment) -> r.Segment:
    """The segment as it is told when too few customers are in it."""
    return replace(one, suppressed=True, customers=0, share=0.0, fallen=0, alike=0, contactable=0,
                   contactable_share=0.0, risk=None, decline=None, others_decline=None,
                   decline_difference=None, decline_ratio=None, profile=(), categories=(),
                   value_at_risk=None, contactable_value=None)


def segment(name: str, rule: str, label: r.Labels, *, customers: int, fallen: int, alike: int,
            contactable: int, risk: float, scale: float = 1.0) -> r.Segment:
    conditions = tuple((c.column, c.operator, c.value) for c in SETTINGS.rule(rule).conditions)
    decline = rate(fallen, customers)
    others = rate(FALLEN - fallen, CUSTOMERS - customers)
    return r.Segment(
        name=name, label=label, rule=rule, conditions=conditions, suppressed=False,
        customers=customers, share=customers / CUSTOMERS, fallen=fallen, alike=alike,
        contactable=contactable, contactable_share=contactable / customers, risk=risk,
        decline=decline, others_decline=others, decline_difference=gap(decline, others),
        decline_ratio=ratio(fallen, customers, FALLEN - fallen, CUSTOMERS - customers),
        profile=profile(scale), categories=category_rows(customers),
        value_at_risk=at_risk(customers, risk),
        contactable_value=at_risk(contactable, risk) if contactable else None,
    )


def at_risk(customers: int, risk: float) -> r.Estimate:
    """Sum risk times value where everybody has the same risk and a value of 5,600."""
    return about(customers * risk * 5_600.0, 1.96 * sqrt(customers * risk * (1 - risk)) * 5_600.0,
                 customers)


def focus() -> r.Segment:
    label = {"ru": "высокий риск, покупают в основном по акциям",
             "en": "high risk, buying mostly on promotion"}
    return segment("focus", SETTINGS.recommendations.focus, label, customers=140, fallen=131,
                   alike=9, contactable=104, risk=0.84)


def segments() -> tuple[r.Segment, ...]:
    sizes = {
        "high_risk_high_profit": (138, 109, 29, 101, 0.81, 0.8),
        "high_risk_promo": (140, 131, 9, 104, 0.84, 1.0),
        "premium_at_risk": (156, 126, 30, 114, 0.80, 0.7),
        "unpaid_baskets": (444, 252, 41, 327, 0.55, 0.5),
        "no_messages": (337, 126, 24, 0, 0.38, 0.05),
    }
    return tuple(
        segment(name, entry.rule, dict(entry.label), customers=n, fallen=fallen, alike=alike,
                contactable=contactable, risk=risk, scale=scale)
        for name, entry in SETTINGS.segments.items()
        for n, fallen, alike, contactable, risk, scale in [sizes[name]]
    )


# ── Recommendations ──────────────────────────────────────────────────────────────────────────────


def signal(column: str, form: Any, threshold: float, below: r.Estimate, above: r.Estimate,
           customers: int, fallen: int, finding: Any) -> r.Signal:
    return r.Signal(column, form, threshold, below, above, gap(below, above), customers, fallen,
                    round(0.06 * customers), finding)


def signals() -> tuple[r.Signal, ...]:
    return (
        signal("pages_per_visit", "level", 6, rate(91, 127), rate(33, 197), 505, 363, "confirmed"),
        signal("minutes_current", "level", 10, rate(64, 97), rate(60, 227), 386, 254, "confirmed"),
        signal("categories_per_visit", "level", 2, rate(65, 105), rate(59, 219), 418, 260,
               "confirmed"),
        signal("minutes_change", "fall", -0.4, rate(10, 41), rate(114, 283), 164, 40, "opposite"),
    )


def recommendations() -> tuple[r.Recommendation, ...]:
    audience = r.Audience(customers=140, fallen=131, alike=9, contactable=104)
    rows = {row.column: row for row in profile()}
    contacts = r.ProfileRow("contacts_current", 4.0, 4.0, about(0.0, 0.12, CUSTOMERS))
    less_profit = r.ProfileRow("profit", 3.78, 4.03, about(-0.25, 0.16, CUSTOMERS))
    buyers, others = rate(147, 167), rate(347, 1129)
    evidence: tuple[tuple[str, r.Status, str, r.Evidence], ...] = (
        ("R1", "supported", "category_over_represented", r.CategoryEvidence(
            "categories", "popular_category", "children", "children", category_rows(140),
            rows["profit"])),
        ("R2", "supported", "enough_contactable", r.MailingEvidence(
            "mailing", "popular_category", 104, rate(104, 140), category_rows(140), contacts)),
        ("R3", "supported", "shallower_and_basket_fuller", r.DepthEvidence(
            "depth", (rows["pages_per_visit"], rows["categories_per_visit"]), rows["unpaid_items"],
            ("pages_per_visit", "categories_per_visit"), (), True)),
        ("R4", "caution", "promo_buyers_less_profitable", r.LoyaltyEvidence(
            "loyalty", "promo_share", 0.5, 167, buyers, others, gap(buyers, others), less_profit)),
        ("R5", "supported", "levels_confirmed", r.SignalEvidence(
            "signals", signals(), ("pages_per_visit", "categories_per_visit"), 612, 214)),
    )
    return tuple(r.Recommendation(code, status, reason, audience, part)
                 for code, status, reason, part in evidence)


def segmentation() -> r.Segmentation:
    names = [segment.name for segment in segments()]
    pairs = [(one, other) for place, one in enumerate(names) for other in names[place + 1:]]
    counts = (52, 47, 61, None, 70, 66, 24, 75, 33, 118)
    return r.Segmentation(
        overlaps=tuple(r.Overlap(one, other, count)
                       for (one, other), count in zip(pairs, counts, strict=True)),
        inside=r.Part(760, 402, 80, 423, 2_170_560.0),
        outside=r.Part(536, 92, 12, 536, 510_272.0))


# ── Groups that the data single out ──────────────────────────────────────────────────────────────


def discoveries() -> r.Discoveries:
    def group(rule: str, customers: int, fallen: int, counts: tuple[int, int, int, int],
              effect: float, q: float, *, confirmed: bool) -> r.Discovery:
        inside, others = rate(*counts[:2]), rate(*counts[2:])
        return r.Discovery(
            rule=rule, conditions=tuple(
                (c.column, c.operator, c.value) for c in SETTINGS.rule(rule).conditions),
            customers=customers, fallen=fallen, decline=inside, others_decline=others,
            difference=gap(inside, others), effect=effect, q_value=q, confirmed=confirmed)

    return r.Discoveries(
        searched=972, described=324, candidates=32_543, by_value=False,
        groups=(
            group("pages_per_visit <= 6", 482, 357, (91, 120, 33, 204), 1.29, 0.0001,
                  confirmed=True),
            group("promo_share >= 0.24 and unpaid_items >= 4", 210, 120, (30, 52, 94, 272), 0.47,
                  0.0124, confirmed=True),
            group("service_errors <= 4", 560, 231, (54, 140, 70, 184), 0.01, 0.9912,
                  confirmed=False),
        ),
    )


# ── The programme and its verdict ────────────────────────────────────────────────────────────────


def further() -> tuple[r.Recommendation, ...]:
    def group(column: str, threshold: float, customers: int, inside: int,
              others: int) -> r.GroupEvidence:
        rest = CUSTOMERS - customers
        return r.GroupEvidence(
            kind="group", column=column, threshold=threshold, customers=customers,
            decline=rate(inside, customers), others_decline=rate(others, rest),
            difference=gap(rate(inside, customers), rate(others, rest)))

    return (
        r.Recommendation("R6", "unsupported", "decline_less", r.Audience(536, 169, 18, 396),
                         group("service_errors", 5.0, 536, 169, 325),
                         kpi=r.Kpi("group_share", "service_errors", "share", 536 / CUSTOMERS,
                                   None, "down")),
        r.Recommendation("R7", "supported", "decline_more", r.Audience(444, 252, 10, 346),
                         group("unpaid_items", 4.0, 444, 252, 242),
                         kpi=r.Kpi("group_share", "unpaid_items", "share", 444 / CUSTOMERS,
                                   0.36, "down")),
    )


def programme() -> r.Programme:
    return r.Programme(
        campaign="programme", missing="", reached=501, no_permission=128, contacted=0, capacity=0,
        treated=294, control=79, newly=119, control_share=0.2, base_rate=0.69, base_observed=True,
        detectable=0.148, enough=True, wanted=0.15, needed=515,
        actions=(
            r.ActionGroup("R7", 140, 32, 60, 0.304, testable=False),
            r.ActionGroup("R5", 92, 28, 43, 0.331, testable=False),
            r.ActionGroup("R1", 62, 19, 25, None, testable=False),
        ),
        valid_until="2026-11-30",
    )


def effect(**changes: Any) -> r.ProgrammeEffect:
    """48 % of the treated declined, 70 % of the others."""
    def compared(treated: float, control: float, half: float) -> r.Compared:
        return r.Compared(about(treated, half / 2, 310), about(control, half, 84),
                          about(treated - control, half, 394))

    made = r.ProgrammeEffect(
        months=("2026-09",), treated=310, control=84, lost_treated=12, lost_control=10,
        decline=compared(0.476, 0.698, 0.112), decline_without_lost=compared(0.464, 0.681, 0.113),
        classes=(r.ClassOutcome("fallen", compared(0.497, 0.297, 0.127)),),
        totals=(
            r.TotalOutcome("revenue", {"ru": "выручка", "en": "revenue"}, "money",
                           compared(4910.2, 5127.0, 228.0)),
            r.TotalOutcome("minutes", {"ru": "минуты на сайте", "en": "minutes on the site"},
                           "minutes", compared(11.5, 11.1, 1.1)),
        ),
        actions=(r.ActionOutcome("R7", compared(0.44, 0.66, 0.18)),),
        strata=2, detectable=0.168,
    )
    return replace(made, **changes)


def verdict(**changes: Any) -> r.Verdict:
    made = r.Verdict(campaign="programme", status="worked", missing="", last=effect(),
                     overall=effect(),
                     reached=r.Reached(301, 1, (r.FeedbackFault("date", 2, 17),)))
    return replace(made, **changes)


def no_verdict() -> r.Verdict:
    return verdict(status="none", missing="first", last=None, overall=None, reached=None)
