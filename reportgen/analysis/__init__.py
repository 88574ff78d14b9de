"""The order of the analysis: from a month's files to its `Report`.

The only place that knows it. Each stage takes what it uses and returns one frozen result; heavy
imports happen inside the stage.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import __version__, results, workers
from reportgen.analysis.learning import REASONS
from reportgen.analysis.stage import Stage
from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.history import CUSTOMERS
from reportgen.progress import Progress, parts
from reportgen.results import (
    Caveat,
    ColumnInfo,
    DataQuality,
    Discoveries,
    Explanation,
    Forecast,
    History,
    ModelLife,
    Money,
    Overview,
    Provenance,
    Recommendation,
    Report,
    Rival,
    Segment,
    Segmentation,
    StoreInfo,
)

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from reportgen import programme, verdict
    from reportgen.analysis.learning import Learned
    from reportgen.features import Customers
    from reportgen.history import Past
    from reportgen.ledger import Ledger

__all__ = ["ACTIONS", "Analysis", "Before", "Stage", "analyse", "read_customers"]

ACTIONS = "actions.parquet"

#: Libraries whose versions change figures or pages.
_LIBRARIES = ("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "scikit-learn", "scipy",
              "shap", "weasyprint")

#: How long it takes to repair the tables and to join them, to each other; and to sum up the
#: customers, to profile the segments, to search for groups and to judge the recommendations.
_CLEANING, _DESCRIBING = (4, 9), (2, 6, 2, 3)

#: Modules whose imports take a second together; they come while the workers wake.
_STAGES = ("leakage", "model_selection", "evaluation", "gate", "scoring", "explanation",
           "reasons", "overview", "segments", "discovery", "recommendations", "money",
           "action_worth", "programme", "verdict", "decisions", "forecast", "model_life",
           "limits", "analysis.looking_back")


@dataclass(frozen=True)
class Before:
    """What earlier months left: who was drawn, and what they reported."""

    ledger: Ledger
    past: Past

    @property
    def report(self) -> Report | None:
        """The newest report before this month."""
        return self.past.last.report if self.past.last else None


@dataclass(frozen=True)
class Analysis:
    """A month's report, and what the ledger keeps of it (see `ledger.append`)."""

    report: Report
    drawn: pa.Table
    outcomes: pa.Table | None
    fingerprints: dict[str, str]


def analyse(folder: Path, settings: Settings, *, month: str, private: Path, before: Before,
            stage: Stage, kept: str | None = None) -> Analysis:
    """Go from a month's files to its `Report`.

    The scored customers, their reasons, the list of who gets which action and the model are
    written to ``private``, for they are not published. The model is that of the month ``kept``,
    where one is named, and learned anew elsewhere.
    """
    customers = _read_and_wake(folder, settings, stage, month)
    settings = settings.for_size(customers.quality.customers_used)
    from reportgen.analysis import learning, looking_back

    with stage("continuity"):
        past = looking_back.comparable(customers, before.past, _columns(settings), settings,
                                       month=month)
    before = replace(before, past=past)
    with workers.one_thread_each():
        learned = (learning.learn(customers.table, settings, month, stage) if kept is None
                   else learning.keep(customers.table, past, settings, kept, stage))
        ahead = learning.look_ahead(customers, past, settings, month, _columns(settings), stage)
        scored = learning.score(customers.table, learned, ahead, settings, private, stage)
        explained = learning.explain(scored, learned, settings, private, stage)
    usable = not learned.card.gate.withholds
    with stage("describe") as told:
        found = _describe(scored, customers, learned, settings, before, month, told,
                          ahead=ahead is not None and ahead.models is not None)
    with stage("history") as told:
        looked_back = looking_back.look_back(past, looking_back.Present(
            month, customers, private / CUSTOMERS, _columns(settings), found.state, learned.card,
            found.segments, learned.trained, learned.scorer, learned.sample), settings, told)
        rivals = learning.rivals(learned, past, settings)
    with stage("money"):
        worth = _worth(learned, found, settings, usable=usable)
    with stage("programme") as told:
        judged = _judge(customers, folder, settings, month, before)
        plan = _plan(scored, found, judged, settings, month=month, before=before, private=private,
                     usable=usable, told=told)
    report = results.rounded(_report(_Parts(
        customers.quality, learned, learning.told(ahead, scored, settings), explained, found,
        looked_back, rivals, worth, judged, plan), settings, month, before))
    return Analysis(report, plan.programme.drawn, judged.outcomes, plan.programme.fingerprints)


