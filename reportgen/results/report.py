"""The whole report and its way to and from JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from reportgen.errors import ReportgenError
from reportgen.results.common import ColumnInfo, Effort, StoreInfo
from reportgen.results.data import DataQuality
from reportgen.results.decisions import Changes, Decision
from reportgen.results.discovery import Discoveries
from reportgen.results.experiment import Programme, Verdict
from reportgen.results.explanation import Explanation
from reportgen.results.history import Check, Forecast, History, ModelLife
from reportgen.results.model import ModelCard
from reportgen.results.money import Money
from reportgen.results.overview import Overview
from reportgen.results.recommendations import Recommendation
from reportgen.results.segments import Segment, Segmentation
from reportgen.results.upgrade import UPGRADES, upgraded

SCHEMA_VERSION = 6


@dataclass(frozen=True)
class Caveat:
    """A limit of this month's figures: the key of its text and the figures in it."""

    key: str
    facts: dict[str, float]


@dataclass(frozen=True)
class Provenance:
    """What made the report: versions of the program and of the libraries it leans on."""

    program: str
    versions: dict[str, str]
    settings_sha256: str


@dataclass(frozen=True)
class Report:
    """Every number of one month's report; see the parts."""

    schema_version: int
    store: StoreInfo
    month: str
    effort: Effort
    columns: dict[str, ColumnInfo]
    data: DataQuality
    overview: Overview
    changes: Changes
    model: ModelCard
    explanation: Explanation
    money: Money
    focus: Segment
    segments: tuple[Segment, ...]
    segmentation: Segmentation
    discoveries: Discoveries
    recommendations: tuple[Recommendation, ...]
    further: tuple[Recommendation, ...]
    programme: Programme
    verdict: Verdict
    history: History
    forecast: Forecast | None
    life: ModelLife
    checks: tuple[Check, ...]
    decisions: tuple[Decision, ...]
    caveats: tuple[Caveat, ...]
    provenance: Provenance


_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


#: Sums of doubles differ in their last bits from thread to thread; these digits do not.
SIGNIFICANT_DIGITS = 10


class ResultsError(ReportgenError):
    """A results.json cannot be used: it is damaged, or of a version newer or older than is read."""

    def __init__(self, message: str,
                 reason: Literal["damaged", "newer", "older"] = "damaged") -> None:
        self.reason = reason
        super().__init__(message)


def rounded(report: Report) -> Report:
    """Round every figure once, so that equal inputs give equal reports to the last byte."""
    return _REPORT.validate_python(_round(_REPORT.dump_python(report)))


def _round(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_round(item) for item in value)
    return value


def to_json(report: Report) -> str:
    """Write a report as JSON text.

    Raises
    ------
    ResultsError
        Where a number is NaN or infinite: such a report must not be published.
    """
    try:
        return json.dumps(
            _REPORT.dump_python(report, mode="json"),
            ensure_ascii=False, allow_nan=False, indent=1,
        ) + "\n"
    except ValueError as error:
        raise ResultsError("the report holds a number that is not finite") from error


def figures_sha256(report: Report) -> str:
    """Fingerprint what a report says, whatever program and libraries made it."""
    plain = _REPORT.dump_python(report, mode="json")
    del plain["schema_version"], plain["provenance"]
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def readable() -> tuple[int, ...]:
    """Return the schema versions that can be read, oldest first."""
    return (*sorted(UPGRADES), SCHEMA_VERSION)


def from_json(text: str, *, name: str = "results.json") -> Report:
    """Read a report back; one of an older schema gets what it lacks (see `upgrade`).

    ``name`` is told in messages.

    Raises
    ------
    ResultsError
        Where the text is not a report, is cut off, or has another schema version.
    """
    try:
        plain: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise ResultsError(f"{name}: not valid JSON ({error}); run the month again") from error
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if version not in readable():
        raise ResultsError(
            f"{name}: schema version {version}, this program reads "
            f"{', '.join(map(str, readable()))}; "
            "render it with the version of reportgen that wrote it, or run the month again",
            "damaged" if not isinstance(version, int)
            else "newer" if version > SCHEMA_VERSION else "older",
        )
    try:
        return _REPORT.validate_python(upgraded(plain, to=SCHEMA_VERSION))
    except ValidationError as error:
        raise ResultsError(f"{name}: damaged ({error.error_count()} faults, the first at "
                           f"{error.errors()[0]['loc']}); run the month again") from error
