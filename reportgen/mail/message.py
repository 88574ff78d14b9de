"""Messages by the standard (RFC 5322, MIME), the same bytes for the same contents.

A month is drafted once a language, without sender and recipients; each recipient's copy is that
draft with an envelope of its own. Everything is ASCII on the way, so no server has to rewrite it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address, AddressHeader
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any, cast


class _Policy(EmailPolicy):
    """Folds what is not ASCII so that a reader gets it back letter for letter.

    Python's own folding, up to 3.14 at least, loses a blank where it breaks between two words.
    """

    def fold(self, name: str, value: Any) -> str:
        return self._folded(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        folded = self._folded(name, value)
        return folded.encode("ascii") if folded else super().fold_binary(name, value)

    def _folded(self, name: str, value: Any) -> str:
        if str(value).isascii():
            return ""
        if isinstance(value, AddressHeader):
            written = ", ".join(
                f"{_encoded(one.display_name, name)}{self.linesep} <{one.addr_spec}>"
                for one in value.addresses)
            return f"{name}: {written}{self.linesep}"
        return f"{name}: {_encoded(str(value), name)}{self.linesep}"


def _encoded(text: str, name: str) -> str:
    """Write a text in encoded words (RFC 2047), blanks inside them."""
    return Header(text, "utf-8", header_name=name).encode(linesep="\r\n")


_POLICY = _Policy(linesep="\r\n", raise_on_defect=True)

#: Headers of a draft that the copies do not have: mail programs open a draft for editing.
_DRAFT_ONLY = ("X-Unsent",)


@dataclass(frozen=True)
class Picture:
    """A PNG that the HTML refers to by its id."""

    content_id: str
    png: bytes


@dataclass(frozen=True)
class Attachment:
    """A file that comes with the message."""

    name: str
    kind: str  # such as application/pdf
    content: bytes


def draft_name(language: str) -> str:
    """Name the file of a month's message in a language."""
    return f"email.{language}.eml"


def attached_name(month: str, language: str) -> str:
    """Name the report for a reader who keeps many of them in one folder."""
    return f"report-{month}-{language}.pdf"


def draft(*, subject: str, text: str, html: str, language: str, pictures: Iterable[Picture],
          attachments: Iterable[Attachment], dated: datetime) -> bytes:
    """Write a month's message without sender and recipients.

    The same contents give the same bytes: the boundaries between the parts are told by a digest of
    the contents, the date by the caller.

    Raises
    ------
    ValueError
        Where the subject would be read as another header.
    """
    message = _message(subject, text, dated)
    message["X-Unsent"] = "1"
    message.add_alternative(html, subtype="html", cte="base64")
    body = message.get_body(preferencelist=("html",))
    assert body is not None, "it was added just now"
    for picture in pictures:
        body.add_related(picture.png, "image", "png", cid=f"<{picture.content_id}>",
                         disposition="inline", filename=f"{picture.content_id.split('.')[0]}.png")
    _attach(message, attachments, language)
    return _bytes(message)


def addressed(draft: bytes, *, sender: Address, recipient: Address, reply_to: Address | None,
              identifier: str, subject: str | None = None,
              dated: datetime | None = None) -> bytes:
    """Return a recipient's copy of a draft.

    Parameters
    ----------
    identifier
        The Message-ID, see `message_id`.
    subject, dated
        What stands in the place of the draft's own.
    """
    message = _parsed(draft)
    for name in _DRAFT_ONLY:
        del message[name]
    if subject is not None:
        message.replace_header("Subject", _plain(subject))
    if dated is not None:
        message.replace_header("Date", _date(dated))
    _address(message, sender, recipient, reply_to, identifier)
    return _bytes(message)


def alert(*, subject: str, text: str, language: str, attachments: Iterable[Attachment],
          sender: Address, recipient: Address, identifier: str, dated: datetime) -> bytes:
    """Write a notice to the owner: plain text, with files where there are some."""
    message = _message(subject, text, dated)
    _attach(message, attachments, language)
    _address(message, sender, recipient, None, identifier)
    return _bytes(message)


def message_id(*parts: str, sender: str) -> str:
    """Return the Message-ID of a copy: the same parts give the same one.

    A copy that is sent a second time, because nobody knows what became of the first, then is the
    same message to the reader's mail program.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    return f"<{digest}@{sender.rpartition('@')[2]}>"


def subject_of(draft: bytes) -> str:
    """Return the subject of a message."""
    return str(_parsed(draft)["Subject"])


def _parsed(message: bytes) -> EmailMessage:
    parsed = BytesParser(_class=EmailMessage, policy=_POLICY).parsebytes(message)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _message(subject: str, text: str, dated: datetime) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    message["Subject"] = _plain(subject)
    message["Date"] = _date(dated)
    # No holiday notice answers a program (RFC 3834; the second is Exchange's).
    message["Auto-Submitted"] = "auto-generated"
    # All but what tells that a message did not arrive.
    message["X-Auto-Response-Suppress"] = "DR, RN, NRN, OOF, AutoReply"
    message.set_content(text, cte="base64")
    return message


def _plain(subject: str) -> str:
    """Refuse an encoded word: what it hides would become part of the header when it is read."""
    if "=?" in subject:
        raise ValueError(f"the subject {subject!r} holds an encoded word")
    return subject


def _date(dated: datetime) -> str:
    """Write a date; one without a zone is of no place in particular."""
    return format_datetime(dated if dated.tzinfo else dated.replace(tzinfo=UTC))


def _attach(message: EmailMessage, attachments: Iterable[Attachment], language: str) -> None:
    for one in attachments:
        main, sub = one.kind.split("/")
        message.add_attachment(one.content, main, sub, filename=one.name)
    # Only now, for adding a part moves what describes the content into the first one.
    message["Content-Language"] = language


def _address(message: EmailMessage, sender: Address, recipient: Address,
             reply_to: Address | None, identifier: str) -> None:
    message["From"] = sender
    message["To"] = recipient
    if reply_to is not None:
        message["Reply-To"] = reply_to
    message["Message-ID"] = identifier


def _bytes(message: EmailMessage) -> bytes:
    """Write a message with boundaries told by its contents; Python's own are drawn by lot."""
    digest = hashlib.sha256()
    for part in message.walk():
        if not part.is_multipart():
            digest.update(cast(bytes, part.get_payload(decode=True)))
    seed = digest.hexdigest()[:24]
    for place, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"=_{seed}_{place}")
    written = message.as_bytes()
    read = _parsed(written)
    if read.keys() != message.keys() or _addresses(read) != _addresses(message):
        raise ValueError("a header of the message would be read as another one")
    return written


def _addresses(message: EmailMessage) -> list[str]:
    return [one.addr_spec for name in ("From", "To", "Reply-To") if message[name] is not None
            for one in message[name].addresses]
