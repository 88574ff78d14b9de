"""Who gets which message: readers once, leadership after approval, the owner what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import histories
import pytest
from mail.letters import LANGUAGES
from mail.published import publish
from reports import make_report, make_unproven_report

from reportgen import config, mail, mailed, mailing
from reportgen.errors import ConfigError, MailError, StorageError
from reportgen.mail import Envelope, Handed, ServerError
from reportgen.mailbox import Mail
from reportgen.mailing import Clock, Delivery, Published, Wish
from reportgen.results import Report

MONTH = "2026-10"
START = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
DIRECTOR, MARKETING, OWNER = (f"{name}@shop.example.org"
                              for name in ("director", "marketing", "owner"))
SETTINGS = f"""
[mail]
sender = {{ address = "reports@shop.example.org", name = "Отчёты" }}
owner = {{ address = "{OWNER}", language = "en" }}
recipients = [
  {{ address = "{DIRECTOR}", language = "ru", group = "leadership" }},
  {{ address = "{MARKETING}", language = "en" }},
]
[mail.server]
host = "localhost"
attempts = 3
pause_s = 10
"""
DRIFT = "drift: the largest drift of a column (PSI) is 0.4, the limit in [gates] is 0.25"


def settings_with(text: str = "") -> Mail:
    return config.parse(SETTINGS.replace("[mail]", f"[mail]\n{text}")).mail


@dataclass
class Time:
    """A clock that only moves when somebody waits."""

    at: datetime = START
    waited: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(lambda: self.at, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass
class Server:
    """A way that does as it is told and remembers what it took.

    ``answers`` give for a recipient what becomes of the next messages; what they do not tell is
    taken. ``away`` counts how often it does not answer, ``shut`` tells that it takes nothing.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    away: int = 0
    shut: bool = False
    delivers: bool = True
    took: list[Envelope] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    seen: Callable[[], None] = lambda: None

    def open(self) -> None:
        if self.shut:
            raise ServerError("refused the login", lasting=True)
        if self.away:
            self.away -= 1
            raise ServerError("does not answer", lasting=False)

    def hand_over(self, envelope: Envelope) -> Handed:
        self.seen()
        self.tried.append(envelope.recipient)
        left = self.answers.get(envelope.recipient, [])
        result = left.pop(0) if left else "sent"
        if result == "sent":
            self.took.append(envelope)
        return Handed(result, f"{result} by the server")  # type: ignore[arg-type]

    def close(self) -> None:
        pass

    @property
    def got(self) -> dict[str, list[EmailMessage]]:
        found: dict[str, list[EmailMessage]] = {}
        for envelope in self.took:
            parsed = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(
                envelope.message)
            found.setdefault(envelope.recipient, []).append(parsed)
        return found


@dataclass
class Office:
    """A published month, the server, the clock, and how to send."""

    output: Path
    server: Server = field(default_factory=Server)
    time: Time = field(default_factory=Time)
    report: Report = field(default_factory=make_report)

    def publish(self, report: Report, kind: str = "third month") -> None:
        self.report = report
        publish(self.output, report, kind)

    def send(self, settings: Mail | None = None, *, failures: tuple[str, ...] = (),
             deliver: bool = True, **wish: object) -> dict[str, str]:
        return {one.address: one.fate for one in self.deliveries(
            settings, failures=failures, deliver=deliver, **wish)}

    def deliveries(self, settings: Mail | None = None, *, failures: tuple[str, ...] = (),
                   deliver: bool = True, **wish: object) -> tuple[Delivery, ...]:
        return mailing.send(
            Published(self.output, self.report), settings or settings_with(),
            Wish(deliver, **wish), failures=failures, clock=self.time.clock())  # type: ignore

    @property
    def steps(self) -> list[tuple[str, str, str]]:
        return [(entry.kind, entry.recipient, entry.fate)
                for entry in mailed.read(self.output / "state").entries]


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(tmp_path)
    made.publish(make_report())
    monkeypatch.setattr(mail, "transport", lambda _: made.server)
    return made


# ── Readers ──────────────────────────────────────────────────────────────────────────────────────


