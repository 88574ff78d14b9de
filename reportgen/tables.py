"""The store's tables on their way from files to the table of customers.

`sources` makes a `RawTable` of each file, `validation` judges them against the contract,
`cleaning` keeps what the cells mean and counts what was repaired, `features` joins the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import ibis

from reportgen.cells import identifier, meaning, number, spellings, written
from reportgen.contract import Column, Contract, Kind
from reportgen.errors import Problem
from reportgen.results import CleaningEntry

#: Columns of every table: line of the file (the header being line 1), customer, and in a long
#: table the period by the contract's name. Rows of a database have no lines; there the customer's
#: id stands for it, for rows must have an order.
ROW, ID, PERIOD = "row", "id", "period"

#: Of a table in several files: row n of file k, counted from 0, has the number k times this plus n.
ROWS_OF_A_PART = 2**40


@dataclass(frozen=True)
class RawTable:
    """One table of the store, as its file holds it.

    Attributes
    ----------
    name, file
        Name in the contract; name of the file, or the one expected where there is none.
    stored
        A table of the engine, None where the file could not be read. It has `ROW`, `ID` and
        `PERIOD`, and two columns for each header of the contract that was found: what is written
        there (NULL where empty) and what it means (a number, or the contract's name of the value;
        NULL where it cannot be understood).
    positions
        Place in the file of each header that was found.
    rows, keys, customers
        Rows, distinct customers (and periods), distinct customers.
    double_encoded
        Whether headers are Cyrillic that was encoded twice.
    problems
        What reading found.
    parts
        Names of the files, where there are several.
    """

    name: str
    file: str
    stored: ibis.Table | None = None
    positions: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    keys: int = 0
    customers: int = 0
    sha256: str = ""
    encoding: str = ""
    delimiter: str = ""
    double_encoded: bool = False
    problems: tuple[Problem, ...] = ()
    parts: tuple[str, ...] = ()

    def place(self, row: int | str | None) -> tuple[str, int]:
        """Return the file, and the line in it that a row's `ROW` means; 0 where it has none."""
        if not isinstance(row, int):
            return self.file, 0
        part, line = divmod(row, ROWS_OF_A_PART)
        return (self.parts[part], line) if self.parts else (self.file, row)

    @property
    def data(self) -> ibis.Table:
        """What is stored; only a table that could be read has it."""
        if self.stored is None:
            raise LookupError(f"{self.file} was not read")
        return self.stored

    def has(self, *headers: str) -> bool:
        """Whether the table was read and has these columns."""
        return self.stored is not None and all(header in self.positions for header in headers)

    def written(self, header: str) -> ibis.Column:
        """Return what the cells of a column say."""
        return self.data[f"c{self.positions[header]}"]

    def meant(self, header: str) -> ibis.Column:
        """Return what the cells of a column mean."""
        return self.data[f"v{self.positions[header]}"]


@dataclass(frozen=True)
class Repair:
    """A line of the cleaning log, and the customers it touched.

    ``touched`` has one column, `ID`, and is None where nobody's values became others.
    """

    entry: CleaningEntry
    touched: ibis.Table | None = None


@dataclass(frozen=True)
class CleanTable:
    """A table after the declared repairs.

    ``data`` has `ROW`, `ID`, in a long table `PERIOD`, and for each header of the contract the
    column ``columns`` names; a customer (and period) has one row.
    """

    raw: RawTable
    data: ibis.Table
    columns: Mapping[str, str]


@dataclass(frozen=True)
class CleanTables:
    """All tables after the declared repairs, and the log of these; see `CleanTable`.

    ``rows_changed`` counts rows that read otherwise than they mean, or were dropped.
    """

    tables: Mapping[str, CleanTable]
    repairs: tuple[Repair, ...]
    rows_changed: int


def headers(contract: Contract, table: str) -> tuple[str, ...]:
    """Headers the contract reads from a table: id, period, then the columns."""
    keys = [contract.tables[table].id, contract.tables[table].period]
    return tuple(dict.fromkeys(
        header for header in (*keys, *readings(contract, table)) if header
    ))


def readings(contract: Contract, table: str) -> dict[str, dict[str, Column]]:
    """Columns of the contract that each header of a table feeds, by name."""
    found: dict[str, dict[str, Column]] = {}
    for name, column in contract.of_table(table).items():
        found.setdefault(column.source, {})[name] = column
    return found


def understand(
    rows: ibis.Table, positions: Mapping[str, int], contract: Contract, table: str
) -> ibis.Table:
    """Add to what the cells of a table say what they mean.

    Parameters
    ----------
    rows
        `ROW`, and every column of a file as c0, c1, …, in the file's order.
    positions
        Place in the file of each header of the contract that is there.

    Returns
    -------
    ibis.Table
        As `RawTable` describes; rows of empty cells, which spreadsheets leave behind, are left out.
    """
    spec, feeds = contract.tables[table], readings(contract, table)
    columns = {header: next(iter(fed.values())) for header, fed in feeds.items()}
    texts = rows.select(ROW, **{
        f"c{place}": _cell(rows[f"c{place}"], columns.get(header))
        for header, place in positions.items()
    })
    if positions:
        texts = texts.filter(ibis.or_(*(texts[f"c{place}"].notnull()
                                        for place in positions.values())))
    added = {}
    if spec.id in positions:
        added[ID] = identifier(texts[f"c{positions[spec.id]}"])
    if spec.period in positions:
        period = texts[f"c{positions[spec.period]}"]
        added[PERIOD] = added[f"v{positions[spec.period]}"] = meaning(
            period, spellings(spec.periods))
    for header, column in columns.items():
        if header in positions:
            cell = texts[f"c{positions[header]}"]
            added[f"v{positions[header]}"] = number(cell) if column.kind == Kind.NUMBER \
                else meaning(cell, spellings(column.values))
    return texts.mutate(**added)


def _cell(cell: ibis.Column, column: Column | None) -> ibis.Column:
    """Take the blanks off a text; a column of numbers does it where it meets something odd."""
    if column is not None and column.kind == Kind.NUMBER and cell.type().is_string():
        return cell
    return written(cell)


def meanings(table: RawTable) -> ibis.Table:
    """Keep what the cells of a table mean, and drop how they are written."""
    keys = key_columns(table.data)
    return table.data.select(ROW, *keys, *(name for name in table.data.columns if name[0] == "v"))


def key_columns(data: ibis.Table) -> list[str]:
    """Columns that tell the rows of a table apart, as far as they are there."""
    return [name for name in (ID, PERIOD) if name in data.columns]
