"""`send`, `approve` and `run --send` as a user types them, against a real mail server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import histories
import pytest
from click.testing import CliRunner, Result
from mail.published import publish
from mail.server import Post
from reports import make_report, make_unproven_report

from reportgen import mailed, pipeline, storage
from reportgen.cli import main
from reportgen.errors import DataError, Problem, StorageError
from reportgen.results import Report

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd")

MONTH = "2026-10"
DIRECTOR, MARKETING, OWNER = (f"{name}@shop.example.org"
                              for name in ("director", "marketing", "owner"))
SETTINGS = """
[gates]
data_age = 36500
[mail]
sender = {{ address = "reports@shop.example.org" }}
owner = {{ address = "{owner}", language = "en" }}
approval = {approval}
recipients = [
  {{ address = "{director}", language = "ru", group = "leadership" }},
  {{ address = "{marketing}", language = "en" }},
]
[mail.server]
host = "127.0.0.1"
port = {port}
encryption = "none"
attempts = 2
pause_s = 0
"""


class Store:
    """A store's folders, its settings, and a finished month."""

    def __init__(self, folder: Path, port: int) -> None:
        self.data, self.output = folder / "data", folder / "output"
        (self.data / MONTH).mkdir(parents=True)
        self.port = port
        self.set_up()
        publish(self.output, make_report())

    def set_up(self, approval: str = "false", extra: str = "") -> None:
        text = SETTINGS.format(owner=OWNER, director=DIRECTOR, marketing=MARKETING, port=self.port,
                               approval=approval)
        (self.data / "reportgen.toml").write_text(text + extra, encoding="utf-8")

    def call(self, command: str, *arguments: str) -> Result:
        folders = () if command == "approve" else ("--data", str(self.data))
        return CliRunner().invoke(main, [command, *folders, "--output", str(self.output),
                                         *arguments])