def test_each_reader_gets_a_copy_in_the_reader_s_language(office: Office) -> None:
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}
    got = office.server.got
    assert [(one["Content-Language"], one["To"]) for one in (*got[DIRECTOR], *got[MARKETING])] == [
        ("ru", DIRECTOR), ("en", MARKETING)]
    assert {one["Reply-To"] for (one,) in got.values()} == {OWNER}
    assert {envelope.sender for envelope in office.server.took} == {"reports@shop.example.org"}


def test_reader_without_a_language_gets_the_store_s_first(office: Office) -> None:
    whole = settings_with()
    office.send(whole.model_copy(update={"recipients": tuple(
        one.model_copy(update={"language": ""}) for one in whole.recipients)}))
    assert {one["Content-Language"] for (one,) in office.server.got.values()} == {"ru"}


def test_each_message_is_told_before_it_leaves(office: Office) -> None:
    seen: list[tuple[float, float, str]] = []
    sent = mailing.send(Published(office.output, office.report), settings_with(), Wish(True),
                        failures=(), clock=office.time.clock(),
                        told=lambda *what: seen.append(what))
    readers = len(office.server.got)
    assert len(sent) >= readers > 1
    assert seen[:readers] == [(done, readers, "messages") for done in range(readers)]


def test_second_run_sends_nothing(office: Office) -> None:
    office.send()
    assert office.send() == {DIRECTOR: "had", MARKETING: "had"}
    assert len(office.server.took) == 2


def test_reader_who_is_added_later_gets_the_report_and_nobody_else_again(office: Office) -> None:
    settings = settings_with()
    office.send(settings.model_copy(update={"recipients": settings.recipients[:1]}))
    assert office.send(settings) == {DIRECTOR: "had", MARKETING: "sent"}


def test_message_bears_the_day_it_is_sent(office: Office) -> None:
    office.send()
    assert office.server.got[DIRECTOR][0]["Date"].datetime == START


def test_step_is_on_disk_before_the_message_leaves(office: Office) -> None:
    seen: list[list[tuple[str, str, str]]] = []
    office.server.seen = lambda: seen.append(office.steps)
    office.send()
    assert seen[0] == [("report", DIRECTOR, "sending")]
    assert office.steps == [("report", DIRECTOR, "sending"), ("report", DIRECTOR, "sent"),
                            ("report", MARKETING, "sending"), ("report", MARKETING, "sent")]


# ── A report that has changed ────────────────────────────────────────────────────────────────────


def changed(report: Report) -> Report:
    return replace(report, overview=replace(report.overview, contactable=1))


def test_changed_report_is_told_and_not_mailed_by_itself(office: Office) -> None:
    office.send()
    office.publish(changed(make_report()))
    found = office.deliveries()
    assert {one.address: one.fate for one in found} == {
        DIRECTOR: "changed", MARKETING: "changed", OWNER: "sent"}
    assert any("--resend" in notice for notice in mailing.notices(found, MONTH, Wish(True)))
    assert mailing.failed(found) == ()
    (notice,) = office.server.got[OWNER]        # the owner is told, once
    assert "--resend" in notice.get_body(preferencelist=("plain",)).get_content()
    office.send()
    assert len(office.server.took) == 3


def test_changed_report_is_resent_as_a_correction(office: Office) -> None:
    office.send()
    office.publish(changed(make_report()))
    assert office.send(resend=True) == {DIRECTOR: "sent", MARKETING: "sent"}
    first, second = office.server.got[DIRECTOR]
    assert second["Subject"] == f"Исправление: {first['Subject']}"
    assert second["Message-ID"] != first["Message-ID"]
    assert office.server.got[MARKETING][1]["Subject"].startswith("Correction: ")


def test_figures_that_come_back_are_a_message_of_their_own(office: Office) -> None:
    office.send()
    office.publish(changed(make_report()))
    office.send(resend=True)
    office.publish(make_report())
    assert office.send(resend=True)[DIRECTOR] == "sent"
    first, second, third = office.server.got[DIRECTOR]
    assert len({one["Message-ID"] for one in (first, second, third)}) == 3
    assert third["Subject"].startswith("Исправление: ")


