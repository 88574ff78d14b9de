"""The tables against the contract: every problem of a run at once.

Raw tables come in; nothing goes out, or one `DataError` that carries each problem with its file,
column, first row and count. A message never repeats a customer's id, only where it stands.

The checks are plain Ibis aggregates, one query a table as long as nothing is wrong, and not
pandera's: a problem has to name its first row, aliases and periods have to be understood first, and
its Ibis backend asks the engine once for each check of each column.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import ibis

from reportgen.cells import (
    Form,
    Spelling,
    as_text,
    form,
    has_comma,
    has_unclear_comma,
    has_unclear_point,
    is_missing,
    quoted,
    spellings,
)
from reportgen.config import Settings
from reportgen.contract import Column
from reportgen.engine import watched
from reportgen.errors import DataError, Problem
from reportgen.progress import Progress, parts, silent
from reportgen.queries import one_row, rows_of
from reportgen.tables import ID, PERIOD, ROW, RawTable, key_columns, meanings, readings

#: Most unknown values of a column that are told one by one.
_LISTED = 10

_TWICE = ("this is Cyrillic that was encoded twice (UTF-8 read as cp1251 or Latin-1 and saved "
          "again); export the file again, or set cleaning.repair_double_encoding = true")
_MISSING = "the value is missing; fill it in"


def validate(raw: Mapping[str, RawTable], settings: Settings, told: Progress = silent) -> None:
    """Check all tables; each is looked through, then held against the list of customers.

    Raises
    ------
    DataError
        With every problem: of each file, its cells and its keys, in the contract's order, then of
        the customers and of the tables against them.
    """
    problems: list[Problem] = []
    linked = []
    sizes = [table.rows for table in raw.values()]
    shares = parts(told, *sizes, *sizes)
    for table, share in zip(raw.values(), shares, strict=False):
        problems += table.problems
        if table.stored is not None:
            found = _faults(table, settings, share)
            problems += found
            if _can_be_linked(table, found, settings):
                linked.append(table.name)
    base = raw[settings.base]
    if base.has(settings.tables[base.name].id):
        problems += _customer_faults(base, settings)
    if base.name in linked:
        for name, share in zip(raw, shares[len(raw):], strict=True):
            if name in linked and name != base.name:
                problems += _link_faults(raw[name], base, settings, share)
    if problems:
        raise DataError(problems)


def _faults(table: RawTable, settings: Settings, told: Progress = silent) -> list[Problem]:
    """Find what is wrong within a table: one query, and more only where that raises a doubt."""
    measures = {f"doubt_{place}": _doubt(header, table, settings)
                for header, place in table.positions.items()}
    with watched(table.data.get_backend(), told):
        answer = one_row(table.data.aggregate(**measures)) if measures else {}
    problems = []
    if table.double_encoded and not settings.cleaning.repair_double_encoding:
        problems.append(Problem(table.file, "", 1, "double_encoding", _TWICE))
    for header, place in table.positions.items():
        if answer[f"doubt_{place}"]:
            for check in _checks(header, table, settings):
                problems += _explain(check, table)
    if table.keys < table.rows and table.has(*_keys(table, settings)):
        problems += _duplicates(table, settings)
    return problems


def _can_be_linked(table: RawTable, found: Sequence[Problem], settings: Settings) -> bool:
    """Whether all keys can be read; if not, every customer would bring up a problem."""
    keys = _keys(table, settings)
    return table.has(*keys) and not any(
        fault.column in keys and fault.code != "duplicate" for fault in found)


def _keys(table: RawTable, settings: Settings) -> list[str]:
    spec = settings.tables[table.name]
    return [header for header in (spec.id, spec.period) if header]


# ── Cells ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Check:
    """One thing that may be wrong with the cells of a column.

    ``bad``, ``beside`` and ``unless`` are conditions on a row: nothing is wrong where ``beside``
    holds nowhere, or ``unless`` somewhere. ``message`` is given the text of the first bad cell, or,
    with ``each``, of every distinct one.
    """

    header: str
    code: str
    bad: ibis.Column
    message: Callable[[str], str]
    beside: ibis.Column | None = None
    unless: ibis.Column | None = None
    each: bool = False


def _doubt(header: str, table: RawTable, settings: Settings) -> ibis.Scalar:
    """Whether anything in a column may be wrong: cheap to ask every time."""
    cell, known = table.written(header), _known(header, table, settings)
    if header == settings.tables[table.name].id:
        return table.data[ID].isnull().any()
    if known is not None:
        return (table.meant(header).isnull() | _is_twice_encoded(cell, known, settings)).any()
    columns = readings(settings, table.name)[header].values()
    outside = [_outside(header, column, table, settings) for column in columns]
    wrong = ibis.or_(table.meant(header).isnull(), *outside)
    if not cell.type().is_string():
        return wrong.any()
    return (wrong | has_unclear_comma(cell)).any() | (
        has_comma(cell).any() & has_unclear_point(cell).any())


def _checks(header: str, table: RawTable, settings: Settings) -> Iterator[_Check]:
    """Yield everything that may be wrong with a column."""
    cell, known = table.written(header), _known(header, table, settings)
    if header == settings.tables[table.name].id:
        yield _Check(header, "missing_value", table.data[ID].isnull(), lambda _: _MISSING)
    elif known is not None:
        yield from _text_checks(header, cell, known, table, settings)
    else:
        yield from _number_checks(header, cell)
        for name, column in readings(settings, table.name)[header].items():
            low = "" if column.minimum is None else f" from {column.minimum:g}"
            high = "" if column.maximum is None else f" to {column.maximum:g}"
            advice = (f"lies outside the plausible range{low}{high}; correct it, or widen the "
                      f"range of columns.{name} in reportgen.toml")
            yield _Check(header, "out_of_range", _outside(header, column, table, settings),
                         partial(_about, advice))


def _number_checks(header: str, cell: ibis.Column) -> Iterator[_Check]:
    forms = form(cell)
    yield _Check(header, "missing_value", forms == Form.MISSING, lambda _: _MISSING)
    yield _Check(header, "not_a_number", forms == Form.TEXT, partial(
        _about, "is not a number; correct it"))
    yield _Check(header, "mixed_separators", forms == Form.BOTH, partial(
        _about, "has both a point and a comma; write numbers without thousands separators"))
    yield _Check(header, "unclear_comma", forms == Form.UNCLEAR, partial(
        _about, "may have its comma, as every number of this column, between thousands or before "
        "decimals; write numbers with a decimal point and without thousands separators"),
        unless=forms == Form.COMMA)
    if cell.type().is_string():
        yield _Check(header, "unclear_point", has_unclear_point(cell), partial(
            _about, "may have its point between thousands, for other numbers of this column have "
            "a decimal comma; write numbers without thousands separators"),
            beside=has_comma(cell), unless=cell.contains(".") & ~has_unclear_point(cell))


def _text_checks(
    header: str, cell: ibis.Column, known: Mapping[str, Spelling], table: RawTable,
    settings: Settings,
) -> Iterator[_Check]:
    unknown, missing = table.meant(header).isnull(), is_missing(cell)
    is_period = header == settings.tables[table.name].period
    place = f"tables.{table.name}.periods"
    if not is_period:
        place = f"columns.{next(iter(readings(settings, table.name)[header]))}.values"
    yield _Check(header, "missing_value", unknown & missing, lambda _: _MISSING)
    yield _Check(header, "unknown_period" if is_period else "unknown_value", unknown & ~missing,
                 lambda text: _unknown(text, known, place), each=True)
    yield _Check(header, "double_encoding", _is_twice_encoded(cell, known, settings),
                 lambda _: _TWICE)


def _known(header: str, table: RawTable, settings: Settings) -> dict[str, Spelling] | None:
    """Give the spellings a column of texts may have, None for a column of numbers."""
    spec = settings.tables[table.name]
    if header == spec.period:
        return spellings(spec.periods)
    column = next(iter(readings(settings, table.name).get(header, {}).values()), None)
    return spellings(column.values) if column is not None and column.values else None


def _outside(header: str, column: Column, table: RawTable, settings: Settings) -> ibis.Column:
    """Whether a number lies outside the plausible range of a column of the contract."""
    value = table.meant(header)
    bounds = [ibis.literal(False)]
    if column.minimum is not None:
        bounds.append(value < column.minimum)
    if column.maximum is not None:
        bounds.append(value > column.maximum)
    outside = ibis.or_(*bounds)
    if column.period and PERIOD in table.data.columns:
        outside &= table.data[PERIOD] == column.period
    return outside


def _is_twice_encoded(
    cell: ibis.Column, known: Mapping[str, Spelling], settings: Settings
) -> ibis.Column:
    """Whether a cell needs a repair that the settings do not allow."""
    if settings.cleaning.repair_double_encoding:
        return ibis.literal(False)
    return as_text(cell).isin(
        [text for text, spelling in known.items() if spelling.code == "double_encoding"])


def _about(advice: str, text: str) -> str:
    return f"{quoted(text)} {advice}"


def _unknown(text: str, known: Mapping[str, Spelling], place: str) -> str:
    allowed = ", ".join(quoted(text) for text, spelling in known.items() if not spelling.code)
    near = difflib.get_close_matches(text, known, n=1)
    if near:
        meant = known[near[0]]
        advice = (f"if it is a typo of {quoted(meant.source)}, correct it or add it to `aliases` "
                  f"of {place}.{meant.name} in reportgen.toml")
    else:
        advice = f"correct it, or describe it in {place} in reportgen.toml"
    return f"{quoted(text)} is unknown, known are {allowed}; {advice}"


def _explain(check: _Check, table: RawTable) -> list[Problem]:
    """Ask for the first row, its text and the count of what a check finds."""
    rows = table.data.select(
        row=table.data[ROW], text=as_text(table.written(check.header)), bad=check.bad,
        beside=ibis.literal(True) if check.beside is None else check.beside,
        unless=ibis.literal(False) if check.unless is None else check.unless)
    bad = rows.filter(rows.bad)
    first = one_row(rows.aggregate(
        row=rows.row.min(where=rows.bad), text=rows.text.argmin(rows.row, where=rows.bad),
        count=rows.count(where=rows.bad), holds=rows.beside.any() & ~rows.unless.any()))
    if not (first["count"] and first["holds"]):
        return []
    found = [first]
    if check.each:
        texts = bad.group_by("text").aggregate(row=bad.row.min(), count=bad.count())
        found = rows_of(texts.order_by("row").limit(_LISTED))
    return [Problem(file, check.header, line, check.code, check.message(one["text"] or ""),
                    one["count"])
            for one in found for file, line in [table.place(one["row"])]]


# ── Keys ─────────────────────────────────────────────────────────────────────────────────────────


def _duplicates(table: RawTable, settings: Settings) -> list[Problem]:
    """Find customers, or customers' periods, whose rows do not say the same."""
    keys = key_columns(table.data)
    rows = meanings(table)
    distinct = rows.drop(ROW).distinct()
    sayings = distinct.group_by(keys).aggregate(sayings=distinct.count())
    disputed = rows.semi_join(sayings.filter(sayings.sayings > 1), keys)
    numbered = disputed.mutate(place=ibis.row_number().over(group_by=keys, order_by=ROW))
    later = numbered.filter(numbered.place > 0)
    answer = one_row(later.aggregate(row=later[ROW].min(), count=later.count()))
    if not answer["count"]:
        return []
    what = "customer in this period" if PERIOD in keys else "customer"
    file, line = table.place(answer["row"])
    return [Problem(file, settings.tables[table.name].id, line, "duplicate",
                    f"an earlier row of the same {what} says something else; keep the right one",
                    answer["count"])]


