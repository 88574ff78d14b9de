"""From clean tables to the one table of customers, and the account of who is in it.

`CleanTables` comes in; `Customers` goes out: a row for each customer that the analysis uses, and
the data quality that tells what was repaired, who was left out and why. Long tables become columns,
changes between periods are derived, and nobody is lost without a reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ibis

from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.engine import watched
from reportgen.errors import DataError, Problem, ReportgenError
from reportgen.progress import Progress, parts, silent
from reportgen.queries import discard, exact_sum, materialise, medians, moved, one_row, rows_of
from reportgen.results import CleaningEntry, DataQuality, Exclusion, Light, SourceFile
from reportgen.tables import ID, PERIOD, ROW, CleanTable, CleanTables

#: Share of rows changed, and of customers left out, above which the data-quality light is amber.
#: A declared repair loses nothing, so rows changed alone never make it red.
ROWS_AMBER, CUSTOMERS_AMBER = 0.05, 0.01

#: Share of customers left out above which the figures may speak of another store: red.
CUSTOMERS_RED = 0.05

#: How long it takes to join the tables, to choose and sort the customers, and to account for the
#: rest, to each other.
_TIMES = (5, 3, 2)

#: Makes the median absolute deviation of a normal distribution its standard deviation.
MAD_SCALE = 0.6745

#: Number of the rule that excludes a customer, in the order of `_Rule`s; NULL where none does.
_RULE = "excluded_by"


@dataclass(frozen=True)
class Customers:
    """The table of customers.

    Attributes
    ----------
    table
        Stored in the engine, in the order of the list of customers: `id` (text), then every
        column of the contract that is not ignored: numbers as float64, categories by the
        contract's names of their values, changes NULL where the earlier period is 0.
    left_out
        Who is listed but not used: `id`, `reason`, and the same columns, as far as they are known.
    quality
        How the tables became this one.
    """

    table: ibis.Table
    left_out: ibis.Table
    quality: DataQuality

    def moved_to(self, connection: ibis.BaseBackend, *, scratch: Path | None = None,
                 told: Progress = silent) -> Customers:
        """Fetch both tables, a batch at a time, into another engine."""
        return replace(
            self,
            table=moved(self.table, connection, "customers", scratch=scratch, told=told),
            left_out=moved(self.left_out, connection, "left_out", scratch=scratch))


@dataclass(frozen=True)
class _Rule:
    """A reason to leave customers out; the first one that holds counts."""

    reason: str
    table: str
    column: str
    holds: ibis.Column


def customers(clean: CleanTables, settings: Settings, connection: ibis.BaseBackend,
              told: Progress = silent) -> Customers:
    """Join the tables, leave out whom the analysis is not about, and account for everyone.

    Raises
    ------
    DataError
        Too few customers are left, or customers of one class only.
    """
    joining, choosing, accounting = parts(told, *_TIMES)
    with watched(connection, joining):
        joined = materialise(connection, _joined(clean, settings), "joined")
    rules = _rules(joined, settings)
    judged = joined.mutate(**{_RULE: _first_that_holds(rules)})
    tally = _tally(judged, settings)
    used = judged.filter(judged[_RULE].isnull()).order_by(ROW)
    with watched(connection, choosing):
        table = materialise(connection, used.select(ID, *_names(settings)), "customers")
    excluded = judged.filter(judged[_RULE].notnull())
    reasons = ibis.cases(*((excluded[_RULE] == number, rule.reason)
                           for number, rule in enumerate(rules)), else_="") if rules else ""
    left_out = materialise(
        connection, excluded.select(ID, *_names(settings), reason=reasons), "left_out")
    accounting(0, 1, "%")
    made = Customers(table, left_out, _quality(clean, joined, rules, tally, settings))
    discard(joined)
    _check_enough(made, clean, settings)
    return made


# ── The join ─────────────────────────────────────────────────────────────────────────────────────


def _joined(clean: CleanTables, settings: Settings) -> ibis.Table:
    """Give each customer of the base table a row; what another table lacks is NULL."""
    base = clean.tables[settings.base]
    columns = {name: base.data[place] for name, place in _sources(base, settings).items()}
    joined = base.data.select(ROW, ID, **columns)
    for name, table in clean.tables.items():
        if name != settings.base:
            joined = joined.left_join(_by_customer(table, settings), ID).drop(f"{ID}_right")
    changes = {
        name: joined[column.change.of] / joined[column.change.against].nullif(0) - 1
        for name, column in settings.columns.items()
        if column.change is not None and column.role != Role.IGNORE
    }
    return joined.mutate(**changes)


def _by_customer(table: CleanTable, settings: Settings) -> ibis.Table:
    """Bring a table to one row for each customer; periods become columns."""
    data, columns = table.data, _sources(table, settings)
    if not settings.tables[table.raw.name].is_long:
        return data.select(ID, **{name: data[place] for name, place in columns.items()})
    return data.group_by(ID).aggregate(**{
        # A customer has one row a period, so this maximum picks a value and compares none.
        name: data[place].max(where=data[PERIOD] == settings.columns[name].period)
        for name, place in columns.items()
    })


def _sources(table: CleanTable, settings: Settings) -> dict[str, str]:
    """Column of the table's data for each column of the contract."""
    return {name: table.columns[column.source]
            for name, column in settings.of_table(table.raw.name).items()}