def test_program_of_another_version_does_not_make_a_report_another_one(office: Office) -> None:
    office.send()
    report = make_report()
    office.publish(replace(report, provenance=replace(report.provenance, program="99")))
    assert office.send() == {DIRECTOR: "had", MARKETING: "had"}


def test_reader_who_lost_the_message_gets_it_again_by_name(office: Office) -> None:
    office.send()
    assert office.send(resend=True, only=(DIRECTOR.upper(),)) == {DIRECTOR: "sent"}
    first, second = office.server.got[DIRECTOR]
    assert first.items() == second.items()
    with pytest.raises(ConfigError, match="no recipient"):
        office.send(resend=True, only=("else@example.org",))


def test_correction_that_was_put_off_is_still_a_correction_in_the_next_run(
    office: Office
) -> None:
    office.send()
    office.publish(changed(make_report()))
    office.server.answers = {DIRECTOR: ["deferred"] * 3}
    assert office.send(resend=True)[DIRECTOR] == "deferred"
    assert office.send()[DIRECTOR] == "sent"
    assert office.server.got[DIRECTOR][1]["Subject"].startswith("Исправление: ")


def test_owner_who_is_a_reader_too_finds_both_messages_in_a_dry_run(office: Office) -> None:
    settings = settings_with("approval = true").model_copy(update={
        "owner": settings_with().recipients[1]})
    found = office.deliveries(settings, deliver=False)
    assert [(one.address, one.kind) for one in found] == [
        (DIRECTOR, "report"), (MARKETING, "report"), (MARKETING, "alert")]
    assert len({one.path for one in found}) == 3


def test_resend_sends_nobody_the_same_report_again(office: Office) -> None:
    office.send()
    assert office.send(resend=True) == {DIRECTOR: "had", MARKETING: "had"}


# ── What servers do ──────────────────────────────────────────────────────────────────────────────


def test_message_that_is_put_off_is_tried_again_after_growing_pauses(office: Office) -> None:
    office.server.answers = {DIRECTOR: ["deferred", "deferred", "sent"]}
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}
    assert office.time.waited == [10, 30]
    # The other did not wait, and got one copy.
    assert office.server.tried == [DIRECTOR, MARKETING, DIRECTOR, DIRECTOR]


def test_attempts_end_and_the_next_run_goes_on(office: Office) -> None:
    office.server.answers = {DIRECTOR: ["deferred"] * 3}
    found = office.deliveries()
    assert found[0].fate == "deferred"
    assert "next run tries again" in mailing.failed(found)[0]
    assert office.send() == {DIRECTOR: "sent", MARKETING: "had"}
    assert office.server.tried.count(DIRECTOR) == 4


def test_later_attempt_is_the_same_message_to_the_last_byte(office: Office) -> None:
    office.server.answers = {DIRECTOR: ["unknown"]}
    office.send()
    office.time.at += timedelta(days=1)
    office.send(resend=True)
    there = [one for one in office.server.took if one.recipient == DIRECTOR]
    entries = [one for one in mailed.read(office.output / "state").entries
               if one.recipient == DIRECTOR]
    assert len(there) == 1
    assert len({(one.message_id, one.dated) for one in entries}) == 1
    assert office.server.got[DIRECTOR][0]["Date"].datetime == START
    assert not office.server.got[DIRECTOR][0]["Subject"].startswith("Исправление")


def test_refusal_is_not_repeated_and_stops_nobody_else(office: Office) -> None:
    office.server.answers = {DIRECTOR: ["refused"]}
    assert office.send() == {DIRECTOR: "refused", MARKETING: "sent", OWNER: "sent"}
    assert office.send() == {DIRECTOR: "refused", MARKETING: "had"}
    assert office.server.tried.count(DIRECTOR) == 1
    assert office.send(resend=True) == {DIRECTOR: "sent", MARKETING: "had"}


