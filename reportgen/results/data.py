"""How the tables became the table of customers."""

from __future__ import annotations

from dataclasses import dataclass

from reportgen.results.common import Light


@dataclass(frozen=True)
class SourceFile:
    """One input file; ``customers`` counts the distinct customers in it."""

    table: str
    file: str
    sha256: str
    encoding: str
    delimiter: str
    rows: int
    customers: int


@dataclass(frozen=True)
class CleaningEntry:
    """One declared repair or exclusion, and what it touched.

    ``code`` names the rule: "alias" (a known typo, ``before`` → ``after``), "decimal_comma",
    "double_encoding", "duplicate" (identical rows dropped), "missing" (a customer without rows
    in a table), "not_regular", "outlier". ``money`` is the revenue of the newest month of
    the touched customers, None where it does not apply.
    """

    code: str
    table: str
    column: str
    before: str
    after: str
    rows: int
    money: float | None


@dataclass(frozen=True)
class Exclusion:
    """Customers left out for one reason ("missing", "not_regular", "outlier")."""

    reason: str
    customers: int
    money: float | None


@dataclass(frozen=True)
class DataQuality:
    """How the tables became the table of customers: customers_in = used + all exclusions."""

    files: tuple[SourceFile, ...]
    log: tuple[CleaningEntry, ...]
    exclusions: tuple[Exclusion, ...]
    customers_in: int
    customers_used: int
    rows_in: int
    rows_changed: int
    share_changed: float
    money_in: float | None
    money_used: float | None
    light: Light
