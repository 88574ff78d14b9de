"""A month as a message: its parts, its headers, and the same bytes on every run."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import pytest

from reportgen import localization, mail

from .letters import LANGUAGES, draft_of, letter_of, pictures_of

SENDER = Address("Отчёты, магазина", addr_spec="reports@shop.example.org")
READER = Address("Директор", addr_spec="director@shop.example.org")
OWNER = Address("", addr_spec="owner@shop.example.org")


def parsed(message: bytes) -> EmailMessage:
    return BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(message)


def copy(draft: bytes, **changes: object) -> bytes:
    made = {"sender": SENDER, "recipient": READER, "reply_to": OWNER,
            "identifier": "<1@shop.example.org>"} | changes
    return mail.addressed(draft, **made)  # type: ignore[arg-type]


def kinds(message: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in message.walk()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_message_has_both_texts_the_pictures_and_the_pdf(language: str) -> None:
    message = parsed(draft_of(language=language))
    assert kinds(message) == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html",
        "image/png", "image/png", "application/pdf"]
    written = letter_of(language=language)
    html, text = (message.get_body(preferencelist=(kind,)) for kind in ("html", "plain"))
    assert html.get_content().split() == written.html.split()
    assert text.get_content().splitlines() == written.text.splitlines()
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == f"report-2026-10-{language}.pdf"
    assert attached.get_content() == b"%PDF-1.7"
    assert message["Content-Language"] == language
    assert message["Subject"] == written.subject


def test_each_picture_of_the_html_is_in_the_message() -> None:
    message = parsed(draft_of())
    images = {part["Content-ID"]: part for part in message.walk()
              if part.get_content_type() == "image/png"}
    pictures = pictures_of("third month", "ru").values()
    assert images.keys() == {f"<{picture.content_id}>" for picture in pictures}
    for picture in pictures:
        part = images[f"<{picture.content_id}>"]
        assert part.get_content() == picture.png
        assert part.get_content_disposition() == "inline"


def test_draft_names_nobody_and_opens_for_editing() -> None:
    message = parsed(draft_of())
    assert message["From"] is message["To"] is message["Message-ID"] is None
    assert message["X-Unsent"] == "1"


def test_copy_differs_from_the_draft_in_its_envelope_only() -> None:
    message, draft = parsed(copy(draft_of())), parsed(draft_of())
    assert message["From"].addresses[0] == SENDER
    assert message["To"].addresses[0] == READER
    assert message["Reply-To"].addresses[0] == OWNER
    assert message["Message-ID"] == "<1@shop.example.org>"
    assert message["X-Unsent"] is None
    assert message["Date"].datetime == draft["Date"].datetime
    assert [part.get_payload() for part in message.walk() if not part.is_multipart()] == [
        part.get_payload() for part in draft.walk() if not part.is_multipart()]


def test_copy_may_bear_another_subject_and_the_day_it_is_sent() -> None:
    day = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
    message = parsed(copy(draft_of(), subject="Исправление: x", dated=day))
    assert message["Subject"] == "Исправление: x"
    assert message["Date"].datetime == day


def test_no_program_answers_it() -> None:
    message = parsed(copy(draft_of()))
    assert message["Auto-Submitted"] == "auto-generated"
    suppressed = message["X-Auto-Response-Suppress"].split(", ")
    assert "OOF" in suppressed
    assert not {"All", "NDR"} & set(suppressed)     # what did not arrive must be told


def test_everything_on_the_way_is_short_ascii_lines() -> None:
    lines = copy(draft_of()).split(b"\r\n")
    assert all(line.isascii() and len(line) <= 78 and b"\n" not in line for line in lines)


# ── Letters of another script ────────────────────────────────────────────────────────────────────


def decoded(message: bytes, name: str) -> str:
    """Read a header as RFC 2047 has it, by other code than Python's policies."""
    raw = message_from_bytes(message)[name]
    return "".join(part.decode(charset or "ascii") if isinstance(part, bytes) else part
                   for part, charset in decode_header(re.sub(r"\r?\n", "", raw)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_subject_comes_back_letter_for_letter_in_every_month(language: str) -> None:
    words = localization.load(language)
    draft = mail.draft(subject="x", text="x", html="<p>x</p>", language=language, pictures=[],
                       attachments=[], dated=datetime(2026, 10, 31))
    for number in range(1, 13):
        month = words.month(f"2026-{number:02}").capitalize()
        for key in ("subject", "subject_alone", "subject_withheld", "subject_checks"):
            for n, share in ((1, 0.05), (22, 0.38), (137, 0.58)):
                facts = {"n": n} if key == "subject" else {}
                plain = words.text(f"mail.{key}", month=month, share=words.percent(share), **facts)
                for subject in (plain, words.text("mail.subject_correction", subject=plain)):
                    message = copy(draft, subject=subject)
                    assert decoded(message, "Subject") == subject
                    assert mail.subject_of(message) == subject


@pytest.mark.parametrize("name", [
    "Директор по маркетингу и развитию розничной сети магазинов «В один клик»", "Ann Ö.", "я"])
def test_name_comes_back_letter_for_letter(name: str) -> None:
    message = copy(draft_of(), recipient=Address(name, addr_spec="ann@example.org"))
    assert decoded(message, "To").replace(" <", "<") == f"{name}<ann@example.org>"


# ── The same bytes ───────────────────────────────────────────────────────────────────────────────


def test_same_contents_give_the_same_bytes_in_another_process() -> None:
    code = ("import sys; from mail.letters import draft_of; "
            "sys.stdout.buffer.write(draft_of())")
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True,
                           cwd=Path(__file__).parents[1])
    assert there.stdout == draft_of()


def test_boundary_is_no_line_of_the_message() -> None:
    message = parsed(draft_of())
    boundaries = [part.get_boundary() for part in message.walk() if part.is_multipart()]
    assert len(set(boundaries)) == 3
    for part in message.walk():
        if not part.is_multipart():
            assert not any(one in str(part.get_payload()) for one in boundaries)


def test_message_id_tells_report_and_recipient_apart_and_nothing_else() -> None:
    first, second, third = (
        mail.message_id("report", digest, reader, sender="a@shop.example.org")
        for digest, reader in (("d1", "x@y.z"), ("d1", "q@y.z"), ("d2", "x@y.z")))
    assert len({first, second, third}) == 3
    assert first == mail.message_id("report", "d1", "x@y.z", sender="b@shop.example.org")
    assert first.endswith("@shop.example.org>")


# ── Header injection ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_subject_cannot_begin_another_header(end: str) -> None:
    with pytest.raises(ValueError, match="linefeed|carriage"):
        copy(draft_of(), subject=f"x{end}Bcc: all@example.org")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_name_or_address_cannot_begin_another_header(end: str) -> None:
    for made in (lambda: Address(f"x{end}Bcc: a", addr_spec="a@example.org"),
                 lambda: Address("x", addr_spec=f"a@example.org{end}Bcc: b@example.org")):
        with pytest.raises(Exception, match=r"."):
            copy(draft_of(), recipient=made())


@pytest.mark.parametrize("hidden", [
    "=?utf-8?q?A=0D=0ABcc=3A_x=40y=2Eorg?=", "=?utf-8?b?Qm9zcyA8Ym9zc0BiYW5rPg==?="])
def test_encoded_word_cannot_hide_a_header(hidden: str) -> None:
    with pytest.raises(ValueError, match="encoded word"):
        copy(draft_of(), subject=f"x {hidden}")
    with pytest.raises(ValueError, match="read as another one"):
        copy(draft_of(), recipient=Address(hidden, addr_spec="a@example.org"))


def test_name_with_the_signs_of_addresses_stays_one_name() -> None:
    name = 'Ann "the boss", Ltd. <not@an.address>'
    message = parsed(copy(draft_of(), recipient=Address(name, addr_spec="ann@example.org")))
    (one,) = message["To"].addresses
    assert (one.display_name, one.addr_spec) == (name, "ann@example.org")
