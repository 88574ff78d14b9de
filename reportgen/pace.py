"""How fast a stage goes, and when it will be done: only what its work so far says.

What a stage tells (see `progress`) and a clock come in; seconds left and a line for a person go
out. Where the work says nothing, nothing is guessed: then it is the time so far that is told.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from reportgen.progress import Unit

#: An estimate rests on the work of so many seconds, and on such a share of all there is to do.
ENOUGH_SECONDS, ENOUGH_SHARE = 1.0, 0.01

#: Steps in which the seconds left are told; below one of them they are a few.
_STEP = 5
_MINUTE, _HOUR = 60, 3600

_BYTES = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


class Seen(NamedTuple):
    """What a stage told, and when."""

    at: float
    done: float
    total: float
    unit: Unit


class Pace:
    """A stage's progress, beside the clock.

    Attributes
    ----------
    first, last
        What the rate is taken between; None as long as the stage has told nothing.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()
        self.first: Seen | None = None
        self.last: Seen | None = None

    def __call__(self, done: float, total: float, unit: Unit) -> None:
        """Take note of progress; of other work than before the rate is taken anew."""
        seen, last = Seen(self._clock(), done, total, unit), self.last
        if last is None or (last.total, last.unit) != (total, unit):
            self.first = self.last = seen
        elif done > last.done:      # what repeats itself, or steps back, is no progress
            self.last = seen

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return self._clock() - self._started

    def seconds_left(self) -> float | None:
        """Estimate what is left by the mean rate so far.

        None where there is too little to go by, or where the estimate has been outlived: then the
        work has slowed down, and nothing is known of how far.
        """
        first, last = self.first, self.last
        if first is None or last is None:
            return None
        seconds, done = last.at - first.at, last.done - first.done
        if seconds < ENOUGH_SECONDS or done < ENOUGH_SHARE * last.total:
            return None
        left = (last.total - last.done) * seconds / done - (self._clock() - last.at)
        return left if left >= 0 else None


def line(name: str, pace: Pace) -> str:
    """Tell a person of a stage: how much is done, and how long it will take or has taken."""
    left = pace.seconds_left()
    parts = [] if pace.last is None else [_amount(pace.last)]
    if left is not None:
        parts.append(_left(left))
    elif pace.seconds >= ENOUGH_SECONDS:
        parts.append(f"{_duration(int(pace.seconds))} so far")
    return f"{name} ... {', '.join(parts)}".rstrip()


def _amount(seen: Seen) -> str:
    if seen.unit == "%":
        return f"{int(seen.done)} %"
    if seen.unit == "bytes":
        size, unit = next((one for one in _BYTES if seen.total >= one[0]), (1, "bytes"))
        decimals = 1 if size > 1 else 0
        return f"{seen.done / size:.{decimals}f} of {seen.total / size:.{decimals}f} {unit}"
    return f"{int(seen.done):,} of {int(seen.total):,} {seen.unit}"


def _left(seconds: float) -> str:
    """Round up, for nobody minds being done earlier."""
    if seconds <= _STEP:
        return "a few seconds left"
    step = _STEP if seconds <= _MINUTE - _STEP else _MINUTE
    return f"about {_duration(ceil(seconds / step) * step)} left"


def _duration(seconds: int) -> str:
    if seconds < _MINUTE:
        return f"{seconds} s"
    if seconds < _HOUR:
        minutes, rest = divmod(seconds, _MINUTE)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, rest = divmod(seconds, _HOUR)
    return f"{hours} h" + (f" {rest // _MINUTE} min" if rest >= _MINUTE else "")
