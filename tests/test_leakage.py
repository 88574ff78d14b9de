"""Columns that give the answer away stop the run; honest ones pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import demo_sample
from sklearn.metrics import roc_auc_score

from reportgen import leakage
from reportgen.config import Settings
from reportgen.contract import Window
from reportgen.errors import DataError
from reportgen.sample import Sample


@pytest.fixture(scope="module")
def sample(settings: Settings) -> Sample:
    return demo_sample(settings, customers=600)


def planted(sample: Sample, settings: Settings, column: str, values: np.ndarray) -> Sample:
    matrix = sample.matrix.copy()
    matrix[:, settings.features.index(column)] = values
    return replace(sample, matrix=matrix)


def changed(settings: Settings, column: str, **changes: object) -> Settings:
    columns = dict(settings.columns)
    columns[column] = columns[column].model_copy(update=changes)
    return settings.model_copy(update={"columns": columns})


def test_honest_columns_pass_and_are_ranked(sample: Sample, settings: Settings) -> None:
    found = leakage.screen(sample, settings)
    values = [column.roc_auc.value for column in found.leakage.columns]
    assert values == sorted(values, reverse=True)
    assert len(values) == len(settings.features)
    # In the linear world pages and minutes alone reach 0.80 and 0.79.
    best = found.leakage.columns[0].column
    assert best in ("pages_per_visit", "minutes_current")
    assert values[0] == pytest.approx(0.80, abs=0.05)
    place = settings.features.index(best)
    assert values[0] == pytest.approx(roc_auc_score(sample.fallen, found.risks[place]))


def noisy_copy(fallen: np.ndarray) -> np.ndarray:
    """The class as a number, wrong for one customer in fifty."""
    wrong = np.random.default_rng(1).random(len(fallen)) < 0.02
    return (fallen ^ wrong).astype(float)


@pytest.mark.parametrize(("column", "plant"), [
    ("contacts_current", noisy_copy),
    # Both ends of the column fall, the middle does not.
    ("days_registered", lambda fallen: np.where(
        fallen, np.where(np.arange(len(fallen)) % 2, 10.0, 900.0), 400.0)),
    # One value of a category is the class.
    ("popular_category", lambda fallen: np.where(fallen, 2.0, 4.0)),
])
def test_a_planted_copy_of_the_class_stops_the_run(
        sample: Sample, settings: Settings, column: str, plant) -> None:
    spoiled = planted(sample, settings, column, plant(sample.fallen))
    with pytest.raises(DataError) as raised:
        leakage.screen(spoiled, settings)
    problem, = raised.value.problems
    assert (problem.code, problem.column) == ("leakage", settings.columns[column].source)
    assert problem.file == "market_file"
    assert f"columns.{column}" in problem.message
    assert "leakage_allowed" in problem.message
    assert raised.value.exit_code == 3


def test_a_column_that_the_contract_allows_passes(sample: Sample, settings: Settings) -> None:
    spoiled = planted(sample, settings, "contacts_current", noisy_copy(sample.fallen))
    allowed = changed(settings, "contacts_current", leakage_allowed=True)
    first = leakage.screen(spoiled, allowed).leakage.columns[0]
    assert (first.column, first.allowed) == ("contacts_current", True)
    assert first.roc_auc.value > 0.95


def test_the_limit_is_a_setting(sample: Sample, settings: Settings) -> None:
    gates = settings.gates.model_copy(update={"leakage": 0.7})
    with pytest.raises(DataError, match="limit 0.7"):
        leakage.screen(sample, settings.model_copy(update={"gates": gates}))


@pytest.mark.parametrize("values", [np.zeros, lambda n: np.full(n, np.nan)])
def test_a_column_without_values_tells_nothing(sample: Sample, settings: Settings, values) -> None:
    empty = planted(sample, settings, "service_errors", values(len(sample.fallen)))
    found = next(column for column in leakage.screen(empty, settings).leakage.columns
                 if column.column == "service_errors")
    assert found.roc_auc.value == pytest.approx(0.5, abs=0.03)


def test_twins_are_counted(sample: Sample, settings: Settings) -> None:
    matrix = sample.matrix.copy()
    matrix[[3, 8]] = matrix[1]
    assert leakage.screen(replace(sample, matrix=matrix), settings).leakage.twins == 3


@pytest.mark.parametrize(("target", "feature", "refused"), [
    ("future", "future", True), ("future", "same_month", False), ("future", "unknown", False),
    ("same_month", "future", True), ("same_month", "same_month", False),
    ("past", "same_month", True), ("past", "past", False), ("unknown", "future", True),
])
def test_a_window_that_reaches_into_that_of_the_class_is_refused(
        settings: Settings, target: str, feature: str, refused: bool) -> None:
    told = settings
    for name in settings.features:
        told = changed(told, name, window=Window.PAST)
    told = changed(changed(told, "activity", window=Window(target)),
                   "minutes_change", window=Window(feature))
    if not refused:
        leakage.check_windows(told)
        return
    with pytest.raises(DataError, match="window") as raised:
        leakage.check_windows(told)
    # A derived column stands in the table of its source.
    assert [(problem.code, problem.file, problem.column) for problem in raised.value.problems] == [
        ("window", "market_time", "minutes_change")]


def test_the_shipped_windows_do_not_overlap(settings: Settings) -> None:
    leakage.check_windows(settings)
