"""One row for each customer, nobody lost without a reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import ibis
import pytest
from store_files import (
    CUSTOMERS,
    FIRST_ID,
    MINUTES,
    PERIODS,
    PROFIT,
    REVENUE,
    make_tables,
    read_customers,
    rows_of,
    write_tables,
)

from reportgen import cleaning, features, sources
from reportgen.errors import DataError, ReportgenError
from reportgen.results import CleaningEntry, Exclusion

REAL = Path(__file__).parents[2] / "shared" / "one-click" / "2026-10"


@pytest.fixture
def tables():
    return make_tables()


@pytest.fixture
def build(tmp_path, settings):
    def run(tables, settings=settings):
        return read_customers(write_tables(tmp_path, tables), settings)
    return run


def money_of(tables, *rows):
    """Revenue of the current month of the customers in these rows of their list (header: 0)."""
    return sum(float(tables[REVENUE][3 * row - 2][2]) for row in rows)


def test_columns_come_in_the_order_of_the_contract_and_rows_in_that_of_the_list(
        tables, build, settings):
    tables[CUSTOMERS][1:] = reversed(tables[CUSTOMERS][1:])
    customers = build(tables)
    assert customers.table.columns == ("id", *settings.columns)
    rows = rows_of(customers)
    assert [row["id"] for row in rows] == [cells[0] for cells in tables[CUSTOMERS][1:]]


def test_long_tables_become_columns_and_changes_are_derived(tables, build):
    tables[REVENUE][1:4] = [["700000001", PERIODS[0], "3300"], ["700000001", PERIODS[2], "5000"],
                            ["700000001", PERIODS[1], "4400"]]
    tables[MINUTES][1:3] = [["700000001", PERIODS[0], "9"], ["700000001", PERIODS[1], "12"]]
    row = rows_of(build(tables))[0]
    assert (row["revenue_current"], row["revenue_previous"], row["revenue_before_previous"]) == (
        3300, 4400, 5000)
    assert (row["minutes_current"], row["minutes_previous"]) == (9, 12)
    assert row["revenue_change"] == pytest.approx(-0.25)  # 3300 / 4400 − 1
    assert row["revenue_change_2"] == pytest.approx(-0.34)  # 3300 / 5000 − 1
    assert row["minutes_change"] == pytest.approx(-0.25)  # 9 / 12 − 1


def test_categories_have_the_names_of_the_contract(tables, build):
    tables[CUSTOMERS][1][1:4] = ["Снизилась", "премиум", "нет"]
    row = rows_of(build(tables))[0]
    assert (row["activity"], row["service_tier"], row["permission"]) == ("fallen", "premium", "no")


def test_a_change_from_nothing_is_unknown(tables, build):
    tables[MINUTES][2][2] = "0"
    row = rows_of(build(tables))[0]
    assert (row["minutes_previous"], row["minutes_change"]) == (0, None)


def test_a_valid_month_loses_nobody(tables, build):
    quality = build(tables).quality
    assert (quality.customers_in, quality.customers_used) == (220, 220)
    assert (quality.rows_in, quality.rows_changed, quality.light) == (220 * 7, 0, "green")
    assert (quality.log, quality.exclusions) == ((), ())
    assert quality.money_in == quality.money_used == pytest.approx(money_of(tables, *range(1, 221)))
    assert [(file.table, file.file, file.rows, file.customers) for file in quality.files] == [
        ("customers", "market_file.csv", 220, 220), ("revenue", "market_money.csv", 660, 220),
        ("minutes", "market_time.csv", 440, 220), ("profit", "money.csv", 220, 220)]


def test_everyone_left_out_is_counted_by_the_first_reason(tables, build):
    lost, zero, huge = 5, 9, 14  # rows of the list of customers
    missing_money = money_of(tables, lost)
    del tables[PROFIT][lost]
    tables[REVENUE][3 * zero][2] = "0"  # the oldest of the three periods
    tables[REVENUE][3 * lost][2] = "0"  # not regular either, but missing comes first
    tables[REVENUE][3 * huge - 1][2] = "106862.2"  # the previous period
    customers = build(tables)
    quality = customers.quality
    assert quality.exclusions == (
        Exclusion("missing", 1, pytest.approx(missing_money)),
        Exclusion("not_regular", 1, pytest.approx(money_of(tables, zero))),
        Exclusion("outlier", 1, pytest.approx(money_of(tables, huge))),
    )
    assert [(entry.code, entry.table, entry.column, entry.rows) for entry in quality.log] == [
        ("missing", "profit", "", 1), ("not_regular", "revenue", "revenue_before_previous", 1),
        ("outlier", "revenue", "revenue_previous", 1)]
    assert quality.customers_in == 220 == quality.customers_used + 3
    assert quality.money_in == pytest.approx(
        quality.money_used + money_of(tables, lost, zero, huge))
    gone = {str(FIRST_ID + row - 1) for row in (lost, zero, huge)}
    assert {row["id"] for row in rows_of(customers)}.isdisjoint(gone)


def test_a_lacking_period_excludes_and_is_no_zero(tables, build):
    del tables[MINUTES][2]
    quality = build(tables).quality
    assert [(each.reason, each.customers) for each in quality.exclusions] == [("missing", 1)]


def test_strangers_are_left_out_and_logged_but_never_were_in(tables, build):
    tables[PROFIT] += [["1", "5.5"], ["2", "5.5"]]
    tables[REVENUE] += [["1", period, "5000"] for period in PERIODS]
    quality = build(tables).quality
    assert (quality.customers_in, quality.customers_used) == (220, 220)
    assert quality.log == (CleaningEntry("missing", "customers", "", "", "", 2, None),)


def test_the_outlier_rule_asks_how_far_a_value_lies_from_the_median(tables, build, settings):
    # Current revenue 4900 or 5100: median 5000 and MAD 100, so that 0.6745·|x − 5000| / 100 > 3.5
    # begins at 5000 ± 518.9; a value on each side of either border, the extremes lying opposite.
    for row in range(1, 221):
        tables[REVENUE][3 * row - 2][2] = "4900" if row % 2 else "5100"
    for row, value in enumerate(("5518", "5519", "4482", "4481"), start=1):
        tables[REVENUE][3 * row - 2][2] = value
    excluded = [row for row in range(1, 5)
                if str(FIRST_ID + row - 1) not in {each["id"] for each in rows_of(build(tables))}]
    assert excluded == [2, 4]


def test_without_a_spread_there_is_no_outlier_rule(tables, build):
    for row in range(1, 221):
        tables[REVENUE][3 * row - 2][2] = "5000"
    tables[REVENUE][1][2] = "106862.2"
    assert build(tables).quality.exclusions == ()


def test_a_column_that_is_not_marked_has_no_outliers(tables, build):
    tables[CUSTOMERS][1][10] = "999"  # unpaid goods, elsewhere 0 to 9
    assert build(tables).quality.exclusions == ()


def test_money_of_a_repair_is_what_the_touched_customers_spent(tables, build):
    tables[CUSTOMERS][3][2] = "стандартт"
    tables[CUSTOMERS][8][2] = "стандартт"
    (entry,) = build(tables).quality.log
    assert entry == CleaningEntry("alias", "customers", "service_tier", "стандартт", "standard", 2,
                                  pytest.approx(money_of(tables, 3, 8)))


def test_without_totals_there_is_no_money(tables, build, settings):
    bare = settings.model_copy(update={"presentation": type(settings.presentation)()})
    tables[CUSTOMERS][3][2] = "стандартт"
    quality = build(tables, bare).quality
    assert (quality.money_in, quality.money_used, quality.log[0].money) == (None, None, None)


@pytest.mark.parametrize(("changed", "light"), [(77, "green"), (78, "amber"), (220, "amber")])
def test_the_light_turns_with_the_share_of_rows_changed(changed, light, tables, build):
    previous = [cells for cells in tables[MINUTES] if cells[1] == PERIODS[1]]
    for cells in previous[:changed]:  # of 1540 rows: 5 % is 77
        cells[1] = "предыдцщий_месяц"
    assert build(tables).quality.light == light


@pytest.mark.parametrize(("left_out", "light"), [(2, "green"), (3, "amber"), (11, "amber"),
                                                 (12, "red")])
def test_the_light_turns_with_the_share_of_customers_left_out(left_out, light, tables, build):
    for row in range(left_out):  # of 220 customers: 1 % is 2.2, 5 % is 11
        tables[REVENUE][1 + 3 * row][2] = "0"
    assert build(tables).quality.light == light


def test_too_few_customers_left_are_refused(tables, build):
    for row in range(1, 30):
        tables[REVENUE][3 * row][2] = "0"
    with pytest.raises(DataError, match="191 of 220 customers are left"):
        build(tables)


def test_a_single_class_left_is_refused(tables, build):
    for row, cells in enumerate(tables[CUSTOMERS][1:], start=1):
        if row > 10:
            cells[1] = "Прежний уровень"
        elif cells[1] == "Снизилась":
            tables[REVENUE][3 * row - 2][2] = "0"  # they stopped buying altogether
    with pytest.raises(DataError, match="all of one class") as caught:
        build(tables)
    assert caught.value.problems[0].column == "Покупательская активность"


def test_a_join_that_multiplies_customers_fails_the_run(tables, tmp_path, settings):
    connection = ibis.duckdb.connect()
    raw = sources.read_tables(write_tables(tmp_path, tables), settings, connection)
    clean = cleaning.clean(raw, settings)
    profit = clean.tables["profit"]
    doubled = replace(profit, data=profit.data.union(profit.data))
    broken = replace(clean, tables={**clean.tables, "profit": doubled})
    with pytest.raises(ReportgenError, match="made 440 customers of 220"):
        features.customers(broken, settings, connection)


@pytest.mark.skipif(not REAL.is_dir(), reason="the store's real tables are not here")
def test_the_real_month_is_what_its_readme_says(settings):
    customers = read_customers(REAL, settings)
    quality = customers.quality
    assert (quality.customers_in, quality.customers_used, quality.rows_in) == (1300, 1296, 9100)
    assert [(each.reason, each.customers) for each in quality.exclusions] == [
        ("not_regular", 3), ("outlier", 1)]
    assert quality.exclusions[1].money == pytest.approx(106_862.2)
    log = {(entry.code, entry.column): entry.rows for entry in quality.log}
    assert log["alias", "service_tier"] == 10
    assert log["alias", "period"] == 1300
    assert log["decimal_comma", "profit"] == 1284  # sixteen profits are whole numbers
    assert [file.delimiter for file in quality.files] == [",", ",", ",", ";"]
    activity = customers.table.to_pyarrow()["activity"].to_pylist()
    assert activity.count("fallen") == 494  # of 498: the four left out had fallen
