"""Messages handed over one by one, each step noted before it is taken, and further attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reportgen import mail, mailed, storage
from reportgen.errors import ReportgenError
from reportgen.mail import Envelope, ServerError, Transport
from reportgen.mailbox import Mail
from reportgen.mailed import Entry, Mailed
from reportgen.mailing.deliveries import Copy, Delivery, Fate
from reportgen.mailing.published import Published
from reportgen.mailing.wish import Clock, Wish
from reportgen.progress import Progress, silent

#: Each pause before another attempt is so many times as long as the one before.
_GROWTH = 3

#: Where a dry run leaves what it would have sent, below private/.
_OUTBOX = "outbox"


@dataclass(frozen=True)
class Post:
    """Carries messages by a transport and notes each step; ``state`` None notes nothing."""

    transport: Transport
    state: Path | None
    history: Mailed
    settings: Mail
    wish: Wish
    clock: Clock

    @classmethod
    def of(cls, published: Published, settings: Mail, wish: Wish, clock: Clock) -> Post:
        """Return the post of a month; a dry run reads what was sent and notes nothing."""
        state = storage.state_folder(published.output)
        transport = transport_of(settings, wish, published.output, published.month)
        noted = state if wish.deliver and transport.delivers else None
        return cls(transport, noted, mailed.read(state), settings, wish, clock)

    def has(self, copy: Copy) -> bool:
        """Whether the very same message has left before, or may have."""
        known = self.history.last(copy.message_id)
        return known is not None and known.fate != "deferred"

    def carry(self, copies: Sequence[Copy], told: Progress = silent) -> list[Delivery]:
        """Hand messages over; those that are put off get further attempts after growing pauses.

        ``told`` is told how many have been tried.
        """
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
                lasting = self._round(
                    waiting, done, lambda: told(len(done), len(copies), "messages"))
                waiting = [copy for copy in waiting if not lasting
                           and done[copy.message_id].fate in ("deferred", "not_tried")]
        finally:
            self.transport.close()
        return [done[copy.message_id] for copy in copies]

    def _round(self, copies: Sequence[Copy], done: dict[str, Delivery],
               tell: Callable[[], None]) -> bool:
        """Try each message once; return whether further attempts would be in vain."""
        for place, copy in enumerate(copies):
            tell()
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


def transport_of(settings: Mail, wish: Wish, output: Path, name: str) -> Transport:
    """Return the way that messages leave by: in a dry run a folder, emptied first."""
    if wish.deliver:
        return mail.transport(settings)
    folder = storage.month_folder(output, "private", _OUTBOX) / name
    for old in folder.glob("*.eml"):
        old.unlink()                    # of another list of recipients
    return mail.Folder(folder)
