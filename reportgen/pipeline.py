"""The commands' work: a month analysed and published, drawn again, or only checked.

`run` analyses a month (see `analysis` for the order of its stages) and publishes it, `render` draws
a finished month again from its results.json, `check` only holds the tables against the contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import config, ledger, months, results, storage, workers
from reportgen.analysis import ACTIONS, Before, Stage, analyse, read_customers
from reportgen.config import Settings
from reportgen.errors import ConfigError, GateError, StorageError
from reportgen.results import DataQuality, Effort, Report, ResultsError

if TYPE_CHECKING:
    from reportgen import pdf
    from reportgen.charts import Picture

RESULTS, WORKBOOK, IMPORT = "results.json", "customers.xlsx", "customers.csv"


@dataclass(frozen=True)
class Request:
    """What a command was asked for; None means what the settings or the data give."""

    data: Path
    output: Path
    month: str | None = None
    config: Path | None = None
    effort: Effort | None = None
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
        before = _before(request.output, folder.month)
        ledger.check_key(before.ledger, settings.programme.campaign)
        found = analyse(folder.path, settings, month=folder.month, private=staged.private,
                        before=before, stage=stage)
        (staged.public / RESULTS).write_text(results.to_json(found.report), encoding="utf-8")
        workers.release()
        with workers.drawing(len(languages) - 1) as beside:
            _draw_all(found.report, languages, request.templates, staged, stage, beside)
        # Before anything is published: a list without its groups on record could not be judged.
        ledger.append(storage.state_folder(request.output), folder.month, drawn=found.drawn,
                      outcomes=found.outcomes, fingerprints=found.fingerprints)
        with stage("publish"):
            staged.publish()
    return _outcome(request.output, found.report)


def _before(output: Path, month: str) -> Before:
    """Read what earlier months left; a report of a schema too old to be read counts as none."""
    earlier = [name for name in _finished(output) if name < month]
    report = None
    if earlier:
        path = storage.month_folder(output, "public", earlier[-1]) / RESULTS
        with suppress(ResultsError):
            report = results.from_json(path.read_text(encoding="utf-8"), name=str(path))
    return Before(ledger.read(storage.state_folder(output), month), report)


def hold_gates(report: Report) -> None:
    """Tell that a gate failed, after the report was written.

    Raises
    ------
    GateError
        Where the model's usefulness is not proven.
    """
    gate = report.model.gate
    if gate.withholds:
        raise GateError(
            f"the model is not proven useful ({', '.join(gate.closed_by)}): ROC-AUC "
            f"{gate.roc_auc.value:.2f} ({gate.roc_auc.low:.2f} to {gate.roc_auc.high:.2f}); "
            "nobody is listed for targeting.\nThe report was written and says so. Look for columns "
            "that tell the fallen apart, or more customers; `[gates] usefulness = false` in "
            "reportgen.toml turns this gate into a warning."
        )


def render(output: Path, month: str | None, *, languages: tuple[str, ...] | None,
           templates: Path | None, stage: Stage) -> Outcome:
    """Draw a finished month again, in other languages or with other templates."""
    # Another process imports while this one reads; most reports have a second language.
    count = 1 if languages is None else len(languages) - 1
    with workers.drawing(count) as beside, storage.lock(output):
        month = month or _newest(output)
        source = storage.month_folder(output, "public", month) / RESULTS
        if not source.is_file():
            raise StorageError(f"{source} is missing; run that month first")
        report = results.from_json(source.read_text(encoding="utf-8"), name=str(source))
        wanted = _known(languages or report.store.languages, templates)
        with storage.stage(output, month, from_published=True) as staged:
            _draw_all(report, wanted, templates, staged, stage, beside)
            with stage("publish"):
                staged.publish()
    return _outcome(output, report)


def check(request: Request, stage: Stage) -> DataQuality:
    """Hold a month's tables against the contract and do nothing else."""
    folder, settings = _prepare(request)
    return read_customers(folder.path, settings, stage).quality


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
    """Return the shipped contract under the name of the demo store."""
    return config.shipped_text().replace(
        'name = { ru = "В один клик", en = "One Click" }',
        'name = { ru = "Демонстрационный магазин", en = "Demo store" }',
    )


