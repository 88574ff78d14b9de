"""Messages reach a real server, or the sender learns what became of them and what to do."""

from __future__ import annotations

import base64
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path

import pytest
import trustme
from pydantic import SecretStr, ValidationError

from reportgen.errors import ConfigError
from reportgen.mail import Envelope, Handed, Login, ServerError, alert
from reportgen.mail.smtp import PASSWORD_VARIABLE, USER_VARIABLE, Smtp
from reportgen.mailbox import Encryption, Server

from .server import PASSWORD, USER, Blunt, Fault, Post

SENDER, READER, OTHER = "reports@example.org", "ann@example.org", "bob@example.org"
MESSAGE = b"Subject: Report\r\n\r\nAll is well.\r\n"
#: Fits into no buffer, so a server that stops reading is noticed before the end.
LONG = b"Subject: Report\r\n\r\n" + b"A line of a long report, as wide as any.\r\n" * 500_000

NOBODY = Login()
OWN = Login(SecretStr(USER), SecretStr(PASSWORD))
BREAKS = (Fault.CUT, Fault.STALL)
ENCRYPTED: tuple[Encryption, ...] = ("tls", "starttls")


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < 5, "no server may hold a run up for longer than it is allowed"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def known(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The authority as a file, for [mail.server] certificates."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    return certified(authority, "localhost")


def certified(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


def post(encryption: Encryption, certificate: ssl.SSLContext) -> Post:
    return Post(tls=certificate) if encryption == "tls" else Post(starttls=certificate)


def smtp(port: int, encryption: Encryption = "none", *, login: Login = NOBODY,
         known: Path | None = None, host: str = "localhost", timeout: float = 4) -> Smtp:
    return Smtp(Server(host=host, port=port, encryption=encryption, certificates=known,
                       timeout_s=timeout), login)


def hand(client: Smtp, recipient: str = READER, message: bytes = MESSAGE) -> Handed:
    client.open()
    return client.hand_over(Envelope(SENDER, recipient, message))


def handed(client: Smtp, message: bytes = MESSAGE) -> Handed:
    with closing(client):
        return hand(client, message=message)


def fault(client: Smtp) -> ServerError:
    with closing(client), pytest.raises(ServerError) as refused:
        client.open()
    told = refused.value.told
    assert told == " ".join(told.split()), "one line"
    return refused.value


def forms(login: Login) -> list[str]:
    """User and password as anybody could read them."""
    user, password = login.user.get_secret_value(), login.password.get_secret_value()
    return [user, password, *(base64.b64encode(secret.encode()).decode().rstrip("=")
                              for secret in (user, password, f"\0{user}\0{password}"))]


# ── What arrives ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("encryption", ENCRYPTED)
def test_a_message_arrives_encrypted_after_a_login(
    encryption: Encryption, certificate: ssl.SSLContext, known: Path
) -> None:
    message = alert(subject="Отчёт не готов", text=".\nA line.\n..\n", language="ru",
                    attachments=(), sender=Address(addr_spec=SENDER),
                    recipient=Address(addr_spec=READER), identifier="<1@example.org>",
                    dated=datetime(2026, 11, 2, tzinfo=UTC))
    with post(encryption, certificate) as server:
        result = handed(smtp(server.port, encryption, login=OWN, known=known), message)
    assert (result.result, result.told) == ("sent", "250 OK")
    begin = ["EHLO"] if encryption == "tls" else ["EHLO", "STARTTLS", "EHLO"]
    assert server.seen == [*begin, "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
    [taken] = server.taken
    assert (taken.mail_from, taken.rcpt_tos) == (SENDER, [READER])
    assert taken.mail_options == [f"SIZE={len(message)}"]
    assert taken.original_content == message


@pytest.mark.parametrize("message", [
    b"Subject: dots\r\n\r\n.\r\n..\r\n.a\r\na.\r\n\r\n.\r\n",
    b".\r\n",
    b"Subject: bytes\r\n\r\n\xff\xfe \x80\r\n",
    b"\r\n",
])
def test_a_message_arrives_byte_for_byte(message: bytes) -> None:
    with Post() as server:
        assert handed(smtp(server.port), message).result == "sent"
    assert [taken.original_content for taken in server.taken] == [message]


def test_a_message_without_an_end_of_its_last_line_gets_one() -> None:
    with Post() as server:
        assert handed(smtp(server.port), b"Subject: x\r\n\r\n.last").result == "sent"
    assert [taken.original_content for taken in server.taken] == [b"Subject: x\r\n\r\n.last\r\n"]


def test_dots_are_doubled_on_the_way() -> None:
    with Blunt() as server:
        assert handed(smtp(server.port), b"a\r\n.\r\n..b\r\n").result == "sent"
    assert server.taken == [b"a\r\n..\r\n...b\r\n"]


def test_the_size_is_told_only_to_a_server_that_wants_it() -> None:
    with Post(hides=("SIZE",)) as server:
        assert handed(smtp(server.port)).result == "sent"
    assert server.taken[0].mail_options == []


@pytest.mark.parametrize("login", [NOBODY, OWN])
def test_a_server_on_this_machine_needs_no_encryption(login: Login) -> None:
    with Post() as server:
        assert handed(smtp(server.port, login=login, host="127.0.0.1")).result == "sent"
    assert server.seen.count("AUTH") == (login is OWN)
    assert len(server.taken) == 1


def test_a_connection_is_opened_once() -> None:
    with Post() as server, closing(smtp(server.port)) as client:
        assert [hand(client, reader).result for reader in (READER, OTHER)] == ["sent", "sent"]
    assert server.seen == ["EHLO", *["MAIL", "RCPT", "DATA"] * 2, "QUIT"]
    assert [taken.rcpt_tos for taken in server.taken] == [[READER], [OTHER]]


def test_a_closed_connection_opens_again() -> None:
    with Post() as server:
        client = smtp(server.port)
        client.close()
        assert [handed(client).result for _ in range(2)] == ["sent", "sent"]
    assert server.seen.count("QUIT") == 2


# ── Nothing without encryption ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("login", [NOBODY, OWN])
def test_nothing_is_sent_where_no_encryption_is_offered(login: Login) -> None:
    with Post() as server:
        refused = fault(smtp(server.port, "starttls", login=login))
    assert refused.lasting
    assert re.search(r'no STARTTLS.*use encryption = "tls".*465', refused.told)
    assert server.seen == ["EHLO"]


def test_nothing_is_sent_where_encryption_is_offered_and_refused(
    certificate: ssl.SSLContext
) -> None:
    with Blunt({"ehlo": "250-x\r\n250 STARTTLS", "starttls": "454 not now"}) as server:
        refused = fault(smtp(server.port, "starttls", login=OWN))
    assert not refused.lasting
    assert "454 not now" in refused.told
    assert [line[:8] for line in server.seen] == ["ehlo [12", "STARTTLS"]


@pytest.mark.parametrize("encryption", ENCRYPTED)
@pytest.mark.parametrize(("name", "host", "ours"), [
    ("localhost", "localhost", False),
    ("other.test", "localhost", True),
    ("localhost", "127.0.0.1", True),
])
def test_a_certificate_that_proves_nothing_gets_nothing(
    encryption: Encryption, name: str, host: str, ours: bool, authority: trustme.CA, known: Path
) -> None:
    issuer = authority if ours else trustme.CA()
    with post(encryption, certified(issuer, name)) as server:
        refused = fault(smtp(server.port, encryption, login=OWN, known=known, host=host))
    assert refused.lasting
    assert f"the certificate of {host}:{server.port} is not to be trusted" in refused.told
    assert "name the server as its certificate does" in refused.told
    assert "[mail.server] certificates" in refused.told
    assert set(server.seen) <= {"EHLO", "STARTTLS"}
    assert server.seen.count("EHLO") == (encryption == "starttls")


def test_a_certificate_of_an_unknown_authority_gets_nothing(certificate: ssl.SSLContext) -> None:
    with Post(tls=certificate) as server:
        assert fault(smtp(server.port, "tls", login=OWN)).lasting
    assert server.seen == []


@pytest.mark.parametrize("content", [None, b"no certificate"])
@pytest.mark.parametrize("encryption", ENCRYPTED)
def test_an_authority_that_cannot_be_read_is_named(
    encryption: Encryption, content: bytes | None, certificate: ssl.SSLContext, tmp_path: Path
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    with post(encryption, certificate) as server:
        refused = fault(smtp(server.port, encryption, login=OWN, known=file))
    assert refused.lasting
    assert refused.told.startswith(f"[mail.server] certificates: {file} cannot be read as PEM")
    assert "AUTH" not in server.seen


def test_the_settings_refuse_another_machine_without_encryption() -> None:
    for host in ("mail.example.org", "192.0.2.1", "localhost.example.org", "::2"):
        with pytest.raises(ValidationError, match=r'use "tls" \(port 465\) or "starttls"'):
            Server(host=host, encryption="none")


def test_a_name_that_leads_to_another_machine_gets_nothing_without_encryption(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    with Post() as server:
        monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("192.0.2.1", 25))
        refused = fault(smtp(server.port, login=OWN))
        monkeypatch.undo()
    assert refused.lasting
    assert "localhost is not this machine" in refused.told
    assert server.seen == ["EHLO"]


@pytest.mark.parametrize(("encryption", "server_is"), [
    ("tls", "none"), ("tls", "starttls"), ("starttls", "tls"), ("none", "tls"),
])
def test_the_wrong_encryption_is_told_and_nothing_hangs(
    encryption: Encryption, server_is: Encryption, certificate: ssl.SSLContext, known: Path
) -> None:
    with Post() if server_is == "none" else post(server_is, certificate) as server:
        refused = fault(smtp(server.port, encryption, login=OWN, known=known, timeout=0.3))
    # A server that waits for TLS says nothing, just as one that is out of order.
    assert refused.lasting == (encryption == "tls")
    assert f"localhost:{server.port} does not" in refused.told
    assert "encryption" in refused.told
    assert server.seen == []


# ── The login ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("offered", ["PLAIN LOGIN", "LOGIN PLAIN", "PLAIN", "LOGIN"])
def test_a_wrong_password_is_tried_once(offered: str) -> None:
    wrong = Login(OWN.user, SecretStr("Nobody-reads-this-2"))
    ehlo = f"250-localhost\r\n250 AUTH {offered}"
    with Post(EHLO=[ehlo]) as server:
        refused = fault(smtp(server.port, login=wrong))
    assert refused.lasting
    assert f"localhost:{server.port} refused the login (535 5.7.8" in refused.told
    assert f"look at {USER_VARIABLE} and {PASSWORD_VARIABLE}" in refused.told
    assert server.seen == ["EHLO", "AUTH"]


@pytest.mark.parametrize("offered", ["PLAIN", "LOGIN", "XOAUTH2 LOGIN", "CRAM-MD5 PLAIN"])
def test_the_right_password_is_tried_once(offered: str) -> None:
    with Post(EHLO=[f"250-localhost\r\n250 AUTH {offered}"]) as server:
        assert handed(smtp(server.port, login=OWN)).result == "sent"
    assert server.seen.count("AUTH") == 1


def test_a_login_that_fails_for_now_is_worth_another_try() -> None:
    with Post(AUTH=["454 4.7.0 later"]) as server:
        refused = fault(smtp(server.port, login=OWN))
    assert not refused.lasting
    assert "454 4.7.0 later" in refused.told
    assert server.seen == ["EHLO", "AUTH"]


@pytest.mark.parametrize("login", [
    OWN,
    Login(SecretStr("ann@hush.example"), SecretStr("hush")),    # one within the other
    Login(SecretStr("Ag"), SecretStr("Bz7")),                   # one within the other's base64
])
def test_the_login_is_told_to_nobody_even_where_the_server_repeats_it(login: Login) -> None:
    user, password = login.user.get_secret_value(), login.password.get_secret_value()
    again = f"{' | '.join(forms(login))} | \0{user}\0{password} | {password[:3]}\x1b{password[3:]}"
    with Post(AUTH=[f"535-{again}\r\n535 {again}"]) as server:
        client = smtp(server.port, login=login)
        refused = fault(client)
    assert "535" in refused.told
    for secret in forms(login):
        for text in (refused.told, repr(refused), repr(client), repr(login)):
            assert secret not in text


def test_a_refusal_that_repeats_the_login_does_not_tell_it() -> None:
    with Post(RCPT=[f"550 {' '.join(forms(OWN))}"]) as server:
        result = handed(smtp(server.port, login=OWN))
    assert result == Handed("refused", "550 *** *** *** *** ***")


@pytest.mark.parametrize("offers", ["250 SIZE", "250 AUTH XOAUTH2 GSSAPI"])
def test_a_server_that_takes_no_password_gets_none(offers: str) -> None:
    with Post(EHLO=[f"250-localhost\r\n{offers}"]) as server:
        refused = fault(smtp(server.port, login=OWN))
    assert refused.lasting
    assert re.search(f"takes no login.*unset {USER_VARIABLE} and {PASSWORD_VARIABLE}.*submission",
                     refused.told)
    assert server.seen == ["EHLO"]


def test_a_password_of_any_script_reaches_the_server() -> None:
    login = Login(SecretStr("анна"), SecretStr("Größe-1"))
    with Blunt() as server:
        assert handed(smtp(server.port, login=login)).result == "sent"
    written = base64.b64decode(server.seen[1].removeprefix("AUTH PLAIN "))
    assert written.decode() == "\0анна\0Größe-1"


def test_a_challenge_that_makes_no_sense_is_told() -> None:
    with Blunt({"auth": "334 ?"}) as server:
        refused = fault(smtp(server.port, login=OWN))
    assert PASSWORD_VARIABLE in refused.told


def test_the_login_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (USER_VARIABLE, PASSWORD_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    assert Login.from_environment() == NOBODY
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    with pytest.raises(ConfigError, match=f"{USER_VARIABLE} is not set; set both"):
        Login.from_environment()
    monkeypatch.setenv(USER_VARIABLE, USER)
    assert Login.from_environment() == OWN
    monkeypatch.delenv(PASSWORD_VARIABLE)
    with pytest.raises(ConfigError, match=f"{PASSWORD_VARIABLE} is not set; set both"):
        Login.from_environment()


# ── What the server answers ──────────────────────────────────────────────────────────────────────


def test_a_refused_sender_is_the_server_s_fault_and_no_reader_s() -> None:
    with Post(MAIL=["530 5.7.0 log in first"]) as server, closing(smtp(server.port)) as client:
        with pytest.raises(ServerError, match=r"log in first.*look at \[mail\] sender") as caught:
            hand(client)
        assert caught.value.lasting
        assert hand(client).result == "sent"
        assert server.seen.count("DATA") == 1


@pytest.mark.parametrize(("command", "answer", "result"), [
    ("MAIL", "452 4.3.1 full", "deferred"),
    ("RCPT", "550 5.1.1 unknown", "refused"),
    ("RCPT", "451 4.7.1 greylisted", "deferred"),
    ("DATA", "554 5.7.1 looks like spam", "refused"),
    ("DATA", "451 4.3.0 later", "deferred"),
])
def test_a_refusal_stops_one_message_and_not_the_next(
    command: str, answer: str, result: str
) -> None:
    with Post(**{command: [answer]}) as server, closing(smtp(server.port)) as client:
        assert hand(client) == Handed(result, answer)
        assert hand(client, OTHER).result == "sent"
    steps = ["MAIL", "RCPT", "DATA"]
    tried = steps[:steps.index(command) + 1]
    # After the message itself there is nothing left to take back.
    begun = tried if command == "DATA" else [*tried, "RSET"]
    assert server.seen == ["EHLO", *begun, *steps, "QUIT"]
    assert [taken.rcpt_tos for taken in server.taken] == [[OTHER]]


def test_a_message_that_is_refused_before_its_first_line_stays_here() -> None:
    with Blunt({"data": "554 5.5.1 no valid recipients"}) as server:
        assert handed(smtp(server.port)) == Handed("refused", "554 5.5.1 no valid recipients")
    assert [line.lower() for line in server.seen[-3:]] == ["data", "rset", "quit"]
    assert server.taken == []


def test_a_message_that_was_put_off_arrives_by_the_next_try() -> None:
    with Post(RCPT=["451 later"]) as server, closing(smtp(server.port)) as client:
        assert [hand(client).result for _ in range(2)] == ["deferred", "sent"]
    assert [taken.rcpt_tos for taken in server.taken] == [[READER]]


@pytest.mark.parametrize("moment", ["mail", "rcpt", "data", ".", "rset"])
def test_after_a_good_bye_the_connection_is_opened_again(moment: str) -> None:
    script = {moment: "421 4.3.2 closing"}
    if moment == "rset":
        script["rcpt"] = "451 later"
    with Blunt(script) as server, closing(smtp(server.port)) as client:
        assert hand(client).result == "deferred"
        assert hand(client, OTHER).result == "sent"
    assert sum(line.startswith("ehlo") for line in server.seen) == 2
    assert server.taken[-1] == MESSAGE


@pytest.mark.parametrize("announced", [True, False])
def test_a_message_that_is_too_large_is_refused(announced: bool) -> None:
    message = MESSAGE + b"A line more.\r\n" * 100
    with Post(largest=1000, hides=() if announced else ("SIZE",)) as server:
        result = handed(smtp(server.port), message)
    assert result.result == "refused"
    assert result.told.startswith("552 ")
    assert server.taken == []
    assert ("RCPT" in server.seen) != announced, "what is announced is not sent in vain"


@pytest.mark.parametrize("moment", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("answer", ["what?", "150 wait", "999 no"])
def test_an_answer_that_makes_no_sense_puts_the_message_off(moment: str, answer: str) -> None:
    with Blunt({moment: answer}) as server:
        assert handed(smtp(server.port)).result == "deferred"
    assert server.taken == []
    assert not any("Subject" in line for line in server.seen), "no message as commands"


def test_the_message_waits_until_the_server_is_ready_for_it() -> None:
    with Blunt({"data": "250 yes"}) as server:
        assert handed(smtp(server.port)).result == "deferred"
    assert not any("Subject" in line for line in server.seen)


@pytest.mark.parametrize("answer", ["what?", "354 go on", "150 wait", "999 no"])
def test_an_answer_to_the_message_that_makes_no_sense_leaves_it_open(answer: str) -> None:
    with Blunt({".": answer}) as server:
        assert handed(smtp(server.port)).result == "unknown"
    assert server.taken == [MESSAGE]


# ── What breaks ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize(("moment", "result"), [
    ("mail", "deferred"), ("rcpt", "deferred"), ("data", "deferred"), ("message", "deferred"),
    (".", "unknown"),
])
def test_where_the_connection_breaks_decides(moment: str, result: str, what: Fault) -> None:
    message = LONG if moment == "message" else MESSAGE
    with Blunt({moment: what}) as server, closing(smtp(server.port, timeout=0.3)) as client:
        broken = hand(client, message=message)
        server.released.set()
        assert broken.result == result
        assert ("the reader may have it or not" in broken.told) == (result == "unknown")
        assert ("before the message was whole" in broken.told) == (result == "deferred")
        assert server.taken == ([MESSAGE] if moment == "." else [])
        assert hand(client, OTHER).result == "sent"
    assert sum(line.startswith("ehlo") for line in server.seen) == 2, "by a new connection"


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize(("moment", "encryption"), [
    ("connect", "none"), ("connect", "starttls"), ("connect", "tls"), ("ehlo", "none"),
    ("auth", "none"),
])
def test_a_server_that_does_not_answer_is_worth_another_try(
    moment: str, encryption: Encryption, what: Fault
) -> None:
    with Blunt({moment: what}) as server:
        refused = fault(smtp(server.port, encryption, login=OWN, timeout=0.3))
    assert not refused.lasting
    assert f"localhost:{server.port} does not answer" in refused.told
    assert "[mail.server]" in refused.told, "where to look"
    assert not any(line.lower().startswith("mail") for line in server.seen)


@pytest.mark.parametrize("encryption", ["none", "tls"])
def test_a_long_message_may_take_longer_than_an_answer(
    encryption: Encryption, certificate: ssl.SSLContext, known: Path
) -> None:
    with Blunt({"message": Fault.SLOW},
               tls=certificate if encryption == "tls" else None) as server:
        assert handed(smtp(server.port, encryption, known=known, timeout=0.5),
                      LONG).result == "sent"
    assert len(server.taken) == 1


def test_where_nobody_listens_another_try_may_help() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))            # and does not listen
        port = taken.getsockname()[1]
        refused = fault(smtp(port))
    assert not refused.lasting
    assert f"localhost:{port} does not answer" in refused.told
    assert "refused" in refused.told


@pytest.mark.parametrize(("code", "lasting"), [
    (socket.EAI_NONAME, True), (socket.EAI_AGAIN, False),
])
def test_a_name_that_does_not_exist_is_told(
    code: int, lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    refused = fault(smtp(25, "tls", host="no-such-host.invalid"))
    assert refused.lasting == lasting
    assert "no-such-host.invalid" in refused.told
    assert ("look at [mail.server] host" in refused.told) or not lasting


@pytest.mark.parametrize("host", ["mail..example.org", "m" * 64 + ".example.org"])
def test_a_name_that_cannot_be_one_is_told(host: str) -> None:
    refused = fault(smtp(25, "tls", host=host))
    assert refused.lasting
    assert f"no machine is called {host}; look at [mail.server] host" in refused.told


@pytest.mark.parametrize(("answer", "lasting"), [
    ("554 5.7.1 not you", True), ("421 4.3.2 later", False), ("SSH-2.0-OpenSSH_9.6", False),
])
def test_a_server_that_greets_with_a_refusal_is_left_alone(answer: str, lasting: bool) -> None:
    with Blunt({"connect": answer}) as server:
        refused = fault(smtp(server.port, login=OWN))
    assert refused.lasting == lasting
    assert answer[4:] in refused.told
    assert server.seen == []


@pytest.mark.parametrize("encryption", ["none", "tls"])
def test_a_server_that_wants_no_greeting_is_left_alone(
    encryption: Encryption, certificate: ssl.SSLContext, known: Path
) -> None:
    with Blunt({"ehlo": "550 not you", "helo": "550 nor so"},
               tls=certificate if encryption == "tls" else None) as server:
        refused = fault(smtp(server.port, encryption, login=OWN, known=known))
    assert refused.lasting
    assert "550 nor so" in refused.told
    assert [line[:4] for line in server.seen] == ["ehlo", "helo"]


# ── What a server may say ────────────────────────────────────────────────────────────────────────


HOSTILE = [
    "\x1b[31mred\x1b[0m\x07 \u202egnol\u202c \x9b1m \u2028 next\x85line",
    "a\r\n{code} b\r\n{code} c",
    "long " * 1000,
    "l" * 9000,
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(("moment", "code"), [
    ("connect", 554), ("auth", 535), ("mail", 451), ("rcpt", 550), (".", 554), (".", 250),
])
def test_what_a_server_says_is_one_short_line(text: str, moment: str, code: int) -> None:
    lines = text.format(code=code)
    answer = f"{code}-{lines}" if "\n" in lines else f"{code} {lines}"
    answer = re.sub(r"\n(\d{3}) (?=.*\n)", r"\n\1-", answer)
    with Blunt(dict.fromkeys([moment], answer)) as server:
        if moment in ("connect", "auth"):
            told = fault(smtp(server.port, login=OWN)).told
            assert len(told) <= 500         # with what to do
        else:
            told = handed(smtp(server.port)).told
            assert len(told) <= (300 if len(lines) < 8000 else 500)
    assert told.isprintable()
    assert told == " ".join(told.split())


def test_each_line_of_an_answer_is_told() -> None:
    with Blunt({"rcpt": "550-5.1.1 unknown\r\n550-look at\r\n550 https://example.org"}) as server:
        result = handed(smtp(server.port))
    assert result == Handed("refused", "550 5.1.1 unknown look at https://example.org")


def test_a_leave_that_is_not_taken_harms_nobody() -> None:
    for what in (*BREAKS, "500 no", "what?"):
        with Blunt({"quit": what}) as server:
            assert handed(smtp(server.port, timeout=0.3)).result == "sent"
        assert server.taken == [MESSAGE]
