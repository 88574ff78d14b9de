"""Whether the model is proven useful, or must be withheld.

Risks of customers that the judged models never saw, their classes and what every column alone says
come in; a `Gate` goes out. It opens only where the model beats chance, a floor and the best single
column beyond doubt. Nothing here is a sentence: the report says what the gate found.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from reportgen import delong, intervals
from reportgen.config import Settings
from reportgen.estimators import Matrix
from reportgen.metrics import FLOOR
from reportgen.results import Estimate, Gate, GateReason, SampleSize
from reportgen.sample import Judged, Sample

#: Permutations of the classes, and the share of them that may do as well by chance.
PERMUTATIONS, SIGNIFICANCE = 2_000, 0.01

#: Riley's criteria: least shrinkage factor, most optimism in R², most error of the mean risk.
SHRINKAGE, OPTIMISM, MEAN_ERROR = 0.9, 0.05, 0.05

#: Standard errors of a 95 % interval.
NORMAL = 1.96

#: Least R² that the criteria are worked out for; below it no number of customers is enough.
LEAST_R_SQUARED = 1e-3

#: Risks nearer to 0 or 1 count as this in the likelihood.
NEAREST = 1e-6


def judge(sample: Sample, judged: Judged, single: Matrix, settings: Settings) -> Gate:
    """Judge a model by risks that it gave customers it never saw.

    Parameters
    ----------
    sample
        The customers and their classes.
    judged
        Risks of customers that their models never saw. Repeats of a cross-validation are judged
        by their mean figures, the permutations by the first.
    single
        Out-of-fold risk of each feature alone over the whole sample, shape (features, customers),
        comparable between folds (see `leakage.Screening`).

    Notes
    -----
    The gate closes where the permutation test's p lies above `SIGNIFICANCE` ("permutation"), the
    lower bound of the ROC-AUC at or below `FLOOR` ("floor"), or the paired difference from the
    best single column does not lie above zero ("baseline"). The difference is paired, for both
    are asked about the same customers: comparing the bound with the column's own value would
    call the customers' chance the model's. A model that found nothing but one column is withheld
    on purpose: whoever has the column needs no model.

    The columns are judged in the parts of the model's risks, so that the best column's ROC-AUC and
    the difference add up to the model's. On risks of a cross-validation the permutation test is
    too lenient, for the models of its parts share their customers: without any signal p was at
    most 0.01 in 22 of 400 made-up stores instead of 4 (permuting inside the parts does no
    better). The floor refused all 400, so the test never opens the gate by itself.
    """
    fallen, risks = sample.fallen[judged.positions], judged.risks
    alone = single[:, judged.positions]
    score = intervals.averaged([delong.roc_auc(fallen, risk, parts=parts)
                                for risk, parts in zip(risks, judged.parts, strict=True)])
    p_value = permutation_p_value(fallen, risks[0], seed=settings.model.seed)
    columns = [
        intervals.averaged([delong.roc_auc(fallen, one, parts=parts) for parts in judged.parts])
        for one in alone
    ]
    best = int(np.argmax([column.value for column in columns]))
    gain = intervals.averaged([
        delong.difference(fallen, risk, alone[best], parts=parts)
        for risk, parts in zip(risks, judged.parts, strict=True)
    ])
    reasons: dict[GateReason, bool] = {
        "permutation": p_value > SIGNIFICANCE,
        "floor": score.low <= FLOOR,
        "baseline": gain.low <= 0,
    }
    closed_by = tuple(reason for reason, holds in reasons.items() if holds)
    share = intervals.wilson(int(fallen.sum()), len(fallen))
    constant = float(fallen.mean())
    return Gate(
        open=not closed_by,
        closed_by=closed_by,
        estimand=judged.estimand,
        roc_auc=score,
        floor=FLOOR,
        permutations=PERMUTATIONS,
        p_value=p_value,
        significance=SIGNIFICANCE,
        column=settings.features[best],
        column_roc_auc=columns[best],
        gain=gain,
        constant_roc_auc=0.5,
        constant_f1=intervals.through(share, lambda p: 2 * p / (1 + p)),
        constant_brier=_constant_brier(share),
        brier_gain=intervals.mean_difference(
            (constant - fallen) ** 2, ((risks - fallen) ** 2).mean(axis=0)),
        sample_size=sample_size(fallen, risks[0], parameters=_parameters(settings),
                                customers=len(sample.fallen)),
    )


def _constant_brier(share: Estimate) -> Estimate:
    """Brier score p(1 − p) of promising everyone the share p; it is largest at one half."""
    ends = [p * (1 - p) for p in (share.low, share.high)]
    high = 0.25 if share.low <= 0.5 <= share.high else max(ends)
    return Estimate(share.value * (1 - share.value), min(ends), high, share.n)


def permutation_p_value(fallen: NDArray[np.bool_], risk: Matrix, *, seed: int) -> float:
    """Share of permutations of the classes whose ROC-AUC is as high, the observed one included.

    References
    ----------
    Ojala and Garriga (2010), Permutation tests for studying classifier performance. JMLR 11.
    """
    ranks = rankdata(risk)
    observed = ranks[fallen].sum()
    count = int(fallen.sum())
    rng = np.random.default_rng(seed)
    shuffled = np.array([
        rng.permutation(ranks)[:count].sum() for _ in range(PERMUTATIONS)
    ])
    return float((1 + (shuffled >= observed).sum()) / (1 + PERMUTATIONS))


def sample_size(fallen: NDArray[np.bool_], risk: Matrix, *, parameters: int,
                customers: int) -> SampleSize:
    """Work out how many customers a model of so many parameters needs.

    References
    ----------
    Riley et al. (2019), Minimum sample size for developing a multivariable prediction model: part
    II. Statistics in Medicine 38; R² is Cox and Snell's.
    """
    share = float(fallen.mean())
    found = cox_snell(fallen, risk)
    r_squared = max(found, LEAST_R_SQUARED)
    largest = 1 - math.exp(2 * _log_likelihood(fallen, np.full(len(fallen), share)))
    shrinkage = _needed(parameters, r_squared, SHRINKAGE)
    optimism = _needed(parameters, r_squared, r_squared / (r_squared + OPTIMISM * largest))
    mean_risk = math.ceil((NORMAL / MEAN_ERROR) ** 2 * share * (1 - share))
    required = max(shrinkage, optimism, mean_risk)
    return SampleSize(
        parameters=parameters, customers=customers, fallen=int(round(share * customers)),
        r_squared=found, shrinkage=shrinkage, optimism=optimism, mean_risk=mean_risk,
        required=required, enough=found >= LEAST_R_SQUARED and customers >= required,
    )


def cox_snell(fallen: NDArray[np.bool_], risk: Matrix) -> float:
    """R² of Cox and Snell: 1 − exp(−2·(mean log-likelihood less that of a constant risk))."""
    constant = np.full(len(fallen), fallen.mean())
    gained = _log_likelihood(fallen, risk) - _log_likelihood(fallen, constant)
    return 1 - math.exp(-2 * gained)


def _needed(parameters: int, r_squared: float, shrinkage: float) -> int:
    """Count the customers with whom the expected shrinkage is as given (Riley, equation 11)."""
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - r_squared / shrinkage)))


def _log_likelihood(fallen: NDArray[np.bool_], risk: Matrix) -> float:
    """Mean log-likelihood of the classes under the risks."""
    p = np.clip(risk, NEAREST, 1 - NEAREST)
    return float(np.where(fallen, np.log(p), np.log1p(-p)).mean())


def _parameters(settings: Settings) -> int:
    """Count the columns of the encoded matrix; one value of each category follows from the rest."""
    values = sum(len(settings.columns[name].values) - 1 for name in settings.categories)
    return len(settings.numbers) + values
