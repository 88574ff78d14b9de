"""The order of the analysis: from a month's files to its `Report`.

The only place that knows it. Each stage takes what it uses and returns one frozen result; heavy
imports happen inside the stage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import __version__, results, workers
from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.results import (
    Caveat,
    ColumnInfo,
    Discoveries,
    Explanation,
    ModelCard,
    Overview,
    Provenance,
    Recommendation,
    Report,
    Segment,
    Segmentation,
    StoreInfo,
)

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from reportgen import evaluation, programme, scoring, verdict
    from reportgen.estimators import Candidate, Matrix
    from reportgen.features import Customers
    from reportgen.ledger import Ledger
    from reportgen.sample import Sample

CUSTOMERS = "customers.parquet"
ACTIONS = "actions.parquet"
MODEL = "model.skops"
REASONS = "reasons.parquet"

#: Libraries whose versions change figures or pages.
_LIBRARIES = ("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "scikit-learn", "scipy",
              "shap", "weasyprint")

#: Modules whose imports take a second together; they come while the workers wake.
_STAGES = ("leakage", "model_selection", "evaluation", "gate", "scoring", "explanation",
           "reasons", "overview", "segments", "discovery", "recommendations", "money",
           "action_worth", "programme", "verdict", "changes", "decisions")

Stage = Callable[[str], AbstractContextManager[None]]
"""Opened around every stage by its name, so that a caller may show or time it."""


@dataclass(frozen=True)
class Before:
    """What earlier months left: who was drawn, and the newest report before this month."""

    ledger: Ledger
    report: Report | None


@dataclass(frozen=True)
class Analysis:
    """A month's report, and what the ledger keeps of it (see `ledger.append`)."""

    report: Report
    drawn: pa.Table
    outcomes: pa.Table | None
    fingerprints: dict[str, str]


def analyse(folder: Path, settings: Settings, *, month: str, private: Path, before: Before,
            stage: Stage) -> Analysis:
    """Go from a month's files to its `Report`.

    The scored customers, their reasons, the list of who gets which action and the model are
    written to ``private``, for they are not published.
    """
    waking = workers.wake(settings.model.workers)
    customers = read_customers(folder, settings, stage)
    with stage("import"):
        for name in _STAGES:
            import_module(f"reportgen.{name}")
        waking.join()
    with workers.one_thread_each():
        learned = _learn(customers.table, settings, stage)
        scored = _score(customers.table, learned, settings, private, stage)
        explained = _explain(scored, learned, settings, private, stage)
    usable = not learned.card.gate.withholds
    with stage("describe"):
        found = _describe(scored, customers, learned, settings, before)
    with stage("money"):
        from reportgen import money

        worth = money.evaluate(learned.sample, learned.scorer.out_of_fold, settings,
                               customers=found.state.customers, usable=usable)
    with stage("programme"):
        judged = _judge(customers, folder, settings, month, before)
        advice, further, planned = _plan(scored, found, judged, settings, month=month,
                                         before=before, private=private, usable=usable)
    from reportgen import changes, decisions

    report = results.rounded(Report(
        schema_version=results.SCHEMA_VERSION,
        store=_store(settings),
        month=month,
        effort=settings.model.effort,
        columns=_columns(settings),
        data=customers.quality,
        overview=found.state,
        changes=changes.since(found.state, before.report, month=month),
        model=learned.card,
        explanation=explained,
        money=worth,
        focus=found.focus,
        segments=found.segments,
        segmentation=found.segmentation,
        discoveries=found.discoveries,
        recommendations=advice,
        further=further,
        programme=planned.told,
        verdict=judged.verdict,
        decisions=decisions.ask(planned.told, judged.verdict, worth, learned.card.gate,
                                customers.quality, settings, month=month),
        caveats=found.caveats,
        provenance=_provenance(settings),
    ))
    return Analysis(report, planned.drawn, judged.outcomes, planned.fingerprints)


@dataclass(frozen=True)
class _Learned:
    """The model and what it is worth, with the sample it was learned from."""

    sample: Sample
    candidate: Candidate
    trial: evaluation.Trial
    scorer: scoring.Scorer
    card: ModelCard


def _learn(customers: ibis.Table, settings: Settings, stage: Stage) -> _Learned:
    """Search a model on a sample of the customers and judge it honestly."""
    from reportgen import evaluation, gate, leakage, model_selection, money, sample, scoring

    with stage("guard"):
        drawn = sample.draw_sample(customers, settings)
        money.check_unit(drawn, settings)
        screening = leakage.screen(drawn, settings)
    with stage("search"):
        candidates = model_selection.search(drawn, settings)
    with stage("nested"):
        nested = model_selection.nested(drawn, settings)
    with stage("compare"):
        behind = model_selection.compare(candidates, drawn, settings)
    with stage("fit"):
        trials = evaluation.try_out(candidates, drawn, settings)
        scorer = scoring.fit_scorer(candidates[0].pipeline, drawn, settings)
    with stage("past"):
        past = _without_current_month(drawn, scorer.out_of_fold, settings)
    with stage("evaluate"):
        judged = evaluation.judged_risks(
            trials[0], (nested.risks, nested.folds) if nested else None, drawn)
        card = evaluation.evaluate(trials, evaluation.Findings(
            out_of_fold=scorer.out_of_fold,
            slope_before=scorer.slope_before,
            judged=judged,
            outer_winners=nested.winners if nested else (),
            behind=behind,
            past=past,
            gate=gate.judge(drawn, judged, screening.risks, settings),
            leakage=screening.leakage,
        ), drawn, settings)
    return _Learned(drawn, candidates[0], trials[0], scorer, card)


