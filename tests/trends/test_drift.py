"""How far columns moved: counted by hand, enumerated, and held against other tests."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from simulation import drift as simulation
from stores import scored_columns

from reportgen.config import Settings
from reportgen.results import ColumnDrift
from reportgen.trends import drift

MONTH = "2026-09"
NUMBERS = ("risk", "profit", "revenue_current", "minutes_current")

Values = Sequence[Any]


def month(settings: Settings, ids: Values, risk: Values | None = None,
          **columns: Values) -> ir.Table:
    """A scored table of these customers; the risk is unknown unless it is given."""
    given = {"id": [f"c{one}" for one in ids], "risk": [None] * len(ids) if risk is None else risk,
             **columns}
    return ibis.memtable(scored_columns(settings, {
        name: pa.array(values, pa.float64() if name in NUMBERS else pa.string())
        for name, values in given.items()}))


def compared(settings: Settings, before: ir.Table, now: ir.Table, *columns: str,
             seed: int = 1) -> dict[str, ColumnDrift]:
    found = drift.measure(before, now, settings, month=MONTH, columns=columns, seed=seed)
    return {one.column: one for one in found}


def one_column(settings: Settings, column: str, before: Mapping[int, Any],
               now: Mapping[int, Any]) -> ColumnDrift:
    """Compare a single column of customers by number; its p-value needs no adjustment."""
    tables = (month(settings, list(side), **{column: list(side.values())})
              for side in (before, now))
    return compared(settings, *tables, column)[column]


# ── The index ────────────────────────────────────────────────────────────────────────────────────


def test_the_index_is_the_one_worked_out_by_hand(settings: Settings) -> None:
    # 30 premium and 10 standard become 20 and 20; half a customer for each of the two bins is
    # added to either month, spread 50 : 30 as both are together:
    # p = (30.625, 10.375) / 41, q = (20.625, 20.375) / 41, p − q = ±10/41;
    # 10/41 · (ln(30.625/20.625) + ln(20.375/10.375)) = 0.2439 · (0.3953 + 0.6749) = 0.2610.
    # Without the addition 0.25 · (ln 1.5 + ln 2) = 0.2747.
    before = {i: "premium" if i < 30 else "standard" for i in range(40)}
    now = {i: "premium" if i < 20 else "standard" for i in range(40)}
    found = one_column(settings, "service_tier", before, now)
    assert found.psi == pytest.approx(0.2610, abs=5e-5)
    assert (found.month, found.mean_before, found.mean_now) == (MONTH, None, None)
    assert one_column(settings, "service_tier", now, before).psi == pytest.approx(found.psi)


def test_quantiles_of_both_months_are_the_bins_of_a_number(settings: Settings) -> None:
    # 1 to 100 and 51 to 150: of the pooled deciles, of 20 rows each, 1–50 are 2.5 bins of the
    # first month alone, 51–100 five of both, and 101–150 2.5 of the second alone.
    before, now = dict(enumerate(np.arange(1.0, 101.0))), dict(enumerate(np.arange(51.0, 151.0)))
    found = one_column(settings, "profit", before, now)
    counts = np.array([20, 20, 15, 10, 10, 10, 10, 5, 0, 0])
    assert found.psi == pytest.approx(float(drift.stability_index(counts, counts[::-1])))
    assert (found.mean_before, found.mean_now) == (50.5, 100.5)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8))
def test_the_index_never_exceeds_the_plain_one(counts: list[tuple[int, int]]) -> None:
    before, now = np.array([one for one in counts if any(one)] or [(1, 1)]).T
    index = float(drift.stability_index(before, now))
    assert index >= 0
    if before.all() and now.all():
        p, q = before / before.sum(), now / now.sum()
        assert index <= ((p - q) * np.log(p / q)).sum() + 1e-12
    assert math.isfinite(index)


def test_months_of_other_sizes_with_the_same_shares_do_not_differ() -> None:
    assert drift.stability_index(np.array([9, 1, 2]), np.array([900, 100, 200])) == pytest.approx(0)


def test_missing_values_are_a_bin(settings: Settings) -> None:
    before = {i: None if i < 10 else float(i % 2) for i in range(100)}
    now = {i: None if i < 40 else float(i % 2) for i in range(100)}
    # Bins: missing, 0, 1; the known halves stay halves.
    expected = drift.stability_index(np.array([10, 45, 45]), np.array([40, 30, 30]))
    found = one_column(settings, "profit", before, now)
    assert found.psi == pytest.approx(float(expected))
    assert (found.mean_before, found.mean_now) == (0.5, 0.5)
    assert found.level == "strong"
    lost = one_column(settings, "profit", before, dict.fromkeys(now))
    assert lost.mean_now is None
    assert lost.level == "strong"
    names = one_column(settings, "service_tier", {i: None if one is None else "premium"
                                                  for i, one in before.items()},
                       {i: None if one is None else "premium" for i, one in now.items()})
    assert names.psi == pytest.approx(float(drift.stability_index(np.array([10, 90]),
                                                                  np.array([40, 60]))))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_value_that_most_customers_have_is_a_bin_of_its_own(settings: Settings,
                                                              sign: int) -> None:
    """Whether it is the lowest or the highest, and to its last digit."""
    most = sign * next(
        one for one in np.random.default_rng(0).uniform(size=1000).tolist() if _misread(one))
    before = {i: most if i < 98 else most - sign for i in range(100)}
    now = {i: most if i < 85 else most - sign for i in range(100)}
    found = one_column(settings, "profit", before, now)
    assert found.psi == pytest.approx(float(
        drift.stability_index(np.array([98, 2]), np.array([85, 15]))))


def _misread(value: float) -> bool:
    """Whether DuckDB takes the number, written as such, for a decimal above it."""
    return bool((ibis.literal(repr(value)).cast("float64") < value).to_pyarrow().as_py())


def test_values_the_contract_lacks_share_a_bin(settings: Settings) -> None:
    before = {i: "premium" if i < 50 else "old" for i in range(100)}
    now = {i: "premium" if i < 50 else "older" for i in range(100)}
    assert one_column(settings, "service_tier", before, now).psi == pytest.approx(0)


# ── The test ─────────────────────────────────────────────────────────────────────────────────────


BEFORE = {0: 1.0, 1: 2.0, 2: 2.5, 3: 4.0, 4: 5.0, 5: 6.0, 6: 7.5, 7: 8.0, 8: 9.0, 9: 3.0}
NOW = {0: 9.0, 1: 8.5, 2: 7.0, 3: 9.5, 4: 5.5, 5: 9.75, 6: 7.25, 10: 9.9, 11: 8.75, 12: 6.5}


def test_the_p_value_is_that_of_all_exchanges_of_rows(settings: Settings) -> None:
    found = one_column(settings, "profit", BEFORE, NOW)
    indices = np.array([_row_index(*sides) for sides in _exchanges(BEFORE, NOW)])
    exact = float(np.mean(indices >= indices[0] - 1e-9))
    assert 0.01 < exact < 0.5
    # 1,999 draws: four standard errors.
    error = math.sqrt(exact * (1 - exact) / drift.PERMUTATIONS)
    assert found.p_value == pytest.approx(exact, abs=4 * error)
    assert found.psi == pytest.approx(indices[0])


def _exchanges(before: Mapping[int, float],
               now: Mapping[int, float]) -> Iterator[tuple[list[float], list[float]]]:
    """Yield both months of every exchange of rows, the months as they are first."""
    paired = sorted(before.keys() & now.keys())
    single = [before[i] for i in sorted(before.keys() - now.keys())]
    left = len(single)
    single += [now[i] for i in sorted(now.keys() - before.keys())]
    for swapped in itertools.product((False, True), repeat=len(paired)):
        both = [(now[i], before[i]) if swap else (before[i], now[i])
                for i, swap in zip(paired, swapped, strict=True)]
        for chosen in itertools.combinations(range(len(single)), left):
            rest = [single[i] for i in range(len(single)) if i not in chosen]
            yield ([one for one, _ in both] + [single[i] for i in chosen],
                   [other for _, other in both] + rest)


def _row_index(before: list[float], now: list[float]) -> float:
    """The index from rows: half a customer a bin is added to each month."""
    pooled = np.array(before + now)
    edges = np.quantile(pooled, np.arange(1, 10) / 10)
    sides = [np.bincount(np.searchsorted(edges, side), minlength=10) for side in (before, now)]
    extra = 5 * (sides[0] + sides[1]) / len(pooled)
    p, q = ((side + extra) / (len(rows) + 5)
            for side, rows in zip(sides, (before, now), strict=True))
    return float(((p - q) * np.log(p / q)).sum())


def test_two_values_of_the_same_customers_are_mcnemar(settings: Settings) -> None:
    # 14 of 200 go one way, 5 the other: the index grows with the difference of both, so that its
    # p-value is that of 14 heads of 19 coins (McNemar, 1947).
    before = {i: "premium" if i < 100 else "standard" for i in range(200)}
    now = before | dict.fromkeys(range(14), "standard") | dict.fromkeys(range(100, 105), "premium")
    exact = stats.binomtest(14, 19).pvalue
    assert one_column(settings, "service_tier", before, now).p_value == pytest.approx(
        exact, abs=4 * math.sqrt(exact / drift.PERMUTATIONS))


def test_different_customers_are_a_chi_square(settings: Settings) -> None:
    # Of months without a common customer the index is close to χ² · (1/n₁ + 1/n₂).
    values = list(settings.columns["popular_category"].values)
    counts = np.array([[210, 190, 160, 180, 150, 110], [180, 200, 170, 140, 180, 130]])
    rows = [np.repeat(values, side).tolist() for side in counts]
    found = one_column(settings, "popular_category", dict(enumerate(rows[0])),
                       dict(enumerate(rows[1], start=1000)))
    chi_square, exact = stats.chi2_contingency(counts)[:2]
    assert found.psi == pytest.approx(chi_square * (1 / 1000 + 1 / 1000), rel=0.02)
    assert found.p_value == pytest.approx(exact, abs=4 * math.sqrt(exact / drift.PERMUTATIONS))


@pytest.mark.parametrize(("correlation", "stay"), [(0.0, 0.95), (0.5, 0.95), (0.95, 0.95),
                                                   (0.999, 1.0), (0.0, 0.0)])
def test_the_level_holds_however_long_values_last(correlation: float, stay: float) -> None:
    rng = np.random.default_rng(3)
    p_values = [drift.permutation_test(_nothing_moved(400, correlation, stay, rng), 199, rng)
                for _ in range(400)]
    # Of 400 tests at 5 %, 36 are more than any but one of a thousand times.
    assert sum(p <= 0.05 for p in p_values) <= 36
    assert sum(p <= 0.5 for p in p_values) >= 165


def _nothing_moved(customers: int, correlation: float, stay: float,
                   rng: np.random.Generator) -> drift.Crossings:
    before, fresh, left, new = rng.standard_normal((4, customers))
    kept = round(stay * customers)
    now = correlation * before + math.sqrt(1 - correlation**2) * fresh
    edges = stats.norm.ppf(np.arange(1, 10) / 10)

    def bins(values: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.searchsorted(edges, values)

    both = np.zeros((10, 10), dtype=np.int64)
    np.add.at(both, (bins(before[:kept]), bins(now[:kept])), 1)
    return drift.Crossings(both, *(np.bincount(bins(one[kept:]), minlength=10)
                                   for one in (left, new)))


@pytest.mark.parametrize("bins", range(3, 12))
def test_draws_that_only_rounding_sets_apart_are_ties(bins: int) -> None:
    # One of some customers, each in a bin of her own, left: whoever it was, the index is the same.
    for gone in np.eye(bins, dtype=np.int64):
        crossings = drift.Crossings(np.zeros((bins, bins), dtype=np.int64), gone, 1 - gone)
        assert drift.permutation_test(crossings, 99, np.random.default_rng(1)) == 1


def test_where_nothing_changes_nothing_is_reported(settings: Settings) -> None:
    same = {i: float(i % 7) for i in range(60)}
    found = one_column(settings, "profit", same, same)
    assert (found.psi, found.p_value, found.level) == (0, 1, "none")


def test_empty_months_do_not_differ(settings: Settings) -> None:
    full = month(settings, range(5), profit=[1.0] * 5, service_tier=["premium"] * 5)
    empty = full.filter(full["profit"] > 1)
    for sides in ((full, empty), (empty, full), (empty, empty)):
        found = compared(settings, *sides, "service_tier", "profit")
        assert [(one.psi, one.p_value) for one in found.values()] == [(0, 1)] * 2


def test_a_large_table_places_its_edges_by_a_part_of_the_customers(
        settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    before, now = (dict(enumerate(rng.normal(by, 1, 4000).tolist())) for by in (0, 0.3))
    whole = one_column(settings, "profit", before, now)
    monkeypatch.setattr(drift, "EDGE_ROWS", 2000)
    part = one_column(settings, "profit", before, now)
    assert part.psi != whole.psi
    assert part.psi == pytest.approx(whole.psi, rel=0.1)
    assert (part.mean_before, part.level) == (whole.mean_before, whole.level)


# ── All columns together ─────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def months(settings: Settings) -> tuple[ir.Table, ir.Table]:
    """Two months: revenue and the risk moved, profit hardly, permission of a few; no minutes."""
    rng = np.random.default_rng(2)
    sides = [{"ids": range(first, first + 500), "risk": rng.beta(2, 5 - 2 * by, 500),
              "revenue_current": rng.normal(by, 1, 500), "profit": rng.normal(by / 10, 1, 500),
              "minutes_current": rng.normal(0, 1, 500),
              "permission": ["yes" if i % 2 and not (by and i < 60) else "no"
                             for i in range(first, first + 500)]}
             for first, by in ((0, 0.0), (20, 1.0))]
    before, now = (month(settings, **side) for side in sides)
    return before, now


COLUMNS = ("permission", "revenue_current", "minutes_current", "profit")


def test_the_strongest_comes_first(settings: Settings,
                                   months: tuple[ir.Table, ir.Table]) -> None:
    found = compared(settings, *months, *COLUMNS, "service_tier", "days_registered")
    assert list(found)[:2] == ["revenue_current", "risk"]
    # Two constants have no index at all: the contract's order.
    assert list(found)[-2:] == ["service_tier", "days_registered"]
    reported = [one for one in found.values() if one.level != "none"]
    silent = [one for one in found.values() if one.level == "none"]
    assert list(found.values()) == reported + silent
    for group in (reported, silent):
        assert [one.psi for one in group] == sorted((one.psi for one in group), reverse=True)
    assert found["revenue_current"].level == "strong"
    # Twenty of 480 took back their permission and nobody gave it: certain, and less than chance
    # makes of a column that is drawn anew.
    assert (found["minutes_current"].level, found["permission"].level) == ("none", "small")
    assert found["minutes_current"].psi > found["permission"].psi


def test_the_risk_is_left_out_where_a_model_was_withheld(
        settings: Settings, months: tuple[ir.Table, ir.Table]) -> None:
    before, now = months
    withheld = now.mutate(risk=ibis.null("float64"))
    assert "risk" in compared(settings, before, now)
    for sides in ((before, withheld), (withheld, now), (withheld, withheld)):
        assert compared(settings, *sides) == {}
        assert set(compared(settings, *sides, "profit")) == {"profit"}


def test_the_order_of_columns_and_rows_does_not_matter(
        settings: Settings, months: tuple[ir.Table, ir.Table]) -> None:
    expected = drift.measure(*months, settings, month=MONTH, columns=COLUMNS, seed=7)
    assert expected == drift.measure(*months, settings, month=MONTH, columns=COLUMNS, seed=7)
    turned = [table.order_by(ibis.desc(table["minutes_current"])).select(
        *sorted(table.columns, reverse=place == 1)) for place, table in enumerate(months)]
    found = drift.measure(*turned, settings, month=MONTH, columns=[*COLUMNS[::-1], "risk"], seed=7)
    assert [(one.column, one.psi, one.p_value) for one in found] == [
        (one.column, one.psi, one.p_value) for one in expected]


def test_a_column_has_its_own_chance(settings: Settings,
                                     months: tuple[ir.Table, ir.Table]) -> None:
    """Another column beside it, or another seed, moves the p-value by its adjustment only."""
    alone = compared(settings, *(one.mutate(risk=ibis.null("float64")) for one in months),
                     "profit")["profit"].p_value
    beside = compared(settings, *months, "profit")["profit"].p_value
    # The risk has the least p-value, so that the other one is multiplied by 1.
    assert beside == alone
    other = compared(settings, *months, "profit", seed=2)["profit"].p_value
    assert other != alone
    assert other == pytest.approx(alone, abs=0.05)


def test_columns_do_not_share_their_draws(settings: Settings,
                                          monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "holm", list)
    values = np.random.default_rng(4).normal(size=(2, 50))
    tables = [month(settings, range(50), profit=side, revenue_current=side) for side in values]
    profit, revenue = compared(settings, *tables, "profit", "revenue_current").values()
    assert profit.psi == revenue.psi
    assert profit.p_value != revenue.p_value


def test_names_of_columns_cannot_be_mixed_up(settings: Settings,
                                             months: tuple[ir.Table, ir.Table]) -> None:
    """A store may call its columns as the stage calls its own."""
    names = dict(zip(COLUMNS, ("before0", "past", "x0", 'a "b"'), strict=True))
    renamed = settings.model_copy(update={"columns": {
        names.get(name, name): column for name, column in settings.columns.items()}})
    tables = [table.rename({new: old for old, new in names.items()}) for table in months]
    found = compared(renamed, *tables, *names.values())
    expected = compared(settings, *months, *COLUMNS)
    assert [one.psi for one in found.values()] == [one.psi for one in expected.values()]


def test_an_unknown_column_is_refused(settings: Settings,
                                      months: tuple[ir.Table, ir.Table]) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        compared(settings, *months, "nonsense")


@pytest.mark.parametrize(("psi", "p_value", "level"), [
    (9.0, 0.051, "none"), (0.099, 0.05, "small"), (0.1, 0.05, "moderate"),
    (0.249, 0.01, "moderate"), (0.25, 0.01, "strong"), (0.0, 1.0, "none")])
def test_levels_need_both_size_and_certainty(psi: float, p_value: float, level: str) -> None:
    assert drift.level(psi, p_value) == level


def test_holm_multiplies_by_the_hypotheses_that_are_left() -> None:
    # 0.01 · 4, 0.02 · 3, 0.03 · 2 (not less than the one before), 0.9 · 1.
    assert drift.holm([0.02, 0.9, 0.01, 0.03]) == pytest.approx([0.06, 0.9, 0.04, 0.06])
    assert drift.holm([0.7, 0.8]) == [1.0, 1.0]
    assert drift.holm([]) == []


def test_there_are_draws_enough_for_any_number_of_columns(
        settings: Settings, months: tuple[ir.Table, ir.Table],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "PERMUTATIONS", 1)
    # No draw reaches either of two columns: 2 · 1/(1 + 199), although 1/(1 + 1) were no less.
    found = compared(settings, *months, "revenue_current")
    assert [one.p_value for one in found.values()] == [0.01, 0.01]


# ── The simulation ───────────────────────────────────────────────────────────────────────────────


def test_a_few_pairs_of_months_keep_the_level() -> None:
    records = [simulation.measure(100, 0.0, seed) for seed in range(6)]
    assert simulation.claims(records)[0].kept
    assert sum(one["any"] for one in records) <= 1
    # The convention alone calls every small store's month a changed one.
    assert all(one["psi"] > drift.MODERATE for one in records)


def test_a_column_that_moved_is_told_by_its_name() -> None:
    assert len(set(simulation.movable().values())) == len(simulation.AUTOCORRELATIONS)
    record = simulation.measure(1_000, 0.5, 2)
    assert record["moved"]["level"] in ("moderate", "strong")
    assert record["moved"]["psi"] == pytest.approx(simulation.true_psi(0.5), abs=0.1)
    # (p − q) ln(p / q) of two normals without bins is the square of their distance.
    assert simulation.true_psi(0.2) == pytest.approx(0.2**2, rel=0.08)


def test_the_page_marks_what_falls_short() -> None:
    records = [{"customers": customers, "shift": shift, "correlation": correlation,
                "any": customers == 100, "psi": 0.2, "moved": {"level": "small", "psi": 0.05}}
               for customers in simulation.SIZES for shift in simulation.SHIFTS
               for correlation in simulation.AUTOCORRELATIONS for _ in range(4)]
    page = simulation.page(records, command="the command")
    assert "1 of 3 fall short." in page
    assert page.count("✗") == 1
    assert "| 100 | 12 | 100.0% | 100.0% | 0.0% | 0.2000 |" in page
