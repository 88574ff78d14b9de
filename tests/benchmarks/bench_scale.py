"""Seconds and peak memory of every stage over stores of growing size, beside the plain way.

For each size a demo store is written, then analysed by one command in a process of its own; the
memory is that of the command and all its workers together, looked at ten times a second. The plain
way reads the same files by pandas, merges them and lets the very same fitted model predict.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import click

MONTH = "2026-08"

#: Seconds between two looks at the memory.
_TICK = 0.1

#: Bytes that the plain way may take before it counts as not having survived.
_PLAIN_LIMIT = 20 * 2**30

PLAIN = """
import resource, sys, time
import pandas as pd, pyarrow as pa
from pathlib import Path
from reportgen import config, risk_model
from reportgen.estimators import to_matrix

resource.setrlimit(resource.RLIMIT_AS, ({limit}, {limit}))
folder, model = Path(sys.argv[1]), Path(sys.argv[2])
settings = config.load(config.find_file(folder))
started = time.perf_counter()
seen = {{}}
tables = {{}}
for name, table in settings.tables.items():
    path = folder / f"{{table.file}}.csv"
    semicolons = ";" in path.open(encoding="utf-8").readline()
    tables[name] = pd.read_csv(path, sep=";" if semicolons else ",",
                               decimal="," if semicolons else ".")
print("read", time.perf_counter() - started, flush=True)
merged = None
for name, table in settings.tables.items():
    frame = tables[name]
    wanted = settings.of_table(name)
    if table.is_long:
        spelled = {{}}
        for period, spec in table.periods.items():
            for text in (spec.source, *spec.aliases):
                spelled[text] = period
        frame = frame.assign(period=frame[table.period].map(spelled))
        parts = []
        for column, spec in wanted.items():
            own = frame[frame["period"] == spec.period]
            parts.append(own.set_index(table.id)[spec.source].rename(column))
        frame = pd.concat(parts, axis=1)
    else:
        frame = frame.set_index(table.id)[[spec.source for spec in wanted.values()]]
        frame.columns = list(wanted)
    merged = frame if merged is None else merged.join(frame, how="left")
for name, column in settings.columns.items():
    if column.values and name in merged:
        spelled = {{text: value for value, spec in column.values.items()
                   for text in (spec.source, *spec.aliases)}}
        merged[name] = merged[name].map(spelled)
    elif name in merged:
        merged[name] = pd.to_numeric(merged[name].astype(str).str.replace(",", "."))
for name, column in settings.columns.items():
    if column.change is not None:
        merged[name] = (merged[column.change.of]
                        / merged[column.change.against].replace(0, float("nan")) - 1)
