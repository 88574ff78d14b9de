"""Segments of the customers, each against all others.

The scored customers (an Ibis table) and rules come in; a `Segment` a card and the `Segmentation`
that reconciles them go out. A rule becomes a condition of the engine, and only aggregates leave it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations
from typing import Any, TypeVar

import ibis
import ibis.expr.types as ir
from scipy.stats import false_discovery_control

from reportgen.comparison import (
    FALSE_DISCOVERIES,
    SMALL_EFFECT,
    SMALLEST_GROUP,
    Comparison,
    Test,
    compare,
    matching,
)
from reportgen.config import RISK, Settings
from reportgen.contract import Kind
from reportgen.intervals import normal
from reportgen.progress import Progress, counted, silent
from reportgen.queries import exact_sum, one_row, rows_of
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


def profile(scored: ir.Table, settings: Settings,
            told: Progress = silent) -> tuple[Segment, ...]:
    """Profile every segment of the settings, in their order; small ones at the end.

    Segments too small to stand alone are told together where they are many enough, and else by
    their name and rule only (``suppressed``).

    Parameters
    ----------
    scored
        One row a customer, see `scoring.score`.

    Notes
    -----
    All rows of all segments are tested together: `ProfileRow.told`.

    References
    ----------
    Benjamini and Hochberg (1995), Controlling the false discovery rate: a practical and powerful
    approach to multiple testing. Journal of the Royal Statistical Society B 57.
    """
    cards = _cards(scored, settings)
    return _judged([_profile(scored, card, settings) if card.shown else _Profiled(_blank(card))
                    for card in counted(cards, len(cards), "segments", told)])


def segmentation(scored: ir.Table, settings: Settings) -> Segmentation:
    """Count who belongs to two segments at once, and to any segment and to none."""
    told = [card for card in _cards(scored, settings) if card.shown]
    inside, outside = _reconciled(scored, settings)
    return Segmentation(overlaps=_overlaps(scored, told), inside=inside, outside=outside)


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
    return _profile(scored, _Card(name, label, matching(scored, rule), rule), settings).segment


# ── Which segments are told ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Card:
    """Customers to be told as one: a segment, or all small ones, which have no common rule."""

    name: str
    label: Labels
    inside: ir.BooleanValue
    rule: Rule | None = None
    merged: tuple[str, ...] = ()
    shown: bool = True


def _cards(scored: ir.Table, settings: Settings) -> list[_Card]:
    """List the segments that stand alone, then the small ones: together, or by name only."""
    declared = _declared(scored, settings)
    sizes = _count(scored, {card.name: card.inside for card in declared})
    large = [card for card in declared if sizes[card.name] >= SMALLEST_SEGMENT]
    small = [card for card in declared if sizes[card.name] < SMALLEST_SEGMENT]
    if not small:
        return large
    together = _together(small)
    if _count(scored, {SMALL: together.inside})[SMALL] >= SMALLEST_SEGMENT:
        return [*large, together]
    return [*large, *(replace(card, shown=False) for card in small)]


def _declared(scored: ir.Table, settings: Settings) -> list[_Card]:
    cards = []
    for name, segment in settings.segments.items():
        rule = settings.rule(segment.rule)
        cards.append(_Card(name, segment.label, matching(scored, rule), rule))
    return cards


def _together(small: Sequence[_Card]) -> _Card:
    labels = {language: " + ".join(card.label[language] for card in small)
              for language in small[0].label}
    return _Card(SMALL, labels, _any_of(small), merged=tuple(card.name for card in small))


def _any_of(cards: Sequence[_Card]) -> ir.BooleanValue:
    return reduce(operator.or_, (card.inside for card in cards), ibis.literal(False))


# ── One segment ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Profiled:
    """A segment, and the tests of its rows in their order: numbers, then categories."""

    segment: Segment
    tests: tuple[Test | None, ...] = ()


def _profile(scored: ir.Table, card: _Card, settings: Settings) -> _Profiled:
    numbers = _profile_numbers(settings)
    found = compare(scored, card.inside, settings, numbers=(*numbers, RISK),
                    categories=settings.categories)
    if not found.inside.publishable:
        return _Profiled(_blank(card))
    ours, others = found.inside, found.others
    value, contactable_value = _values_at_risk(scored, card.inside)
    told = replace(
        _blank(card), suppressed=False, customers=ours.customers,
        share=ours.customers / (ours.customers + others.customers),
        fallen=ours.fallen, alike=ours.alike, contactable=ours.contactable,
        contactable_share=ours.contactable / ours.customers, risk=ours.numbers[RISK].mean,
        decline=ours.decline, value_at_risk=value, contactable_value=contactable_value,
    )
    return _Profiled(told) if not found.publishable else _described(told, found, numbers, settings)


def _described(segment: Segment, found: Comparison, numbers: Sequence[str],
               settings: Settings) -> _Profiled:
    """Set a segment against all others."""
    rows = [_mean_row(found, column) for column in numbers]
    categories = [row for name in settings.categories for row in found.category_rows(name)]
    return _Profiled(
        replace(segment, others_decline=found.others.decline,
                decline_difference=found.decline_difference, decline_ratio=found.decline_ratio,
                profile=tuple(rows), categories=tuple(categories)),
        (*(None if row.difference is None else found.number_test(row.column) for row in rows),
         *(found.category_test(row.column, row.value) for row in categories)))


def _mean_row(found: Comparison, column: str) -> ProfileRow:
    """Return the means of a number; those of a few known values would give them away."""
    known = (side.numbers[column].n for side in (found.inside, found.others))
    if min(known) < SMALLEST_GROUP:
        return ProfileRow(column, None, None, None)
    return found.profile_row(column)


def _blank(card: _Card) -> Segment:
    conditions = card.rule.conditions if card.rule else ()
    return Segment(
        name=card.name, label=dict(card.label), rule=str(card.rule) if card.rule else "",
        conditions=tuple((c.column, c.operator, c.value) for c in conditions),
        suppressed=True, customers=0, share=0.0, fallen=0, alike=0, contactable=0,
        contactable_share=0.0, risk=None, decline=None, others_decline=None,
        profile=(), categories=(), merged=card.merged,
    )


def _profile_numbers(settings: Settings) -> tuple[str, ...]:
    """Columns of the profile that can be averaged; categories have rows of their own."""
    return tuple(name for name in settings.presentation.profile
                 if settings.columns[name].kind == Kind.NUMBER)


def _values_at_risk(scored: ir.Table,
                    inside: ir.BooleanValue) -> tuple[Estimate | None, Estimate | None]:
    """Sum risk times value over all customers of known value, and over those to be messaged.

    With risk p and value V, what is really lost has the mean Σ pV and, customers falling
    independently, the variance Σ p(1 − p)V². The interval holds that chance alone: it takes the
    customers as they are, none drawn from a larger crowd, and their risks as right.
    """
    part = scored.filter(inside & scored["value_at_risk"].notnull())
    lost, risk, may = part["value_at_risk"], part["risk"], part["contactable"]
    variance = lost * lost * (1 - risk) / risk.nullif(0)
    row = one_row(part.aggregate(
        n=part.count(), sum=exact_sum(lost), variance=variance.sum(), n_may=may.sum(),
        sum_may=exact_sum(lost, where=may), variance_may=variance.sum(where=may)))
    everybody, messaged = (
        normal(row[f"sum{one}"] or 0.0, math.sqrt(row[f"variance{one}"] or 0.0),
               int(row[f"n{one}"] or 0)) for one in ("", "_may"))
    if everybody.n < SMALLEST_GROUP:
        return None, None
    # What is left without those who may be messaged can be had by subtraction.
    safe = messaged.n >= SMALLEST_GROUP and not _few(everybody.n - messaged.n)
    return everybody, messaged if safe else None


# ── All segments ─────────────────────────────────────────────────────────────────────────────────


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


def _overlaps(scored: ir.Table, cards: Sequence[_Card]) -> tuple[Overlap, ...]:
    """Count the customers of every pair in one query."""
    pairs = list(combinations(cards, 2))
    counts = _count(scored, {f"pair_{place}": first.inside & second.inside
                             for place, (first, second) in enumerate(pairs)})
    return tuple(Overlap(first.name, second.name, None if _few(count) else count)
                 for (first, second), count in zip(pairs, counts.values(), strict=True))


def _reconciled(scored: ir.Table, settings: Settings) -> tuple[Part | None, Part | None]:
    """Count who is in any segment and who is in none.

    Where one side is small, the other would tell it by subtraction from everybody.
    """
    counted = scored.group_by(inside=_any_of(_declared(scored, settings))).aggregate(
        customers=scored.count(), fallen=scored["fallen"].sum(), alike=scored["alike"].sum(),
        contactable=scored["contactable"].sum(),
        value_at_risk=exact_sum(scored["value_at_risk"]),
    )
    sides = {bool(row["inside"]): row for row in rows_of(counted)}
    inside, outside = _part(sides.get(True, {})), _part(sides.get(False, {}))
    hidden = _few(inside.customers) or _few(outside.customers)
    return (None, None) if hidden else (inside, outside)


def _part(row: Mapping[str, Any]) -> Part:
    """Read a part back; nobody in it means no row."""
    customers, fallen, alike, contactable = (
        int(row.get(name) or 0) for name in ("customers", "fallen", "alike", "contactable"))
    return Part(customers, fallen, alike, contactable, row.get("value_at_risk"))


# ── Small helpers ────────────────────────────────────────────────────────────────────────────────


def _count(scored: ir.Table, conditions: Mapping[str, ir.BooleanValue]) -> dict[str, int]:
    """Count the customers who meet each condition, in one query."""
    if not conditions:
        return {}
    row = one_row(scored.aggregate(**{name: meets.sum() for name, meets in conditions.items()}))
    return {name: int(row[name] or 0) for name in conditions}


def _few(customers: int) -> bool:
    """Whether there are customers, but so few that they could be recognised."""
    return 0 < customers < SMALLEST_GROUP
