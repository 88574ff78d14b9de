"""Ways for a message to leave. Each is a `Transport`, named in `TRANSPORTS`.

An envelope comes in; whether it was handed over goes out. A way that cannot take any message at
all, because nobody answers or the password is wrong, says so by `ServerError`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from pathlib import Path
from typing import Literal, Protocol

from reportgen import storage
from reportgen.errors import ConfigError
from reportgen.mailbox import Mail

#: Of a reader in a file's name; what is added to it must fit as well.
_LONGEST_NAME = 200

Result = Literal["sent", "deferred", "refused", "unknown"]
"""Handed over; put off and worth another try; refused for good; or nobody can know."""


@dataclass(frozen=True)
class Envelope:
    """A message, from whom and to whom; both are addresses without names."""

    sender: str
    recipient: str
    message: bytes


@dataclass(frozen=True)
class Handed:
    """What became of a message, and what the other side said; a file it was written into."""

    result: Result
    told: str
    path: Path | None = None


class ServerError(Exception):
    """No message can leave this way now; ``lasting`` where another try would not help."""

    def __init__(self, told: str, *, lasting: bool) -> None:
        self.told, self.lasting = told, lasting
        super().__init__(told)


class Transport(Protocol):
    """A way for messages to leave: opened before the first, closed after the last.

    ``delivers`` tells whether a message that has left is on its way to its reader.
    """

    @property
    def delivers(self) -> bool: ...  # noqa: D102  # the class says it

    def open(self) -> None:
        """Get ready for the next message; an open way stays so.

        Raises
        ------
        ServerError
        """

    def hand_over(self, envelope: Envelope) -> Handed:
        """Let a message leave; what becomes of one never stops the next.

        Raises
        ------
        ServerError
            Where this way takes no message at all.
        """

    def close(self) -> None:
        """Take leave; nothing is handed over any more."""


@dataclass(frozen=True)
class Folder:
    """Messages as .eml files that every mail program opens, one a message."""

    folder: Path
    delivers: bool = True

    def open(self) -> None:
        """Make the folder, which nobody else may read."""
        with storage.told_errors(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def hand_over(self, envelope: Envelope) -> Handed:
        """Write a file, whole or not at all; the same message has the same name."""
        path = self.folder / _file_name(envelope)
        storage.write_private(path, envelope.message)
        return Handed("sent", f"written to {path}", path)

    def close(self) -> None:
        """Do nothing; each file is whole."""


def _file_name(envelope: Envelope) -> str:
    """Name a file after a message: whom it is for, and what tells it from others to the same."""
    reader = re.sub(r"[^\w.@+-]", "_", envelope.recipient, flags=re.ASCII)[:_LONGEST_NAME]
    told_apart = hashlib.sha256(envelope.recipient.encode() + envelope.message).hexdigest()[:8]
    return f"{reader}.{told_apart}.eml"


@dataclass(frozen=True)
class Console:
    """The plain text of each message on stderr, for a look: nobody gets it."""

    delivers: bool = False

    def open(self) -> None:
        """Do nothing; the console is there."""

    def hand_over(self, envelope: Envelope) -> Handed:
        """Print a message as its reader without pictures would see it."""
        message = BytesParser(policy=policy.default).parsebytes(envelope.message)
        text = message.get_body(preferencelist=("plain",))
        heads = [f"{name}: {message[name]}" for name in ("From", "To", "Subject")]
        told = text.get_content().replace("\r\n", "\n") if text is not None else ""
        sys.stderr.write("\n".join([*heads, "", told, ""]))
        return Handed("sent", "printed on stderr")

    def close(self) -> None:
        """Do nothing; the console stays."""


def _by_server(mail: Mail) -> Transport:
    from reportgen.mail.smtp import Login, Smtp

    file = mail.server.certificates if mail.server else None
    if file is not None and not file.is_file():
        raise ConfigError(f"[mail.server] certificates: there is no file {file}; the path begins "
                          "at reportgen.toml")
    if mail.server is None:
        raise ConfigError("[mail] names no server; add [mail.server] with host, port and "
                          "encryption to reportgen.toml, or look at the messages with --dry-run")
    return Smtp(mail.server, Login.from_environment())


def _into_folder(mail: Mail) -> Transport:
    assert mail.folder is not None, "the settings see to it"
    return Folder(mail.folder)


#: How each transport that a store may name is made.
TRANSPORTS: Mapping[str, Callable[[Mail], Transport]] = {
    "smtp": _by_server,
    "folder": _into_folder,
    "console": lambda _: Console(),
}


def transport(mail: Mail) -> Transport:
    """Return the way that a store's messages leave by.

    Raises
    ------
    ConfigError
        Where the settings or the environment lack what it needs.
    """
    return TRANSPORTS[mail.transport](mail)
