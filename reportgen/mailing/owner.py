"""What the owner is told, and readers never are: closed gates, failures, who was not reached."""

from __future__ import annotations

from collections.abc import Sequence

from reportgen import mail, months, templating
from reportgen.mailbox import Mail
from reportgen.mailing.deliveries import FAILED, HELD, Copy, Delivery, told
from reportgen.mailing.published import Published
from reportgen.mailing.readers import keeps_back, named
from reportgen.mailing.wish import Clock, Wish
from reportgen.templating import Event

#: How much larger a file is inside a message: three bytes become four letters, and lines end.
_ENCODED = 1.37


def notices_of(published: Published, settings: Mail, wish: Wish, failures: Sequence[str],
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
    if missed := [one for one in deliveries if one.fate in FAILED]:
        events.append(Event("undelivered", tuple(f"{one.address}: {told(one)}" for one in missed)))
    if not events or settings.owner is None:
        return []
    language = settings.owner.language or published.report.store.languages[0]
    files = [published.pdf(language)] if fates & HELD else []
    if files and len(files[0].content) * _ENCODED > settings.largest_mb * 1e6:
        files, events = [], [*events, Event("too_large", ())]
    return [notice(settings, events, language=language, month=published.month, files=files,
                   report=published.digest, clock=clock, wish=wish)]


def notice(settings: Mail, events: Sequence[Event], *, language: str, month: str,
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
                         sender=named(settings.sender), recipient=named(settings.owner),
                         identifier=identifier, dated=dated)
    return Copy(month, "alert", report, owner, identifier, now.isoformat(timespec="seconds"),
                message)
