"""What a store's tables and columns mean: the part of reportgen.toml that describes the data.

Text of the file comes in through `config`; a frozen `Contract` goes out. Every stage asks the
contract what a column is, so no stage knows a store's own headers or categories.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

_Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

Labels = Annotated[dict[str, _Label], Field(min_length=1)]
"""A text in each language, by language code."""


class _Frozen(BaseModel):
    """A part of the file: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Role(StrEnum):
    """What a column is to the analysis."""

    TARGET = "target"
    FEATURE = "feature"
    VALUE = "value"
    PERMISSION = "permission"
    GOODS = "goods"
    IGNORE = "ignore"


class Kind(StrEnum):
    """How the values of a column are to be read."""

    NUMBER = "number"
    CATEGORY = "category"


class Window(StrEnum):
    """When the values of a column came to be, seen from the month of the report."""

    PAST = "past"
    SAME_MONTH = "same_month"
    FUTURE = "future"
    UNKNOWN = "unknown"


class Unit(StrEnum):
    """What a number counts; the renderers know how to write each."""

    NONE = "none"
    MONEY = "money"
    SHARE = "share"
    RELATIVE_CHANGE = "relative_change"
    MINUTES = "minutes"
    DAYS = "days"
    PIECES = "pieces"
    CONTACTS = "contacts"
    PAGES = "pages"
    CATEGORIES = "categories"
    FAILURES = "failures"


class Change(_Frozen):
    """A derived column: relative change of one column against another."""

    of: str
    against: str


class Value(_Frozen):
    """One allowed value of a category: how the file spells it and what the report calls it."""

    source: str
    label: Labels
    aliases: tuple[str, ...] = ()


class Column(_Frozen):
    """One column of the table of customers.

    Attributes
    ----------
    table, source, period
        Where the values come from: table, header, and the period of a long table.
    change
        Instead of these for a derived column.
    short
        A label for narrow places; the label where absent.
    values
        Of a category: the report's name of each value and its spelling in the file.
    positive
        Of the target: the value that means "buys less".  Of the permission: "may be messaged".
    minimum, maximum
        Plausible range; a value outside stops the run.
    outliers
        Whether the robust rule looks for impossible values here.
    regular
        Whether a regular customer must have more than zero here.
    leakage_allowed
        Whether the column may tell the fallen apart almost alone: known, and wanted.
    decimals
        How many decimals the report shows.
    group
        Columns of one group say nearly the same and are reported together.
    """

    role: Role = Role.FEATURE
    kind: Kind = Kind.NUMBER
    label: Labels
    short: dict[str, str] = {}
    unit: Unit = Unit.NONE
    window: Window = Window.UNKNOWN
    table: str = ""
    source: str = ""
    period: str = ""
    change: Change | None = None
    values: dict[str, Value] = {}
    positive: str = ""
    minimum: float | None = None
    maximum: float | None = None
    outliers: bool = False
    regular: bool = False
    leakage_allowed: bool = False
    decimals: int = Field(default=0, ge=0, le=4)
    group: str = ""

    @property
    def written_decimals(self) -> int:
        """Decimals of the plain number; shares are written in percent, two places on."""
        return self.decimals + (2 if self.unit in (Unit.SHARE, Unit.RELATIVE_CHANGE) else 0)

    @property
    def is_feature(self) -> bool:
        """Whether the model may learn from the column."""
        return self.role in (Role.FEATURE, Role.PERMISSION, Role.GOODS)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.change is None and not (self.table and self.source):
            raise ValueError("give 'table' and 'source', or 'change' for a derived column")
        if self.change is not None and (self.table or self.source or self.kind != Kind.NUMBER):
            raise ValueError("a derived column is a number without 'table' and 'source'")
        if (self.kind == Kind.CATEGORY) != bool(self.values):
            raise ValueError("'values' belong to a category, and a category needs them")
        needs_positive = self.role in (Role.TARGET, Role.PERMISSION)
        if needs_positive and self.positive not in self.values:
            raise ValueError(f"'positive' must be one of {', '.join(self.values) or 'values'}")
        if self.role == Role.TARGET and len(self.values) != 2:
            raise ValueError("the target has exactly two values")
        if self.role == Role.VALUE and self.kind != Kind.NUMBER:
            raise ValueError("a value column is a number")
        if self.role == Role.GOODS and self.kind != Kind.CATEGORY:
            raise ValueError("a column of goods is a category")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("'minimum' lies above 'maximum'")
        return self._unambiguous()

    def _unambiguous(self) -> Self:
        """Refuse a spelling that stands for two values."""
        meaning: dict[str, str] = {}
        for name, value in self.values.items():
            for spelling in (value.source, *value.aliases):
                if meaning.setdefault(spelling, name) != name:
                    raise ValueError(f"{spelling!r} stands for both {meaning[spelling]!r} "
                                     f"and {name!r}")
        return self


