"""Earlier months as the output folder keeps them: there is no database beside it.

The output folder and a month come in, `Past` goes out: what earlier months reported, where their
customers are, and which months should be there and cannot be compared with. Nothing later than the
month is looked at, so a past month that is run again reads what it read the first time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from reportgen import months, results, storage
from reportgen.results import FaultReason, HistoryFault, Report, ResultsError

RESULTS, CUSTOMERS = "results.json", "customers.parquet"

#: Months that the report looks back on: two years show a season twice.
MOST_MONTHS = 24


@dataclass(frozen=True)
class Earlier:
    """An earlier month: its report, and its customers where they can be compared with.

    ``private`` is the folder of what it left that is not published.
    """

    month: str
    report: Report
    private: Path
    customers: Path | None


@dataclass(frozen=True)
class Past:
    """What came before a month.

    Attributes
    ----------
    months
        Those whose report can be read, oldest first, at most `MOST_MONTHS`.
    faults
        Those that should be there and cannot be compared with.
    """

    months: tuple[Earlier, ...] = ()
    faults: tuple[HistoryFault, ...] = ()

    @property
    def last(self) -> Earlier | None:
        """The newest month that can be read."""
        return self.months[-1] if self.months else None

    def of(self, month: str) -> Earlier | None:
        """Return an earlier month by its name, None where it cannot be read."""
        return next((earlier for earlier in self.months if earlier.month == month), None)

    @property
    def first(self) -> bool:
        """Whether this is the first month of the store: none came before, and none is lost."""
        return not self.months and not self.faults

    def without_customers(self, reason: FaultReason | None = None) -> Past:
        """Give up the comparison with the newest month's customers; without a reason, silently."""
        if self.last is None:
            return self
        faults = (HistoryFault(self.last.month, reason),) if reason else ()
        return Past((*self.months[:-1], replace(self.last, customers=None)),
                    (*self.faults, *faults))


def read(output: Path, month: str, *, since: str = "", accepted: Collection[str] = ()) -> Past:
    """Read the months before a month.

    Parameters
    ----------
    since
        First month of the store, ``YYYY-MM``: from then on every month should be there. Without
        it, only the months between those that are there should be.
    accepted
        Months whose absence is known; they are no fault.
    """
    found = finished(output, before=month)[-MOST_MONTHS:]
    begins = since or (found[0] if found else month)
    expected = {name for name in months.range_of(begins, month) if name < month}
    looked_at = sorted({*found, *sorted(expected)[-MOST_MONTHS:]})
    read_months, faults = [], []
    for name in looked_at:
        earlier, reason = _read(output, name)
        if earlier is not None:
            read_months.append(earlier)
        if reason is not None and name not in accepted:
            faults.append(HistoryFault(name, reason))
    return Past(tuple(read_months), tuple(faults))


def finished(output: Path, *, before: str = "") -> list[str]:
    """List the months that have been published, oldest first."""
    public = storage.month_folder(output, "public", "x").parent
    names = {path.name for path in public.glob("*") if months.is_month(path.name) and path.is_dir()}
    return sorted(name for name in names if not before or name < before)


def _read(output: Path, month: str) -> tuple[Earlier | None, FaultReason | None]:
    path = storage.month_folder(output, "public", month) / RESULTS
    try:
        report = results.from_json(path.read_text(encoding="utf-8"), name=str(path))
    except FileNotFoundError:
        return None, "missing"
    except ResultsError as error:
        return None, error.reason
    except (OSError, UnicodeDecodeError):
        return None, "damaged"
    if report.month != month:
        return None, "damaged"          # a folder that was renamed
    private = storage.month_folder(output, "private", month)
    if not _is_whole(private / CUSTOMERS, report):
        return Earlier(month, report, private, None), "no_customers"
    return Earlier(month, report, private, private / CUSTOMERS), None


def files_of(customers: Path) -> tuple[Path, ...]:
    """List the files of a month's customers: a run on a cluster leaves a folder of parts."""
    return tuple(sorted(customers.glob("*.parquet"))) if customers.is_dir() else (customers,)


def _is_whole(customers: Path, report: Report) -> bool:
    """Whether the list of customers is there and counts those of the report."""
    try:
        rows = sum(pq.read_metadata(part).num_rows for part in files_of(customers))
        return bool(rows == report.overview.customers)
    except (OSError, pa.ArrowInvalid):
        return False


def told(faults: Collection[HistoryFault], month: str) -> Iterator[str]:
    """Say what is wrong with each month before ``month`` and what to do, at the keyboard."""
    for fault in faults:
        remedy = _REMEDIES[fault.reason].format(earlier=fault.month, month=month)
        yield f"{fault.month} is not compared with: {remedy}"


_REMEDIES: dict[FaultReason, str] = {
    "missing": "its report is not there; restore the output folder from its backup, run that "
               "month, or add {earlier} to [history] accepted",
    "newer": "its results.json was written by a newer reportgen; update this one",
    "older": "its results.json is too old to be read; run that month again",
    "damaged": "its results.json is damaged; restore it, or run that month again",
    "no_customers": "its customers.parquet is missing or damaged; restore output/private, or run "
                    "that month again",
    "ids": "its customers' ids are written otherwise, or hardly any customer is in both months; "
           "bring the ids into one form and run both months again, or add {month} to "
           "[history] accepted",
}
