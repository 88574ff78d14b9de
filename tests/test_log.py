"""What a command tells of its work, for a person and for a machine."""

from __future__ import annotations

import json
import re

import pytest

from reportgen.log import Log

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"


def test_a_person_sees_stages_only_where_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with Log().stage("search"):
        pass
    assert capsys.readouterr().err == ""
    with Log(verbose=True).stage("search"):
        pass
    assert re.fullmatch(r"search +\d+\.\d\d s\n", capsys.readouterr().err)


@pytest.mark.parametrize(("status", "told"), [
    ("analysed", "analysed and written"), ("drawn", "drawn again"),
    ("unchanged", "nothing has changed .*--force"),
])
def test_a_person_is_told_what_was_done_and_when(
    capsys: pytest.CaptureFixture[str], status: str, told: str
) -> None:
    Log().done("2026-10", status)
    assert re.fullmatch(rf"2026-10: .*{told}.*, {TIME}\n", capsys.readouterr().err)


def test_a_machine_reads_a_line_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log("json")
    with log.stage("search"):
        pass
    log.notice("2026-10", "«2026-09» is\nnot there")
    log.done("2026-10", "drawn")
    log.failure("a gate failed", 4)
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.err.splitlines()]
    assert captured.out == ""
    assert [(line["level"], line["event"]) for line in lines] == [
        ("info", "stage"), ("warning", "notice"), ("info", "done"), ("error", "failed")]
    assert all(re.fullmatch(TIME, line["time"]) for line in lines)
    assert (lines[0]["stage"], lines[1]["message"], lines[3]["exit_code"]) == (
        "search", "«2026-09» is\nnot there", 4)


def test_a_stage_that_fails_is_not_told_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="x"), Log("json").stage("search"):
        raise ValueError("x")
    assert capsys.readouterr().err == ""
