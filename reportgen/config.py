"""reportgen.toml as frozen settings.

A file's text comes in, `Settings` goes out: the contract of the data and everything a store may
choose. What a file leaves out is taken from the contract that ships with the package, table by
table, so a store's file may hold nothing but what differs. Secrets never stand in the file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Self, cast

from pydantic import ValidationError, field_validator, model_validator

from reportgen.contract import Column, Contract, Kind, Role, Window
from reportgen.errors import ConfigError
from reportgen.mailbox import Mail
from reportgen.rules import Rule, RuleError, parse_rule
from reportgen.sections import (
    Assumptions,
    Cleaning,
    Decisions,
    Effort,
    Engine,
    Gates,
    History,
    ModelSearch,
    Presentation,
    Programme,
    Recommendations,
    Risk,
    Segment,
    Store,
)

FILE_NAME = "reportgen.toml"
SHIPPED_CONTRACT = "one_click.toml"

#: Names that rules may use beside the contract's columns.
RISK = "risk"
RISK_BAND = "risk_band"

#: What the forecast adds to a customer, and how it names the class that is known already.
FORECAST, FORECAST_BAND, KNOWN_CLASS = "forecast", "forecast_band", "known_class"
BANDS = ("low", "medium", "high")

#: What the analysis adds to the table of customers; a column of the contract may not hide it.
RESERVED = frozenset({"id", RISK, RISK_BAND, FORECAST, FORECAST_BAND, KNOWN_CLASS, "fallen",
                      "alike", "contactable", "part", "value_at_risk"})

#: Keys that a person may believe to be the place of a secret: what stands there is never told.
_SECRET = re.compile("pass|secret|token|login|user", re.IGNORECASE)

_NAMED_BY_STORE = ("store", "tables", "columns", "segments", "recommendations", "presentation")


class Settings(Contract):
    """Everything a run needs to know about the store; see the parts."""

    store: Store
    cleaning: Cleaning = Cleaning()
    model: ModelSearch = ModelSearch()
    risk: Risk = Risk()
    gates: Gates = Gates()
    history: History = History()
    assumptions: Assumptions = Assumptions()
    programme: Programme = Programme()
    decisions: Decisions = Decisions()
    segments: dict[str, Segment] = {}
    recommendations: Recommendations
    presentation: Presentation = Presentation()
    mail: Mail = Mail()
    engine: Engine = Engine()

    @property
    def rule_columns(self) -> dict[str, tuple[str, ...] | None]:
        """Names a rule may use: number columns give None, categories their values."""
        known: dict[str, tuple[str, ...] | None] = {RISK: None, RISK_BAND: BANDS}
        for name, column in self.columns.items():
            if column.role != Role.IGNORE:
                known[name] = tuple(column.values) if column.kind == Kind.CATEGORY else None
        return known

    @property
    def in_database(self) -> bool:
        """Whether the tables are a database's, or of Spark's catalogue, and not a month's files."""
        named = any(table.table for table in self.tables.values())
        return self.engine.kind == "database" or (self.engine.kind == "spark" and named)

    @property
    def past_features(self) -> tuple[str, ...]:
        """Features that were known before the month of the report."""
        return tuple(name for name in self.features if self.columns[name].window == Window.PAST)

    def of_figures(self) -> dict[str, Any]:
        """Return as plain values what figures may depend on: not who is told, nor what machine."""
        return self.model_dump(mode="json", exclude={"mail": True, "engine": True,
                                                     "gates": {"data_age"}})

    def with_effort(self, effort: Effort) -> Self:
        """Return the same settings for another effort."""
        model = self.model.model_copy(update={"effort": effort})
        return self.model_copy(update={"model": model})

    def for_size(self, customers: int) -> Self:
        """Return the same settings with the search that suits so many customers."""
        return self.model_copy(update={"model": self.model.for_size(customers)})

    def with_columns(self, columns: Mapping[str, Column]) -> Self:
        """Return the same settings over other columns, which must be right already."""
        # A copy would keep what was worked out of the old columns.
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return cast(Self, type(self).model_construct(**fields | {"columns": dict(columns)}))

    def rule(self, text: str) -> Rule:
        """Parse a rule over this store's columns."""
        return parse_rule(text, columns=self.rule_columns)

    @field_validator("segments")
    @classmethod
    def _plain_names(cls, segments: dict[str, Segment]) -> dict[str, Segment]:
        for name in segments:
            if not name.isidentifier():
                raise ValueError(f"{name!r} must be a plain name of letters, digits and _")
        return segments

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        for name, segment in self.segments.items():
            self._check_rule(f"segments.{name}.rule", segment.rule)
        rules = self.recommendations
        self._check_rule("recommendations.focus", rules.focus)
        single = {"promo": rules.promo, "basket": rules.basket, "contacts": rules.contacts}
        if rules.failures is not None:
            single["failures"] = rules.failures
        for key, name in single.items():
            self._check_numbers(f"recommendations.{key}", (name,))
        for key in ("depth", "levels", "falls"):
            self._check_numbers(f"recommendations.{key}", getattr(rules, key))
        for name, total in self.presentation.totals.items():
            self._check_numbers(f"presentation.totals.{name}", total.columns)
        for name in self.presentation.profile:
            if name not in self.columns or self.columns[name].role == Role.IGNORE:
                raise ValueError(f"presentation.profile: unknown column {name!r}")
        return self

    @model_validator(mode="after")
    def _free_names(self) -> Self:
        if taken := RESERVED & set(self.columns):
            raise ValueError(f"columns: {', '.join(sorted(taken))}: the report uses this name "
                             "itself, choose another")
        return self

    def _check_rule(self, key: str, text: str) -> None:
        try:
            self.rule(text)
        except RuleError as error:
            raise ValueError(f"{key}: {error}") from None

    def _check_numbers(self, key: str, names: tuple[str, ...]) -> None:
        numbers = [name for name, column in self.columns.items()
                   if column.role != Role.IGNORE and column.kind == Kind.NUMBER]
        for name in names:
            if name not in numbers:
                raise ValueError(f"{key}: {name!r} is not a number column; "
                                 f"known: {', '.join(numbers)}")


