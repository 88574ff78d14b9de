"""The ledger keeps every group that was drawn."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from reportgen import ledger
from reportgen.errors import ConfigError, StorageError

KEY = "a key of enough letters"


def drawn(month: str, **treated: bool) -> pa.Table:
    rows = [{"id": name, "campaign": "spring", "month": month, "action": "R5", "treated": group,
             "fallen": True, "risk": 0.75} for name, group in treated.items()]
    return pa.Table.from_pylist(rows, schema=ledger.ASSIGNMENTS)


def groups(state: Path, month: str) -> dict[str, bool]:
    rows = ledger.read(state, month).assignments.to_pylist()
    return {row["id"]: row["treated"] for row in rows}


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ledger.KEY_VARIABLE, raising=False)


def append(state: Path, month: str, table: pa.Table, outcomes: pa.Table | None = None) -> None:
    ledger.append(state, month, drawn=table, outcomes=outcomes,
                  fingerprints={"spring": ledger.empty(KEY.encode()).fingerprint or ""})


def test_what_was_appended_is_read_from_its_month_on(tmp_path: Path) -> None:
    append(tmp_path, "2026-08", drawn("2026-08", a=True, b=False))
    append(tmp_path, "2026-09", drawn("2026-09", c=True))
    assert groups(tmp_path, "2026-07") == {}
    assert groups(tmp_path, "2026-08") == {"a": True, "b": False}
    assert groups(tmp_path, "2026-09") == {"a": True, "b": False, "c": True}


def test_a_rerun_adds_and_never_takes_away(tmp_path: Path) -> None:
    append(tmp_path, "2026-08", drawn("2026-08", a=True, b=False))
    append(tmp_path, "2026-08", drawn("2026-08", c=True))
    append(tmp_path, "2026-08", ledger.ASSIGNMENTS.empty_table())
    assert groups(tmp_path, "2026-08") == {"a": True, "b": False, "c": True}


def test_a_customer_drawn_twice_keeps_the_first_month(tmp_path: Path) -> None:
    append(tmp_path, "2026-09", drawn("2026-09", a=True))
    append(tmp_path, "2026-08", drawn("2026-08", a=True))       # an older month, run again later
    rows = ledger.read(tmp_path, "2026-10").assignments.to_pylist()
    assert [(row["id"], row["month"]) for row in rows] == [("a", "2026-08")]


def test_the_outcomes_of_a_month_are_those_of_its_newest_run(tmp_path: Path) -> None:
    for value in (True, False):
        append(tmp_path, "2026-09", ledger.ASSIGNMENTS.empty_table(),
               pa.table({"id": ["a"], "declined": [value]}))
    assert list(ledger.read(tmp_path, "2026-09").outcomes) == []
    assert ledger.read(tmp_path, "2026-10").outcomes["2026-09"].to_pylist() == [
        {"id": "a", "declined": False}]


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    append(tmp_path, "2026-08", drawn("2026-08", a=True))
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_another_key_stops_the_run_and_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(tmp_path, "2026-08", drawn("2026-08", a=True))
    for key, told in ((KEY + "!", "is another one"), ("", "is missing")):
        monkeypatch.setenv(ledger.KEY_VARIABLE, key)
        with pytest.raises(ConfigError, match=f"{told}.*another name") as refused:
            ledger.check_key(ledger.read(tmp_path, "2026-09"), "spring")
        assert refused.value.exit_code == 2
    # A campaign that has drawn nobody has no key to keep.
    ledger.check_key(ledger.read(tmp_path, "2026-09"), "autumn")
    monkeypatch.setenv(ledger.KEY_VARIABLE, KEY)
    ledger.check_key(ledger.read(tmp_path, "2026-09"), "spring")


def test_the_fingerprint_tells_keys_apart_and_hides_them() -> None:
    first, second = ledger.empty(KEY.encode()), ledger.empty(f"{KEY}.".encode())
    assert first.fingerprint is not None
    assert first.fingerprint != second.fingerprint
    assert KEY.encode().hex() not in first.fingerprint
    assert ledger.empty().fingerprint is None


def test_a_key_that_could_be_guessed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ledger.KEY_VARIABLE, "short")
    with pytest.raises(ConfigError, match="5 characters; it needs 12"):
        ledger.read(tmp_path, "2026-09")


@pytest.mark.parametrize("name", ["assignments-2026-08.parquet", "experiment.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    append(tmp_path, "2026-08", drawn("2026-08", a=True))
    (tmp_path / name).write_bytes(b"half of a")
    with pytest.raises(StorageError, match=f"{name} is damaged.*backup"):
        ledger.read(tmp_path, "2026-09")


def test_the_treated_are_told_by_month(tmp_path: Path) -> None:
    append(tmp_path, "2026-08", drawn("2026-08", a=True, b=False))
    append(tmp_path, "2026-09", drawn("2026-09", c=True))
    assert ledger.treated(tmp_path) == {"2026-08": ("a",), "2026-09": ("c",)}
