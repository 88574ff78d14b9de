"""Segments of the customers, each against all others.

The scored customers (an Ibis table) and rules come in; a `Segment` a rule and the `Segmentation`
that reconciles them go out. A rule becomes a condition of the engine, and only aggregates leave it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from typing import TypeVar

import ibis
import ibis.expr.types as ir
from scipy.stats import false_discovery_control

from reportgen.comparison import SMALLEST_GROUP, Comparison, Test, compare, matching
from reportgen.config import RISK, Settings
from reportgen.contract import Kind
from reportgen.intervals import normal
from reportgen.results import (
    CategoryRow,
    Estimate,
    Labels,
    Overlap,
    Part,
    ProfileRow,
    Segment,
    Segmentation,
)
from reportgen.rules import Rule

Row = TypeVar("Row", ProfileRow, CategoryRow)

#: Customers that a segment needs to stand alone; smaller ones are told together.
SMALLEST_SEGMENT = 50

#: Name of the group of all segments that are too small to stand alone.
SMALL = "small"

#: False discovery rate over all rows of all segments, and the least effect worth words.
FALSE_DISCOVERIES, SMALL_EFFECT = 0.05, 0.2


def profile(scored: ir.Table, settings: Settings) -> tuple[Segment, ...]:
    """Profile every segment of the settings, in their order; small ones at the end.

    Segments too small to stand alone are told together where they are many enough, and else by
    their name and rule only (``suppressed``).

    Parameters
    ----------
    scored
        One row a customer, see `scoring.score`.

    Notes
    -----
    All rows of all segments are tested together (Benjamini and Hochberg, 1995): `ProfileRow.told`.
    """
    alone, small = _by_size(scored, settings)
    found = []
    for name in alone:
        segment = settings.segments[name]
        found.append(_profile(scored, name, segment.label, _condition(scored, name, settings),
                              settings, rule=settings.rule(segment.rule)))
    if _together(small, scored, settings):
        conditions = [_condition(scored, name, settings) for name in small]
        found.append(_profile(scored, SMALL, _joined_label(small, settings),
                              reduce(operator.or_, conditions), settings, merged=small))
    else:
        found += [_Profiled(_blank(name, settings.segments[name].label,
                                   settings.rule(settings.segments[name].rule), ()))
                  for name in small]
    return _judged(found)


def segmentation(scored: ir.Table, settings: Settings) -> Segmentation:
    """Count who belongs to several segments, to any of them and to none, in two queries."""
    conditions = {name: _condition(scored, name, settings) for name in settings.segments}
    any_of = reduce(operator.or_, conditions.values(), ibis.literal(False))
    counted = scored.group_by(inside=any_of).aggregate(
        customers=scored.count(), fallen=scored["fallen"].sum(), alike=scored["alike"].sum(),
        contactable=scored["contactable"].sum(), value_at_risk=scored["value_at_risk"].sum(),
    )
    sides = {bool(row.pop("inside")): row for row in counted.to_pyarrow().to_pylist()}
    return Segmentation(overlaps=_overlaps(scored, conditions), inside=_part(sides.get(True)),
                        outside=_part(sides.get(False)))


def profile_rule(scored: ir.Table, name: str, label: Labels, rule_text: str,
                 settings: Settings) -> Segment:
    """Profile the customers who meet a rule.

    A segment too small to be published (see `comparison.SMALLEST_GROUP`) is told by its name
    and rule only. Where it leaves too few others, nothing that describes those is told.

    Raises
    ------
    RuleError
        Where the rule cannot be read.
    """
    rule = settings.rule(rule_text)
    return _profile(scored, name, label, matching(scored, rule), settings, rule=rule).segment


# ── One segment ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Profiled:
    """A segment, and the tests of its rows in their order: numbers, then categories."""

    segment: Segment
    tests: tuple[Test | None, ...] = ()


def _profile(scored: ir.Table, name: str, label: Labels, inside: ir.BooleanValue,
             settings: Settings, *, rule: Rule | None = None,
             merged: tuple[str, ...] = ()) -> _Profiled:
    numbers = _profile_numbers(settings)
    found = compare(scored, inside, settings, numbers=(*numbers, RISK),
                    categories=settings.categories)
    blank = _blank(name, label, rule, merged)
    if not found.inside.publishable:
        return _Profiled(blank)
    ours, others = found.inside, found.others
    rows = [found.profile_row(column) for column in numbers] if found.publishable else []
    categories = _categories(found, settings) if found.publishable else []
    value, contactable_value = _values_at_risk(scored, inside)
    segment = replace(
        blank, suppressed=False, customers=ours.customers,
        share=ours.customers / (ours.customers + others.customers),
        fallen=ours.fallen, alike=ours.alike, contactable=ours.contactable,
        contactable_share=ours.contactable / ours.customers, risk=ours.numbers[RISK].mean,
        decline=ours.decline, others_decline=others.decline if others.publishable else None,
        profile=tuple(rows), categories=tuple(categories),
        value_at_risk=value, contactable_value=contactable_value,
    )
    return _Profiled(segment, (
        *(found.number_test(row.column) for row in rows),
        *(found.category_test(row.column, row.value) for row in categories)))


def _blank(name: str, label: Labels, rule: Rule | None, merged: tuple[str, ...]) -> Segment:
    conditions = rule.conditions if rule else ()
    return Segment(
        name=name, label=dict(label), rule=str(rule) if rule else "",
        conditions=tuple((c.column, c.operator, c.value) for c in conditions),
        suppressed=True, customers=0, share=0.0, fallen=0, alike=0, contactable=0,
        contactable_share=0.0, risk=None, decline=None, others_decline=None,
        profile=(), categories=(), merged=merged,
    )


def _profile_numbers(settings: Settings) -> tuple[str, ...]:
    """Columns of the profile that can be averaged; categories have rows of their own."""
    return tuple(name for name in settings.presentation.profile
                 if settings.columns[name].kind == Kind.NUMBER)


def _categories(found: Comparison, settings: Settings) -> list[CategoryRow]:
    return [row for name in settings.categories for row in found.category_rows(name)]


def _values_at_risk(scored: ir.Table,
                    inside: ir.BooleanValue) -> tuple[Estimate | None, Estimate | None]:
    """Sum risk times value over all, and over those who may be messaged.

    With risk p and value V, what is really lost has the mean Σ pV and, customers being independent,
    the variance Σ p(1 − p)V². The interval holds that chance and takes the risks as right.
    """
    part = scored.filter(inside & scored["value_at_risk"].notnull())
    lost, risk, may = part["value_at_risk"], part["risk"], part["contactable"]
    variance = lost * lost * (1 - risk) / risk.nullif(0)
    row = part.aggregate(
        n=part.count(), sum=lost.sum(), variance=variance.sum(), n_may=may.sum(),
        sum_may=lost.sum(where=may), variance_may=variance.sum(where=may),
    ).to_pyarrow().to_pylist()[0]
    if not row["n"]:
        return None, None
    everybody, messaged = (
        normal(float(row[f"sum{one}"] or 0), math.sqrt(row[f"variance{one}"] or 0),
               int(row[f"n{one}"] or 0)) for one in ("", "_may"))
    return everybody, messaged if messaged.n >= SMALLEST_GROUP else None


# ── All segments ─────────────────────────────────────────────────────────────────────────────────


def _condition(scored: ir.Table, name: str, settings: Settings) -> ir.BooleanValue:
    return matching(scored, settings.rule(settings.segments[name].rule))


def _by_size(scored: ir.Table, settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part the segments into those who can stand alone and the small ones."""
    if not settings.segments:
        return (), ()
    row = scored.aggregate(**{
        name: _condition(scored, name, settings).sum() for name in settings.segments
    }).to_pyarrow().to_pylist()[0]
    large = tuple(name for name in settings.segments if (row[name] or 0) >= SMALLEST_SEGMENT)
    return large, tuple(name for name in settings.segments if name not in large)


