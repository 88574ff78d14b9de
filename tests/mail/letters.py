"""The e-mails of hand-built reports, rendered once, with and without what a report may lack."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

import histories
from reports import make_first_report, make_report, make_unproven_report

from reportgen import charts, localization, mail, templating
from reportgen.charts import Raster
from reportgen.results import Report
from reportgen.templating import Letter

LANGUAGES = ("ru", "en")
DAY = datetime(2026, 10, 31)
PUBLISHED = "https://reports.example.org/retention/"


def with_address(report: Report) -> Report:
    return replace(report, store=replace(report.store, published=PUBLISHED))


REPORTS = {
    "third month": lambda: with_address(make_report()),
    "no address": make_report,
    "first month": make_first_report,
    "unproven model": make_unproven_report,
    "closed gate": lambda: make_report(checks=histories.checks(drift=0.4)),
    "quick": lambda: make_report(effort="quick"),
}


@cache
def report_of(kind: str) -> Report:
    return REPORTS[kind]()


@cache
def pictures_of(kind: str, language: str) -> dict[str, Raster]:
    return charts.draw_rasters(report_of(kind), localization.load(language), colours={})


@cache
def letter_of(kind: str = "third month", language: str = "ru") -> Letter:
    return letter(report_of(kind), language, pictures_of(kind, language))


def letter(report: Report, language: str = "ru",
           pictures: dict[str, Raster] | None = None) -> Letter:
    return templating.render_letter(
        report, language=language, pictures=pictures or {},
        attached=mail.attached_name(report.month, language))


def draft_of(kind: str = "third month", language: str = "ru", pdf: bytes = b"%PDF-1.7") -> bytes:
    written = letter_of(kind, language)
    return mail.draft(
        subject=written.subject, text=written.text, html=written.html, language=language,
        pictures=[mail.Picture(one.content_id, one.png)
                  for one in pictures_of(kind, language).values()],
        attachments=[mail.Attachment(mail.attached_name("2026-10", language), "application/pdf",
                                     pdf)],
        dated=DAY)