print("merge", time.perf_counter() - started, flush=True)
model = risk_model.load(model, settings)
matrix = to_matrix(pa.Table.from_pandas(merged[list(settings.features)]), settings)
merged["risk"] = model.risk_model.model.predict_proba(matrix)[:, 1]
print("predict", time.perf_counter() - started, flush=True)
"""


@dataclass
class Watched:
    """A process and what it took: seconds, the peak of its memory, and both by stage."""

    seconds: float = 0.0
    peak: int = 0
    code: int = 0
    stages: list[tuple[str, float, int]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def memory_of_tree(root: int) -> int:
    """Add up the resident memory of a process and all that it started, in bytes.

    Pages that several of them share count once for each, so the sum is an upper bound.
    """
    parents: dict[int, int] = {}
    resident: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "status").read_text()
        except OSError:
            continue            # it has ended
        facts = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        parents[int(folder.name)] = int(facts["PPid"])
        resident[int(folder.name)] = int(facts.get("VmRSS", "0 kB").split()[0]) * 1024
    total = 0
    for process in parents:
        at: int | None = process
        while at is not None and at != root:
            at = parents.get(at)
        total += resident[process] if at == root else 0
    return total


def watched(arguments: list[str], understand: Callable[[str], tuple[str, float] | None],
            stream: str) -> Watched:
    """Run a command; ``understand`` reads a stage that has ended out of a line of a stream."""
    seen = Watched()
    started = time.perf_counter()
    process = subprocess.Popen(arguments, text=True, **{
        "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: subprocess.PIPE})
    since_stage = 0
    lock = threading.Lock()

    def read(lines: IO[str]) -> None:
        nonlocal since_stage
        for line in lines:
            seen.lines.append(line.rstrip())
            if stage := understand(line):
                with lock:
                    seen.stages.append((*stage, since_stage))
                    since_stage = 0

    pipe = getattr(process, stream)
    reader = threading.Thread(target=read, args=(pipe,))
    reader.start()
    while process.poll() is None:
        now = memory_of_tree(process.pid)
        with lock:
            since_stage = max(since_stage, now)
        seen.peak = max(seen.peak, now)
        time.sleep(_TICK)
    reader.join()
    pipe.close()
    seen.seconds, seen.code = time.perf_counter() - started, process.returncode
    return seen


def _logged(line: str) -> tuple[str, float] | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return (told["stage"], told["seconds"]) if told.get("event") == "stage" else None


def _printed() -> Callable[[str], tuple[str, float] | None]:
    before = 0.0

    def understand(line: str) -> tuple[str, float] | None:
        nonlocal before
        name, seconds = line.split()
        took, before = float(seconds) - before, float(seconds)
        return name, took

    return understand


@click.command()
@click.option("--sizes", default="1000,10000,100000,1000000", show_default=True,
              help="Customers of each store, parted by commas.")
@click.option("--plain/--no-plain", default=True, show_default=True,
              help="Measure the plain way as well.")
@click.option("--plain-limit", type=int, default=1_000_000, show_default=True,
              help="Largest store that the plain way is tried on.")
@click.option("--effort", type=click.Choice(["quick", "standard"]), default="standard",
              show_default=True)
@click.option("--engine", "engines", multiple=True, default=("",), metavar="URL",
              help="Address for [engine] url, repeatable; empty for the embedded engine.")
@click.option("--memory", default="1.5GB", show_default=True, help="For [engine] memory.")
@click.option("--folder", type=click.Path(path_type=Path), default=None,
              help="Keep the stores here, and take those that are there.")
def main(sizes: str, plain: bool, plain_limit: int, effort: str, engines: tuple[str, ...],
         memory: str, folder: Path | None) -> None:
    """Measure what a run costs as the store grows."""
    with tempfile.TemporaryDirectory() as scratch:
        place = folder or Path(scratch)
        for customers in map(int, sizes.split(",")):
            click.echo(f"\n{customers:,} customers")
            store = _store(customers, place)
            for engine in engines:
                _measure(store, place, effort, engine, memory,
                         plain=plain and not engine and customers <= plain_limit)


def _store(customers: int, place: Path) -> Path:
    """Write a demo store, or take the one that is there."""
    store = place / f"store-{customers}"
    if not store.is_dir():
        wrote = watched([sys.executable, "-m", "reportgen", "demo", "--data", str(store),
                         "--customers", str(customers), "--months", "1"],
                        lambda _: None, "stderr")
        _show("demo store", wrote.seconds, wrote.peak, wrote.code)
    return store


def _measure(store: Path, place: Path, effort: str, engine: str, memory: str, *,
             plain: bool) -> None:
    if engine:
        click.echo(f"on {engine}")
    text = (store / "reportgen.toml").read_text(encoding="utf-8")
    settings = place / "engine.toml"
    settings.write_text(f'{text}\n[engine]\nmemory = "{memory}"\nurl = "{engine}"\n',
                        encoding="utf-8")
    with tempfile.TemporaryDirectory(dir=place) as output:
        ran = watched([sys.executable, "-m", "reportgen", "run", "--data", str(store), "--output",
                       output, "--config", str(settings), "--log-format", "json",
                       *(["--quick"] if effort == "quick" else [])],
                      _logged, "stderr")
        for name, seconds, peak in ran.stages:
            _show(f"  {name}", seconds, peak)
        _show("whole run", ran.seconds, ran.peak, ran.code)
        if ran.code not in (0, 4):
            click.echo("\n".join(ran.lines[-5:]))
        model = Path(output) / "private" / MONTH / "model.skops"
        if plain and model.is_file():
            code = PLAIN.format(limit=_PLAIN_LIMIT)
            done = watched([sys.executable, "-c", code, str(store / MONTH), str(model)],
                           _printed(), "stdout")
            for name, seconds, peak in done.stages:
                _show(f"  plain: {name}", seconds, peak)
            _show("plain way, in pandas", done.seconds, done.peak, done.code)


def _show(name: str, seconds: float, peak: int, code: int = 0) -> None:
    failed = "" if code in (0, 4) else f"   FAILED with {code}"
    click.echo(f"{name:<28}{seconds:9.2f} s {peak / 2**20:9.0f} MiB{failed}")


if __name__ == "__main__":
    main()
