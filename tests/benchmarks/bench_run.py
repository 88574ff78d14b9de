"""Seconds of every stage of a cold run, of drawing it again, and of ``reportgen --help``.

Each run is a new process that writes into an empty folder; the figures are medians.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import click

_STAGE = re.compile(r"^(\S+)\s+([\d.]+) s$", re.MULTILINE)


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), default="data")
@click.option("--month", default=None)
@click.option("--runs", type=int, default=3, show_default=True)
@click.option("--effort", type=click.Choice(["quick", "standard", "thorough"]),
              default="standard", show_default=True)
def main(data: Path, month: str | None, runs: int, effort: str) -> None:
    """Time a cold run stage by stage."""
    helps = [_timed("--help")[0] for _ in range(2 * runs + 1)]
    stages: dict[str, list[float]] = defaultdict(list)
    totals, again = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as output:
            options = ["--month", month] if month else []
            options += [] if effort == "standard" else [f"--{effort}"]
            seconds, told = _timed("run", "--data", str(data), "--output", output, "--verbose",
                                   *options)
            again.append(_timed("render", "--output", output)[0])
        totals.append(seconds)
        for name, stage_seconds in _STAGE.findall(told):
            stages[name].append(float(stage_seconds))
    for name, values in stages.items():
        click.echo(f"{name:<14}{statistics.median(values):8.2f} s")
    click.echo(f"{'whole run':<14}{statistics.median(totals):8.2f} s   "
               f"({', '.join(f'{total:.2f}' for total in totals)})")
    click.echo(f"{'render again':<14}{statistics.median(again):8.2f} s   "
               f"({', '.join(f'{seconds:.2f}' for seconds in again)})")
    click.echo(f"{'--help':<14}{statistics.median(helps):8.2f} s")


def _timed(*arguments: str) -> tuple[float, str]:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "reportgen", *arguments], check=True,
                          capture_output=True, text=True)
    return time.perf_counter() - started, done.stderr


if __name__ == "__main__":
    main()
