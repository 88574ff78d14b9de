"""The four families of models and what the search may vary in each.

The contract's columns come in as a matrix of floats, one column each, in the contract's order: a
number is itself, a category is the position of its value in the contract. Out goes one unfitted
`Pipeline` a family: a `ColumnTransformer` (imputing and scaling of the numbers, one-hot encoding
of the categories), then the model. Everything that learns from data sits inside the pipeline,
so cross-validation refits it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import loguniform, randint
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import pairwise_kernels
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from reportgen.config import Settings

Matrix = NDArray[np.float64]

SCALING = "prepare__numbers__scale"
UNSCALED = "passthrough"

#: Rows whose kernel with the support vectors is held in memory at once (some 40 MB a thousand).
KERNEL_ROWS = 8_192


@dataclass(frozen=True)
class Family:
    """One family of models.

    Attributes
    ----------
    make
        Builds the unfitted model from a seed.
    space
        Values or distributions of the model's parameters, by parameter name.
    scaled
        Whether the numbers are scaled; only a tree may leave them as they are, for distances
        and penalties on unscaled revenue would look at revenue alone.
    """

    name: str
    make: Callable[[int], BaseEstimator]
    space: Mapping[str, Any]
    scaled: bool = True


@dataclass(frozen=True)
class Candidate:
    """A family with parameters: the unfitted pipeline and its scores over the folds.

    ``tried`` counts the candidates of the family that were drawn.
    """

    family: str
    pipeline: Pipeline
    parameters: dict[str, str]
    scaling: str
    tried: int
    cv_mean: float
    cv_sd: float


CANDIDATES: tuple[Family, ...] = (
    Family(
        "decision_tree",
        lambda seed: DecisionTreeClassifier(random_state=seed),
        {
            "criterion": ["gini", "entropy"],
            "max_depth": randint(2, 13),
            "min_samples_leaf": randint(2, 61),
            "ccp_alpha": loguniform(1e-5, 1e-2),
        },
        scaled=False,
    ),
    Family(
        "nearest_neighbours",
        lambda seed: KNeighborsClassifier(),
        {"n_neighbors": randint(5, 61), "weights": ["uniform", "distance"], "p": [1, 2]},
    ),
    Family(
        "logistic_regression",
        lambda seed: LogisticRegression(solver="liblinear", max_iter=1_000, random_state=seed),
        # l1_ratio 1 is the L1 penalty, 0 is L2; `penalty=` is deprecated.
        {"C": loguniform(1e-2, 1e1), "l1_ratio": [0.0, 1.0]},
    ),
    Family(
        "support_vectors",
        # A number, since the blocked evaluation in `probabilities` needs one.
        lambda seed: SVC(gamma=0.05, random_state=seed),
        {
            "kernel": ["rbf", "linear"],
            "C": loguniform(1e-2, 1e1),
            "gamma": loguniform(3e-3, 3e-1),
        },
    ),
)
"""Every family the search may try; settings name those that take part."""


def family_of(pipeline: Pipeline) -> str:
    """Return the name of the family a pipeline belongs to."""
    model = pipeline["model"]
    return next(family.name for family in CANDIDATES if type(family.make(0)) is type(model))


def to_matrix(rows: pa.Table | pa.RecordBatch, settings: Settings) -> Matrix:
    """Turn rows of the table of customers into the matrix that every pipeline takes.

    Returns
    -------
    Matrix of shape (rows, features); unknown numbers are NaN.
    """
    matrix = np.empty((rows.num_rows, len(settings.features)))
    for position, name in enumerate(settings.features):
        values = rows.column(name)
        if name in settings.categories:
            values = pc.index_in(values, pa.array(settings.columns[name].values, pa.string()))
        matrix[:, position] = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return matrix


def make_pipeline(family: Family, settings: Settings) -> Pipeline:
    """Build the unfitted pipeline of a family over the contract's columns."""
    position = {name: place for place, name in enumerate(settings.features)}
    number_steps = Pipeline([
        ("fill", SimpleImputer(strategy="median")),
        ("scale", StandardScaler() if family.scaled else UNSCALED),
    ])
    # The contract knows every value, so a fold that lacks a rare one has the same columns.
    values = [np.arange(len(settings.columns[name].values), dtype=float)
              for name in settings.categories]
    encoder = OneHotEncoder(categories=values, handle_unknown="ignore", sparse_output=False)
    prepare = ColumnTransformer([
        ("numbers", number_steps, [position[name] for name in settings.numbers]),
        ("categories", encoder, [position[name] for name in settings.categories]),
    ])
    return Pipeline([("prepare", prepare), ("model", family.make(settings.model.seed))])


def search_space(family: Family, settings: Settings) -> dict[str, Any]:
    """Return what the search varies: the model, its parameters, the scaling of the numbers."""
    scalings: list[Any] = [StandardScaler(), MinMaxScaler(), RobustScaler()]
    space = {f"model__{name}": values for name, values in family.space.items()}
    return {
        "model": [family.make(settings.model.seed)],
        SCALING: scalings if family.scaled else [UNSCALED],
        **space,
    }


def calibrated(pipeline: Pipeline, settings: Settings) -> CalibratedClassifierCV:
    """Wrap a pipeline so that its scores become probabilities (Platt, 1999).

    The sigmoid is fitted on out-of-fold scores and the pipeline then refitted on all rows, so
    the order of the customers, and with it ROC-AUC, is the pipeline's own.
    """
    folds = StratifiedKFold(settings.model.folds, shuffle=True, random_state=settings.model.seed)
    return CalibratedClassifierCV(pipeline, method="sigmoid", cv=folds, ensemble=False)


def probabilities(model: CalibratedClassifierCV, matrix: Matrix) -> Matrix:
    """Return the calibrated probability of the positive class, shape (rows,).

    Equal to ``model.predict_proba(matrix)[:, 1]``, but a support vector machine is evaluated as
    blocked matrix products, some fifteen times faster than libsvm's own loop.
    """
    fitted = model.calibrated_classifiers_[0]
    pipeline, calibrator = fitted.estimator, fitted.calibrators[0]
    if not isinstance(pipeline["model"], SVC):
        return np.asarray(model.predict_proba(matrix)[:, 1])
    prepared = pipeline["prepare"].transform(matrix)
    scores = [_kernel_decision(pipeline["model"], prepared[start : start + KERNEL_ROWS])
              for start in range(0, len(prepared), KERNEL_ROWS)]
    return np.asarray(calibrator.predict(np.concatenate(scores)))


def _kernel_decision(model: SVC, rows: Matrix) -> Matrix:
    gamma = {} if model.kernel == "linear" else {"gamma": model.gamma}
    kernel = pairwise_kernels(rows, model.support_vectors_, metric=model.kernel, **gamma)
    return np.asarray(kernel @ model.dual_coef_[0] + model.intercept_[0])
