"""Who gets which action this month, and who gets none so that it can be told whether it helps.

The scored customers, the judged recommendations and the ledger come in. A `Programme` of counts
goes out, and with it the private list: a row a customer with group, action and reasons. One
customer gets one action a month, by the priority of the settings; the list ends where the team's
capacity does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TypedDict

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from reportgen import experiments, months
from reportgen.comparison import SMALLEST_GROUP, matching
from reportgen.config import FORECAST, Settings
from reportgen.contract import Role
from reportgen.engine import watched
from reportgen.ledger import ASSIGNMENTS, Ledger
from reportgen.progress import Progress, parts, silent
from reportgen.queries import fetch, one_row
from reportgen.results import ActionGroup, Programme

#: Customers who see an offer on the site only, at most.
MOST_ON_SITE = 5_000

#: Rows fetched for each contact that can be made, and beside them: enough for a control group of
#: half the customers, with room for chance.
ROWS_A_CONTACT, ROWS_AT_LEAST = 3, 1_000

_REASON = pa.struct([("column", pa.string()), ("value_number", pa.float64()),
                     ("value_text", pa.string()), ("contribution", pa.float64())])

ACTIONS = pa.schema([
    ("id", pa.string()), ("place", pa.int32()), ("group", pa.string()),
    ("contactable", pa.bool_()), ("channel", pa.string()), ("action", pa.string()),
    ("goods", pa.string()), ("fallen", pa.bool_()), ("alike", pa.bool_()),
    ("risk_band", pa.string()), ("risk", pa.float64()), ("forecast", pa.float64()),
    ("value_at_risk", pa.float64()),
    ("segments", pa.list_(pa.string())), ("reasons", pa.list_(_REASON)),
    ("valid_until", pa.date32()),
])
"""The private list; see `plan`."""


@dataclass(frozen=True)
class Planned:
    """The programme of a month.

    Attributes
    ----------
    told
        What the report says of it.
    actions
        The list, by `ACTIONS`: contactable customers by place, then those on the site.
    drawn
        Customers drawn for the first time, by `ledger.ASSIGNMENTS`.
    fingerprints
        Of the key that they were drawn with, by campaign.
    """

    told: Programme
    actions: pa.Table
    drawn: pa.Table
    fingerprints: dict[str, str]


def plan(scored: ir.Table, meant: Mapping[str, ir.BooleanValue], settings: Settings, *, month: str,
         ledger: Ledger, seen: Sequence[experiments.Outcomes], reasons: Path,
         usable: bool, progress: Progress = silent) -> Planned:
    """Choose an action for each customer, draw the groups and write down who is new.

    Parameters
    ----------
    scored
        One row a customer, see `scoring.score`.
    meant
        For whom each supported action is meant, by code.
    seen
        Outcomes of all months so far, for the decline to be expected without any action.
    reasons
        File of `reasons.write_reasons`; it may be absent.
    usable
        Whether the model may be acted on; otherwise nobody is listed.
    """
    counting, listing = parts(progress, 1, 4)
    base, observed = experiments.pooled_base(seen)
    told = _nothing(settings, month, base=base, observed=observed)
    if not usable:
        return _unplanned(replace(told, missing="model"))
    reached = _reached(scored, meant, settings)
    with watched(scored.get_backend(), counting):
        counts = _count(reached)
    if not counts["reached"]:
        return _unplanned(replace(told, missing="nobody"))
    missing = _missing(ledger, settings)
    listed = _listed(reached, ledger, settings, listing, draws=not missing)
    drawn = (ASSIGNMENTS.empty_table() if missing
             else _newly_drawn(listed, month, settings.programme.campaign))
    fresh = _drawn_this_month(drawn, ledger, month, settings)
    told = replace(
        told, missing=missing, **counts,
        capacity=counts["reached"] - counts["no_permission"] - counts["contacted"]
        - int(listed["contactable"].sum()),
        newly=len(fresh), treated=int((listed["contactable"] & ~listed["control"]).sum()),
        control=int(listed["control"].sum()),
        actions=_groups(listed, settings, base=base),
    )
    return Planned(
        told=_with_power(told, fresh, seen),
        actions=_list(listed, settings, reasons, month, drawn=not missing),
        drawn=drawn,
        fingerprints=({} if missing or ledger.fingerprint is None
                      else {settings.programme.campaign: ledger.fingerprint}),
    )


def write(actions: pa.Table, path: Path) -> None:
    """Write the private list."""
    pq.write_table(actions, path, compression="zstd")


def valid_until(month: str) -> date:
    """Return the last day on which a month's list may be used: that of the month after it."""
    return months.last_day(f"{months.day_after(month, 1):%Y-%m}").date()


def _nothing(settings: Settings, month: str, *, base: float, observed: bool) -> Programme:
    share = settings.programme.control_share
    return Programme(
        campaign=settings.programme.campaign, missing="", reached=0, no_permission=0, contacted=0,
        capacity=0, treated=0, control=0, newly=0, control_share=share, base_rate=base,
        base_observed=observed, detectable=None, enough=False, wanted=experiments.HOPED,
        needed=experiments.needed(experiments.HOPED, base=max(base, experiments.HOPED),
                                  share=share or 0.5),
        actions=(), valid_until=valid_until(month).isoformat(),
    )


