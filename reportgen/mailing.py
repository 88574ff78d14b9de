"""Who gets which message, and what became of it: the report to its readers, the rest to the owner.

A published month and the settings of the mail come in, a `Delivery` for each address goes out. What
was sent before is looked up first (`mailed`), so a second run sends nothing; what is not certain is
never sent again without being asked for.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from functools import cached_property
from pathlib import Path
from typing import Literal

from reportgen import localization, mail, mailed, months, results, storage, templating
from reportgen.errors import ConfigError, MailError, ReportgenError, StorageError
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

Fate = Literal["sent", "written", "shown", "had", "changed", "waits", "kept_back", "deferred",
               "refused", "unknown", "not_tried"]
"""What became of a copy: handed over now; written to a file by a dry run; printed; handed over
before; handed over before the report changed; waiting for approval; kept from readers by a gate;
put off by the server; refused for good; handed over or not, nobody knows; not tried, for want of a
server."""

#: A copy that a person may let go.
_HELD = frozenset({"kept_back", "waits"})

#: How much larger a file is inside a message: three bytes become four letters, and lines end.
_ENCODED = 1.37

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

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that its messages are drawn in."""
        folder = storage.month_folder(self.output, "private", self.month)
        names = sorted(path.name for path in folder.glob(mail.draft_name("*")))
        return tuple(name.split(".")[1] for name in names)

    @cached_property
    def digest(self) -> str:
        """What the report is known by: the same figures, the same digest."""
        return results.figures_sha256(self.report)

    @cached_property
    def content(self) -> str:
        """What an approval is of: all that a reader would get."""
        drafts = [f"{language}:{storage.file_sha256(self._draft_path(language))}"
                  for language in self.languages]
        return hashlib.sha256("\n".join([self.digest, *drafts]).encode()).hexdigest()

    def draft(self, language: str) -> bytes:
        """Return the month's message in a language.

        Raises
        ------
        StorageError
            Where it was not drawn, or was drawn by a program that drew none.
        """
        path = self._draft_path(language)
        if not path.is_file():
            raise StorageError(f"{path} is missing; draw it by: reportgen render --month "
                               f"{self.month}")
        return path.read_bytes()

    def _draft_path(self, language: str) -> Path:
        return storage.month_folder(self.output, "private", self.month) / mail.draft_name(language)

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
    if wish.resend and (strangers := [one for one in wish.only if not _named_in(settings, one)]):
        raise ConfigError(f"--resend --to {strangers[0]}: that is no recipient in reportgen.toml; "
                          "without --resend it gets a preview")
    if not settings.recipients and not wish.previews:
        raise ConfigError("[mail] recipients is empty; name in reportgen.toml who gets the report, "
                          "or send yourself a preview by --to ADDRESS")
    wanted = [wish.language] if wish.previews else [
        one.language for one in (*settings.recipients, settings.owner) if one is not None]
    for language in wanted:
        if language and language not in languages:
            raise ConfigError(f"[mail]: the report is not drawn in {language!r}; it is in "
                              f"{', '.join(dict.fromkeys(languages))} ([store] languages)")
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
    check(settings, wish, (*published.report.store.languages, *published.languages))
    post = _Post.of(published, settings, wish, clock)
    if wish.previews:
        previews = list(_previews(published, settings, wish, clock))
        _check_sizes(previews, settings)
        return tuple(post.carry(previews))
    settled, copies = _readers(published, settings, wish, failures, post.history, clock)
    _check_sizes(copies, settings)
    deliveries = (*settled, *post.carry(copies))
    if not wish.deliver:
        deliveries = tuple(_as_settled(one, settled) for one in deliveries if one.path
                           or one.fate not in _HELD)
    # A server that takes nothing takes no notice either.
    if wish.only or any(one.fate == "not_tried" for one in deliveries):
        return deliveries
    notices = _notices(published, settings, wish, failures, deliveries, clock)
    told = [copy for copy in notices if not post.has(copy)]
    return (*deliveries, *post.carry(told))


