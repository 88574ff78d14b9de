"""What a month's figures and pages were made of, so that nothing is done twice.

Inputs come in as files and plain values, two fingerprints go out: `of_analysis` over everything
that the figures depend on, `of_drawing` over everything that the pages depend on beside them. A
finished run leaves both in a `Manifest`, with the fingerprint of every file it wrote; the next run
believes a file only where its content is still that. A manifest that is damaged, or of another
version of itself, says nothing.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from reportgen.storage import file_sha256

MANIFEST = "run.json"
_VERSION = 1

_PACKAGE = Path(__file__).parent


@dataclass(frozen=True)
class Manifest:
    """What a finished run was made of, and what it left.

    ``analysed`` and ``drawn`` are the fingerprints of the files that the analysis and the drawing
    wrote, by their path below the output folder.
    """

    analysis: str
    drawing: str
    analysed: dict[str, str]
    drawn: dict[str, str]

    def to_json(self) -> str:
        """Write the manifest as JSON text."""
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=1, sort_keys=True) + "\n"


def read_manifest(path: Path) -> Manifest | None:
    """Read what a run left; None where there is nothing that can be believed."""
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.pop("version") != _VERSION:
            return None
        manifest = Manifest(**plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    sound = all(isinstance(part, dict) for part in (manifest.analysed, manifest.drawn))
    return manifest if sound else None


def of_files(output: Path, files: Iterable[Path]) -> dict[str, str]:
    """Fingerprint files by their path below the output folder."""
    return {path.relative_to(output).as_posix(): file_sha256(path) for path in sorted(files)}


def hold(output: Path, expected: Mapping[str, str]) -> bool:
    """Whether every file is there, with the content it had."""
    return all(_content(output / name) == sha256 for name, sha256 in expected.items())


def of_analysis(*, inputs: Iterable[Path], values: Mapping[str, Any]) -> str:
    """Fingerprint what a month's figures depend on.

    Parameters
    ----------
    inputs
        Files that are read: the month's tables, what is read of earlier months and of the state.
        One that cannot be read counts as changed; its reader says what is wrong.
    values
        Plain values that JSON can hold: the settings, the month, what the command asked for.
    """
    # By their own names, not by where the store keeps its folders.
    files = sorted((path.parent.name, path.name, _content(path) or "") for path in inputs)
    return _digest({"files": files, "values": dict(values), "program": program()})


def of_drawing(analysis: str, *, languages: Iterable[str], templates: Iterable[Path]) -> str:
    """Fingerprint what a month's pages depend on: its figures, and how they are shown."""
    return _digest({"analysis": analysis, "languages": list(languages),
                    "templates": [list(_tree(folder)) for folder in templates]})


@cache
def program() -> str:
    """Fingerprint the program: its source, the libraries' versions and Python's."""
    return _digest({"source": list(_tree(_PACKAGE, "*.py", "*.toml")),
                    "versions": dict(_versions()),
                    "python": ".".join(platform.python_version_tuple()[:2])})


def _versions() -> Iterator[tuple[str, str]]:
    """Yield the version of each library that the package needs."""
    try:
        needed = requires("reportgen") or []
    except PackageNotFoundError:
        needed = []         # run from its source without being installed
    for requirement in needed:
        if "extra ==" in requirement:
            continue        # what tests the program makes no figure
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue        # an extra that is not installed


def _tree(folder: Path, *patterns: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the fingerprint of each file below a folder."""
    found = {path for pattern in patterns or ("*",) for path in folder.rglob(pattern)
             if path.is_file() and "__pycache__" not in path.parts}
    for path in sorted(found):
        yield path.relative_to(folder).as_posix(), file_sha256(path)


def _content(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except OSError:
        return None


def _digest(plain: Mapping[str, Any]) -> str:
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
