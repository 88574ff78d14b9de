"""The commands as a user types them: help, outputs, exit codes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reportgen import pipeline
from reportgen.cli import main

DATA = Path(__file__).parents[1] / "data"
README = Path(__file__).parents[1] / "README.md"
COMMANDS = sorted(main.commands)


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    shown = call(command, "-h")
    assert shown.exit_code == 0
    if main.commands[command].params:
        assert f"reportgen {command} " in shown.output.split("Options:")[0]
        assert all(option.help for option in main.commands[command].params)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_readme(command):
    assert f"reportgen {command}" in README.read_text(encoding="utf-8")


def test_help_imports_nothing_heavy():
    heavy = ("pandas", "sklearn", "shap", "matplotlib", "weasyprint", "ibis", "duckdb", "numpy",
             "jinja2", "babel", "pydantic")
    script = ("import sys; from click.testing import CliRunner; from reportgen.cli import main; "
              "CliRunner().invoke(main, ['run', '--help']); "
              f"print([name for name in {heavy} if name in sys.modules])")
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True,
                          text=True)
    assert told.stdout.strip() == "[]"


def test_check_tells_what_was_repaired_and_left_out():
    told = call("check", "--data", DATA, "--month", "2026-10")
    assert told.exit_code == 0
    assert "стандартт" in told.output
    assert re.search(r"left out, outlier: 1\b", told.output)


def test_check_on_broken_data_exits_with_3_and_places_every_fault(tmp_path):
    for path in (DATA / "2026-10").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    text = (tmp_path / "market_file.csv").read_text(encoding="utf-8")
    (tmp_path / "market_file.csv").write_text(text.replace("премиум", "платина", 1),
                                              encoding="utf-8")
    (tmp_path / "money.csv").unlink()
    told = call("check", "--data", tmp_path, "--month", "2026-10")
    assert told.exit_code == 3
    row = next(place for place, line in enumerate(text.splitlines(), start=1) if "премиум" in line)
    assert re.search(rf"market_file\.csv, column «Тип сервиса», row {row}:.*«платина»", told.output)
    assert "money.csv" in told.output
    assert "Traceback" not in told.output


@pytest.mark.parametrize(("arguments", "exit_code", "told"), [
    (["run", "--data", "nowhere"], 2, "reportgen demo"),
    (["run", "--month", "soon"], 2, "YYYY-MM"),
    (["run", "--month", "1999-01", "--data", DATA], 2, "2026-08, 2026-09, 2026-10"),
    (["demo", "--world", "flat"], 2, "known: linear"),
    (["render", "--output", "empty"], 1, "no finished month"),
    (["run", "--colour"], 2, "--colour"),
])
def test_what_cannot_be_done_is_told_in_one_message(arguments, exit_code, told, tmp_path,
                                                    monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == exit_code
    assert told in result.output
    assert "Traceback" not in result.output


def test_a_bad_configuration_names_the_key_and_exits_with_2(tmp_path):
    (tmp_path / "reportgen.toml").write_text("[risk]\nhigh = 7\n", encoding="utf-8")
    told = call("check", "--data", DATA, "--config", tmp_path / "reportgen.toml")
    assert told.exit_code == 2
    assert "risk.high" in told.output


def test_demo_writes_a_store_that_check_accepts(tmp_path):
    told = call("demo", "--data", tmp_path, "--customers", 300, "--months", 2, "--seed", 5)
    assert told.exit_code == 0
    folders = [Path(line).name for line in told.output.split()]
    assert len(folders) == 2
    checked = call("check", "--data", tmp_path)
    assert checked.exit_code == 0
    assert f"of {300}" in call("check", "--data", tmp_path, "--month", folders[0]).output


def test_an_unexpected_fault_is_one_message_unless_debugging(monkeypatch):
    def fails(*_):
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(pipeline, "check", fails)
    told = call("check")
    assert told.exit_code == 1
    assert "ZeroDivisionError: by nothing" in told.output
    assert "--debug" in told.output
    assert isinstance(call("--debug", "check").exception, ZeroDivisionError)


def test_ctrl_c_exits_with_130(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "check", interrupted)
    told = call("check")
    assert told.exit_code == 130
    assert "last good report" in told.output


def test_doctor_tells_what_is_missing_and_what_to_type(monkeypatch):
    from reportgen import doctor

    assert call("doctor").exit_code == 0
    missing = doctor.Finding("Pango", False, "cannot load library", ("apt-get install pango",))
    monkeypatch.setattr(doctor, "_pango", lambda: missing)
    told = call("doctor")
    assert told.exit_code == 1
    assert "apt-get install pango" in told.output
