"""Segment rules: ``risk_band = 'high' and promo_share >= 0.5``.

A rule is at most two comparisons of a column with a literal, joined by ``and``. Text comes in
from reportgen.toml; a frozen `Rule` goes out, which `segments` turns into an engine expression.
Nothing else can be said in a rule, so it can neither call a function nor reach a file.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

Operator = Literal["=", "!=", ">=", "<=", ">", "<"]

#: What each operator means, for plain values and for expressions of an engine alike.
COMPARE: Mapping[Operator, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, ">=": operator.ge,
    "<=": operator.le, ">": operator.gt, "<": operator.lt,
}

#: More conditions cannot be read at a glance, and a segment must be.
MOST_CONDITIONS = 2

_TOKEN = re.compile(
    r"\s*(?:(?P<operator>>=|<=|!=|=|>|<)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|'(?P<text>[^']*)'|(?P<word>[^\W\d]\w*)|(?P<other>\S))"
)


class RuleError(ValueError):
    """A rule cannot be read; the message names the position."""


@dataclass(frozen=True)
class Condition:
    """One comparison of a column with a literal."""

    column: str
    operator: Operator
    value: float | str


@dataclass(frozen=True)
class Rule:
    """Conditions that must all hold."""

    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        """Return the rule as it is written in reportgen.toml."""
        return " and ".join(
            f"{c.column} {c.operator} {_literal(c.value)}" for c in self.conditions
        )


def parse_rule(text: str, *, columns: Mapping[str, tuple[str, ...] | None]) -> Rule:
    """Read a rule and check it against the columns that exist.

    Parameters
    ----------
    text
        The rule.
    columns
        Every name a rule may use; for a category its allowed values, for a number None.

    Raises
    ------
    RuleError
        On a syntax error (with the position), an unknown column or value (with those that
        exist), a comparison that does not fit the column, or a rule that can never hold.

    Examples
    --------
    >>> str(parse_rule("spend >= 10 and tier = 'gold'", columns={"spend": None, "tier": ("gold",)}))
    "spend >= 10 and tier = 'gold'"
    """
    tokens = _tokens(text)
    conditions = []
    for start in range(0, len(tokens), 4):
        part = tokens[start : start + 4]
        if len(part) < 3:
            raise RuleError(f"the rule breaks off after position {len(text)}: {text!r}")
        conditions.append(_condition(part[:3], columns))
        if len(part) == 4 and (part[3].kind, part[3].text) != ("word", "and"):
            raise RuleError(f"expected 'and' at position {part[3].position}: {text!r}")
        if len(part) == 4 and start + 4 >= len(tokens):
            raise RuleError(f"the rule breaks off after 'and': {text!r}")
    if not 1 <= len(conditions) <= MOST_CONDITIONS:
        raise RuleError(f"a rule has one to {MOST_CONDITIONS} conditions, got {len(conditions)}")
    rule = Rule(tuple(conditions))
    if _contradicts(rule, columns):
        raise RuleError(f"the rule can never hold: {rule}")
    return rule


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


def _tokens(text: str) -> list[_Token]:
    tokens = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "other":
            raise RuleError(f"unexpected {match['other']!r} at position {match.start('other') + 1}")
        start = match.end() - len(match[0].lstrip()) + 1
        tokens.append(_Token(kind, match[kind], start))
    return tokens


def _condition(part: list[_Token], columns: Mapping[str, tuple[str, ...] | None]) -> Condition:
    column, comparison, literal = part
    if column.kind != "word" or column.text not in columns:
        raise RuleError(
            f"unknown column {column.text!r} at position {column.position}; "
            f"known: {', '.join(sorted(columns))}"
        )
    if comparison.kind != "operator":
        raise RuleError(f"expected one of {' '.join(get_args(Operator))} "
                        f"at position {comparison.position}")
    values = columns[column.text]
    if values is None:
        return Condition(column.text, _operator(comparison), _number(column, literal))
    if comparison.text not in ("=", "!="):
        raise RuleError(f"{column.text!r} is a category: only = and != fit "
                        f"(position {comparison.position})")
    if literal.kind != "text" or literal.text not in values:
        raise RuleError(f"unknown value {literal.text!r} of {column.text!r} at position "
                        f"{literal.position}; known: {', '.join(map(repr, values))}")
    return Condition(column.text, _operator(comparison), literal.text)


def _operator(token: _Token) -> Operator:
    return next(known for known in COMPARE if known == token.text)


def _number(column: _Token, literal: _Token) -> float:
    if literal.kind != "number":
        raise RuleError(f"{column.text!r} is a number: compare it with one "
                        f"(position {literal.position})")
    return float(literal.text)


def _contradicts(rule: Rule, columns: Mapping[str, tuple[str, ...] | None]) -> bool:
    """Whether no value of a column can meet all conditions on it."""
    by_column: dict[str, list[Condition]] = {}
    for condition in rule.conditions:
        by_column.setdefault(condition.column, []).append(condition)
    return not all(
        any(all(_holds(probe, c) for c in conditions)
            for probe in columns[column] or _probes(conditions))
        for column, conditions in by_column.items()
    )


def _probes(conditions: list[Condition]) -> list[float]:
    """Numbers that stand for all: the truth of comparisons changes only at the values named."""
    points = sorted({float(c.value) for c in conditions})
    return [-math.inf, *points, sum(points) / len(points), math.inf]


def _holds(value: Any, condition: Condition) -> bool:
    return bool(COMPARE[condition.operator](value, condition.value))


def _literal(value: float | str) -> str:
    """Write a literal so that reading the rule again gives the same one; no exponents."""
    if isinstance(value, str):
        return f"'{value}'"
    return f"{Decimal(repr(value)):f}".removesuffix(".0")
