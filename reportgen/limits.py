"""The limits that a store sets for its figures, held against a month's.

Parts of the report come in, a `Check` a limit goes out. The age of the data is no figure of the
month (it grows from day to day), so `data_age` judges it apart from the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from reportgen import months
from reportgen.config import Settings
from reportgen.results import Check, CheckName, DataQuality, Drift, HistoryFault, ModelCard


def check(card: ModelCard, quality: DataQuality, drift: Sequence[Drift],
          faults: Sequence[HistoryFault], settings: Settings) -> tuple[Check, ...]:
    """Hold a month's figures against the store's limits, in the order of `[gates]`."""
    gates = settings.gates
    bound = card.honest.roc_auc.low
    moved = [one.psi for since in drift for one in since.columns if one.level != "none"]
    largest = max(moved, default=0.0) if drift else None
    checks = [
        Check("roc_auc", bound, gates.roc_auc, bound >= gates.roc_auc),
        Check("rows_repaired", quality.share_changed, gates.rows_repaired,
              quality.share_changed <= gates.rows_repaired),
        Check("drift", largest, gates.drift, largest is None or largest <= gates.drift),
    ]
    if gates.history:
        checks.append(Check("history", float(len(faults)), 0.0, not faults))
    return tuple(checks)


def told(check: Check) -> str:
    """Say which limit a month does not keep, for the person at the keyboard."""
    measured = "unknown" if check.value is None else f"{check.value:.3g}"
    return (f"{check.name}: {_MEANINGS[check.name]} is {measured}, the limit in [gates] is "
            f"{check.limit:g}")


_MEANINGS: dict[CheckName, str] = {
    "roc_auc": "the lower bound of the honest ROC-AUC",
    "rows_repaired": "the share of rows repaired",
    "drift": "the largest drift of a column (PSI)",
    "history": "the number of earlier months that cannot be compared with",
}


def too_old(month: str, today: date, limit: int) -> tuple[str, ...]:
    """Say that the newest month's data are too old; nothing where they are not."""
    age = data_age(month, today)
    if age <= limit:
        return ()
    return (f"data_age: the newest month ended {age} days ago, at most {limit} are allowed; look "
            "for the delivery that did not come, or name the month by --month",)


def data_age(month: str, today: date) -> int:
    """Days from the end of a month to today; negative while the month lasts."""
    return (today - months.last_day(month).date()).days
