"""The model of a month: learned, or kept from an earlier one; what it is worth; a forecast ahead.

The table of customers and the months before come in, `Learned` and `Ahead` go out. The heavy
imports happen inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen.analysis.stage import Stage
from reportgen.config import Settings
from reportgen.errors import ConfigError, StorageError
from reportgen.history import CUSTOMERS
from reportgen.progress import Progress, parts
from reportgen.results import ColumnInfo, Explanation, Forecast, ModelCard, Rival

if TYPE_CHECKING:
    import ibis
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import Pipeline

    from reportgen import evaluation, leakage, scoring
    from reportgen.estimators import Matrix
    from reportgen.features import Customers
    from reportgen.history import Past
    from reportgen.sample import Judged, Sample

MODEL = "model.skops"
REASONS = "reasons.parquet"

#: How long the curve of learning and the measuring take, to each other; and the search over the
#: past's columns and the fits of its winner.
_EVALUATING, _PAST = (1, 9), (3, 1)


@dataclass(frozen=True)
class Learned:
    """The model and what it is worth, with the sample it was judged on.

    Attributes
    ----------
    trained
        The month it learned from.
    model, pipeline
        What is explained, and the same unfitted.
    judged
        The risks of the honest score.
    """

    sample: Sample
    trained: str
    model: CalibratedClassifierCV
    pipeline: Pipeline
    judged: Judged
    scorer: scoring.Scorer
    card: ModelCard


def learn(customers: ibis.Table, settings: Settings, month: str, stage: Stage) -> Learned:
    """Search a model on a sample of the customers and judge it honestly."""
    from reportgen import evaluation, gate, model_selection, scoring

    drawn, screening = _draw(customers, settings, stage)
    with stage("search") as told:
        candidates = model_selection.search(drawn, settings, told)
    with stage("nested") as told:
        nested = model_selection.nested(drawn, settings, told)
    with stage("compare") as told:
        behind = model_selection.compare(candidates, drawn, settings, told)
    with stage("fit") as told:
        trying, fitting = parts(told, len(candidates), settings.model.folds + 1, unit="fits")
        trials = evaluation.try_out(candidates, drawn, settings, trying)
        scorer = scoring.fit_scorer(candidates[0].pipeline, drawn, settings, fitting)
    with stage("past") as told:
        past = _without_current_month(drawn, scorer.out_of_fold, settings, told)
    with stage("evaluate") as told:
        curve, measuring = parts(told, *_EVALUATING)
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
            learning=evaluation.learning_curve(candidates[0], drawn, settings, curve),
        ), drawn, settings, measuring)
    return Learned(drawn, month, trials[0].model, candidates[0].pipeline, judged, scorer, card)


def keep(customers: ibis.Table, past: Past, settings: Settings, kept: str,
          stage: Stage) -> Learned:
    """Take the model of an earlier month, and judge it on this month's customers."""
    from reportgen import gate, model_life, risk_model, scoring

    earlier = past.of(kept)
    if earlier is None:
        known = ", ".join(one.month for one in past.months) or "there is none"
        raise ConfigError(f"--model {kept}: that month is not among the earlier ones that can be "
                          f"read ({known})")
    stored = risk_model.load(earlier.private / MODEL, settings)
    drawn, screening = _draw(customers, settings, stage)
    with stage("evaluate"):
        scorer = scoring.keep(stored.risk_model, drawn, settings)
        judged = model_life.judged(scorer.out_of_fold)
        card = model_life.card(earlier.report.model, model_life.Seen(
            scorer.out_of_fold, gate.judge(drawn, judged, screening.risks, settings),
            screening.leakage), drawn, settings)
    return Learned(drawn, stored.trained, stored.risk_model.model, stored.pipeline, judged, scorer,
                    card)


def _draw(customers: ibis.Table, settings: Settings,
          stage: Stage) -> tuple[Sample, leakage.Screening]:
    """Draw the sample, and look for columns that give the class away."""
    from reportgen import leakage, money, sample

    with stage("guard") as told:
        drawn = sample.draw_sample(customers, settings, told)
        money.check_unit(drawn, settings)
        return drawn, leakage.screen(drawn, settings)


