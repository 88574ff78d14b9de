"""Everything that can go wrong on purpose, and the exit code of each.

::

    ReportgenError               1   something failed
    ├── StorageError             1   a full disk, a read-only folder
    │   └── LockedError          1   another run holds the output folder
    ├── RenderError              1   a chart, a section or a page could not be made
    ├── MachineError             1   this machine lacks something the command needs
    ├── ConfigError              2   reportgen.toml cannot be used
    ├── DataError                3   the tables do not meet the contract
    ├── GateError                4   a gate failed; the report is written and says so
    └── MailError                5   the report is written, and somebody did not get it

Every message says what is wrong, where, and what to do. The classes derive from click's own
exception, so the command line prints them and exits without translating anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import click


class ReportgenError(click.ClickException):
    """A failure with one clear message for the person at the keyboard."""

    exit_code = 1


class StorageError(ReportgenError):
    """The output folder cannot be read or written."""


class LockedError(StorageError):
    """Another run holds the output folder."""


class RenderError(ReportgenError):
    """A chart, a section or a document could not be made; nothing is published."""


class MachineError(ReportgenError):
    """A library of the system is missing."""


class ConfigError(ReportgenError):
    """reportgen.toml cannot be used."""

    exit_code = 2


class GateError(ReportgenError):
    """A gate failed; the report was written and says so."""

    exit_code = 4


class MailError(ReportgenError):
    """The report was written, and somebody who should have it by e-mail does not."""

    exit_code = 5


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of the input: where it is, what it is and what to do.

    Attributes
    ----------
    file
        Name of the file (never its folder), or of the table where no file was found.
    column
        Header of the column in the file; empty where the whole file is at fault.
    row
        Line of the file, the header being line 1; 0 where no single row is at fault.
    code
        Stable short name of the kind of fault, for scripts and tests.
    message
        What is wrong and what to do, one sentence each.
    count
        How many rows show the same fault; ``row`` is the first of them.
    """

    file: str
    column: str
    row: int
    code: str
    message: str
    count: int = 1

    def __str__(self) -> str:
        """Place, then message, then how many more rows."""
        place = [self.file]
        if self.column:
            place.append(f"column «{self.column}»")
        if self.row:
            place.append(f"row {self.row}")
        more = f" (and {self.count - 1} more rows)" if self.count > 1 else ""
        return f"{', '.join(place)}: {self.message}{more} [{self.code}]"


class DataError(ReportgenError):
    """The tables do not meet the contract; carries every problem of the run at once."""

    exit_code = 3

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"the data do not meet the contract: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))
