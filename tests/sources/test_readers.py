"""Files of every kind arrive in the engine with the line of each row."""

from __future__ import annotations

import gzip
import tempfile
from datetime import date
from decimal import Decimal

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from store_files import MINUTES, PROFIT, make_tables, write_store, write_tables, write_xlsx

from reportgen import sources, validation
from reportgen.tables import ID, ROW


@pytest.fixture
def connection():
    return ibis.duckdb.connect()


def profit(folder, settings, connection):
    return sources.read_tables(folder, settings, connection)["profit"]


def lines(table):
    """Row and written profit of each customer."""
    rows = table.data.select(ROW, ID, text=table.written("Прибыль").cast("string")).order_by(ROW)
    return [tuple(row.values()) for row in rows.to_pyarrow().to_pylist()]


def test_every_ending_has_a_reader():
    assert set(sources.SOURCES) == {".csv", ".txt", ".tsv", ".xlsx", ".parquet"}


def test_rows_count_from_the_line_under_the_header(tmp_path, settings, connection):
    (tmp_path / "money.csv").write_text("id,Прибыль\n1,5\n2,6\n", encoding="utf-8")
    assert lines(profit(tmp_path, settings, connection)) == [(2, "1", "5"), (3, "2", "6")]


def compressed(folder, name, text, encoding="utf-8"):
    (folder / name).write_bytes(gzip.compress(text.encode(encoding)))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_a_compressed_file_is_read_as_what_it_holds(tmp_path, settings, connection, encoding):
    compressed(tmp_path, "money.csv.gz", "id;Прибыль\r\n1;5,5\r\n2;6\r\n", encoding)
    table = profit(tmp_path, settings, connection)
    assert lines(table) == [(2, "1", "5,5"), (3, "2", "6")]
    assert (table.file, table.encoding, table.delimiter) == ("money.csv.gz", encoding, ";")


def test_a_wrong_value_far_down_a_compressed_file_is_placed(tmp_path, settings, connection):
    rows = [f"{row},{row % 7}.5" for row in range(2, 400_002)]
    rows[350_000] = f"{350_002},nothing"
    compressed(tmp_path, "money.csv.gz", "id,Прибыль\n" + "\n".join(rows) + "\n")
    found = validation._faults(profit(tmp_path, settings, connection), settings)
    (problem,) = [one for one in found if one.column == "Прибыль"]
    assert (problem.file, problem.row) == ("money.csv.gz", 350_002)


@pytest.mark.parametrize("content", [
    gzip.compress("\n".join(map(str, range(9_999))).encode())[:9_000], b"id,\xd0",
    b"\x1f\x8b" + bytes(40)], ids=["cut off", "not compressed", "broken"])
def test_a_compressed_file_that_is_damaged_is_told(tmp_path, settings, connection, content):
    (tmp_path / "money.csv.gz").write_bytes(content)
    (problem,) = profit(tmp_path, settings, connection).problems
    assert (problem.file, problem.code) == ("money.csv.gz", "unreadable")


def test_a_table_that_is_there_twice_is_told_whether_compressed_or_not(
    tmp_path, settings, connection
):
    (tmp_path / "money.csv").write_text("id,Прибыль\n1,5\n", encoding="utf-8")
    compressed(tmp_path, "money.csv.gz", "id,Прибыль\n1,5\n")
    (problem,) = profit(tmp_path, settings, connection).problems
    assert problem.code == "two_files"


@pytest.mark.parametrize("text", [
    'id,Прибыль,note\n1,5,"a\nb"\n\n2,6,c\n', 'id,Прибыль,note\r1,5,"a\rb"\r\r2,6,c',
])
def test_rows_keep_their_lines_across_blank_and_broken_ones(text, tmp_path, settings, connection):
    (tmp_path / "money.csv").write_text(text, encoding="utf-8", newline="")
    assert lines(profit(tmp_path, settings, connection)) == [(2, "1", "5"), (5, "2", "6")]


def test_rows_of_a_large_file_keep_the_order_of_the_file(tmp_path, settings, connection):
    # More rows than one block of the engine (122 880), so that its threads share the file.
    count = 300_000
    text = "id,Прибыль\n" + "".join(f"{row},{row % 7}.5\n" for row in range(2, count + 2))
    (tmp_path / "money.csv").write_text(text, encoding="utf-8")
    table = profit(tmp_path, settings, connection)
    assert table.rows == count
    strayed = table.data.filter(table.data[ROW].cast("string") != table.data[ID])
    assert strayed.count().to_pyarrow().as_py() == 0


