"""What a reader must know before acting on the figures: the limits of this month's report.

The finished parts of the report come in; caveats go out, the weightiest first. Each is the key of
a sentence in the catalogues and the figures in it.
"""

from __future__ import annotations

from reportgen.results import Caveat, DataQuality, Effort, Gate, ModelCard, Overview, Segment

#: A segment smaller than this cannot carry recommendations.
SMALL_FOCUS = 50

#: A larger share of changed rows belongs on the first page.
MANY_ROWS_CHANGED = 0.05

KEYS = (
    "model_not_useful", "quick", "sample_small", "rows_changed", "recognises", "recognises_ahead",
    "window_unknown",
    "association", "small_focus", "value_alike", "outlier", "score", "no_history",
)
"""Every caveat there is; each has a sentence in each language."""

_Facts = dict[str, float]


def caveats(
    data: DataQuality, overview: Overview, model: ModelCard, focus: Segment, *, effort: Effort,
    first: bool, kept: bool = False, ahead: bool = False,
) -> tuple[Caveat, ...]:
    """Collect the caveats that hold this month, in the order of `KEYS`.

    ``first`` tells that there is no earlier report, ``kept`` that an earlier month's model was
    used, which a quick run judges as well as any other, ``ahead`` that the report has a forecast.

    Facts
    -----
    ``sample_small`` n (customers needed); ``rows_changed`` share; ``small_focus`` n;
    ``value_alike`` fallen and others (means), low and high (of their difference); ``outlier`` n
    and money; ``score`` n, low and high (of the honest ROC-AUC).
    """
    honest = model.honest
    found: dict[str, _Facts | None] = {
        "model_not_useful": None if model.gate.open else {},
        "quick": {} if effort == "quick" and not kept else None,
        "sample_small": _sample_small(model.gate),
        "rows_changed": ({"share": data.share_changed}
                         if data.share_changed > MANY_ROWS_CHANGED else None),
        "recognises": {} if model.target_window == "same_month" and not ahead else None,
        "recognises_ahead": {} if model.target_window == "same_month" and ahead else None,
        "window_unknown": {} if model.target_window == "unknown" else None,
        "association": {},
        "small_focus": _small_focus(focus, model.gate),
        "value_alike": _value_alike(overview),
        "outlier": _outlier(data),
        "score": {"n": honest.customers, "low": honest.roc_auc.low, "high": honest.roc_auc.high},
        "no_history": {} if first else None,
    }
    return tuple(Caveat(key, facts) for key in KEYS if (facts := found[key]) is not None)


def _sample_small(gate: Gate) -> _Facts | None:
    """Whether the sample is too small for its columns; a closed gate says more than that."""
    if gate.sample_size.enough or not gate.open:
        return None
    return {"n": gate.sample_size.required}


def _small_focus(focus: Segment, gate: Gate) -> _Facts | None:
    if gate.withholds or focus.customers >= SMALL_FOCUS:
        return None
    return {"n": focus.customers}


def _value_alike(overview: Overview) -> _Facts | None:
    """Whether the customers' value does not differ between the classes (the last row is it)."""
    means = overview.classes[-1] if overview.classes else None
    if means is None or not means.difference.low <= 0 <= means.difference.high:
        return None
    return {
        "fallen": means.fallen.value, "others": means.others.value,
        "low": means.difference.low, "high": means.difference.high,
    }


def _outlier(data: DataQuality) -> _Facts | None:
    found = next((e for e in data.exclusions if e.reason == "outlier"), None)
    if found is None or found.customers == 0:
        return None
    return {"n": found.customers, "money": found.money or 0.0}
