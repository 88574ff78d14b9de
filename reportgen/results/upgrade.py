"""Reports of older schemas brought up to the newest, a version at a time.

Plain data of a results.json come in and go out. What an older report did not know is empty or
unknown afterwards, never made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Plain = dict[str, Any]


def _from_2(plain: Plain) -> Plain:
    """Version 3 brought overlaps, found groups, the programme of actions and its verdict."""
    return plain | {
        "segmentation": {"overlaps": [], "inside": None, "outside": None},
        "discoveries": {"searched": 0, "described": 0, "candidates": 0, "by_value": False,
                        "groups": []},
        "further": [],
        "programme": {
            "campaign": "", "missing": "unknown", "reached": 0, "no_permission": 0, "contacted": 0,
            "capacity": 0, "treated": 0, "control": 0, "newly": 0, "control_share": 0.0,
            "base_rate": 0.0, "base_observed": False, "detectable": None, "enough": False,
            "wanted": 0.0, "needed": 0, "actions": [], "valid_until": "",
        },
        "verdict": {"campaign": "", "status": "none", "missing": "unknown", "last": None,
                    "overall": None, "reached": None},
    }


def _from_3(plain: Plain) -> Plain:
    """Version 4 brought changes, decisions, and what the curve of profit is made of."""
    money: Any = plain["money"]
    curve = [point | {"customers": None, "fallen": None, "value": None}
             for point in money["curve"]]
    return plain | {
        "changes": {"month": "", "apart": 0, "figures": []},
        "decisions": [],
        "money": money | {"curve": curve},
    }


def _from_4(plain: Plain) -> Plain:
    """Version 5 brought the history, the forecast, the life of the model and the limits."""
    model: Any = plain["model"]
    state: Any = plain["overview"]
    point = {
        "month": plain["month"], "customers": state["customers"], "fallen": state["fallen"],
        "fallen_share": state["fallen_share"],
        "alike_share": state["alike_share"] if state["bands"] else None,
        "totals": {total["name"]: total["sums"][-1] for total in state["totals"] if total["sums"]},
        "roc_auc": (model["nested"] or model["holdout"])["roc_auc"],
    }
    return plain | {
        "history": {"points": [point], "faults": [], "migration": None, "held": [], "restated": [],
                    "drift": [], "contract": []},
        "forecast": None,
        "life": {"trained": plain["month"], "kept": False, "rivals": []},
        "checks": [],
    }


def _from_5(plain: Plain) -> Plain:
    """Version 6 brought the web address of the reports and the curve of learning."""
    return plain | {"store": plain["store"] | {"published": ""},
                    "model": plain["model"] | {"learning": None}}


#: What brings a version to the next one.
UPGRADES: Mapping[int, Callable[[Plain], Plain]] = {2: _from_2, 3: _from_3, 4: _from_4, 5: _from_5}


def upgraded(plain: Plain, *, to: int) -> Plain:
    """Bring a report up to a version, step by step."""
    for version in range(plain["schema_version"], to):
        plain = UPGRADES[version](plain) | {"schema_version": version + 1}
    return plain
