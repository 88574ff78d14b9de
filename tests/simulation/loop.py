"""Pairs of months of made-up stores whose action is known: does the verdict tell it?

Run it by `make simulate-verdicts`. A store's month is drawn, whoever is fallen or alike and may be
messaged is put into a group by the stage's own hash, the action does to the treated what it does,
the next month is drawn, and the verdict is held against the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import ibis
import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from scipy.special import expit, logit

from reportgen import experiments, verdict
from reportgen.demo import ACTIONS, STOP_SHARE, WORLDS, Action, Month, Programme, World, generate
from reportgen.ledger import ASSIGNMENTS, Ledger
from reportgen.results import ProgrammeEffect
from simulation.rates import HEADER, Claim, Rate
from simulation.stores import settings

PAIRS = 1_000

#: Customers of a store: as many as the real one's, and so few that a group has some twenty.
SIZES = (1_300, 400)

#: Risk from which on a customer who has not fallen counts as alike.
HIGH = 0.6

#: Columns of the tables that the verdict looks at, beside the class.
TOTALS = {"revenue": "revenue_current", "minutes": "minutes_current"}

WRONG, COVERAGE = 0.05, 0.95


@dataclass(frozen=True)
class Truth:
    """What the action really did to those drawn, on the average of both outcomes of each."""

    decline: float
    well: dict[str, float]
    totals: dict[str, float]


# ── One pair of months ───────────────────────────────────────────────────────────────────────────


def measure(action: str, customers: int, seed: int) -> dict[str, Any]:
    """Run one pair of months and hold its verdict against the truth."""
    world = list(WORLDS.values())[seed % len(WORLDS)]
    first = next(iter(generate(world, seed=seed, customers=customers, months=1)))
    drawn = draw(first, seed)
    treated = [row["id"] for row in drawn.to_pylist() if row["treated"]]
    programme = Programme(ACTIONS[action], {first.name: treated})
    *_, second = generate(world, seed=seed, customers=customers, months=2, programme=programme)
    known = Ledger(None, drawn, {}, {})
    used, left_out = tables(second)
    found = verdict.judge(used, left_out, known, settings(), month=second.name,
                          sent=Path("absent"), recommended=()).verdict
    record: dict[str, Any] = {"action": action, "customers": customers, "status": found.status,
                              "drawn": drawn.num_rows, "claims": {}}
    if found.overall is not None:
        record["claims"] = _claims(found.overall, truth(world, second, drawn, ACTIONS[action]))
    return record


def draw(month: Month, seed: int) -> pa.Table:
    """Draw the groups of a month; the risk is the true one, which a model can only approach."""
    columns, risk = month.columns, month.decline_probability
    fallen = columns["activity"] == "fallen"
    meant = (columns["permission"] == "yes") & (fallen | (risk >= HIGH))
    ids = columns["id"][meant].astype(str)
    control = experiments.in_control(ids, key=f"key of store {seed}".encode(),
                                     campaign="programme", share=0.2)
    return pa.table({
        "id": ids, "campaign": ["programme"] * len(ids), "month": [month.name] * len(ids),
        "action": ["R5"] * len(ids), "treated": ~control, "fallen": fallen[meant],
        "risk": risk[meant],
    }, schema=ASSIGNMENTS)


def tables(month: Month) -> tuple[ibis.Table, ibis.Table]:
    """Part the customers of a month as `features` does: regular ones, and the others."""
    columns = {name: pa.array(month.columns[name]) for name in ("activity", *TOTALS.values())}
    table = pa.table({"id": month.columns["id"].astype(str)} | columns)
    regular = np.all([month.columns[name] > 0 for name in
                      ("revenue_current", "revenue_previous", "revenue_before_previous")], axis=0)
    others = table.filter(pa.array(~regular))
    others = others.append_column("reason", pa.array([verdict.NOT_REGULAR] * others.num_rows,
                                                     pa.string()))
    return ibis.memtable(table.filter(pa.array(regular))), ibis.memtable(others)


def truth(world: World, month: Month, drawn: pa.Table, action: Action) -> Truth:
    """Work out the effect from the columns of those drawn who are still there.

    Who leaves is chosen by chance alone, so those who stayed stand for all.
    """
    ids = month.columns["id"].astype(str)
    present = np.isin(ids, drawn.column("id").to_pylist())
    base = world.decline_probability(month.columns, month=1)[present]
    helped = expit(logit(base) + action.log_odds)
    gone, kept = STOP_SHARE * action.leaving, STOP_SHARE
    by_id = dict(zip(drawn.column("id").to_pylist(), drawn.column("fallen").to_pylist(),
                     strict=True))
    fallen = np.array([by_id[one] for one in ids[present]])

    def declined(own: np.ndarray) -> float:
        treated = gone + (1 - gone) * helped[own].mean()
        return float(treated - (kept + (1 - kept) * base[own].mean()))

    return Truth(
        decline=declined(np.ones(len(base), dtype=bool)),
        well={name: -declined(own) for name, own in (("fallen", fallen), ("alike", ~fallen))
              if own.any()},
        totals={name: float((kept - gone) * month.columns[column][present].mean())
                for name, column in TOTALS.items()},
    )


def _claims(effect: ProgrammeEffect, true: Truth) -> dict[str, list[float]]:
    def held(interval: Any, value: float) -> list[float]:
        return [interval.value, interval.low, interval.high, value]

    return {
        "decline": held(effect.decline.difference, true.decline),
        **{f"did well: {one.name}": held(one.well.difference, true.well[one.name])
           for one in effect.classes},
        **{one.name: held(one.mean.difference, true.totals[one.name]) for one in effect.totals},
    }


# ── Over all pairs ───────────────────────────────────────────────────────────────────────────────


def claims(records: Sequence[dict[str, Any]]) -> list[Claim]:
    """Tell how often each interval held the truth, and how often the verdict went wrong."""
    found = []
    for action, customers, own in groups(records):
        name = f"{action}, {customers:,}"
        judged = [record for record in own if record["claims"]]
        kinds = dict.fromkeys(kind for record in judged for kind in record["claims"])
        found += [
            Claim(f"interval of {kind}", name, Rate.of(
                low <= true <= high for record in judged if kind in record["claims"]
                for _, low, high, true in [record["claims"][kind]]), COVERAGE)
            for kind in kinds
        ]
        if action != "helps":
            found.append(Claim("called working", name, status_rate(own, "worked"), WRONG,
                               at_most=True))
        if action != "harms":
            found.append(Claim("called harmful", name, status_rate(own, "harmful"), WRONG,
                               at_most=True))
    return found


def groups(records: Sequence[dict[str, Any]]) -> Iterator[tuple[str, int, list[dict[str, Any]]]]:
    """Yield the records of each action and size."""
    for action in ACTIONS:
        for customers in SIZES:
            own = [record for record in records
                   if (record["action"], record["customers"]) == (action, customers)]
            if own:
                yield action, customers, own


def status_rate(records: Sequence[dict[str, Any]], status: str) -> Rate:
    """Tell how often a verdict was given."""
    return Rate.of(record["status"] == status for record in records)


def page(records: Sequence[dict[str, Any]], *, command: str) -> str:
    """Write the page; the same records give the same page."""
    found = claims(records)
    short = [one for one in found if not one.kept]
    lines = [
        "# What the verdict on last month's actions is worth", "", f"Made by `{command}`.", "",
        "Pairs of months of made-up stores (all six worlds in turn) in which the action really "
        "helps, does nothing or harms, and keeps customers from leaving or drives them away. "
        "**This shows that the code keeps its claims in these worlds**; a real store may break "
        "what they share, such as customers who do not influence each other. A claim is kept where "
        "the exact 99 % binomial interval of the rate includes its target or lies on the good side "
        "of it.", "",
        "## Verdicts", "",
        "| action | customers of the store | drawn, mean | worked | no evidence | harmful | none |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for action, customers, own in groups(records):
        drawn = np.mean([record["drawn"] for record in own])
        rates = [f"{status_rate(own, status).value:.1%}"
                 for status in ("worked", "no_evidence", "harmful", "none")]
        lines.append(f"| {action} | {customers:,} | {drawn:.0f} | {' | '.join(rates)} |")
    lines += ["", "## Bias", "",
              "Mean of (told − true) of the difference of the decline, in percentage points, with "
              "its 95 % interval.", "",
              "| action | customers of the store | true, mean | told − true |",
              "|---|---:|---:|---:|"]
    for action, customers, own in groups(records):
        pairs = np.array([record["claims"]["decline"] for record in own if record["claims"]])
        excess = 100 * (pairs[:, 0] - pairs[:, 3])
        half = 1.96 * excess.std(ddof=1) / np.sqrt(len(excess))
        lines.append(f"| {action} | {customers:,} | {100 * pairs[:, 3].mean():+.1f} | "
                     f"{excess.mean():+.2f} ± {half:.2f} |")
    lines += ["", "## Claims", "", f"{len(short) or 'None'} of {len(found)} fall short.", "",
              *HEADER, *(one.row for one in found)]
    return "\n".join(lines) + "\n"


@click.command()
@click.option("--pairs", default=PAIRS, show_default=True, help="Pairs of each action and size.")
@click.option("--page", "target", type=click.Path(dir_okay=False, path_type=Path),
              default="docs/verdicts.md", show_default=True)
@click.option("--processes", default=2, show_default=True)
def main(pairs: int, target: Path, processes: int) -> None:
    """Hold the verdict against pairs of months whose truth is known."""
    tasks = [(action, customers, seed) for action in ACTIONS for customers in SIZES
             for seed in range(pairs)]
    records = Parallel(n_jobs=processes)(delayed(measure)(*task) for task in tasks)
    command = "make simulate-verdicts" + ("" if pairs == PAIRS else f" PAIRS={pairs}")
    target.write_text(page(records, command=command), encoding="utf-8")
    click.echo(target)


if __name__ == "__main__":
    # Through the module's name, for the workers cannot find what belongs to a script.
    from simulation import loop

    loop.main()
