"""Whether this month's tables still mean what the month before meant by them.

A `Pair` of months comes in before anything is learned. A column in another unit, many times the
customers or customers written otherwise would spoil every figure that follows, so they are told
first: the units and the number of customers stop the run, other ids stop the comparison. A change
of the contract itself is listed, and the columns it touches are not compared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from reportgen.config import Settings
from reportgen.contract import Kind
from reportgen.errors import DataError, Problem
from reportgen.queries import medians, one_row
from reportgen.results import ColumnInfo, ContractChange
from reportgen.trends.pair import Pair

#: Another unit moves a median by 10 at the least (tens, percent, seconds, thousands); a store's
#: own customers do not move it by 8 within a month.
UNIT_FACTOR = 8

#: Customers of one month over those of another from which on they are hardly the same store's.
CUSTOMERS_FACTOR = 5

#: Share of the month before's customers who are in this month's tables below which the ids, and
#: not the customers, have changed.
LEAST_IN_COMMON = 0.5


def check(months: Pair, settings: Settings, *, month: str, columns: Collection[str]) -> None:
    """Refuse tables of a month that cannot belong to the store of the month before.

    ``columns`` mean the same in both months by the contract; others have no unit to keep.

    Raises
    ------
    DataError
        Every column whose unit seems to have changed, and a number of customers that cannot be.
    """
    problems = [*_customers(months, settings, month), *_units(months, settings, month, columns)]
    if problems:
        raise DataError(problems)


def _customers(months: Pair, settings: Settings, month: str) -> Iterator[Problem]:
    then = months.report.data.customers_in
    now = sum(one_row(table.aggregate(n=table.count()))["n"]
              for table in (months.now, months.left_out))
    if then / CUSTOMERS_FACTOR < now < then * CUSTOMERS_FACTOR:
        return
    table = settings.tables[settings.base]
    yield Problem(
        table.file, table.id, 0, "customers_jumped",
        f"{now} customers, in {months.month} there were {then}; is this the whole table, and this "
        f"store's? {_accept(month)}")


def _units(months: Pair, settings: Settings, month: str,
           columns: Collection[str]) -> Iterator[Problem]:
    """Compare the medians of both months."""
    names = [name for name in columns
             if settings.columns[name].kind == Kind.NUMBER and settings.columns[name].change is None
             and name in months.then.columns]
    # What is zero has no unit.
    then, now = (medians(table.select(**{name: table[name].abs().nullif(0) for name in names}))
                 if names else {} for table in (months.then, months.now))
    for name in names:
        was, is_now = then[name], now[name]
        if not was or not is_now or 1 / UNIT_FACTOR < is_now / was < UNIT_FACTOR:
            continue
        column = settings.columns[name]
        yield Problem(
            settings.tables[column.table].file, column.source, 0, "unit_changed",
            f"the median is {is_now:g}, in {months.month} it was {was:g}: another unit? Deliver it "
            f"in the unit of before. {_accept(month)}")


def _accept(month: str) -> str:
    return f"If it is right, add \"{month}\" to [history] accepted in reportgen.toml"


def same_customers(months: Pair) -> bool:
    """Whether the months' customers are written alike: enough of them are in both."""
    here = months.now.select("id").union(months.left_out.select("id"))
    both = months.then.semi_join(here, "id")
    row = one_row(both.aggregate(n=both.count()))
    return bool(row["n"] >= LEAST_IN_COMMON * months.report.overview.customers)


def contract_changes(then: Mapping[str, ColumnInfo],
                     now: Mapping[str, ColumnInfo]) -> tuple[ContractChange, ...]:
    """List what the contract says of the columns today and did not say then, or the reverse."""
    found: list[ContractChange] = []
    for name in dict.fromkeys((*then, *now)):
        if name not in then:
            found.append(ContractChange("added", name, ""))
        elif name not in now:
            found.append(ContractChange("removed", name, ""))
        else:
            found.extend(_column_changes(then[name], now[name]))
    return tuple(found)


def _column_changes(then: ColumnInfo, now: ColumnInfo) -> Iterator[ContractChange]:
    if _meaning(then) != _meaning(now):
        yield ContractChange("redefined", now.name, "")
        return
    for value in now.values:
        if value not in then.values:
            yield ContractChange("value_added", now.name, value)
    for value in then.values:
        if value not in now.values:
            yield ContractChange("value_removed", now.name, value)


def _meaning(column: ColumnInfo) -> tuple[str, ...]:
    return (column.role, column.kind, column.unit, column.window)


def comparable(names: tuple[str, ...], changes: tuple[ContractChange, ...]) -> tuple[str, ...]:
    """Return the columns that mean the same in both months."""
    touched = {change.column for change in changes}
    return tuple(name for name in names if name not in touched)
