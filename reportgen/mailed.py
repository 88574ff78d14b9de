"""What was mailed to whom, and which report was approved: so that a second run mails nothing.

Below the output folder's ``state/``, each line a JSON object, lines only ever added:

``mail.jsonl``
    Each step of each message: about to be sent, then what became of it. A line is on disk before
    the message leaves, so a run that was killed in between leaves a message whose fate is unknown,
    never one that is sent twice.
``approvals.jsonl``
    Messages that leadership may get, by the digest of them all: what is drawn otherwise, or has
    other figures, is not approved by it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from reportgen.errors import StorageError
from reportgen.storage import sync, told_errors

Fate = Literal["sending", "sent", "deferred", "refused", "unknown"]
"""Left without an answer; handed over; to be tried again; refused for good; nobody can know."""

Kind = Literal["report", "alert", "preview"]

_MAIL, _APPROVALS = "mail.jsonl", "approvals.jsonl"
_SECRET_FILE = 0o600
_BEGINNING = b'{"at"'


@dataclass(frozen=True)
class Entry:
    """A step of a message.

    Attributes
    ----------
    at, dated
        When the step was, and the date that the message bears (ISO 8601).
    report
        Digest of the figures that the message tells of, empty where it tells of none.
    recipient
        The address.
    told
        What the server said.
    """

    at: str
    month: str
    kind: Kind
    report: str
    recipient: str
    message_id: str
    dated: str
    fate: Fate
    told: str = ""


@dataclass(frozen=True)
class Approval:
    """Leave to send leadership what a month's messages and documents say now, by their digest."""

    at: str
    month: str
    content: str
    by: str


@dataclass(frozen=True)
class Mailed:
    """Everything that was mailed or approved so far, oldest first."""

    entries: tuple[Entry, ...] = ()
    approvals: tuple[Approval, ...] = ()

    def last(self, message_id: str) -> Entry | None:
        """Return the newest step of a message; one that is still leaving has an unknown fate."""
        found = [entry for entry in self.entries if entry.message_id == message_id]
        return found[-1] if found else None

    def report_to(self, recipient: str, month: str) -> Entry | None:
        """Return the newest step of the newest copy of a month's report to a recipient."""
        found = [entry for entry in self.entries
                 if (entry.kind, entry.month) == ("report", month)
                 and entry.recipient.lower() == recipient.lower()]
        return found[-1] if found else None

    def others_to(self, recipient: str, month: str, report: str) -> int:
        """Count the messages of a month, of other figures, that a recipient has or may have."""
        fates = {entry.message_id: entry.fate for entry in self.entries
                 if (entry.kind, entry.month) == ("report", month) and entry.report != report
                 and entry.recipient.lower() == recipient.lower()}
        return sum(fate in ("sent", "sending", "unknown") for fate in fates.values())

    def approved(self, content: str) -> bool:
        """Whether leadership may get these messages."""
        return any(approval.content == content for approval in self.approvals)


def read(state: Path) -> Mailed:
    """Read what was mailed and approved.

    Raises
    ------
    StorageError
        Where a file is damaged: what it no longer tells could be mailed twice.
    """
    return Mailed(tuple(_parsed(state / _MAIL, Entry)),
                  tuple(_parsed(state / _APPROVALS, Approval)))


def note(state: Path, step: Entry | Approval) -> None:
    """Add a line, on disk before this returns."""
    path = state / (_MAIL if isinstance(step, Entry) else _APPROVALS)
    line = json.dumps(asdict(step), ensure_ascii=False).encode()
    with told_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, _SECRET_FILE)
        try:
            # A line that a power cut tore ends here, so that this one begins a new line.
            end = os.lseek(descriptor, 0, os.SEEK_END)
            torn = end > 0 and os.pread(descriptor, 1, end - 1) != b"\n"
            whole = (b"\n" if torn else b"") + line + b"\n"
            while whole:
                whole = whole[os.write(descriptor, whole):]     # a full disk takes a part first
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync(state)


def _parsed(path: Path, kind: type[Any]) -> Iterator[Any]:
    """Yield the lines of a file; one that was torn while it was written has told nothing yet."""
    if not path.is_file():
        return
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            yield kind(**json.loads(line))
        except (ValueError, TypeError) as error:
            if _is_torn(line):
                continue
            raise StorageError(f"{path}, line {number} is damaged ({error}); restore the file from "
                               "a backup, else messages could be sent twice") from None


def _is_torn(line: bytes) -> bool:
    """Whether a line is the beginning of one that this module writes, and not its end."""
    begins = line[:len(_BEGINNING)] == _BEGINNING[:len(line)]
    return begins and not line.endswith(b"}")
