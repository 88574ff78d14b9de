"""The readers' copies: who gets one now, and why the others do not.

What was sent before is looked up first, so a second run sends nothing; what is not certain is never
sent again without being asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from email.headerregistry import Address

from reportgen import localization, mail
from reportgen.errors import MailError
from reportgen.mailbox import Mail, Mailbox, Recipient
from reportgen.mailed import Entry, Mailed
from reportgen.mailing.deliveries import FAILED, HELD, Copy, Delivery, Fate
from reportgen.mailing.published import Published
from reportgen.mailing.wish import Clock, Wish
from reportgen.results import Report

#: A model that is withheld says so in the subject; these gates say no more than that.
_TOLD_BY_SUBJECT = frozenset({"usefulness", "roc_auc"})


def readers(published: Published, settings: Mail, wish: Wish, failures: Sequence[str],
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
        if fate is None or (fate in HELD and not wish.deliver):
            copies.append(_copy(published, settings, recipient, history, wish, clock))
        if fate is not None:
            settled.append(Delivery(recipient.address, "report", fate,
                                    known.told if known and fate in FAILED else ""))
    return settled, copies


def as_settled(delivery: Delivery, settled: Sequence[Delivery]) -> Delivery:
    """Tell of a copy that a dry run has written for a look what holds it back."""
    fates = {one.address: one.fate for one in settled if one.fate in HELD}
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
        draft, sender=named(settings.sender), recipient=named(recipient),
        reply_to=named(settings.owner) if settings.owner else None, identifier=identifier,
        subject=_prefixed(draft, "correction", language, wish) if corrects else None,
        # What is only written bears the date of the run, so that it is the same on every run.
        dated=datetime.fromisoformat(dated) if wish.deliver else None)
    return Copy(published.month, "report", published.digest, recipient.address, identifier, dated,
                message)


def previews(published: Published, settings: Mail, wish: Wish, clock: Clock) -> Iterator[Copy]:
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
                       draft, sender=named(settings.sender), recipient=Address(addr_spec=address),
                       reply_to=None, identifier=identifier,
                       subject=_prefixed(draft, "preview", language, wish),
                       dated=datetime.fromisoformat(dated) if wish.deliver else None))


def check_sizes(copies: Sequence[Copy], settings: Mail) -> None:
    """Refuse all messages where one is larger than servers take.

    Raises
    ------
    MailError
        Naming the message and the limit.
    """
    limit = settings.largest_mb * 1e6
    for copy in copies:
        if len(copy.message) > limit:
            raise MailError(
                f"the message to {copy.recipient} has {len(copy.message) / 1e6:.1f} MB, more than "
                f"the {settings.largest_mb:g} MB that [mail] largest_mb allows; nothing was sent. "
                "Raise the limit if your server takes more")


def named(mailbox: Mailbox) -> Address:
    """Return an address as it stands in a header, with its name."""
    return Address(mailbox.name, addr_spec=mailbox.address)


def _prefixed(draft: bytes, kind: str, language: str, wish: Wish) -> str:
    words = localization.load(language, wish.templates)
    return words.text(f"mail.subject_{kind}", subject=mail.subject_of(draft))
