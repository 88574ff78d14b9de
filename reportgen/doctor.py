"""Whether everything this machine needs is there, and what to type where it is not.

Nothing comes in; findings go out, each with the commands that help on Debian, Fedora, macOS and
Windows. WeasyPrint draws text with Pango, a library of the system that pip cannot bring.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec

from reportgen import spark

OLDEST_PYTHON = (3, 11)

#: Free space that a run may need for its staging folder and DuckDB's scratch files.
NEEDED_BYTES = 200_000_000

_PANGO_REMEDIES = (
    "Debian, Ubuntu:  apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    "Fedora:          dnf install pango",
    "macOS:           brew install pango",
    "Windows:         install MSYS2, then: pacman -S mingw-w64-x86_64-pango",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is fine, what was found, what to type where it is not."""

    name: str
    fine: bool
    told: str
    remedies: tuple[str, ...] = ()


def examine() -> tuple[Finding, ...]:
    """Look at Python, the libraries, Pango, the font and the space for temporary files.

    Where PySpark is installed, at the Java it needs, too.
    """
    java = (_java(),) if find_spec("pyspark") else ()
    return (_python(), _libraries(), _pango(), _font(), _space(), *java)


def _python() -> Finding:
    fine = sys.version_info[:2] >= OLDEST_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Finding("Python", fine, sys.version.split()[0],
                   () if fine else (f"install Python {wanted} or newer",))


def _libraries() -> Finding:
    """Whether every package that reportgen declares is installed."""
    wanted = [requirement.split(";")[0] for requirement in metadata.requires("reportgen") or ()
              if "extra ==" not in requirement]
    names = [_package_name(requirement) for requirement in wanted]
    missing = [name for name in names if not _installed(name)]
    if missing:
        return Finding("libraries", False, f"missing: {', '.join(missing)}",
                       ("pip install reportgen",))
    return Finding("libraries", True, f"{len(names)} packages")


def _package_name(requirement: str) -> str:
    for stop, character in enumerate(requirement):
        if not (character.isalnum() or character in "-_."):
            return requirement[:stop]
    return requirement


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _pango() -> Finding:
    if find_spec("weasyprint") is None:
        return Finding("Pango", False, "WeasyPrint is not installed", ("pip install reportgen",))
    try:
        version = import_module("weasyprint.text.ffi").pango.pango_version()
    except OSError as error:
        return Finding("Pango", False, str(error).splitlines()[0], _PANGO_REMEDIES)
    return Finding("Pango", True, f"{version // 10_000}.{version // 100 % 100}.{version % 100}")


def _font() -> Finding:
    from reportgen import fonts

    missing = [path.name for path in fonts.faces().values() if not path.is_file()]
    if missing:
        return Finding("font", False, f"missing: {', '.join(missing)}",
                       ("pip install --force-reinstall fontpkg-fira-sans",))
    return Finding("font", True, fonts.FAMILY)


def _java() -> Finding:
    """Whether there is a Java that Spark can be started with; it says its version on stderr."""
    program = spark.java()
    if program is None:
        return Finding("Java, for Spark", False, "not found", spark.JAVA_REMEDIES)
    told = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', told.stderr)
    if found is None or int(found.group(1)) < spark.JAVA:
        lines = told.stderr.splitlines() or ["it does not start"]
        return Finding("Java, for Spark", False, f"{lines[0]}; {spark.JAVA} or newer is needed",
                       spark.JAVA_REMEDIES)
    return Finding("Java, for Spark", True, found.group(1))


def _space() -> Finding:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    return Finding("space for temporary files", free >= NEEDED_BYTES, f"{free // 10**6} MB",
                   () if free >= NEEDED_BYTES else ("set TMPDIR to a folder with more space",))
