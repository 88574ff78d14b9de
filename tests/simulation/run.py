"""Run the simulation: `make simulate`.

A record a store is appended to a file; a second start goes on where the first stopped. At the end,
or when the minutes are over, docs/simulation.md is written from all records.
"""

from __future__ import annotations

import json
import time
import warnings
from pathlib import Path
from typing import Any

import click
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from reportgen.demo import WORLDS
from simulation import claims, measures

#: Every so many stores, one is explained as well: that takes five times as long as all else.
EXPLAINED = 25

#: Stores handed to the processes at once; the minutes are looked at in between.
BATCH = 24


@click.command()
@click.option("--stores", default=1_000, show_default=True, help="Stores of each world.")
@click.option("--minutes", default=60.0, show_default=True, help="When to stop at the latest.")
@click.option("--records", type=click.Path(dir_okay=False, path_type=Path),
              default="output/simulation.jsonl", show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path),
              default="docs/simulation.md", show_default=True)
@click.option("--processes", default=2, show_default=True)
def main(stores: int, minutes: float, records: Path, page: Path, processes: int) -> None:
    """Hold the report's claims against the truth of made-up stores."""
    found = _read(records)
    done = {(record["world"], record["seed"]) for record in found}
    tasks = [(world, seed) for seed in range(stores) for world in WORLDS
             if (world, seed) not in done]
    records.parent.mkdir(parents=True, exist_ok=True)
    _end_last_line(records)
    until = time.monotonic() + 60 * minutes
    with records.open("a", encoding="utf-8") as file, Parallel(n_jobs=processes) as parallel:
        for start in range(0, len(tasks), BATCH):
            if time.monotonic() > until:
                break
            made = parallel(delayed(_measure)(*task) for task in tasks[start : start + BATCH])
            file.writelines(json.dumps(record) + "\n" for record in made)
            file.flush()
            found += made
            click.echo(f"\r{len(found)} of {stores * len(WORLDS)} stores", nl=False, err=True)
    click.echo(err=True)
    found.sort(key=lambda record: (list(WORLDS).index(record["world"]), record["seed"]))
    page.write_text(claims.page(found, command="make simulate"), encoding="utf-8")
    click.echo(page)


def _measure(world: str, seed: int) -> dict[str, Any]:
    warnings.simplefilter("error")
    with threadpool_limits(1):
        return measures.measure(world, seed, explain=seed % EXPLAINED == 0)


def _read(path: Path) -> list[dict[str, Any]]:
    """Read the records of earlier starts; a line cut off by a stop is left out."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return found


def _end_last_line(path: Path) -> None:
    """Close a line that a stop cut off, so that the next record gets one of its own."""
    if path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")


if __name__ == "__main__":
    main()