def test_unknown_fate_is_told_as_unknown_and_only_resent_when_asked(office: Office) -> None:
    office.server.answers = {DIRECTOR: ["unknown"]}
    found = office.deliveries()
    assert found[0].fate == "unknown"
    assert "--resend" in mailing.failed(found)[0]
    assert office.send()[DIRECTOR] == "unknown"
    assert office.server.tried.count(DIRECTOR) == 1


def test_run_that_was_killed_while_it_sent_leaves_an_unknown_fate(office: Office) -> None:
    def killed() -> None:
        raise KeyboardInterrupt

    office.server.seen = killed
    with pytest.raises(KeyboardInterrupt):
        office.send()
    office.server.seen = lambda: None
    assert office.send()[DIRECTOR] == "unknown"
    assert DIRECTOR not in office.server.got
    assert office.send(resend=True)[DIRECTOR] == "sent"


def test_server_that_takes_nothing_is_asked_once_and_nobody_is_noted(office: Office) -> None:
    office.server.shut = True
    found = office.deliveries()
    assert [(one.address, one.fate) for one in found] == [
        (DIRECTOR, "not_tried"), (MARKETING, "not_tried")]
    assert office.time.waited == []
    assert office.steps == []
    office.server.shut = False
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}


def test_server_that_refuses_the_sender_blames_no_reader(office: Office) -> None:
    def refuse() -> None:
        raise ServerError("530 log in first", lasting=True)

    office.server.seen = refuse
    assert office.send() == {DIRECTOR: "not_tried", MARKETING: "not_tried"}
    office.server.seen = lambda: None
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}


def test_message_that_could_not_be_written_has_not_left(office: Office) -> None:
    def full() -> None:
        raise StorageError("the disk is full")

    office.server.seen = full
    with pytest.raises(StorageError):
        office.send()
    office.server.seen = lambda: None
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}


def test_server_that_is_away_for_a_while_is_waited_for(office: Office) -> None:
    office.server.away = 1
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}
    assert office.time.waited == [10]


# ── Approval ─────────────────────────────────────────────────────────────────────────────────────


def test_leadership_waits_for_the_approval_of_this_very_report(office: Office) -> None:
    settings = settings_with("approval = true")
    assert office.send(settings) == {DIRECTOR: "waits", MARKETING: "sent", OWNER: "sent"}
    (notice,) = office.server.got[OWNER]
    text = notice.get_body(preferencelist=("plain",)).get_content()
    assert f"reportgen approve --month {MONTH}" in text
    assert [part.get_filename() for part in notice.iter_attachments()] == ["report-2026-10-en.pdf"]
    content = Published(office.output, office.report).content
    mailed.note(office.output / "state", mailed.Approval("x", MONTH, content, "Ann"))
    assert office.send(settings) == {DIRECTOR: "sent", MARKETING: "had"}


def test_approval_of_another_report_does_not_count(office: Office) -> None:
    mailed.note(office.output / "state", mailed.Approval("x", MONTH, "another", "Ann"))
    assert office.send(settings_with("approval = true"))[DIRECTOR] == "waits"


def test_approval_ends_where_the_message_is_drawn_otherwise(office: Office) -> None:
    content = Published(office.output, office.report).content
    mailed.note(office.output / "state", mailed.Approval("x", MONTH, content, "Ann"))
    path = office.output / "private" / MONTH / "email.ru.eml"
    path.write_bytes(path.read_bytes().replace(b"X-Unsent: 1", b"X-Unsent: 1\r\nX-Other: 1"))
    assert office.send(settings_with("approval = true"))[DIRECTOR] == "waits"


def test_dry_run_shows_the_copy_that_waits_to_whoever_is_to_approve_it(office: Office) -> None:
    found = office.deliveries(settings_with("approval = true"), deliver=False)
    assert [(one.address, one.fate, one.path is not None) for one in found] == [
        (DIRECTOR, "waits", True), (MARKETING, "written", True), (OWNER, "written", True)]


# ── Gates and the owner ──────────────────────────────────────────────────────────────────────────


def test_all_is_well_and_the_owner_hears_nothing(office: Office) -> None:
    office.send()
    assert OWNER not in office.server.got


