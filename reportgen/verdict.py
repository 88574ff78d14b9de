"""Whether last month's actions worked.

This month's table of customers and the ledger of who was drawn come in; a `Verdict` goes out. Every
customer drawn counts, in the group drawn, whatever was really sent (intention to treat). Nobody is
compared with their own past: without a control group there is no verdict.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from reportgen import experiments, feedback
from reportgen.config import Settings
from reportgen.experiments import Outcomes
from reportgen.intervals import simultaneous
from reportgen.ledger import Ledger
from reportgen.queries import fetch, given
from reportgen.results import (
    ActionOutcome,
    ClassOutcome,
    Compared,
    CustomerClass,
    ProgrammeEffect,
    Reached,
    TotalOutcome,
    Verdict,
    VerdictStatus,
)

#: A customer left out for this reason is no longer the customer that was to be kept.
NOT_REGULAR = "not_regular"

_TOTAL = "total_"


@dataclass(frozen=True)
class Judged:
    """What this month says of those drawn before it.

    Attributes
    ----------
    verdict
        What the report says of it.
    outcomes
        What the ledger keeps of this month: a row a customer, None where nobody was judged.
    seen
        Outcomes of all months so far, this one included.
    """

    verdict: Verdict
    outcomes: pa.Table | None
    seen: tuple[Outcomes, ...]


def judge(used: ibis.Table, left_out: ibis.Table, ledger: Ledger, settings: Settings, *,
          month: str, sent: Path, recommended: Collection[str]) -> Judged:
    """Judge everybody who was drawn before this month.

    Parameters
    ----------
    used, left_out
        Customers of this month who are used and who are not, see `features.Customers`.
    sent
        File of the feedback; it may be absent.
    recommended
        Codes of the actions that the month before recommended.
    """
    fresh = _observe(_to_judge(ledger, settings, month), used, left_out, settings)
    last = _outcomes_of(fresh, settings)
    everyone = (*_seen(ledger, settings), last)
    everybody = _together(everyone, settings)
    reached = _reached(fresh, sent, recommended, month)
    effect = _effect(last, settings) if last.comparable else None
    overall = _effect(everybody, settings) if everybody.comparable else None
    missing = ""
    if overall is None:
        missing = "few" if len(everybody.treated) else "first"
    elif len(fresh) == 0:
        missing = "known"
    return Judged(
        Verdict(
            campaign=settings.programme.campaign, status=_status(overall), missing=missing,
            last=effect, overall=overall, reached=reached,
        ),
        pa.Table.from_pandas(fresh, preserve_index=False) if len(fresh) else None,
        everyone,
    )


def _seen(ledger: Ledger, settings: Settings) -> tuple[Outcomes, ...]:
    """Read the outcomes that earlier months have told, oldest first."""
    frames = (table.to_pandas() for table in ledger.outcomes.values())
    campaign = settings.programme.campaign
    return tuple(_outcomes_of(frame[frame["campaign"] == campaign], settings) for frame in frames)


# ── What became of whom ──────────────────────────────────────────────────────────────────────────


def _to_judge(ledger: Ledger, settings: Settings, month: str) -> pd.DataFrame:
    """List who was drawn before this month and has not been judged yet."""
    drawn: pd.DataFrame = ledger.assignments.to_pandas()
    drawn = drawn[(drawn["campaign"] == settings.programme.campaign) & (drawn["month"] < month)]
    judged = {customer for table in ledger.outcomes.values()
              for customer in table.column("id").to_pylist()}
    left: pd.DataFrame = drawn[~drawn["id"].isin(judged)].reset_index(drop=True)
    return left


def _observe(drawn: pd.DataFrame, used: ibis.Table, left_out: ibis.Table,
             settings: Settings) -> pd.DataFrame:
    """Look up what this month says of each: absent and no longer regular customers are lost."""
    totals = _totals(settings)
    ids = given(used.get_backend(), pa.table({"id": pa.array(drawn["id"], pa.string())}))
    columns = [settings.target, *totals.values()]
    present = used.semi_join(ids, "id").select("id", *columns, reason=ibis.literal(""))
    others = left_out.semi_join(ids, "id").select("id", *columns, "reason")
    found = pd.concat([fetch(present).to_pandas(), fetch(others).to_pandas()])
    rows = drawn.merge(found, on="id", how="left")
    lost = (rows["reason"].isna() | (rows["reason"] == NOT_REGULAR)).to_numpy()
    positive = settings.columns[settings.target].positive
    made = drawn.assign(
        lost=lost, declined=lost | (rows[settings.target] == positive).to_numpy(dtype=bool))
    # An impossible figure, or one that a table lacks, says nothing about what was spent.
    measured = (rows["reason"] == "").to_numpy()
    for name, column in totals.items():
        values = rows[column].to_numpy(dtype=float)
        made[_TOTAL + name] = np.where(lost, 0.0, np.where(measured, values, np.nan))
    return made


def _totals(settings: Settings) -> dict[str, str]:
    """Name the newest column of each total that the report shows."""
    return {name: total.columns[-1] for name, total in settings.presentation.totals.items()}


def _outcomes_of(frame: pd.DataFrame, settings: Settings) -> Outcomes:
    """Read rows of the ledger's outcomes; a total that they lack is unknown."""
    return Outcomes(
        treated=frame["treated"].to_numpy(dtype=bool), fallen=frame["fallen"].to_numpy(dtype=bool),
        risk=frame["risk"].to_numpy(dtype=float), cohort=frame["month"].to_numpy(dtype=str),
        action=frame["action"].to_numpy(dtype=str),
        declined=frame["declined"].to_numpy(dtype=bool), lost=frame["lost"].to_numpy(dtype=bool),
        totals={name: (frame[_TOTAL + name].to_numpy(dtype=float) if _TOTAL + name in frame
                       else np.full(len(frame), np.nan))
                for name in _totals(settings)},
    )


