"""Find out how a text file is written: encoding, delimiter, line ends.

A path comes in, a `Dialect` goes out. The whole file is looked at once, a chunk at a time, so a
single wrong byte in its last line is found before anything is read wrongly.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from reportgen.errors import DataError, Problem
from reportgen.progress import Progress, silent
from reportgen.sources.headers import match

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DELIMITERS = (",", ";", "\t", "|")

#: Ending of a file that gzip has compressed; what it holds is told by the ending before it.
COMPRESSED = ".gz"

_CHUNK = 1 << 20
#: How much of a file is looked at to tell its layout, and how many records of that.
_SAMPLE, _SAMPLE_RECORDS = 1 << 16, 50

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}
_UTF8, _CYRILLIC = "utf-8", "cp1251"
#: The one byte that means nothing in cp1251.
_CYRILLIC_GAP = b"\x98"
#: Smallest share of characters of the sample that are ASCII if it is UTF-16: digits, delimiters.
_ASCII_SHARE = 0.2


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes
    ----------
    header
        The fields of the first record.
    lines
        Lines of the file; None where the engine cannot read it as it is, because it is not
        UTF-8 or its line ends are mixed.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    lines: int | None


@dataclass(frozen=True)
class _Survey:
    """What one pass over the bytes tells; a line is 0 where there is none of its kind."""

    lines: int
    even_ends: bool  # all lines end alike, and not in a lone CR
    nul_line: int
    not_utf8_line: int
    not_cyrillic_line: int


def detect(path: Path, expected: Sequence[str], told: Progress = silent) -> Dialect:
    """Look at a file; the expected headers decide where two readings are possible.

    ``told`` is told of the bytes looked at.

    Raises
    ------
    DataError
        An empty file, NUL bytes, or bytes that fit no known encoding.
    """
    with _bytes_of(path) as file:
        start = file.read(_SAMPLE)
    survey = _survey(path, told)
    encoding = _marked(start) or _unmarked_utf16(start)
    if encoding is None or encoding.startswith(_UTF8):
        encoding = _eight_bit(path, start, survey, marked=encoding)
    header, delimiter = _layout(path, encoding, expected)
    readable = encoding.startswith(_UTF8) and survey.even_ends
    return Dialect(encoding, delimiter, header, survey.lines if readable else None)


def records(path: Path, encoding: str, delimiter: str,
            told: Progress = silent) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank, with the line it begins on.

    ``told`` is told of the bytes read.

    Raises
    ------
    DataError
        Bytes that do not fit the encoding, or quotation marks that do not match.
    """
    line = 1
    with _text_of(path, encoding, told) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for fields in reader:
                if _is_filled(fields):
                    yield line, fields
                line = reader.line_num + 1
        except UnicodeDecodeError as error:
            raise _wrong_encoding(path, line, encoding) from error
        except csv.Error as error:
            raise fault(path, line, "bad_quotes", "the quotation marks do not match; write a "
                        f"mark inside a quoted value twice ({error})") from error


def fault(path: Path, row: int, code: str, message: str) -> DataError:
    """Refuse a file as a whole."""
    return DataError([Problem(path.name, "", row, code, message)])


class _Told(io.FileIO):
    """The bytes of a file, which tell how many of them were read."""

    def __init__(self, path: Path, told: Progress) -> None:
        super().__init__(path)
        self._told, self._read, self._size = told, 0, path.stat().st_size

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        count = super().readinto(buffer)
        self._read += count or 0
        self._told(self._read, self._size, "bytes")
        return count


@contextmanager
def _bytes_of(path: Path, told: Progress = silent) -> Iterator[IO[bytes]]:
    """Open a file's bytes; of a compressed one those that were compressed."""
    with io.BufferedReader(_Told(path, told), _CHUNK) as file:
        if path.suffix.lower() != COMPRESSED:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield cast(IO[bytes], unpacked)


@contextmanager
def _text_of(path: Path, encoding: str, told: Progress = silent) -> Iterator[IO[str]]:
    """Open a file's text with the ends of its lines as they are."""
    with (_bytes_of(path, told) as file,
          io.TextIOWrapper(cast(io.BufferedReader, file), encoding=encoding, newline="") as text):
        yield text


