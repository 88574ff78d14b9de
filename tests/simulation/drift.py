"""Pairs of months of made-up stores of which it is known whether anything moved: is it told?

Run it by `PYTHONPATH=tests python -m simulation.drift`. The columns are those of the shipped
contract and the risk, each drawn on its own: that is the hardest case for a promise about all of
them together. A customer's value of a column remembers that of the month before more or less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import ibis
import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from reportgen.config import RISK
from reportgen.contract import Unit
from reportgen.trends import drift
from simulation.rates import HEADER, Claim, Rate
from simulation.stores import settings

PAIRS = 1_000

#: Customers of a month, and the part of the pairs that the largest stores get, for their time.
SIZES, LARGE, LARGE_PART = (100, 1_000, 50_000), 50_000, 4

#: Standard deviations by which one column moves; 0 where nothing does.
SHIFTS = (0.0, 0.2, 0.5)

#: Customers who are there in the next month too; as many new ones take the others' places.
STAY = 0.95

#: Correlation of a column with itself a month before, in turn over the contract's columns.
AUTOCORRELATIONS = (0.0, 0.5, 0.95)

#: A column that hardly ever changes, and one that everybody's grows by every month.
STEADY, STEADY_CORRELATION, AGE, MONTH_DAYS = "service_tier", 0.999, "days_registered", 30

#: Part of the pairs in which a column moves: a rate within ten points does for a power.
MOVED_PART = 10

WRONG = 0.05

Floats = NDArray[np.float64]


# ── One pair of months ───────────────────────────────────────────────────────────────────────────


def measure(customers: int, shift: float, seed: int) -> dict[str, Any]:
    """Draw one pair of months and measure what moved; the seed chooses the column that does."""
    rng = np.random.default_rng([customers, round(10 * shift), seed])
    correlation = AUTOCORRELATIONS[seed % len(AUTOCORRELATIONS)]
    moved = movable()[correlation] if shift else None
    engine = ibis.duckdb.connect(threads=1)
    before, now = (engine.create_table(name, table) for name, table in zip(
        ("before", "now"), draw(customers, moved, shift, rng), strict=True))
    found = drift.measure(before, now, settings(), month="2026-09",
                          columns=settings().features, seed=seed)
    engine.disconnect()
    own = next((one for one in found if one.column == moved), None)
    return {"customers": customers, "shift": shift, "correlation": correlation,
            "any": any(one.level != "none" for one in found),
            "psi": max(one.psi for one in found),
            "moved": None if own is None else {"level": own.level, "psi": own.psi}}


def correlations() -> dict[str, float]:
    """Give every column, the risk last, its correlation with itself a month before."""
    found = {name: AUTOCORRELATIONS[i % len(AUTOCORRELATIONS)]
             for i, name in enumerate(settings().features)}
    return found | {STEADY: STEADY_CORRELATION, RISK: AUTOCORRELATIONS[-1]}


def movable() -> dict[float, str]:
    """Name a column of money for each correlation: no value recurs, so bins take nothing away."""
    return {value: name for name, value in correlations().items()
            if name != RISK and settings().columns[name].unit == Unit.MONEY}


def draw(customers: int, moved: str | None, shift: float,
         rng: np.random.Generator) -> Iterator[pa.Table]:
    """Yield both months; columns are normal underneath, and one moves by some deviations."""
    gone = customers - round(STAY * customers)
    months: list[dict[str, Any]] = [{"id": np.arange(customers).astype(str)},
                                    {"id": np.arange(gone, customers + gone).astype(str)}]
    for name, correlation in correlations().items():
        if name == AGE:
            ages = rng.geometric(1 - STAY, customers) * MONTH_DAYS - rng.integers(
                1, MONTH_DAYS + 1, customers)
            new = rng.integers(0, MONTH_DAYS, gone)
            sides = ages, np.concatenate((ages[gone:] + MONTH_DAYS, new))
        else:
            before, fresh = rng.standard_normal((2, customers))
            kept = correlation * before[gone:] + np.sqrt(1 - correlation**2) * fresh[gone:]
            now = np.concatenate((kept, fresh[:gone])) + (shift if name == moved else 0.0)
            sides = shown(name, before), shown(name, now)
        for month, values in zip(months, sides, strict=True):
            month[name] = values
    for month in months:
        yield pa.table({name: pa.array(values, from_pandas=True) if values.dtype.kind == "U"
                        else pa.array(values, pa.float64(), from_pandas=True)
                        for name, values in month.items()})


def shown(name: str, normal: Floats) -> NDArray[Any]:
    """Give a normal number the looks of a column: values, ties, limits, missing ones."""
    if name == RISK:
        return ndtr(normal)
    column = settings().columns[name]
    if column.values:
        values = np.array(list(column.values))
        shares = 1 / np.arange(1, len(values) + 1)
        return values[np.searchsorted(np.cumsum(shares / shares.sum())[:-1], ndtr(normal))]
    if column.unit == Unit.MONEY:
        return np.exp(8 + normal)
    if column.unit == Unit.SHARE:
        return np.clip(0.4 + 0.3 * normal, 0, 1)
    if column.unit == Unit.RELATIVE_CHANGE:
        return np.where(normal < -1.64, np.nan, np.expm1(normal / 2))
    return np.floor(np.exp(0.5 + normal))


def true_psi(shift: float) -> float:
    """Work out the index of a shifted normal distribution, in the bins of very large months."""
    def edge(share: float) -> float:
        return float(brentq(lambda x: (ndtr(x) + ndtr(x - shift)) / 2 - share, -9, 9))

    edges = np.array([edge(k / drift.BINS) for k in range(1, drift.BINS)])
    p, q = (np.diff(ndtr(edges - by), prepend=0.0, append=1.0) for by in (0.0, shift))
    return float(((p - q) * np.log(p / q)).sum())


# ── Over all pairs ───────────────────────────────────────────────────────────────────────────────


def tasks(pairs: int) -> Iterator[tuple[int, float, int]]:
    """Yield size, shift and seed of every pair of months."""
    for customers in SIZES:
        own = pairs // LARGE_PART if customers == LARGE else pairs
        for shift in SHIFTS:
            # A multiple of the correlations, so that each is moved as often as the others.
            moved = len(AUTOCORRELATIONS) * max(own // MOVED_PART, 1)
            yield from ((customers, shift, seed) for seed in range(moved if shift else own))


def group(records: Sequence[dict[str, Any]], **wanted: float) -> list[dict[str, Any]]:
    """Choose the records that have these figures."""
    return [one for one in records if all(one[key] == value for key, value in wanted.items())]


def claims(records: Sequence[dict[str, Any]]) -> list[Claim]:
    """Tell how often any column was reported where none had moved."""
    return [Claim("any column reported, none moved", f"{customers:,} customers",
                  Rate.of(one["any"] for one in group(records, customers=customers, shift=0.0)),
                  WRONG, at_most=True)
            for customers in SIZES]


def page(records: Sequence[dict[str, Any]], *, command: str) -> str:
    """Write the page; the same records give the same page."""
    found = claims(records)
    short = [one for one in found if not one.kept]
    return "\n".join([
        "# What the drift of the columns is worth", "", f"Made by `{command}`.", "",
        "Pairs of months of made-up stores with the columns of the shipped contract and the risk, "
        f"{len(correlations())} in all: categories, counts with many ties, shares that pile up at "
        "their ends, money, columns with missing values. Each is drawn on its own, which is the "
        "hardest case for a promise about all of them together. "
        f"{STAY:.0%} of the customers stay and keep a part of their values: the correlation with "
        f"the month before is {', '.join(f'{one:g}' for one in AUTOCORRELATIONS)} in turn, "
        f"{STEADY_CORRELATION} for the service tier, and the days since registration grow by "
        f"{MONTH_DAYS} for all who stay, while new customers begin at 0. As many come as leave. "
        f"Months of {LARGE:,} customers are fewer, for they take their time. **This shows that the "
        "code keeps its claim in these stores**; a real store may break what they share, such as "
        "customers who do not influence each other. The claim is kept where the exact 99 % "
        "binomial interval of the rate includes its target or lies on the good side of it.", "",
        "## Nothing moved", "",
        "How often at least one column of a pair of months is reported although every column has "
        "the same distribution in both: by the test, as the report does it, and by the bare "
        "conventions for the same indices.", "",
        "| customers | pairs | by the test | PSI above 0.1 | PSI above 0.25 | largest PSI, mean |",
        "|---:|---:|---:|---:|---:|---:|", *_nothing_moved(records), "",
        "## One column moved", "",
        "A column of money moves by a part of its standard deviation (before it is put on the "
        "scale of money), the others do not. Found: the test reports this column. The true PSI is "
        "that of very large months. The level is that of the PSI as it is printed, so in the "
        "smallest stores, where only a large PSI is beyond chance, it says more than is true.", "",
        "| customers | shift | correlation | pairs | found | true PSI | PSI, mean "
        "| small | moderate | strong |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|", *_one_moved(records), "",
        "## Claims", "", f"{len(short) or 'None'} of {len(found)} fall short.", "",
        HEADER[0].replace("world", "months").replace("stores", "pairs"), HEADER[1],
        *(one.row for one in found)]) + "\n"


def _nothing_moved(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    for customers in SIZES:
        own = group(records, customers=customers, shift=0.0)
        rates = [np.mean(reported) for reported in (
            [one["any"] for one in own], [one["psi"] > drift.MODERATE for one in own],
            [one["psi"] > drift.STRONG for one in own])]
        yield (f"| {customers:,} | {len(own):,} | {' | '.join(f'{rate:.1%}' for rate in rates)} "
               f"| {np.mean([one['psi'] for one in own]):.4f} |")


def _one_moved(records: Sequence[dict[str, Any]]) -> Iterator[str]:
    for customers in SIZES:
        for shift in SHIFTS[1:]:
            for correlation in AUTOCORRELATIONS:
                own = [one["moved"] for one in group(
                    records, customers=customers, shift=shift, correlation=correlation)]
                levels = [np.mean([one["level"] == level for one in own])
                          for level in ("none", "small", "moderate", "strong")]
                yield (f"| {customers:,} | {shift:g} | {correlation:g} | {len(own)} "
                       f"| {1 - levels[0]:.0%} | {true_psi(shift):.3f} "
                       f"| {np.mean([one['psi'] for one in own]):.3f} "
                       f"| {' | '.join(f'{share:.0%}' for share in levels[1:])} |")


@click.command()
@click.option("--pairs", default=PAIRS, show_default=True,
              help=f"Pairs of months of each size in which nothing moves; a {LARGE_PART}th of "
                   f"them for {LARGE:,} customers.")
@click.option("--page", "target", type=click.Path(dir_okay=False, path_type=Path),
              default="docs/drift.md", show_default=True)
@click.option("--processes", default=1, show_default=True)
def main(pairs: int, target: Path, processes: int) -> None:
    """Hold the drift against pairs of months whose truth is known."""
    records = Parallel(n_jobs=processes)(delayed(measure)(*task) for task in tasks(pairs))
    command = "PYTHONPATH=tests python -m simulation.drift" + (
        "" if pairs == PAIRS else f" --pairs {pairs}")
    target.write_text(page(records, command=command), encoding="utf-8")
    click.echo(target)


if __name__ == "__main__":
    # Through the module's name, for the workers cannot find what belongs to a script.
    from simulation import drift as command

    command.main()
