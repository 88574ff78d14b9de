"""What was mailed and approved, as the state remembers it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from reportgen import mailed
from reportgen.errors import StorageError
from reportgen.mailed import Approval, Entry

STEP = Entry("2026-11-03T09:30:00+00:00", "2026-10", "report", "d1", "ann@example.org", "<1@x>",
             "2026-11-03T09:30:00+00:00", "sending")
SENT = replace(STEP, fate="sent", told="250 queued")
APPROVAL = Approval("2026-11-03T09:00:00+00:00", "2026-10", "d1", "Ann")


def test_nothing_was_mailed_before_the_first_message(tmp_path: Path) -> None:
    assert mailed.read(tmp_path) == mailed.Mailed()


def test_steps_come_back_in_their_order(tmp_path: Path) -> None:
    for step in (STEP, SENT, APPROVAL):
        mailed.note(tmp_path, step)
    assert mailed.read(tmp_path) == mailed.Mailed((STEP, SENT), (APPROVAL,))


def test_newest_step_tells_what_became_of_a_message(tmp_path: Path) -> None:
    other = replace(SENT, message_id="<2@x>", recipient="Bob@example.org", report="d0")
    for step in (STEP, other, SENT):
        mailed.note(tmp_path, step)
    history = mailed.read(tmp_path)
    assert history.last("<1@x>") == SENT
    assert history.last("<3@x>") is None
    assert history.report_to("bob@EXAMPLE.org", "2026-10") == other
    assert history.report_to("bob@example.org", "2026-09") is None


def test_previews_and_notices_are_no_copy_of_the_report(tmp_path: Path) -> None:
    for kind in ("preview", "alert"):
        mailed.note(tmp_path, replace(SENT, kind=kind))
    assert mailed.read(tmp_path).report_to("ann@example.org", "2026-10") is None


def test_approval_is_of_one_content(tmp_path: Path) -> None:
    mailed.note(tmp_path, APPROVAL)
    history = mailed.read(tmp_path)
    assert history.approved("d1")
    assert not history.approved("d2")


def test_messages_of_other_figures_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    for number, fate in enumerate(("sent", "unknown", "sending", "deferred", "refused")):
        other = replace(STEP, message_id=f"<{number}@y>", report="d0")
        mailed.note(tmp_path, other)
        mailed.note(tmp_path, replace(other, fate=fate))
    assert mailed.read(tmp_path).others_to("Ann@example.org", "2026-10", "d1") == 3
    assert mailed.read(tmp_path).others_to("ann@example.org", "2026-10", "d0") == 0


def test_line_is_whole_though_the_system_takes_it_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    mailed.note(tmp_path, STEP)
    assert mailed.read(tmp_path).entries == (STEP,)


def test_nobody_else_reads_who_was_mailed(tmp_path: Path) -> None:
    mailed.note(tmp_path, STEP)
    mailed.note(tmp_path, APPROVAL)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("kept", [1, 4, 5, 40, -2])
def test_line_that_a_power_cut_tore_is_as_if_it_had_never_begun(tmp_path: Path, kept: int) -> None:
    mailed.note(tmp_path, STEP)
    path = tmp_path / "mail.jsonl"
    whole = path.read_bytes()
    mailed.note(tmp_path, SENT)
    torn = path.read_bytes()[len(whole):][:kept]
    path.write_bytes(whole + torn)
    assert mailed.read(tmp_path).entries == (STEP,)
    mailed.note(tmp_path, SENT)         # on a line of its own
    assert mailed.read(tmp_path).entries == (STEP, SENT)


@pytest.mark.parametrize("damage", [
    lambda line: line.replace('"fate"', '"fat"'), lambda line: "{}", lambda line: "x" + line,
    lambda line: json.dumps([1]),
])
def test_damaged_line_is_told_for_its_message_could_be_sent_twice(tmp_path: Path, damage) -> None:
    mailed.note(tmp_path, STEP)
    path = tmp_path / "mail.jsonl"
    path.write_text(damage(path.read_text().strip()) + "\n")
    with pytest.raises(StorageError, match=r"mail\.jsonl, line 1 is damaged .*backup"):
        mailed.read(tmp_path)