def _names(settings: Settings) -> list[str]:
    return [name for name, column in settings.columns.items() if column.role != Role.IGNORE]


# ── Who is left out ──────────────────────────────────────────────────────────────────────────────


def _rules(joined: ibis.Table, settings: Settings) -> list[_Rule]:
    """List the reasons to leave a customer out: missing, then not regular, then an outlier."""
    rules = [
        _Rule("missing", table, "", ibis.or_(*(joined[name].isnull() for name in columns)))
        for table in settings.tables
        if table != settings.base and (columns := settings.of_table(table))
    ]
    rules += [
        _Rule("not_regular", column.table, name, joined[name] <= 0)
        for name, column in settings.columns.items() if column.regular
    ]
    regular = joined.filter(~ibis.or_(ibis.literal(False), *(rule.holds for rule in rules)))
    return [*rules, *_outlier_rules(joined, regular, settings)]


def _outlier_rules(
    joined: ibis.Table, regular: ibis.Table, settings: Settings
) -> Iterator[_Rule]:
    """Yield the robust rule for each marked column that has a spread (Iglewicz and Hoaglin, 1993).

    The modified z-score 0.6745·|x − median| / MAD, median and MAD over the regular customers, says
    how far a value lies from the others without being moved by it.
    """
    marked = {name: column for name, column in settings.columns.items() if column.outliers}
    if not marked:
        return
    found = medians(regular.select(*marked))
    centres = {name: median for name, median in found.items() if median is not None}
    if not centres:
        return  # nobody is regular
    spreads = medians(regular.select(**{
        name: (regular[name] - centre).abs() for name, centre in centres.items()
    }))
    for name in centres:
        column, spread = marked[name], spreads[name]
        if spread:
            allowed = settings.cleaning.outlier_limit * spread / MAD_SCALE
            far = (joined[name] - centres[name]).abs() > allowed
            yield _Rule("outlier", column.table, name, far)


def _first_that_holds(rules: Sequence[_Rule]) -> ibis.Column:
    """Give the number of the first rule that excludes a customer, NULL where none does."""
    holding = [(rule.holds, number) for number, rule in enumerate(rules)]
    return ibis.cases(*holding, (ibis.literal(False), -1)).cast("int16")


# ── The account ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Share:
    """Customers, and the sum of what they spent in the newest period; None where it is unknown."""

    customers: int = 0
    money: float | None = None


def _tally(judged: ibis.Table, settings: Settings) -> dict[int | None, _Share]:
    """Count customers and money by the rule that excludes them, None for those that are used."""
    groups = judged.group_by(_RULE).aggregate(**_measures(judged, settings))
    return {group.pop(_RULE): _Share(**group) for group in rows_of(groups)}


def _measures(customers: ibis.Table, settings: Settings) -> dict[str, ibis.Scalar]:
    """Measure a `_Share`; money is the newest column of the report's first total, if it has one."""
    totals = list(settings.presentation.totals.values())
    measures = {"customers": customers.count()}
    if totals:
        measures["money"] = exact_sum(customers[totals[0].columns[-1]])
    return measures


