"""How often something happened, and whether a claim about it is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scipy.stats import beta

_CONFIDENCE = 0.99


@dataclass(frozen=True)
class Rate:
    """How often something happened, with its exact 99 % interval (Clopper and Pearson, 1934)."""

    hits: int
    n: int

    @classmethod
    def of(cls, outcomes: Iterable[bool]) -> Rate:
        found = list(outcomes)
        return cls(sum(found), len(found))

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

    def __str__(self) -> str:
        return f"{self.value:.1%} ({self.low:.1%} to {self.high:.1%}, {self.n} stores)"


@dataclass(frozen=True)
class Claim:
    """A rate that must reach a target, or must not exceed it (``at_most``)."""

    name: str
    world: str
    rate: Rate
    target: float
    at_most: bool = False

    @property
    def kept(self) -> bool:
        """Whether the rate's interval includes the target or lies on the good side of it."""
        return self.rate.low <= self.target if self.at_most else self.rate.high >= self.target

    @property
    def row(self) -> str:
        """A row of a table: claim, world, target, stores, rate, its interval, verdict."""
        side = "at most" if self.at_most else "at least"
        rate = self.rate
        return (f"| {self.name} | {self.world} | {side} {self.target:.0%} | {rate.n} | "
                f"{rate.value:.1%} | {rate.low:.1%} to {rate.high:.1%} | "
                f"{'kept' if self.kept else '✗'} |")


HEADER = ("| claim | world | target | stores | rate | 99 % interval | verdict |",
          "|---|---|---|---:|---:|---|---|")
"""First lines of a table of claims."""
