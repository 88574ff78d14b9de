"""The commands' work: a month analysed and published, drawn again, or only checked.

`run` analyses a month (see `analysis` for the order of its stages) and publishes it, `render` draws
a finished month again from its results.json, `check` only holds the tables against the contract.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from reportgen import (
    config,
    drawing,
    engine,
    fingerprints,
    freshness,
    history,
    ledger,
    limits,
    localization,
    months,
    results,
    spark,
    storage,
    workers,
)
from reportgen.analysis import ACTIONS, Before, Stage, analyse, read_customers
from reportgen.config import Settings
from reportgen.errors import ConfigError, GateError, MailError, StorageError
from reportgen.fingerprints import MANIFEST, Manifest
from reportgen.freshness import Status
from reportgen.history import RESULTS
from reportgen.months import MonthFolder
from reportgen.results import DataQuality, Effort, Report
from reportgen.sections import Engine


@dataclass(frozen=True)
class Request:
    """What a command was asked for; None means what the settings or the data give.

    ``kept`` is the month whose model is to score this one. ``today`` is the clock, as a value;
    without it nothing is said of the data's age.
    """

    data: Path
    output: Path
    month: str | None = None
    config: Path | None = None
    effort: Effort | None = None
    languages: tuple[str, ...] | None = None
    templates: Path | None = None
    kept: str | None = None
    force: bool = False
    today: date | None = None


@dataclass(frozen=True)
class Outcome:
    """A published month: its numbers, its files, what was done, and what its gates say.

    ``failures`` are messages, one a gate that failed, beginning with its name; ``notices`` tell
    what a person should know though nothing failed by it.
    """

    report: Report
    files: tuple[Path, ...]
    status: Status
    failures: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


# ── run ──────────────────────────────────────────────────────────────────────────────────────────


def run(request: Request, stage: Stage) -> Outcome:
    """Analyse a month and publish its documents, as far as that was not done before.

    Raises
    ------
    ReportgenError
        Whatever went wrong; the last good report stays as it was.
    """
    folder = _find_month(request)
    outcome = _run(folder, request, stage)
    return _aged(outcome, folder, request) if request.month is None else outcome


def run_all(request: Request, stage: Stage) -> Iterator[Outcome]:
    """Do so for every month below the data folder, oldest first, each reading those before it.

    Months up to the one whose model is kept learn their own.
    """
    if _in_database(request):
        raise ConfigError("--all needs a folder a month; of a database name one by --month YYYY-MM")
    anew = replace(request, kept=None)
    *earlier, newest = months.find_months(request.data)
    known = {*history.finished(request.output), *(one.month for one in (*earlier, newest))}
    if request.kept and request.kept not in known:
        raise ConfigError(f"--model {request.kept!r} is no month of {request.data} or "
                          f"{request.output}; known: {', '.join(sorted(known))}")

    def asked(folder: MonthFolder) -> Request:
        return anew if request.kept and folder.month <= request.kept else request

    for folder in earlier:
        yield _run(folder, asked(folder), stage)
        gc.collect()        # a month's tables would stay until the last one is done
    yield _aged(_run(newest, asked(newest), stage), newest, request)


def _run(folder: MonthFolder, request: Request, stage: Stage) -> Outcome:
    output, month = request.output, folder.month
    settings = _settings(folder, request)
    languages = _known(request.languages or settings.store.languages, request.templates)
    with storage.lock(output):
        figures = freshness.of_figures(folder, output, settings, kept=request.kept)
        pages = fingerprints.of_drawing(figures, languages=languages,
                                        templates=localization.folders(request.templates))
        # Whether a database's tables are still the same nobody can tell.
        anew = request.force or settings.in_database
        last = None if anew else freshness.manifest(output, month)
        status = freshness.standing(last, figures, pages, output)
        if status == "analysed" or last is None:
            report = _analyse(folder, request, settings, languages, (figures, pages), stage)
        else:
            report = read(output, month)
            if status == "drawn":
                _draw_again(report, languages, request.templates, output,
                            replace(last, drawing=pages), stage)
        _write_index(output, languages, request.templates, stage)
    return _outcome(output, report, status)


def _analyse(folder: MonthFolder, request: Request, settings: Settings,
             languages: tuple[str, ...], made_of: tuple[str, str], stage: Stage) -> Report:
    """Analyse a month, draw it and publish it."""
    output, month = request.output, folder.month
    with storage.stage(output, month) as staged:
        before = _before(output, month, settings)
        ledger.check_key(before.ledger, settings.programme.campaign)
        with _within(settings.engine):
            found = analyse(folder.path, settings, month=month, private=staged.private,
                            before=before, stage=stage, kept=request.kept)
        (staged.public / RESULTS).write_text(results.to_json(found.report), encoding="utf-8")
        # Before anything is published: a list without its groups on record could not be judged.
        ledger.append(storage.state_folder(output), month, drawn=found.drawn,
                      outcomes=found.outcomes, fingerprints=found.fingerprints)
        analysed = freshness.content(staged) | freshness.state(output, month)
        workers.release()
        with workers.drawing(len(languages) - 1) as beside:
            _draw(found.report, languages, request.templates, staged, stage, beside)
        _publish(staged, Manifest(*made_of, analysed, {}), stage)
    return found.report


def _within(where: Engine) -> AbstractContextManager[None]:
    """Tell faults of what works on the tables as messages."""
    return spark.told() if where.kind == "spark" else engine.within_limits(where)


def _before(output: Path, month: str, settings: Settings) -> Before:
    """Read what earlier months left."""
    return Before(ledger.read(storage.state_folder(output), month),
                  history.read(output, month, since=settings.history.since,
                               accepted=settings.history.accepted))


def _settings(folder: MonthFolder, request: Request) -> Settings:
    settings = config.load(request.config or config.find_file(folder.path))
    return settings if request.effort is None else settings.with_effort(request.effort)


def _find_month(request: Request) -> MonthFolder:
    """Find the month's folder, which a database does without."""
    if _in_database(request):
        return months.of_database(request.data, request.month)
    return months.find_month(request.data, request.month)