def _marked(start: bytes) -> str | None:
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)


def _unmarked_utf16(start: bytes) -> str | None:
    """Tell UTF-16 without a mark: the upper byte of digits and delimiters, and no other, is 0."""
    lower, upper = start[0::2].count(0), start[1::2].count(0)
    if not lower and upper > _ASCII_SHARE * len(start) / 2:
        return "utf-16-le"
    if not upper and lower > _ASCII_SHARE * len(start) / 2:
        return "utf-16-be"
    return None


def _eight_bit(path: Path, start: bytes, survey: _Survey, *, marked: str | None) -> str:
    """Decide between UTF-8 and cp1251, or refuse what is neither."""
    if survey.nul_line:
        raise fault(path, survey.nul_line, "nul_bytes",
                    "the file holds NUL bytes, as after a broken copy; export it again")
    if not survey.not_utf8_line:
        return marked or _UTF8
    header = re.split(rb"[\r\n]", start.lstrip(), maxsplit=1)[0]
    if marked or (not header.isascii() and _is_utf8(header)):
        raise _wrong_encoding(path, survey.not_utf8_line, _UTF8)
    if survey.not_cyrillic_line:
        raise _wrong_encoding(path, survey.not_cyrillic_line, _CYRILLIC)
    return _CYRILLIC


def _wrong_encoding(path: Path, line: int, encoding: str) -> DataError:
    return fault(path, line, "encoding", f"a byte here does not fit {encoding}, in which the rest "
                 "is written; save the file as UTF-8")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _survey(path: Path, told: Progress) -> _Survey:
    """Read the whole file once, a chunk at a time."""
    decoder = codecs.getincrementaldecoder(_UTF8)()
    feeds = returns = pairs = 0
    nul_line = not_utf8_line = not_cyrillic_line = 0
    last = b""
    with _bytes_of(path, told) as file:
        while chunk := file.read(_CHUNK):
            nul_line = nul_line or _line_of(b"\0", chunk, feeds)
            not_cyrillic_line = not_cyrillic_line or _line_of(_CYRILLIC_GAP, chunk, feeds)
            if not not_utf8_line:
                not_utf8_line = _undecodable(decoder, chunk, feeds)
            pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            feeds += chunk.count(b"\n")
            returns += chunk.count(b"\r")
            last = chunk[-1:]
    lines = feeds + (last not in (b"\n", b""))
    if not not_utf8_line and decoder.getstate()[0]:
        not_utf8_line = lines  # the file breaks off in the middle of a letter
    even_ends = returns == pairs and pairs in (0, feeds)
    return _Survey(lines, even_ends, nul_line, not_utf8_line, not_cyrillic_line)


def _line_of(byte: bytes, chunk: bytes, before: int) -> int:
    place = chunk.find(byte)
    return 0 if place < 0 else before + chunk.count(b"\n", 0, place) + 1


def _undecodable(decoder: codecs.IncrementalDecoder, chunk: bytes, before: int) -> int:
    """Line of the first byte that does not fit, 0 where all do."""
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        return before + error.object.count(b"\n", 0, error.start) + 1
    return 0


def _layout(path: Path, encoding: str, expected: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Header and delimiter: most of the expected headers, then the most even records."""
    try:
        with _text_of(path, encoding) as file:
            sample = file.read(_SAMPLE)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, 1, encoding) from error
    best: tuple[tuple[float, ...], tuple[str, ...], str] | None = None
    for delimiter in DELIMITERS:
        rows = _sample_records(sample, delimiter)
        if not rows:
            continue
        known = len(match(rows[0], expected, file=path.name).positions)
        even = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
        score = (known, even if len(rows[0]) > 1 else 0, len(rows[0]))
        if best is None or score > best[0]:
            best = score, tuple(rows[0]), delimiter
    if best is None:
        raise fault(path, 0, "empty_file", "the file is empty; export the table again")
    return best[1], best[2]


def _is_filled(fields: Sequence[str]) -> bool:
    return any(field.strip() for field in fields)


def _sample_records(sample: str, delimiter: str) -> list[list[str]]:
    filled = (row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
              if _is_filled(row))
    try:
        return list(islice(filled, _SAMPLE_RECORDS))
    except csv.Error:  # a field without end: not this delimiter
        return []
