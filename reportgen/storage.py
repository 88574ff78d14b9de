"""Keep what a run leaves: one lock, staged folders, a month swapped in whole or not at all.

In: the output folder, a month, and the files that renderers write into the staged folders.
Out: ``public/<month>`` and ``private/<month>``, after any crash both of one and the same run.
Where the system refuses (a full disk, a folder that cannot be written), every function raises
`StorageError` with the path and the remedy, and the last good report is as it was.

How a month is published
------------------------
1. The run writes into ``.staging-<month>-<random>/{public,private}``, beside the target so that
   a rename never has to copy.
2. ``publish`` sets the modes, puts a *marker* (an empty file named after the staging folder) into
   both staged folders, syncs everything to disk and writes the *journal* into the staging folder.
   Up to here a crash costs the staging folder and nothing else.
3. Each staged folder that holds the marker is swapped with its target. The marker travels with the
   folder, so whoever finishes the work later sees which swaps are done, whatever moment a kill
   chose. An error undoes the swaps that were made.
4. The markers go, then the journal, then the staging folder with the old month in it.

``recover`` does steps 3 and 4 where a journal stands, and removes the staging folder elsewhere.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from reportgen.errors import LockedError, StorageError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

Side = Literal["public", "private"]

_OPEN_FOLDER, _OPEN_FILE = 0o755, 0o644
_SECRET_FOLDER, _SECRET_FILE = 0o700, 0o600
_MODES: dict[Side, tuple[int, int]]
_MODES = {"public": (_OPEN_FOLDER, _OPEN_FILE), "private": (_SECRET_FOLDER, _SECRET_FILE)}

_STAGING_PREFIX = ".staging-"
_JOURNAL = "journal"

# <linux/fcntl.h> and <linux/fs.h>: paths are relative to the working folder; swap both names.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2

_FREE_SPACE = "free space there or choose another --output"
_MAKE_WRITABLE = "make it writable, close programs that use it, or choose another --output"
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Some network file systems answer so to the sync of a folder; there is nothing better to do.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
# Windows keeps others from reading locked bytes: lock one far behind the holder's name.
_WINDOWS_LOCK_OFFSET = 1 << 20


def file_sha256(path: Path) -> str:
    """Fingerprint a file of any size; an unreadable one raises OSError, for its reader to place."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def month_folder(output: Path, side: Side, month: str) -> Path:
    """Name the folder of a published month: customers only in the private one."""
    return output / side / month


def write_atomic(path: Path, data: bytes, *, mode: int = _OPEN_FILE) -> None:
    """Replace one file by a whole new one, or leave it as it was."""
    temporary = path.with_name(f".{path.name}.new")
    with told_errors(path):
        try:
            temporary.touch(mode=_SECRET_FILE)  # nobody reads it before it has its own mode
            temporary.write_bytes(data)
            temporary.chmod(mode)
            sync(temporary)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync(path.parent)


def write_private(path: Path, data: bytes) -> None:
    """Replace one file that only the owner may read, see `write_atomic`."""
    write_atomic(path, data, mode=_SECRET_FILE)


def state_folder(output: Path) -> Path:
    """Name the folder of what no rerun may lose: who was drawn, what was mailed."""
    return output / "state"


@contextmanager
def lock(output: Path) -> Iterator[tuple[str, ...]]:
    """Hold the output folder alone, made where absent and put in order where a run was killed.

    The system releases the lock when the process ends, however it ends.

    Yields
    ------
    tuple of str
        Months whose interrupted publishing was finished just now, see `recover`.

    Raises
    ------
    LockedError
        Another command holds the folder; the message names its process.
    """
    with told_errors(output):
        _make_layout(output)
        descriptor = os.open(output / ".lock", os.O_RDWR | os.O_CREAT, _OPEN_FILE)
    try:
        with told_errors(output):
            _acquire(descriptor, output)
        yield recover(output)
    finally:
        os.close(descriptor)


def recover(output: Path) -> tuple[str, ...]:
    """Finish or clear away what killed runs left; needs the lock, which calls it.

    Returns
    -------
    tuple of str
        Months that were being published and are whole now; unfinished runs are only removed.
    """
    with told_errors(output):
        stagings = sorted(output.glob(f"{_STAGING_PREFIX}*"))
        months = [_settle(staging) for staging in stagings]
    return tuple(month for month in months if month is not None)


@dataclass(frozen=True)
class StagedRun:
    """The folders a run writes to before anyone sees them."""

    month: str  # YYYY-MM
    folder: Path  # the staging folder, inside the output folder

    @property
    def public(self) -> Path:
        """Where documents without customer ids are written."""
        return self.folder / "public"

    @property
    def private(self) -> Path:
        """Where customer lists, the model and messages are written."""
        return self.folder / "private"

    def publish(self) -> None:
        """Put both folders in the place of the month's last report, as the run's last act."""
        with told_errors(self.folder.parent):
            for side, (folder_mode, file_mode) in _MODES.items():
                (self.folder / side / self.folder.name).touch()  # the marker
                _seal(self.folder / side, folder_mode=folder_mode, file_mode=file_mode)
            sync(self.folder.parent)
            write_atomic(self.folder / _JOURNAL, self.month.encode())
            _settle(self.folder)


