"""Messages ready to leave, what became of each, and how a person is told of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from reportgen.mailed import Kind
from reportgen.mailing.wish import Wish

Fate = Literal["sent", "written", "shown", "had", "changed", "waits", "kept_back", "deferred",
               "refused", "unknown", "not_tried"]
"""What became of a copy: handed over now; written to a file by a dry run; printed; handed over
before; handed over before the report changed; waiting for approval; kept from readers by a gate;
put off by the server; refused for good; handed over or not, nobody knows; not tried, for want of a
server."""

#: A copy that a person may let go.
HELD = frozenset({"kept_back", "waits"})

#: The reader does not have what the reader should have.
FAILED = ("deferred", "refused", "unknown", "not_tried")


@dataclass(frozen=True)
class Delivery:
    """What became of an address's copy, and what the other side said of it."""

    address: str
    kind: Kind
    fate: Fate
    told: str = ""
    path: Path | None = None


@dataclass(frozen=True)
class Copy:
    """A message to an address, ready to leave."""

    month: str
    kind: Kind
    report: str
    recipient: str
    message_id: str
    dated: str
    message: bytes


def failed(deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """Say who does not have what they should have, and what to do."""
    return tuple(f"{one.address}{' (the owner)' if one.kind == 'alert' else ''}: {told(one)}"
                 for one in deliveries if one.fate in FAILED)


def notices(deliveries: Sequence[Delivery], month: str, wish: Wish) -> Iterator[str]:
    """Say what a person should know though nobody failed to get anything."""
    commands = {"changed": wish.send_command(month, " --resend"),
                "waits": wish.approve_command(month),
                "kept_back": wish.send_command(month, " --force")}
    for fate, sentence in _SAID.items():
        if count := sum(one.fate == fate for one in deliveries):
            yield sentence.format(n=count, command=commands.get(fate, ""))


_SAID: dict[Fate, str] = {
    "sent": "messages sent: {n}",
    "written": "a dry run, nothing was sent (--deliver sends); messages written: {n}",
    "shown": "printed for a look, nothing was sent; messages printed: {n}",
    "had": "readers who had the report before and get it once only: {n}",
    "changed": "readers who have an older version: {n}; `{command}` sends the new one as a "
               "correction",
    "waits": "copies for leadership that wait for an approval: {n}; `{command}` gives it",
    "kept_back": "readers from whom a gate keeps the report: {n}; `{command}` sends it "
                 "nevertheless",
}


def told(delivery: Delivery) -> str:
    """Say what became of a copy that did not arrive, and what to do."""
    return f"{_REMEDIES[delivery.fate]}: {delivery.told}" if delivery.told else _REMEDIES[
        delivery.fate]


_REMEDIES: dict[Fate, str] = {
    "deferred": "put off by the server; the next run tries again",
    "refused": "refused by the server; correct the address in reportgen.toml, or try again by "
               "`reportgen send --resend`",
    "unknown": "may have been sent or not; ask the reader, then `reportgen send --resend` sends "
               "it again",
    "not_tried": "not sent",
}
