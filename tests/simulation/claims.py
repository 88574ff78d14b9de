"""What the records of many stores say about each claim of the report.

Records (a dictionary a store) come in, claims go out: a rate each, with its target.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from simulation.factors import INTERVALS
from simulation.rates import Claim, Rate

COVERAGE = 0.95
REFUSALS_OF_NOISE = 0.99
NOISE_NAMED = 0.05
STRONG_NAMED = 0.95

#: A true driver that alone reaches this ROC-AUC is strong; a column at 0.5 has nothing to tell.
STRONG, NOTHING = 0.75, 0.5

#: The world whose columns tell nothing.
NOISE = "noise"

Record = dict[str, Any]
Factor = dict[str, Any]


def by_world(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Sort the records by world, in the order in which the worlds turn up."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record["world"], []).append(record)
    return found


# ── Intervals ────────────────────────────────────────────────────────────────────────────────────


def coverage(records: Sequence[Record]) -> list[Claim]:
    """Tell for each kind of interval and world how often the truth lay inside."""
    claims = []
    for world, own in by_world(records).items():
        found: dict[str, list[bool]] = defaultdict(list)
        for record in own:
            for kind, (_, low, high, true) in record["claims"].items():
                found[kind].append(low <= true <= high)
        found |= _explained(own)
        claims += [Claim(kind, world, Rate.of(outcomes), COVERAGE)
                   for kind, outcomes in found.items()]
    return claims


def _explained(records: Sequence[Record]) -> dict[str, list[bool]]:
    """Hold intervals of an explanation against their truth.

    Importance and effect speak about the procedure: their truth is the mean over the stores. The
    fall of the ROC-AUC when a column is shuffled speaks about the models at hand.
    """
    found: dict[str, list[bool]] = {}
    for column in INTERVALS:
        factors = [f for f in _factors(records) if f["column"] == column]
        for figure in ("importance", "effect", "permutation"):
            bounds = np.array([f[figure] for f in factors if f.get(figure)])
            if len(bounds):
                true = bounds[:, 3] if bounds.shape[1] > 3 else bounds[:, 0].mean()
                inside = (bounds[:, 1] <= true) & (true <= bounds[:, 2])
                found[f"factors: {figure} of {column}"] = inside.tolist()
    return found


# ── The gate and the factors ─────────────────────────────────────────────────────────────────────


def refusals(records: Sequence[Record]) -> dict[str, Rate]:
    """Tell how often the gate closes in each world."""
    return {world: Rate.of(not record["open"] for record in own)
            for world, own in by_world(records).items()}


def gate_and_factors(records: Sequence[Record]) -> list[Claim]:
    """Everything that is claimed about the gate, the signals and the factors."""
    return list(_about_noise(records)) + list(_about_nothing(records)) + list(_strong(records))


def _about_noise(records: Sequence[Record]) -> Iterator[Claim]:
    noise = by_world(records).get(NOISE)
    if not noise:
        return
    yield Claim("the gate is closed", NOISE, refusals(noise)[NOISE], REFUSALS_OF_NOISE)
    if told := [record["confirmed"] for record in noise if "confirmed" in record]:
        yield Claim("a signal is confirmed or called opposite", NOISE, Rate.of(told),
                    NOISE_NAMED, at_most=True)
    explained = _explained_only(noise)
    if explained:
        yield Claim("the report names a factor", NOISE, Rate.of(
            record["open"] and any(f["headlined"] for f in record["factors"])
            for record in explained), NOISE_NAMED, at_most=True)


def _about_nothing(records: Sequence[Record]) -> Iterator[Claim]:
    """Columns that have nothing to tell must not be named, even where the gate were open."""
    for world, own in by_world(_explained_only(records)).items():
        yield Claim(
            "a column without any signal is named", world,
            Rate.of(any(f["headlined"] for f in record["factors"] if f["strength"] == NOTHING)
                    for record in own), NOISE_NAMED, at_most=True)


def _strong(records: Sequence[Record]) -> Iterator[Claim]:
    """Strong drivers must be named with their sign, themselves or by the leader of their group."""
    for world, own in by_world(_explained_only(records)).items():
        outcomes: dict[str, list[bool]] = defaultdict(list)
        for factor in _factors(own):
            if factor["strength"] > STRONG and factor["direct"] and not factor["category"]:
                outcomes[factor["column"]].append(rightly(factor) or factor["group_rightly"])
        for column, found in outcomes.items():
            yield Claim(f"{column}, or the column that leads its group, is named with its sign",
                        world, Rate.of(found), STRONG_NAMED)


def alone(records: Sequence[Record]) -> Iterator[tuple[str, str, Rate]]:
    """Tell how often each strong driver is named with its sign by itself: column, world, rate."""
    for world, own in by_world(_explained_only(records)).items():
        outcomes: dict[str, list[bool]] = defaultdict(list)
        for factor in _factors(own):
            if factor["strength"] > STRONG and factor["direct"] and not factor["category"]:
                outcomes[factor["column"]].append(rightly(factor))
        for column, found in outcomes.items():
            yield column, world, Rate.of(found)


def numbers_with_signal(records: Sequence[Record]) -> list[Factor]:
    """All columns of numbers in the worlds that have any signal."""
    return [factor for record in _explained_only(records) if record["world"] != NOISE
            for factor in record["factors"] if not factor["category"]]


def rightly(factor: Factor) -> bool:
    """Whether the column is named, with its sign."""
    return bool(factor["headlined"] and factor["right"])


def vaguely(factor: Factor) -> bool:
    """Whether the column is named without a direction."""
    return bool(factor["headlined"] and factor["direction"] == "unclear")


def wrongly(factor: Factor) -> bool:
    """Whether the column is named with the wrong sign."""
    return bool(factor["headlined"]) and not vaguely(factor) and not rightly(factor)


def _explained_only(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if "factors" in record]


def _factors(records: Sequence[Mapping[str, Any]]) -> Iterator[Factor]:
    return (factor for record in records for factor in record.get("factors", ()))