def _prepare(request: Request) -> tuple[months.MonthFolder, Settings]:
    folder = months.find_month(request.data, request.month)
    settings = config.load(request.config or config.find_file(folder.path))
    return folder, settings if request.effort is None else settings.with_effort(request.effort)


def _known(languages: tuple[str, ...], templates: Path | None) -> tuple[str, ...]:
    """Return the languages; one without a catalogue fails before any work is done."""
    from reportgen import localization

    for language in languages:
        localization.load(language, templates)
    return languages


def _draw_all(report: Report, languages: tuple[str, ...], templates: Path | None,
              staged: storage.StagedRun, stage: Stage, beside: Executor | None) -> None:
    with stage("render"):
        _draw_documents(report, languages, templates, staged.public, beside)
    if (staged.private / ACTIONS).is_file():
        with stage("list"):
            _write_list(report, languages[0], templates, staged.private)


def _write_list(report: Report, language: str, templates: Path | None, private: Path) -> None:
    """Write who is to be acted on: the workbook in one language, the CSV in none."""
    from reportgen import localization, workbook

    words = localization.load(language, templates, currency=report.store.currency)
    workbook.write_workbook(private / ACTIONS, report, words, path=private / WORKBOOK)
    workbook.write_csv(private / ACTIONS, path=private / IMPORT)


def _draw_documents(
    report: Report, languages: tuple[str, ...], templates: Path | None, folder: Path,
    beside: Executor | None,
) -> None:
    """Draw the documents of all languages: the first here, the others in another process."""
    text = results.to_json(report)
    here, there = (languages[:1], languages[1:]) if beside else (languages, ())
    drawing = [beside.submit(_draw, text, language, templates, folder)
               for language in there if beside]
    try:
        for language in here:
            _draw(text, language, templates, folder)
    finally:
        wait(drawing)           # they write into the same folder
    for document in drawing:
        document.result()       # raises what went wrong there


def _draw(text: str, language: str, templates: Path | None, folder: Path) -> None:
    """Draw one language's documents from the text of results.json."""
    from reportgen import charts, localization, pdf, templating

    report = results.from_json(text)
    words = localization.load(language, templates, currency=report.store.currency)
    pictures = charts.draw_all(report, words)
    page, printed = (
        templating.render_html(report, language=language, pictures=pictures, templates=templates,
                               for_print=for_print)
        for for_print in (False, True))
    (folder / f"report.{language}.html").write_text(page, encoding="utf-8")
    (folder / f"report.{language}.pdf").write_bytes(pdf.write_pdf(
        printed, dated=months.last_day(report.month),
        attachments=_attachments(text, words.text("report.numbers"), pictures)))


def _attachments(text: str, described: str,
                 pictures: Mapping[str, Picture]) -> list[pdf.Attachment]:
    """List the data that the PDF carries: the numbers of all pages, and those of each chart."""
    from reportgen import pdf

    return [pdf.Attachment(RESULTS, described, text.encode()),
            *(pdf.Attachment(f"{name}.csv", picture.alt, picture.data.encode("utf-8-sig"))
              for name, picture in pictures.items())]


def _outcome(output: Path, report: Report) -> Outcome:
    files = (path for side in ("public", "private")
             for path in storage.month_folder(output, side, report.month).iterdir())
    return Outcome(report, tuple(sorted(files)))


def _newest(output: Path) -> str:
    found = _finished(output)
    if not found:
        raise StorageError(f"{output} holds no finished month; run one first")
    return found[-1]


def _finished(output: Path) -> list[str]:
    """List the months that have been published, oldest first."""
    public = storage.month_folder(output, "public", "x").parent
    return sorted(path.parent.name for path in public.glob(f"*/{RESULTS}"))
