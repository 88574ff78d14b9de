"""Who gets which message, and what became of it: the report to its readers, the rest to the owner.

A published month and the settings of the mail come in, a `Delivery` for each address goes out. What
was sent before is looked up first (`mailed`), so a second run sends nothing; what is not certain is
never sent again without being asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reportgen import mail
from reportgen.errors import ConfigError
from reportgen.mailbox import Mail
from reportgen.mailed import Mailed
from reportgen.mailing.deliveries import HELD, Delivery, failed, notices
from reportgen.mailing.owner import notice, notices_of
from reportgen.mailing.post import Post, transport_of
from reportgen.mailing.published import Published
from reportgen.mailing.readers import as_settled, check_sizes, keeps_back, previews, readers
from reportgen.mailing.wish import Clock, Wish
from reportgen.progress import Progress, silent
from reportgen.templating import Event

__all__ = ["Clock", "Delivery", "Published", "Wish", "check", "failed", "keeps_back", "notices",
           "send", "tell_failure"]


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
    if wish.resend and (strangers := [one for one in wish.only if not named_in(settings, one)]):
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


def send(published: Published, settings: Mail, wish: Wish, *, failures: Sequence[str],
         clock: Clock, told: Progress = silent) -> tuple[Delivery, ...]:
    """Send a month to everybody who should have it and does not, and tell the owner the rest.

    Parameters
    ----------
    failures
        The gates that the month did not pass, each beginning with the gate's name.
    told
        Is told of the messages.

    Raises
    ------
    MailError
        Where a message is larger than servers take; nothing was sent then.
    """
    check(settings, wish, (*published.report.store.languages, *published.languages))
    post = Post.of(published, settings, wish, clock)
    if wish.previews:
        looks = list(previews(published, settings, wish, clock))
        check_sizes(looks, settings)
        return tuple(post.carry(looks, told))
    settled, copies = readers(published, settings, wish, failures, post.history, clock)
    check_sizes(copies, settings)
    deliveries = (*settled, *post.carry(copies, told))
    if not wish.deliver:
        deliveries = tuple(as_settled(one, settled) for one in deliveries if one.path
                           or one.fate not in HELD)
    # A server that takes nothing takes no notice either.
    if wish.only or any(one.fate == "not_tried" for one in deliveries):
        return deliveries
    for_owner = notices_of(published, settings, wish, failures, deliveries, clock)
    return (*deliveries, *post.carry([copy for copy in for_owner if not post.has(copy)]))


def tell_failure(settings: Mail, output: Path, message: str, wish: Wish, *, language: str,
                 clock: Clock) -> tuple[Delivery, ...]:
    """Tell the owner that a run failed; nothing where the settings name none."""
    if settings.owner is None or settings.sender is None:
        return ()
    copy = notice(settings, [Event("failed", tuple(message.splitlines()))], month="", report="",
                  language=settings.owner.language or language, files=(), clock=clock, wish=wish)
    post = Post(transport_of(settings, wish, output, "failed"), None, Mailed(), settings, wish,
                 clock)
    return tuple(post.carry([copy]))


def named_in(settings: Mail, address: str) -> bool:
    return any(one.address.lower() == address.lower() for one in settings.recipients)