def _unplanned(told: Programme) -> Planned:
    return Planned(told, ACTIONS.empty_table(), ASSIGNMENTS.empty_table(), {})


def _missing(ledger: Ledger, settings: Settings) -> str:
    """Tell why no groups can be drawn."""
    if settings.programme.control_share == 0:
        return "share"
    return "key" if ledger.key is None else ""


# ── Who, and what first ──────────────────────────────────────────────────────────────────────────


class _Counts(TypedDict):
    """Customers with an action, and those who do not get it by message whatever the capacity."""

    reached: int
    no_permission: int
    contacted: int


def _reached(scored: ir.Table, meant: Mapping[str, ir.BooleanValue],
             settings: Settings) -> ir.Table:
    """Select the fallen and alike with an action: the first by priority that is meant for them."""
    codes = [code for code in settings.programme.priority if code in meant]
    action = (ibis.cases(*((meant[code], code) for code in codes), else_=None) if codes
              else ibis.null("string"))
    goods, limit = settings.first_of_role(Role.GOODS), settings.programme.most_contacts
    contacts = scored[settings.recommendations.contacts]
    names = ["id", "contactable", "fallen", "alike", "risk_band", "risk", "value_at_risk"]
    table = scored.select(
        *names, action=action,
        tired=(contacts >= limit).fill_null(False) if limit is not None else ibis.literal(False),
        goods=scored[goods] if goods else ibis.null("string"),
        forecast=scored[FORECAST] if FORECAST in scored.columns else ibis.null("float64"),
        **{f"in_{name}": matching(scored, settings.rule(segment.rule))
           for name, segment in settings.segments.items()},
    )
    return table.filter(table["action"].notnull() & (table["fallen"] | table["alike"]))


def _count(reached: ir.Table) -> _Counts:
    may = reached["contactable"]
    row = one_row(reached.aggregate(
        reached=reached.count(), no_permission=(~may).sum(),
        contacted=(may & reached["tired"]).sum(),
    ))
    return _Counts(reached=int(row["reached"]), no_permission=int(row["no_permission"] or 0),
                   contacted=int(row["contacted"] or 0))


def _listed(reached: ir.Table, ledger: Ledger, settings: Settings, told: Progress, *,
            draws: bool) -> pd.DataFrame:
    """Fetch the customers of the list, the largest value at risk (else highest risk) first.

    Those who are written to end with the last contact that can be made. Customers of the control
    group who stand further down are not drawn either, so that both groups reach down to the same
    rank. Only as many rows leave the engine as that may take; those who may not be messaged follow.
    """
    worth = reached["value_at_risk"].fill_null(0.0)
    ordered = reached.order_by([worth.desc(), reached["risk"].desc(), reached["id"]])
    most = _most_contacts(settings)
    fit = ordered.filter(ordered["contactable"] & ~ordered["tired"])
    with watched(reached.get_backend(), told):
        messaged = fetch(fit.limit(ROWS_A_CONTACT * most + ROWS_AT_LEAST)).to_pandas()
    before = _assigned(ledger, settings.programme.campaign)
    messaged["known"] = messaged["id"].isin(list(before))
    messaged["control"] = _controls(messaged["id"], before, ledger, settings) if draws else False
    used = np.cumsum(~messaged["control"].to_numpy(dtype=bool))
    last = int(np.searchsorted(used, most, side="left")) if most > 0 else -1
    site = fetch(ordered.filter(~ordered["contactable"]).limit(MOST_ON_SITE)).to_pandas()
    site[["known", "control"]] = False
    together: pd.DataFrame = pd.concat([messaged.iloc[:last + 1], site], ignore_index=True)
    return together


def _controls(customers: Iterable[str], before: Mapping[str, bool], ledger: Ledger,
              settings: Settings) -> NDArray[np.bool_]:
    """Tell who is in the control group: as drawn before, else by the hash."""
    chosen = settings.programme
    if ledger.key is None:
        raise ValueError("groups need a key")
    drawn = experiments.in_control(customers, key=ledger.key, campaign=chosen.campaign,
                                   share=chosen.control_share)
    control = [not before[customer] if customer in before else bool(by_hash)
               for customer, by_hash in zip(customers, drawn, strict=True)]
    return np.array(control, dtype=bool)


def _assigned(ledger: Ledger, campaign: str) -> dict[str, bool]:
    """Tell of each customer of a campaign whether they are to be treated."""
    columns = (ledger.assignments.column(name).to_pylist()
               for name in ("id", "campaign", "treated"))
    return {customer: treated for customer, own, treated in zip(*columns, strict=True)
            if own == campaign}


