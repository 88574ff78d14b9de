"""Read the store's files: from a folder to one table of the engine for each table of the contract.

The contract names a file without its ending; whichever kind is in the folder is read. What is
wrong with a file travels with its table, so that `validation` can tell everything at once.
"""

from __future__ import annotations

import hashlib
import tempfile
import unicodedata
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import ibis

from reportgen.cells import quoted
from reportgen.contract import Contract
from reportgen.errors import DataError, Problem
from reportgen.sources import parquet, text, xlsx
from reportgen.sources.dialect import COMPRESSED
from reportgen.sources.reading import Reader, Task
from reportgen.tables import RawTable

#: The kinds of files that can be read, by ending.
SOURCES: Mapping[str, Reader] = MappingProxyType({
    ".csv": text.read,
    ".txt": text.read,
    ".tsv": text.read,
    ".xlsx": xlsx.read,
    ".parquet": parquet.read,
})

#: Most files a message lists.
_LISTED = 10


def read_tables(
    folder: Path, contract: Contract, connection: ibis.BaseBackend
) -> dict[str, RawTable]:
    """Read every table of the contract.

    Parameters
    ----------
    folder
        Where the files of one month lie.
    connection
        The DuckDB engine that holds the tables from now on. Files are not read again.

    Returns
    -------
    dict
        A `RawTable` for each table of the contract, with the problems that reading found.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    with tempfile.TemporaryDirectory(prefix="reportgen-") as scratch:
        tasks = [Task(contract, name, connection, Path(scratch)) for name in contract.tables]
        return {task.table: _table(task, files) for task in tasks}


def _table(task: Task, files: Sequence[Path]) -> RawTable:
    stem = task.contract.tables[task.table].file
    file = f"{stem}.csv"
    try:
        path = _find(stem, files)
        file = path.name
        return _read(path, task)
    except DataError as error:
        return RawTable(task.table, file, problems=error.problems)
    except (EOFError, zlib.error) as error:
        return RawTable(task.table, file, problems=(Problem(
            file, "", 0, "unreadable", f"the compressed file is damaged or cut off ({error}); copy "
            "it again"),))
    except OSError as error:
        return RawTable(task.table, file, problems=(Problem(
            file, "", 0, "unreadable", f"the file cannot be read ({error.strerror or error}); "
            "close the program that holds it and look at its permissions"),))


def _read(path: Path, task: Task) -> RawTable:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    reading = SOURCES[_ending(path)](path, task)
    problems = reading.match.problems
    if not reading.rows:
        problems += (Problem(path.name, "", 1, "no_rows",
                             "there is a header and nothing below it; export the table again"),)
    return RawTable(
        task.table, path.name, stored=reading.data if reading.rows else None,
        positions=reading.match.positions, rows=reading.rows, keys=reading.keys,
        customers=reading.customers, sha256=sha256,
        encoding=reading.encoding, delimiter=reading.delimiter,
        double_encoded=reading.match.double_encoded, problems=problems,
    )


def _find(stem: str, files: Sequence[Path]) -> Path:
    found = [path for path in files
             if _ending(path) in SOURCES and _plain(_stem(path)) == _plain(stem)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(path.name for path in found)
        raise DataError([Problem(found[0].name, "", 0, "two_files",
                                 f"{names} hold the same table; leave one of them")])
    listed = ", ".join(quoted(path.name) for path in files[:_LISTED]) or "no files"
    more = ", …" if len(files) > _LISTED else ""
    endings = ", ".join([*SOURCES, f".csv{COMPRESSED}"])
    raise DataError([Problem(f"{stem}.csv", "", 0, "missing_file",
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
