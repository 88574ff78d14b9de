"""Which model recognises the fallen best: one randomized search over all families.

The sample comes in. Out goes the best `Candidate` of each family, unfitted, with its scores over
the folds; the first of them is the winner.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline

from reportgen.config import Settings
from reportgen.estimators import (
    CANDIDATES,
    SCALING,
    Candidate,
    family_of,
    make_pipeline,
    search_space,
)
from reportgen.sample import Sample


def search(sample: Sample, settings: Settings) -> tuple[Candidate, ...]:
    """Run the randomized search on the training part.

    Every candidate is a family, its parameters and a scaling, drawn at random; it is scored by
    the mean ROC-AUC over stratified folds.

    Returns
    -------
    The best candidate of each family that was drawn, best first: the first is the winner.
    """
    chosen = [family for family in CANDIDATES if family.name in settings.model.families]
    folds = StratifiedKFold(settings.model.folds, shuffle=True, random_state=settings.model.seed)
    found = RandomizedSearchCV(
        make_pipeline(chosen[0], settings),
        [search_space(family, settings) for family in chosen],
        n_iter=settings.model.candidates, scoring="roc_auc", cv=folds, refit=False,
        random_state=settings.model.seed, n_jobs=settings.model.workers or -1,
        error_score="raise",
    ).fit(sample.matrix[sample.train], sample.fallen[sample.train])
    return _select(found, make_pipeline(chosen[0], settings))


def _select(found: RandomizedSearchCV, template: Pipeline) -> tuple[Candidate, ...]:
    """Keep the best candidate of each family."""
    results = found.cv_results_
    names = [family_of(clone(template).set_params(**p)) for p in results["params"]]
    best: dict[str, int] = {}
    # Stable: of equal candidates the one drawn first wins.
    for place in np.argsort(-results["mean_test_score"], kind="stable"):
        best.setdefault(names[place], int(place))
    return tuple(
        _candidate(results, place, name, names.count(name), template)
        for name, place in best.items()
    )


def _candidate(
    results: dict[str, Any], place: int, family: str, tried: int, template: Pipeline
) -> Candidate:
    chosen = results["params"][place]
    model = {name.removeprefix("model__"): value
             for name, value in chosen.items() if name.startswith("model__")}
    scaling = chosen[SCALING]
    return Candidate(
        family=family,
        pipeline=clone(template).set_params(**chosen),
        parameters={name: _plain(value) for name, value in sorted(model.items())},
        scaling=scaling if isinstance(scaling, str) else type(scaling).__name__,
        tried=tried,
        cv_mean=float(results["mean_test_score"][place]),
        cv_sd=float(results["std_test_score"][place]),
    )


def _plain(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
