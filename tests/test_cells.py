"""Cells are read as a person reads them, and doubtful ones are not guessed at."""

from __future__ import annotations

import hypothesis
import ibis
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen import cells
from reportgen.cells import Form
from reportgen.contract import Value


def read(expression, *texts):
    """Evaluate an expression over a column of cells."""
    kind = pa.string() if texts == (None,) else None
    table = ibis.memtable(pa.table({"cell": pa.array(texts, kind)}))
    return table.select(answer=expression(table.cell)).to_pyarrow()["answer"].to_pylist()


@pytest.mark.parametrize(("text", "expected"), [
    ("5", 5.0), ("5.0", 5.0), ("0.75", 0.75), ("0,75", 0.75), ("-3", -3.0), ("−3,5", -3.5),
    ("+2", 2.0), (".5", 0.5), (",5", 0.5), ("1e3", 1000.0), ("1.5E-2", 0.015),
    ("1 234,5", 1234.5), ("1\u00a0234\u00a0567", 1234567.0), ("12\u202f345.25", 12345.25),
    (" 7 ", 7.0), ("\u00a07,5\u00a0", 7.5), ("1234,500", 1234.5), ("0,125", 0.125),
    ("106862.2", 106862.2),
])
def test_numbers_are_read_in_every_usual_notation(text, expected):
    assert read(cells.number, text) == [expected]
    assert read(cells.form, text)[0] in (Form.NUMBER, Form.COMMA)


@pytest.mark.parametrize(("text", "expected"), [
    ("много", Form.TEXT), ("5 шт", Form.TEXT), ("1 2", Form.TEXT), ("1 23,5", Form.TEXT),
    ("inf", Form.TEXT), ("-Infinity", Form.TEXT), ("1_000", Form.TEXT), ("0x10", Form.TEXT),
    ("1e999", Form.TEXT), ("٣", Form.TEXT), ("1,2,3", Form.TEXT), ("5.", Form.TEXT),
    ("9" * 400, Form.TEXT), ("1.234,5", Form.BOTH), ("1,234.5", Form.BOTH),
    ("1 234.567,8", Form.BOTH), ("", Form.MISSING), (" ", Form.MISSING), ("-", Form.MISSING),
    ("—", Form.MISSING), ("NaN", Form.MISSING), ("#Н/Д", Form.MISSING), ("null", Form.MISSING),
    (None, Form.MISSING),
])
def test_what_is_no_number_is_told_apart_and_never_read_as_one(text, expected):
    assert read(cells.form, text) == [expected]
    assert read(cells.number, text) == [None]


@pytest.mark.parametrize(("text", "unclear"), [
    ("1,234", True), ("999,999", True), ("-1,234", True), ("1,23", False), ("1,2345", False),
    ("1234,567", False), ("0,567", False), ("1 234,567", False), ("1.234", False),
])
def test_only_a_comma_that_may_separate_thousands_is_unclear(text, unclear):
    assert read(cells.has_unclear_comma, text) == [unclear]
    assert (read(cells.form, text) == [Form.UNCLEAR]) is unclear


def test_typed_numbers_need_no_notation():
    values = [1.5, float("nan"), float("inf"), None]
    assert read(cells.number, *values) == [1.5, None, None, None]
    assert read(cells.form, *values) == [Form.NUMBER, Form.MISSING, Form.TEXT, Form.MISSING]


@hypothesis.settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(min_value=-1e15, max_value=1e15), min_size=1))
def test_numbers_written_by_python_are_read_back_exactly(numbers):
    assert read(cells.number, *map(repr, numbers)) == numbers


@pytest.mark.parametrize(("cell", "expected"), [
    ("215348", "215348"), ("215348.0", "215348"), ("007", "007"), ("A-17.0", "A-17.0"),
    (215348.0, "215348"), (215348, "215348"), ("", None), ("-", None), (float("nan"), None),
])
def test_an_id_is_the_same_whether_it_is_text_or_a_number(cell, expected):
    written = cells.written if isinstance(cell, str) else (lambda column: column)
    assert read(lambda column: cells.identifier(written(column)), cell) == [expected]


OPTIONS = {
    "premium": Value(source="премиум", label={"ru": "премиум"}),
    "standard": Value(source="стандарт", label={"ru": "стандарт"}, aliases=("стандартт",)),
}


def test_every_spelling_leads_to_the_name_and_tells_the_repair_it_needs():
    known = cells.spellings(OPTIONS)
    texts = ["премиум", "стандартт", "премиум".encode().decode("cp1251"), "золото", None]
    assert read(lambda column: cells.meaning(column, known), *texts) == [
        "premium", "standard", "premium", None, None]
    assert [known[text].code for text in texts[:3]] == ["", "alias", "double_encoding"]


def test_an_alias_never_takes_the_spelling_of_another_value():
    crossed = OPTIONS | {"basic": Value(source="базовый", label={"ru": "б"}, aliases=("премиум",))}
    assert cells.spellings(crossed)["премиум"].name == "premium"


@pytest.mark.parametrize("codec", ["cp1251", "latin-1"])
@given(text=st.text("абвгдежзйклмнопрстуфхцчшщъыьэюяАБВГДЕЖЗЙКЛМНОПРСТУФХЦЧШЩЫЬЭЮЯ _"))
def test_text_that_was_encoded_twice_is_among_the_foreseen_spellings(codec, text):
    # И is left out: its second byte, 0x98, has no letter in cp1251 and Python refuses it.
    text = f"д{text}д"
    assert text.encode().decode(codec) in cells.twice_encoded(text)


@pytest.mark.parametrize(("text", "shown"), [
    ("золото", "«золото»"), ("a\nb\x00", "«a\\nb\\x00»"), ("x" * 50, f"«{'x' * 40}…»"),
    ("\u202egnp", "«\\u202egnp»"),
])
def test_pieces_of_the_data_in_messages_are_short_and_harmless(text, shown):
    assert cells.quoted(text) == shown
