"""The page about the simulation, written from the records of all stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from simulation import claims
from simulation.claims import Factor, Record
from simulation.rates import HEADER, Claim

#: Bounds of the declared strengths between which the power curve is told.
POWER = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.85)

#: Largest chance that a rate is marked although its coverage is right.
BY_CHANCE = 0.005


def write(records: Sequence[Record], *, command: str) -> str:
    """Write the page; the same records give the same page."""
    covered, others = claims.coverage(records), claims.gate_and_factors(records)
    parts = (_opening(records, command), _verdict([*covered, *others]),
             _coverage(records, covered), _gate(records), _factors(records, others),
             _bias(records), _everything([*covered, *others]))
    return "\n".join(line for part in parts for line in part) + "\n"


def _opening(records: Sequence[Record], command: str) -> Iterator[str]:
    counts = ", ".join(f"{world} {len(own)}" for world, own in claims.by_world(records).items())
    yield from (
        "# What the report's claims are worth", "", f"Made by `{command}`.", "",
        "Made-up stores whose truth is known go through the stages of the report, with a fixed "
        "family (a logistic regression) instead of the search; what the report says is held "
        "against that truth. **This shows that the code keeps its claims in these worlds. It does "
        "not show that the figures of a real store are right**: a real store may break what all of "
        "these worlds share, such as customers who do not influence each other.", "",
        f"Stores of 1,300 customers: {counts}. A claim is kept where the exact 99 % binomial "
        "interval of the observed rate includes its target or lies on the good side of it; "
        "✗ marks one that is not.")


def _verdict(found: Sequence[Claim]) -> Iterator[str]:
    short = [one for one in found if not one.kept]
    yield from ("", "## Which claims fall short?", "")
    yield (f"{len(short) or 'None'} of {len(found)}. Were every rate exactly at its target, up to "
           f"{BY_CHANCE * len(found):.1f} would be marked by chance.")
    if short:
        yield from ("", *HEADER, *(one.row for one in short))


def _coverage(records: Sequence[Record], covered: Sequence[Claim]) -> Iterator[str]:
    sizes = {world: len(own) for world, own in claims.by_world(records).items()}
    found = {(one.name, one.world): one for one in covered}
    yield from (
        "", "## Do 95 % intervals cover?", "",
        "Share of stores whose interval holds the truth, in percent; more than 95 is on the good "
        "side. *Procedure* is judged out of fold (truth: the mean over the models of the folds, "
        "each on a population of its world), *held out* on the test part of one split (truth: "
        "that model on the population). The truth of *factors* is the mean over all stores, that "
        "of a permutation the fall on the population. "
        "*Signals* are tested together and told by the interval that fits its truth worst. The "
        "acceptance of an offer is drawn anew for every store, and *money* is held against what "
        "the same rules earn on the population with it. EMPC and MPC choose their cut-off on the "
        "customers they are measured on, and lie too high for it. The number of stores behind a "
        "rate is that of its world unless it stands in brackets.", "",
        "| interval | " + " | ".join(sizes) + " |", "|---|" + "---:|" * len(sizes))
    for kind in sorted({name for name, _ in found}):
        cells = [_cell(found.get((kind, world)), size) for world, size in sizes.items()]
        yield f"| {kind} | " + " | ".join(cells) + " |"


def _cell(one: Claim | None, stores: int) -> str:
    if one is None:
        return "–"
    count = f" ({one.rate.n})" if one.rate.n != stores else ""
    return f"{100 * one.rate.value:.1f}{count}{'' if one.kept else ' ✗'}"


def _gate(records: Sequence[Record]) -> Iterator[str]:
    yield from ("", "## When does the gate close?", "",
                f"The claim is about the world {claims.NOISE}, whose columns tell nothing: at "
                f"least {claims.REFUSALS_OF_NOISE:.0%}. Elsewhere a closed gate withholds a model "
                "that is better than chance.", "",
                "| world | closed | by permutation | by the floor | by the best column |",
                "|---|---:|---:|---:|---:|")
    closed = claims.refusals(records)
    for world, own in claims.by_world(records).items():
        by = [f"{np.mean([reason in r['closed_by'] for r in own]):.1%}"
              for reason in ("permutation", "floor", "baseline")]
        yield f"| {world} | {closed[world]} | {' | '.join(by)} |"


# ── Factors ──────────────────────────────────────────────────────────────────────────────────────


def _factors(records: Sequence[Record], others: Sequence[Claim]) -> Iterator[str]:
    yield from ("", "## Are the right factors named?", "")
    if not any("factors" in record for record in records):
        yield "No store was explained."
        return
    yield ("As if the gate were open everywhere, but for «the report names a factor»; in the "
           "report a closed gate names none. Columns are those that the worlds declare, by the "
           f"ROC-AUC that each reaches alone; a true driver above {claims.STRONG} is strong.")
    yield from ("", *HEADER, *(one.row for one in others))
    yield from ("", "Strong drivers named with their sign by themselves:", "")
    yield from (f"- {column}, {world}: {rate}" for column, world, rate in claims.alone(records))
    yield from _power(claims.numbers_with_signal(records))


def _power(factors: Sequence[Factor]) -> Iterator[str]:
    yield from ("", "How often a number is named, by its declared strength alone, over all "
                "worlds but that of noise (in brackets: columns times stores). True drivers are "
                "the columns that the class hangs on; the others only go together with them.", "",
                "| ROC-AUC alone | true driver named with its sign | named without direction | "
                "named with the wrong sign | other column named |", "|---|---:|---:|---:|---:|")
    for low, high in zip(POWER, POWER[1:], strict=False):
        own = [factor for factor in factors if low <= factor["strength"] < high]
        drivers = [factor for factor in own if factor["direct"]]
        others = [factor for factor in own if not factor["direct"]]
        cells = [_part(drivers, told)
                 for told in (claims.rightly, claims.vaguely, claims.wrongly)]
        yield (f"| {low:.2f} to {high:.2f} | {' | '.join(cells)} | "
               f"{_part(others, lambda factor: factor['headlined'])} |")
    null = [factor["effect_above_zero"] for factor in factors
            if factor["strength"] == claims.NOTHING]
    if null:
        yield from ("", "The effect of a number without any signal is said to be above zero in "
                    f"{np.mean(null):.1%} of {len(null)} cases (5 % by chance).")


def _part(factors: Sequence[Factor], told: Callable[[Factor], bool]) -> str:
    if not factors:
        return "–"
    return f"{np.mean([told(factor) for factor in factors]):.1%} ({len(factors)})"


# ── Profit ───────────────────────────────────────────────────────────────────────────────────────


def _bias(records: Sequence[Record]) -> Iterator[str]:
    worlds = claims.by_world(records)
    yield from ("", "## Is expected profit promised too high?", "",
                "Mean of (promised − true) over the mean true profit, with its 95 % interval; the "
                "truth is what the same rule earns on the population at the mean acceptance.", "",
                "| campaign | " + " | ".join(worlds) + " |", "|---|" + "---:|" * len(worlds))
    for name in records[0]["biases"]:
        cells = []
        for own in worlds.values():
            pairs = np.array([record["biases"][name] for record in own])
            excess = pairs[:, 0] - pairs[:, 1]
            scale = abs(pairs[:, 1].mean()) or 1.0
            half = 1.96 * excess.std(ddof=1) / np.sqrt(len(excess)) if len(excess) > 1 else np.nan
            cells.append(f"{excess.mean() / scale:+.1%} ± {half / scale:.1%}")
        yield f"| {name} | " + " | ".join(cells) + " |"


def _everything(found: Sequence[Claim]) -> Iterator[str]:
    yield from ("", "## Every claim", "", *HEADER,
                *(one.row for one in sorted(found, key=lambda one: one.name)))
