"""What a command tells of its work: lines for a person, or JSON lines for a machine, on stderr.

Only here stands when something was done; no document knows it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Format = Literal["text", "json"]


@dataclass(frozen=True)
class Log:
    """Where a command's stages, notices and failures are told.

    ``verbose`` tells the seconds of every stage; a log of JSON lines always does.
    """

    format: Format = "text"
    verbose: bool = False

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Name a stage while it runs: a live line on a terminal, silence elsewhere."""
        started = time.perf_counter()
        if self.format == "text" and sys.stderr.isatty():
            from rich.console import Console

            with Console(stderr=True).status(f"{name} ..."):
                yield
        else:
            yield
        seconds = time.perf_counter() - started
        if self.format == "json":
            self._line("info", event="stage", stage=name, seconds=round(seconds, 3))
        elif self.verbose:
            self._write(f"{name:<12} {seconds:6.2f} s")

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


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")