def test_closed_gate_keeps_the_report_from_readers_and_brings_it_to_the_owner(
    office: Office
) -> None:
    office.publish(make_report(checks=histories.checks(drift=0.4)))
    assert office.send(failures=(DRIFT,)) == {
        DIRECTOR: "kept_back", MARKETING: "kept_back", OWNER: "sent"}
    (notice,) = office.server.got[OWNER]
    text = notice.get_body(preferencelist=("plain",)).get_content()
    assert DRIFT in text
    assert f"reportgen send --month {MONTH} --force" in text
    assert [part.get_filename() for part in notice.iter_attachments()] == ["report-2026-10-en.pdf"]


def test_owner_is_told_once(office: Office) -> None:
    office.send(failures=(DRIFT,))
    assert OWNER not in office.send(failures=(DRIFT,))
    assert len(office.server.got[OWNER]) == 1


def test_closed_gate_can_be_overruled(office: Office) -> None:
    assert office.send(failures=(DRIFT,), force=True) == {
        DIRECTOR: "sent", MARKETING: "sent", OWNER: "sent"}


def test_model_that_is_withheld_is_mailed_with_its_warning_as_the_subject(office: Office) -> None:
    office.publish(make_unproven_report(), "unproven model")
    failures = ("usefulness: the model is not proven useful", "roc_auc: the lower bound is 0.5")
    assert office.send(failures=failures) == {DIRECTOR: "sent", MARKETING: "sent", OWNER: "sent"}
    assert "модель риска" in office.server.got[DIRECTOR][0]["Subject"]
    assert "do not use" in office.server.got[MARKETING][0]["Subject"]


def test_model_that_is_withheld_does_not_excuse_another_gate(office: Office) -> None:
    office.publish(make_unproven_report(), "unproven model")
    fates = office.send(failures=("usefulness: x", DRIFT))
    assert (fates[DIRECTOR], fates[MARKETING]) == ("kept_back", "kept_back")


def test_low_score_of_a_model_that_is_used_keeps_the_report_back(office: Office) -> None:
    assert office.send(failures=("roc_auc: the lower bound is 0.6",))[DIRECTOR] == "kept_back"


def test_owner_learns_who_did_not_get_it_and_why(office: Office) -> None:
    office.server.answers = {DIRECTOR: ["refused"]}
    office.send()
    (notice,) = office.server.got[OWNER]
    text = notice.get_body(preferencelist=("plain",)).get_content()
    assert DIRECTOR in text
    assert "refused by the server" in text
    assert MARKETING not in text


def test_commands_for_the_owner_say_where_settings_and_output_are(office: Office) -> None:
    office.send(failures=(DRIFT,), data_options=" --data d2", output_options=" --output 'o 1'")
    (notice,) = office.server.got[OWNER]
    text = notice.get_body(preferencelist=("plain",)).get_content()
    assert f"reportgen send --month {MONTH} --force --data d2 --output 'o 1'" in text


def test_notice_whose_report_is_too_large_goes_without_it(office: Office) -> None:
    (office.output / "public" / MONTH / "report.en.pdf").write_bytes(b"%PDF" + bytes(200_000))
    office.send(settings_with("largest_mb = 0.2"), failures=(DRIFT,))
    (notice,) = office.server.got[OWNER]
    assert list(notice.iter_attachments()) == []
    assert "too large" in notice.get_body(preferencelist=("plain",)).get_content()


def test_without_an_owner_nobody_is_told(office: Office) -> None:
    settings = settings_with().model_copy(update={"owner": None})
    assert office.send(settings, failures=(DRIFT,)) == {
        DIRECTOR: "kept_back", MARKETING: "kept_back"}


def test_failed_run_is_told_to_the_owner_alone_each_time(office: Office) -> None:
    for _ in range(2):
        (found,) = mailing.tell_failure(
            settings_with(), office.output, "the data do not meet the contract:\n  x.csv, row 3",
            Wish(deliver=True), language="ru", clock=office.time.clock())
        assert (found.address, found.fate, found.path) == (OWNER, "sent", None)
        office.time.sleep(60)
    assert office.server.got.keys() == {OWNER}
    texts = [one.get_body(preferencelist=("plain",)).get_content()
             for one in office.server.got[OWNER]]
    assert all("x.csv, row 3" in text for text in texts)
    assert len({one["Message-ID"] for one in office.server.got[OWNER]}) == 2