def _together(parts: Sequence[Outcomes], settings: Settings) -> Outcomes:
    def join(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    return Outcomes(
        join("treated"), join("fallen"), join("risk"), join("cohort"), join("action"),
        join("declined"), join("lost"), {name: np.concatenate([part.totals[name] for part in parts])
                       for name in _totals(settings)},
    )


def _reached(fresh: pd.DataFrame, sent: Path, recommended: Collection[str],
             month: str) -> Reached | None:
    ids, treated = fresh["id"].to_numpy(), fresh["treated"].to_numpy(dtype=bool)
    told = feedback.read(sent, known=set(ids), actions=recommended, month=month)
    if told is None:
        return None
    got = np.isin(ids, list(told.customers))
    return Reached(treated=int((got & treated).sum()), control=int((got & ~treated).sum()),
                   faults=told.faults)


# ── What it means ────────────────────────────────────────────────────────────────────────────────


def _status(overall: ProgrammeEffect | None) -> VerdictStatus:
    if overall is None:
        return "none"
    difference = overall.decline.difference
    if difference.high < 0:
        return "worked"
    return "harmful" if difference.low > 0 else "no_evidence"


def _effect(outcomes: Outcomes, settings: Settings) -> ProgrammeEffect:
    """Compare the groups; whatever is told beside the decline holds together with its like."""
    numbers = experiments.strata(outcomes)
    treated = outcomes.treated
    decline = experiments.compare_shares(outcomes.declined, treated, numbers)
    return ProgrammeEffect(
        months=tuple(sorted(set(outcomes.cohort.tolist()))),
        treated=int(treated.sum()), control=int((~treated).sum()),
        lost_treated=int((outcomes.lost & treated).sum()),
        lost_control=int((outcomes.lost & ~treated).sum()),
        decline=decline,
        decline_without_lost=_without_lost(outcomes, decline),
        classes=tuple(_classes(outcomes)),
        totals=tuple(_compare_totals(outcomes, settings, numbers)),
        actions=tuple(_actions(outcomes)),
        strata=int(numbers.max(initial=0)) + 1,
        detectable=experiments.detectable(
            int(treated.sum()), int((~treated).sum()), base=experiments.pooled_base([outcomes])[0]),
    )


def _without_lost(outcomes: Outcomes, decline: Compared) -> Compared:
    rest = outcomes.only(~outcomes.lost)
    if not rest.comparable:
        return decline
    return experiments.compare_shares(rest.declined, rest.treated, experiments.strata(rest))


def _classes(outcomes: Outcomes) -> Iterator[ClassOutcome]:
    """Tell of the fallen who came back, and of those alike who did not fall."""
    halves: dict[CustomerClass, np.ndarray]
    halves = {"fallen": outcomes.fallen, "alike": ~outcomes.fallen}
    for name, own in halves.items():
        part = outcomes.only(own)
        if part.comparable:
            yield ClassOutcome(name, experiments.compare_shares(
                ~part.declined, part.treated, experiments.strata(part),
                confidence=simultaneous(len(halves))))


def _actions(outcomes: Outcomes) -> Iterator[ActionOutcome]:
    """Compare those for whom the same action came first, where so many can show an effect."""
    codes = sorted(set(outcomes.action.tolist()))
    base = experiments.pooled_base([outcomes])[0]
    for code in codes:
        own = outcomes.only(outcomes.action == code)
        treated = int(own.treated.sum())
        fall = experiments.detectable(treated, len(own.treated) - treated, base=base,
                                      tests=len(codes))
        if own.comparable and fall is not None and fall <= experiments.HOPED:
            yield ActionOutcome(code, experiments.compare_shares(
                own.declined, own.treated, experiments.strata(own),
                confidence=simultaneous(len(codes))))


def _compare_totals(outcomes: Outcomes, settings: Settings,
                    numbers: np.ndarray) -> Iterator[TotalOutcome]:
    totals = settings.presentation.totals
    for name, values in outcomes.totals.items():
        known = np.isfinite(values)
        if not outcomes.only(known).comparable:
            continue
        yield TotalOutcome(
            name=name, label=dict(totals[name].label),
            unit=settings.columns[totals[name].columns[-1]].unit.value,
            mean=experiments.compare_means(values, outcomes.treated, numbers,
                                           confidence=simultaneous(len(totals))))
