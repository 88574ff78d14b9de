"""Broken files are refused with the place and a remedy; unusual ones give the same customers."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import ibis
import pytest
from store_files import (
    CUSTOMERS,
    FIRST_ID,
    MINUTES,
    PERIODS,
    PROFIT,
    REVENUE,
    Tables,
    make_tables,
    read_customers,
    rows_of,
    write_store,
    write_tables,
    write_xlsx,
)

from reportgen import sources, validation
from reportgen.errors import DataError, Problem

N = 220
TIER, GOODS, PAGES, PROMO = 2, 8, 12, 7  # columns of the list of customers

FILE, MONEY, TIME, GAIN = (f"{stem}.csv" for stem in (CUSTOMERS, REVENUE, MINUTES, PROFIT))

Place = tuple[str, str, int, str]
"""File, column, row and code of a problem."""


def problems_of(folder: Path, settings) -> tuple[Problem, ...]:
    raw = sources.read_tables(folder, settings, ibis.duckdb.connect())
    with pytest.raises(DataError) as caught:
        validation.validate(raw, settings)
    assert caught.value.exit_code == 3
    return caught.value.problems


def places(problems: tuple[Problem, ...]) -> list[Place]:
    return [(each.file, each.column, each.row, each.code) for each in problems]


# ── One cell, or some rows ───────────────────────────────────────────────────────────────────────


def set_cell(stem: str, row: int, column: int, text: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        tables[stem][row - 1][column] = text  # the header is row 1
    return change


def set_column(stem: str, column: int, text: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        for cells in tables[stem][1:]:
            cells[column] = text
    return change


def drop_rows(stem: str, first: int, last: int) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        del tables[stem][first - 1:last]
    return change


def repeat_row(stem: str, row: int, **changed: str) -> Callable[[Tables], None]:
    def change(tables: Tables) -> None:
        cells = list(tables[stem][row - 1])
        for column, text in changed.items():
            cells[tables[stem][0].index(column)] = text
        tables[stem].append(cells)
    return change


def rename(stem: str, column: int, header: str) -> Callable[[Tables], None]:
    return set_cell(stem, 1, column, header)


def ambiguous(tables: Tables) -> None:
    for row, cells in enumerate(tables[PROFIT][1:]):
        cells[1] = f"{1 + row % 9},{500 + row}"


def renumber(stem: str, count: int) -> Callable[[Tables], None]:
    """Give the first rows customers that nobody knows."""
    def change(tables: Tables) -> None:
        for row, cells in enumerate(tables[stem][1:count + 1]):
            cells[0] = str(FIRST_ID + 5000 + row)
    return change


BROKEN_TABLES: dict[str, tuple[Callable[[Tables], None], list[Place]]] = {
    "text where a number belongs": (
        set_cell(CUSTOMERS, 7, PAGES, "много"), [(FILE, "Страниц_за_визит", 7, "not_a_number")]),
    "infinity": (set_cell(REVENUE, 9, 2, "inf"), [(MONEY, "Выручка", 9, "not_a_number")]),
    "a date": (set_cell(REVENUE, 9, 2, "2026-10-01"), [(MONEY, "Выручка", 9, "not_a_number")]),
    "an underscore": (set_cell(REVENUE, 9, 2, "1_000"), [(MONEY, "Выручка", 9, "not_a_number")]),
    "an empty number": (set_cell(MINUTES, 4, 2, ""), [(TIME, "минут", 4, "missing_value")]),
    "not a number": (set_cell(MINUTES, 4, 2, "NaN"), [(TIME, "минут", 4, "missing_value")]),
    "a dash": (set_cell(PROFIT, 5, 1, "—"), [(GAIN, "Прибыль", 5, "missing_value")]),
    "an empty category": (
        set_cell(CUSTOMERS, 3, GOODS, "  "), [(FILE, "Популярная_категория", 3, "missing_value")]),
    "an empty id": (set_cell(PROFIT, 8, 0, ""), [(GAIN, "id", 8, "missing_value")]),
    "point and comma": (
        set_cell(REVENUE, 6, 2, "1.234,5"), [(MONEY, "Выручка", 6, "mixed_separators")]),
    "commas that may separate thousands": (
        ambiguous, [(GAIN, "Прибыль", 2, "unclear_comma")]),
    "beyond the range": (
        set_cell(CUSTOMERS, 11, PROMO, "1.5"), [(FILE, "Акционные_покупки", 11, "out_of_range")]),
    "below the range": (
        set_cell(REVENUE, 12, 2, "-5"), [(MONEY, "Выручка", 12, "out_of_range")]),
    "an unknown category": (
        set_cell(CUSTOMERS, 10, TIER, "золото"), [(FILE, "Тип сервиса", 10, "unknown_value")]),
    "an unknown period": (
        set_cell(REVENUE, 3, 1, "прошлый_год"), [(MONEY, "Период", 3, "unknown_period")]),
    "a customer twice": (
        repeat_row(CUSTOMERS, 5, Длительность="7"), [(FILE, "id", N + 2, "duplicate")]),
    "a period twice": (
        repeat_row(REVENUE, 5, Выручка="7"), [(MONEY, "id", 3 * N + 2, "duplicate")]),
    "customers missing": (
        drop_rows(PROFIT, 50, 54), [(GAIN, "id", 0, "missing_customers")]),
    "a period missing": (
        lambda tables: tables.update({MINUTES: [
            row for row in tables[MINUTES] if row[1] != PERIODS[1]]}),
        [(TIME, "id", 0, "missing_customers")]),
    "unknown customers": (
        lambda tables: [tables[PROFIT].append([str(FIRST_ID + 5000 + i), "1.5"])
                        for i in range(5)],
        [(GAIN, "id", N + 2, "unknown_customers")]),
    "customers of another month": (
        renumber(PROFIT, N),
        [(GAIN, "id", 2, "unknown_customers"), (GAIN, "id", 0, "missing_customers")]),
    "a single class": (
        set_column(CUSTOMERS, 1, "Снизилась"),
        [(FILE, "Покупательская активность", 0, "single_class")]),
    "a missing column": (
        rename(CUSTOMERS, PAGES, "Страницы"), [(FILE, "Страниц_за_визит", 1, "missing_column")]),
    "a doubled column": (
        rename(CUSTOMERS, PAGES, "id"),
        [(FILE, "id", 1, "doubled_column"), (FILE, "Страниц_за_визит", 1, "missing_column")]),
    "a row with too few fields": (
        lambda tables: tables[CUSTOMERS][6].pop(), [(FILE, "", 7, "uneven_rows")]),
    "a row with too many fields": (
        lambda tables: tables[REVENUE][20].append("5"), [(MONEY, "", 21, "uneven_rows")]),
    "a header and nothing below": (
        drop_rows(PROFIT, 2, N + 1), [(GAIN, "", 1, "no_rows")]),
}


@pytest.mark.parametrize("name", BROKEN_TABLES)
def test_a_broken_table_is_refused_with_file_column_and_row(name, tmp_path, settings):
    change, expected = BROKEN_TABLES[name]
    tables = make_tables(N)
    change(tables)
    problems = problems_of(write_tables(tmp_path, tables), settings)
    assert places(problems) == expected
    told = str(DataError(problems))
    assert told.count("; ") >= len(problems), "each says what is wrong; and what to do"
    assert not re.search(r"700\d{6}", told), "a message may name rows, not customers"


def test_too_few_customers_are_refused(tmp_path, settings):
    problems = problems_of(write_store(tmp_path, n=199), settings)
    assert places(problems) == [(FILE, "id", 0, "too_few_customers")]


# ── Whole files ──────────────────────────────────────────────────────────────────────────────────


def replace_bytes(stem: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / f"{stem}.csv"
        path.write_bytes(path.read_bytes().replace(old, new, 1))
    return change


def write_bytes(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(data)


def stop_quoting(folder: Path) -> None:
    replace_bytes(PROFIT, b"\n700000006,", b'\n"700000006,')(folder)


BROKEN_FILES: dict[str, tuple[Callable[[Path], object], Place]] = {
    "no file": (
        lambda folder: (folder / GAIN).unlink(), (GAIN, "", 0, "missing_file")),
    "two files": (
        write_bytes("money.xlsx", b""), (GAIN, "", 0, "two_files")),
    "an empty file": (write_bytes(GAIN, b""), (GAIN, "", 0, "empty_file")),
    "blank lines only": (write_bytes(GAIN, b"\xef\xbb\xbf \n\n"), (GAIN, "", 0, "empty_file")),
    "NUL bytes only": (write_bytes(GAIN, bytes(4096)), (GAIN, "", 1, "nul_bytes")),
    "a NUL byte": (
        replace_bytes(PROFIT, b"\n700000004,", b"\n70000000\x00,"), (GAIN, "", 5, "nul_bytes")),
    "a byte that is not UTF-8": (
        replace_bytes(REVENUE, "текущий".encode(), b"\xd1\xff"), (MONEY, "", 2, "encoding")),
    "a letter cut in two": (
        lambda folder: (folder / MONEY).write_bytes((folder / MONEY).read_bytes() + b"1,\xd1"),
        (MONEY, "", 3 * N + 2, "encoding")),
    "a quotation mark that is never closed": (stop_quoting, (GAIN, "", 7, "bad_quotes")),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_broken_file_is_refused_with_its_name_and_row(name, tmp_path, settings):
    change, expected = BROKEN_FILES[name]
    change(write_store(tmp_path))
    assert places(problems_of(tmp_path, settings)) == [expected]


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_a_file_that_is_not_what_its_name_says_is_refused(ending, tmp_path, settings):
    write_store(tmp_path)
    (tmp_path / GAIN).rename(tmp_path / f"money.{ending}")
    assert places(problems_of(tmp_path, settings)) == [(f"money.{ending}", "", 0, "unreadable")]


def test_a_missing_folder_names_every_table(tmp_path, settings):
    problems = problems_of(tmp_path / "nowhere", settings)
    assert [each.code for each in problems] == ["missing_file"] * 4


def test_a_missing_file_tells_what_the_folder_has(tmp_path, settings):
    write_store(tmp_path)
    (tmp_path / GAIN).rename(tmp_path / "Money (2).csv")
    (problem,) = problems_of(tmp_path, settings)
    assert "«Money (2).csv»" in problem.message


def test_all_problems_of_all_files_are_told_at_once(tmp_path, settings):
    tables = make_tables(N)
    set_cell(CUSTOMERS, 7, PAGES, "много")(tables)
    set_cell(CUSTOMERS, 9, TIER, "золото")(tables)
    set_cell(REVENUE, 3, 1, "прошлый_год")(tables)
    write_tables(tmp_path, tables)
    (tmp_path / TIME).write_bytes(b"")
    (tmp_path / GAIN).unlink()
    assert {each.code for each in problems_of(tmp_path, settings)} == {
        "not_a_number", "unknown_value", "unknown_period", "empty_file", "missing_file"}


def test_a_fault_in_every_row_is_one_problem_with_a_count(tmp_path, settings):
    tables = make_tables(N)
    set_column(PROFIT, 1, "n/a")(tables)
    (problem,) = problems_of(write_tables(tmp_path, tables), settings)
    assert (problem.row, problem.count) == (2, N)
    assert "(and 219 more rows)" in str(problem)


# ── The same customers, however they are written ─────────────────────────────────────────────────


def as_written(folder: Path, tables: Tables, **layout: str) -> None:
    write_tables(folder, tables, **layout)


def quoted_commas(folder: Path, tables: Tables) -> None:
    for stem in (REVENUE, PROFIT):
        for cells in tables[stem][1:]:
            cells[-1] = cells[-1].replace(".", ",")
    write_tables(folder, tables)


def padded(folder: Path, tables: Tables) -> None:
    write_tables(folder, {stem: [[f" {cell}\u00a0 " for cell in cells] for cells in rows]
                          for stem, rows in tables.items()})


def grouped(folder: Path, tables: Tables) -> None:
    """«4 567,8»: thousands by a space of some kind, decimals by a comma."""
    for row, cells in enumerate(tables[REVENUE][1:]):
        whole, decimal = cells[2].split(".")
        blank = " \u00a0\u202f"[row % 3]
        cells[2] = f"{whole[:-3]}{blank}{whole[-3:]},{decimal}"
    write_tables(folder, tables, delimiter=";")


def with_blank_lines(folder: Path, tables: Tables) -> None:
    write_tables(folder, tables)
    for path in folder.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n\n" + "\n\n".join(lines) + "\n\n\n", encoding="utf-8")


def with_empty_rows(folder: Path, tables: Tables) -> None:
    write_tables(folder, {stem: [*rows, [""] * len(rows[0])] for stem, rows in tables.items()})


def encoded_twice(codec: str) -> Callable[[Path, Tables], None]:
    def write(folder: Path, tables: Tables) -> None:
        write_tables(folder, tables)
        for path in folder.iterdir():
            # As Windows decodes: a byte that the encoding does not define stays a control sign.
            misread = "".join(bytes([byte]).decode(codec, "replace").replace("\ufffd", chr(byte))
                              for byte in path.read_bytes())
            path.write_text(misread, encoding="utf-8", newline="")
    return write


def marked_and_encoded_twice(folder: Path, tables: Tables) -> None:
    """A byte-order mark that was taken for three letters, under a new one."""
    write_tables(folder, tables, encoding="utf-8-sig")
    for path in folder.iterdir():
        path.write_text(path.read_bytes().decode("latin-1"), encoding="utf-8-sig", newline="")


def values_encoded_twice(folder: Path, tables: Tables) -> None:
    for stem, rows in tables.items():
        for cells in rows[1:]:
            cells[:] = [cell.encode().decode("latin-1") for cell in cells]
        write_tables(folder, {stem: rows})


def as_xlsx(folder: Path, tables: Tables) -> None:
    for stem, rows in tables.items():
        write_xlsx(folder / f"{stem}.xlsx", rows)


def as_parquet(folder: Path, tables: Tables) -> None:
    write_tables(folder, tables)
    for path in list(folder.glob("*.csv")):
        duckdb.read_csv(str(path)).write_parquet(str(path.with_suffix(".parquet")))
        path.unlink()


def as_txt(folder: Path, tables: Tables) -> None:
    write_tables(folder, tables, delimiter="\t", encoding="utf-16")
    for path in list(folder.iterdir()):
        path.rename(path.with_name(path.stem.upper() + ".TXT"))


def other_spellings(folder: Path, tables: Tables) -> None:
    """Ids as a float, columns in another order, columns that nobody asked for."""
    for cells in tables[PROFIT][1:]:
        cells[0] += ".0"
    tables[CUSTOMERS] = [[str(row), *reversed(cells)]
                         for row, cells in enumerate(tables[CUSTOMERS])]
    write_tables(folder, tables)


LAYOUTS: dict[str, Callable[[Path, Tables], None]] = {
    "a byte-order mark": lambda f, t: as_written(f, t, encoding="utf-8-sig"),
    "cp1251": lambda f, t: as_written(f, t, encoding="cp1251"),
    "UTF-16": lambda f, t: as_written(f, t, encoding="utf-16"),
    "UTF-16 without a mark": lambda f, t: as_written(f, t, encoding="utf-16-le"),
    "big-endian UTF-16 without a mark": lambda f, t: as_written(f, t, encoding="utf-16-be"),
    "semicolons": lambda f, t: as_written(f, t, delimiter=";"),
    "tabs": lambda f, t: as_written(f, t, delimiter="\t"),
    "bars": lambda f, t: as_written(f, t, delimiter="|"),
    "CRLF": lambda f, t: as_written(f, t, line_end="\r\n"),
    "CR": lambda f, t: as_written(f, t, line_end="\r"),
    "CR CR LF": lambda f, t: as_written(f, t, line_end="\r\r\n"),
    "quoted decimal commas": quoted_commas,
    "decimal commas in cp1251 with semicolons and CRLF": lambda f, t: (
        quoted_commas(f, t), as_written(f, t, encoding="cp1251", delimiter=";", line_end="\r\n")),
    "padded headers and values": padded,
    "grouped thousands": grouped,
    "blank lines": with_blank_lines,
    "empty rows": with_empty_rows,
    "cp1251 encoded twice": encoded_twice("cp1251"),
    "cp1252 encoded twice": encoded_twice("cp1252"),
    "Latin-1 encoded twice": encoded_twice("latin-1"),
    "a byte-order mark encoded twice": marked_and_encoded_twice,
    "values encoded twice": values_encoded_twice,
    "XLSX": as_xlsx,
    "Parquet": as_parquet,
    "TXT": as_txt,
    "other spellings": other_spellings,
}


@pytest.fixture(scope="module")
def plain(tmp_path_factory, settings):
    return rows_of(read_customers(write_store(tmp_path_factory.mktemp("plain")), settings))


@pytest.mark.parametrize("name", LAYOUTS)
def test_other_layouts_give_the_same_customers(name, tmp_path, plain, settings):
    LAYOUTS[name](tmp_path, make_tables())
    assert rows_of(read_customers(tmp_path, settings)) == plain


@pytest.mark.parametrize("codec", ["cp1251", "latin-1"])
def test_cyrillic_encoded_twice_is_refused_where_the_repair_is_not_declared(
        codec, tmp_path, settings):
    encoded_twice(codec)(tmp_path, make_tables())
    cleaning = settings.cleaning.model_copy(update={"repair_double_encoding": False})
    strict = settings.model_copy(update={"cleaning": cleaning})
    problems = problems_of(tmp_path, strict)
    assert {each.code for each in problems} == {"double_encoding"}
    assert places(problems)[:3] == [
        (FILE, "", 1, "double_encoding"), (FILE, "Покупательская активность", 2, "double_encoding"),
        (FILE, "Тип сервиса", 2, "double_encoding")]
    assert "encoded twice" in problems[0].message


def test_letters_that_a_wrong_encoding_lost_are_told_apart_from_a_missing_column(
        tmp_path, settings):
    write_store(tmp_path)
    lost = (tmp_path / MONEY).read_bytes().decode("cp1251", "replace")
    (tmp_path / MONEY).write_text(lost.replace("џ", "\ufffd"), encoding="utf-8")
    problems = problems_of(tmp_path, settings)
    assert "letters were lost" in problems[0].message
