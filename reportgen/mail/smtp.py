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
from reportgen.mail.transports import Envelope, Handed, ServerError
from reportgen.mailbox import Server, is_this_machine

USER_VARIABLE, PASSWORD_VARIABLE = "REPORTGEN_SMTP_USER", "REPORTGEN_SMTP_PASSWORD"

#: Characters of a server's answer that are told; more is no explanation.
_MOST_TOLD = 300

_END = b".\r\n"

#: The server says good-bye (RFC 5321, 3.8).
_CLOSING = 421


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
        plain = [value.get_secret_value() for value in (self.password, self.user)]
        pair = "\0{1}\0{0}".format(*plain)
        for secret in (*plain, pair) if all(plain) else ():
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                text = text.replace(form, "***")
        return text


@dataclass
class Smtp:
    """A connection to a mail server, opened when it is needed and again after it broke."""

    server: Server
    login: Login
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
        except (OSError, smtplib.SMTPException) as error:
            raise self._fault(error) from None
        try:
            self._log_in(connection)
        except (OSError, smtplib.SMTPException) as error:
            connection.close()
            raise self._fault(error) from None
        self._connection = connection

    def hand_over(self, envelope: Envelope) -> Handed:
        """Give a message to the server."""
        assert self._connection is not None, "`open` comes first"
        try:
            if refused := self._announce(self._connection, envelope):
                return refused
            # A dot at the beginning of a line is doubled, for alone it ends the message (4.5.2).
            message = re.sub(rb"(?m)^\.", b"..", envelope.message)
            self._connection.send(message if message.endswith(b"\r\n") else message + b"\r\n")
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
        return self._judged(code, answer)

    def close(self) -> None:
        """Take leave of the server; what it answers changes nothing any more."""
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
            self._drop()

    def _connect(self) -> smtplib.SMTP:
        """Return an encrypted connection that has greeted."""
        server, host, port = self.server, self.server.host, self.server.connects_to
        if server.encryption == "tls":
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                host, port, timeout=server.timeout_s, context=self._trusted())
            connection.ehlo_or_helo_if_needed()
            return connection
        connection = smtplib.SMTP(host, port, timeout=server.timeout_s)
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
            elif not _is_local(connection):
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
        user = self.login.user.get_secret_value()
        if user:
            connection.login(user, self.login.password.get_secret_value())

    def _announce(self, connection: smtplib.SMTP, envelope: Envelope) -> Handed | None:
        """Name sender and recipient and begin; return what the server has against it."""
        size = [f"size={len(envelope.message)}"] if connection.has_extn("size") else []
        steps: tuple[Callable[[], tuple[int, bytes]], ...] = (
            lambda: connection.mail(envelope.sender, size),
            lambda: connection.rcpt(envelope.recipient),
            lambda: connection.docmd("DATA"),
        )
        for step in steps:
            code, answer = step()
            if code >= 400:
                self._start_over(connection, code)
                return self._judged(code, answer)
        return None

    def _start_over(self, connection: smtplib.SMTP, code: int) -> None:
        """Get ready for the next message after one that was not taken."""
        try:
            if code != _CLOSING:
                connection.rset()
                return
        except (OSError, smtplib.SMTPException):
            pass
        self._drop()

    def _judged(self, code: int, answer: bytes) -> Handed:
        """Read an answer by its first digit (4.2.1)."""
        told = self._said(f"{code} {answer.decode('utf-8', 'replace')}")
        return Handed("sent" if code < 400 else "deferred" if code < 500 else "refused", told)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _fault(self, error: Exception) -> ServerError:
        """Say what is wrong with the server, and whether another try may help."""
        place = f"{self.server.host}:{self.server.connects_to}"
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
            case ssl.SSLError():
                return ServerError(f"{place} does not speak TLS as asked ({said}); is encryption = "
                                   "\"tls\" (465) or \"starttls\" (587) meant?", lasting=True)
            case socket.gaierror() if error.errno == socket.EAI_NONAME:
                return ServerError(f"no machine is called {self.server.host}; look at "
                                   "[mail.server] host", lasting=True)
            case smtplib.SMTPResponseException() if error.smtp_code >= 500:
                return ServerError(f"{place} takes no messages ({said})", lasting=True)
        return ServerError(f"{place} does not answer ({said})", lasting=False)

    def _said(self, error: object) -> str:
        """Write what the other side said on one line, without secrets and what nobody can read."""
        if isinstance(error, smtplib.SMTPResponseException):
            answer = error.smtp_error
            text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
            error = f"{error.smtp_code} {text}"
        told = " ".join(readable(self.login.hidden(str(error))).split())
        return told[:_MOST_TOLD] or type(error).__name__


def _is_local(connection: smtplib.SMTP) -> bool:
    """Whether the other end is this machine, whatever the name it was called by."""
    return connection.sock is not None and is_this_machine(str(connection.sock.getpeername()[0]))
