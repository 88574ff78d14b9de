"""A fitted model whose probabilities are the risks of the report, and its way to disk and back.

It is stored by skops, never as a pickle: a file that was tampered with cannot run code.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from reportgen.config import Settings
from reportgen.errors import StorageError
from reportgen.estimators import Matrix, family_of, probabilities
from reportgen.metrics import Recalibration, Sigmoid
from reportgen.sample import Indices

#: Packages whose types a stored model may be made of.
_TRUSTED = ("sklearn.", "numpy.", "scipy.", "reportgen.folds.", "reportgen.estimators.")


@dataclass(frozen=True)
class RiskModel:
    """A fitted model whose probabilities are the risks of the report.

    Attributes
    ----------
    held_out
        Customers of the sample that the model did not learn from; none for the final model.
    recalibration
        Correction of its probabilities, None where none is needed.
    """

    model: CalibratedClassifierCV
    held_out: Indices
    recalibration: Recalibration | None = None

    def risk(self, rows: Matrix) -> Matrix:
        """Return the risk of rows of features, shape (rows,)."""
        plain = probabilities(self.model, rows)
        return plain if self.recalibration is None else self.recalibration.apply(plain)


@dataclass(frozen=True)
class Stored:
    """A model that was stored, and the month whose customers it learned from."""

    trained: str
    risk_model: RiskModel

    @property
    def pipeline(self) -> Pipeline:
        """The fitted pipeline inside, with the winner's parameters."""
        return self.risk_model.model.calibrated_classifiers_[0].estimator

    @property
    def family(self) -> str:
        """Name of the family it belongs to."""
        return family_of(self.pipeline)


def save(model: RiskModel, settings: Settings, *, trained: str, path: Path) -> None:
    """Store a fitted model with the columns it takes and the month it learned from."""
    import skops.io

    # How it was split while it was fitted is no part of a model that predicts.
    kept = copy(model.model)
    kept.cv = None
    correction = ([] if model.recalibration is None
                  else [model.recalibration.sigmoid.intercept, model.recalibration.sigmoid.slope])
    skops.io.dump({"model": kept, "columns": _columns(settings), "recalibration": correction,
                   "trained": trained}, path)


def load(path: Path, settings: Settings) -> Stored:
    """Read a stored model back.

    Raises
    ------
    StorageError
        Where there is none, it is damaged, holds what a model of this program cannot, or takes
        other columns than the settings have.
    """
    remedy = "run that month again, or leave --model out to train anew"
    if not path.is_file():
        raise StorageError(f"{path} is missing (a month whose model was withheld has none); "
                           f"{remedy}")
    stored = _read(path, remedy)
    if stored.get("columns") != _columns(settings):
        raise StorageError(f"{path} was trained on other columns than reportgen.toml has now; "
                           f"{remedy}")
    try:
        correction = stored["recalibration"]
        nobody = np.array([], dtype=np.intp)
        return Stored(str(stored["trained"]), RiskModel(
            stored["model"], nobody, Recalibration(Sigmoid(*correction)) if correction else None))
    except (KeyError, TypeError) as error:
        raise StorageError(f"{path} holds no model of this program ({error}); {remedy}") from error


def _read(path: Path, remedy: str) -> dict[str, Any]:
    import skops.io

    try:
        unknown = skops.io.get_untrusted_types(file=path)
        if foreign := [name for name in unknown if not name.startswith(_TRUSTED)]:
            raise StorageError(f"{path} holds {foreign[0]}, which no model of this program does; "
                               f"{remedy}")
        found = skops.io.load(path, trusted=unknown)
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - skops raises whatever a damaged file makes it meet
        raise StorageError(f"{path} is damaged ({type(error).__name__}); {remedy}") from error
    return found if isinstance(found, dict) else {}


def _columns(settings: Settings) -> dict[str, list[str]]:
    """Describe what a model takes: each feature with what its values mean."""
    return {name: [column.kind.value, column.unit.value, column.window.value, *column.values]
            for name in settings.features for column in [settings.columns[name]]}