def shipped_text() -> str:
    """Return the text of the contract that ships with the package."""
    return files("reportgen").joinpath(SHIPPED_CONTRACT).read_text(encoding="utf-8")


def find_file(data: Path) -> Path | None:
    """Look for reportgen.toml in a data folder, then in its parent."""
    for folder in (data, data.parent):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


def load(path: Path | None) -> Settings:
    """Read settings from a file, or the shipped contract where there is none.

    Raises
    ------
    ConfigError
        Naming the file, each key at fault and the allowed range.
    """
    if path is None:
        return parse(shipped_text(), name=SHIPPED_CONTRACT)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: cannot be read as UTF-8 text: {error}") from error
    return parse(text, name=path.name)


def parse(text: str, *, name: str = FILE_NAME) -> Settings:
    """Read settings from the text of a reportgen.toml.

    A file that describes tables or columns of its own replaces the shipped ones as a whole; any
    other section is laid over the shipped one key by key.
    """
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not valid TOML: {error}") from error
    try:
        return Settings.model_validate(_over_shipped(own))
    except ValidationError as error:
        raise ConfigError(_explain(error, name)) from error


def _over_shipped(own: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = tomllib.loads(shipped_text())
    if "columns" in own or "tables" in own:
        # Another store: neither this one's name nor its columns may shine through.
        for section in _NAMED_BY_STORE:
            merged.pop(section, None)
    wanted = own.get("recommendations")
    if isinstance(wanted, dict) and "focus" in wanted:
        # Another focus segment needs a name of its own.
        merged.get("recommendations", {}).pop("focus_label", None)
    for section, value in own.items():
        base = merged.get(section)
        merged[section] = {**base, **value} if isinstance(base, dict) and isinstance(
            value, dict) else value
    return merged


def _explain(error: ValidationError, name: str) -> str:
    lines = [f"{name}: {error.error_count()} wrong setting(s)"]
    for fault in error.errors(include_url=False):
        key = ".".join(map(str, fault["loc"]))
        message = fault["msg"].removeprefix("Value error, ")
        given = fault.get("input")
        got = f" (got {given!r})" if isinstance(given, str | int | float) else ""
        if key == "engine.url":
            got = ""            # what was written there may be secret
        unasked = fault["type"] == "extra_forbidden" and key.startswith("mail.")
        if unasked or _SECRET.search(key):
            got = ("; user and password stand in no file, they come from REPORTGEN_SMTP_USER and "
                   "REPORTGEN_SMTP_PASSWORD")
        lines.append(f"  {key + ': ' if key else ''}{message}{got}")
    return "\n".join(lines)
