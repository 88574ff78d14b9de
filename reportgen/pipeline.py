"""The order of the stages: from a month's files to published documents.

The only place that knows it. `run` analyses a month and publishes it, `render` draws a finished
month again from its results.json, `check` only holds the tables against the contract. Each stage
takes what it uses and returns one frozen result; heavy imports happen inside the stage.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from reportgen import __version__, config, months, results, storage
from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.errors import ConfigError, StorageError
from reportgen.results import ColumnInfo, DataQuality, Provenance, Report, StoreInfo

if TYPE_CHECKING:
    from reportgen.features import Customers

RESULTS = "results.json"
CUSTOMERS = "customers.parquet"
MODEL = "model.skops"

#: Libraries whose versions change figures or pages.
_LIBRARIES = ("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "scikit-learn", "scipy",
              "shap", "weasyprint")

Stage = Callable[[str], AbstractContextManager[None]]
"""Opened around every stage by its name, so that a caller may show or time it."""


@dataclass(frozen=True)
class Request:
    """What a command was asked for; None means what the settings or the data give."""

    data: Path
    output: Path
    month: str | None = None
    config: Path | None = None
    languages: tuple[str, ...] | None = None
    templates: Path | None = None


@dataclass(frozen=True)
class Outcome:
    """A published month: its numbers and its files."""

    report: Report
    files: tuple[Path, ...]


def run(request: Request, stage: Stage) -> Outcome:
    """Analyse a month and publish its documents.

    Raises
    ------
    ReportgenError
        Whatever went wrong; the last good report stays as it was.
    """
    folder, settings = _prepare(request)
    languages = _known(request.languages or settings.store.languages, request.templates)
    with storage.lock(request.output), storage.stage(request.output, folder.month) as staged:
        report = analyse(folder, settings, staged.private, stage)
        (staged.public / RESULTS).write_text(results.to_json(report), encoding="utf-8")
        _publish(report, languages, request.templates, staged, stage)
    _release_workers()
    return _outcome(request.output, report)


def render(output: Path, month: str | None, *, languages: tuple[str, ...] | None,
           templates: Path | None, stage: Stage) -> Outcome:
    """Draw a finished month again, in other languages or with other templates."""
    with storage.lock(output):
        month = month or _newest(output)
        source = storage.month_folder(output, "public", month) / RESULTS
        if not source.is_file():
            raise StorageError(f"{source} is missing; run that month first")
        report = results.from_json(source.read_text(encoding="utf-8"), name=str(source))
        wanted = _known(languages or report.store.languages, templates)
        with storage.stage(output, month, from_published=True) as staged:
            _publish(report, wanted, templates, staged, stage)
    return _outcome(output, report)


def check(request: Request, stage: Stage) -> DataQuality:
    """Hold a month's tables against the contract and do nothing else."""
    folder, settings = _prepare(request)
    return read_customers(folder.path, settings, stage).quality


def write_demo(folder: Path, *, world: str, customers: int, months: int,
               seed: int) -> tuple[Path, ...]:
    """Write a demo store and return its months' folders."""
    from reportgen import demo

    if world not in demo.WORLDS:
        raise ConfigError(f"--world {world!r} is unknown; known: {', '.join(demo.WORLDS)}")
    return demo.write_store(folder, demo.WORLDS[world], seed=seed, customers=customers,
                            months=months, contract_text=demo_contract())


def demo_contract() -> str:
    """Return the shipped contract under the name of the demo store."""
    return config.shipped_text().replace(
        'name = { ru = "В один клик", en = "One Click" }',
        'name = { ru = "Демонстрационный магазин", en = "Demo store" }',
    )


