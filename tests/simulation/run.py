"""Run the simulation: `make simulate`.

A record a store is appended to a file; a second start goes on where the first stopped. At the end,
or when the minutes are over, docs/simulation.md is written from all records. Records of another
state of the code are left aside: the page speaks of one.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from joblib import Parallel, delayed

from reportgen import config
from reportgen.demo import WORLDS
from simulation import measures, page
from simulation.measures import Depth

#: Every so many stores, what takes longer is asked as well: differences between models, and the
#: factors, which take three times as long as all else. The world of noise has more, for its claim
#: is about the few that go wrong.
CONTRASTS, FACTORS, FACTORS_OF_NOISE = 5, 10, 5

STORES, MINUTES = 1_000, 60.0

Task = tuple[str, int]
"""World and seed."""


@click.command()
@click.option("--stores", default=STORES, show_default=True, help="Stores of each world.")
@click.option("--minutes", default=MINUTES, show_default=True, help="When to stop at the latest.")
@click.option("--records", type=click.Path(dir_okay=False, path_type=Path),
              default="output/simulation.jsonl", show_default=True)
@click.option("--page", "target", type=click.Path(dir_okay=False, path_type=Path),
              default="docs/simulation.md", show_default=True)
@click.option("--processes", default=2, show_default=True)
def main(stores: int, minutes: float, records: Path, target: Path, processes: int) -> None:
    """Hold the report's claims against the truth of made-up stores."""
    until, state = time.monotonic() + 60 * minutes, code()
    found = _read(records, state)
    done = {(record["world"], record["seed"]) for record in found}
    tasks = [(world, seed) for seed in range(stores) for world in WORLDS
             if (world, seed) not in done]
    records.parent.mkdir(parents=True, exist_ok=True)
    _end_last_line(records)
    parallel = Parallel(n_jobs=processes, batch_size=1, return_as="generator_unordered")
    with records.open("a", encoding="utf-8") as file:
        for made in parallel(delayed(_measure)(*task) for task in _before(until, tasks)):
            found.append(made | {"code": state})
            file.write(json.dumps(found[-1]) + "\n")
            file.flush()
            click.echo(f"\r{len(found)} of {stores * len(WORLDS)} stores", nl=False, err=True)
    click.echo(err=True)
    found.sort(key=lambda record: (list(WORLDS).index(record["world"]), record["seed"]))
    command = "make simulate" if stores == STORES else f"make simulate STORES={stores}"
    target.write_text(page.write(found, command=command), encoding="utf-8")
    click.echo(target)


def code() -> str:
    """Fingerprint what the figures come from: contract and modules, but for their docstrings."""
    digest = hashlib.sha256(config.shipped_text().encode())
    for name in sorted(sys.modules):
        path = getattr(sys.modules[name], "__file__", None)
        if name.split(".")[0] not in ("reportgen", "simulation") or path is None:
            continue
        if name not in (__name__, page.__name__, "simulation.claims", "simulation.rates"):
            digest.update(ast.dump(_bare(Path(path))).encode())
    return digest.hexdigest()[:16]


def _bare(path: Path) -> ast.Module:
    """Parse a module and blank its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant(None)
    return tree


def _before(until: float, tasks: Iterable[Task]) -> Iterator[Task]:
    for task in tasks:
        if time.monotonic() > until:
            return
        yield task


def _measure(world: str, seed: int) -> dict[str, Any]:
    warnings.simplefilter("error")
    factors = FACTORS_OF_NOISE if world == "noise" else FACTORS
    return measures.measure(world, seed, Depth(contrasts=seed % CONTRASTS == 0,
                                               factors=seed % factors == 0))


def _read(path: Path, state: str) -> list[dict[str, Any]]:
    """Read the records of earlier starts; a line cut off by a stop is left out."""
    if not path.is_file():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    own = [record for record in found if record.get("code") == state]
    if len(own) < len(found):
        click.echo(f"{len(found) - len(own)} records of another state of the code are left aside",
                   err=True)
    return own


def _end_last_line(path: Path) -> None:
    """Close a line that a stop cut off, so that the next record gets one of its own."""
    if path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n"):
        with path.open("a", encoding="utf-8") as file:
            file.write("\n")


if __name__ == "__main__":
    main()
