"""Segments of the customers, each against all others.

The scored customers (an Ibis table) and rules come in; a `Segment` a rule goes out. A rule
becomes a condition of the engine, and only aggregates leave it.
"""

from __future__ import annotations

import ibis.expr.types as ir

from reportgen.comparison import Comparison, compare, matching
from reportgen.config import RISK, Settings
from reportgen.contract import Kind
from reportgen.results import CategoryRow, Labels, Segment
from reportgen.rules import Rule


def profile(scored: ir.Table, settings: Settings) -> tuple[Segment, ...]:
    """Profile every segment of the settings, in their order.

    Parameters
    ----------
    scored
        One row a customer: the contract's columns, risk, risk_band, fallen, alike, contactable.
    """
    return tuple(
        profile_rule(scored, name, segment.label, segment.rule, settings)
        for name, segment in settings.segments.items()
    )


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
    numbers = _profile_numbers(settings)
    found = compare(scored, matching(scored, rule), settings,
                    numbers=(*numbers, RISK), categories=settings.categories)
    if not found.inside.publishable:
        return _suppressed(name, label, rule)
    inside, others = found.inside, found.others
    return Segment(
        name=name, label=dict(label), rule=str(rule), conditions=_conditions(rule),
        suppressed=False,
        customers=inside.customers,
        share=inside.customers / (inside.customers + others.customers),
        fallen=inside.fallen,
        alike=inside.alike,
        contactable=inside.contactable,
        contactable_share=inside.contactable / inside.customers,
        risk=inside.numbers[RISK].mean,
        decline=inside.decline,
        others_decline=others.decline if others.publishable else None,
        profile=tuple(found.profile_row(column) for column in numbers) if found.publishable else (),
        categories=_categories(found, settings) if found.publishable else (),
    )


def _profile_numbers(settings: Settings) -> tuple[str, ...]:
    """Columns of the profile that can be averaged; categories have rows of their own."""
    return tuple(name for name in settings.presentation.profile
                 if settings.columns[name].kind == Kind.NUMBER)


def _categories(found: Comparison, settings: Settings) -> tuple[CategoryRow, ...]:
    return tuple(row for name in settings.categories for row in found.category_rows(name))


def _conditions(rule: Rule) -> tuple[tuple[str, str, float | str], ...]:
    return tuple((c.column, c.operator, c.value) for c in rule.conditions)


def _suppressed(name: str, label: Labels, rule: Rule) -> Segment:
    return Segment(
        name=name, label=dict(label), rule=str(rule), conditions=_conditions(rule),
        suppressed=True, customers=0, share=0.0, fallen=0, alike=0, contactable=0,
        contactable_share=0.0, risk=None, decline=None, others_decline=None,
        profile=(), categories=(),
    )
