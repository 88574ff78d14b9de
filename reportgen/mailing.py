"""Who gets which message, and what became of it: the report to its readers, the rest to the owner.

A published month and the settings of the mail come in, a `Delivery` for each address goes out. What
was sent before is looked up first (`mailed`), so a second run sends nothing; what is not certain is
never sent again without being asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from functools import cached_property
from pathlib import Path
from typing import Literal

from reportgen import localization, mail, mailed, months, storage, templating
from reportgen.errors import ConfigError, MailError, ReportgenError, StorageError
from reportgen.history import RESULTS
from reportgen.mail import Envelope, ServerError, Transport
from reportgen.mailbox import Mail, Mailbox, Recipient
from reportgen.mailed import Entry, Kind, Mailed
from reportgen.results import Report
from reportgen.templating import Event

#: Each pause before another attempt is so many times as long as the one before.
_GROWTH = 3

#: Where a dry run leaves what it would have sent, below private/.
_OUTBOX = "outbox"

#: A model that is withheld says so in the subject; these gates say no more than that.
_TOLD_BY_SUBJECT = frozenset({"usefulness", "roc_auc"})

Fate = Literal["sent", "written", "had", "changed", "waits", "kept_back", "deferred", "refused",
               "unknown", "not_tried"]
"""What became of a copy: handed over now; written to a file by a dry run; handed over before;
handed over before the report changed; waiting for approval; kept from readers by a gate; put off by
the server; refused for good; handed over or not, nobody knows; not tried, for want of a server."""

#: The reader does not have what the reader should have.
_FAILED = ("deferred", "refused", "unknown", "not_tried")


@dataclass(frozen=True)
class Wish:
    """What a command was asked for.

    Attributes
    ----------
    deliver
        Whether anything leaves; else it is written to files and no connection is opened.
    resend
        Send again what is unknown or was refused, and a report that has changed since.
    force
        Send to readers although a gate is closed.
    previews
        Addresses that get a preview, instead of everybody else.
    language
        Of the previews, the report's first if empty.
    templates
        Folder whose catalogues stand before the shipped ones.
    """

    deliver: bool
    resend: bool = False
    force: bool = False
    previews: tuple[str, ...] = ()
    language: str = ""
    templates: Path | None = None


@dataclass(frozen=True)
class Clock:
    """The time, and the passing of it."""

    now: Callable[[], datetime] = lambda: datetime.now().astimezone()
    sleep: Callable[[float], None] = time.sleep


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


@dataclass(frozen=True)
class Published:
    """A finished month as it lies in the output folder."""

    output: Path
    report: Report

    @property
    def month(self) -> str:
        """The month, ``YYYY-MM``."""
        return self.report.month

    @cached_property
    def digest(self) -> str:
        """What the report is known by: the same figures, the same digest."""
        return storage.file_sha256(
            storage.month_folder(self.output, "public", self.month) / RESULTS)

    def draft(self, language: str) -> bytes:
        """Return the month's message in a language.

        Raises
        ------
        StorageError
            Where it was not drawn, or was drawn by a program that drew none.
        """
        path = storage.month_folder(self.output, "private", self.month) / mail.draft_name(language)
        if not path.is_file():
            raise StorageError(f"{path} is missing; draw it by: reportgen render --month "
                               f"{self.month}")
        return path.read_bytes()

    def pdf(self, language: str) -> mail.Attachment:
        """Return the report for the owner, who gets it when readers do not."""
        path = (storage.month_folder(self.output, "public", self.month)
                / f"report.{language}.pdf")
        if not path.is_file():
            raise StorageError(f"{path} is missing; draw it by: reportgen render --month "
                               f"{self.month}")
        return mail.Attachment(mail.attached_name(self.month, language), "application/pdf",
                               path.read_bytes())


# ── Before anything is done ──────────────────────────────────────────────────────────────────────


def check(settings: Mail, wish: Wish, languages: Sequence[str]) -> None:
    """Refuse what cannot be sent, before anything is.

    Raises
    ------
    ConfigError
        Naming the setting that is missing or wrong.
    """
    if settings.sender is None:
        raise ConfigError("[mail] names no sender; add sender = { address = \"...\" } to "
                          "reportgen.toml")
    if not settings.recipients and not wish.previews:
        raise ConfigError("[mail] recipients is empty; name in reportgen.toml who gets the report, "
                          "or send yourself a preview by --to ADDRESS")
    wanted = [wish.language] if wish.previews else [
        one.language for one in (*settings.recipients, settings.owner) if one is not None]
    for language in wanted:
        if language and language not in languages:
            raise ConfigError(f"[mail]: the report is not drawn in {language!r}; it is in "
                              f"{', '.join(languages)} ([store] languages, or --language)")
    if wish.deliver:
        mail.transport(settings)


# ── The report ───────────────────────────────────────────────────────────────────────────────────


def send(published: Published, settings: Mail, wish: Wish, *, failures: Sequence[str],
         clock: Clock) -> tuple[Delivery, ...]:
    """Send a month to everybody who should have it and does not, and tell the owner the rest.

    Parameters
    ----------
    failures
        The gates that the month did not pass, each beginning with the gate's name.

    Raises
    ------
    MailError
        Where a message is larger than servers take; nothing was sent then.
    """
    check(settings, wish, published.report.store.languages)
    post = _Post.of(published, settings, wish, clock)
    if wish.previews:
        return tuple(post.carry(list(_previews(published, settings, wish, clock))))
    settled, copies = _readers(published, settings, wish, failures, post.history, clock)
    _check_sizes(copies, settings)
    deliveries = (*settled, *post.carry(copies))
    notices = _notices(published, settings, wish, failures, deliveries, clock)
    if any(one.fate == "not_tried" for one in deliveries):
        return deliveries               # the server that takes nothing takes no notice either
    told = [copy for copy in notices if not post.has(copy)]
    return (*deliveries, *post.carry(told))


def _readers(published: Published, settings: Mail, wish: Wish, failures: Sequence[str],
             history: Mailed, clock: Clock) -> tuple[list[Delivery], list[Copy]]:
    """Tell the readers who get a copy now from those for whom it is settled that they do not."""
    settled: list[Delivery] = []
    copies: list[Copy] = []
    kept_back = bool(keeps_back(published.report, failures)) and not wish.force
    for recipient in settings.recipients:
        known = history.report_to(recipient.address, published.month)
        fate = _settled(recipient, known, published.digest, wish, settings, history, kept_back)
        if fate is None:
            copies.append(_copy(published, settings, recipient, history, wish, clock))
        else:
            settled.append(Delivery(recipient.address, "report", fate,
                                    known.told if known and fate in _FAILED else ""))
    return settled, copies


def _settled(recipient: Recipient, known: Entry | None, digest: str, wish: Wish, settings: Mail,
             history: Mailed, kept_back: bool) -> Fate | None:
    """Say why a reader gets no copy now; None where the reader gets one."""
    if known is not None:
        if known.fate == "sent":
            if known.report == digest:
                return "had"
            if not wish.resend:
                return "changed"
        elif known.fate in ("sending", "unknown") and not wish.resend:
            return "unknown"
        elif known.fate == "refused" and not wish.resend:
            return "refused"
    if kept_back:
        return "kept_back"
    if settings.approval and recipient.group == "leadership" and not history.approved(digest):
        return "waits"
    return None


def keeps_back(report: Report, failures: Sequence[str]) -> frozenset[str]:
    """Name the closed gates that keep a report from its readers.

    A model that is withheld does not: its report says so in the subject.
    """
    closed = frozenset(failure.partition(":")[0] for failure in failures)
    return closed - _TOLD_BY_SUBJECT if report.model.gate.withholds else closed


def _copy(published: Published, settings: Mail, recipient: Mailbox, history: Mailed, wish: Wish,
          clock: Clock) -> Copy:
    """Make a reader's copy; one that was tried before is the same message, to the last byte."""
    assert settings.sender is not None, "`check` sees to it"
    report = published.report
    language = recipient.language or report.store.languages[0]
    draft = published.draft(language)
    corrects = history.other_report_to(recipient.address, published.month, published.digest)
    identifier = mail.message_id("report", published.digest, recipient.address.lower(),
                                 sender=settings.sender.address)
    known = history.last(identifier)
    dated = known.dated if known else clock.now().isoformat(timespec="seconds")
    message = mail.addressed(
        draft, sender=_named(settings.sender), recipient=_named(recipient),
        reply_to=_named(settings.owner) if settings.owner else None, identifier=identifier,
        subject=_prefixed(draft, "correction", language, wish) if corrects else None,
        # What is only written bears the date of the run, so that it is the same on every run.
        dated=datetime.fromisoformat(dated) if wish.deliver else None)
    return Copy(published.month, "report", published.digest, recipient.address, identifier, dated,
                message)