def _in_database(request: Request) -> bool:
    path = request.config or config.find_file(request.data)
    return path is not None and config.load(path).in_database


def _known(languages: tuple[str, ...], templates: Path | None) -> tuple[str, ...]:
    """Return the languages; one without a catalogue fails before any work is done."""
    for language in languages:
        localization.load(language, templates)
    return tuple(dict.fromkeys(languages))


# ── Drawing and publishing ───────────────────────────────────────────────────────────────────────


def render(output: Path, month: str | None, *, languages: tuple[str, ...] | None,
           templates: Path | None, stage: Stage) -> Outcome:
    """Draw a finished month again, in other languages or with other templates; the rest stays."""
    # Another process imports while this one reads; most reports have a second language.
    count = 1 if languages is None else len(languages) - 1
    with workers.drawing(count) as beside, storage.lock(output):
        month = month or newest(output)
        report = read(output, month)
        wanted = _known(languages or report.store.languages, templates)
        last = freshness.manifest(output, month)
        if last is not None:
            last = replace(last, drawing=fingerprints.of_drawing(
                last.analysis, languages=wanted, templates=localization.folders(templates)))
        with storage.stage(output, month, from_published=True) as staged:
            _draw(report, wanted, templates, staged, stage, beside)
            _publish(staged, last, stage)
        _write_index(output, report.store.languages, templates, stage)
    return _outcome(output, report, "drawn")


def _draw_again(report: Report, languages: tuple[str, ...], templates: Path | None, output: Path,
                manifest: Manifest, stage: Stage) -> None:
    """Draw a month whose figures stand, in place of all that was drawn before."""
    with workers.drawing(len(languages) - 1) as beside, storage.stage(
            output, report.month, from_published=True) as staged:
        for name in manifest.drawn:
            side, _, file = name.split("/")
            (staged.folder / side / file).unlink(missing_ok=True)
        _draw(report, languages, templates, staged, stage, beside)
        _publish(staged, manifest, stage)


def _draw(report: Report, languages: tuple[str, ...], templates: Path | None,
          staged: storage.StagedRun, stage: Stage, beside: Executor | None) -> None:
    with stage("render") as told:
        drawing.documents(report, languages, templates, staged, beside, told)
    if (staged.private / ACTIONS).is_file():
        with stage("list") as told:
            drawing.work_list(report, languages[0], templates, staged.private, told)


