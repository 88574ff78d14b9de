"""The customer list for those who act: a workbook for people, a CSV for import.

The private list of actions (Parquet, a row a customer), a `results.Report` and a `Localizer` come
in; customers.xlsx and customers.csv go out. A customer stands on exactly one sheet: to be written
to, shown an offer on the site only, or left alone as the control group. The CSV holds the mailing
and nobody else. Whatever comes from data is neutralised, so that no cell becomes a formula.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reportgen.localization import Localizer
from reportgen.progress import Progress, silent
from reportgen.results import Report

Row = Mapping[str, Any]
"""A customer of the private list, by the names of its columns."""

Cell = str | float | int | date | None

#: Rows of a sheet, those to act on first: a workbook of more opens slowly or not at all. The format
#: itself ends at 1,048,576.
MOST_ROWS = 100_000

#: Reasons a customer.
REASONS = 3

_BATCH_ROWS = 10_000

#: Rows between two words of how far it is.
_WORD = 1_000

#: A cell that begins so may be run as a formula (OWASP ASVS 5.0, 1.2.10).
_FORMULA = tuple("=+-@\t\r\0")

#: What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

#: Columns of the CSV.
_IMPORTED = ("id", "action", "goods", "channel", "fallen", "risk_band", "risk", "forecast",
             "value_at_risk", "segments", "valid_until")


def mailed(row: Row) -> bool:
    """Whether a customer may be written to and is to be."""
    return bool(row["contactable"]) and row["group"] != "control"


_SHEETS: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    ("mailing", mailed),
    ("site", lambda row: not row["contactable"] and row["group"] != "control"),
    ("control", lambda row: row["group"] == "control"),
)
"""Sheets of customers in their order; each customer stands on one."""


@dataclass(frozen=True)
class _Column:
    """A column of the workbook: its texts are ``list.NAME`` and ``list.NAME_means``."""

    name: str
    width: int
    value: Callable[[Row], Cell]
    style: str = "text"


def write_workbook(actions: Path, report: Report, words: Localizer, *, path: Path,
                   told: Progress = silent) -> None:
    """Write the list as a workbook, holding one batch of it at a time.

    Parameters
    ----------
    actions
        Private list by `programme.ACTIONS`, ordered by place.
    report
        Labels of columns and segments, and the month.
    path
        Where the .xlsx is written.
    told
        Is told of the rows, as they find their sheet.
    """
    columns = _columns(report, words, money=_has_money(actions))
    book = xlsxwriter.Workbook(path, {
        "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
        "strings_to_numbers": False, "default_date_format": "yyyy-mm-dd",
    })
    year, month = map(int, report.month.split("-"))
    # The same list gives the same bytes.
    book.set_properties({"title": words.text("list.title", month=words.month(report.month)),
                         "created": datetime(year, month, 1)})
    styles = _styles(book)
    counts: dict[str, int] = {}
    for name, belongs in _SHEETS:
        counts[name] = _write_sheet(book, name, belongs, actions, columns, styles, words,
                                    _after(sum(counts.values()), actions, told))
    _explain(book, columns, counts, report, styles, words, until=_valid_until(actions))
    book.close()


def write_csv(actions: Path, *, path: Path) -> None:
    """Write the mailing for import: contract keys, ISO dates, decimal points, UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_IMPORTED)
        for row in _rows(actions):
            if mailed(row):
                writer.writerow([_plain(row[name]) for name in _IMPORTED])


def neutral(text: str) -> str:
    """Make a text that no spreadsheet takes for a formula, and that XML can hold."""
    clean = _FORBIDDEN.sub("", text)
    return f"'{clean}" if text.startswith(_FORMULA) or clean.startswith(_FORMULA) else clean


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return neutral(" ".join(value))
    if isinstance(value, float):
        return repr(round(value, 6))
    return value.isoformat() if isinstance(value, date) else neutral(str(value))


def _after(before: int, actions: Path, told: Progress) -> Callable[[int], None]:
    """Tell of the rows of a sheet beside those of the sheets before it."""
    total = pq.read_metadata(actions).num_rows
    told(before, total, "rows")
    return lambda count: told(before + count, total, "rows")


def _rows(actions: Path) -> Iterator[Row]:
    for batch in pq.ParquetFile(actions).iter_batches(batch_size=_BATCH_ROWS):
        yield from batch.to_pylist()


def _has_money(actions: Path) -> bool:
    values = pq.read_table(actions, columns=["value_at_risk"]).column(0)
    return bool(values.null_count < len(values))


def _valid_until(actions: Path) -> date | None:
    return next((row["valid_until"] for row in _rows(actions)), None)


# ── Columns ──────────────────────────────────────────────────────────────────────────────────────


