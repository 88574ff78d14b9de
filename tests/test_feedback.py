"""What the team tells back about what was really sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportgen import feedback
from reportgen.errors import DataError
from reportgen.results import FeedbackFault


def read(path: Path, text: str, encoding: str = "utf-8") -> feedback.Feedback | None:
    file = path / "feedback.csv"
    file.write_bytes(text.encode(encoding))
    return feedback.read(file, known={"a", "b", "c"}, actions={"R1", "R7"}, month="2026-10")


def test_usable_rows_are_those_who_were_reached(tmp_path: Path) -> None:
    found = read(tmp_path, "customer,action,date\na,R1,2026-10-03\nb,R7,2026-10-31\n"
                           "a,R7,2026-10-05\n")
    assert found == feedback.Feedback(frozenset({"a", "b"}), ())


def test_what_cannot_be_used_is_counted_with_its_first_row(tmp_path: Path) -> None:
    found = read(tmp_path, "customer,action,date\n"
                           "x,R1,2026-10-03\n"          # line 2: nobody drew x
                           "a,R1,2026-09-30\n"          # 3: before the month
                           "b,R1,2026-11-01\n"          # 4: after it
                           "c,R5,2026-10-03\n"          # 5: not recommended
                           "a,R1,3 October\n"           # 6
                           "c,R1,2026-10-03\n")
    assert found == feedback.Feedback(frozenset({"c"}), (
        FeedbackFault("action", 1, 5), FeedbackFault("date", 2, 3),
        FeedbackFault("unknown_customer", 1, 2), FeedbackFault("unreadable", 1, 6)))


@pytest.mark.parametrize("text", [
    "\ufeffcustomer;action;date\r\na;R1;2026-10-03\r\n",
    "Date\tCustomer\tAction\tnote\n2026-10-03\ta\tR1\tfirst wave\n",
    'customer, action, date\n"a", R1, 2026-10-03\n',
])
def test_spreadsheets_may_write_it_their_way(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert found is not None
    assert found.customers == {"a"}


def test_no_file_is_no_feedback(tmp_path: Path) -> None:
    assert feedback.read(tmp_path / "feedback.csv", known=(), actions=(), month="2026-10") is None


@pytest.mark.parametrize(("text", "encoding", "told"), [
    ("customer,date\na,2026-10-03\n", "utf-8", "lacks action"),
    ("", "utf-8", "lacks customer, action, date"),
    ("customer,action,date\nклиент,R1,2026-10-03\n", "cp1251", "UTF-8"),
])
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, text: str, encoding: str, told: str
) -> None:
    with pytest.raises(DataError, match=rf"feedback\.csv.*{told}"):
        read(tmp_path, text, encoding)


def test_a_short_row_is_left_out(tmp_path: Path) -> None:
    found = read(tmp_path, "customer,action,date\na\n\na,R1,2026-10-03\n")
    assert found is not None
    assert (found.customers, [fault.reason for fault in found.faults]) == ({"a"}, ["unreadable"])
