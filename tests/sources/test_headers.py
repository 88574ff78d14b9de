"""Headers are found however they are padded, and what is missing is told with a remedy."""

from __future__ import annotations

from reportgen.sources.headers import match

EXPECTED = ("id", "Период", "Выручка")


def test_headers_are_found_in_any_order_between_others():
    found = match(["x", "Выручка", "id", "", "Период"], EXPECTED, file="f.csv")
    assert found.positions == {"id": 2, "Период": 4, "Выручка": 1}
    assert not found.problems


def test_blanks_and_decomposed_letters_do_not_matter():
    decomposed = "  Средний\u00a0"  # и with a combining breve, as macOS writes й
    assert match([decomposed], ("Средний",), file="f.csv").positions == {"Средний": 0}


def test_a_doubled_header_counts_only_where_the_contract_reads_it():
    found = match(["id", "note", "note", "Период", "Период", "Выручка"], EXPECTED, file="f.csv")
    (problem,) = found.problems
    assert (problem.column, problem.code) == ("Период", "doubled_column")
    assert "columns 4, 5" in problem.message


def test_a_missing_header_names_the_nearest_one():
    (problem,) = match(["id", "Период", "Выручкa"], EXPECTED, file="f.csv").problems
    assert (problem.file, problem.column, problem.row) == ("f.csv", "Выручка", 1)
    assert "rename «Выручкa»" in problem.message  # its last letter is Latin


def test_headers_encoded_twice_are_recognised():
    twice = [header.encode().decode("cp1251") for header in EXPECTED]
    found = match(twice, EXPECTED, file="f.csv")
    assert found.positions == {"id": 0, "Период": 1, "Выручка": 2}
    assert found.double_encoded
    assert not match(EXPECTED, EXPECTED, file="f.csv").double_encoded
