"""What a command tells of its work: lines for a person, or JSON lines for a machine, on stderr.

Only here stands when something was done, and how fast it goes (see `pace`); no document knows it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from reportgen.pace import Pace, line
from reportgen.progress import Progress, Unit, silent

if TYPE_CHECKING:
    from rich.text import Text

Format = Literal["text", "json"]

#: Seconds between two lines of a machine's log that tell how far a stage is.
EVERY = 5.0


@dataclass(frozen=True)
class Log:
    """Where a command's stages, notices and failures are told.

    ``verbose`` tells the seconds of every stage; a log of JSON lines always does. ``clock`` counts
    seconds from wherever.
    """

    format: Format = "text"
    verbose: bool = False
    clock: Callable[[], float] = time.perf_counter

    @contextmanager
    def stage(self, name: str) -> Iterator[Progress]:
        """Name a stage while it runs, and how far it is: a live line on a terminal.

        Elsewhere it is silence, and in a log of JSON lines an event every few seconds.
        """
        started = self.clock()
        with self._watched(name) as told:
            yield told
        seconds = self.clock() - started
        if self.format == "json":
            self._line("info", event="stage", stage=name, seconds=round(seconds, 3))
        elif self.verbose:
            self._write(f"{name:<12} {seconds:6.2f} s")

    def _watched(self, name: str) -> AbstractContextManager[Progress]:
        if self.format == "json":
            return nullcontext(self._events(name))
        return self._live(name) if sys.stderr.isatty() else nullcontext(silent)

    @contextmanager
    def _live(self, name: str) -> Iterator[Progress]:
        from rich.console import Console

        pace = Pace(self.clock)
        with Console(stderr=True).status(_Live(name, pace)):
            yield pace

    def _events(self, name: str) -> Progress:
        """Tell of a stage's progress now and then; a short stage never does."""
        pace, last = Pace(self.clock), self.clock()

        def told(done: float, total: float, unit: Unit) -> None:
            nonlocal last
            pace(done, total, unit)
            now = self.clock()
            if pace.last is None or now - last < EVERY:
                return
            last, left = now, pace.seconds_left()
            self._line("info", event="progress", stage=name, done=_plain(pace.last.done, unit),
                       total=_plain(total, unit), unit=unit,
                       seconds_left=None if left is None else round(left))

        return told

    def done(self, month: str, status: str) -> None:
        """Tell that a month is finished, and when."""
        if self.format == "json":
            self._line("info", event="done", month=month, status=status)
        else:
            self._write(f"{month}: {_DONE[status]}, {_now()}")

    def notice(self, month: str, message: str) -> None:
        """Tell what a person should know though nothing failed by it."""
        if self.format == "json":
            self._line("warning", event="notice", month=month, message=message)
        else:
            self._write(f"{month}: {message}")

    def failure(self, message: str, code: int) -> None:
        """Tell, in a log of JSON lines, why the command fails; as text the command line does."""
        if self.format == "json":
            self._line("error", event="failed", exit_code=code, message=message)

    def _line(self, level: str, **what: object) -> None:
        self._write(json.dumps({"time": _now(), "level": level, **what}, ensure_ascii=False))

    @staticmethod
    def _write(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


_DONE = {
    "analysed": "analysed and written",
    "drawn": "the figures stand, drawn again",
    "unchanged": "nothing has changed since it was written (--force does it all again)",
}


@dataclass(frozen=True)
class _Live:
    """The line of a stage, as it reads whenever the terminal draws it."""

    name: str
    pace: Pace

    def __rich__(self) -> Text:
        from rich.text import Text

        return Text(line(self.name, self.pace), no_wrap=True, overflow="ellipsis")


def _plain(amount: float, unit: Unit) -> float:
    return round(amount, 1) if unit == "%" else int(amount)


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
