"""How the key figures changed since the report before.

This month's `Overview` and the newest earlier `Report` come in; `Changes` go out. A change of a
share has an interval, so that chance is not told as news; counts and sums over all customers have
none, for nothing is estimated there.
"""

from __future__ import annotations

from dataclasses import replace

from reportgen import months
from reportgen.intervals import newcombe
from reportgen.results import Change, Changes, Overview, Report, Total


def since(state: Overview, earlier: Report | None, *, month: str) -> Changes:
    """Compare a month's key figures with those of the report before.

    Notes
    -----
    Most customers stand in both months. The intervals count the months as independent (Newcombe,
    1998, method 10), so they are rather too wide than too narrow. Who looks like the fallen is told
    by another model every month; what that adds is not known, so this change has no interval.
    """
    then = {} if earlier is None else {total.name: total.sums[-1]
                                       for total in earlier.overview.totals if total.sums}
    totals = tuple(change for total in state.totals
                   if (change := _of_total(total, then.get(total.name))))
    if earlier is None:
        return Changes("", 0, totals)
    then_state = earlier.overview
    shares = [_of_share("fallen_share", state.fallen, state.customers, then_state.fallen,
                        then_state.customers)]
    if state.bands and then_state.bands:
        alike = _of_share("alike_share", state.alike, state.customers, then_state.alike,
                          then_state.customers)
        shares.append(replace(alike, low=None, high=None))
    customers = Change("customers", "customers", then_state.customers,
                       state.customers - then_state.customers,
                       _relative(state.customers, then_state.customers))
    return Changes(earlier.month, months.between(earlier.month, month),
                   (customers, *shares, *totals))


def _of_share(name: str, hits: int, n: int, hits_then: int, n_then: int) -> Change:
    found = newcombe(hits, n, hits_then, n_then)
    return Change(name, "share", hits_then / n_then, found.value,
                  _relative(hits / n, hits_then / n_then), found.low, found.high)


def _of_total(total: Total, reported: float | None) -> Change | None:
    """Compare a total with what was reported; in a first report with what its own tables repeat."""
    if not total.sums or (reported is None and len(total.sums) < 2):
        return None
    now, then = total.sums[-1], total.sums[-2] if reported is None else reported
    return Change(f"total.{total.name}", total.unit, then, now - then, _relative(now, then))


def _relative(now: float, then: float) -> float | None:
    return now / then - 1 if then > 0 else None
