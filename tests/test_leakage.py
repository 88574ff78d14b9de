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
from reportgen.folds import TwinFolds
from reportgen.sample import Sample


@pytest.fixture(scope="module")
def sample(settings: Settings) -> Sample:
    return demo_sample(settings, customers=2_400)


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
    folds = TwinFolds(settings.model.folds, seed=settings.model.seed)
    assert values[0] == pytest.approx(np.mean([
        roc_auc_score(sample.fallen[held_out], found.risks[place, held_out])
        for _, held_out in folds.split(sample.matrix, sample.fallen)]))
    # Places inside the folds may be compared between them: pooled, the figure is nearly the same.
    assert values[0] == pytest.approx(roc_auc_score(sample.fallen, found.risks[place]), abs=0.005)


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


def test_a_strong_but_honest_column_passes(sample: Sample, settings: Settings) -> None:
    # Means 1.812 standard deviations apart: Φ(1.812 / √2) = Φ(1.281) = 0.90.
    values = np.random.default_rng(2).normal(1.812 * sample.fallen, 1.0)
    found = leakage.screen(planted(sample, settings, "days_registered", values), settings)
    best = found.leakage.columns[0]
    assert (best.column, best.allowed) == ("days_registered", False)
    assert best.roc_auc.value == pytest.approx(0.90, abs=0.03)


def test_a_derived_column_stands_in_the_table_of_its_source(sample: Sample,
                                                            settings: Settings) -> None:
    spoiled = planted(sample, settings, "minutes_change", noisy_copy(sample.fallen))
    with pytest.raises(DataError) as raised:
        leakage.screen(spoiled, settings)
    problem, = raised.value.problems
    assert (problem.file, problem.column) == ("market_time", "minutes_change")


def test_all_columns_at_fault_are_named_at_once(sample: Sample, settings: Settings) -> None:
    spoiled = planted(sample, settings, "contacts_current", noisy_copy(sample.fallen))
    spoiled = planted(spoiled, settings, "service_errors", noisy_copy(sample.fallen))
    with pytest.raises(DataError) as raised:
        leakage.screen(spoiled, settings)
    assert len(raised.value.problems) == 2


@pytest.mark.parametrize("column", ["days_registered", "popular_category"])
def test_values_that_are_missing_for_the_fallen_only_are_a_leak(
        sample: Sample, settings: Settings, column: str) -> None:
    known = sample.matrix[:, settings.features.index(column)]
    spoiled = planted(sample, settings, column, np.where(sample.fallen, np.nan, known))
    with pytest.raises(DataError) as raised:
        leakage.screen(spoiled, settings)
    assert [problem.column for problem in raised.value.problems] == [
        settings.columns[column].source]


def test_an_unknown_value_of_a_category_has_a_rate_of_its_own() -> None:
    learned = np.repeat([np.nan, 0.0], 20)
    fallen = np.isnan(learned)
    # Ten customers of the average 0.5 are added to each value: 25 of 30, 5 of 30; 3 was never seen.
    risk = leakage._rates(learned, fallen, np.array([np.nan, 0.0, 3.0]))
    assert risk == pytest.approx([25 / 30, 5 / 30, 0.5])


@pytest.mark.parametrize("values", [np.zeros, lambda n: np.full(n, np.nan)])
@pytest.mark.parametrize("name", ["service_errors", "popular_category"])
def test_a_column_without_values_tells_nothing(sample: Sample, settings: Settings, name: str,
                                               values) -> None:
    empty = planted(sample, settings, name, values(len(sample.fallen)))
    found = leakage.screen(empty, settings)
    own = next(column for column in found.leakage.columns if column.column == name)
    assert own.roc_auc.value == 0.5
    # Everyone is in the middle of the fold, however many of the fallen the fold holds.
    assert np.unique(found.risks[settings.features.index(name)]) == pytest.approx([0.5])


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


def test_a_derived_column_reaches_as_far_as_its_sources(settings: Settings) -> None:
    source = settings.columns["minutes_change"].change.of
    late = changed(settings, source, window=Window.FUTURE)
    assert late.columns["minutes_change"].window != Window.FUTURE
    with pytest.raises(DataError) as raised:
        leakage.check_windows(late)
    assert {problem.message.split(":")[0] for problem in raised.value.problems} == {
        f"columns.{source}", "columns.minutes_change"}


def test_allowing_a_strong_column_does_not_allow_a_late_one(settings: Settings) -> None:
    late = changed(settings, "contacts_current", window=Window.FUTURE, leakage_allowed=True)
    with pytest.raises(DataError, match="window"):
        leakage.check_windows(late)


def test_the_shipped_windows_do_not_overlap(settings: Settings) -> None:
    leakage.check_windows(settings)
