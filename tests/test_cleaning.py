"""Only declared repairs are made, each is counted, and a second cleaning finds nothing to do."""

from __future__ import annotations

import hypothesis
import ibis
import pytest
from hypothesis import strategies as st
from store_files import (
    CUSTOMERS,
    MINUTES,
    PROFIT,
    REVENUE,
    make_tables,
    write_tables,
)

from reportgen import cleaning, sources
from reportgen.contract import Contract
from reportgen.tables import PERIOD, ROW

TIER, GOODS = 2, 8


@pytest.fixture
def tables():
    return make_tables()


@pytest.fixture
def clean(tmp_path, settings):
    def run(tables):
        folder = write_tables(tmp_path, tables)
        raw = sources.read_tables(folder, settings, ibis.duckdb.connect())
        return cleaning.clean(raw, settings)
    return run


def log(cleaned):
    return [(entry.code, entry.table, entry.column, entry.before, entry.after, entry.rows)
            for entry in (repair.entry for repair in cleaned.repairs)]


def test_nothing_is_logged_where_nothing_was_repaired(tables, clean):
    cleaned = clean(tables)
    assert (log(cleaned), cleaned.rows_changed) == ([], 0)


def test_known_typos_are_mapped_and_counted(tables, clean):
    for row in (1, 5, 9):
        tables[CUSTOMERS][row][TIER] = "стандартт"
    for cells in tables[MINUTES][1:]:
        cells[1] = cells[1].replace("предыдущий_месяц", "предыдцщий_месяц")
    cleaned = clean(tables)
    assert log(cleaned) == [
        ("alias", "customers", "service_tier", "стандартт", "standard", 3),
        ("alias", "minutes", "period", "предыдцщий_месяц", "previous", 220),
    ]
    assert cleaned.rows_changed == 223
    assert [repair.touched.count().to_pyarrow().as_py() for repair in cleaned.repairs] == [3, 220]


def test_decimal_commas_are_counted_by_column_but_are_no_change(tables, clean):
    for cells in tables[REVENUE][1:4]:  # one customer, three periods
        cells[2] = cells[2].replace(".", ",")
    tables[PROFIT][1][1] = "1,5"
    cleaned = clean(tables)
    assert log(cleaned) == [
        ("decimal_comma", "revenue", "revenue_current", "", "", 1),
        ("decimal_comma", "revenue", "revenue_previous", "", "", 1),
        ("decimal_comma", "revenue", "revenue_before_previous", "", "", 1),
        ("decimal_comma", "profit", "profit", "", "", 1),
    ]
    assert cleaned.rows_changed == 0


def test_a_row_with_two_repairs_is_changed_once(tables, clean):
    tables[CUSTOMERS][1][TIER] = "стандартт"
    tables[CUSTOMERS][1][GOODS] = "Косметика и аксессуары"
    cleaned = clean(tables)
    assert len(cleaned.repairs) == 2
    assert cleaned.rows_changed == 1


def test_headers_encoded_twice_touch_every_row_and_values_only_their_own(tables, clean):
    tables[PROFIT][0] = ["id", "Прибыль".encode().decode("cp1251")]
    tables[CUSTOMERS][1][TIER] = "премиум".encode().decode("latin-1")
    cleaned = clean(tables)
    assert log(cleaned) == [("double_encoding", "customers", "", "", "", 1),
                            ("double_encoding", "profit", "", "", "", 220)]
    assert cleaned.rows_changed == 221


def test_the_first_of_identical_rows_is_kept(tables, clean):
    tables[CUSTOMERS] += [list(tables[CUSTOMERS][3]), list(tables[CUSTOMERS][3])]
    cleaned = clean(tables)
    assert log(cleaned) == [("duplicate", "customers", "", "", "", 2)]
    data = cleaned.tables["customers"].data
    assert sorted(data[ROW].to_pyarrow().to_pylist()) == [*range(2, 222)]
    assert cleaned.repairs[0].touched.count().to_pyarrow().as_py() == 1


