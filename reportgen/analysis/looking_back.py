"""A month beside those before it: whether it may be compared, and how it differs.

This month's customers and the `Past` come in; the past that can be compared with, and the `History`
of the report, go out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis

from reportgen import scoring
from reportgen.config import Settings
from reportgen.features import Customers
from reportgen.history import Earlier, Past
from reportgen.progress import Progress, parts, silent
from reportgen.results import ColumnInfo, Drift, History, ModelCard, Overview, Segment
from reportgen.sample import Sample
from reportgen.trends import continuity, drift, migration, outcomes, restatements
from reportgen.trends.pair import Pair, pair
from reportgen.trends.points import points

#: How long it takes to tell who moved, what was promised and what was restated, and to measure
#: the drift, to each other; and of the drift, to score the customers anew and to measure.
_TIMES, _DRIFT_TIMES = (8, 7, 3, 16), (4, 8)


def comparable(customers: Customers, past: Past, columns: Mapping[str, ColumnInfo],
               settings: Settings, *, month: str) -> Past:
    """Refuse tables that break with the month before; give up comparing other customers' ids."""
    both = pair(past.last, customers.table, customers.left_out, month=month)
    if both is None:
        return past
    if month in settings.history.accepted:
        return past.without_customers()     # a break that is known is compared on no guesses either
    if not continuity.same_customers(both):
        return past.without_customers("ids")
    changed = continuity.contract_changes(both.report.columns, columns)
    continuity.check(both, settings, month=month,
                     columns=continuity.comparable(settings.features, changed))
    return past


@dataclass(frozen=True)
class Present:
    """What of this month is held against the months before.

    ``scored`` is its customers.parquet, ``trained`` the month whose customers its model learned
    from; ``scorer`` and ``sample`` give the risk that this model sees in other customers.
    """

    month: str
    customers: Customers
    scored: Path
    columns: Mapping[str, ColumnInfo]
    state: Overview
    card: ModelCard
    segments: tuple[Segment, ...]
    trained: str
    scorer: scoring.Scorer
    sample: Sample


def look_back(past: Past, present: Present, settings: Settings,
              told: Progress = silent) -> History:
    """Tell how this month differs from those before."""
    line = points(past, present.state, present.card, month=present.month)
    both = _beside(past.last, present)
    if both is None:
        return History(line, past.faults, None, (), (), (), ())
    contract = continuity.contract_changes(both.report.columns, present.columns)
    moving, holding, restating, drifting = parts(told, *_TIMES)
    moving(0, 1, "%")
    moved = migration.migrate(both, present.segments, settings)
    holding(0, 1, "%")
    held = outcomes.hold(both, settings)
    restating(0, 1, "%")
    restated = restatements.find(both, settings, columns=continuity.comparable(
        tuple(settings.columns), contract))
    since = (both, *_since_training(both, past, present))
    drift = tuple(_drift(earlier, present, settings, share)
                  for earlier, share in zip(since, parts(drifting, *(1 for _ in since)),
                                            strict=True))
    return History(points=line, faults=past.faults, migration=moved, held=held, restated=restated,
                   drift=drift, contract=contract)


def _beside(earlier: Earlier | None, present: Present) -> Pair | None:
    return pair(earlier, present.customers.table, present.customers.left_out,
                month=present.month, scored=present.scored)


def _since_training(both: Pair, past: Past, present: Present) -> tuple[Pair, ...]:
    """Return the month that a kept model learned from, where that is not the month before."""
    if present.trained in (present.month, both.month):
        return ()
    training = _beside(past.of(present.trained), present)
    return () if training is None else (training,)


def _drift(both: Pair, present: Present, settings: Settings, told: Progress) -> Drift:
    scoring_anew, measuring = parts(told, *_DRIFT_TIMES)
    contract = continuity.contract_changes(both.report.columns, present.columns)
    features = continuity.comparable(settings.features, contract)
    # Where a column is not comparable, neither is what a model makes of it.
    then = (scoring.rescored(both.then, present.scorer, present.sample, settings, scoring_anew)
            if features == settings.features else
            both.then.mutate(risk=ibis.null("float64")))
    measuring(0, 1, "%")
    columns = drift.measure(then, both.now, settings, month=both.month, columns=features,
                            seed=settings.model.seed)
    return Drift(both.month, sum(one.level != "none" for one in columns), columns)
