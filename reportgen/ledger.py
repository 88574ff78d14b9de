"""What the experiment must never forget: who was drawn, and what became of them.

Below the output folder's ``state/``:

``experiment.json``
    The campaigns and the fingerprint of the key that their groups hang on.
``assignments-YYYY-MM.parquet``
    Customers drawn for the first time in a month: id, campaign, the action that comes first for
    them, treated, fallen, risk.
``outcomes-YYYY-MM.parquet``
    What a month's tables say about customers drawn before it.

Assignments are only ever added: a rerun keeps every group. Customers' ids stay in this folder,
which nobody but the owner can open.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from reportgen.errors import ConfigError, StorageError
from reportgen.months import is_month
from reportgen.storage import write_private

#: Where the secret key comes from; it never stands in a file.
KEY_VARIABLE = "REPORTGEN_EXPERIMENT_KEY"

#: Shorter keys could be guessed by trying.
SHORTEST_KEY = 12

ASSIGNMENTS = pa.schema([
    ("id", pa.string()), ("campaign", pa.string()), ("month", pa.string()),
    ("action", pa.string()), ("treated", pa.bool_()), ("fallen", pa.bool_()),
    ("risk", pa.float64()),
])

_KEYS = "experiment.json"


@dataclass(frozen=True)
class Ledger:
    """The state that a month starts from.

    Attributes
    ----------
    key
        The secret key, None where the environment has none.
    assignments
        Everybody drawn so far, by `ASSIGNMENTS`.
    outcomes
        Outcomes of earlier months by month, oldest first.
    fingerprints
        Of the key, by campaign.
    """

    key: bytes | None
    assignments: pa.Table
    outcomes: Mapping[str, pa.Table]
    fingerprints: Mapping[str, str]

    @property
    def fingerprint(self) -> str | None:
        """What recognises the key again and does not give it away."""
        return _fingerprint_of(self.key)


def empty(key: bytes | None = None) -> Ledger:
    """Return the state of a store that has drawn nobody yet."""
    return Ledger(key, ASSIGNMENTS.empty_table(), {}, {})


def read(state: Path, month: str) -> Ledger:
    """Read the state before a month; the month's own assignments, of an earlier run, included.

    Raises
    ------
    ConfigError
        Where the key of the environment is too short to be one.
    StorageError
        Where a file of the state is damaged.
    """
    tables = [_read(path) for name, path in _files(state, "assignments") if name <= month]
    drawn = pa.concat_tables([ASSIGNMENTS.empty_table(), *tables])
    earlier = {name: _read(path) for name, path in _files(state, "outcomes") if name < month}
    return Ledger(
        key=_key(), outcomes=earlier, fingerprints=_fingerprints(state),
        assignments=_first_of_each(drawn),
    )


def treated(state: Path) -> dict[str, tuple[str, ...]]:
    """Return who was drawn to get an action, by the month they were drawn in."""
    found: dict[str, list[str]] = {}
    for _, path in _files(state, "assignments"):
        for row in _read(path).to_pylist():
            if row["treated"]:
                found.setdefault(row["month"], []).append(row["id"])
    return {month: tuple(customers) for month, customers in found.items()}


def check_key(ledger: Ledger, campaign: str) -> None:
    """Refuse a key other than the one that a campaign's groups were drawn with.

    Raises
    ------
    ConfigError
        Where the key is another or missing: customers drawn from now on would get groups that
        have nothing to do with the earlier ones.
    """
    known = ledger.fingerprints.get(campaign)
    if known is None or known == ledger.fingerprint:
        return
    told = "is missing" if ledger.key is None else "is another one"
    raise ConfigError(
        f"{KEY_VARIABLE} {told}: the groups of campaign {campaign!r} were drawn with a key of "
        f"fingerprint {known}. Set that key again, or give the programme another name "
        "([programme] campaign) to draw new groups."
    )


def append(state: Path, month: str, *, drawn: pa.Table, outcomes: pa.Table | None,
           fingerprints: Mapping[str, str]) -> None:
    """Keep what a run has drawn and seen, each file whole or not at all.

    Customers drawn before keep their row; the outcomes of the month are those of its newest run.
    """
    if fingerprints:
        kept = _fingerprints(state) | dict(fingerprints)
        write_private(state / _KEYS, json.dumps({"keys": kept}, indent=1).encode())
    path = state / f"assignments-{month}.parquet"
    if drawn.num_rows:
        before = [_read(path)] if path.is_file() else []
        write_private(path, _parquet(pa.concat_tables([*before, drawn])))
    if outcomes is not None:
        write_private(state / f"outcomes-{month}.parquet", _parquet(outcomes))


def key_fingerprint() -> str | None:
    """Return what recognises the key of the environment, None where there is none."""
    return _fingerprint_of(_key())


def _fingerprint_of(key: bytes | None) -> str | None:
    if key is None:
        return None
    return hmac.new(key, b"reportgen: which key is it", hashlib.sha256).hexdigest()[:16]


def _key() -> bytes | None:
    text = os.environ.get(KEY_VARIABLE, "").strip()
    if not text:
        return None
    if len(text) < SHORTEST_KEY:
        raise ConfigError(f"{KEY_VARIABLE} has {len(text)} characters; it needs {SHORTEST_KEY} "
                          "or more, for example 32 random ones")
    return text.encode()


def _files(state: Path, kind: str) -> Sequence[tuple[str, Path]]:
    found = ((path.stem.removeprefix(f"{kind}-"), path) for path in state.glob(f"{kind}-*.parquet"))
    return sorted((month, path) for month, path in found if is_month(month))


def _first_of_each(drawn: pa.Table) -> pa.Table:
    """Keep the oldest row of each customer: a month run again after later ones adds a second."""
    seen: set[tuple[str, str]] = set()
    kept = []
    keys = zip(drawn.column("id").to_pylist(), drawn.column("campaign").to_pylist(), strict=True)
    for place, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            kept.append(place)
    return drawn.take(pa.array(kept, pa.int64()))


def _fingerprints(state: Path) -> dict[str, str]:
    path = state / _KEYS
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["keys"])
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(f"{path} is damaged ({error}); restore it from a backup") from error


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise StorageError(f"{path} is damaged ({error}); restore it from a backup") from error


def _parquet(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
