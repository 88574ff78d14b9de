"""What leadership is asked to decide, with its budget, owner and date.

The month's results come in; at most `MOST` decisions go out, the most pressing first. A report that
asks for nothing leaves its reader with nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator

from reportgen import months
from reportgen.config import Settings
from reportgen.results import (
    Assumptions,
    Budget,
    DataQuality,
    Decision,
    DecisionKey,
    Gate,
    Money,
    Owner,
    Programme,
    Verdict,
)

#: A page has room for so many, and a meeting too.
MOST = 3

_OWNERS: dict[DecisionKey, Owner] = {
    "launch": "marketing", "continue": "marketing", "stop": "marketing",
    "assumptions": "finance",
    "experiment": "analytics", "no_targeting": "analytics", "data": "analytics",
}


def ask(programme: Programme, verdict: Verdict, money: Money, gate: Gate, data: DataQuality,
        settings: Settings, *, month: str) -> tuple[Decision, ...]:
    """List the decisions that the month's results ask for."""
    due = months.day_after(month, settings.decisions.day).isoformat()
    asked = _keys(programme, verdict, money, gate, data)
    return tuple(
        Decision(key=key, facts=facts, owner=_OWNERS[key],
                 owner_label=dict(settings.decisions.owners.get(_OWNERS[key], {})), due=due,
                 budget=(_budget(programme.treated, money.assumptions)
                         if key == "launch" and money.assumptions else None))
        for key, facts in list(asked)[:MOST]
    )


def _keys(programme: Programme, verdict: Verdict, money: Money, gate: Gate,
          data: DataQuality) -> Iterator[tuple[DecisionKey, dict[str, int]]]:
    if verdict.status == "harmful" and verdict.overall is not None:
        yield "stop", {"n": verdict.overall.treated}
    if gate.withholds:
        yield "no_targeting", {}
    # Not while it is said that such actions did harm.
    if programme.actions and verdict.status != "harmful":
        yield "launch", {"n": programme.treated, "control": programme.control}
    if verdict.status == "worked" and verdict.overall is not None:
        yield "continue", {"n": verdict.overall.decline.difference.n}
    if data.light == "red":
        yield "data", {"n": data.rows_changed}
    if programme.missing in ("key", "share"):
        yield "experiment", {"n": programme.reached}
    if money.missing:
        yield "assumptions", {"n": len(money.missing)}


def _budget(customers: int, given: Assumptions) -> Budget:
    """Bound what acting costs; how many take the offer, or get none, is not known beforehand."""
    return Budget(customers * (given.contact_cost + given.offer_cost))