def _publish(staged: storage.StagedRun, manifest: Manifest | None, stage: Stage) -> None:
    """Put a month in its place, and with it what it was made of."""
    with stage("publish"):
        if manifest is not None:
            manifest = replace(manifest, drawn=freshness.drawn(staged, manifest.analysed))
            (staged.private / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        staged.publish()


def _write_index(output: Path, languages: tuple[str, ...], templates: Path | None,
                 stage: Stage) -> None:
    """Draw the page of all months where a month, or how it is shown, has changed."""
    public, path = output / "public", output / "private" / "index.json"
    finished = history.finished(output)
    sources = [file for month in finished for pattern in (RESULTS, "report.*.*")
               for file in sorted(storage.month_folder(output, "public", month).glob(pattern))]
    made_of = fingerprints.of_drawing(
        fingerprints.of_analysis(inputs=sources, values={}), languages=languages,
        templates=localization.folders(templates))
    last = fingerprints.read_manifest(path)
    if last is not None and last.drawing == made_of and fingerprints.hold(output, last.drawn):
        return
    with stage("index"):
        pages = drawing.index(output, languages, templates)
        for name, page in pages.items():
            storage.write_atomic(public / name, page.encode())
        for name in () if last is None else last.drawn:
            if Path(name).name not in pages:
                (output / name).unlink(missing_ok=True)     # of a language that is gone
        drawn = fingerprints.of_files(output, [public / name for name in pages])
        storage.write_private(path, Manifest("", made_of, {}, drawn).to_json().encode())


def read(output: Path, month: str) -> Report:
    """Read a finished month's report."""
    source = storage.month_folder(output, "public", month) / RESULTS
    if not source.is_file():
        raise StorageError(f"{source} is missing; run that month first")
    return results.from_json(source.read_text(encoding="utf-8"), name=str(source))


# ── What came of it ──────────────────────────────────────────────────────────────────────────────


def hold(outcomes: tuple[Outcome, ...], missed: Sequence[str] = ()) -> None:
    """Tell that gates failed, or that somebody was not reached, after the reports were written.

    Of several months those count that something was done for, and the newest: a gate that an old
    month failed once does not make every later run fail.

    Raises
    ------
    GateError
        Naming each limit that a month does not keep.
    MailError
        Naming who did not get the report; where a gate failed as well, that error names them.
    """
    counted = [outcome for outcome in outcomes
               if outcome.status != "unchanged" or outcome is outcomes[-1]]
    failures = [f"  {outcome.report.month}: {failure}"
                for outcome in counted for failure in outcome.failures]
    mail = ["not everybody got the report by e-mail:", *(f"  {line}" for line in missed)]
    if failures:
        raise GateError("\n".join(["the report was written, and a gate failed:", *failures,
                                   *(mail if missed else ())]))
    if missed:
        raise MailError("\n".join(mail))


def _outcome(output: Path, report: Report, status: Status) -> Outcome:
    files = [path for side in ("public", "private")
             for path in storage.month_folder(output, side, report.month).iterdir()]
    index = [path for path in (output / "public").glob("index*.html")]
    return Outcome(report, tuple(sorted([*files, *index])), status, tuple(failures(report)),
                   tuple(history.told(report.history.faults, report.month)))


def failures(report: Report) -> Iterator[str]:
    """Tell which gates a report failed; see `limits.check` for those beside the model's own."""
    gate = report.model.gate
    if gate.withholds:
        yield (f"usefulness: the model is not proven useful ({', '.join(gate.closed_by)}), ROC-AUC "
               f"{gate.roc_auc.value:.2f} ({gate.roc_auc.low:.2f} to {gate.roc_auc.high:.2f}); "
               "nobody is listed for targeting. Look for columns that tell the fallen apart, or "
               "more customers; `[gates] usefulness = false` turns this gate into a warning.")
    for check in report.checks:
        if not check.passed:
            yield limits.told(check)


def _aged(outcome: Outcome, folder: MonthFolder, request: Request) -> Outcome:
    """Add the age of the newest data, which is no figure of the report."""
    if request.today is None:
        return outcome
    told = limits.too_old(folder.month, request.today, _settings(folder, request).gates.data_age)
    return replace(outcome, failures=(*outcome.failures, *told))


def newest(output: Path) -> str:
    """Name the newest finished month."""
    found = history.finished(output)
    if not found:
        raise StorageError(f"{output} holds no finished month; run one first")
    return found[-1]


# ── check and demo ───────────────────────────────────────────────────────────────────────────────


def check(request: Request, stage: Stage) -> DataQuality:
    """Hold a month's tables against the contract and do nothing else."""
    folder = _find_month(request)
    settings = _settings(folder, request)
    with _within(settings.engine):
        return read_customers(folder.path, settings, stage, month=folder.month).quality


def write_demo(folder: Path, *, world: str, customers: int, months: int, seed: int,
               action: str | None = None, output: Path | None = None) -> tuple[Path, ...]:
    """Write a demo store and return its months' folders.

    With an ``action``, the customers whom the runs below ``output`` have drawn to be treated feel
    it from the month after; the months before stay as they were.
    """
    from reportgen import demo

    if world not in demo.WORLDS:
        raise ConfigError(f"--world {world!r} is unknown; known: {', '.join(demo.WORLDS)}")
    programme = None
    if action is not None and output is not None:
        if action not in demo.ACTIONS:
            raise ConfigError(f"--action {action!r} is unknown; known: {', '.join(demo.ACTIONS)}")
        treated = ledger.treated(storage.state_folder(output))
        if not treated:
            raise ConfigError(f"{output} has drawn nobody yet; run a month with "
                              f"{ledger.KEY_VARIABLE} set, then write the demo again")
        programme = demo.Programme(demo.ACTIONS[action], treated)
    return demo.write_store(folder, demo.WORLDS[world], seed=seed, customers=customers,
                            months=months, contract_text=demo_contract(), programme=programme)


def demo_contract() -> str:
    """Return the shipped contract under the name of the demo store, whose data do not grow old."""
    return config.shipped_text().replace(
        'name = { ru = "В один клик", en = "One Click" }',
        'name = { ru = "Демонстрационный магазин", en = "Demo store" }',
    ).replace("data_age = 62 ", "data_age = 36500 ")
