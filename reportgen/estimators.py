"""The families of models and what the search may vary in each.

The contract's columns come in as a matrix of floats, one column each, in the contract's order: a
number is itself, a category is the position of its value in the contract. Out goes one unfitted
`Pipeline` a family: a `ColumnTransformer` (imputing and scaling of the numbers, one-hot encoding
of the categories), then the model. Everything that learns from data sits inside the pipeline,
so cross-validation refits it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
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
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from reportgen.config import Settings
from reportgen.errors import ConfigError
from reportgen.folds import TwinFolds
from reportgen.sections import ModelSearch

Matrix = NDArray[np.float64]

SCALING = "prepare__numbers__scale"
UNSCALED = "passthrough"

#: Neighbours that are asked; in small samples at most half of the rows that are learned from, for
#: with all of them everybody is alike.
FEWEST_NEIGHBOURS, MOST_NEIGHBOURS = 5, 60

#: Rows whose kernel with the support vectors is held at once: a megabyte for hundreds of vectors.
KERNEL_ROWS = 256


def _thinned(rows: Matrix, classes: NDArray[Any], most_rows: int,
             seed: int | None) -> tuple[Matrix, NDArray[Any]]:
    """Draw so many rows that keep the shares of the classes, or all where there are no more."""
    if len(rows) <= most_rows:
        return rows, classes
    kept, _ = train_test_split(np.arange(len(rows)), train_size=most_rows, stratify=classes,
                               random_state=seed)
    kept.sort()
    return rows[kept], classes[kept]


class CappedNeighbours(KNeighborsClassifier):  # type: ignore[misc]
    """Nearest neighbours among at most so many rows: each answer costs a look at all of them."""

    def __init__(self, n_neighbors: int = 5, *, weights: str = "uniform", p: float = 2,
                 most_rows: int = 5_000, seed: int | None = None) -> None:
        super().__init__(n_neighbors=n_neighbors, weights=weights, p=p)
        self.most_rows, self.seed = most_rows, seed

    def fit(self, X: Matrix, y: NDArray[Any]) -> CappedNeighbours:  # noqa: N803 - scikit-learn's
        """Keep the rows, or a stratified draw of them."""
        super().fit(*_thinned(X, y, self.most_rows, self.seed))
        return self


class CappedVectors(SVC):  # type: ignore[misc]
    """Support vectors of at most so many rows: fitting takes time by the square of their number."""

    def __init__(self, *, C: float = 1.0, kernel: str = "rbf", gamma: float | str = "scale",  # noqa: N803
                 random_state: int | None = None, most_rows: int = 5_000) -> None:
        super().__init__(C=C, kernel=kernel, gamma=gamma, random_state=random_state)
        self.most_rows = most_rows

    def fit(self, X: Matrix, y: NDArray[Any]) -> CappedVectors:  # noqa: N803 - scikit-learn's
        """Fit on the rows, or on a stratified draw of them."""
        super().fit(*_thinned(X, y, self.most_rows, self.random_state))
        return self


@dataclass(frozen=True)
class Family:
    """One family of models.

    Attributes
    ----------
    make
        Builds the unfitted model from the settings of the search.
    space
        Values or distributions of the model's parameters, by parameter name.
    size
        How complex a model with the parameters given is, comparable inside the family only.
    scaled
        Whether the numbers are scaled; only trees may leave them as they are, for distances
        and penalties on unscaled revenue would look at revenue alone.
    """

    name: str
    make: Callable[[ModelSearch], BaseEstimator]
    space: Mapping[str, Any]
    size: Callable[[Mapping[str, Any]], tuple[float, ...]]
    scaled: bool = True


@dataclass(frozen=True)
class Candidate:
    """A family with parameters: the unfitted pipeline and its ROC-AUC on each fold.

    ``tried`` counts the candidates of the family that were drawn.
    """

    family: str
    pipeline: Pipeline
    parameters: dict[str, str]
    scaling: str
    tried: int
    fold_scores: tuple[float, ...]

    @property
    def cv_mean(self) -> float:
        """Mean ROC-AUC over the folds."""
        return float(np.mean(self.fold_scores))


CANDIDATES: tuple[Family, ...] = (
    Family(
        "decision_tree",
        lambda search: DecisionTreeClassifier(random_state=search.seed),
        {
            "criterion": ["gini", "entropy"],
            "max_depth": randint(2, 13),
            "min_samples_leaf": randint(2, 61),
            "ccp_alpha": loguniform(1e-5, 1e-2),
        },
        lambda chosen: (chosen["max_depth"], -chosen["min_samples_leaf"]),
        scaled=False,
    ),
    Family(
        "nearest_neighbours",
        lambda search: CappedNeighbours(most_rows=search.slow_sample, seed=search.seed),
        {
            "n_neighbors": randint(FEWEST_NEIGHBOURS, MOST_NEIGHBOURS + 1),
            "weights": ["uniform", "distance"],
            "p": [1, 2],
        },
        lambda chosen: (-chosen["n_neighbors"],),
    ),
    Family(
        "logistic_regression",
        lambda search: LogisticRegression(
            solver="liblinear", max_iter=1_000, random_state=search.seed),
        # l1_ratio 1 is the L1 penalty, 0 is L2; `penalty=` is deprecated.
        {"C": loguniform(1e-2, 1e1), "l1_ratio": [0.0, 1.0]},
        lambda chosen: (chosen["C"],),
    ),
    Family(
        "support_vectors",
        # A number, since the blocked evaluation in `probabilities` needs one.
        lambda search: CappedVectors(
            gamma=0.05, random_state=search.seed, most_rows=search.slow_sample),
        {
            "kernel": ["rbf", "linear"],
            "C": loguniform(1e-2, 1e1),
            "gamma": loguniform(3e-3, 3e-1),
        },
        lambda chosen: (chosen["kernel"] == "rbf", chosen["C"] * chosen["gamma"]),
    ),
    Family(
        "extra_trees",
        lambda search: ExtraTreesClassifier(random_state=search.seed, n_jobs=1),
        {
            "n_estimators": [200],
            "max_features": ["sqrt", 0.5, 1.0],
            "min_samples_leaf": randint(1, 21),
        },
        lambda chosen: (-chosen["min_samples_leaf"],),
        scaled=False,
    ),
    Family(
        "gradient_boosting",
        lambda search: HistGradientBoostingClassifier(
            random_state=search.seed, early_stopping=False),
        {
            "learning_rate": loguniform(2e-2, 3e-1),
            "max_iter": randint(30, 201),
            "max_leaf_nodes": randint(3, 17),
            "l2_regularization": loguniform(1e-3, 1e1),
        },
        lambda chosen: (chosen["max_iter"] * chosen["max_leaf_nodes"], chosen["learning_rate"]),
        scaled=False,
    ),
)
"""Every family the search may try; settings name those that take part."""

#: From the family that is easiest to tell a reader to the hardest: a weight a column, questions in
#: a row, the most similar customers, a surface, hundreds of trees, trees upon trees.
COMPLEXITY = ("logistic_regression", "decision_tree", "nearest_neighbours", "support_vectors",
              "extra_trees", "gradient_boosting")


def families(settings: Settings) -> tuple[Family, ...]:
    """Return the families that take part in the search.

    Raises
    ------
    ConfigError
        Where the settings name a family that does not exist.
    """
    known = {family.name: family for family in CANDIDATES}
    if unknown := [name for name in settings.model.families if name not in known]:
        raise ConfigError(f"model.families: unknown {', '.join(map(repr, unknown))}; "
                          f"known: {', '.join(known)}")
    if not settings.model.families:
        raise ConfigError(f"model.families: name at least one of {', '.join(known)}")
    return tuple(family for family in CANDIDATES if family.name in settings.model.families)


def family_of(pipeline: Pipeline) -> str:
    """Return the name of the family a pipeline belongs to."""
    model = pipeline["model"]
    return next(family.name for family in CANDIDATES
                if isinstance(family.make(ModelSearch()), type(model)))


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


def make_pipeline(family: Family, settings: Settings, *,
                  columns: Collection[str] | None = None) -> Pipeline:
    """Build the unfitted pipeline of a family over the contract's features, or some of them.

    Whichever columns it looks at, the pipeline takes the whole matrix.
    """
    chosen = settings.features if columns is None else columns
    numbers = [name for name in settings.numbers if name in chosen]
    categories = [name for name in settings.categories if name in chosen]
    position = {name: place for place, name in enumerate(settings.features)}
    number_steps = Pipeline([
        ("fill", SimpleImputer(strategy="median")),
        ("scale", StandardScaler() if family.scaled else UNSCALED),
    ])
    # The contract knows every value, so a fold that lacks a rare one has the same columns.
    values = [np.arange(len(settings.columns[name].values), dtype=float)
              for name in categories]
    encoder = OneHotEncoder(categories=values, handle_unknown="ignore", sparse_output=False)
    prepare = ColumnTransformer([
        ("numbers", number_steps, [position[name] for name in numbers]),
        ("categories", encoder, [position[name] for name in categories]),
    ])
    return Pipeline([("prepare", prepare), ("model", family.make(settings.model))])


def search_space(family: Family, settings: Settings, *, rows: int | None = None) -> dict[str, Any]:
    """Return what the search varies: the model, its parameters, the scaling of the numbers.

    ``rows`` is the fewest that a model will learn from, None where they are plenty.
    """
    scalings: list[Any] = [StandardScaler(), MinMaxScaler(), RobustScaler()]
    space = {f"model__{name}": values for name, values in family.space.items()}
    if rows is not None and "n_neighbors" in family.space:
        most = max(FEWEST_NEIGHBOURS, min(MOST_NEIGHBOURS, rows // 2))
        space["model__n_neighbors"] = randint(FEWEST_NEIGHBOURS, most + 1)
    return {
        "model": [family.make(settings.model)],
        SCALING: scalings if family.scaled else [UNSCALED],
        **space,
    }


def calibrated(pipeline: Pipeline, settings: Settings) -> CalibratedClassifierCV:
    """Wrap a pipeline so that its scores become probabilities (Platt, 1999).

    The sigmoid is fitted on out-of-fold scores and the pipeline then refitted on all rows, so
    the order of the customers, and with it ROC-AUC, is the pipeline's own.
    """
    folds = TwinFolds(settings.model.folds, seed=settings.model.seed)
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
    return np.asarray(calibrator.predict(
        kernel_decision(pipeline["model"], pipeline["prepare"].transform(matrix))))


def kernel_decision(model: SVC, rows: Matrix) -> Matrix:
    """Return the margin of prepared rows by matrix products, as libsvm's own loop would.

    A block of rows at a time, so that its kernel stays in the processor's cache: with γ the RBF
    kernel is exp(2γ·x·s − γ·|x|² − γ·|s|²). Rows of single precision are worked on in it, which is
    twice as fast and right to six digits.
    """
    support = model.support_vectors_.astype(rows.dtype, copy=False)
    weights = model.dual_coef_[0].astype(rows.dtype, copy=False)
    if model.kernel == "linear":
        return np.asarray(rows @ (weights @ support) + model.intercept_[0])
    scaled = 2 * model.gamma * support.T
    support_norms = model.gamma * (support**2).sum(axis=1)
    margins = np.empty(len(rows), dtype=rows.dtype)
    for start in range(0, len(rows), KERNEL_ROWS):
        block = rows[start : start + KERNEL_ROWS]
        kernel = block @ scaled
        kernel -= support_norms
        kernel -= model.gamma * (block**2).sum(axis=1)[:, None]
        np.exp(kernel, out=kernel)
        margins[start : start + len(block)] = kernel @ weights
    return margins + float(model.intercept_[0])