def _columns(report: Report, words: Localizer, *, money: bool) -> tuple[_Column, ...]:
    """List the columns; what the customer is at risk to take away only where that is known."""
    # Small segments are told together, also of a customer.
    segments = {name: words.label(segment.label) for segment in report.segments
                for name in segment.merged or (segment.name,)}
    goods = next((column.values for column in report.columns.values() if column.role == "goods"),
                 {})

    def category(row: Row) -> str:
        return words.label(goods[row["goods"]]) if row["goods"] in goods else ""

    return (
        _Column("place", 6, lambda row: row["place"], "count"),
        _Column("id", 14, lambda row: row["id"]),
        _Column("action", 34, lambda row: words.text(f"recommendation.{row['action']}")),
        _Column("goods", 30, category),
        _Column("channel", 14, lambda row: words.text(f"list.channel_{row['channel']}")),
        _Column("class", 26, lambda row: words.text(
            "list.class_fallen" if row["fallen"] else "list.class_alike")),
        _Column("risk", 8, lambda row: row["risk"], "percent"),
        _Column("band", 10, lambda row: words.text(f"band.{row['risk_band']}")),
        *([_Column("forecast", 10, lambda row: row["forecast"], "percent")]
          if report.forecast and report.forecast.bands else []),
        *([_Column("value", 14, lambda row: row["value_at_risk"], "money")] if money else []),
        _Column("segments", 40, lambda row: "; ".join(dict.fromkeys(
            segments[name] for name in row["segments"] if name in segments))),
        *(_Column(f"reason_{place}", 38, partial(_reason, place, report, words))
          for place in range(1, REASONS + 1)),
        _Column("until", 12, lambda row: row["valid_until"], "date"),
    )


def _reason(place: int, report: Report, words: Localizer, row: Row) -> str:
    """Write a reason: the column, the customer's value, and what that adds to the risk."""
    if len(row["reasons"]) < place:
        return ""
    reason = row["reasons"][place - 1]
    column = report.columns[reason["column"]]
    if reason["value_text"] is not None:
        labels = column.values.get(reason["value_text"])
        value = words.label(labels) if labels else reason["value_text"]
    elif reason["value_number"] is None:
        value = words.text("list.unknown")
    else:
        unit = column.unit if column.unit in ("share", "relative_change", "money") else "none"
        value = words.quantity(reason["value_number"], unit, column.decimals)
    return words.text("list.reason", column=words.label(column.short or column.label), value=value,
                      part=words.points(reason["contribution"]))


# ── Sheets ───────────────────────────────────────────────────────────────────────────────────────


def _styles(book: xlsxwriter.Workbook) -> dict[str, Format]:
    base = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
    looks: dict[str, dict[str, Any]] = {
        "text": {"text_wrap": True}, "count": {"num_format": "0"}, "percent": {"num_format": "0%"},
        "money": {"num_format": "#,##0"}, "date": {"num_format": "yyyy-mm-dd", "align": "left"},
        "head": {"bold": True, "font_color": "#12436D", "bottom": 1, "text_wrap": True},
        "note": {"bold": True, "font_color": "#801650"},
    }
    return {name: book.add_format(base | look) for name, look in looks.items()}


def _write_sheet(book: xlsxwriter.Workbook, name: str, belongs: Callable[[Row], bool],
                 actions: Path, columns: tuple[_Column, ...], styles: Mapping[str, Format],
                 words: Localizer, told: Callable[[int], None]) -> int:
    """Write the customers who belong on a sheet; return how many there are, fitting or not."""
    sheet = book.add_worksheet(words.text(f"list.sheet_{name}"))
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
    sheet.write_string(0, 0, words.text(f"list.note_{name}"), styles["note"])
    for place, column in enumerate(columns):
        sheet.write_string(1, place, words.text(f"list.{column.name}"), styles["head"])
    count = 0
    for row in _rows(actions):
        if belongs(row):
            count += 1
            if not count % _WORD:
                told(count)
            if count <= MOST_ROWS:
                _write_row(sheet, count + 1, row, columns, styles)
    sheet.freeze_panes(2, 2)
    sheet.autofilter(1, 0, 1 + min(max(count, 1), MOST_ROWS), len(columns) - 1)
    _for_print(sheet)
    return count


def _write_row(sheet: Worksheet, at: int, row: Row, columns: tuple[_Column, ...],
               styles: Mapping[str, Format]) -> None:
    for place, column in enumerate(columns):
        value = column.value(row)
        style = styles[column.style]
        if value is None or value == "":
            sheet.write_blank(at, place, None, style)
        elif isinstance(value, str):
            sheet.write_string(at, place, neutral(value), style)
        elif isinstance(value, date):
            sheet.write_datetime(at, place, value, style)
        else:
            sheet.write_number(at, place, value, style)


def _explain(book: xlsxwriter.Workbook, columns: tuple[_Column, ...], counts: Mapping[str, int],
             report: Report, styles: Mapping[str, Format], words: Localizer, *,
             until: date | None) -> None:
    """Write the sheet that explains the others."""
    sheet = book.add_worksheet(words.text("list.sheet_explained"))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    lines: list[tuple[str, str]] = [
        (words.text("list.month"), words.month(report.month)),
        (words.text("list.until"), words.date(until.isoformat()) if until else ""),
        *((words.text(f"list.sheet_{name}"), words.text(f"list.{name}_means", n=count))
          for name, count in counts.items()),
        *((words.text("list.cut"), words.text("list.cut_means", n=count - MOST_ROWS))
          for count in counts.values() if count > MOST_ROWS),
    ]
    lines += [(words.text(f"list.{column.name}"), words.text(
        f"list.{re.sub(r'_[0-9]$', '', column.name)}_means")) for column in columns]
    sheet.write_string(0, 0, words.text("list.title", month=words.month(report.month)),
                       styles["head"])
    for at, (name, meaning) in enumerate(lines, start=1):
        sheet.write_string(at, 0, name, styles["text"])
        sheet.write_string(at, 1, meaning, styles["text"])
    _for_print(sheet)


def _for_print(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)      # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0, 1)