def _previews(published: Published, settings: Mail, wish: Wish, clock: Clock) -> Iterator[Copy]:
    """Make the copies that somebody wants to look at before anyone else does."""
    assert settings.sender is not None, "`check` sees to it"
    language = wish.language or published.report.store.languages[0]
    draft = published.draft(language)
    dated = clock.now().isoformat(timespec="microseconds")
    for address in wish.previews:
        # A preview is asked for by hand, so each is a message of its own.
        identifier = mail.message_id("preview", published.digest, address, dated,
                                     sender=settings.sender.address)
        yield Copy(published.month, "preview", published.digest, address, identifier, dated,
                   mail.addressed(
                       draft, sender=_named(settings.sender), recipient=Address(addr_spec=address),
                       reply_to=None, identifier=identifier,
                       subject=_prefixed(draft, "preview", language, wish),
                       dated=datetime.fromisoformat(dated) if wish.deliver else None))


def _check_sizes(copies: Sequence[Copy], settings: Mail) -> None:
    limit = settings.largest_mb * 1e6
    for copy in copies:
        if len(copy.message) > limit:
            raise MailError(
                f"the message to {copy.recipient} has {len(copy.message) / 1e6:.1f} MB, more than "
                f"the {settings.largest_mb:g} MB that [mail] largest_mb allows; nothing was sent. "
                "Raise the limit if your server takes more")


