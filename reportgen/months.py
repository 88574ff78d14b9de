"""Which month's folder a command means.

A data folder (a month's own, or one that holds folders of months) and a month, if named, come in;
the folder to read and the month's name, ``YYYY-MM``, go out.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from reportgen.errors import ConfigError

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")

#: A folder's name that means a month but is not written as one: 2026-13, 2026_9, 202609.
_MEANT = re.compile(r"(19|20)[0-9]{2}[-_. ]?[0-9]{1,2}")


class DataFolderError(ConfigError):
    """There is no such folder, or it has no such month."""


@dataclass(frozen=True)
class MonthFolder:
    """A month's name and the folder with its tables."""

    month: str
    path: Path


def is_month(name: str) -> bool:
    """Whether a name reads ``YYYY-MM``."""
    return _MONTH.fullmatch(name) is not None


def last_day(month: str) -> datetime:
    """Return the last day of a month that is given as ``YYYY-MM``."""
    year, number = map(int, month.split("-"))
    return datetime(year, number, monthrange(year, number)[1])


def day_after(month: str, day: int) -> date:
    """Return a day of the month after one that is given as ``YYYY-MM``."""
    return (last_day(month) + timedelta(days=day)).date()


def between(earlier: str, later: str) -> int:
    """Count the months from one to another, both given as ``YYYY-MM``."""
    (year, month), (later_year, later_month) = (map(int, name.split("-"))
                                                for name in (earlier, later))
    return 12 * (later_year - year) + later_month - month


def range_of(first: str, last: str) -> tuple[str, ...]:
    """List the months from one to another, both included and given as ``YYYY-MM``.

    Examples
    --------
    >>> range_of("2026-11", "2027-01")
    ('2026-11', '2026-12', '2027-01')
    """
    year, month = map(int, first.split("-"))
    start = 12 * year + month - 1
    return tuple(f"{at // 12:04}-{at % 12 + 1:02}"
                 for at in range(start, start + between(first, last) + 1))


def after(month: str) -> str:
    """Return the month after one, both as ``YYYY-MM``."""
    return day_after(month, 1).strftime("%Y-%m")


def find_month(data: Path, month: str | None = None) -> MonthFolder:
    """Find the folder of a month, the newest where none is named.

    Raises
    ------
    DataFolderError
        Where the folder is missing, holds no month, the month named is not there or is no month,
        or the month cannot be told from the folder's name.
    """
    if month is not None and not is_month(month):
        raise DataFolderError(f"--month {month!r} is not a month; write it as YYYY-MM")
    if not data.is_dir():
        raise DataFolderError(f"there is no folder {data}; name one by --data, or make a demo "
                              "store by `reportgen demo`")
    folders = sorted(child.name for child in data.iterdir() if child.is_dir())
    months = [name for name in folders if is_month(name)]
    for name in folders:
        if _MEANT.fullmatch(name) and not is_month(name):
            raise DataFolderError(f"{data / name} is named like a month and is none; rename it to "
                                  "YYYY-MM, or move it away")
    if months:
        return _of_months(data, months, month)
    if not any(child.is_file() and not child.name.startswith(".") for child in data.iterdir()):
        raise DataFolderError(f"{data} holds no tables; put a month's tables there, or make a "
                              "demo store by `reportgen demo`")
    name = month or data.resolve().name
    if not is_month(name):
        raise DataFolderError(f"which month is {data}? Name it by --month YYYY-MM")
    return MonthFolder(name, data)


def find_months(data: Path) -> tuple[MonthFolder, ...]:
    """Find the folders of all months below a folder, oldest first.

    Raises
    ------
    DataFolderError
        As `find_month`; a month's own folder counts as one month.
    """
    newest = find_month(data)
    if newest.path == data:
        return (newest,)
    names = sorted(child.name for child in data.iterdir()
                   if child.is_dir() and is_month(child.name))
    return tuple(MonthFolder(name, data / name) for name in names)


def of_database(data: Path, month: str | None) -> MonthFolder:
    """Name the month of a database's tables; its folder holds what was sent, and may be missing.

    Raises
    ------
    DataFolderError
        Where no month is named, or none that is one: a database has no newest month.
    """
    if month is None or not is_month(month):
        named = "" if month is None else f"{month!r} is not a month; "
        raise DataFolderError(f"{named}name the month of the database's tables by --month YYYY-MM")
    return MonthFolder(month, data if data.name == month else data / month)


def _of_months(data: Path, months: Sequence[str], month: str | None) -> MonthFolder:
    if month is None:
        return MonthFolder(months[-1], data / months[-1])
    if month not in months:
        raise DataFolderError(f"{data} has no month {month}; it has {', '.join(months)}")
    return MonthFolder(month, data / month)
