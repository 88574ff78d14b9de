"""A model comes back from disk as it was, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skops.io
from samples import demo_sample, small

from reportgen import risk_model, scoring
from reportgen.contract import Unit
from reportgen.errors import StorageError
from reportgen.estimators import CANDIDATES, make_pipeline
from reportgen.metrics import Recalibration, Sigmoid
from reportgen.risk_model import RiskModel


@pytest.fixture(scope="module")
def sample(settings):
    return demo_sample(settings, customers=400)


@pytest.fixture(scope="module")
def fitted(settings, sample) -> RiskModel:
    pipeline = make_pipeline(CANDIDATES[2], settings)
    return scoring.fit_scorer(pipeline, sample, small(settings)).final


@pytest.fixture
def stored(settings, fitted, tmp_path) -> Path:
    path = tmp_path / "model.skops"
    risk_model.save(fitted, settings, trained="2026-08", path=path)
    return path


def test_a_stored_model_scores_as_before(settings, sample, fitted, stored):
    found = risk_model.load(stored, settings)
    assert (found.trained, found.family) == ("2026-08", CANDIDATES[2].name)
    np.testing.assert_array_equal(found.risk_model.risk(sample.matrix), fitted.risk(sample.matrix))


def test_its_correction_comes_back_too(settings, sample, fitted, tmp_path):
    corrected = RiskModel(fitted.model, fitted.held_out, Recalibration(Sigmoid(0.3, 0.7)))
    path = tmp_path / "model.skops"
    risk_model.save(corrected, settings, trained="2026-08", path=path)
    np.testing.assert_array_equal(risk_model.load(path, settings).risk_model.risk(sample.matrix),
                                  corrected.risk(sample.matrix))


def test_a_model_of_other_columns_is_refused(settings, stored):
    fewer = settings.with_columns({name: column for name, column in settings.columns.items()
                                   if name != "promo_share"})
    with pytest.raises(StorageError, match="trained on other columns"):
        risk_model.load(stored, fewer)


def test_a_model_of_a_column_in_another_unit_is_refused(settings, stored):
    minutes = settings.columns["minutes_current"].model_copy(update={"unit": Unit.DAYS})
    other = settings.with_columns({**settings.columns, "minutes_current": minutes})
    with pytest.raises(StorageError, match="trained on other columns"):
        risk_model.load(stored, other)


def test_a_missing_model_says_what_to_do(settings, tmp_path):
    with pytest.raises(StorageError, match=r"is missing .* leave --model out"):
        risk_model.load(tmp_path / "model.skops", settings)


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_a_damaged_model_is_refused(settings, stored, keep):
    content = stored.read_bytes()
    stored.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(StorageError, match="is damaged"):
        risk_model.load(stored, settings)


def test_a_file_that_holds_something_else_is_refused(settings, tmp_path):
    path = tmp_path / "model.skops"
    skops.io.dump({"columns": risk_model._columns(settings)}, path)
    with pytest.raises(StorageError, match="holds no model"):
        risk_model.load(path, settings)
    skops.io.dump([1, 2], path)
    with pytest.raises(StorageError, match="other columns"):
        risk_model.load(path, settings)


def test_a_type_that_no_model_needs_is_never_loaded(settings, fitted, tmp_path):
    path = tmp_path / "model.skops"
    skops.io.dump({"model": Path("x"), "columns": {}, "recalibration": [], "trained": "x"}, path)
    with pytest.raises(StorageError, match=r"holds pathlib"):
        risk_model.load(path, settings)
