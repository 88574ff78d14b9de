"""How well the best model of each family tells the fallen apart on customers it never saw.

`results.ModelCard` comes in; a row a family goes out, the winner of the search first.
"""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.ticker import FuncFormatter

from reportgen.charts import rows
from reportgen.charts.style import Canvas
from reportgen.localization import Localizer
from reportgen.results import Estimate, Report

_DECIMALS = 2


@dataclass(frozen=True)
class Family:
    """ROC-AUC of a family's best candidate on the held-out part, and its distance to the winner.

    ``behind`` comes from fresh folds of the training part; None for the winner.
    """

    family: str
    roc_auc: Estimate
    behind: Estimate | None
    indistinguishable: bool


@dataclass(frozen=True)
class Families:
    """The families, best in cross-validation first, and the ROC-AUC of guessing.

    ``kept`` tells that all this was measured in an earlier month.
    """

    families: tuple[Family, ...]
    baseline: float
    kept: bool


def frame(report: Report) -> Families | None:
    """Order the families as the search did: by cross-validation, not by the held-out part."""
    ordered = sorted(report.model.families,
                     key=lambda score: (not score.winner, -score.cv_roc_auc.value))
    found = tuple(
        Family(score.family, score.holdout_roc_auc, score.behind, score.indistinguishable)
        for score in ordered
    )
    return (Families(found, report.model.gate.constant_roc_auc, report.life.kept)
            if found else None)


def draw(data: Families, words: Localizer) -> Canvas:
    """Draw each family's ROC-AUC with its interval, and guessing as a line."""
    lines = [
        rows.Row(
            label=rows.Label(words.text(f"charts.families.{family.family}"), _note(family, words)),
            span=rows.Span(family.roc_auc.value, family.roc_auc.low, family.roc_auc.high),
            other=None,
            figures=(words.estimate(family.roc_auc, "none", _DECIMALS),
                     words.estimate(family.behind, "none", _DECIMALS) if family.behind else "—"),
            accent=family.behind is None,
        )
        for family in data.families
    ]
    low = min(data.baseline, *(family.roc_auc.low for family in data.families)) - 0.05
    scale = rows.Scale(
        low, 1, (0.5, 0.6, 0.7, 0.8, 0.9, 1),
        FuncFormatter(lambda x, _: words.number(x, 1)),
        data.baseline, words.text("charts.families.baseline"),
    )
    return rows.compare(
        lines, scale, words,
        heads=[words.text("charts.families.test"), words.text("charts.families.behind")],
        meanings=[words.text("charts.families.mark_kept" if data.kept else "charts.families.mark")],
    )


def _note(family: Family, words: Localizer) -> str:
    """Say of a family that it won, or that nothing tells it from the winner."""
    if family.behind is None:
        return words.text("charts.families.winner")
    return words.text("charts.families.same") if family.indistinguishable else ""


def alt(data: Families, words: Localizer) -> str:
    """Name the winner with its figure and interval."""
    first = data.families[0]
    return words.text(
        "charts.families.alt",
        family=words.text(f"charts.families.{first.family}"),
        roc_auc=words.estimate(first.roc_auc, "none", _DECIMALS),
        baseline=words.number(data.baseline, 1),
    )