# ── The owner ────────────────────────────────────────────────────────────────────────────────────


def _notices(published: Published, settings: Mail, wish: Wish, failures: Sequence[str],
             deliveries: Sequence[Delivery], clock: Clock) -> list[Copy]:
    """Make what the owner is told of a finished month; nothing where all is well."""
    fates = {one.fate for one in deliveries}
    events = []
    if failures:
        events.append(Event("gate", tuple(failures)))
        if "kept_back" in fates:
            command = f"reportgen send --month {published.month} --force"
            events.append(Event("kept_back", (command,)))
        elif not keeps_back(published.report, failures):
            events.append(Event("withheld", ()))
    if "waits" in fates:
        events.append(Event("approval", (f"reportgen approve --month {published.month}",
                                         f"reportgen send --month {published.month}")))
    if missed := [one for one in deliveries if one.fate in _FAILED]:
        events.append(Event("undelivered", tuple(f"{one.address}: {told(one)}" for one in missed)))
    if not events or settings.owner is None:
        return []
    language = settings.owner.language or published.report.store.languages[0]
    files = [published.pdf(language)] if fates & {"kept_back", "waits"} else []
    return [_notice(settings, events, language=language, month=published.month, files=files,
                    report=published.digest, clock=clock, wish=wish)]


def _notice(settings: Mail, events: Sequence[Event], *, language: str, month: str,
            files: Sequence[mail.Attachment], report: str, clock: Clock, wish: Wish) -> Copy:
    """Write a notice; the same events of the same report are the same message."""
    assert settings.sender is not None
    assert settings.owner is not None
    subject, text = templating.render_alert(events, language=language, month=month,
                                            templates=wish.templates)
    now = clock.now()
    dated = now if wish.deliver or not month else months.last_day(month)
    owner = settings.owner.address
    identifier = mail.message_id("alert", report or now.isoformat(), owner, subject, text,
                                 sender=settings.sender.address)
    message = mail.alert(subject=subject, text=text, language=language, attachments=files,
                         sender=_named(settings.sender), recipient=_named(settings.owner),
                         identifier=identifier, dated=dated)
    return Copy(month, "alert", report, owner, identifier, now.isoformat(timespec="seconds"),
                message)


def tell_failure(settings: Mail, output: Path, message: str, wish: Wish, *, language: str,
                 clock: Clock) -> tuple[Delivery, ...]:
    """Tell the owner that a run failed; nothing where the settings name none."""
    if settings.owner is None or settings.sender is None:
        return ()
    copy = _notice(settings, [Event("failed", tuple(message.splitlines()))], month="", report="",
                   language=settings.owner.language or language, files=(), clock=clock, wish=wish)
    post = _Post(_transport(settings, wish, output, "failed"), None, Mailed(), settings, clock)
    return tuple(post.carry([copy]))


