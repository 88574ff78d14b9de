"""What the records of many stores say about each claim of the report.

Records (a dictionary a store) come in; a page of Markdown goes out. A claim is kept where the exact
99 % binomial interval of the observed rate includes its target or lies on the good side of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

COVERAGE = 0.95
REFUSALS_OF_NOISE = 0.99
NOISE_HEADLINED = 0.05
STRONG_HEADLINED = 0.95

#: A true driver that alone reaches this ROC-AUC is strong; a column at 0.5 has nothing to tell.
STRONG, NOTHING = 0.75, 0.5

#: Bounds of the declared strengths between which the power curve is told.
POWER = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.85)

_CONFIDENCE = 0.99


@dataclass(frozen=True)
class Rate:
    """How often something happened, with its exact 99 % interval (Clopper and Pearson, 1934)."""

    hits: int
    n: int

    @property
    def value(self) -> float:
        return self.hits / self.n if self.n else float("nan")

    @property
    def low(self) -> float:
        tail = (1 - _CONFIDENCE) / 2
        return float(beta.ppf(tail, self.hits, self.n - self.hits + 1)) if self.hits else 0.0

    @property
    def high(self) -> float:
        tail = (1 - _CONFIDENCE) / 2
        if self.hits == self.n:
            return 1.0
        return float(beta.ppf(1 - tail, self.hits + 1, self.n - self.hits))

    def at_least(self, target: float) -> bool:
        return self.high >= target

    def at_most(self, target: float) -> bool:
        return self.low <= target

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, {self.n} stores)"


def rate(outcomes: Iterable[bool]) -> Rate:
    found = list(outcomes)
    return Rate(sum(found), len(found))


def page(records: Sequence[dict[str, Any]], *, command: str) -> str:
    """Write the page."""
    worlds = list(dict.fromkeys(record["world"] for record in records))
    return "\n".join([*_opening(records, worlds, command), *_coverage(records, worlds),
                      *_gate(records, worlds), *_factors(records, worlds),
                      *_bias(records, worlds)]) + "\n"


def _opening(records: Sequence[dict[str, Any]], worlds: Sequence[str],
             command: str) -> Iterator[str]:
    yield "# What the report's claims are worth"
    yield ""
    yield f"Made by `{command}`."
    yield ""
    yield ("Made-up stores whose truth is known go through the stages of the report, with a fixed "
           "family (a logistic regression) instead of the search; what the report says is held "
           "against that truth. This shows that the code keeps its claims in these worlds. It "
           "does not show that the figures of a real store are right: a real store may break "
           "what all of these worlds share, such as customers who do not influence each other.")
    yield ""
    counts = ", ".join(f"{world} {sum(r['world'] == world for r in records)}" for world in worlds)
    yield (f"Stores of 1,300 customers: {counts}. A claim is kept where the exact 99 % binomial "
           "interval of the observed rate includes its target or lies on the good side of it; "
           "✗ marks one that is not.")


def _coverage(records: Sequence[dict[str, Any]], worlds: Sequence[str]) -> Iterator[str]:
    found: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        for kind, (_, low, high, true) in record["claims"].items():
            found[kind][record["world"]].append(low <= true <= high)
    yield from ("", "## Do 95 % intervals cover?", "",
                "Share of stores whose interval holds the truth, in percent; more than 95 is on "
                "the good side. «Procedure» is judged out of fold (truth: the mean over the models "
                "of the folds), «held out» on the test part of one split. The number of stores "
                "behind a rate is that of its world unless it stands in brackets.", "",
                "| interval | " + " | ".join(worlds) + " |", "|---|" + "---:|" * len(worlds))
    short = []
    for kind in sorted(found):
        cells = []
        for world in worlds:
            one = rate(found[kind].get(world, []))
            full = sum(record["world"] == world for record in records)
            count = f" ({one.n})" if one.n != full else ""
            kept = one.at_least(COVERAGE) if one.n else True
            cells.append(f"{100 * one.value:.1f}{count}{'' if kept else ' ✗'}" if one.n else "–")
            if not kept:
                short.append(f"- {kind}, {world}: {one}")
        yield f"| {kind} | " + " | ".join(cells) + " |"
    yield ""
    yield "Falling short:" if short else "None falls short."
    yield from ("", *short) if short else ()


def _gate(records: Sequence[dict[str, Any]], worlds: Sequence[str]) -> Iterator[str]:
    yield from ("", "## When does the gate close?", "",
                "| world | closed | by permutation | by the floor | by the best column | claim |",
                "|---|---:|---:|---:|---:|---|")
    for world in worlds:
        own = [record for record in records if record["world"] == world]
        closed = rate(not record["open"] for record in own)
        by = [f"{np.mean([reason in r['closed_by'] for r in own]):.1%}"
              for reason in ("permutation", "floor", "baseline")]
        claim = "–"
        if world == "noise":
            kept = closed.at_least(REFUSALS_OF_NOISE)
            claim = f"at least {REFUSALS_OF_NOISE:.0%}: {'kept' if kept else '✗'}"
        yield f"| {world} | {closed} | {' | '.join(by)} | {claim} |"


def _factors(records: Sequence[dict[str, Any]], worlds: Sequence[str]) -> Iterator[str]:
    explained = [record for record in records if "factors" in record]
    yield from ("", "## Are the right factors named?", "")
    if not explained:
        yield "No store was explained."
        return
    yield ("As if the gate were open everywhere; in the report a closed gate names no factor. "
           "Columns are those that the worlds declare, by the ROC-AUC that each reaches alone.")
    yield from ("", "| claim | world | rate | target | verdict |", "|---|---|---|---|---|")
    for world in worlds:
        own = [record for record in explained if record["world"] == world]
        nothing = rate(any(f["headlined"] for f in record["factors"] if f["strength"] == NOTHING)
                       for record in own)
        if nothing.n:
            kept = nothing.at_most(NOISE_HEADLINED)
            yield (f"| a column without any signal is named | {world} | {nothing} | "
                   f"at most {NOISE_HEADLINED:.0%} | {'kept' if kept else '✗'} |")
    shown = rate(record["open"] and any(f["headlined"] for f in record["factors"])
                 for record in explained if record["world"] == "noise")
    if shown.n:
        yield (f"| the report names a factor | noise | {shown} | at most {NOISE_HEADLINED:.0%} | "
               f"{'kept' if shown.at_most(NOISE_HEADLINED) else '✗'} |")
    for world in worlds:
        yield from _strong(world, [r for r in explained if r["world"] == world])
    yield from _power(explained)


def _strong(world: str, records: Sequence[dict[str, Any]]) -> Iterator[str]:
    alone: dict[str, list[bool]] = defaultdict(list)
    together: dict[str, list[bool]] = defaultdict(list)
    for record in records:
        for factor in record["factors"]:
            if factor["strength"] > STRONG and factor["direct"] and not factor["category"]:
                alone[factor["column"]].append(_rightly(factor))
                together[factor["column"]].append(
                    _rightly(factor) or (factor["group_headlined"] and not factor["headlined"]))
    for column, outcomes in alone.items():
        one, group = rate(outcomes), rate(together[column])
        kept = group.at_least(STRONG_HEADLINED)
        yield (f"| {column} is named with its sign, itself or by the column that leads its group | "
               f"{world} | {group}; itself {one.value:.1%} | at least {STRONG_HEADLINED:.0%} | "
               f"{'kept' if kept else '✗'} |")


def _power(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("", "How often a number is named, by its declared strength alone, over all "
                "worlds but the one of noise. True drivers are the columns that the class hangs "
                "on; the others only go together with them.", "",
                "| ROC-AUC alone | true driver named with its sign | named without direction | "
                "named with the wrong sign | other column named |", "|---|---:|---:|---:|---:|")
    factors = [f for record in records if record["world"] != "noise" for f in record["factors"]
               if not f["category"]]
    for low, high in zip(POWER, POWER[1:], strict=False):
        own = [f for f in factors if low <= f["strength"] < high]
        drivers = [f for f in own if f["direct"]]
        yield (f"| {low:.2f} to {high:.2f} | "
               + " | ".join(_part(drivers, told) for told in (_rightly, _vaguely, _wrongly))
               + f" | {_part([f for f in own if not f['direct']], _named)} |")
    null = [f["effect_above_zero"] for f in factors if f["strength"] == NOTHING]
    if null:
        yield from ("", f"The effect of a number without any signal is said to be above zero in "
                    f"{np.mean(null):.1%} of {len(null)} cases (5 % by chance).")


def _part(factors: Sequence[dict[str, Any]], told: Callable[[dict[str, Any]], bool]) -> str:
    if not factors:
        return "–"
    return f"{np.mean([told(factor) for factor in factors]):.1%} ({len(factors)})"


def _named(factor: dict[str, Any]) -> bool:
    return bool(factor["headlined"])


def _rightly(factor: dict[str, Any]) -> bool:
    return _named(factor) and bool(factor["right"])


def _vaguely(factor: dict[str, Any]) -> bool:
    return _named(factor) and factor["direction"] == "unclear"


def _wrongly(factor: dict[str, Any]) -> bool:
    return _named(factor) and not _vaguely(factor) and not _rightly(factor)


def _bias(records: Sequence[dict[str, Any]], worlds: Sequence[str]) -> Iterator[str]:
    yield from ("", "## Is expected profit promised too high?", "",
                "Mean of (promised − true) over the mean true profit, with its 95 % interval.", "",
                "| campaign | " + " | ".join(worlds) + " |", "|---|" + "---:|" * len(worlds))
    for name in records[0]["biases"]:
        cells = []
        for world in worlds:
            pairs = np.array([r["biases"][name] for r in records if r["world"] == world])
            excess = pairs[:, 0] - pairs[:, 1]
            scale = abs(pairs[:, 1].mean()) or 1.0
            half = 1.96 * excess.std(ddof=1) / np.sqrt(len(excess)) if len(excess) > 1 else np.nan
            cells.append(f"{excess.mean() / scale:+.1%} ± {half / scale:.1%}")
        yield f"| {name} | " + " | ".join(cells) + " |"
