"""What a long piece of work tells of itself: how much of how much is done.

Whoever works is given a `Progress` to call, and need not know whether anybody listens. No clock
stands here: how fast the work goes is the listener's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Literal, Protocol, TypeVar

Unit = Literal["rows", "fits", "families", "segments", "rules", "tables", "documents", "messages",
               "bytes", "%"]
"""What work is counted in; "%" where only its share is known."""

T = TypeVar("T")


class Progress(Protocol):
    """Is told of work while it goes on, from whichever thread does it."""

    def __call__(self, done: float, total: float, unit: Unit, /) -> None:
        """Take note that so much is done, of so much that there is to do."""


def silent(done: float, total: float, unit: Unit) -> None:
    """Take note of nothing."""


def parts(told: Progress, *sizes: float, unit: Unit = "%") -> tuple[Progress, ...]:
    """Divide a piece of work into parts, each of which tells of itself in its own unit.

    Parameters
    ----------
    told
        Is told of the whole, in ``unit``.
    sizes
        What each part is of the whole; with "%" any numbers that are to each other as the parts'
        times are.

    Examples
    --------
    >>> fast, slow = parts(lambda *seen: print(*seen), 1, 3)
    >>> fast(10, 10, "rows"); slow(1, 2, "fits")
    25.0 100 %
    62.5 100 %
    """
    if told is silent:
        return (told,) * len(sizes)
    whole = sum(sizes)
    total = 100 if unit == "%" else whole

    def part(before: float, size: float) -> Progress:
        def tell(done: float, of: float, _: Unit) -> None:
            share = done / of if of else 1.0
            told(total * (before + size * share) / whole if whole else total, total, unit)
        return tell

    begins = accumulate(sizes, initial=0.0)
    return tuple(part(before, size) for before, size in zip(begins, sizes, strict=False))


def counted(made: Iterable[T], total: int, unit: Unit, told: Progress) -> Iterator[T]:
    """Pass on what is made one after another, and tell how many there are."""
    told(0, total, unit)
    for number, one in enumerate(made, start=1):
        told(number, total, unit)
        yield one
