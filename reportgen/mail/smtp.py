"""Messages by a mail server (RFC 5321), never without encryption unless it is this machine.

What the server said decides: 2xx is handed over, 4xx is worth another try, 5xx is not. One moment
is special: once the end of a message has been sent, a lost answer leaves open whether the server
has taken it (RFC 1047), and only a person can decide to send it again.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from reportgen.errors import ConfigError
from reportgen.localization import readable
from reportgen.mail.transports import Envelope, Handed, Result, ServerError
from reportgen.mailbox import Server, is_this_machine

USER_VARIABLE, PASSWORD_VARIABLE = "REPORTGEN_SMTP_USER", "REPORTGEN_SMTP_PASSWORD"

#: Characters of a server's answer that are told; more is no explanation.
_MOST_TOLD = 300

_END = b".\r\n"

#: Bytes that go out at once.
_PIECE = 1 << 16

#: The server says good-bye (RFC 5321, 3.8); it asks for the rest of a login (RFC 4954); the message
#: is larger than it takes (RFC 1870).
_CLOSING, _MORE, _TOO_LARGE = 421, 334, 552


@dataclass(frozen=True)
class Login:
    """User and password of the mail server; both are empty where it asks for none."""

    user: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")

    @classmethod
    def from_environment(cls) -> Login:
        """Read user and password from the environment, the only place they may stand.

        Raises
        ------
        ConfigError
            Where there is one without the other.
        """
        user, password = (os.environ.get(name, "") for name in (USER_VARIABLE, PASSWORD_VARIABLE))
        if bool(user) != bool(password):
            missing = PASSWORD_VARIABLE if user else USER_VARIABLE
            raise ConfigError(f"{missing} is not set; set both {USER_VARIABLE} and "
                              f"{PASSWORD_VARIABLE}, or none for a server that asks for no login")
        return cls(SecretStr(user), SecretStr(password))

    def hidden(self, text: str) -> str:
        """Take user and password out of a text, also as a login writes them."""
        user, password = (one.get_secret_value() for one in (self.user, self.password))
        secrets = [user, password, _pair(user, password)] if user else []
        forms = [*secrets, *(_base64(secret).rstrip("=") for secret in secrets)]
        # One may be a part of another.
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text


def _pair(user: str, password: str) -> str:
    """Write a login as PLAIN has it (RFC 4616)."""
    return f"\0{user}\0{password}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@dataclass
class Smtp:
    """A connection to a mail server, opened when it is needed and again after it broke."""

    server: Server
    login: Login
    delivers: bool = True
    _connection: smtplib.SMTP | None = field(default=None, repr=False)

    def open(self) -> None:
        """Connect, encrypt and log in, unless that is done.

        Raises
        ------
        ServerError
            Naming what to do, where the server cannot be used.
        """
        if self._connection is not None:
            return
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise self._fault(error) from None
        try:
            self._log_in(connection)
        except (OSError, smtplib.SMTPException) as error:
            connection.close()
            raise self._fault(error) from None
        self._connection = connection

    def hand_over(self, envelope: Envelope) -> Handed:
        """Give a message to the server.

        Raises
        ------
        ServerError
            Where it takes no messages from this sender, to whomever.
        """
        assert self._connection is not None, "`open` comes first"
        try:
            if refused := self._announce(self._connection, envelope):
                return refused
            # A dot at the beginning of a line is doubled, for alone it ends the message (4.5.2).
            message = re.sub(rb"(?m)^\.", b"..", envelope.message)
            if not message.endswith(b"\r\n"):
                message += b"\r\n"
            # The time for an answer is that of a piece: a slow line may take longer for the whole.
            for start in range(0, len(message), _PIECE):
                self._connection.send(message[start:start + _PIECE])
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Handed("deferred", f"the connection broke before the message was whole "
                                      f"({self._said(error)})")
        try:
            self._connection.send(_END)
            code, answer = self._connection.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return Handed("unknown", f"the connection broke when the message was whole and not yet "
                                     f"acknowledged ({self._said(error)}); the reader may have it "
                                     "or not")
        if code == _CLOSING or code // 100 not in (2, 4, 5):
            self._drop()
        return self._judged(code, answer, "sent" if code // 100 == 2 else "unknown")

    def close(self) -> None:
        """Take leave of the server; what it answers changes nothing any more."""
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
            self._drop()

    @property
    def _place(self) -> str:
        return f"{self.server.host}:{self.server.connects_to}"

    def _connect(self) -> smtplib.SMTP:
        """Return an encrypted connection that has greeted."""
        server, host, port = self.server, self.server.host, self.server.connects_to
        connection = (
            smtplib.SMTP_SSL(host, port, timeout=server.timeout_s, context=self._trusted())
            if server.encryption == "tls" else smtplib.SMTP(host, port, timeout=server.timeout_s))
        try:
            connection.ehlo_or_helo_if_needed()
            if server.encryption == "starttls":
                if not connection.has_extn("starttls"):
                    raise ServerError(
                        f"{host}:{port} offers no STARTTLS, and nothing is sent without "
                        "encryption; use encryption = \"tls\" and its port (465), or another "
                        "server", lasting=True)
                connection.starttls(context=self._trusted())
                connection.ehlo()
            elif server.encryption == "none" and not _is_local(connection):
                raise ServerError(f"{host} is not this machine, and nothing is sent to another one "
                                  "without encryption", lasting=True)
        except BaseException:
            connection.close()
            raise
        return connection

    def _trusted(self) -> ssl.SSLContext:
        """Return what checks the server's certificate and its name."""
        file = self.server.certificates
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            raise ServerError(f"[mail.server] certificates: {file} cannot be read as PEM "
                              f"({error.strerror or error})", lasting=True) from None

    def _log_in(self, connection: smtplib.SMTP) -> None:
        """Log in by one way: a wrong password by each of them would count as several attempts."""
        user, password = (one.get_secret_value() for one in (self.login.user, self.login.password))
        if not user:
            return
        offered = connection.esmtp_features.get("auth", "").upper().split()
        if "PLAIN" in offered:
            code, answer = connection.docmd("AUTH", f"PLAIN {_base64(_pair(user, password))}")
        elif "LOGIN" in offered:
            code, answer = connection.docmd("AUTH", "LOGIN")
            for secret in (user, password):
                if code == _MORE:
                    code, answer = connection.docmd(_base64(secret))
        else:
            raise smtplib.SMTPNotSupportedError("it offers neither PLAIN nor LOGIN")
        if code // 100 != 2:
            raise smtplib.SMTPAuthenticationError(code, answer)

    def _announce(self, connection: smtplib.SMTP, envelope: Envelope) -> Handed | None:
        """Name sender and recipient and begin; return what the server has against the message."""
        size = [f"size={len(envelope.message)}"] if connection.has_extn("size") else []
        steps: tuple[tuple[str, Callable[[], tuple[int, bytes]], int], ...] = (
            ("MAIL", lambda: connection.mail(envelope.sender, size), 2),
            ("RCPT", lambda: connection.rcpt(envelope.recipient), 2),
            ("DATA", lambda: connection.docmd("DATA"), 3),
        )
        for name, step, agreed in steps:
            code, answer = step()
            if code // 100 == agreed:
                continue
            self._start_over(connection, code)
            if name == "MAIL" and code // 100 == 5 and code != _TOO_LARGE:
                raise ServerError(
                    f"{self._place} takes nothing from {envelope.sender} "
                    f"({self._said(_line(code, answer))}); look at [mail] sender, "
                    f"{USER_VARIABLE} and {PASSWORD_VARIABLE}", lasting=True)
            return self._judged(code, answer, "deferred")
        return None

    def _start_over(self, connection: smtplib.SMTP, code: int) -> None:
        """Get ready for the next message after one that was not taken."""
        try:
            if code // 100 in (4, 5) and code != _CLOSING and connection.rset()[0] == 250:
                return
        except (OSError, smtplib.SMTPException):
            pass
        self._drop()

    def _judged(self, code: int, answer: bytes, otherwise: Result) -> Handed:
        """Read an answer by its first digit (4.2.1): what is no refusal means `otherwise`."""
        told = self._said(_line(code, answer))
        refusals: dict[int, Result] = {4: "deferred", 5: "refused"}
        return Handed(refusals.get(code // 100, otherwise), told)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fault(self, error: Exception) -> ServerError:
        """Say what is wrong with the server, and whether another try may help."""
        place = self._place
        said = self._said(error)
        match error:
            case smtplib.SMTPAuthenticationError():
                temporary = 400 <= error.smtp_code < 500
                return ServerError(
                    f"{place} refused the login ({said}); look at {USER_VARIABLE} and "
                    f"{PASSWORD_VARIABLE}", lasting=not temporary)
            case smtplib.SMTPNotSupportedError():
                return ServerError(f"{place} takes no login ({said}); unset {USER_VARIABLE} and "
                                   f"{PASSWORD_VARIABLE}, or name the server's port for submission",
                                   lasting=True)
            case ssl.SSLCertVerificationError():
                return ServerError(
                    f"the certificate of {place} is not to be trusted ({said}); name the server as "
                    "its certificate does, or name its authority in [mail.server] certificates",
                    lasting=True)
            case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError):   # it has hung up
                return ServerError(f"{place} does not speak TLS as asked ({said}); is encryption = "
                                   "\"tls\" (465) or \"starttls\" (587) meant?", lasting=True)
            case UnicodeError() | socket.gaierror(errno=socket.EAI_NONAME):
                return ServerError(f"no machine is called {self.server.host}; look at "
                                   "[mail.server] host", lasting=True)
            case smtplib.SMTPResponseException() if error.smtp_code >= 500:
                return ServerError(f"{place} takes no messages ({said})", lasting=True)
        return ServerError(f"{place} does not answer ({said}); if that lasts, look at host, port "
                           "and encryption in [mail.server]", lasting=False)

    def _said(self, error: object) -> str:
        """Write what the other side said on one line, without secrets and what nobody can read."""
        if isinstance(error, smtplib.SMTPResponseException):
            error = _line(error.smtp_code, error.smtp_error)
        told = " ".join(self.login.hidden(readable(str(error))).split())
        return told[:_MOST_TOLD] or type(error).__name__


def _line(code: int, answer: bytes | str) -> str:
    """Write an answer as the server sent it."""
    return f"{code} {answer.decode('utf-8', 'replace') if isinstance(answer, bytes) else answer}"


def _is_local(connection: smtplib.SMTP) -> bool:
    """Whether the other end is this machine, whatever the name it was called by."""
    return connection.sock is not None and is_this_machine(str(connection.sock.getpeername()[0]))
