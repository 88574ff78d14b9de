"""What a reader must know before acting on the figures: the limits of this month's report.

The finished parts of the report come in; caveats go out, the weightiest first. Each is the key of
a sentence in the catalogues and the figures in it.
"""

from __future__ import annotations

from reportgen.results import Caveat, DataQuality, ModelCard, Overview, Segment

#: Below this lower bound of the test ROC-AUC the ranking is hardly better than chance.
WEAK_MODEL = 0.60

#: A segment smaller than this cannot carry recommendations.
SMALL_FOCUS = 50

#: A larger share of changed rows belongs on the first page.
MANY_ROWS_CHANGED = 0.05

KEYS = (
    "weak_model", "rows_changed", "recognises", "window_unknown", "association", "small_focus",
    "value_alike", "outlier", "test_size", "no_history",
)
"""Every caveat there is; each has a sentence in each language."""


def caveats(
    data: DataQuality, overview: Overview, model: ModelCard, focus: Segment
) -> tuple[Caveat, ...]:
    """Collect the caveats that hold this month, in the order of `KEYS`.

    Facts
    -----
    ``weak_model`` low; ``rows_changed`` share; ``small_focus`` n; ``value_alike`` fallen and
    others (means), low and high (of their difference); ``outlier`` n and money; ``test_size``
    n, low and high (of the test ROC-AUC).
    """
    score = model.test_roc_auc
    found: dict[str, dict[str, float] | None] = {
        "weak_model": {"low": score.low} if score.low <= WEAK_MODEL else None,
        "rows_changed": ({"share": data.share_changed}
                         if data.share_changed > MANY_ROWS_CHANGED else None),
        "recognises": {} if model.target_window == "same_month" else None,
        "window_unknown": {} if model.target_window == "unknown" else None,
        "association": {},
        "small_focus": {"n": focus.customers} if focus.customers < SMALL_FOCUS else None,
        "value_alike": _value_alike(overview),
        "outlier": _outlier(data),
        "test_size": {"n": score.n, "low": score.low, "high": score.high},
        "no_history": {},
    }
    return tuple(Caveat(key, facts) for key in KEYS if (facts := found[key]) is not None)


def _value_alike(overview: Overview) -> dict[str, float] | None:
    """Whether the customers' value does not differ between the classes (the last row is it)."""
    means = overview.classes[-1] if overview.classes else None
    if means is None or not means.difference.low <= 0 <= means.difference.high:
        return None
    return {
        "fallen": means.fallen.value, "others": means.others.value,
        "low": means.difference.low, "high": means.difference.high,
    }


def _outlier(data: DataQuality) -> dict[str, float] | None:
    found = next((e for e in data.exclusions if e.reason == "outlier"), None)
    if found is None or found.customers == 0:
        return None
    return {"n": found.customers, "money": found.money or 0.0}