@dataclass(frozen=True)
class _Parts:
    """What the stages of a month found, for the report to be put together of."""

    quality: DataQuality
    learned: Learned
    forecast: Forecast | None
    explained: Explanation
    found: _Described
    history: History
    rivals: tuple[Rival, ...]
    worth: Money
    judged: verdict.Judged
    plan: _Plan


def _report(parts: _Parts, settings: Settings, month: str, before: Before) -> Report:
    from reportgen import decisions, limits
    from reportgen.trends import changes

    found, learned, programme = parts.found, parts.learned, parts.plan.programme
    return Report(
        schema_version=results.SCHEMA_VERSION,
        store=_store(settings),
        month=month,
        effort=settings.model.effort,
        columns=_columns(settings),
        data=parts.quality,
        overview=found.state,
        changes=changes.since(found.state, before.report, month=month),
        model=learned.card,
        explanation=parts.explained,
        money=parts.worth,
        focus=found.focus,
        segments=found.segments,
        segmentation=found.segmentation,
        discoveries=found.discoveries,
        recommendations=parts.plan.advice,
        further=parts.plan.further,
        programme=programme.told,
        verdict=parts.judged.verdict,
        history=parts.history,
        forecast=parts.forecast,
        life=ModelLife(learned.trained, learned.trained != month, parts.rivals),
        checks=limits.check(learned.card, parts.quality, parts.history.drift,
                            parts.history.faults, settings),
        decisions=decisions.ask(programme.told, parts.judged.verdict, parts.worth,
                                learned.card.gate, parts.quality, settings, month=month),
        caveats=found.caveats,
        provenance=_provenance(settings),
    )


# ── What the figures say ─────────────────────────────────────────────────────────────────────────


_Advice = tuple[Recommendation, ...]


@dataclass(frozen=True)
class _Described:
    """What this month's figures say of the customers, and what they support."""

    state: Overview
    focus: Segment
    segments: tuple[Segment, ...]
    segmentation: Segmentation
    discoveries: Discoveries
    advice: _Advice
    further: _Advice
    caveats: tuple[Caveat, ...]


def _describe(scored: ibis.Table, customers: Customers, learned: Learned, settings: Settings,
              before: Before, month: str, told: Progress, *, ahead: bool) -> _Described:
    """Describe the customers and their segments, and judge the recommendations."""
    from reportgen import caveats, discovery, overview, recommendations, segments

    usable, wanted = not learned.card.gate.withholds, settings.recommendations
    summing, profiling, searching, judging = parts(told, *_DESCRIBING)
    summing(0, 1, "%")
    state = overview.summarise(scored, settings)
    focus = segments.profile_rule(scored, "focus", wanted.focus_label, wanted.focus, settings)
    profiles = segments.profile(scored, settings, profiling)
    searching(0, 1, "%")
    return _Described(
        state=state,
        focus=focus,
        segments=profiles,
        segmentation=segments.segmentation(scored, settings),
        discoveries=discovery.discover(scored, learned.sample, settings),
        advice=recommendations.recommend(scored, focus, settings, judging, usable=usable),
        further=recommendations.recommend_further(scored, focus, settings, usable=usable),
        caveats=caveats.caveats(customers.quality, state, learned.card, focus,
                                effort=settings.model.effort, first=before.past.first,
                                kept=learned.trained != month, ahead=ahead),
    )


@dataclass(frozen=True)
class _Plan:
    """What is advised, with its worth, and who gets what."""

    advice: _Advice
    further: _Advice
    programme: programme.Planned


