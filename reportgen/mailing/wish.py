"""What a command was asked for, and the time it was asked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Wish:
    """What a command was asked for.

    Attributes
    ----------
    deliver
        Whether anything leaves; else it is written to files and no connection is opened.
    resend
        Send again what is unknown or was refused, and a report that has changed since; to
        ``only``, whatever they have.
    force
        Send to readers although a gate is closed.
    only
        Addresses instead of everybody else: they get a preview, or with ``resend`` their copy.
    language
        Of the previews, the report's first if empty.
    templates
        Folder whose catalogues stand before the shipped ones.
    data_options, output_options
        What a command that is told to a person needs beside the month: where the settings and the
        output are, as they were given.
    """

    deliver: bool
    resend: bool = False
    force: bool = False
    only: tuple[str, ...] = ()
    language: str = ""
    templates: Path | None = None
    data_options: str = ""
    output_options: str = ""

    @property
    def previews(self) -> bool:
        """Whether just previews are wanted."""
        return bool(self.only) and not self.resend

    def send_command(self, month: str, option: str = "") -> str:
        """Write the command that sends a month."""
        return f"reportgen send --month {month}{option}{self.data_options}{self.output_options}"

    def approve_command(self, month: str) -> str:
        """Write the command that approves a month."""
        return f"reportgen approve --month {month}{self.output_options}"


@dataclass(frozen=True)
class Clock:
    """The time, and the passing of it."""

    now: Callable[[], datetime] = lambda: datetime.now().astimezone()
    sleep: Callable[[float], None] = time.sleep