@pytest.fixture
def server() -> Iterator[Post]:
    with Post() as post:
        yield post


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that these tests run in a CI job, and whose login this machine has."""
    for name in ("CI", "REPORTGEN_SMTP_USER", "REPORTGEN_SMTP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def store(tmp_path: Path, server: Post) -> Store:
    return Store(tmp_path, server.port)


def got(server: Post) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for envelope in server.taken:
        (reader,) = envelope.rcpt_tos
        found.setdefault(reader, []).append(
            message_from_bytes(envelope.content, policy=policy.default))
    return found


def fates(told: Result) -> dict[str, str]:
    return {one["address"]: one["fate"] for one in json.loads(told.stdout)["mail"]}


# ── send ─────────────────────────────────────────────────────────────────────────────────────────


def test_newest_month_is_mailed_once(store: Store, server: Post) -> None:
    told = store.call("send")
    assert (told.exit_code, told.stdout) == (0, "")
    assert "messages sent: 2" in told.stderr
    assert {reader: len(messages) for reader, messages in got(server).items()} == {
        DIRECTOR: 1, MARKETING: 1}
    again = store.call("send")
    assert again.exit_code == 0
    assert "had the report before" in again.stderr
    assert len(server.taken) == 2


def test_message_on_the_way_is_what_a_dry_run_shows_but_for_its_day(
    store: Store, server: Post
) -> None:
    shown = [Path(line) for line in store.call("send", "--dry-run").stdout.splitlines()]
    store.call("send")
    written = message_from_bytes(shown[0].read_bytes(), policy=policy.default)
    (sent,) = got(server)[DIRECTOR]
    for message in (written, sent):
        del message["Date"], message["X-Peer"], message["X-MailFrom"], message["X-RcptTo"]
    assert sent.items() == written.items()
    assert [part.get_payload() for part in sent.walk() if not part.is_multipart()] == [
        part.get_payload() for part in written.walk() if not part.is_multipart()]


def test_dry_run_opens_no_socket(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", opened)
    monkeypatch.setattr(socket, "create_connection", opened)
    monkeypatch.setattr(socket, "getaddrinfo", opened)
    told = store.call("send", "--dry-run")
    assert told.exit_code == 0
    assert [Path(line).name.rsplit(".", 2)[0] for line in told.stdout.splitlines()] == [
        DIRECTOR, MARKETING]


@pytest.mark.parametrize("value", ["true", "True", "1"])
def test_in_ci_nothing_leaves_unless_it_is_asked_for(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CI", value)
    told = store.call("send")
    assert (told.exit_code, server.seen) == (0, [])
    assert "--deliver" in told.stderr
    assert store.call("send", "--deliver").exit_code == 0
    assert len(server.taken) == 2


def test_preview_goes_to_the_address_alone(store: Store, server: Post) -> None:
    told = store.call("send", "--to", "me@shop.example.org", "--language", "en", "--json")
    assert fates(told) == {"me@shop.example.org": "sent"}
    (message,) = got(server)["me@shop.example.org"]
    assert message["Subject"].startswith("Preview: ")


@pytest.mark.parametrize("address", ["nobody", "a@example.org\r\nBcc: b@example.org", "a@b@c"])
def test_preview_to_what_is_no_address_is_a_wrong_usage(
    store: Store, server: Post, address: str
) -> None:
    told = store.call("send", "--to", address)
    assert told.exit_code == 2
    assert "--to: " in told.stderr
    assert server.seen == []


def test_refused_reader_ends_with_5_and_everybody_else_has_it(tmp_path: Path) -> None:
    with Post(RCPT=["550 5.1.1 no such user"]) as server:
        store = Store(tmp_path, server.port)
        told = store.call("send", "--json")
        assert told.exit_code == 5
        assert fates(told) == {DIRECTOR: "refused", MARKETING: "sent", OWNER: "sent"}
        assert json.loads(told.stdout)["exit_code"] == 5
        assert DIRECTOR in told.stderr
        assert "no such user" in told.stderr
        assert MARKETING not in told.stderr
        text = got(server)[OWNER][0].get_body(preferencelist=("plain",)).get_content()
        assert "no such user" in text


def test_reader_who_is_put_off_gets_it_in_the_same_command(tmp_path: Path) -> None:
    with Post(RCPT=["451 4.7.1 greylisted, come again"]) as server:
        told = Store(tmp_path, server.port).call("send", "--json")
        assert (told.exit_code, fates(told)) == (0, {DIRECTOR: "sent", MARKETING: "sent"})
        assert server.seen.count("DATA") == 2


def test_server_that_is_not_there_ends_with_5_and_the_next_run_sends(tmp_path: Path) -> None:
    with Post() as server:
        port = server.port
    store = Store(tmp_path, port)
    told = store.call("send")
    assert told.exit_code == 5
    assert f"127.0.0.1:{port} does not answer" in told.stderr
    with Post() as server:
        store.port = server.port
        store.set_up()
        assert store.call("send").exit_code == 0
        assert len(server.taken) == 2


def test_login_is_read_from_the_environment_and_shown_nowhere(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPORTGEN_SMTP_USER", "reports-user")
    told = store.call("send")
    assert told.exit_code == 2
    assert "REPORTGEN_SMTP_PASSWORD is not set" in told.stderr
    monkeypatch.setenv("REPORTGEN_SMTP_PASSWORD", "wrong-password-1")
    for arguments in ((), ("--json",), ("--log-format", "json")):
        told = store.call("send", *arguments)
        assert told.exit_code == 5
        assert "refused the login" in told.output
        assert "reports-user" not in told.output
        assert "wrong-password-1" not in told.output


def test_closed_gate_goes_to_the_owner_alone_until_it_is_forced(
    store: Store, server: Post
) -> None:
    publish(store.output, make_report(checks=histories.checks(drift=0.4)), "closed gate")
    told = store.call("send", "--json")
    assert (told.exit_code, fates(told)) == (
        4, {DIRECTOR: "kept_back", MARKETING: "kept_back", OWNER: "sent"})
    assert "drift: " in told.stderr
    assert "--force" in told.stderr
    forced = store.call("send", "--force", "--json")
    assert (forced.exit_code, fates(forced)[DIRECTOR]) == (0, "sent")


def test_withheld_model_is_mailed_with_its_warning(store: Store, server: Post) -> None:
    publish(store.output, make_unproven_report(), "unproven model")
    assert fates(store.call("send", "--json")) == {
        DIRECTOR: "sent", MARKETING: "sent", OWNER: "sent"}
    assert "do not use" in got(server)[MARKETING][0]["Subject"]


def test_data_that_are_too_old_are_not_mailed_as_news(store: Store, server: Post) -> None:
    text = (store.data / "reportgen.toml").read_text(encoding="utf-8")
    (store.data / "reportgen.toml").write_text(text.replace("data_age = 36500", "data_age = 1"),
                                               encoding="utf-8")
    told = store.call("send", "--json")
    assert fates(told)[DIRECTOR] == "kept_back"
    # A month that is named is known to be old.
    assert fates(store.call("send", "--month", MONTH, "--json"))[DIRECTOR] == "sent"


def test_store_that_names_nobody_is_told_what_to_write(store: Store, server: Post) -> None:
    (store.data / "reportgen.toml").write_text("[gates]\ndrift = 0.3\n", encoding="utf-8")
    told = store.call("send")
    assert told.exit_code == 2
    assert "sender = { address" in told.stderr


def test_month_that_has_no_report_says_so(store: Store, server: Post) -> None:
    told = store.call("send", "--month", "2026-11")
    assert told.exit_code == 1
    assert "run that month first" in told.stderr
    assert server.seen == []


def test_folder_that_is_not_there_is_told_and_not_made(store: Store, tmp_path: Path) -> None:
    for command in ("send", "approve"):
        folders = () if command == "approve" else ("--data", str(store.data))
        told = CliRunner().invoke(main, [command, *folders, "--output", str(tmp_path / "typo")])
        assert told.exit_code == 1
        assert "--output" in told.stderr
    assert not (tmp_path / "typo").exists()
    told = CliRunner().invoke(main, ["send", "--data", str(tmp_path / "typo")])
    assert (told.exit_code, "no such folder" in told.stderr) == (2, True)


@pytest.mark.parametrize(("command", "arguments"), [
    ("send", ("--language", "en")), ("send", ("--month", "2026-13")), ("run", ("--deliver",)),
    ("run", ("--dry-run",)), ("approve", ("--month", "october")),
])
def test_option_that_would_do_nothing_is_a_wrong_usage(
    store: Store, command: str, arguments: tuple[str, ...]
) -> None:
    assert store.call(command, *arguments).exit_code == 2


def test_certificates_that_are_not_there_are_told_before_anything_is_sent(
    store: Store, server: Post
) -> None:
    store.set_up(extra='certificates = "ca.pem"\n')
    told = store.call("send")
    assert told.exit_code == 2
    assert str(store.data / "ca.pem") in told.stderr
    assert server.seen == []


def test_wrong_preview_address_is_told_in_json_too(store: Store) -> None:
    told = store.call("send", "--to", "nobody", "--json")
    assert json.loads(told.stdout)["exit_code"] == 2


def test_approval_of_nobody_asks_for_a_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("getpass.getuser", nobody)
    told = store.call("approve")
    assert (told.exit_code, "--by" in told.stderr) == (2, True)


def test_two_commands_do_not_mail_at_once(store: Store, server: Post) -> None:
    with storage.lock(store.output):
        told = store.call("send")
    assert told.exit_code == 1
    assert "in use by another reportgen" in told.stderr
    assert server.seen == []


def test_messages_hold_no_customer(store: Store, server: Post) -> None:
    """The messages are made of the report alone; only the PDF is attached."""
    store.call("send")
    for messages in got(server).values():
        names = [part.get_filename() for part in messages[0].iter_attachments()]
        assert all(name.endswith(".pdf") for name in names)


# ── approve ──────────────────────────────────────────────────────────────────────────────────────


def test_leadership_gets_its_copy_after_the_approval(store: Store, server: Post) -> None:
    store.set_up(approval="true")
    assert fates(store.call("send", "--json")) == {
        DIRECTOR: "waits", MARKETING: "sent", OWNER: "sent"}
    told = store.call("approve", "--by", "Анна")
    assert told.exit_code == 0
    assert f"reportgen send --month {MONTH}" in told.stderr
    assert store.call("approve").exit_code == 0
    (approval,) = mailed.read(store.output / "state").approvals
    assert (approval.month, approval.by) == (MONTH, "Анна")
    assert fates(store.call("send", "--json")) == {DIRECTOR: "sent", MARKETING: "had"}


def test_approval_ends_with_the_figures_it_was_given_for(store: Store) -> None:
    store.set_up(approval="true")
    store.call("approve")
    report = make_report()
    publish(store.output, replace(report, overview=replace(report.overview, contactable=1)))
    assert fates(store.call("send", "--dry-run", "--json"))[DIRECTOR] == "waits"


# ── run --send ───────────────────────────────────────────────────────────────────────────────────


def runs(monkeypatch: pytest.MonkeyPatch, store: Store, report: Report,
         failures: tuple[str, ...] = ()) -> None:
    """Let `run` publish a month that is at hand instead of analysing one."""

    def run(*_: object) -> pipeline.Outcome:
        publish(store.output, report, "unproven model" if report.model.gate.withholds
                else "third month")
        return pipeline.Outcome(report, (), "analysed", failures)

    monkeypatch.setattr(pipeline, "run", run)


def test_run_mails_what_it_wrote(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, store, make_report())
    told = store.call("run", "--send", "--json")
    assert told.exit_code == 0
    assert fates(told) == {DIRECTOR: "sent", MARKETING: "sent"}
    assert json.loads(told.stdout)["months"][0]["month"] == MONTH


def test_run_without_send_mails_nobody(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, store, make_report())
    assert store.call("run").exit_code == 0
    assert server.seen == []


def test_run_whose_gate_closed_ends_with_4_and_keeps_the_report_from_readers(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, store, make_report(), ("data_age: the newest month ended 90 days ago",))
    told = store.call("run", "--send", "--json")
    assert told.exit_code == 4
    assert fates(told) == {DIRECTOR: "kept_back", MARKETING: "kept_back", OWNER: "sent"}
    text = got(server)[OWNER][0].get_body(preferencelist=("plain",)).get_content()
    assert "90 days ago" in text


def test_run_that_is_written_and_not_mailed_ends_with_5_and_with_4_where_a_gate_failed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for code, report, failures in (
        (5, make_report(), ()), (4, make_unproven_report(), ("usefulness: not proven",)),
    ):
        with Post(RCPT=["550 no"]) as server:
            store = Store(tmp_path / str(code), server.port)
            runs(monkeypatch, store, report, failures)
            told = store.call("run", "--send", "--json")
        assert told.exit_code == code
        assert fates(told)[DIRECTOR] == "refused"
        message = json.loads(told.stdout)["error"]["message"]
        assert DIRECTOR in message
        assert ("usefulness" in message) == (code == 4)


def test_message_that_cannot_be_sent_at_all_leaves_the_report_written(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set_up(extra="\n[mail.nothing]\n")
    assert store.call("run", "--send").exit_code == 2
    store.set_up()
    text = (store.data / "reportgen.toml").read_text(encoding="utf-8")
    (store.data / "reportgen.toml").write_text(
        text.replace("[mail]", "[mail]\nlargest_mb = 0.01"), encoding="utf-8")
    runs(monkeypatch, store, make_report())
    told = store.call("run", "--send", "--json")
    assert told.exit_code == 5
    assert "nothing was sent" in told.stderr
    assert server.seen == []
    assert (store.output / "public" / MONTH / "results.json").is_file()


def test_settings_are_looked_at_before_the_analysis(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> None:
        raise AssertionError("the analysis began")

    monkeypatch.setattr(pipeline, "run", run)
    (store.data / "reportgen.toml").write_text("[mail]\n", encoding="utf-8")
    told = store.call("run", "--send")
    assert told.exit_code == 2
    assert "names no sender" in told.stderr


@pytest.mark.parametrize(("error", "code", "said"), [
    (DataError([Problem("market.csv", "x", 3, "wrong", "no number")]), 3, "market.csv"),
    (StorageError("the disk is full"), 1, "the disk is full"),
    (ZeroDivisionError("by nought"), 1, "unexpected fault, ZeroDivisionError"),
])
def test_owner_is_told_of_a_failed_run_and_readers_never_are(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch, error: Exception, code: int,
    said: str,
) -> None:
    def run(*_: object) -> None:
        raise error

    monkeypatch.setattr(pipeline, "run", run)
    told = store.call("run", "--send", "--json")
    assert told.exit_code == code
    assert json.loads(told.stdout)["exit_code"] == code
    assert said in json.loads(told.stdout)["error"]["message"]
    messages = got(server)
    assert messages.keys() == {OWNER}
    assert said in messages[OWNER][0].get_body(preferencelist=("plain",)).get_content()


def test_owner_is_not_told_of_an_interruption(
    store: Store, server: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "run", run)
    assert store.call("run", "--send").exit_code == 130
    assert server.seen == []


# ── send --outcome ───────────────────────────────────────────────────────────────────────────────


def outcome(store: Store, **changes: Any) -> str:
    plain = {"exit_code": 0, "months": [{"month": MONTH, "failures": []}], "error": None} | changes
    path = store.output / "outcome.json"
    path.write_text(json.dumps(plain), encoding="utf-8")
    return str(path)


def test_outcome_of_a_run_is_mailed_in_another_step(store: Store, server: Post) -> None:
    told = store.call("send", "--outcome", outcome(store), "--json")
    assert fates(told) == {DIRECTOR: "sent", MARKETING: "sent"}


def test_outcome_that_tells_of_a_closed_gate_keeps_it_back(store: Store, server: Post) -> None:
    failures = ["data_age: the newest month ended 90 days ago"]
    told = store.call("send", "--json", "--outcome", outcome(
        store, exit_code=4, months=[{"month": MONTH, "failures": failures}]))
    assert fates(told) == {DIRECTOR: "kept_back", MARKETING: "kept_back", OWNER: "sent"}


def test_outcome_that_tells_of_a_failure_goes_to_the_owner(store: Store, server: Post) -> None:
    told = store.call("send", "--json", "--outcome", outcome(
        store, exit_code=3, months=[], error={"message": "market.csv is missing"}))
    assert (told.exit_code, fates(told)) == (0, {OWNER: "sent"})
    text = got(server)[OWNER][0].get_body(preferencelist=("plain",)).get_content()
    assert "market.csv is missing" in text


def test_run_that_ended_without_a_word_is_a_failure_too(store: Store, server: Post) -> None:
    path = store.output / "outcome.json"
    path.touch()
    assert fates(store.call("send", "--json", "--outcome", str(path))) == {OWNER: "sent"}


def test_month_of_the_past_is_not_mailed_because_a_run_built_it(
    store: Store, server: Post
) -> None:
    publish(store.output, make_report(month="2026-09"))
    told = store.call("send", "--outcome", outcome(
        store, months=[{"month": "2026-09", "failures": []}]))
    assert (told.exit_code, server.seen) == (0, [])
    assert "reportgen send --month 2026-09" in told.stderr


def test_failure_that_nobody_can_be_told_of_is_no_silence(store: Store, server: Post) -> None:
    (store.data / "reportgen.toml").write_text("", encoding="utf-8")
    told = store.call("send", "--outcome", outcome(store, exit_code=3, months=[]))
    assert "nobody was told" in told.stderr


@pytest.mark.parametrize("text", ["[]", "{}", "x", '{"exit_code": 0, "months": []}'])
def test_outcome_that_is_none_is_refused(store: Store, server: Post, text: str) -> None:
    path = store.output / "outcome.json"
    path.write_text(text, encoding="utf-8")
    told = store.call("send", "--outcome", str(path))
    assert told.exit_code == 2
    assert "not what `reportgen run --json` prints" in told.stderr
    assert server.seen == []
