"""A finished month as it lies in the output folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from reportgen import mail, results, storage
from reportgen.errors import StorageError
from reportgen.results import Report


@dataclass(frozen=True)
class Published:
    """A finished month as it lies in the output folder."""

    output: Path
    report: Report

    @property
    def month(self) -> str:
        """The month, ``YYYY-MM``."""
        return self.report.month

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that its messages are drawn in."""
        folder = storage.month_folder(self.output, "private", self.month)
        names = sorted(path.name for path in folder.glob(mail.draft_name("*")))
        return tuple(name.split(".")[1] for name in names)

    @cached_property
    def digest(self) -> str:
        """What the report is known by: the same figures, the same digest."""
        return results.figures_sha256(self.report)

    @cached_property
    def content(self) -> str:
        """What an approval is of: all that a reader would get."""
        drafts = [f"{language}:{storage.file_sha256(self._draft_path(language))}"
                  for language in self.languages]
        return hashlib.sha256("\n".join([self.digest, *drafts]).encode()).hexdigest()

    def draft(self, language: str) -> bytes:
        """Return the month's message in a language.

        Raises
        ------
        StorageError
            Where it was not drawn, or was drawn by a program that drew none.
        """
        return self._drawn(self._draft_path(language))

    def _drawn(self, path: Path) -> bytes:
        if not path.is_file():
            raise StorageError(f"{path} is missing; draw it by: reportgen render --month "
                               f"{self.month}")
        return path.read_bytes()

    def _draft_path(self, language: str) -> Path:
        return storage.month_folder(self.output, "private", self.month) / mail.draft_name(language)

    def pdf(self, language: str) -> mail.Attachment:
        """Return the report for the owner, who gets it when readers do not."""
        path = (storage.month_folder(self.output, "public", self.month)
                / f"report.{language}.pdf")
        return mail.Attachment(mail.attached_name(self.month, language), "application/pdf",
                               self._drawn(path))