def _without_current_month(drawn: Sample, full_risk: Matrix,
                           settings: Settings) -> evaluation.PastFit | None:
    """Search and cross-fit a model of the past's columns alone; a quick run leaves it out."""
    from reportgen import evaluation, model_selection, scoring

    columns = settings.past_features
    if settings.model.effort == "quick" or len(columns) in (0, len(settings.features)):
        return None
    winner = model_selection.search_again(drawn, settings, columns=columns)
    risk = scoring.cross_fit(winner.pipeline, drawn, settings)
    return evaluation.PastFit(winner.family, len(columns), risk, full_risk)


def _score(customers: ibis.Table, learned: _Learned, settings: Settings, private: Path,
           stage: Stage) -> ibis.Table:
    """Write the risk of every customer, and the model where it may be used."""
    from reportgen import scoring

    usable = not learned.card.gate.withholds
    with stage("score"):
        scored = scoring.score(customers, learned.scorer, learned.sample, settings,
                               path=private / CUSTOMERS, usable=usable)
        if usable:
            scoring.save_model(learned.scorer, settings, path=private / MODEL)
    return scored


def _explain(scored: ibis.Table, learned: _Learned, settings: Settings, private: Path,
             stage: Stage) -> Explanation:
    """Explain the model, and the risk of each listed customer to those who act on it."""
    from reportgen import explanation, reasons

    usable = not learned.card.gate.withholds
    with stage("explain"):
        explained = explanation.explain(learned.trial.model, learned.candidate.pipeline,
                                        learned.scorer.folds, learned.sample, settings,
                                        usable=usable)
    if usable:
        with stage("reasons"):
            reasons.write_reasons(scored, learned.scorer.folds, explained.groups, learned.sample,
                                  settings, path=private / REASONS)
    return explained


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


def _describe(scored: ibis.Table, customers: Customers, learned: _Learned, settings: Settings,
              before: Before) -> _Described:
    """Describe the customers and their segments, and judge the recommendations."""
    from reportgen import caveats, discovery, overview, recommendations, segments

    usable, wanted = not learned.card.gate.withholds, settings.recommendations
    state = overview.summarise(scored, settings)
    focus = segments.profile_rule(scored, "focus", wanted.focus_label, wanted.focus, settings)
    return _Described(
        state=state,
        focus=focus,
        segments=segments.profile(scored, settings),
        segmentation=segments.segmentation(scored, settings),
        discoveries=discovery.discover(scored, learned.sample, settings),
        advice=recommendations.recommend(scored, focus, settings, usable=usable),
        further=recommendations.recommend_further(scored, focus, settings, usable=usable),
        caveats=caveats.caveats(customers.quality, state, learned.card, focus,
                                effort=settings.model.effort, first=before.report is None),
    )


def _plan(scored: ibis.Table, found: _Described, judged: verdict.Judged, settings: Settings, *,
          month: str, before: Before, private: Path,
          usable: bool) -> tuple[_Advice, _Advice, programme.Planned]:
    """Tell what each action is worth and who gets it; write the list."""
    from reportgen import action_worth, programme, recommendations

    meant = recommendations.meant((*found.advice, *found.further), scored, found.focus, settings)
    advice, further = (
        action_worth.valued(items, scored, meant, found.focus, settings,
                            customers=found.state.customers, earlier=before.report)
        for items in (found.advice, found.further))
    planned = programme.plan(scored, meant, settings, month=month, ledger=before.ledger,
                             seen=judged.seen, reasons=private / REASONS, usable=usable)
    if usable:
        programme.write(planned.actions, private / ACTIONS)
    return advice, further, planned


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


def read_customers(folder: Path, settings: Settings, stage: Stage) -> Customers:
    """Read, check, repair and join the tables of a month's folder."""
    with stage("read"):
        import ibis

        from reportgen import cleaning, features, sources, validation

        connection = ibis.duckdb.connect()
        raw = sources.read_tables(folder, settings, connection)
    with stage("validate"):
        validation.validate(raw, settings)
    with stage("clean"):
        clean = cleaning.clean(raw, settings)
        return features.customers(clean, settings, connection)


def _store(settings: Settings) -> StoreInfo:
    store = settings.store
    return StoreInfo(name=store.name, currency=store.currency, languages=store.languages)


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
    text = settings.model_dump_json()
    return Provenance(
        program=__version__,
        versions={name: version(name) for name in _LIBRARIES},
        settings_sha256=hashlib.sha256(text.encode()).hexdigest(),
    )