def test_quotes_that_only_python_understands_are_read_by_it(tmp_path, settings, connection):
    (tmp_path / "money.csv").write_text('id,Прибыль,note\n1,5,12" screen\n', encoding="utf-8")
    assert lines(profit(tmp_path, settings, connection)) == [(2, "1", "5")]


def test_uneven_rows_are_counted_and_the_first_is_named(tmp_path, settings, connection):
    (tmp_path / "money.csv").write_text("id,Прибыль\n1,5\n2\n3,4,5\n4,5\n", encoding="utf-8")
    (problem,) = profit(tmp_path, settings, connection).problems
    assert (problem.row, problem.count, problem.code) == (3, 2, "uneven_rows")
    assert "1 fields, the header has 2" in problem.message


def test_a_folder_with_brackets_and_stars_is_read(tmp_path, settings, connection):
    folder = tmp_path / "2026 [10] *"
    write_store(folder)
    assert profit(folder, settings, connection).rows == 220


def test_a_file_is_described_by_its_layout_and_fingerprint(tmp_path, settings, connection):
    write_tables(tmp_path, {PROFIT: make_tables()[PROFIT]}, delimiter=";", encoding="cp1251")
    table = profit(tmp_path, settings, connection)
    assert (table.file, table.encoding, table.delimiter) == ("money.csv", "cp1251", ";")
    assert (table.rows, table.customers, len(table.sha256)) == (220, 220, 64)


def test_long_tables_count_customers_and_their_periods(tmp_path, settings, connection):
    tables = make_tables()
    tables[MINUTES].append(tables[MINUTES][1])
    write_tables(tmp_path, tables)
    table = sources.read_tables(tmp_path, settings, connection)["minutes"]
    assert (table.rows, table.keys, table.customers) == (441, 440, 220)


def test_nothing_is_left_in_the_temporary_folder(tmp_path, settings, connection, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    write_tables(tmp_path / "month", make_tables(), encoding="utf-16")
    assert profit(tmp_path / "month", settings, connection).rows == 220
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_file_that_cannot_be_opened_is_told(tmp_path, settings, connection, monkeypatch):
    write_store(tmp_path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("hashlib.file_digest", refuse)
    (problem,) = profit(tmp_path, settings, connection).problems
    assert (problem.file, problem.code) == ("money.csv", "unreadable")
    assert "Permission denied" in problem.message


# ── XLSX ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_workbook_is_read_from_the_sheet_that_has_the_columns(tmp_path, settings, connection):
    with xlsxwriter.Workbook(tmp_path / "money.xlsx") as workbook:
        workbook.add_worksheet("notes").write_row(0, 0, ["id", "about"])
        workbook.add_worksheet("empty")
        sheet = workbook.add_worksheet("data")
        sheet.write_row(2, 1, ["id", "Прибыль"])  # the table begins in B3
        sheet.write_row(3, 1, [215348, 0.98])
        sheet.write_row(5, 1, ["215349", "4,16"])
        sheet.write_row(7, 1, ["", ""])
    assert lines(profit(tmp_path, settings, connection)) == [
        (4, "215348", "0.98"), (6, "215349", "4,16")]


def test_cells_that_are_no_numbers_stay_what_they_show(tmp_path, settings, connection):
    with xlsxwriter.Workbook(tmp_path / "money.xlsx") as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["id", "Прибыль"])
        sheet.write_row(1, 0, [1, True])
        sheet.write(2, 0, 2)
        sheet.write_datetime(2, 1, date(2026, 10, 1), workbook.add_format({"num_format": 14}))
    assert lines(profit(tmp_path, settings, connection)) == [
        (2, "1", "True"), (3, "2", "2026-10-01")]


def test_an_empty_workbook_is_told(tmp_path, settings, connection):
    write_xlsx(tmp_path / "money.xlsx", [])
    (problem,) = profit(tmp_path, settings, connection).problems
    assert problem.code == "empty_file"


def test_a_large_workbook_is_passed_on_in_batches(tmp_path, settings, connection, monkeypatch):
    monkeypatch.setattr("reportgen.sources.reading._BATCH", 7)
    write_xlsx(tmp_path / "money.xlsx", make_tables(n=50)[PROFIT])
    assert [row for row, _, _ in lines(profit(tmp_path, settings, connection))] == [*range(2, 52)]


# ── Parquet ──────────────────────────────────────────────────────────────────────────────────────


def test_parquet_keeps_numbers_as_they_are(tmp_path, settings, connection):
    pq.write_table(pa.table({"Прибыль": pa.array([0.1 + 0.2, None, float("nan")]),
                             "id": pa.array([215348.0, 215349.0, None])}),
                   tmp_path / "money.parquet")
    table = profit(tmp_path, settings, connection)
    rows = table.data.select(ROW, ID, meant=table.meant("Прибыль")).order_by(ROW)
    assert [tuple(row.values()) for row in rows.to_pyarrow().to_pylist()] == [
        (2, "215348", 0.1 + 0.2), (3, "215349", None), (4, None, None)]


def test_parquet_categories_and_decimals_are_read(tmp_path, settings, connection):
    table = make_tables(n=3)[MINUTES]
    columns = list(zip(*table[1:], strict=True))
    pq.write_table(pa.table({
        "id": pa.array(columns[0]), "Период": pa.array(columns[1]).dictionary_encode(),
        "минут": pa.array(map(Decimal, columns[2]), pa.decimal128(10, 2)),
    }), tmp_path / "market_time.parquet")
    minutes = sources.read_tables(tmp_path, settings, connection)["minutes"]
    assert minutes.data.select(value=minutes.meant("минут")).to_pyarrow()["value"].to_pylist() == [
        *map(float, columns[2])]
    assert (minutes.keys, minutes.customers) == (6, 3)


# ── Progress ─────────────────────────────────────────────────────────────────────────────────────


def told_of(folder, settings, connection):
    seen = []
    sources.read_tables(folder, settings, connection, lambda *what: seen.append(what))
    return seen


def read_to_its_end(seen, total):
    """Bytes of all files are told in their order, and all of them in the end."""
    done = [amount for amount, _, _ in seen]
    assert {what[1:] for what in seen} == {(total, "bytes")}
    assert done == sorted(done)
    assert done[-1] == pytest.approx(total)
    return done


def test_reading_tells_the_bytes_of_all_files(tmp_path, settings, connection):
    folder = write_tables(tmp_path, make_tables())
    sizes = [(folder / f"{table.file}.csv").stat().st_size for table in settings.tables.values()]
    done = read_to_its_end(told_of(folder, settings, connection), sum(sizes))
    assert any(amount == pytest.approx(sizes[0]) for amount in done)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "utf-16"])
