"""The section [mail] of reportgen.toml: who gets the report by e-mail, from whom, by which server.

User and password never stand here: they come from the environment, see `mail.smtp`.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from reportgen import addresses
from reportgen.contract import _Frozen

Address = Annotated[str, AfterValidator(addresses.checked)]
Name = Annotated[str, AfterValidator(addresses.checked_name)]

Group = Literal["leadership", "readers"]
Encryption = Literal["tls", "starttls", "none"]

_PORTS: dict[Encryption, int] = {"tls": 465, "starttls": 587, "none": 25}


class Mailbox(_Frozen):
    """An address, the name beside it, and the language its owner reads (the store's if empty)."""

    address: Address
    name: Name = ""
    language: str = ""


class Recipient(Mailbox):
    """A reader of the report; leadership's copy may wait for an approval."""

    group: Group = "readers"


class Server(_Frozen):
    """The mail server that takes the messages.

    Attributes
    ----------
    host, port
        Where it listens; the port follows the encryption where it is absent.
    encryption
        "tls" from the first byte (RFC 8314), "starttls" before anything is said, or "none", which
        is for a server on this machine only.
    certificates
        PEM file of the authority that issued the server's certificate, where this machine does not
        know it.
    timeout_s
        Seconds that an answer may take.
    attempts
        How often a message is tried that the server puts off.
    pause_s
        Seconds before the second attempt; each further pause is three times as long.
    """

    host: str = Field(min_length=1, pattern=r"^[\w.:-]+$")
    port: int | None = Field(default=None, ge=1, le=65535)
    encryption: Encryption = "tls"
    certificates: Path | None = None
    timeout_s: float = Field(default=60, gt=0, le=600)
    attempts: int = Field(default=4, ge=1, le=10)
    pause_s: float = Field(default=10, ge=0, le=600)

    @property
    def connects_to(self) -> int:
        """The port, the usual one of the encryption where none is given."""
        return self.port or _PORTS[self.encryption]

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.encryption == "none" and not is_this_machine(self.host):
            raise ValueError(f"encryption = \"none\" is for a server on this machine, not for "
                             f"{self.host!r}; use \"tls\" (port 465) or \"starttls\" (port 587)")
        return self


class Mail(_Frozen):
    """Who gets the report by e-mail.

    Attributes
    ----------
    sender
        From whom the messages come.
    owner
        Who is told when a run failed, a gate closed or a message could not be handed over, and
        whom readers answer. Readers never get an error.
    approval
        Whether leadership's copy waits for `reportgen approve`.
    largest_mb
        Largest message, attachments included, in millions of bytes; some servers take no more
        than 10.
    transport
        How messages leave: by the server, as files into `folder` (the pickup folder of a mail
        server), or onto the console for a look.
    """

    sender: Mailbox | None = None
    owner: Mailbox | None = None
    recipients: tuple[Recipient, ...] = ()
    approval: bool = False
    largest_mb: float = Field(default=10, gt=0, le=50)
    transport: Literal["smtp", "folder", "console"] = "smtp"
    folder: Path | None = None
    server: Server | None = None

    def beside(self, file: Path) -> Mail:
        """Return the same settings, their paths beginning at the file that they stand in."""
        server = self.server
        if server is not None and server.certificates is not None:
            place = file.parent / server.certificates.expanduser()
            server = server.model_copy(update={"certificates": place})
        folder = None if self.folder is None else file.parent / self.folder.expanduser()
        return self.model_copy(update={"server": server, "folder": folder})

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[str] = set()
        for recipient in self.recipients:
            if recipient.address.lower() in seen:
                raise ValueError(f"{recipient.address} is named twice under recipients; name each "
                                 "address once")
            seen.add(recipient.address.lower())
        if self.transport == "folder" and self.folder is None:
            raise ValueError("transport = \"folder\" needs `folder`, where the files are to lie")
        return self


def is_this_machine(host: str) -> bool:
    """Whether a name or an address means the machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
