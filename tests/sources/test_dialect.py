"""The layout of a text file is found from its bytes."""

from __future__ import annotations

import pytest

from reportgen.errors import DataError
from reportgen.sources.dialect import detect, records

HEADER = ("id", "Выручка")


def write(tmp_path, text: str, encoding: str = "utf-8"):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(("encoding", "expected"), [
    ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1251", "cp1251"), ("utf-16", "utf-16"),
    ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
])
def test_the_encoding_is_told_from_the_bytes(tmp_path, encoding, expected):
    dialect = detect(write(tmp_path, "id;Выручка\n1;5\n2;6\n", encoding), HEADER)
    assert (dialect.encoding, dialect.header) == (expected, HEADER)


def test_a_late_letter_decides_the_encoding(tmp_path):
    text = "id,name\n" + "1,x\n" * 400_000 + "2,Ёж\n"  # beyond the first chunk of a megabyte
    assert detect(write(tmp_path, text, "cp1251"), ("id", "name")).encoding == "cp1251"
    assert detect(write(tmp_path, text), ("id", "name")).encoding == "utf-8"


def test_a_letter_across_two_chunks_is_read_whole(tmp_path):
    start = "id,name\n1,"
    text = start + "x" * (2**20 - len(start) - 1) + "Ё\n"  # its bytes are the chunk's last, first
    assert detect(write(tmp_path, text), ("id", "name")).encoding == "utf-8"


def test_a_wrong_byte_far_down_is_placed(tmp_path):
    path = write(tmp_path, "id,Выручка\n" + "1,x\n" * 400_000)
    path.write_bytes(path.read_bytes() + b"2,\xff\n")
    with pytest.raises(DataError) as caught:
        detect(path, HEADER)
    (problem,) = caught.value.problems
    assert (problem.row, problem.code) == (400_002, "encoding")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_gives_the_expected_headers(tmp_path, delimiter):
    text = f"id{delimiter}Выручка\n1{delimiter}5\n"
    assert detect(write(tmp_path, text), HEADER).delimiter == delimiter


def test_decimal_commas_do_not_pass_for_delimiters(tmp_path):
    # Both the comma and the semicolon give two even fields; only one gives known headers.
    dialect = detect(write(tmp_path, "id;Выручка, руб\n1;5,5\n"), ("id", "Выручка, руб"))
    assert (dialect.delimiter, dialect.header) == (";", ("id", "Выручка, руб"))


def test_unknown_headers_still_split_where_the_rows_are_even(tmp_path):
    dialect = detect(write(tmp_path, "a;b;c\n1,5;2;3\n1;2,5;3,5\n"), HEADER)
    assert dialect.header == ("a", "b", "c")


@pytest.mark.parametrize(("text", "lines"), [
    ("id,Выручка\n1,2\n", 2), ("id,Выручка\n1,2", 2), ("id,Выручка\r\n1,2\r\n", 2),
    ("id,Выручка\r1,2\r", None), ("id,Выручка\r\n1,2\n", None),
])
def test_only_even_line_ends_are_left_to_the_engine(tmp_path, text, lines):
    assert detect(write(tmp_path, text), HEADER).lines == lines


def test_records_begin_on_the_lines_an_editor_shows(tmp_path):
    path = write(tmp_path, 'id,a\n\n1,"two\nlines"\n2,x\n ,\n3,y\n')
    assert list(records(path, "utf-8", ",")) == [
        (1, ["id", "a"]), (3, ["1", "two\nlines"]), (5, ["2", "x"]), (7, ["3", "y"])]