def analyse(folder: months.MonthFolder, settings: Settings, private: Path, stage: Stage) -> Report:
    """Go from a month's files to its `Report`.

    The scored customers and the model are written to ``private``, for they are not published.
    """
    waking = _wake_workers(settings)
    customers = read_customers(folder.path, settings, stage)
    with stage("import"):
        from reportgen import (
            caveats,
            evaluation,
            explanation,
            model_selection,
            overview,
            recommendations,
            sample,
            scoring,
            segments,
        )
        waking.join()
    with stage("sample"):
        drawn = sample.draw_sample(customers.table, settings)
    with stage("search"):
        candidates = model_selection.search(drawn, settings)
    with stage("score"):
        scorer = scoring.fit_scorer(candidates[0].pipeline, drawn, settings)
        scored = scoring.score(customers.table, scorer, drawn, settings, path=private / CUSTOMERS)
        scoring.save_model(scorer, settings, path=private / MODEL)
    with stage("evaluate"):
        trials = evaluation.try_out(candidates, drawn, settings)
        card = evaluation.evaluate(trials, scorer.out_of_fold, drawn, settings)
    with stage("explain"):
        explained = explanation.explain(trials[0].model, drawn, settings)
    with stage("segments"):
        state = overview.summarise(scored, settings)
        wanted = settings.recommendations
        focus = segments.profile_rule(scored, "focus", wanted.focus_label, wanted.focus, settings)
        profiles = segments.profile(scored, settings)
    with stage("recommend"):
        advice = recommendations.recommend(scored, focus, settings)
    return results.rounded(Report(
        schema_version=results.SCHEMA_VERSION,
        store=_store(settings),
        month=folder.month,
        columns=_columns(settings),
        data=customers.quality,
        overview=state,
        model=card,
        explanation=explained,
        focus=focus,
        segments=profiles,
        recommendations=advice,
        caveats=caveats.caveats(customers.quality, state, card, focus),
        provenance=_provenance(settings),
    ))


def _prepare(request: Request) -> tuple[months.MonthFolder, Settings]:
    folder = months.find_month(request.data, request.month)
    return folder, config.load(request.config or config.find_file(folder.path))


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


def _known(languages: tuple[str, ...], templates: Path | None) -> tuple[str, ...]:
    """Return the languages; one without a catalogue fails before any work is done."""
    from reportgen import localization

    for language in languages:
        localization.load(language, templates)
    return languages


def _wake_workers(settings: Settings) -> Thread:
    """Let the search's processes start while the tables are read: importing takes them seconds."""
    from joblib import Parallel, cpu_count, delayed

    count = settings.model.workers or cpu_count()
    waking = Thread(daemon=True, target=lambda: Parallel(n_jobs=count)(
        delayed(_import)("reportgen.estimators") for _ in range(count)))
    waking.start()
    return waking


def _import(module: str) -> None:
    spare_collector()
    import_module(module)


def spare_collector() -> None:
    """Collect garbage seldom, and not at the end.

    A run makes millions of objects that live until it ends; looking through them again and again
    costs it three seconds and frees nothing.
    """
    gc.set_threshold(200_000, 50, 100)
    atexit.register(gc.freeze)


def _release_workers() -> None:
    """End the processes at once; left alone they hold up the program's end for seconds."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _publish(report: Report, languages: tuple[str, ...], templates: Path | None,
             staged: storage.StagedRun, stage: Stage) -> None:
    with stage("render"):
        _draw_all(report, languages, templates, staged.public)
    with stage("publish"):
        staged.publish()


def _draw_all(
    report: Report, languages: tuple[str, ...], templates: Path | None, folder: Path
) -> None:
    """Draw the documents of all languages: the first here, the others in another process."""
    from joblib import Parallel, delayed

    text = results.to_json(report)
    first, *others = languages
    tasks = [delayed(_draw)(text, language, templates, folder) for language in others]
    if not tasks:
        _draw(text, first, templates, folder)
        return
    drawing = Parallel(n_jobs=2, return_as="generator")(tasks)
    try:
        _draw(text, first, templates, folder)
    finally:
        deque(drawing, maxlen=0)  # waits for the others, which write into the same folder


def _draw(text: str, language: str, templates: Path | None, folder: Path) -> None:
    """Draw one language's documents from the text of results.json."""
    from reportgen import charts, localization, pdf, templating

    report = results.from_json(text)
    words = localization.load(language, templates, currency=report.store.currency)
    pictures = charts.draw_all(report, words)
    for ending, for_print in (("html", False), ("pdf", True)):
        html = templating.render_html(report, language=language, pictures=pictures,
                                      templates=templates, for_print=for_print)
        content = pdf.write_pdf(html) if for_print else html.encode()
        (folder / f"report.{language}.{ending}").write_bytes(content)


def _outcome(output: Path, report: Report) -> Outcome:
    files = (path for side in ("public", "private")
             for path in storage.month_folder(output, side, report.month).iterdir())
    return Outcome(report, tuple(sorted(files)))


def _newest(output: Path) -> str:
    public = storage.month_folder(output, "public", "x").parent
    found = sorted(path.parent.name for path in public.glob(f"*/{RESULTS}"))
    if not found:
        raise StorageError(f"{output} holds no finished month; run one first")
    return found[-1]


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