class Period(_Frozen):
    """One period of a long table, as the file spells it."""

    source: str
    aliases: tuple[str, ...] = ()


class Table(_Frozen):
    """One table of the store.

    Attributes
    ----------
    file
        File name without its ending; any known kind of file serves. A folder of that name holds
        the table in parts, and so do the files that a name with ``*`` means.
    table
        Name in a database (``schema.name``), the file's if absent; ``{month}`` in it stands for
        the month, such as 2026_10.
    month
        Column of a database table that tells the month of a row, as a date or as text that begins
        with YYYY-MM; other months' rows are not read.
    id
        Header of the customer's id.
    period, periods
        Of a long table (a row for each customer and period): the header of the period and its
        values, by the report's names.
    """

    file: str
    table: str = ""
    month: str = ""
    id: str
    period: str = ""
    periods: dict[str, Period] = {}

    @property
    def is_long(self) -> bool:
        """Whether the table has a row for each customer and period."""
        return bool(self.period)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.period) != bool(self.periods):
            raise ValueError("'period' and 'periods' come together")
        return self


class Contract(_Frozen):
    """The store's tables and columns; the first table is the list of customers."""

    tables: dict[str, Table] = Field(min_length=1)
    columns: dict[str, Column] = Field(min_length=2)

    @property
    def base(self) -> str:
        """Name of the table that lists the customers, one a row."""
        return next(iter(self.tables))

    @cached_property
    def target(self) -> str:
        """Name of the target column."""
        return next(name for name, _ in self.of_role(Role.TARGET))

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Names of the columns the model learns from, in the contract's order."""
        return tuple(name for name, column in self.columns.items() if column.is_feature)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Names of the features that are numbers."""
        return tuple(name for name in self.features if self.columns[name].kind == Kind.NUMBER)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """Names of the features that are categories."""
        return tuple(name for name in self.features if self.columns[name].kind == Kind.CATEGORY)

    def of_role(self, role: Role) -> Iterator[tuple[str, Column]]:
        """Yield name and column of a role."""
        return ((name, column) for name, column in self.columns.items() if column.role == role)

    def first_of_role(self, role: Role) -> str | None:
        """Return the name of the first column of a role, None where there is none."""
        return next((name for name, _ in self.of_role(role)), None)

    def of_table(self, table: str) -> dict[str, Column]:
        """Columns that are read from a table, by name (ignored ones left out)."""
        return {
            name: column
            for name, column in self.columns.items()
            if column.table == table and column.role != Role.IGNORE
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tables[self.base].is_long:
            raise ValueError(f"tables.{self.base}: the first table lists the customers, "
                             "one a row, so it has no 'period'")
        for name, column in self.columns.items():
            self._check_origin(name, column)
        targets = [name for name, _ in self.of_role(Role.TARGET)]
        if len(targets) != 1:
            raise ValueError(f"exactly one column has role 'target', got {len(targets)}")
        if not self.features:
            raise ValueError("no column has role 'feature'")
        return self

    def _check_origin(self, name: str, column: Column) -> None:
        if column.change is not None:
            for part in (column.change.of, column.change.against):
                source = self.columns.get(part)
                if source is None or source.change is not None or source.kind != Kind.NUMBER:
                    raise ValueError(f"columns.{name}.change: {part!r} is not a number column "
                                     "that is read from a table")
            return
        table = self.tables.get(column.table)
        if table is None:
            raise ValueError(f"columns.{name}.table: {column.table!r} is unknown; "
                             f"known: {', '.join(self.tables)}")
        if column.period not in (table.periods if table.is_long else ("",)):
            known = ", ".join(table.periods) or "none, the table is not long"
            raise ValueError(f"columns.{name}.period: {column.period!r} is unknown; "
                             f"known: {known}")
