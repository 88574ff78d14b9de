"""What a month need not do again, by what its last run left in the output folder.

A month's folder, its settings and the output folder come in; the fingerprint of all that its
figures depend on, and what is to be done, go out. Nothing later than the month is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from reportgen import config, fingerprints, history, ledger, storage
from reportgen.config import Settings
from reportgen.fingerprints import MANIFEST, Manifest
from reportgen.history import CUSTOMERS, RESULTS
from reportgen.months import MonthFolder

#: Earlier months whose customers and model a run may look at: the newest, and one more in case
#: that one cannot be read.
_LOOKED_AT = 2

Status = Literal["analysed", "drawn", "unchanged"]
"""What a run had to do for a month: everything, its pages only, or nothing."""


def of_figures(folder: MonthFolder, output: Path, settings: Settings, *,
               kept: str | None) -> str:
    """Fingerprint everything that the month's figures depend on, and nothing later than it."""
    month = folder.month
    folder_of_state = storage.state_folder(output)
    tables = [path for path in (*folder.path.glob("*"), *folder.path.glob("*/*"))
              if path.is_file() and not path.name.startswith(".")
              and path.name != config.FILE_NAME]
    known = [path for kind in ("assignments", "outcomes")
             for path in folder_of_state.glob(f"{kind}-*.parquet")
             if path.stem.removeprefix(f"{kind}-") < month]
    return fingerprints.of_analysis(
        inputs=[*tables, *_of_earlier(output, month, kept), *known],
        values={"month": month, "settings": settings.of_figures(),
                "kept": kept, "key": ledger.key_fingerprint(),
                "earlier": _made_of(output, month)},
    )


def _of_earlier(output: Path, month: str, kept: str | None) -> Iterator[Path]:
    """Yield the files of earlier months that the analysis may read.

    Of months that are only a point of the trend the report is enough. A stored model differs from
    run to run in its bytes; what it was made of stands for it (`_made_of`).
    """
    earlier = history.finished(output, before=month)[-history.MOST_MONTHS:]
    for name in earlier:
        yield storage.month_folder(output, "public", name) / RESULTS
        if name in earlier[-_LOOKED_AT:] or name == kept:
            yield from history.files_of(storage.month_folder(output, "private", name) / CUSTOMERS)


def _made_of(output: Path, month: str) -> dict[str, str | None]:
    """Fingerprint of the figures of each earlier month, None where it is not known.

    How a month was drawn is no part of it: drawing one again changes no later month.
    """
    made = ((name, manifest(output, name)) for name in history.finished(output, before=month))
    return {name: None if one is None else one.analysis for name, one in made}


def manifest(output: Path, month: str) -> Manifest | None:
    """Read what a month's last run left; None where it cannot be believed."""
    return fingerprints.read_manifest(
        storage.month_folder(output, "private", month) / MANIFEST)


def standing(last: Manifest | None, figures: str, pages: str, output: Path) -> Status:
    """Tell what must be done for a month whose figures and pages have these fingerprints."""
    if last is None or last.analysis != figures or not fingerprints.hold(output, last.analysed):
        return "analysed"
    if last.drawing != pages or not fingerprints.hold(output, last.drawn):
        return "drawn"
    return "unchanged"


def content(staged: storage.StagedRun) -> dict[str, str]:
    """Fingerprint what was written so far, by where it will stand."""
    return {f"{side}/{staged.month}/{path.relative_to(folder).as_posix()}":
            storage.file_sha256(path)
            for side, folder in (("public", staged.public), ("private", staged.private))
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST}


def drawn(staged: storage.StagedRun, analysed: dict[str, str]) -> dict[str, str]:
    """Fingerprint what was drawn: all that is there and was not analysed."""
    return {name: sha256 for name, sha256 in content(staged).items() if name not in analysed}


def state(output: Path, month: str) -> dict[str, str]:
    """Fingerprint what the month left in the state."""
    files = storage.state_folder(output).glob(f"*-{month}.parquet")
    return fingerprints.of_files(output, files)
