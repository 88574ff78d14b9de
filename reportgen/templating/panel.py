"""What the page's panel of assumptions needs: the curve it moves on, and how numbers are written.

The panel answers "what if a contact cost twice as much?" in the browser, by the formula of
`results.ProfitPoint`, and must write its answers as the program would. So the language's ways of
writing money, percent and whole numbers go along as patterns.
"""

from __future__ import annotations

from typing import Any

from reportgen.localization import Localizer
from reportgen.results import Report

#: The digit that a pattern is read off.
_ONE = 1

#: A cost goes from nothing to so many times what the store gave, in steps of a part of it.
_TIMES, _PARTS = 4, 20
#: Step of the acceptance, about.
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
        "knobs": [
            _knob("contact_cost", money.assumptions.contact_cost),
            _knob("offer_cost", money.assumptions.offer_cost),
            _share_knob("acceptance", money.assumptions.acceptance, _FINE),
            _share_knob("share", money.best_share or 0.0, money.curve[1].share),
        ],
        "write": {
            "money": words.money(_ONE).replace("1", "{n}"),
            "below_zero": words.money(-_ONE).replace("1", "{n}"),
            "percent": words.percent(_ONE / 100).replace("1", "{n}"),
        } | marks(words),
    }


def currency(words: Localizer) -> str:
    """Return how the language writes the store's currency; nothing where it states none."""
    return words.money(_ONE).replace(str(_ONE), "").strip()


def marks(words: Localizer) -> dict[str, str]:
    """Return the language's marks between thousands and before decimals."""
    symbols = words.locale.number_symbols["latn"]
    return {"group": symbols["group"], "decimal": symbols["decimal"]}


def _share_knob(name: str, given: float, step: float) -> dict[str, Any]:
    """Return the range of a share in steps of about so much, which the store's own lies on."""
    step = given / round(given / step) if given >= step else step
    return {"name": name, "value": given, "least": 0, "most": 1, "step": step}


def _knob(name: str, given: float) -> dict[str, Any]:
    """Return the range of a cost, which the store's own lies on."""
    return {"name": name, "value": given, "least": 0, "most": _TIMES * given or 1,
            "step": given / _PARTS or 1 / _PARTS}