@pytest.mark.parametrize("pack", [False, True])
def test_a_long_text_tells_how_far_it_is_read(tmp_path, settings, connection, encoding, pack):
    rows = "".join(f"{row};{row % 7},5 ₽\n" if encoding != "cp1251" else f"{row};я\n"
                   for row in range(300_000))
    text = f"id;Прибыль\n{rows}"
    if pack:
        compressed(tmp_path, "money.csv.gz", text, encoding)
    else:
        (tmp_path / "money.csv").write_text(text, encoding=encoding)
    size = next(tmp_path.iterdir()).stat().st_size
    done = [amount for amount, total, _ in told_of(tmp_path, settings, connection)
            if total == size]
    assert done == sorted(done)
    assert len({round(amount / size, 2) for amount in done}) > (2 if pack else 4)
    assert done[-1] == pytest.approx(size)


def test_parts_are_read_one_after_another_and_put_together(tmp_path, settings, connection):
    folder = tmp_path / "money"
    folder.mkdir()
    (folder / "a.csv").write_text("id;Прибыль\n1;5\n", encoding="utf-8")
    (folder / "b.csv").write_text("id;Прибыль\n2;6\n", encoding="utf-8")
    total = 2 * (folder / "a.csv").stat().st_size
    done = read_to_its_end(told_of(tmp_path, settings, connection), total)
    # Of 1 + 1 parts of the time and 0.2 x 2 for putting them together the first takes 1 / 2.4.
    assert any(amount == pytest.approx(total / 2.4) for amount in done)


def test_a_workbook_tells_of_its_rows(tmp_path, settings, connection):
    write_xlsx(tmp_path / "money.xlsx", [["id", "Прибыль"], *([row, 5] for row in range(3_500))])
    total = (tmp_path / "money.xlsx").stat().st_size
    done = read_to_its_end(told_of(tmp_path, settings, connection), total)
    # The 1,000th of 3,501 rows, of 20 / 21 of the time.
    assert any(amount == pytest.approx(total * 1_000 / 3_501 * 20 / 21) for amount in done)
