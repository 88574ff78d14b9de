"""The engine keeps to the limits of the store, spills, and says what to do where it cannot."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import ibis
import pytest

from reportgen import config, engine
from reportgen.errors import ConfigError, MachineError
from reportgen.progress import silent
from reportgen.sections import Engine

#: A table of some 100 MB that has to be sorted.
ROWS = 2_000_000


def sorted_rows(connection: ibis.BaseBackend) -> int:
    """Store rows in the order of a digest, which needs all of them at once."""
    connection.con.execute(
        f"CREATE TEMP TABLE rows AS SELECT md5(range::VARCHAR) AS digest, range FROM range({ROWS}) "
        "ORDER BY digest")
    return int(connection.con.execute("SELECT count(*) FROM rows").fetchone()[0])


def test_what_does_not_fit_into_memory_is_put_on_disk(tmp_path: Path) -> None:
    connection = engine.connect(Engine(memory="80MB", threads=1, scratch=tmp_path))
    assert sorted_rows(connection) == ROWS
    assert any(path.is_file() for path in tmp_path.rglob("*"))
    connection.disconnect()


def test_engine_without_room_for_its_work_says_what_to_raise(tmp_path: Path) -> None:
    settings = Engine(memory="12MB", scratch=tmp_path)
    connection = engine.connect(settings)
    with (pytest.raises(MachineError, match=r"12MB of \[engine\] memory; raise it"),
          engine.within_limits(settings)):
        sorted_rows(connection)
    connection.disconnect()


def test_full_disk_names_the_folder_and_what_to_do(tmp_path: Path) -> None:
    settings = Engine(memory="80MB", threads=1, scratch=tmp_path)
    connection = engine.connect(settings)
    connection.con.execute("SET max_temp_directory_size = '5MB'")
    with (pytest.raises(MachineError, match=rf"the disk of {tmp_path}.* is full.*scratch"),
          engine.within_limits(settings)):
        sorted_rows(connection)
    connection.disconnect()


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_interrupted_query_ends_soon_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
import signal, sys
from pathlib import Path
from reportgen import engine
from reportgen.sections import Engine
signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell's background job ignores it
settings = Engine(memory="200MB", scratch=Path(sys.argv[1]))
connection = engine.connect(settings)
print("begins", flush=True)
try:
    with engine.within_limits(settings), engine.watched(connection, lambda *_: None):
        connection.con.execute("CREATE TEMP TABLE t AS SELECT md5(range::VARCHAR) AS d "
                               "FROM range(80000000) ORDER BY d")
except KeyboardInterrupt:
    sys.exit(130)
"""
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path], text=True,
                               stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    time.sleep(1)
    asked = time.perf_counter()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    process.stdout.close()
    assert time.perf_counter() - asked < 5      # on an idle machine a tenth of a second
    assert list(tmp_path.iterdir()) == []


def test_other_faults_stay_what_they_are() -> None:
    with pytest.raises(ZeroDivisionError), engine.within_limits(Engine()):
        raise ZeroDivisionError


def test_nothing_is_left_behind_when_the_process_ends(tmp_path: Path) -> None:
    code = ("import sys; from pathlib import Path; from reportgen import engine; "
            "from reportgen.sections import Engine; "
            "engine.connect(Engine(scratch=Path(sys.argv[1])))")
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("memory", ["much", "-1GB", "1.5", "2 cows", "1GB; DROP TABLE x"])
def test_memory_is_a_number_with_a_unit(memory: str) -> None:
    with pytest.raises(ConfigError, match=r"engine\.memory"):
        config.parse(f"[engine]\nmemory = '{memory}'")


def test_machine_is_no_part_of_what_the_figures_are_made_of() -> None:
    assert (config.parse("[engine]\nmemory = '8GB'").of_figures()
            == config.load(None).of_figures())


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_LOOK", 0.005)


def watchers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if "look" in one.name]


@pytest.mark.usefixtures("looks_often")
def test_how_far_a_query_is_gets_told_by_the_engine() -> None:
    connection = engine.connect(Engine(memory="500MB", threads=1))
    connection.con.execute(f"CREATE TEMP TABLE numbers AS SELECT range AS n FROM range({ROWS})")
    numbers = connection.table("numbers", database=("temp", "main"))
    digests = numbers.select(digest=numbers.n.cast("string").hexdigest("md5"))
    seen: list[tuple[float, float, str]] = []
    with engine.watched(connection, lambda *what: seen.append(what)):
        connection.create_table("digests", digests, temp=True)
    shares = [done for done, _, _ in seen]
    assert any(10 < share < 90 for share in shares)
    assert all(0 < share <= 100 for share in shares)
    assert seen[-1] == (100, 100, "%")
    assert not watchers()
    connection.disconnect()


@pytest.mark.usefixtures("looks_often")
def test_a_query_that_fails_is_watched_no_longer_and_not_told_as_done() -> None:
    connection = engine.connect(Engine(memory="500MB", threads=1))
    seen: list[tuple[float, float, str]] = []
    with pytest.raises(Exception, match="nothing"), engine.watched(
            connection, lambda *what: seen.append(what)):
        connection.con.execute("SELECT nothing FROM nowhere, nothing")
    assert (100, 100, "%") not in seen
    assert not watchers()
    connection.disconnect()


def test_nobody_is_watched_for_nobody() -> None:
    connection = engine.connect(Engine())
    with engine.watched(connection, silent):
        assert not watchers()
    connection.disconnect()


def test_the_engine_shows_no_bar_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    connection = engine.connect(Engine(memory="500MB"))
    connection.con.execute("SET progress_bar_time = 0")
    sorted_rows(connection)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
    connection.disconnect()
