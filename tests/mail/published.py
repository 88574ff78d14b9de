"""A finished month in an output folder, without an analysis and without drawing."""

from __future__ import annotations

from pathlib import Path

from reportgen import results
from reportgen.results import Report

from .letters import LANGUAGES, draft_of


def publish(output: Path, report: Report, kind: str = "third month") -> None:
    """Lay a report and its messages where a run leaves them; ``kind`` names the messages."""
    public, private = (output / side / report.month for side in ("public", "private"))
    for folder in (public, private, output / "state"):
        folder.mkdir(parents=True, exist_ok=True)
    (public / "results.json").write_text(results.to_json(report), encoding="utf-8")
    for language in LANGUAGES:
        (public / f"report.{language}.pdf").write_bytes(b"%PDF-1.7")
        (private / f"email.{language}.eml").write_bytes(draft_of(kind, language))
