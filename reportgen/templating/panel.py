"""What the page's panel of assumptions needs: the curve it moves on, and how numbers are written.

The panel answers "what if a contact cost twice as much?" in the browser, by the formula of
`results.ProfitPoint`, and must write its answers as the program would. So the language's ways of
writing money, percent and whole numbers go along as patterns.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from reportgen.localization import Localizer
from reportgen.results import Report

#: Digits that make a number of the pattern, and show the language's mark between thousands.
_ONE, _GROUPED = 1, 1000

#: A cost goes from nothing to so many times what the store gave, in steps of a part of it.
_TIMES, _PARTS = 4, 20
#: Step of the acceptance.
_FINE = 0.005


def panel(report: Report, words: Localizer) -> dict[str, Any] | None:
    """Collect the panel's data; None where nothing may be said about money.

    A report of an older schema does not know what its curve is made of.
    """
    money = report.money
    if money.assumptions is None or any(point.value is None for point in money.curve):
        return None
    return {
        "points": [[point.share, point.customers, point.fallen, point.value]
                   for point in money.curve],
        "given": asdict(money.assumptions) | {"share": money.best_share},
        "knobs": [
            _knob("contact_cost", money.assumptions.contact_cost),
            _knob("offer_cost", money.assumptions.offer_cost),
            {"name": "acceptance", "value": money.assumptions.acceptance, "least": 0, "most": 1,
             "step": _FINE},
            {"name": "share", "value": money.best_share, "least": 0, "most": 1,
             "step": money.curve[1].share},
        ],
        "write": {
            "money": words.money(_ONE).replace("1", "{n}"),
            "below_zero": words.money(-_ONE).replace("1", "{n}"),
            "percent": words.percent(_ONE / 100).replace("1", "{n}"),
            "group": words.number(_GROUPED)[1:-3],
            "decimal": words.number(_ONE, 1)[1:-1],
        },
    }


def _knob(name: str, given: float) -> dict[str, Any]:
    """Return the range of a cost, which the store's own lies on."""
    return {"name": name, "value": given, "least": 0, "most": _TIMES * given or 1,
            "step": given / _PARTS or 1 / _PARTS}
