"""What was really sent, as the team tells it back: a small CSV with customer, action and date.

The text of a file comes in; rows that can be used, and a count of those that cannot by reason, go
out. A row of the file is told by its number and never by its customer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from reportgen.errors import DataError, Problem
from reportgen.results import FeedbackFault
from reportgen.results.experiment import FaultReason

COLUMNS = ("customer", "action", "date")

_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Feedback:
    """The customers to whom something was sent, and the rows that were left out."""

    customers: frozenset[str]
    faults: tuple[FeedbackFault, ...]


def read(path: Path, *, known: Collection[str], actions: Collection[str],
         month: str) -> Feedback | None:
    """Read the feedback that came with a month; None where there is no file.

    Parameters
    ----------
    known
        Customers who were drawn.
    actions
        Codes of the actions that were recommended.
    month
        Month in which the actions were carried out, as YYYY-MM.

    Raises
    ------
    DataError
        Where the file is no CSV with the three columns.
    """
    if not path.is_file():
        return None
    reached: set[str] = set()
    faults: dict[FaultReason, list[int]] = {}
    for number, row in _rows(path):
        reason = _fault(row, known=known, actions=actions, month=month)
        if reason is None:
            reached.add(row["customer"])
        else:
            faults.setdefault(reason, []).append(number)
    return Feedback(frozenset(reached), tuple(
        FeedbackFault(reason, len(rows), rows[0]) for reason, rows in sorted(faults.items())))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows with their line in the file; the header is line 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError([Problem(path.name, "", 0, "unreadable",
                                 f"the file cannot be read as UTF-8 text ({error}); "
                                 "save it as CSV, UTF-8")]) from error
    header = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.DictReader(io.StringIO(text), delimiter=delimiter, restval="")
    names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in COLUMNS if name not in names]:
        raise DataError([Problem(path.name, "", 1, "feedback_columns",
                                 f"the header lacks {', '.join(missing)}; it needs "
                                 f"{', '.join(COLUMNS)}")])
    reader.fieldnames = names
    try:
        for row in reader:
            yield reader.line_num, {name: str(row[name] or "").strip() for name in COLUMNS}
    except csv.Error as error:
        raise DataError([Problem(path.name, "", reader.line_num, "feedback_row",
                                 f"the row cannot be read ({error}); save it as CSV")]) from error


def _fault(row: dict[str, str], *, known: Collection[str], actions: Collection[str],
           month: str) -> FaultReason | None:
    if row["customer"] not in known:
        return "unknown_customer"
    try:
        sent = date.fromisoformat(row["date"])
    except ValueError:
        return "unreadable"
    if f"{sent:%Y-%m}" != month:
        return "date"
    return None if row["action"] in actions else "action"