def _plan(scored: ibis.Table, found: _Described, judged: verdict.Judged, settings: Settings, *,
          month: str, before: Before, private: Path, usable: bool, told: Progress) -> _Plan:
    """Tell what each action is worth and who gets it; write the list."""
    from reportgen import action_worth, programme, recommendations

    meant = recommendations.meant((*found.advice, *found.further), scored, found.focus, settings)
    advice, further = (
        action_worth.valued(items, scored, meant, found.focus, settings,
                            customers=found.state.customers, earlier=before.report)
        for items in (found.advice, found.further))
    planned = programme.plan(scored, meant, settings, month=month, ledger=before.ledger,
                             seen=judged.seen, reasons=private / REASONS, usable=usable,
                             progress=told)
    if usable:
        programme.write(planned.actions, private / ACTIONS)
    return _Plan(advice, further, planned)


def _judge(customers: Customers, folder: Path, settings: Settings, month: str,
           before: Before) -> verdict.Judged:
    """Tell what became of those who were drawn in earlier months."""
    from reportgen import verdict

    earlier = before.report
    supported = () if earlier is None else tuple(
        item.code for item in (*earlier.recommendations, *earlier.further)
        if item.status != "unsupported")
    return verdict.judge(customers.table, customers.left_out, before.ledger, settings, month=month,
                         sent=folder / settings.programme.feedback, recommended=supported)


def _worth(learned: Learned, found: _Described, settings: Settings, *, usable: bool) -> Money:
    from reportgen import money

    return money.evaluate(learned.sample, learned.scorer.out_of_fold, settings,
                          customers=found.state.customers, usable=usable)


def _read_and_wake(folder: Path, settings: Settings, stage: Stage, month: str) -> Customers:
    """Read a month's tables while the processes that fit models start."""
    waking = workers.wake(settings.model.workers)
    customers = read_customers(folder, settings, stage, month=month)
    with stage("import"):
        for name in _STAGES:
            import_module(f"reportgen.{name}")
        waking.join()
    return customers


def read_customers(folder: Path, settings: Settings, stage: Stage, *, month: str) -> Customers:
    """Read, check, repair and join a month's tables: of its folder, or of a database."""
    from reportgen import database, engine, spark

    if settings.engine.kind == "database":
        with database.connected(settings.engine) as connection:
            made = _customers(folder, settings, connection, stage, month)
            # One row a customer is all that leaves the database.
            with stage("fetch") as told:
                return made.moved_to(engine.connect(settings.engine),
                                     scratch=settings.engine.scratch, told=told)
    connect = spark.connect if settings.engine.kind == "spark" else engine.connect
    with stage("connect"):
        connection = connect(settings.engine)
    return _customers(folder, settings, connection, stage, month)


def _customers(folder: Path, settings: Settings, connection: ibis.BaseBackend, stage: Stage,
               month: str) -> Customers:
    with stage("read") as told:
        from reportgen import cleaning, features, queries, sources, validation

        raw = (sources.of_database(settings, connection, told, month=month) if settings.in_database
               else sources.read_tables(folder, settings, connection, told,
                                        scratch=settings.engine.scratch))
    with stage("validate") as told:
        validation.validate(raw, settings, told)
    with stage("clean") as told:
        repairing, joining = parts(told, *_CLEANING)
        clean = cleaning.clean(raw, settings, repairing)
        made = features.customers(clean, settings, connection, joining)
        for table in raw.values():
            queries.discard(table.data)     # the customers are stored; the rest is memory only
        return made


def _store(settings: Settings) -> StoreInfo:
    store = settings.store
    return StoreInfo(name=store.name, currency=store.currency, languages=store.languages,
                     published=store.published)


def _columns(settings: Settings) -> dict[str, ColumnInfo]:
    return {
        name: ColumnInfo(
            name=name, role=column.role.value, kind=column.kind.value, unit=column.unit.value,
            window=column.window.value, group=column.group, decimals=column.decimals,
            label=column.label, short=column.short or column.label,
            values={value: info.label for value, info in column.values.items()},
        )
        for name, column in settings.columns.items()
        if column.role != Role.IGNORE
    }


def _provenance(settings: Settings) -> Provenance:
    text = json.dumps(settings.of_figures(), ensure_ascii=False)
    return Provenance(
        program=__version__,
        versions={name: version(name) for name in _LIBRARIES},
        settings_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
