"""Messages land in a folder or on the console, by the transport that the settings name."""

from __future__ import annotations

import errno
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError

from reportgen.errors import ConfigError, StorageError
from reportgen.mail import Envelope, Folder, Handed, alert, transport
from reportgen.mail.smtp import PASSWORD_VARIABLE, USER_VARIABLE, Smtp
from reportgen.mail.transports import TRANSPORTS, Console
from reportgen.mailbox import Mail, Server

SENDER, READER = "reports@example.org", "ann@example.org"


def message(recipient: str = READER, text: str = "All is well.\n") -> bytes:
    return alert(subject="Отчёт", text=text, language="ru", attachments=(),
                 sender=Address("Reports", addr_spec=SENDER),
                 recipient=Address(addr_spec=recipient), identifier="<1@example.org>",
                 dated=datetime(2026, 11, 2, tzinfo=UTC))


def written(folder: Path, recipient: str = READER, content: bytes = b"x\r\n") -> Path:
    way = Folder(folder)
    way.open()
    result = way.hand_over(Envelope(SENDER, recipient, content))
    way.close()
    assert result.path is not None
    assert result == Handed("sent", f"written to {result.path}", result.path)
    return result.path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


# ── A folder ─────────────────────────────────────────────────────────────────────────────────────


def test_a_message_is_a_file_that_mail_programs_open(tmp_path: Path) -> None:
    content = message()
    path = written(tmp_path, content=content)
    assert path.parent == tmp_path
    assert path.name.startswith("ann@example.org.")
    assert path.suffix == ".eml"
    assert path.read_bytes() == content
    parsed = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
    assert (parsed["To"], parsed["Subject"]) == (READER, "Отчёт")
    assert parsed.get_content().splitlines() == ["All is well."]
    assert not parsed.defects


def test_only_the_owner_reads_folder_and_files(tmp_path: Path) -> None:
    path = written(tmp_path / "a" / "outbox")
    assert (mode(path.parent), mode(path)) == (0o700, 0o600)


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)                       # the pickup folder of a mail server
    written(tmp_path)
    assert mode(tmp_path) == 0o750


def test_the_same_message_is_the_same_file_and_another_one_another(tmp_path: Path) -> None:
    first = written(tmp_path, content=b"first\r\n")
    second = written(tmp_path, content=b"second\r\n")
    first.write_bytes(b"damaged and longer than before\r\n")
    assert written(tmp_path, content=b"first\r\n") == first
    assert (first.read_bytes(), second.read_bytes()) == (b"first\r\n", b"second\r\n")
    assert set(tmp_path.iterdir()) == {first, second}, "nothing else is left behind"


def test_a_message_that_cannot_be_written_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    path.write_bytes(b"old\r\n")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match="free space there"):
        written(tmp_path)
    assert path.read_bytes() == b"old\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_odd_addresses_neither_collide_nor_leave_the_folder(tmp_path: Path) -> None:
    odd = ["a/b@example.org", "A/B@example.org", "a_b@example.org", "a\\b@example.org",
           "a:b@example.org",
           "../b@example.org", "../../etc/b@example.org", '".."@example.org', '"a b"@example.org',
           "..@example.org", "a?b@example.org", "a*b@example.org", "a|b@example.org",
           "a+b@example.org", "пример@example.org", f"{'l' * 64}@{'d' * 63}.{'e' * 63}.{'f' * 57}",
           f"{'/' * 64}@{'d' * 63}.{'e' * 63}.{'f' * 57}"]
    folder = tmp_path / "outbox"
    for address in odd:
        written(folder, address, address.encode())
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.parent for path in files} == {folder}
    assert {path.suffix for path in files} == {".eml"}
    assert sorted(path.read_text() for path in files) == sorted(odd)
    # Nor do they on a disk that does not tell letters by their case.
    assert len({path.name.lower() for path in files}) == len(odd)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"):
        Folder(tmp_path / "file" / "outbox").open()


# ── The console ──────────────────────────────────────────────────────────────────────────────────


def test_the_console_shows_the_text_as_a_reader_sees_it(
    capsys: pytest.CaptureFixture[str]
) -> None:
    way = Console()
    way.open()
    result = way.hand_over(Envelope(SENDER, READER, message(text="Первая.\n.\nВторая.\n")))
    way.close()
    assert result == Handed("sent", "printed on stderr")
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (f"From: Reports <{SENDER}>\nTo: {READER}\nSubject: Отчёт\n\n"
                        "Первая.\n.\nВторая.\n\n")


def test_the_console_shows_a_message_without_text(capsys: pytest.CaptureFixture[str]) -> None:
    picture = b"To: ann@example.org\r\nContent-Type: image/png\r\n\r\nx\r\n"
    assert Console().hand_over(Envelope(SENDER, READER, picture)).result == "sent"
    assert "To: ann@example.org" in capsys.readouterr().err


# ── Which one ────────────────────────────────────────────────────────────────────────────────────


def test_every_transport_that_the_settings_allow_is_there_and_no_other() -> None:
    assert set(get_args(Mail.model_fields["transport"].annotation)) == set(TRANSPORTS)


def test_the_settings_choose_the_transport(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (USER_VARIABLE, PASSWORD_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    server = Server(host="mail.example.org")
    chosen = transport(Mail(server=server))
    assert isinstance(chosen, Smtp)
    assert chosen.server == server
    assert transport(Mail(transport="folder", folder=tmp_path)) == Folder(tmp_path)
    assert transport(Mail(transport="console")) == Console()


def test_what_a_transport_lacks_is_named_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match=r"names no server; add \[mail.server\]"):
        transport(Mail())
    with pytest.raises(ValidationError, match="needs `folder`"):
        Mail(transport="folder")
    monkeypatch.setenv(USER_VARIABLE, "reports")
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match=f"{PASSWORD_VARIABLE} is not set"):
        transport(Mail(server=Server(host="mail.example.org")))
