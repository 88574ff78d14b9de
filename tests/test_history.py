"""Earlier months are read as they were left, and what is wrong with one is told by its name."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reports import CUSTOMERS, make_report

from reportgen import history, results
from reportgen.results import HistoryFault


def leave(output: Path, month: str, *, customers: int | None = CUSTOMERS) -> Path:
    """Leave a finished month, and return its results.json."""
    public, private = (output / side / month for side in ("public", "private"))
    public.mkdir(parents=True)
    private.mkdir(parents=True)
    path = public / "results.json"
    path.write_text(results.to_json(make_report(month=month)), encoding="utf-8")
    if customers is not None:
        pq.write_table(pa.table({"id": [str(i) for i in range(customers)]}),
                       private / "customers.parquet")
    return path


def faults(past: history.Past) -> set[tuple[str, str]]:
    return {(fault.month, fault.reason) for fault in past.faults}


def test_a_new_store_has_no_past(tmp_path: Path) -> None:
    past = history.read(tmp_path, "2026-10")
    assert past.first
    assert (past.months, past.faults, past.last) == ((), (), None)


def test_earlier_months_are_read_oldest_first_and_later_ones_never(tmp_path: Path) -> None:
    for month in ("2026-09", "2026-08", "2026-10", "2026-11"):
        leave(tmp_path, month)
    past = history.read(tmp_path, "2026-10")
    assert [one.month for one in past.months] == ["2026-08", "2026-09"]
    assert past.last.customers == tmp_path / "private/2026-09/customers.parquet"
    assert past.of("2026-08").report.month == "2026-08"
    assert past.of("2026-11") is None
    assert not past.first


def test_a_month_between_two_is_missed(tmp_path: Path) -> None:
    leave(tmp_path, "2026-07")
    leave(tmp_path, "2026-09")
    assert faults(history.read(tmp_path, "2026-10")) == {("2026-08", "missing")}
    assert faults(history.read(tmp_path, "2026-10", accepted=("2026-08",))) == set()


def test_a_lost_history_is_never_taken_for_a_first_month(tmp_path: Path) -> None:
    past = history.read(tmp_path, "2026-03", since="2025-12")
    assert faults(past) == {("2025-12", "missing"), ("2026-01", "missing"), ("2026-02", "missing")}
    assert not past.first
    assert history.read(tmp_path, "2025-12", since="2025-12").first


@pytest.mark.parametrize(("text", "reason"), [
    ('{"schema_version": 99}', "newer"), ('{"schema_version": 1}', "older"),
    ("", "damaged"), ("\xff", "damaged"), ("{}", "damaged"),
])
def test_results_that_cannot_be_read_are_told_with_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    leave(tmp_path, "2026-08")
    leave(tmp_path, "2026-09").write_bytes(text.encode("latin-1"))
    past = history.read(tmp_path, "2026-10")
    assert faults(past) == {("2026-09", reason)}
    assert past.last.month == "2026-08"


def test_results_cut_in_half_are_damaged(tmp_path: Path) -> None:
    path = leave(tmp_path, "2026-09")
    path.write_text(path.read_text("utf-8")[: path.stat().st_size // 4], encoding="utf-8")
    assert faults(history.read(tmp_path, "2026-10")) == {("2026-09", "damaged")}


def test_a_folder_that_was_renamed_is_not_that_month(tmp_path: Path) -> None:
    leave(tmp_path, "2026-07")
    (tmp_path / "public/2026-07").rename(tmp_path / "public/2026-09")
    assert faults(history.read(tmp_path, "2026-10")) == {("2026-09", "damaged")}


@pytest.mark.parametrize("customers", [None, CUSTOMERS - 1, 0])
def test_customers_that_are_not_those_of_the_report_are_not_compared(
    tmp_path: Path, customers: int | None
) -> None:
    leave(tmp_path, "2026-09", customers=customers)
    past = history.read(tmp_path, "2026-10")
    assert faults(past) == {("2026-09", "no_customers")}
    assert past.last.customers is None
    assert past.last.report.month == "2026-09"


def test_a_customers_file_that_is_no_parquet_is_not_compared(tmp_path: Path) -> None:
    leave(tmp_path, "2026-09", customers=None)
    (tmp_path / "private/2026-09/customers.parquet").write_bytes(b"PAR1 cut")
    assert faults(history.read(tmp_path, "2026-10")) == {("2026-09", "no_customers")}


def test_what_is_no_month_is_no_history(tmp_path: Path) -> None:
    leave(tmp_path, "2026-09")
    (tmp_path / "public/2026-13").mkdir()
    (tmp_path / "public/notes").mkdir()
    (tmp_path / "public/index.html").write_text("")
    assert history.finished(tmp_path) == ["2026-09"]


def test_two_years_are_looked_back_on(tmp_path: Path) -> None:
    for year in (2023, 2024, 2025):
        for month in range(1, 13):
            leave(tmp_path, f"{year}-{month:02}", customers=None)
    past = history.read(tmp_path, "2026-01")
    assert len(past.months) == history.MOST_MONTHS
    assert past.months[0].month == "2024-01"


def test_comparison_of_customers_can_be_given_up(tmp_path: Path) -> None:
    leave(tmp_path, "2026-09")
    past = history.read(tmp_path, "2026-10").without_customers("ids")
    assert past.last.customers is None
    assert past.last.report.month == "2026-09"
    assert faults(past) == {("2026-09", "ids")}
    assert history.Past().without_customers("ids") == history.Past()


def test_every_fault_says_what_to_do() -> None:
    reasons = ("missing", "newer", "older", "damaged", "no_customers", "ids")
    told = list(history.told([HistoryFault("2026-09", reason) for reason in reasons],
                             "2026-10"))
    assert len(set(told)) == len(reasons)
    assert all(line.startswith("2026-09 is not compared with: ") for line in told)
    by_reason = dict(zip(reasons, told, strict=True))
    # What is missing is accepted by its own name, a break by that of the month after it.
    assert "add 2026-09 to [history] accepted" in by_reason["missing"]
    assert "add 2026-10 to [history] accepted" in by_reason["ids"]