@contextmanager
def stage(output: Path, month: str, *, from_published: bool = False) -> Iterator[StagedRun]:
    """Give a run folders of its own, under `lock`; what it does not publish is gone afterwards.

    With `from_published` they start as copies of the month's published files, so that a command
    can replace some and keep the others.
    """
    with told_errors(output):
        _make_layout(output)
        folder = Path(tempfile.mkdtemp(prefix=f"{_STAGING_PREFIX}{month}-", dir=output))
    try:
        with told_errors(output):
            for side, (folder_mode, _) in _MODES.items():
                (folder / side).mkdir(mode=folder_mode)
                if from_published:
                    _copy(month_folder(output, side, month), folder / side)
        with told_errors(folder, only_inside=True):
            yield StagedRun(month=month, folder=folder)
    finally:
        with told_errors(output):
            _settle(folder)


@dataclass(frozen=True)
class _Swap:
    """One folder to bring into place; both directions can be repeated from any state."""

    staged: Path  # the new folder; after an exchange the old one
    target: Path
    aside: Path  # the old folder, where it took two renames
    marker: str

    def forward(self) -> None:
        if not (self.staged / self.marker).exists():
            return  # it is in place already
        if self.target.exists():
            if _exchange(self.staged, self.target):
                return
            self.target.rename(self.aside)
        self.staged.rename(self.target)

    def back(self) -> None:
        if (self.target / self.marker).exists():
            if self.staged.exists():
                self.staged.rename(self.aside)
            self.target.rename(self.staged)
        if self.aside.exists() and not self.target.exists():
            self.aside.rename(self.target)


def _swaps(folder: Path, month: str) -> list[_Swap]:
    return [
        _Swap(
            staged=folder / side,
            target=month_folder(folder.parent, side, month),
            aside=folder / f"old-{side}",
            marker=folder.name,
        )
        for side in _MODES
    ]


def _settle(folder: Path) -> str | None:
    """Finish a staging folder that has a journal, then remove it; return the month finished."""
    journal = folder / _JOURNAL
    month = journal.read_bytes().decode() if journal.exists() else None
    if month is not None:
        swaps = _swaps(folder, month)
        try:
            for swap in swaps:
                swap.forward()
        except OSError:
            for swap in reversed(swaps):
                swap.back()
            _close_journal(journal, swaps)
            raise
        _close_journal(journal, swaps)
    # A file of the old month may still be open in a viewer (Windows): the next command removes it.
    shutil.rmtree(folder, ignore_errors=True)
    return month


def _close_journal(journal: Path, swaps: list[_Swap]) -> None:
    """Forget the swaps in an order that survives a power cut: renames, markers, journal."""
    for swap in swaps:
        sync(swap.target.parent)
    sync(journal.parent)
    for swap in swaps:
        if (swap.target / swap.marker).exists():
            (swap.target / swap.marker).unlink()
            sync(swap.target)
    journal.unlink()
    sync(journal.parent)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two folders in one step; False where the system or the file system did not."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)  # some C libraries lack it
    here, there = os.fsencode(first), os.fsencode(second)
    return bool(renameat2 and renameat2(_AT_FDCWD, here, _AT_FDCWD, there, _RENAME_EXCHANGE) == 0)


def _make_layout(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    (output / "public").mkdir(exist_ok=True)
    for folder in (output / "private", state_folder(output)):
        folder.mkdir(mode=_SECRET_FOLDER, exist_ok=True)
        folder.chmod(_SECRET_FOLDER)  # it may have come back from a copy that lost its mode


def _copy(source: Path, target: Path) -> None:
    """Copy what a folder holds, if it is there; `shutil.copytree` would hide which error it met."""
    for path in sorted(source.rglob("*")):
        copy = target / path.relative_to(source)
        if path.is_dir():
            copy.mkdir()
        else:
            shutil.copyfile(path, copy)


def _seal(folder: Path, *, folder_mode: int, file_mode: int) -> None:
    """Give everything in a folder its mode, whatever the umask was, and sync it to disk."""
    for path in (*folder.rglob("*"), folder):
        path.chmod(folder_mode if path.is_dir() else file_mode)
        sync(path)


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to disk."""
    is_folder = path.is_dir()
    if is_folder and sys.platform == "win32":  # folders cannot be opened there
        return
    descriptor = os.open(path, os.O_RDONLY if is_folder else os.O_RDWR)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not is_folder or error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, output: Path) -> None:
    """Lock an open file and write into it who holds it, or say who does."""
    try:
        if sys.platform == "win32":
            os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        # An empty file: it has the lock and has not signed yet.
        holder = (output / ".lock").read_text(encoding="utf-8") or "started just now"
        raise LockedError(
            f"{output} is in use by another reportgen ({holder}): "
            "wait until it ends or choose another --output"
        ) from error
    since = datetime.now().astimezone().isoformat(timespec="seconds")
    holder = f"process {os.getpid()} on {socket.gethostname()}, since {since}"
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, holder.encode())


@contextmanager
def told_errors(path: Path, *, only_inside: bool = False) -> Iterator[None]:
    """Turn the system's refusals into messages with a remedy.

    `only_inside` lets pass what has nothing to do with the folder `path`, such as an input that
    cannot be read.
    """
    try:
        yield
    except OSError as error:
        named = isinstance(error.filename, str | bytes)
        place = Path(os.fsdecode(error.filename)) if named else path
        no_space = error.errno in _NO_SPACE
        inside = named and place.resolve().is_relative_to(path.resolve())
        if only_inside and not (no_space or inside):
            raise
        remedy = _FREE_SPACE if no_space else _MAKE_WRITABLE
        raise StorageError(f"cannot write {place}: {error.strerror or error}; {remedy}") from error
