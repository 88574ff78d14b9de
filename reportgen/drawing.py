"""From a month's numbers to its files, and from all months to the page that lists them.

A `Report` and the words of a language come in; documents, the customer list and the page of all
months are written. Charts, pages, PDF and workbook do not know each other: what one makes is handed
to the next here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from reportgen import history, months, results, storage
from reportgen.analysis import ACTIONS
from reportgen.history import RESULTS
from reportgen.progress import Progress, parts, silent
from reportgen.results import Report, ResultsError
from reportgen.storage import StagedRun

if TYPE_CHECKING:
    from reportgen import pdf
    from reportgen.charts import Picture
    from reportgen.localization import Localizer
    from reportgen.templating import Listed

#: How long a language's page with its charts, its PDF and its e-mail take, to each other.
_TIMES = (6, 12, 1)

WORKBOOK, IMPORT, SUMMARY, INDEX = "customers.xlsx", "customers.csv", "summary.md", "index.html"


def documents(report: Report, languages: Sequence[str], templates: Path | None,
              staged: StagedRun, beside: Executor | None, told: Progress = silent) -> None:
    """Draw the documents of all languages: the first here, the others in another process.

    ``told`` is told of those that are drawn here; the others take as long at the same time.
    """
    text = results.to_json(report)
    here, there = (languages[:1], languages[1:]) if beside else (languages, ())
    drawing = [beside.submit(_document, text, language, templates, staged)
               for language in there if beside]
    shares = parts(told, *(1 for _ in here))
    try:
        for language, share in zip(here, shares, strict=True):
            _document(text, language, templates, staged, share)
        _summary(report, languages, templates, staged.public)
    finally:
        wait(drawing)           # they write into the same folder
    for document in drawing:
        document.result()       # raises what went wrong there


def work_list(report: Report, language: str, templates: Path | None, private: Path,
              told: Progress = silent) -> None:
    """Write who is to be acted on: the workbook in one language, the CSV in none."""
    from reportgen import localization, workbook

    words = localization.load(language, templates, currency=report.store.currency)
    workbook.write_workbook(private / ACTIONS, report, words, path=private / WORKBOOK,
                            told=told)
    workbook.write_csv(private / ACTIONS, path=private / IMPORT)


def index(output: Path, languages: Sequence[str], templates: Path | None) -> dict[str, str]:
    """Draw the page of all published months in each language, by the name of its file.

    The first language's page is ``index.html``. A month whose results cannot be read is listed
    with its documents and without figures.
    """
    from reportgen import charts, localization, templating

    listed = [_listed(output, month) for month in history.finished(output)]
    newest = next((one.report for one in reversed(listed) if one.report is not None), None)
    if newest is None:
        return {}
    pages = {}
    for place, language in enumerate(languages):
        words = localization.load(language, templates, currency=newest.store.currency)
        names = {other: INDEX if other == languages[0] else f"index.{other}.html"
                 for other in languages}
        pages[INDEX if place == 0 else names[language]] = templating.render_index(
            listed, newest, language=language, pages=names, templates=templates,
            pictures=charts.draw_some(newest, words, names=("trend",)))
    return pages


def _listed(output: Path, month: str) -> Listed:
    """Return what the page of all months shows of one."""
    from reportgen.templating import Listed

    folder = storage.month_folder(output, "public", month)
    try:
        report = results.from_json((folder / RESULTS).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ResultsError):
        report = None
    return Listed(month, report, tuple(sorted(path.name for path in folder.glob("report.*.*"))))


def _document(text: str, language: str, templates: Path | None, staged: StagedRun,
              told: Progress = silent) -> None:
    """Draw one language's documents from the text of results.json."""
    from reportgen import charts, localization, mail, pdf, templating

    drawn, printing, writing = parts(told, *_TIMES)
    drawn(0, 1, "documents")
    report = results.from_json(text)
    words = localization.load(language, templates, currency=report.store.currency)
    pictures = charts.draw_all(report, words)
    page, printed = (
        templating.render_html(report, language=language, pictures=pictures, templates=templates,
                               for_print=for_print)
        for for_print in (False, True))
    (staged.public / f"report.{language}.html").write_text(page, encoding="utf-8")
    printing(0, 1, "documents")
    document = pdf.write_pdf(
        printed, dated=months.last_day(report.month),
        attachments=_attachments(text, words.text("report.numbers"), pictures))
    (staged.public / f"report.{language}.pdf").write_bytes(document)
    writing(0, 1, "documents")
    (staged.private / mail.draft_name(language)).write_bytes(
        _message(report, words, templates, document))
    writing(1, 1, "documents")


def _message(report: Report, words: Localizer, templates: Path | None, document: bytes) -> bytes:
    """Draft the month's e-mail with its PDF; the same figures give the same bytes."""
    from reportgen import charts, mail, templating

    attached = mail.attached_name(report.month, words.language)
    pictures = charts.draw_rasters(report, words, colours=templating.own_colours(templates))
    letter = templating.render_letter(report, language=words.language, pictures=pictures,
                                      attached=attached, templates=templates)
    return mail.draft(
        subject=letter.subject, text=letter.text, html=letter.html, language=words.language,
        pictures=[mail.Picture(one.content_id, one.png) for one in pictures.values()],
        attachments=[mail.Attachment(attached, "application/pdf", document)],
        dated=months.last_day(report.month))


def _attachments(text: str, described: str,
                 pictures: Mapping[str, Picture]) -> list[pdf.Attachment]:
    """List the data that the PDF carries: the numbers of all pages, and those of each chart."""
    from reportgen import pdf

    return [pdf.Attachment(RESULTS, described, text.encode()),
            *(pdf.Attachment(f"{name}.csv", picture.alt, picture.data.encode("utf-8-sig"))
              for name, picture in pictures.items())]


def _summary(report: Report, languages: Sequence[str], templates: Path | None,
             folder: Path) -> None:
    """Write what a CI job shows of the month, in the first language."""
    from reportgen import templating

    (folder / SUMMARY).write_text(
        templating.render_summary(report, language=languages[0], languages=languages,
                                  templates=templates), encoding="utf-8")