def _quality(
    clean: CleanTables, joined: ibis.Table, rules: Sequence[_Rule],
    tally: Mapping[int | None, _Share], settings: Settings,
) -> DataQuality:
    excluded = [(rule, tally.get(number, _Share())) for number, rule in enumerate(rules)]
    everyone, used = _together(tally.values()), tally.get(None, _Share())
    listed = clean.tables[settings.base].raw.customers
    if everyone.customers != listed:
        raise ReportgenError(
            f"joining the tables made {everyone.customers} customers of {listed}; this is a fault "
            "of reportgen, please report it")
    by_reason = {
        reason: _together(share for rule, share in excluded if rule.reason == reason)
        for reason in dict.fromkeys(rule.reason for rule in rules)
    }
    rows_in = sum(table.raw.rows for table in clean.tables.values())
    share_changed = clean.rows_changed / rows_in
    left_out = everyone.customers - used.customers
    return DataQuality(
        files=tuple(_file(table) for table in clean.tables.values()),
        log=(*_repairs(clean, joined, settings), *_strangers(clean, joined, settings),
             *(_entry(rule, share) for rule, share in excluded if share.customers)),
        exclusions=tuple(Exclusion(reason, share.customers, share.money)
                         for reason, share in by_reason.items() if share.customers),
        customers_in=everyone.customers, customers_used=used.customers,
        rows_in=rows_in, rows_changed=clean.rows_changed, share_changed=share_changed,
        money_in=everyone.money, money_used=used.money,
        light=_light(share_changed, left_out / everyone.customers),
    )


def _together(shares: Iterable[_Share]) -> _Share:
    parts = list(shares)
    money = [part.money for part in parts if part.money is not None]
    return _Share(sum(part.customers for part in parts), math.fsum(money) if money else None)


def _file(table: CleanTable) -> SourceFile:
    raw = table.raw
    return SourceFile(table=raw.name, file=raw.file, sha256=raw.sha256, encoding=raw.encoding,
                      delimiter=raw.delimiter, rows=raw.rows, customers=raw.customers)


def _repairs(
    clean: CleanTables, joined: ibis.Table, settings: Settings
) -> Iterator[CleaningEntry]:
    """Yield the repairs with what the customers they touched spent."""
    for repair in clean.repairs:
        share = _Share()
        if repair.touched is not None:
            touched = joined.semi_join(repair.touched, ID)
            share = _Share(**one_row(touched.aggregate(**_measures(touched, settings))))
        yield replace(repair.entry, money=share.money)


def _strangers(
    clean: CleanTables, joined: ibis.Table, settings: Settings
) -> Iterator[CleaningEntry]:
    """Yield how many customers the base table lacks: other tables have them, the analysis not."""
    unlisted = [table.data.anti_join(joined, ID).select(ID)
                for name, table in clean.tables.items() if name != settings.base]
    if not unlisted:
        return
    everyone = ibis.union(*unlisted) if len(unlisted) > 1 else unlisted[0]
    count = one_row(everyone.aggregate(customers=everyone[ID].nunique()))["customers"]
    if count:
        yield CleaningEntry("missing", settings.base, "", "", "", count, None)


def _entry(rule: _Rule, share: _Share) -> CleaningEntry:
    return CleaningEntry(rule.reason, rule.table, rule.column, "", "", share.customers, share.money)


def _light(share_changed: float, share_left_out: float) -> Light:
    if share_left_out > CUSTOMERS_RED:
        return "red"
    amber = share_changed > ROWS_AMBER or share_left_out > CUSTOMERS_AMBER
    return "amber" if amber else "green"


def _check_enough(made: Customers, clean: CleanTables, settings: Settings) -> None:
    """Refuse what the exclusions left of a month if it cannot be analysed."""
    quality, target = made.quality, settings.columns[settings.target]
    minimum = settings.cleaning.minimum_customers
    base = clean.tables[settings.base].raw
    classes = one_row(made.table.aggregate(count=made.table[settings.target].nunique()))["count"]
    reasons = ", ".join(f"{each.reason}: {each.customers}" for each in quality.exclusions)
    left = f"{quality.customers_used} of {quality.customers_in} customers are left ({reasons})"
    advice = "check the columns marked `regular` and `outliers` in reportgen.toml"
    if quality.customers_used < minimum:
        raise DataError([Problem(
            base.file, settings.tables[base.name].id, 0, "too_few_customers",
            f"{left}, an analysis needs {minimum}; {advice}")])
    if classes < len(target.values):
        raise DataError([Problem(
            base.file, target.source, 0, "single_class",
            f"{left}, all of one class, so there is nothing to tell apart; {advice}")])
