"""SHAP values against exact oracles."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from samples import demo_sample, small
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from reportgen import attribution
from reportgen.attribution import draw_permutations, sampled, shap_values
from reportgen.estimators import CANDIDATES, calibrated, make_pipeline, probabilities

#: Imported as the program does: plainly, shap warns of what matplotlib deprecates.
shap = attribution._import_shap()

RNG = np.random.default_rng(3)
ROWS, BACKGROUND = RNG.normal(size=(6, 4)), RNG.normal(size=(5, 4))


def exact(predict, row: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Shapley values by going through every order of the columns."""
    values = np.zeros(len(row))
    for order in permutations(range(len(row))):
        masked = background.copy()
        before = predict(masked).mean()
        for column in order:
            masked[:, column] = row[column]
            after = predict(masked).mean()
            values[column] += after - before
            before = after
    return values / factorial(len(row))


def estimates(predict):
    """Both ways to the values, on the same rows."""
    orders = draw_permutations(*ROWS.shape, seed=1)
    return [shap_values(predict, ROWS, BACKGROUND, seed=1),
            sampled(predict, ROWS, BACKGROUND, orders)]


@pytest.mark.parametrize("way", [0, 1])
def test_a_linear_score_is_explained_exactly(way: int) -> None:
    """For f(x) = Σ wⱼ·xⱼ the value of column j is wⱼ·(xⱼ − mean of the background)."""
    weights = np.array([0.5, -1.0, 0.0, 2.0])
    values, base = estimates(lambda masked: masked @ weights)[way]
    np.testing.assert_allclose(values, weights * (ROWS - BACKGROUND.mean(axis=0)), atol=1e-12)
    assert base == pytest.approx(float(BACKGROUND.mean(axis=0) @ weights))


@pytest.mark.parametrize("way", [0, 1])
def test_interactions_in_pairs_are_shared_exactly(way: int) -> None:
    def predict(masked: np.ndarray) -> np.ndarray:
        return masked[:, 0] * masked[:, 1] - 2 * masked[:, 2] * masked[:, 3] + masked[:, 1]

    values, _ = estimates(predict)[way]
    expected = [exact(predict, row, BACKGROUND) for row in ROWS]
    np.testing.assert_allclose(values, expected, atol=1e-12)


def test_the_margin_of_a_logistic_regression_agrees_with_the_linear_explainer() -> None:
    rows = RNG.normal(size=(200, 4))
    model = LogisticRegression().fit(rows, rows[:, 0] - rows[:, 2] + RNG.normal(size=200) > 0)
    values, _ = sampled(model.decision_function, ROWS, BACKGROUND,
                        draw_permutations(*ROWS.shape, seed=2))
    oracle = shap.LinearExplainer(model, shap.maskers.Independent(BACKGROUND, max_samples=5))
    np.testing.assert_allclose(values, oracle.shap_values(ROWS), atol=1e-10)


def test_a_tree_agrees_with_the_tree_explainer() -> None:
    rows = RNG.normal(size=(300, 4))
    fallen = (rows[:, 0] > 0) ^ (rows[:, 1] > 0.5)
    model = DecisionTreeClassifier(max_depth=2, random_state=1).fit(rows, fallen)

    def predict(masked: np.ndarray) -> np.ndarray:
        return model.predict_proba(masked)[:, 1]

    # At depth two at most two columns interact, so one round is exact; the oracle's arithmetic
    # is of single precision.
    values, _ = sampled(predict, ROWS, BACKGROUND, draw_permutations(*ROWS.shape, seed=2))
    oracle = shap.TreeExplainer(model, BACKGROUND, feature_perturbation="interventional",
                                model_output="probability")
    np.testing.assert_allclose(values, oracle.shap_values(ROWS)[:, :, 1], atol=1e-7)


def test_many_rounds_come_close_to_the_exact_values_of_a_kernel() -> None:
    rows = RNG.normal(size=(120, 4))
    model = SVC(gamma=0.3).fit(rows, (rows**2).sum(axis=1) > 4)
    rounds = [sampled(model.decision_function, ROWS, BACKGROUND,
                      draw_permutations(*ROWS.shape, seed=seed))[0] for seed in range(60)]
    expected = [exact(model.decision_function, row, BACKGROUND) for row in ROWS]
    np.testing.assert_allclose(np.mean(rounds, axis=0), expected, atol=0.02)


@pytest.mark.parametrize("backward", [True, False])
def test_values_add_up_to_the_prediction(settings, backward: bool) -> None:
    settings = small(settings)
    sample = demo_sample(settings, customers=300)
    model = calibrated(make_pipeline(CANDIDATES[1], settings), settings)
    model.fit(sample.matrix[sample.train], sample.fallen[sample.train])

    def predict(rows: np.ndarray) -> np.ndarray:
        return probabilities(model, rows)

    rows, background = sample.matrix[sample.test[:20]], sample.matrix[sample.train[:6]]
    values, base = sampled(predict, rows, background, draw_permutations(*rows.shape, seed=3),
                           backward=backward)
    np.testing.assert_allclose(base + values.sum(axis=1), predict(rows), atol=1e-12)
    assert base == pytest.approx(predict(background).mean())


def test_rows_that_do_not_fit_into_one_batch_are_all_explained(monkeypatch) -> None:
    orders = draw_permutations(*ROWS.shape, seed=1)
    whole = sampled(lambda rows: rows.prod(axis=1), ROWS, BACKGROUND, orders)
    monkeypatch.setattr(attribution, "BATCH_ROWS", 100)     # two rows of 9 · 5 questions each
    seen: list[tuple[float, float, str]] = []
    parts = sampled(lambda rows: rows.prod(axis=1), ROWS, BACKGROUND, orders,
                    told=lambda *what: seen.append(what))
    np.testing.assert_array_equal(whole[0], parts[0])
    assert seen == [(start, len(ROWS), "rows") for start in range(0, len(ROWS), 2)]


def test_each_row_gets_an_order_of_all_columns() -> None:
    orders = draw_permutations(50, 7, seed=4)
    assert (np.sort(orders, axis=1) == np.arange(7)).all()
    assert len({tuple(order) for order in orders}) > 40