def _most_contacts(settings: Settings) -> int:
    """Return how many can be contacted: by the team, and by the money for offers."""
    chosen, offer = settings.programme, settings.assumptions.offer_cost
    if chosen.coupon_budget is None or not offer:
        return chosen.contacts_a_month
    return min(chosen.contacts_a_month, int(chosen.coupon_budget / offer))


def _newly_drawn(listed: pd.DataFrame, month: str, campaign: str) -> pa.Table:
    new = listed[listed["contactable"] & ~listed["known"]]
    return pa.table({
        "id": pa.array(new["id"], pa.string()),
        "campaign": pa.array([campaign] * len(new), pa.string()),
        "month": pa.array([month] * len(new), pa.string()),
        "action": pa.array(new["action"], pa.string()),
        "treated": pa.array(~new["control"].to_numpy(dtype=bool)),
        "fallen": pa.array(new["fallen"].to_numpy(dtype=bool)),
        "risk": pa.array(new["risk"].to_numpy(dtype=float)),
    }, schema=ASSIGNMENTS)


def _drawn_this_month(drawn: pa.Table, ledger: Ledger, month: str,
                      settings: Settings) -> NDArray[np.bool_]:
    """Tell of everybody drawn in this month, in an earlier run of it too, who is to be treated."""
    before = ledger.assignments.to_pandas()
    own = (before["month"] == month) & (before["campaign"] == settings.programme.campaign)
    return np.concatenate([before.loc[own, "treated"].to_numpy(dtype=bool),
                           drawn.column("treated").to_numpy(zero_copy_only=False)])


# ── What it can show ─────────────────────────────────────────────────────────────────────────────


def _with_power(told: Programme, fresh: NDArray[np.bool_],
                seen: Sequence[experiments.Outcomes]) -> Programme:
    """Say what everybody drawn so far can show together: each counts once, when first drawn."""
    treated = int(fresh.sum()) + sum(int(one.treated.sum()) for one in seen)
    control = int((~fresh).sum()) + sum(int((~one.treated).sum()) for one in seen)
    fall = experiments.detectable(treated, control, base=told.base_rate)
    return replace(told, detectable=fall, enough=fall is not None and fall <= told.wanted)


def _groups(listed: pd.DataFrame, settings: Settings, *, base: float) -> tuple[ActionGroup, ...]:
    """Count each action's customers; say whether a test of its own could show anything.

    Too few to be published are left out.
    """
    rows = []
    tests = listed["action"].nunique()
    for code in settings.programme.priority:
        own = listed[listed["action"] == code]
        if len(own) < SMALLEST_GROUP:
            continue
        control = int(own["control"].sum())
        treated = int((own["contactable"] & ~own["control"]).sum())
        fall = experiments.detectable(treated, control, base=base, tests=tests)
        rows.append(ActionGroup(
            code=code, treated=treated, control=control, site=int((~own["contactable"]).sum()),
            detectable=fall, testable=fall is not None and fall <= experiments.HOPED))
    return tuple(sorted(rows, key=lambda row: -(row.treated + row.control + row.site)))


# ── The list ─────────────────────────────────────────────────────────────────────────────────────


def _list(listed: pd.DataFrame, settings: Settings, reasons: Path, month: str, *,
          drawn: bool) -> pa.Table:
    """Lay out the private list."""
    may = listed["contactable"].to_numpy(dtype=bool)
    control = listed["control"].to_numpy(dtype=bool)
    told = _reasons(reasons)
    group = np.where(control, "control", np.where(may & drawn, "treated", "none"))
    names = tuple(settings.segments)
    inside = listed[[f"in_{name}" for name in names]].to_numpy(dtype=bool)
    return pa.table({
        "id": listed["id"].tolist(),
        "place": np.arange(1, len(listed) + 1, dtype=np.int32),
        "group": group.tolist(),
        "contactable": may,
        "channel": np.where(may, "message", "site").tolist(),
        "action": listed["action"].tolist(),
        "goods": [None if pd.isna(value) else value for value in listed["goods"]],
        "fallen": listed["fallen"].to_numpy(dtype=bool),
        "alike": listed["alike"].to_numpy(dtype=bool),
        "risk_band": listed["risk_band"].tolist(),
        "risk": listed["risk"].to_numpy(dtype=float),
        "forecast": pa.array(listed["forecast"].astype(float), from_pandas=True),
        "value_at_risk": pa.array(listed["value_at_risk"].astype(float), from_pandas=True),
        "segments": [[name for name, is_in in zip(names, row, strict=True) if is_in]
                     for row in inside],
        "reasons": [told.get(customer, []) for customer in listed["id"]],
        "valid_until": [valid_until(month)] * len(listed),
    }, schema=ACTIONS)


def _reasons(path: Path) -> dict[str, list[dict[str, object]]]:
    """Read the reasons of each customer, the strongest first."""
    if not path.is_file():
        return {}
    found: dict[str, list[dict[str, object]]] = {}
    for row in sorted(pq.read_table(path).to_pylist(), key=lambda row: (row["id"], row["place"])):
        found.setdefault(row["id"], []).append(
            {name: row[name] for name in ("column", "value_number", "value_text", "contribution")})
    return found