# ── Previews and dry runs ────────────────────────────────────────────────────────────────────────


def test_preview_goes_to_nobody_else_and_counts_for_nobody(office: Office) -> None:
    settings = settings_with("approval = true")
    assert office.send(settings, only=(DIRECTOR,), language="en", failures=(DRIFT,)) == {
        DIRECTOR: "sent"}
    assert office.server.got[DIRECTOR][0]["Subject"].startswith("Preview: ")
    assert office.send(settings, only=(DIRECTOR,)) == {DIRECTOR: "sent"}
    assert office.send()[DIRECTOR] == "sent"


def test_dry_run_writes_what_would_be_sent_and_notes_nothing(office: Office) -> None:
    found = office.deliveries(deliver=False)
    assert [one.fate for one in found] == ["written", "written"]
    assert office.server.tried == []
    assert office.steps == []
    folder = office.output / "private" / "outbox" / MONTH
    assert [(one.path.parent, one.path.name.rsplit(".", 2)[0]) for one in found] == [
        (folder, DIRECTOR), (folder, MARKETING)]
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_what_is_printed_for_a_look_counts_as_sent_to_nobody(office: Office) -> None:
    office.server.delivers = False
    assert office.send() == {DIRECTOR: "shown", MARKETING: "shown"}
    office.server.delivers = True
    assert office.send() == {DIRECTOR: "sent", MARKETING: "sent"}


def test_dry_run_gives_the_same_bytes_on_every_day(office: Office) -> None:
    first = [one.path.read_bytes() for one in office.deliveries(deliver=False)]
    office.time.at += timedelta(days=9)
    assert [one.path.read_bytes() for one in office.deliveries(deliver=False)] == first


def test_dry_run_leaves_no_message_of_a_reader_who_is_gone(office: Office) -> None:
    settings = settings_with()
    office.send(settings, deliver=False)
    office.send(settings.model_copy(update={"recipients": settings.recipients[1:]}), deliver=False)
    (path,) = (office.output / "private/outbox" / MONTH).iterdir()
    assert path.name.startswith(f"{MARKETING}.")


# ── Refused before anything is sent ──────────────────────────────────────────────────────────────


def refused(office: Office, settings: Mail, error: type[Exception], match: str,
            **wish: object) -> None:
    with pytest.raises(error, match=match):
        office.send(settings, **wish)
    assert office.server.tried == []
    assert office.steps == []


def test_what_cannot_be_sent_is_refused_with_what_to_do(office: Office) -> None:
    whole = settings_with()
    without = whole.model_copy
    refused(office, without(update={"sender": None}), ConfigError, "names no sender")
    refused(office, without(update={"recipients": ()}), ConfigError, "recipients is empty.*--to")
    french = whole.recipients[0].model_copy(update={"language": "fr"})
    refused(office, without(update={"recipients": (french,)}), ConfigError, "not drawn in 'fr'")
    refused(office, whole, ConfigError, "not drawn in 'fr'", only=("a@b.c",), language="fr")
    refused(office, without(update={"largest_mb": 0.05}), MailError,
            r"has 0\.\d MB, more than the 0\.05 MB .* nothing was sent")
    refused(office, without(update={"largest_mb": 0.05}), MailError, "nothing was sent",
            only=("a@example.org",))


def test_month_whose_message_was_not_drawn_says_how_to_draw_it(office: Office) -> None:
    (office.output / "private" / MONTH / "email.en.eml").unlink()
    refused(office, settings_with(), StorageError, "reportgen render --month 2026-10")


def test_server_must_be_named_before_anything_is_delivered(tmp_path: Path) -> None:
    bare = settings_with().model_copy(update={"server": None})
    with pytest.raises(ConfigError, match=r"\[mail\.server\].*--dry-run"):
        mailing.check(bare, Wish(deliver=True), LANGUAGES)
    mailing.check(bare, Wish(deliver=False), LANGUAGES)
