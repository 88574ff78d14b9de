"""A database that holds the store's tables and works on them where they are.

The address of the settings comes in, a connection of Ibis goes out. Tables are put aside in the
session's own temporary ones; nothing of the store's is written. User and password come from the
environment: from `USER` and `PASSWORD` below, or as the database's own client takes them
(PGPASSWORD, ~/.pgpass).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from reportgen.errors import ConfigError, MachineError, ReportgenError
from reportgen.sections import Engine

if TYPE_CHECKING:
    import ibis

USER, PASSWORD = "REPORTGEN_DATABASE_USER", "REPORTGEN_DATABASE_PASSWORD"  # noqa: S105 - names

#: Databases that are a file, which connecting would make where it is missing.
_FILES = ("sqlite", "duckdb")

#: Names of the extras that bring a driver, where they are not the kind's.
_EXTRAS = {"postgresql": "postgres"}


@contextmanager
def connected(settings: Engine) -> Iterator[ibis.BaseBackend]:
    """Connect to the database of the settings, and tell what goes wrong meanwhile.

    Raises
    ------
    ConfigError
        Where the address means no database, or no file.
    MachineError
        Where its driver is not installed, nobody answers, or it does not do what it is asked.
    """
    with _told(settings):
        connection = _connect(settings)
        try:
            yield connection
        finally:
            connection.disconnect()


def _connect(settings: Engine) -> ibis.BaseBackend:
    import ibis

    kind = urlsplit(settings.url).scheme
    if kind in _FILES:
        _check_file(settings.url)
    try:
        return ibis.connect(settings.url, **_options(kind, settings))
    except ImportError as error:
        raise MachineError(
            f"the driver of {kind} is not installed ({_first_line(error)}); type: "
            f"pip install 'reportgen[{_EXTRAS.get(kind, kind)}]'") from error
    except ValueError as error:
        raise ConfigError(f"[engine] url: {_first_line(error)}; it begins with the database's "
                          "kind, such as postgresql:// or sqlite://") from error


def _options(kind: str, settings: Engine) -> dict[str, Any]:
    """Return what the address does not say: who asks, and the limits of the embedded engine."""
    if kind == "duckdb":
        limits = {"memory_limit": settings.memory, "read_only": True}
        return limits | ({"threads": settings.threads} if settings.threads else {})
    given = {"user": os.environ.get(USER), "password": os.environ.get(PASSWORD)}
    return {name: value for name, value in given.items() if value}


def _check_file(url: str) -> None:
    parts = urlsplit(url)
    path = Path(unquote(parts.netloc + parts.path))
    if not path.is_file():
        raise ConfigError(f"[engine] url: there is no file {path}; an absolute path begins with a "
                          f"third slash, {parts.scheme}:///")


@contextmanager
def _told(settings: Engine) -> Iterator[None]:
    """Tell a fault of the database as one message, without what is secret in it."""
    try:
        yield
    except ReportgenError:
        raise
    except Exception as error:
        if type(error).__module__ == "builtins":
            raise               # a fault of our own
        raise MachineError(
            f"the database of [engine] url ({_shown(settings.url)}) says: {_first_line(error)}; "
            f"look at the address, at {USER} and {PASSWORD}, and at what that user may do (read "
            "the tables, make temporary ones)") from error


def _shown(url: str) -> str:
    """Show an address without what could be secret in it: kind, host and name."""
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    secret = os.environ.get(PASSWORD)
    return lines[0].replace(secret, "***") if secret else lines[0]
