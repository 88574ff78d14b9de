"""What work tells of itself: the whole, its parts, and things made one after another."""

from __future__ import annotations

import pytest

from reportgen.progress import Progress, counted, parts, silent

Told = tuple[float, float, str]


@pytest.fixture
def seen() -> list[Told]:
    return []


@pytest.fixture
def told(seen: list[Told]) -> Progress:
    return lambda *what: seen.append(what)


def test_parts_tell_of_the_whole_in_its_own_unit(seen: list[Told], told: Progress) -> None:
    """Of 1 + 3 parts in percent, half of the second is 25 + 75 / 2 = 62.5."""
    first, second = parts(told, 1, 3)
    first(0, 8, "rows")
    first(4, 8, "rows")
    second(1, 2, "fits")
    second(2, 2, "fits")
    assert seen == [(0, 100, "%"), (12.5, 100, "%"), (62.5, 100, "%"), (100, 100, "%")]


def test_parts_may_be_counted_in_what_they_are(seen: list[Told], told: Progress) -> None:
    small, large = parts(told, 1_000, 9_000, unit="bytes")
    small(1, 1, "%")
    large(50, 100, "%")
    assert seen == [(1_000, 10_000, "bytes"), (5_500, 10_000, "bytes")]


def test_parts_of_parts_add_up(seen: list[Told], told: Progress) -> None:
    """Half of the last quarter is 75 + 12.5."""
    _, last = parts(told, 3, 1)
    _, half = parts(last, 1, 1)
    half(0, 5, "fits")
    half(5, 5, "fits")
    assert seen == [(87.5, 100, "%"), (100, 100, "%")]


def test_work_of_no_size_is_done(seen: list[Told], told: Progress) -> None:
    parts(told, 1)[0](0, 0, "rows")
    parts(told, 0, 0, unit="bytes")[1](0, 5, "rows")
    assert seen == [(100, 100, "%"), (0, 0, "bytes")]


def test_what_is_made_is_counted_as_it_comes(seen: list[Told], told: Progress) -> None:
    made = counted(iter("ab"), 2, "fits", told)
    assert next(made) == "a"
    assert seen == [(0, 2, "fits"), (1, 2, "fits")]
    assert list(made) == ["b"]
    assert seen[-1] == (2, 2, "fits")


def test_nobody_need_listen() -> None:
    assert silent(1, 2, "rows") is None
