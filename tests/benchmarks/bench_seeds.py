"""What the figures of a month depend on: the winner over seeds, the drivers against the truth.

Prints the winner and its test ROC-AUC for several seeds of the split, and how often the drivers
that a demo world declares to be strong come out on top.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from reportgen import (
    analysis,
    config,
    delong,
    evaluation,
    explanation,
    model_selection,
    pipeline,
    sample,
    scoring,
)
from reportgen.config import Settings
from reportgen.demo import WORLDS, truth, write_store
from reportgen.progress import silent

#: A column that alone reaches this ROC-AUC must come out on top of the importance.
STRONG = 0.7


@dataclass(frozen=True)
class Finding:
    """What one seed found: the winner, its test ROC-AUC and the columns by importance."""

    seed: int
    family: str
    test_roc_auc: float
    drivers: tuple[str, ...]


def over_split_seeds(folder: Path, seeds: range) -> Iterator[Finding]:
    """Analyse one month again and again, with another seed of split and search each time."""
    settings = config.load(None)
    table = analysis.read_customers(folder, settings, lambda _: nullcontext(silent)).table
    for seed in seeds:
        yield _find(table, with_seed(settings, seed))


def over_demo_stores(world: str, seeds: range) -> Iterator[Finding]:
    """Analyse the first month of one demo store after another."""
    settings = config.load(None)
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            months = write_store(Path(folder), WORLDS[world], seed=seed, months=1,
                                 contract_text=pipeline.demo_contract())
            table = analysis.read_customers(months[0], settings,
                                            lambda _: nullcontext(silent)).table
            yield _find(table, with_seed(settings, seed))


def strong_columns(world: str) -> set[str]:
    """Columns that a world declares to be strong."""
    return {name for name, strength in truth(WORLDS[world]).items() if strength > STRONG}


def with_seed(settings: Settings, seed: int) -> Settings:
    """The settings of a quick run with another seed."""
    model = settings.model.model_copy(update={"seed": seed, "effort": "quick"})
    return settings.model_copy(update={"model": model})


def _find(table: object, settings: Settings) -> Finding:
    drawn = sample.draw_sample(table, settings)
    candidates = model_selection.search(drawn, settings)
    winner = evaluation.try_out(candidates[:1], drawn, settings)[0]
    score = delong.roc_auc(drawn.fallen[drawn.test], winner.test_risk)
    folds = scoring.fit_scorer(candidates[0].pipeline, drawn, settings).folds
    drivers = explanation.explain(winner.model, candidates[0].pipeline, folds, drawn, settings,
                                  usable=True).drivers
    return Finding(settings.model.seed, candidates[0].family, score.value,
                   tuple(driver.column for driver in drivers))


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True,
              help="A month's folder.")
@click.option("--world", default="linear", show_default=True)
@click.option("--seeds", type=int, default=10, show_default=True)
def main(data: Path, world: str, seeds: int) -> None:
    """Print what the seeds found."""
    scores = []
    for finding in over_split_seeds(data, range(seeds)):
        scores.append(finding.test_roc_auc)
        click.echo(f"split seed {finding.seed}: {finding.family:<20} {finding.test_roc_auc:.3f}")
    click.echo(f"test ROC-AUC: mean {np.mean(scores):.3f}, {min(scores):.3f} to {max(scores):.3f}")
    strong = strong_columns(world)
    on_top = 0
    for finding in over_demo_stores(world, range(seeds)):
        top = set(finding.drivers[:len(strong)])
        on_top += top == strong
        wrong = f"  instead of {strong - top}: {top - strong}" if top != strong else ""
        click.echo(f"store {finding.seed}: {finding.family:<20} {finding.test_roc_auc:.3f}{wrong}")
    click.echo(f"strong drivers on top: {on_top} of {seeds}")


if __name__ == "__main__":
    main()
