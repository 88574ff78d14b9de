"""What takes seconds to make, made once for all processes that run the tests beside each other."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

#: A folder that the processes of this run have in common; `conftest` names it.
folder: Path | None = None


def once(name: str, make: Callable[[], bytes]) -> bytes:
    """Return what was made under a name, by whichever process asked for it first."""
    assert folder is not None
    path = folder / name
    with path.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_file():
            made = make()
            path.with_name(f"{name}.new").write_bytes(made)
            path.with_name(f"{name}.new").replace(path)
        return path.read_bytes()