def _without_current_month(drawn: Sample, full_risk: Matrix, settings: Settings,
                           told: Progress) -> evaluation.PastFit | None:
    """Search and cross-fit a model of the past's columns alone; a quick run leaves it out."""
    from reportgen import evaluation, model_selection, scoring

    columns = settings.past_features
    if settings.model.effort == "quick" or len(columns) in (0, len(settings.features)):
        return None
    searching, fitting = parts(told, *_PAST)
    winner = model_selection.search_again(drawn, settings, searching, columns=columns)
    risk = scoring.cross_fit(winner.pipeline, drawn, settings, fitting)
    return evaluation.PastFit(winner.family, len(columns), risk, full_risk)


def rivals(learned: Learned, past: Past, settings: Settings) -> tuple[Rival, ...]:
    """Hold the model of the month before beside the one in use, where it is another."""
    from reportgen import model_life, risk_model

    if past.last is None:
        return ()
    try:
        other = risk_model.load(past.last.private / MODEL, settings)
    except StorageError:
        return ()       # a month without a model that fits these columns has none to compare
    if other.trained == learned.trained:
        return ()
    return (model_life.rival(other, learned.judged, learned.sample, settings),)


@dataclass(frozen=True)
class Ahead:
    """A forecast and what it is worth; ``models`` are None where it is not worth showing."""

    card: Forecast
    models: scoring.Ahead | None


def look_ahead(customers: Customers, past: Past, settings: Settings, month: str,
               columns: Mapping[str, ColumnInfo], stage: Stage) -> Ahead | None:
    """Learn this month's class from the columns of the month before, where they mean the same."""
    from reportgen import evaluation, forecast, model_selection, sample, scoring
    from reportgen.trends import continuity
    from reportgen.trends.pair import pair

    both = pair(past.last, customers.table, customers.left_out, month=month)
    if both is None or both.apart != 1:
        return None
    names = (*settings.features, settings.target)
    changed = continuity.contract_changes(both.report.columns, columns)
    if continuity.comparable(names, changed) != names:
        return None
    with stage("forecast") as told:
        # The whole search is repeated as often as there are outer folds.
        outer = settings.model.repeats * settings.model.folds
        searching, repeating, fitting = parts(told, 1, outer, 1)
        lesson = forecast.prepare(both.then, both.now, settings, month=both.month)
        if lesson is None:
            return None
        drawn = sample.draw_sample(lesson.table, lesson.settings)
        winner = model_selection.search(drawn, lesson.settings, searching)[0]
        nested = model_selection.nested(drawn, lesson.settings, repeating)
        (trial,) = evaluation.try_out((winner,), drawn, lesson.settings)
        judged = evaluation.judged_risks(
            trial, (nested.risks, nested.folds) if nested else None, drawn)
        card = forecast.judge(lesson, drawn, judged, family=winner.family)
        if not card.useful:
            return Ahead(card, None)
        scorer = scoring.fit_scorer(winner.pipeline, drawn, lesson.settings, fitting)
        return Ahead(card, scoring.Ahead(scorer, drawn, lesson.settings))


def told(ahead: Ahead | None, scored: ibis.Table, settings: Settings) -> Forecast | None:
    """Return what the report says of a forecast: with its bands, where it is worth showing them."""
    from reportgen import forecast

    if ahead is None or ahead.models is None:
        return ahead.card if ahead else None
    return forecast.with_bands(ahead.card, scored, settings)


def score(customers: ibis.Table, learned: Learned, ahead: Ahead | None, settings: Settings,
           private: Path, stage: Stage) -> ibis.Table:
    """Write the risk of every customer, and the model where it may be used."""
    from reportgen import risk_model, scoring

    usable = not learned.card.gate.withholds
    with stage("score") as told:
        scored = scoring.score(customers, learned.scorer, learned.sample, settings,
                               path=private / CUSTOMERS, usable=usable,
                               ahead=ahead.models if ahead else None, told=told)
        if usable:
            risk_model.save(learned.scorer.final, settings, trained=learned.trained,
                            path=private / MODEL)
    return scored


def explain(scored: ibis.Table, learned: Learned, settings: Settings, private: Path,
             stage: Stage) -> Explanation:
    """Explain the model, and the risk of each listed customer to those who act on it."""
    from reportgen import explanation, reasons

    usable = not learned.card.gate.withholds
    with stage("explain") as told:
        explained = explanation.explain(learned.model, learned.pipeline, learned.scorer.folds,
                                        learned.sample, settings, usable=usable, told=told)
    if usable:
        with stage("reasons") as told:
            reasons.write_reasons(scored, learned.scorer.final, learned.scorer.folds,
                                  explained.groups, learned.sample, settings,
                                  path=private / REASONS, told=told)
    return explained


