"""Mail servers on this machine: a real one, and one that breaks off or stalls at a given moment."""
# ruff: noqa: N802 - aiosmtpd looks for hooks by the names of the commands

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import MISSING, AuthResult, Envelope

#: The only login that the real server takes.
USER, PASSWORD = "reports@example.org", "Nobody-reads-this-1"


class _Controller(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]     # the system has chosen a free one
        super()._trigger_server()


class Post:
    """A real server, and all it was told.

    Parameters
    ----------
    tls, starttls
        Its certificate, from the first byte or when asked for.
    hides
        Extensions that it does not announce.
    largest
        Most bytes of a message.
    answers
        What it answers to a command in turn, such as ``RCPT=["550 unknown"]``, instead of its own.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None,
                 starttls: ssl.SSLContext | None = None, hides: tuple[str, ...] = (),
                 largest: int | None = 10_000_000, **answers: Sequence[str]) -> None:
        self.seen: list[str] = []
        self.taken: list[Envelope] = []
        self._hides = hides
        self._answers = {command: iter(texts) for command, texts in answers.items()}
        # A login before STARTTLS would be taken, so that it is seen.
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=0, ssl_context=tls, tls_context=starttls,
            auth_require_tls=False, authenticator=_authenticated, data_size_limit=largest)

    @property
    def port(self) -> int:
        return self._controller.port

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def _own(self, command: str) -> str:
        self.seen.append(command)
        return next(self._answers.get(command, iter(())), "")

    async def handle_EHLO(self, _server: Any, session: Any, _envelope: Envelope, name: str,
                          lines: list[str]) -> list[str]:
        session.host_name = name
        own = self._own("EHLO")
        return [own] if own else [line for line in lines if not line[4:].startswith(self._hides)]

    def handle_STARTTLS(self, *_: object) -> bool:
        self.seen.append("STARTTLS")
        return True

    async def handle_AUTH(self, *_: object) -> object:
        return self._own("AUTH") or MISSING

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Envelope, address: str,
                          options: list[str]) -> str:
        if own := self._own("MAIL"):
            return own
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Envelope, address: str,
                          _options: list[str]) -> str:
        if own := self._own("RCPT"):
            return own
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:
        if own := self._own("DATA"):
            return own
        self.taken.append(envelope)
        return "250 OK"

    async def handle_RSET(self, *_: object) -> str:
        return self._own("RSET") or "250 OK"

    async def handle_QUIT(self, *_: object) -> str:
        return self._own("QUIT") or "221 Bye"


def _authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str,
                   data: Any) -> AuthResult:
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


class Fault(Enum):
    """What a server may do instead of answering: leave, nothing at all, or read on slowly."""

    CUT = "cut"
    STALL = "stall"
    SLOW = "slow"


Script = Mapping[str, "str | Fault"]

#: The moments of a conversation at which a script may say something else.
YES: Script = {
    "connect": "220 blunt", "ehlo": "250-blunt\r\n250 AUTH PLAIN LOGIN", "helo": "250 blunt",
    "auth": "235 yes", "mail": "250 yes", "rcpt": "250 yes", "data": "354 go on",
    "message": "",              # its first line has come
    ".": "250 yes", "rset": "250 yes", "quit": "221 bye",
}


class Blunt(socketserver.TCPServer):
    """A server that plays each connection by the next script, and what it was told."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[str] = []
        self.taken: list[bytes] = []
        self.scripts: Iterator[Script] = iter(scripts)
        self.released = threading.Event()
        self._tls = tls
        super().__init__(("127.0.0.1", 0), _Conversation)
        # A long message then does not fit into the buffers of the connection.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        return connection, address


class _Conversation(socketserver.StreamRequestHandler):
    server: Blunt
    timeout = 5

    def handle(self) -> None:
        self.script = {**YES, **next(self.server.scripts, {})}
        with suppress(OSError):         # the client has left in the middle
            if self._answers("connect"):
                for line in self.rfile:
                    if not self._goes_on(line.decode().strip()):
                        break

    def _goes_on(self, line: str) -> bool:
        command = line.partition(" ")[0].lower()
        self.server.seen.append(line)
        if not self._answers(command):
            return False
        return command != "data" or self.script["data"] != YES["data"] or self._message()

    def _message(self) -> bool:
        message = bytearray(self.rfile.readline())
        if not self._answers("message"):
            return False
        for line in self.rfile:
            if line == b".\r\n":
                self.server.taken.append(bytes(message))
                return self._answers(".")
            message += line
        return False

    def _answers(self, moment: str) -> bool:
        """Do what the script says; return whether the conversation goes on."""
        match self.script.get(moment, "500 what"):
            case Fault.CUT:
                return False
            case Fault.STALL:
                self.server.released.wait(5)
                return False
            case Fault.SLOW:
                for _ in range(120):
                    self.rfile.read(1 << 17)
                    time.sleep(0.01)
                return True
            case str(answer):
                if answer:
                    self.wfile.write(f"{answer}\r\n".encode())
                return not answer.startswith("421")
        raise AssertionError(moment)
