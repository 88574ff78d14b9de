"""How fast a stage goes: estimates worked out by hand, and none where there is nothing to go by."""

from __future__ import annotations

import pytest

from reportgen.pace import Pace, line


class Clock:
    """Stands still until it is set forward."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(clock)


def test_the_rate_of_the_work_so_far_tells_what_is_left(clock: Clock, pace: Pace) -> None:
    """200 of 1,000 rows in 4 s are 50 a second: 800 rows take 16 s, and 13 s three seconds on."""
    pace(0, 1_000, "rows")
    clock.now += 4
    pace(200, 1_000, "rows")
    assert pace.seconds_left() == pytest.approx(16)
    clock.now += 3
    assert pace.seconds_left() == pytest.approx(13)


def test_what_came_before_the_first_word_is_not_counted_as_work(clock: Clock, pace: Pace) -> None:
    """10 s went by before the work began; then 30 of 90 more fits took 6 s, so 60 take 12."""
    clock.now += 10
    pace(10, 100, "fits")
    clock.now += 6
    pace(40, 100, "fits")
    assert pace.seconds_left() == pytest.approx(12)


@pytest.mark.parametrize(("seconds", "done"), [(0.9, 500), (30, 9), (30, 0)])
def test_too_little_work_is_no_ground_for_an_estimate(
    clock: Clock, pace: Pace, seconds: float, done: float
) -> None:
    assert pace.seconds_left() is None
    pace(0, 1_000, "rows")
    clock.now += seconds
    pace(done, 1_000, "rows")
    assert pace.seconds_left() is None


def test_an_estimate_that_was_outlived_is_taken_back(clock: Clock, pace: Pace) -> None:
    """Half in 2 s leaves 2 s; when these are over and nothing came, nobody knows."""
    pace(0, 10, "fits")
    clock.now += 2
    pace(5, 10, "fits")
    clock.now += 2
    assert pace.seconds_left() == pytest.approx(0)
    clock.now += 0.1
    assert pace.seconds_left() is None
    pace(6, 10, "fits")     # 6 in 4.1 s leave 4 x 4.1 / 6
    assert pace.seconds_left() == pytest.approx(4 * 4.1 / 6)


def test_work_does_not_step_back(clock: Clock, pace: Pace) -> None:
    pace(0, 100, "%")
    clock.now += 2
    pace(50, 100, "%")
    clock.now += 1
    pace(40, 100, "%")
    pace(50, 100, "%")
    assert pace.last is not None
    assert (pace.last.done, pace.seconds_left()) == (50, pytest.approx(1))


def test_other_work_has_a_rate_of_its_own(clock: Clock, pace: Pace) -> None:
    """The first 100 rows say nothing of fits; 2 of 4 in 3 s leave 3 s."""
    pace(0, 100, "rows")
    clock.now += 5
    pace(100, 100, "rows")
    pace(0, 4, "fits")
    assert pace.seconds_left() is None
    clock.now += 3
    pace(2, 4, "fits")
    assert pace.seconds_left() == pytest.approx(3)


def test_the_line_of_a_stage_grows_with_what_is_known(clock: Clock, pace: Pace) -> None:
    assert line("score", pace) == "score ..."
    clock.now += 12
    assert line("score", pace) == "score ... 12 s so far"
    pace(0, 10_000_000, "rows")
    clock.now += 6
    assert line("score", pace) == "score ... 0 of 10,000,000 rows, 18 s so far"
    pace(1_200_000, 10_000_000, "rows")     # 200,000 a second: 8,800,000 take 44 s
    assert line("score", pace) == "score ... 1,200,000 of 10,000,000 rows, about 45 s left"
    clock.now += 40
    assert line("score", pace) == "score ... 1,200,000 of 10,000,000 rows, a few seconds left"
    clock.now += 20
    assert line("score", pace) == "score ... 1,200,000 of 10,000,000 rows, 1 min 18 s so far"


@pytest.mark.parametrize(("total", "told"), [
    (60, "about 50 s left"),            # one a second: 50 s
    (62, "about 55 s left"),            # 52 s
    (66, "about 1 min left"),           # 56 s
    (100, "about 2 min left"),          # 90 s
    (1_000, "about 17 min left"),       # 990 s are 16.5 min
])
def test_time_is_told_no_finer_than_it_is_known(
    clock: Clock, pace: Pace, total: int, told: str
) -> None:
    pace(0, total, "fits")
    clock.now += 10
    pace(10, total, "fits")
    assert line("search", pace) == f"search ... 10 of {total:,} fits, {told}"


def test_hours_are_told_as_hours(clock: Clock, pace: Pace) -> None:
    """A hundredth in 51 s leaves 99 x 51 s = 5,049 s, which are 84.15 min."""
    pace(0, 1_000, "fits")
    clock.now += 51
    pace(10, 1_000, "fits")
    assert line("search", pace).endswith("about 1 h 25 min left")


@pytest.mark.parametrize(("done", "total", "unit", "told"), [
    (1_234_567_890, 3_700_000_000, "bytes", "1.2 of 3.7 GB"),
    (400_000, 5_060_000, "bytes", "0.4 of 5.1 MB"),
    (100, 900, "bytes", "100 of 900 bytes"),
    (42.9, 100, "%", "42 %"),
    (3, 6, "documents", "3 of 6 documents"),
])
def test_an_amount_is_told_in_its_unit(
    pace: Pace, done: float, total: float, unit: str, told: str
) -> None:
    pace(done, total, unit)     # type: ignore[arg-type]
    assert line("read", pace) == f"read ... {told}"
