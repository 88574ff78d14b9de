"""What the messages say, and where validation draws its lines."""

from __future__ import annotations

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
    write_tables,
)

from reportgen import sources, validation
from reportgen.errors import DataError

TIER, GOODS = 2, 8
MONTHS = Path(__file__).parents[2] / "shared" / "one-click" / "2026-10"


@pytest.fixture
def tables():
    return make_tables()


@pytest.fixture
def check(tmp_path, settings):
    """Validate tables and return the problems, none where all is well."""
    def run(tables, settings=settings):
        folder = write_tables(tmp_path, tables)
        raw = sources.read_tables(folder, settings, ibis.duckdb.connect())
        try:
            validation.validate(raw, settings)
        except DataError as error:
            return list(error.problems)
        return []
    return run


def with_cleaning(settings, **changes):
    cleaning = settings.cleaning.model_copy(update=changes)
    return settings.model_copy(update={"cleaning": cleaning})


def test_a_valid_month_passes(tables, check):
    assert check(tables) == []


def test_declared_typos_pass(tables, check):
    tables[CUSTOMERS][1][TIER] = "стандартт"
    for cells in tables[MINUTES][1:]:
        cells[1] = cells[1].replace("предыдущий_месяц", "предыдцщий_месяц")
    assert check(tables) == []


def test_an_unknown_value_comes_with_the_nearest_known_one_and_where_to_declare_it(tables, check):
    tables[CUSTOMERS][5][TIER] = "премум"
    (problem,) = check(tables)
    assert problem.message == (
        "«премум» is unknown, known are «премиум», «стандарт»; if it is a typo of «премиум», "
        "correct it or add it to `aliases` of columns.service_tier.values.premium in "
        "reportgen.toml")


def test_a_value_like_no_other_is_not_likened_to_any(tables, check):
    tables[REVENUE][5][1] = "2026-10"
    (problem,) = check(tables)
    assert "typo" not in problem.message
    assert "describe it in tables.revenue.periods" in problem.message


def test_each_unknown_value_is_told_once_with_its_rows(tables, check):
    for row in (3, 7, 8):
        tables[CUSTOMERS][row][TIER] = "золото"
    tables[CUSTOMERS][5][TIER] = "серебро"
    assert [(each.row, each.count) for each in check(tables)] == [(4, 3), (6, 1)]


def test_a_column_of_nonsense_does_not_flood_the_screen(tables, check):
    for row, cells in enumerate(tables[CUSTOMERS][1:]):
        cells[GOODS] = f"товар {row}"
    assert len(check(tables)) == 10


def test_long_and_hostile_values_are_shown_short_and_escaped(tables, check):
    tables[CUSTOMERS][3][TIER] = "\x1b[31m" + "я" * 500
    (problem,) = check(tables)
    assert "«\\x1b[31m" in problem.message
    assert len(problem.message) < 300


def test_a_comma_is_decimal_as_soon_as_one_value_shows_it(tables, check):
    for cells in tables[PROFIT][1:]:
        cells[1] = "1,234"
    assert [problem.code for problem in check(tables)] == ["unclear_comma"]
    tables[PROFIT][100][1] = "1,5"
    assert check(tables) == []


def test_points_beside_unclear_commas_do_not_settle_them(tables, check):
    tables[PROFIT][7][1] = "1,234"
    (problem,) = check(tables)
    assert (problem.row, problem.code, problem.count) == (8, "unclear_comma", 1)


def test_a_point_that_may_separate_thousands_beside_decimal_commas_is_not_guessed(tables, check):
    for cells in tables[PROFIT][1:]:
        cells[1] = "567,8"
    tables[PROFIT][4][1] = "1.234"
    (problem,) = check(tables)
    assert (problem.row, problem.code) == (5, "unclear_point")
    tables[PROFIT][9][1] = "0.75"  # so points are decimal here, and commas too
    assert check(tables) == []


@pytest.mark.parametrize(("value", "problems"), [("44640", 0), ("44641", 1)])
def test_the_range_is_part_of_the_contract_and_holds_by_period(value, problems, tables, check):
    tables[MINUTES][2][2] = value  # the previous month; a month has 44 640 minutes
    found = check(tables)
    assert len(found) == problems
    if found:
        assert "from 0 to 44640" in found[0].message
        assert "columns.minutes_previous" in found[0].message


@pytest.mark.parametrize(("absent", "codes"), [(2, []), (3, ["missing_customers"])])
def test_missing_customers_are_tolerated_up_to_a_share(absent, codes, tables, check):
    del tables[PROFIT][1:1 + absent]  # 1 % of 220 customers is 2.2
    assert [problem.code for problem in check(tables)] == codes


def test_a_lacking_period_counts_as_a_missing_customer(tables, check):
    tables[REVENUE] = [cells for row, cells in enumerate(tables[REVENUE])
                       if row not in (1, 5, 9)]  # a period each of three customers
    (problem,) = check(tables)
    assert problem.message.startswith("3 of 220 customers of market_file.csv are missing here or "
                                      "lack a period, the first of them in its row 2")


@pytest.mark.parametrize(("strangers", "codes"), [(2, []), (3, ["unknown_customers"])])
def test_strangers_are_tolerated_up_to_the_same_share(strangers, codes, tables, check):
    tables[REVENUE] += [[str(FIRST_ID + 900 + i), period, "5"]
                        for i in range(strangers) for period in PERIODS]
    found = check(tables)
    assert [problem.code for problem in found] == codes
    if found:  # counted in rows, told in customers
        assert (found[0].row, found[0].count) == (662, 9)
        assert found[0].message.startswith("3 customers of this table")


def test_the_tolerance_is_a_setting(tables, check, settings):
    del tables[PROFIT][1:4]
    assert check(tables, with_cleaning(settings, missing_tolerance=0.02)) == []


def test_identical_rows_pass_and_contradicting_ones_do_not(tables, check):
    tables[CUSTOMERS].append(list(tables[CUSTOMERS][4]))
    tables[CUSTOMERS][-1][TIER] = {"премиум": " премиум", "стандарт": "стандартт"}[
        tables[CUSTOMERS][4][TIER]]  # the same, written otherwise
    assert check(tables) == []
    tables[CUSTOMERS][-1][5] = "99"
    (problem,) = check(tables)
    assert (problem.column, problem.row, problem.code) == ("id", 222, "duplicate")


def test_an_unknown_period_does_not_also_report_every_customer_as_missing(tables, check):
    for cells in tables[MINUTES][1:]:
        cells[1] = cells[1].replace("текущий_месяц", "октябрь")
    assert [(problem.code, problem.count) for problem in check(tables)] == [("unknown_period", 220)]


def test_the_minimum_of_customers_is_a_setting(tables, check, settings):
    found = check(tables, with_cleaning(settings, minimum_customers=300))
    assert [problem.code for problem in found] == ["too_few_customers"]
    assert "220 customers, an analysis needs 300" in found[0].message


@pytest.mark.skipif(not MONTHS.is_dir(), reason="the store's real tables are not here")
def test_the_real_month_passes(settings):
    validation.validate(sources.read_tables(MONTHS, settings, ibis.duckdb.connect()), settings)
