"""Read the store's files: from a folder to one table of the engine for each table of the contract.

The contract names a file without its ending; whichever kind is in the folder is read. A folder of
that name, or a pattern, is a table in several files. What is wrong with a file travels with its
table, so that `validation` can tell everything at once.
"""

from __future__ import annotations

import hashlib
import tempfile
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from types import MappingProxyType

import ibis

from reportgen import progress, spark
from reportgen.cells import quoted
from reportgen.contract import Contract
from reportgen.errors import DataError, Problem
from reportgen.progress import Progress, silent
from reportgen.sources import distributed, parquet, parts, text, xlsx
from reportgen.sources.database import of_database
from reportgen.sources.dialect import COMPRESSED
from reportgen.sources.reading import Reader, Reading, Task
from reportgen.tables import RawTable

__all__ = ["SOURCES", "of_database", "read_tables"]

#: The kinds of files that can be read, by ending.
SOURCES: Mapping[str, Reader] = MappingProxyType({
    ".csv": text.read,
    ".txt": text.read,
    ".tsv": text.read,
    ".xlsx": xlsx.read,
    ".parquet": parquet.read,
})

#: Seconds that putting files together takes, to those of reading them.
_TOGETHER = 0.2

#: Most files a message lists.
_LISTED = 10


def read_tables(
    folder: Path, contract: Contract, connection: ibis.BaseBackend, told: Progress = silent, *,
    scratch: Path | None = None,
) -> dict[str, RawTable]:
    """Read every table of the contract.

    Parameters
    ----------
    folder
        Where the files of one month lie.
    connection
        The engine that holds the tables from now on, DuckDB or Spark. Files are not read again.
    told
        Is told of the bytes read. A file's are done by and by: it is looked at, read and stored.
    scratch
        Folder for rows that only Python can read, on their way; the system's one if absent.

    Returns
    -------
    dict
        A `RawTable` for each table of the contract, with the problems that reading found.
    """
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    with tempfile.TemporaryDirectory(prefix="reportgen-", dir=scratch) as passing:
        tasks = [Task(contract, name, connection, Path(passing)) for name in contract.tables]
        shares = progress.parts(told, *(_bytes(task, entries) for task in tasks), unit="bytes")
        return {task.table: _table(replace(task, told=share), entries)
                for task, share in zip(tasks, shares, strict=True)}


def _bytes(task: Task, entries: Sequence[Path]) -> int:
    """Add up the sizes of a table's files; none where it cannot be read anyway."""
    try:
        return sum(map(_size, _find(task.contract.tables[task.table].file, entries)))
    except DataError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _table(task: Task, entries: Sequence[Path]) -> RawTable:
    stem = task.contract.tables[task.table].file
    file = f"{stem}.csv"
    try:
        paths = _find(stem, entries)
        file = paths[0].name
        return _read(paths, task)
    except DataError as error:
        return RawTable(task.table, file, problems=error.problems)


def _read(paths: Sequence[Path], task: Task) -> RawTable:
    """Read a table of one file, or of several."""
    sizes = [_size(path) for path in paths]
    # Several files are read, then put together.
    *shares, together = progress.parts(task.told, *sizes, _TOGETHER * sum(sizes) * (len(sizes) > 1))
    found = [_read_file(path, replace(task, told=share))
             for path, share in zip(paths, shares, strict=True)]
    problems = tuple(problem for reading, _ in found for problem in reading.match.problems)
    names = tuple(path.name for path in paths)
    file = names[0] if len(names) == 1 else f"{paths[0].parent.name}: {len(names)} files"
    if problems and len(paths) > 1:
        return RawTable(task.table, file, problems=problems)    # they cannot be put together
    reading = parts.joined([reading for reading, _ in found], replace(task, told=together))
    if not reading.rows:
        problems += (Problem(names[0], "", 1, "no_rows",
                             "there is a header and nothing below it; export the table again"),)
    digests = [digest for _, digest in found]
    return RawTable(
        task.table, file, stored=reading.data if reading.rows else None,
        positions=reading.match.positions, rows=reading.rows, keys=reading.keys,
        customers=reading.customers, encoding=reading.encoding, delimiter=reading.delimiter,
        sha256=(digests[0] if len(digests) == 1
                else hashlib.sha256("".join(digests).encode()).hexdigest()),
        double_encoded=any(one.match.double_encoded for one, _ in found), problems=problems,
        parts=names if len(names) > 1 else (),
    )


def _read_file(path: Path, task: Task) -> tuple[Reading, str]:
    """Read one file; return it with its fingerprint.

    Raises
    ------
    DataError
        Where the file as a whole cannot be read.
    """
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return _readers(task)[_ending(path)](path, task), sha256
    except (EOFError, zlib.error) as error:
        raise _unreadable(path, f"the compressed file is damaged or cut off ({error}); copy it "
                          "again") from error
    except OSError as error:
        raise _unreadable(path, f"the file cannot be read ({error.strerror or error}); close the "
                          "program that holds it and look at its permissions") from error


def _readers(task: Task) -> Mapping[str, Reader]:
    return distributed.SOURCES if task.connection.name == spark.NAME else SOURCES


def _unreadable(path: Path, message: str) -> DataError:
    return DataError([Problem(path.name, "", 0, "unreadable", message)])


def _find(stem: str, entries: Sequence[Path]) -> tuple[Path, ...]:
    """Find a table's file, or its parts: the files of a folder of its name, or those of a pattern.

    A name with ``*`` in it is a pattern. Parts are read in the order of their names.
    """
    readable = [path for path in entries if path.is_file() and _ending(path) in SOURCES]
    if "*" in stem:
        found = [path for path in readable if fnmatchcase(_plain(_stem(path)), _plain(stem))]
        if found:
            return tuple(found)
    single = [path for path in readable if _plain(_stem(path)) == _plain(stem)]
    folders = [path for path in entries if path.is_dir() and _plain(path.name) == _plain(stem)]
    if len(single) + len(folders) > 1:
        names = " and ".join(path.name for path in (*single, *folders))
        raise DataError([Problem(single[0].name, "", 0, "two_files",
                                 f"{names} hold the same table; leave one of them")])
    if folders:
        found = sorted(path for path in folders[0].iterdir()
                       if path.is_file() and _ending(path) in SOURCES)
        if found:
            return tuple(found)
        raise DataError([Problem(folders[0].name, "", 0, "missing_file",
                                 "the folder holds none of the table's files; add them")])
    if single:
        return tuple(single)
    raise _missing(stem, [path for path in entries if path.is_file()])


def _missing(stem: str, files: Sequence[Path]) -> DataError:
    listed = ", ".join(quoted(path.name) for path in files[:_LISTED]) or "no files"
    more = ", …" if len(files) > _LISTED else ""
    endings = ", ".join([*SOURCES, f".csv{COMPRESSED}"])
    return DataError([Problem(f"{stem}.csv", "", 0, "missing_file",
                              f"there is no file {stem} with one of the endings {endings}; the "
                              f"folder has {listed}{more}; add it, or name it in reportgen.toml")])


def _ending(path: Path) -> str:
    """Return a file's ending; a compressed text has that of the text."""
    ending = path.suffix.lower()
    if ending != COMPRESSED:
        return ending
    inner = Path(path.stem).suffix.lower()
    return inner if SOURCES.get(inner) is text.read else ending


def _stem(path: Path) -> str:
    """Return a file's name without its endings."""
    return Path(path.stem).stem if path.suffix.lower() == COMPRESSED else path.stem


def _plain(stem: str) -> str:
    """Compare names as people do: whatever their case and however letters are composed."""
    return unicodedata.normalize("NFC", stem).casefold()
