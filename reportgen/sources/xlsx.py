"""Excel workbooks, by python-calamine: rows are spooled to the engine as texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, load_workbook

from reportgen.errors import DataError, Problem
from reportgen.progress import Progress, parts
from reportgen.sources.headers import Match, match
from reportgen.sources.reading import Reading, Task, spool, store

#: A cell holds every whole number up to here exactly.
_EXACT_WHOLE = 2**53

#: Rows between two words of how far it is.
_WORD = 1_000

#: How long a workbook's rows are read and stored, to each other.
_READING, _STORING = 20, 1

_Line = tuple[int, list[str | None]]


def read(path: Path, task: Task) -> Reading:
    """Read the sheet that has the most of the expected columns, by its first filled row."""
    reading, storing = parts(task.told, _READING, _STORING)
    try:
        with load_workbook(path) as workbook:
            found, width, lines = _best_sheet(workbook, task.headers, reading, file=path.name)
            rows = spool(lines, width=width, task=task)
    except CalamineError as error:
        raise DataError([Problem(
            path.name, "", 0, "unreadable", "this is not an Excel workbook, or it is damaged or "
            f"locked by a password; save it again as .xlsx ({error})",
        )]) from error
    return store(rows, found, replace(task, told=storing))


def _best_sheet(
    workbook: CalamineWorkbook, expected: Sequence[str], told: Progress, *, file: str,
) -> tuple[Match, int, Iterator[_Line]]:
    best: tuple[Match, int, Iterator[_Line]] | None = None
    for place, _ in enumerate(workbook.sheet_names):
        lines = _lines(workbook.get_sheet_by_index(place), told)
        _, header = next(lines, (0, []))
        found = match([name or "" for name in header], expected, file=file)
        if header and (best is None or len(found.positions) > len(best[0].positions)):
            best = found, len(header), lines
    if best is None:
        raise DataError([Problem(file, "", 0, "empty_file",
                                 "the workbook is empty; export the table again")])
    return best


def _lines(sheet: CalamineSheet, told: Progress) -> Iterator[_Line]:
    """Yield the filled rows with their number in the sheet."""
    last = sheet.total_height + 1       # it is counted from 0
    for row, cells in enumerate(sheet.iter_rows(), start=1):
        if not row % _WORD:
            told(row, last, "rows")
        texts = [_text(cell) for cell in cells]
        if any(text is not None for text in texts):
            yield row, texts


def _text(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _EXACT_WHOLE:
        return str(int(cell))
    return str(cell) if cell != "" else None