def _customer_faults(base: RawTable, settings: Settings) -> list[Problem]:
    """Judge the list of customers: enough of them, and both classes of the target."""
    problems = []
    minimum = settings.cleaning.minimum_customers
    if base.customers < minimum:
        problems.append(Problem(
            base.file, settings.tables[base.name].id, 0, "too_few_customers",
            f"there are {base.customers} customers, an analysis needs {minimum}; "
            "export all customers of the month"))
    target = settings.columns[settings.target]
    if base.has(target.source):
        classes = rows_of(base.data.select(name=base.meant(target.source)).distinct())
        if len(classes) == 1 and classes[0]["name"]:
            only = target.values[classes[0]["name"]].source
            problems.append(Problem(
                base.file, target.source, 0, "single_class",
                f"every customer is {quoted(only)}, so there is nothing to tell apart; "
                "export the customers of both classes"))
    return problems


def _link_faults(table: RawTable, base: RawTable, settings: Settings,
                 told: Progress) -> list[Problem]:
    """Hold the customers of a table against the list of customers."""
    present = _present(table, settings)
    listed = base.data.group_by(ID).aggregate(base_row=base.data[ROW].min())
    both = listed.outer_join(present, listed[ID] == present.customer)
    unlisted = both[ID].isnull()
    lacking = both[ID].notnull() & ~both.complete.fill_null(False)
    with watched(base.data.get_backend(), told):
        answer = one_row(both.aggregate(
            customers=both[ID].count(), unlisted=both.count(where=unlisted),
            lacking=both.count(where=lacking), rows=both.rows.sum(where=unlisted),
            row=both.row.min(where=unlisted), base_row=both.base_row.min(where=lacking)))
    header, tolerance = settings.tables[table.name].id, settings.cleaning.missing_tolerance
    problems = []
    if answer["unlisted"] > tolerance * answer["customers"]:
        file, line = table.place(answer["row"])
        problems.append(Problem(
            file, header, line, "unknown_customers",
            f"{answer['unlisted']} customers of this table are not in {base.file}; export both "
            "for the same month and customers", answer["rows"]))
    if answer["lacking"] > tolerance * answer["customers"]:
        listed_in, listed_at = base.place(answer["base_row"])
        problems.append(Problem(
            table.file, header, 0, "missing_customers",
            f"{answer['lacking']} of {answer['customers']} customers of {listed_in} are missing "
            f"here or lack a period, the first of them in its row {listed_at}, and "
            f"cleaning.missing_tolerance = {tolerance:g} allows fewer; export both for the same "
            "month and customers"))
    return problems


def _present(table: RawTable, settings: Settings) -> ibis.Table:
    """Give each customer of a table: rows, the first of them, whether no period is lacking."""
    periods = {column.period for column in settings.of_table(table.name).values()} - {""}
    complete = [(table.data[PERIOD] == period).any() for period in sorted(periods)]
    return table.data.group_by(customer=ID).aggregate(
        rows=table.data.count(), row=table.data[ROW].min(),
        complete=ibis.and_(ibis.literal(True), *complete))