def _joined_label(names: Sequence[str], settings: Settings) -> Labels:
    labels = [settings.segments[name].label for name in names]
    return {language: " + ".join(label[language] for label in labels) for language in labels[0]}


def _together(small: Sequence[str], scored: ir.Table, settings: Settings) -> bool:
    """Whether small segments are many enough together to be told as one."""
    if not small:
        return False
    inside = reduce(operator.or_, [_condition(scored, name, settings) for name in small])
    count = scored.aggregate(n=inside.sum()).to_pyarrow().to_pylist()[0]["n"]
    return (count or 0) >= SMALLEST_SEGMENT


def _judged(profiled: Sequence[_Profiled]) -> tuple[Segment, ...]:
    """Give every row its false discovery rate over all of them."""
    p_values = [test.p_value for one in profiled for test in one.tests if test is not None]
    rates = iter(false_discovery_control(p_values) if p_values else ())
    judged = []
    for one in profiled:
        own = [(test, None if test is None else float(next(rates))) for test in one.tests]
        count = len(one.segment.profile)
        judged.append(replace(
            one.segment,
            profile=tuple(_with_test(row, *found) for row, found in
                          zip(one.segment.profile, own[:count], strict=True)),
            categories=tuple(_with_test(row, *found) for row, found in
                             zip(one.segment.categories, own[count:], strict=True))))
    return tuple(judged)


def _with_test(row: Row, test: Test | None, q: float | None) -> Row:
    if test is None or q is None:
        return row
    return replace(row, effect=test.effect, q_value=q,
                   told=q < FALSE_DISCOVERIES and abs(test.effect) >= SMALL_EFFECT)


def _overlaps(scored: ir.Table,
              conditions: Mapping[str, ir.BooleanValue]) -> tuple[Overlap, ...]:
    pairs = list(combinations(conditions, 2))
    if not pairs:
        return ()
    row = scored.aggregate(**{
        f"pair_{place}": (conditions[first] & conditions[second]).sum()
        for place, (first, second) in enumerate(pairs)
    }).to_pyarrow().to_pylist()[0]
    counts = [int(row[f"pair_{place}"] or 0) for place in range(len(pairs))]
    return tuple(
        Overlap(first, second, None if 0 < count < SMALLEST_GROUP else count)
        for (first, second), count in zip(pairs, counts, strict=True))


def _part(row: Mapping[str, float | None] | None) -> Part:
    """Read a part back; nobody in it means no row."""
    found = row or {}
    customers, fallen, alike, contactable = (
        int(found.get(name) or 0) for name in ("customers", "fallen", "alike", "contactable"))
    value = found.get("value_at_risk")
    return Part(customers, fallen, alike, contactable, None if value is None else float(value))