def _readers(published: Published, settings: Mail, wish: Wish, failures: Sequence[str],
             history: Mailed, clock: Clock) -> tuple[list[Delivery], list[Copy]]:
    """Tell the readers who get a copy now from those for whom it is settled that they do not."""
    settled: list[Delivery] = []
    copies: list[Copy] = []
    kept_back = bool(keeps_back(published.report, failures)) and not wish.force
    for recipient in settings.recipients:
        if wish.only and recipient.address.lower() not in map(str.lower, wish.only):
            continue
        known = history.report_to(recipient.address, published.month)
        fate = _settled(recipient, known, published, wish, settings, history, kept_back)
        if fate is None or (fate in _HELD and not wish.deliver):
            copies.append(_copy(published, settings, recipient, history, wish, clock))
        if fate is not None:
            settled.append(Delivery(recipient.address, "report", fate,
                                    known.told if known and fate in _FAILED else ""))
    return settled, copies


def _as_settled(delivery: Delivery, settled: Sequence[Delivery]) -> Delivery:
    """Tell of a copy that a dry run has written for a look what holds it back."""
    fates = {one.address: one.fate for one in settled if one.fate in _HELD}
    return replace(delivery, fate=fates.get(delivery.address, delivery.fate))


def _settled(recipient: Recipient, known: Entry | None, published: Published, wish: Wish,
             settings: Mail, history: Mailed, kept_back: bool) -> Fate | None:
    """Say why a reader gets no copy now; None where the reader gets one."""
    if known is not None and not wish.only:
        if known.fate == "sent":
            if known.report == published.digest:
                return "had"
            if not wish.resend:
                return "changed"
        elif known.fate in ("sending", "unknown") and not wish.resend:
            return "unknown"
        elif known.fate == "refused" and not wish.resend:
            return "refused"
    if kept_back:
        return "kept_back"
    asked = settings.approval and recipient.group == "leadership"
    if asked and not history.approved(published.content):
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
    corrects = history.others_to(recipient.address, published.month, published.digest)
    # Figures that come back after others are a message of their own, not the first one again.
    identifier = mail.message_id("report", published.digest, recipient.address.lower(),
                                 str(corrects), sender=settings.sender.address)
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
    for address in wish.only:
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
            events.append(Event("kept_back", (wish.send_command(published.month, " --force"),)))
        elif not keeps_back(published.report, failures):
            events.append(Event("withheld", ()))
    if "waits" in fates:
        events.append(Event("approval", (wish.approve_command(published.month),
                                         wish.send_command(published.month))))
    if "changed" in fates:
        events.append(Event("changed", (wish.send_command(published.month, " --resend"),)))
    if missed := [one for one in deliveries if one.fate in _FAILED]:
        events.append(Event("undelivered", tuple(f"{one.address}: {told(one)}" for one in missed)))
    if not events or settings.owner is None:
        return []
    language = settings.owner.language or published.report.store.languages[0]
    files = [published.pdf(language)] if fates & _HELD else []
    if files and len(files[0].content) * _ENCODED > settings.largest_mb * 1e6:
        files, events = [], [*events, Event("too_large", ())]
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
    post = _Post(_transport(settings, wish, output, "failed"), None, Mailed(), settings, wish,
                 clock)
    return tuple(post.carry([copy]))


# ── Handing over ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Post:
    """Carries messages by a transport and notes each step; ``state`` None notes nothing."""

    transport: Transport
    state: Path | None
    history: Mailed
    settings: Mail
    wish: Wish
    clock: Clock

    @classmethod
    def of(cls, published: Published, settings: Mail, wish: Wish, clock: Clock) -> _Post:
        """Return the post of a month; a dry run reads what was sent and notes nothing."""
        state = storage.state_folder(published.output)
        transport = _transport(settings, wish, published.output, published.month)
        noted = state if wish.deliver and transport.delivers else None
        return cls(transport, noted, mailed.read(state), settings, wish, clock)

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
        fate: Fate = ("written" if not self.wish.deliver
                      else handed.result if self.transport.delivers else "shown")
        return Delivery(copy.recipient, copy.kind, fate, handed.told, handed.path)

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
    return tuple(f"{one.address}{' (the owner)' if one.kind == 'alert' else ''}: {told(one)}"
                 for one in deliveries if one.fate in _FAILED)


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


def _named_in(settings: Mail, address: str) -> bool:
    return any(one.address.lower() == address.lower() for one in settings.recipients)


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
