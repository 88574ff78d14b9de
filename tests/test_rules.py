"""Segment rules: what is read, what is refused, and what the refusal says."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reportgen.rules import COMPARE, Condition, Operator, Rule, RuleError, parse_rule

COLUMNS: Mapping[str, tuple[str, ...] | None] = {
    "risk": None, "spend": None, "band": ("low", "high"), "город": ("Москва", "Тверь"),
}


def refusal(text: str) -> str:
    with pytest.raises(RuleError) as caught:
        parse_rule(text, columns=COLUMNS)
    return str(caught.value)


def test_two_conditions_are_read() -> None:
    assert parse_rule("band = 'high' and spend >= 0.5", columns=COLUMNS) == Rule((
        Condition("band", "=", "high"), Condition("spend", ">=", 0.5)))


@pytest.mark.parametrize(("text", "condition"), [
    ("spend>=10", Condition("spend", ">=", 10.0)),
    ("  spend   <  -0.4 ", Condition("spend", "<", -0.4)),
    ("город != 'Тверь'", Condition("город", "!=", "Тверь")),
    ("band\t=\n'low'", Condition("band", "=", "low")),
])
def test_spaces_do_not_matter(text: str, condition: Condition) -> None:
    assert parse_rule(text, columns=COLUMNS) == Rule((condition,))


@given(st.lists(
    st.builds(Condition, st.sampled_from(["risk", "spend"]), st.sampled_from(list(COMPARE)),
              st.floats(allow_nan=False, allow_infinity=False)),
    min_size=1, max_size=2, unique_by=lambda condition: condition.column,
))
def test_a_rule_that_is_written_reads_back_as_itself(conditions: list[Condition]) -> None:
    rule = Rule(tuple(conditions))
    assert parse_rule(str(rule), columns=COLUMNS) == rule


@pytest.mark.parametrize(("text", "message"), [
    ("sepnd >= 1", "unknown column 'sepnd' at position 1; known: band, risk, spend, город"),
    ("risk > 0 and sepnd >= 1", "unknown column 'sepnd' at position 14"),
    ("5 >= spend", "unknown column '5' at position 1"),
    ("spend 5 5", "expected one of = != >= <= > < at position 7"),
    ("spend >= 'ten'", "'spend' is a number: compare it with one (position 10)"),
    ("spend == 5", "'spend' is a number: compare it with one (position 8)"),
    ("band >= 'low'", "'band' is a category: only = and != fit (position 6)"),
    ("band = 'mid'", "unknown value 'mid' of 'band' at position 8; known: 'low', 'high'"),
    ("band = 1", "unknown value '1' of 'band' at position 8"),
    ("spend >= 1 or risk > 0", "expected 'and' at position 12"),
    ("spend >= 1 and", "breaks off after 'and'"),
    ("spend >=", "breaks off after position 8"),
    ("spend >= 1 and risk", "breaks off after position 19"),
    ("", "one to 2 conditions, got 0"),
    ("risk > 0 and spend > 0 and band = 'low'", "one to 2 conditions, got 3"),
    ("spend >= 1;", "unexpected ';' at position 11"),
    ("band = 'low", "unexpected \"'\" at position 8"),
    ("spend >= 1e5", "expected 'and' at position 11"),
])
def test_a_rule_that_cannot_be_read_is_refused_with_the_place(text: str, message: str) -> None:
    assert message in refusal(text)


@pytest.mark.parametrize("text", [
    "read_csv('/etc/passwd') = 1", "spend >= (select 1)", "spend >= 1 -- and",
    "__import__('os') = 1", "spend >= system('ls')", "\"spend\" >= 1", "spend >= risk",
])
def test_a_rule_can_neither_call_nor_nest_anything(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize("text", [
    "spend > 5 and spend < 5", "spend > 5 and spend <= 5", "spend = 5 and spend = 6",
    "spend >= 6 and spend <= 5", "spend = 5 and spend != 5", "spend = 5 and spend > 5",
    "band = 'low' and band = 'high'", "band = 'low' and band != 'low'",
    "band != 'low' and band != 'high'",
])
def test_a_rule_that_can_never_hold_is_refused(text: str) -> None:
    assert refusal(text).startswith("the rule can never hold")


@pytest.mark.parametrize("text", [
    "spend > 5 and spend < 6", "spend >= 5 and spend <= 5", "spend != 5 and spend != 6",
    "spend < 5 and spend < 6", "spend > 5 and spend > 6", "band = 'low' and band != 'high'",
    "spend < 100000000000000000000 and spend <= 100000000000000000000",
])
def test_a_rule_that_can_hold_is_kept(text: str) -> None:
    assert str(parse_rule(text, columns=COLUMNS)) == text


@given(
    st.tuples(st.sampled_from(list(COMPARE)), st.sampled_from(list(COMPARE))),
    st.tuples(st.integers(-2, 2), st.integers(-2, 2)),
)
def test_a_refused_pair_of_conditions_holds_for_no_number(
        operators: tuple[Operator, Operator], bounds: tuple[int, int]) -> None:
    def holds(value: float) -> bool:
        return all(COMPARE[o](value, b) for o, b in zip(operators, bounds, strict=True))

    text = " and ".join(f"spend {o} {b}" for o, b in zip(operators, bounds, strict=True))
    # Quarters from -4 to 4 fall on, between and beyond all bounds.
    if any(holds(step / 4) for step in range(-16, 17)):
        parse_rule(text, columns=COLUMNS)
    else:
        assert "never hold" in refusal(text)
