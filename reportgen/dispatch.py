"""The commands that mail a finished month: sent, approved, and the owner told of a run that failed.

What to mail and to whom is `mailing`'s; here the month, the settings and the lock come together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from reportgen import config, limits, mailed, mailing, months, pipeline, storage
from reportgen.config import Settings
from reportgen.errors import ConfigError, GateError, MailError, StorageError
from reportgen.mailed import Approval
from reportgen.mailing import Clock, Delivery, Published, Wish
from reportgen.months import DataFolderError
from reportgen.progress import Progress, silent


@dataclass(frozen=True)
class Mailing:
    """What became of a month's messages, the gates that it did not pass, and what else to tell."""

    month: str
    deliveries: tuple[Delivery, ...]
    wish: Wish
    failures: tuple[str, ...] = ()
    told: tuple[str, ...] = ()

    @property
    def missed(self) -> tuple[str, ...]:
        """Who does not have what they should have, a line each."""
        return mailing.failed(self.deliveries)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a person should know though everybody got what they should."""
        return (*self.told, *mailing.notices(self.deliveries, self.month, self.wish))

    @property
    def files(self) -> tuple[Path, ...]:
        """What a dry run has written."""
        return tuple(one.path for one in self.deliveries if one.path is not None)


def hold(mailing: Mailing) -> None:
    """Tell that readers do not have what they should have.

    Raises
    ------
    GateError
        Where a gate keeps the report from them.
    MailError
        Naming whom it did not reach.
    """
    missed = [f"  {line}" for line in mailing.missed]
    if missed:
        missed.insert(0, "not everybody got the report by e-mail:")
    if any(one.fate == "kept_back" for one in mailing.deliveries):
        raise GateError("\n".join([
            f"a gate keeps the report for {mailing.month} from its readers:",
            *(f"  {failure}" for failure in mailing.failures),
            f"`{mailing.wish.send_command(mailing.month, ' --force')}` sends it nevertheless",
            *missed]))
    if missed:
        raise MailError("\n".join(missed))


def settings_of(data: Path, month: str | None, file: Path | None) -> Settings:
    """Return the settings of a month, whose tables need not be there any more.

    Raises
    ------
    ConfigError
        Where there is no such folder, or the file cannot be used.
    """
    if file is None and not data.is_dir():
        raise ConfigError(f"{data}: there is no such folder; name the one with reportgen.toml by "
                          "--data, or that file by --config")
    try:
        folder = months.find_month(data, month).path
    except DataFolderError:
        folder = data
    path = file or config.find_file(folder)
    settings = config.load(path)
    return settings if path is None else settings.model_copy(
        update={"mail": settings.mail.beside(path)})


def check(settings: Settings, wish: Wish, languages: Sequence[str] | None) -> None:
    """Refuse to begin a run whose report could not be mailed.

    Raises
    ------
    ConfigError
        Naming the setting that is missing or wrong.
    """
    mailing.check(settings.mail, wish, languages or settings.store.languages)


def send(output: Path, month: str | None, settings: Settings, wish: Wish, *,
         clock: Clock, failures: Sequence[str] | None = None,
         today: date | None = None, told: Progress = silent) -> Mailing:
    """Mail a finished month to everybody who should have it and does not.

    Parameters
    ----------
    month
        The newest finished one if None.
    failures
        Gates that the month did not pass, where a run has told them; else the report tells them,
        and the calendar where no month is named.

    Raises
    ------
    ReportgenError
        Where nothing could be sent at all: no such month, settings that are not enough.
    """
    _check_there(output, month)
    with storage.lock(output):
        chosen = month or pipeline.newest(output)
        report = pipeline.read(output, chosen)
        if failures is None:
            failures = tuple(pipeline.failures(report))
            if month is None and today is not None:
                failures += limits.too_old(chosen, today, settings.gates.data_age)
        deliveries = mailing.send(Published(output, report), settings.mail, wish,
                                  failures=failures, clock=clock, told=told)
    return Mailing(chosen, deliveries, wish, tuple(failures))


def approve(output: Path, month: str | None, by: str, clock: Clock) -> str:
    """Let leadership have a month's messages as they are now; return the month."""
    _check_there(output, month)
    with storage.lock(output):
        chosen = month or pipeline.newest(output)
        published = Published(output, pipeline.read(output, chosen))
        state = storage.state_folder(output)
        if not mailed.read(state).approved(published.content):
            mailed.note(state, Approval(clock.now().isoformat(timespec="seconds"), chosen,
                                        published.content, by))
    return chosen


def _check_there(output: Path, month: str | None) -> None:
    """Refuse a month that is none, and a folder that no run wrote before it would be made."""
    if month is not None and not months.is_month(month):
        raise ConfigError(f"--month {month!r} is no month; write it like 2026-10")
    if not (output / "public").is_dir():
        raise StorageError(f"{output} holds no finished month; run one first, or name another "
                           "folder by --output")


def tell_failure(output: Path, settings: Settings, error: str, wish: Wish,
                 clock: Clock) -> Mailing:
    """Tell the owner that a run failed; readers hear nothing."""
    deliveries = mailing.tell_failure(settings.mail, output, error, wish, clock=clock,
                                      language=settings.store.languages[0])
    nobody = () if deliveries else ("[mail] names no owner, so nobody was told of the failure",)
    return Mailing("", deliveries, wish, told=nobody)


def send_after(output: Path, outcome: Path, settings: Settings, wish: Wish, *,
               clock: Clock, told: Progress = silent) -> Mailing:
    """Mail what an earlier `run --json` told: its month, or to the owner that it failed.

    Raises
    ------
    ConfigError
        Where the file is not what `run --json` prints.
    ReportgenError
        As `send`.
    """
    try:
        text = outcome.read_text(encoding="utf-8")
        plain: Any = json.loads(text) if text.strip() else {"exit_code": 1, "error": None}
        if plain["exit_code"] not in (0, 4):
            error = plain["error"] or {"message": "it ended without a word; look at its log"}
            return tell_failure(output, settings, error["message"], wish, clock)
        newest = plain["months"][-1]
        month, failures = newest["month"], tuple(newest["failures"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as fault:
        raise ConfigError(f"--outcome {outcome}: not what `reportgen run --json` prints "
                          f"({type(fault).__name__}: {fault})") from None
    _check_there(output, month)
    if month != pipeline.newest(output):
        return Mailing(month, (), wish, told=(
            f"not the newest month, so it is not mailed; `{wish.send_command(month)}` does",))
    return send(output, month, settings, wish, clock=clock, failures=failures, told=told)


def addresses_of(addresses: Sequence[str]) -> tuple[str, ...]:
    """Return the addresses of --to as servers take them.

    Raises
    ------
    ConfigError
        Where one is no address.
    """
    from reportgen import addresses as standard

    try:
        return tuple(dict.fromkeys(standard.checked(address) for address in addresses))
    except ValueError as error:
        raise ConfigError(f"--to: {error}") from None