# ── Properties ───────────────────────────────────────────────────────────────────────────────────

SMALL = Contract.model_validate({
    "tables": {
        "people": {"file": "people", "id": "id"},
        "visits": {"file": "visits", "id": "id", "period": "when", "periods": {
            "now": {"source": "now", "aliases": ["nwo"]}, "then": {"source": "then"}}},
    },
    "columns": {
        "class": {"role": "target", "kind": "category", "table": "people", "source": "class",
                  "label": {"en": "class"}, "positive": "a",
                  "values": {"a": {"source": "A", "label": {"en": "a"}, "aliases": ["Aa", "AA"]},
                             "b": {"source": "Б", "label": {"en": "b"}}}},
        "spent": {"table": "people", "source": "spent", "label": {"en": "spent"}},
        "visits_now": {"table": "visits", "source": "count", "period": "now",
                       "label": {"en": "visits"}},
    },
})
NUMBERS = st.sampled_from(["5", "5.0", "5,0", "0,75", "0.75", " 7"])
TWICE = "Б".encode().decode("cp1251")
PEOPLE = st.fixed_dictionaries({
    "class": st.sampled_from(["A", "Aa", "AA", "Б", TWICE, "A "]), "spent": NUMBERS,
    "times": st.integers(1, 3)})
VISITS = st.fixed_dictionaries({
    "when": st.sampled_from([("now", "then"), ("nwo",), ("then", "now")]), "count": NUMBERS,
    "times": st.integers(1, 2)})


def read_and_clean(folder, tables):
    raw = sources.read_tables(write_tables(folder, tables), SMALL, ibis.duckdb.connect())
    return cleaning.clean(raw, SMALL)


def as_files(cleaned):
    """Write cleaned tables down again, by the contract's spelling of each value."""
    sources = {"a": "A", "b": "Б", "now": "now", "then": "then"}
    tables = {}
    for name, table in cleaned.tables.items():
        keys = {"id": "id"} | ({"when": PERIOD} if name == "visits" else {})
        columns = keys | {header: place for header, place in table.columns.items()
                          if header not in keys}
        rows = table.data.order_by(ROW).to_pyarrow().to_pylist()
        cells = [[row[place] for place in columns.values()] for row in rows]
        tables[name] = [list(columns), *(
            [sources.get(cell, cell) if isinstance(cell, str) else repr(cell) for cell in row]
            for row in cells)]
    return tables


@hypothesis.settings(max_examples=12, deadline=None)
@hypothesis.given(people=st.lists(PEOPLE, min_size=1, max_size=6),
                  visits=st.lists(VISITS, min_size=1, max_size=6))
def test_cleaning_twice_is_cleaning_once_and_every_row_is_kept_or_dropped(
        people, visits, tmp_path_factory):
    tables = {"people": [["id", "class", "spent"]], "visits": [["id", "when", "count"]]}
    for i, one in enumerate(people):
        tables["people"] += [[f"p{i}", one["class"], one["spent"]]] * one["times"]
    for i, one in enumerate(visits):
        for when in one["when"]:
            tables["visits"] += [[f"p{i}", when, one["count"]]] * one["times"]

    once = read_and_clean(tmp_path_factory.mktemp("once"), tables)
    for name, table in once.tables.items():
        kept = table.data.count().to_pyarrow().as_py()
        dropped = sum(repair.entry.rows for repair in once.repairs
                      if (repair.entry.code, repair.entry.table) == ("duplicate", name))
        assert kept + dropped == len(tables[name]) - 1
    assert once.tables["people"].data.count().to_pyarrow().as_py() == len(people)

    cleaned = as_files(once)
    twice = read_and_clean(tmp_path_factory.mktemp("twice"), cleaned)
    assert twice.repairs == ()
    assert as_files(twice) == cleaned
