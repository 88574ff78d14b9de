"""Declared repairs, each counted: typos, decimal commas, Cyrillic encoded twice, duplicates.

Valid raw tables come in; `CleanTables` goes out: what the cells mean, one row for each customer
(and period), and a line of the log for each repair. Nothing is repaired that the contract does not
name, and cleaning what was cleaned changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import ibis

from reportgen.cells import Spelling, as_text, has_comma, spellings
from reportgen.config import Settings
from reportgen.contract import Column, Kind
from reportgen.engine import watched
from reportgen.progress import Progress, parts, silent
from reportgen.queries import materialise, one_row
from reportgen.results import CleaningEntry
from reportgen.tables import (
    ID,
    PERIOD,
    ROW,
    CleanTable,
    CleanTables,
    RawTable,
    Repair,
    meanings,
    readings,
)

#: How long dropping a table's duplicates takes, to counting its repairs.
_DROPPING = 4


@dataclass(frozen=True)
class _Rule:
    """A declared repair: the rows that need it, and what the log says of it."""

    code: str
    needed: ibis.Column
    column: str = ""
    before: str = ""
    after: str = ""

    @property
    def changes_values(self) -> bool:
        """Whether a value becomes another one; a decimal comma is only notation."""
        return self.code != "decimal_comma"


def clean(raw: Mapping[str, RawTable], settings: Settings,
          told: Progress = silent) -> CleanTables:
    """Apply the repairs that the contract declares.

    Parameters
    ----------
    raw
        Tables in which `validation.validate` found no fault.
    """
    shares = parts(told, *(table.rows for table in raw.values()))
    cleaned = {name: _clean(table, settings, share)
               for (name, table), share in zip(raw.items(), shares, strict=True)}
    return CleanTables(
        tables={name: table for name, (table, _, _) in cleaned.items()},
        repairs=tuple(repair for _, repairs, _ in cleaned.values() for repair in repairs),
        rows_changed=sum(changed for _, _, changed in cleaned.values()),
    )


def _clean(table: RawTable, settings: Settings,
           told: Progress) -> tuple[CleanTable, list[Repair], int]:
    """Return a table, what was repaired in it, and how many rows that changed."""
    rules = list(_rules(table, settings))
    twice = table.keys < table.rows
    counting, dropping = parts(told, 1, _DROPPING * twice)
    counts, changed = _count(table, rules, counting)
    repairs = [_repair(rule, count, table) for rule, count in zip(rules, counts, strict=True)
               if count]
    data = meanings(table)
    if twice:
        data, repair = _without_duplicates(table, dropping)
        repairs.append(repair)
        changed += repair.entry.rows
    columns = {header: f"v{place}" for header, place in table.positions.items()}
    return CleanTable(table, data, columns), repairs, changed


def _rules(table: RawTable, settings: Settings) -> Iterator[_Rule]:
    """Yield the repairs that a table may need."""
    spec = settings.tables[table.name]
    twice = [ibis.literal(table.double_encoded)]
    if spec.is_long:
        known = spellings(spec.periods)
        twice.append(_is_twice_encoded(table, spec.period, known))
        yield from _aliases(table, spec.period, known, column=PERIOD)
    for header, feeds in readings(settings, table.name).items():
        for name, column in feeds.items():
            if column.kind == Kind.NUMBER:
                yield from _decimal_commas(table, header, column, name)
            else:
                known = spellings(column.values)
                twice.append(_is_twice_encoded(table, header, known))
                yield from _aliases(table, header, known, column=name)
    yield _Rule("double_encoding", ibis.or_(*twice))


def _decimal_commas(table: RawTable, header: str, column: Column, name: str) -> Iterator[_Rule]:
    cell = table.written(header)
    if cell.type().is_string():
        here = table.data[PERIOD] == column.period if column.period else True
        yield _Rule("decimal_comma", has_comma(cell) & here, name)


def _aliases(
    table: RawTable, header: str, known: Mapping[str, Spelling], *, column: str
) -> Iterator[_Rule]:
    cell = as_text(table.written(header))
    for text, spelling in known.items():
        if spelling.code == "alias":
            yield _Rule("alias", cell == text, column, text, spelling.name)


def _is_twice_encoded(
    table: RawTable, header: str, known: Mapping[str, Spelling]
) -> ibis.Column:
    return as_text(table.written(header)).isin(
        [text for text, spelling in known.items() if spelling.code == "double_encoding"])


def _count(table: RawTable, rules: Sequence[_Rule], told: Progress) -> tuple[list[int], int]:
    """Count the rows that need each repair, and those whose values change by any."""
    needed = {f"rule_{i}": rule.needed for i, rule in enumerate(rules)}
    changing = [rule.needed for rule in rules if rule.changes_values]
    rows = table.data.select(ROW, changed=ibis.or_(*changing), **needed)
    with watched(table.data.get_backend(), told):
        answer = one_row(rows.aggregate(
            changed=rows.count(where=rows.changed),
            **{name: rows.count(where=rows[name]) for name in needed},
        ))
    return [answer[name] for name in needed], answer["changed"]


def _repair(rule: _Rule, rows: int, table: RawTable) -> Repair:
    entry = CleaningEntry(rule.code, table.name, rule.column, rule.before, rule.after, rows, None)
    touched = table.data.filter(rule.needed).select(ID).distinct() if rule.code == "alias" else None
    return Repair(entry, touched)


def _without_duplicates(table: RawTable, told: Progress) -> tuple[ibis.Table, Repair]:
    """Keep the first of several rows that say the same."""
    rows = meanings(table)
    says = [name for name in rows.columns if name != ROW]
    kept = rows.group_by(says).aggregate(rows[ROW].min().name(ROW), times=rows.count())
    connection = table.data.get_backend()
    with watched(connection, told):
        kept = materialise(connection, kept, table.name)
    entry = CleaningEntry("duplicate", table.name, "", "", "", table.rows - table.keys, None)
    return kept.drop("times"), Repair(entry, kept.filter(kept.times > 1).select(ID).distinct())