# ── Handing over ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Post:
    """Carries messages by a transport and notes each step; ``state`` None notes nothing."""

    transport: Transport
    state: Path | None
    history: Mailed
    settings: Mail
    clock: Clock

    @classmethod
    def of(cls, published: Published, settings: Mail, wish: Wish, clock: Clock) -> _Post:
        """Return the post of a month; a dry run reads what was sent and notes nothing."""
        state = storage.state_folder(published.output)
        return cls(_transport(settings, wish, published.output, published.month),
                   state if wish.deliver else None, mailed.read(state), settings, clock)

    def has(self, copy: Copy) -> bool:
        """Whether the very same message has left before, or may have."""
        known = self.history.last(copy.message_id)
        return known is not None and known.fate != "deferred"

    def carry(self, copies: Sequence[Copy]) -> list[Delivery]:
        """Hand messages over; those that are put off get further attempts after growing pauses."""
        done: dict[str, Delivery] = {}
        waiting = list(copies)
        server = self.settings.server
        attempts, pause = (server.attempts, server.pause_s) if server else (1, 0.0)
        try:
            for attempt in range(attempts):
                if not waiting:
                    break
                if attempt:
                    self.clock.sleep(pause * _GROWTH ** (attempt - 1))
                lasting = self._round(waiting, done)
                waiting = [copy for copy in waiting if not lasting
                           and done[copy.message_id].fate in ("deferred", "not_tried")]
        finally:
            self.transport.close()
        return [done[copy.message_id] for copy in copies]

    def _round(self, copies: Sequence[Copy], done: dict[str, Delivery]) -> bool:
        """Try each message once; return whether further attempts would be in vain."""
        for place, copy in enumerate(copies):
            try:
                self.transport.open()
                done[copy.message_id] = self._hand_over(copy)
            except ServerError as error:
                for other in copies[place:]:
                    done[other.message_id] = Delivery(other.recipient, other.kind, "not_tried",
                                                      error.told)
                return error.lasting
        return False

    def _hand_over(self, copy: Copy) -> Delivery:
        assert self.settings.sender is not None, "`check` sees to it"
        self._note(copy, "sending")
        try:
            handed = self.transport.hand_over(
                Envelope(self.settings.sender.address, copy.recipient, copy.message))
        except (ServerError, ReportgenError) as error:
            self._note(copy, "deferred", str(error))        # it has not left, that is certain
            raise
        self._note(copy, handed.result, handed.told)
        written = handed.path is not None and self.state is None
        return Delivery(copy.recipient, copy.kind, "written" if written else handed.result,
                        handed.told, handed.path)

    def _note(self, copy: Copy, fate: mailed.Fate, said: str = "") -> None:
        if self.state is not None:
            mailed.note(self.state, Entry(
                self.clock.now().isoformat(timespec="seconds"), copy.month, copy.kind, copy.report,
                copy.recipient, copy.message_id, copy.dated, fate, said))


def _transport(settings: Mail, wish: Wish, output: Path, name: str) -> Transport:
    if wish.deliver:
        return mail.transport(settings)
    folder = storage.month_folder(output, "private", _OUTBOX) / name
    for old in folder.glob("*.eml"):
        old.unlink()                    # of another list of recipients
    return mail.Folder(folder)


def _named(mailbox: Mailbox) -> Address:
    return Address(mailbox.name, addr_spec=mailbox.address)


def _prefixed(draft: bytes, kind: str, language: str, wish: Wish) -> str:
    words = localization.load(language, wish.templates)
    return words.text(f"mail.subject_{kind}", subject=mail.subject_of(draft))


# ── What came of it ──────────────────────────────────────────────────────────────────────────────


def failed(deliveries: Sequence[Delivery]) -> tuple[str, ...]:
    """Say who does not have what they should have, and what to do."""
    return tuple(f"{one.address}: {told(one)}" for one in deliveries if one.fate in _FAILED)


def notices(deliveries: Sequence[Delivery], month: str) -> Iterator[str]:
    """Say what a person should know though nobody failed to get anything."""
    counts = {fate: sum(one.fate == fate for one in deliveries) for fate in _SAID}
    for fate, sentence in _SAID.items():
        if counts[fate]:
            yield sentence.format(n=counts[fate], month=month)


_SAID: dict[Fate, str] = {
    "sent": "mailed to {n}",
    "written": "a dry run: {n} messages were written and nothing was sent (--deliver sends them)",
    "had": "{n} had the report before; nothing is sent twice",
    "changed": "{n} have an older version of the report; `reportgen send --month {month} --resend` "
               "sends the new one as a correction",
    "waits": "{n} copies for leadership wait for `reportgen approve --month {month}`",
    "kept_back": "a gate keeps the report from {n} readers; `reportgen send --month {month} "
                 "--force` sends it nevertheless",
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
