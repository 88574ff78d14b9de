"""The engine that holds a month's tables: DuckDB inside the process, within the store's limits.

Settings go in, a connection comes out that keeps to a limit of memory and lets what does not fit
spill into a folder of its own, which is gone when the process ends. What the engine cannot do
within its limits becomes one message with the remedy.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from reportgen.errors import MachineError
from reportgen.progress import Progress, silent
from reportgen.sections import Engine

if TYPE_CHECKING:
    import ibis

#: What the system says where a disk is full.
_FULL = ("No space left on device", "max_temp_directory_size", "Could not write")

#: Makes the engine count how far a query is, and show it to nobody.
_COUNTING = "SET enable_progress_bar = true; SET enable_progress_bar_print = false"

#: Seconds between two looks at how far a query is.
_LOOK = 0.25


def connect(settings: Engine) -> ibis.BaseBackend:
    """Return an empty engine that keeps to the limits of the settings."""
    import ibis

    connection = ibis.duckdb.connect(
        memory_limit=settings.memory, temp_directory=_scratch(settings.scratch))
    # Before its folder goes (finalizers run last come, first served): an engine whose query was
    # interrupted may still write, and what it wrote then would stay.
    weakref.finalize(connection, connection.con.close)
    connection.con.execute(_COUNTING)
    if settings.threads:
        connection.con.execute(f"SET threads = {settings.threads:d}")
    return connection


@contextmanager
def watched(connection: ibis.BaseBackend, told: Progress) -> Iterator[None]:
    """Tell how far the query is that runs meanwhile, by the engine's own account.

    There should be one only, for the next begins at 0 again. An engine that counts nothing tells
    nothing. DuckDB takes a join's side that is looked up for a third of it, and ends at two
    thirds: what is left is rather told too long than too short.
    """
    if told is silent or connection.name != "duckdb":
        yield
        return
    over = Event()

    def look() -> None:
        while not over.wait(_LOOK):
            share = connection.con.query_progress()
            if share > 0:
                told(min(share, 100), 100, "%")

    watcher = Thread(daemon=True, target=look)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    told(100, 100, "%")


@contextmanager
def within_limits(settings: Engine) -> Iterator[None]:
    """Tell what to do where the engine has run out of memory or of disk.

    Raises
    ------
    KeyboardInterrupt
        Where a query was interrupted.
    MachineError
        Naming the setting, or the folder that is full.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error      # the engine tells it as a fault of its own
        if type(error).__module__ not in ("_duckdb", "duckdb"):
            raise
        told = str(error).splitlines()[0]
        if any(sign in str(error) for sign in _FULL):
            raise MachineError(
                f"the disk of {_scratch(settings.scratch)} is full, where the engine puts what "
                "does not fit into memory; free space there, name another folder in [engine] "
                f"scratch, or allow more memory in [engine] memory ({told})") from error
        if type(error).__name__ == "OutOfMemoryException":
            raise MachineError(
                f"the engine needs more memory than the {settings.memory} of [engine] memory; "
                f"raise it, or lower [engine] threads ({told})") from error
        raise


@cache
def _scratch(folder: Path | None) -> str:
    """Make a folder for what does not fit into memory; it goes when the process ends."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    made = tempfile.TemporaryDirectory(prefix="reportgen-", dir=folder, ignore_cleanup_errors=True)
    _kept.append(made)
    return made.name


#: Folders are removed when these are, at the end of the process.
_kept: list[tempfile.TemporaryDirectory[str]] = []
