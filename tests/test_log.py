"""What a command tells of its work, for a person and for a machine."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys

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


class Clock:
    """Stands still until it is set forward."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(shown: str) -> str:
    """Drop what moves the cursor and colours the text."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)


def test_a_machine_reads_now_and_then_how_far_a_stage_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """100 rows a second from the first word on: 600 of 1,000 leave 4 s."""
    clock = Clock()
    with Log("json", clock=clock).stage("score") as told:
        for second in range(8):
            told(100 * second, 1_000, "rows")
            clock.now += 1
        assert capsys.readouterr().err.count("\n") == 1      # after 5 s, and not again
        clock.now += 3
        told(800, 1_000, "rows")
        second_event, = map(json.loads, capsys.readouterr().err.splitlines())
    assert {key: second_event[key] for key in second_event if key != "time"} == {
        "level": "info", "event": "progress", "stage": "score", "done": 800, "total": 1_000,
        "unit": "rows", "seconds_left": 3}      # 800 in 11 s: 200 take 2.75 s
    (last,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert (last["event"], last["stage"], last["seconds"]) == ("stage", "score", 11)


def test_a_machine_is_told_that_nothing_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Log("json", clock=clock).stage("read") as told:
        clock.now += 6
        told(12.34, 100, "%")
    event = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (event["done"], event["total"], event["seconds_left"]) == (12.3, 100, None)


def test_a_short_stage_tells_a_machine_of_its_end_only(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with Log("json", clock=clock).stage("score") as told:
        told(0, 10, "rows")
        clock.now += 4.9
        told(10, 10, "rows")
    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["stage"]


@pytest.mark.parametrize("verbose", [False, True])
def test_progress_is_not_written_where_no_terminal_is(
    capsys: pytest.CaptureFixture[str], verbose: bool
) -> None:
    clock = Clock()
    with Log(verbose=verbose, clock=clock).stage("score") as told:
        clock.now += 60
        told(5, 10, "rows")
        assert capsys.readouterr().err == ""


def test_a_terminal_shows_the_rows_and_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth in 5 s leaves 45 s."""
    terminal, clock = Terminal(), Clock()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with Log(clock=clock).stage("score") as told:
        told(0, 10_000_000, "rows")
        clock.now += 5
        told(1_000_000, 10_000_000, "rows")
    shown = drawn(terminal.getvalue())
    assert "score ... 1,000,000 of 10,000,000 rows, about 45 s left" in shown


def test_a_terminal_shows_the_time_so_far_of_a_stage_that_cannot_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, clock = Terminal(), Clock()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with Log(clock=clock).stage("money"):
        clock.now += 7
    assert "money ... 7 s so far" in drawn(terminal.getvalue())


def test_what_draws_on_a_terminal_is_not_loaded_elsewhere() -> None:
    code = ("import sys; from reportgen.log import Log\n"
            "with Log('json').stage('x') as told: told(1, 2, 'rows')\n"
            "with Log(verbose=True).stage('x') as told: told(1, 2, 'rows')\n"
            "sys.exit('rich' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
