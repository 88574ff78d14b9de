"""Whatever stops a command, the last good month is whole; what was done is not done again.

Every test runs the command line in processes of its own, with what it really reads and writes.
Many go through `DRIVER`: the real command line, which counts its steps on the disk and can stop
itself at one of them, and which can take the analysis and the pages from a folder instead of
computing them. So a kill costs a second, and it falls where it was meant to fall, on a busy machine
as on an idle one.

How the moments of killing are spread
-------------------------------------
A step is a call that is about to change something below the output folder: a file opened for
writing, a mode, a folder made, a rename, an exchange, a removal. A command that nobody stops tells
how many it takes and in which phase each lies. The steps are cut into as many equal parts as there
are kills, and one step is drawn from each part by a seed. Where the plain command is killed, its
seconds are cut so instead, and the stages that it told as done say where it was.

Nearly all steps lie in `PUBLISHING`, for that is where a run touches what readers see. The seconds
lie in analysis and drawing. `TALLY` counts both kinds by phase.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import skops.io

from reportgen import ledger, results
from reportgen.storage import file_sha256

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"),
                                reason="sessions, /proc and mounts as Linux has them")

ROOT = Path(results.__file__).parents[2]
MONTH, NEXT = "2026-08", "2026-09"
KEY = "a-key-for-the-demo"

#: What the same inputs do not give byte by byte: the model by nature, and who has its fingerprint.
UNLIKE = {"model.skops", "run.json", "index.json"}

#: The phases in which the files that readers and later runs look at are changed.
PUBLISHING = {"ledger", "publish", "index"}

#: Kills by phase, over all tests of this file that were asked for.
TALLY: Counter[str] = Counter()

#: Seconds within which processes that were told to end are gone, on a machine that does other work.
GONE = 20.0

Files = dict[str, bytes]


# ── The command line, and what it tells ──────────────────────────────────────────────────────────

# Runs the command line by a plan (JSON in the environment):
#   output   the folder whose changes are counted
#   stop     the step before which `signal` is sent to all processes of the session
#   stored   take the analysis from this folder; `drawn`: the pages too
#   renames  swap folders by two renames, as where the system cannot exchange them
DRIVER = """
    import json, os, shutil, sys
    from contextlib import contextmanager
    from pathlib import Path

    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from reportgen import cli, drawing, ledger, log, pipeline, results, storage
    from reportgen.analysis import Analysis

    plan = json.loads(os.environ["PLAN"])
    stored = Path(plan.get("stored", ""))
    phases, now = [], "start"

    def tell(event, **what):
        os.write(2, (json.dumps({"event": event, **what}) + "\\n").encode())

    @contextmanager
    def within(phase):
        global now
        before, now = now, phase
        yield
        now = before

    def inside(place):
        return (isinstance(place, (str, bytes, os.PathLike))
                and os.fsdecode(place).startswith(plan["output"]))

    def changes_the_disk(event, args):
        if event == "open":
            return args[2] & (os.O_WRONLY | os.O_RDWR) and inside(args[0])
        if event in ("os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.utime"):
            return inside(args[0]) or args[-1] not in (-1, None)    # relative to an open folder
        return event == "ctypes.dlsym" and "renameat2" in args

    def watch(event, args):
        if changes_the_disk(event, args):
            phases.append(now)
            if len(phases) == plan.get("stop"):
                tell("stopped", phase=now)
                os.killpg(0, plan["signal"])

    def in_phase(phase, call):
        def wrapped(*args, **kwargs):
            with within(phase):
                return call(*args, **kwargs)
        return wrapped

    def told_stage(self, name, stage=log.Log.stage):
        @contextmanager
        def both():
            with within(name), stage(self, name) as told:
                yield told
        return both()

    def copy(source, target, names):
        for path in sorted(source.iterdir()):
            if path.name in names or not names:
                (target / path.name).write_bytes(path.read_bytes())

    def analyse(folder, settings, *, month, private, before, stage, kept=None):
        of_month = stored / month
        copy(of_month / "analysed", private, ())
        report = results.from_json((of_month / "results.json").read_text(encoding="utf-8"))
        drawn = pq.read_table(of_month / "assignments.parquet")
        known = pc.is_in(drawn["id"], before.ledger.assignments["id"].combine_chunks())
        key = ledger.key_fingerprint()
        return Analysis(report, drawn.filter(pc.invert(known)), drawn,
                        {settings.programme.campaign: key} if key else {})

    if "stored" in plan:
        pipeline.analyse = in_phase("analyse", analyse)
    if plan.get("drawn"):
        def of(report, name):
            return stored / report.month / name
        def documents(report, languages, templates, staged, beside, told):
            copy(of(report, "documents"), staged.public, ())
            copy(of(report, "messages"), staged.private, ())
        drawing.documents = documents
        drawing.work_list = lambda report, language, templates, private, told: copy(
            of(report, "list"), private, ())
        drawing.index = lambda output, languages, templates: {
            "index.html": (stored / "index.html").read_text(encoding="utf-8")}
    if plan.get("renames"):
        storage._exchange = lambda first, second: False
    ledger.append = in_phase("ledger", ledger.append)
    storage.recover = in_phase("recover", storage.recover)
    log.Log.stage = told_stage
    sys.addaudithook(watch)
    try:
        cli.main(prog_name="reportgen")
    finally:
        tell("steps", phases=phases)
"""

Plan = Mapping[str, Any]


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its code (negative where a signal ended it) and what it told."""

    code: int
    out: str
    err: str
    seconds: float

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    @property
    def stages(self) -> list[str]:
        """The stages that were finished."""
        return [line["stage"] for line in self.events("stage")]

    @property
    def statuses(self) -> list[str]:
        return [line["status"] for line in self.events("done")]

    @property
    def phases(self) -> list[str]:
        """The phase of each step, told by `DRIVER` where nobody stopped it."""
        return list(self.events("steps")[0]["phases"])


def messages(ended: Ended) -> list[str]:
    """Keep what was told to a person: every line that is no line of the log."""
    return [line for line in ended.err.splitlines() if not line.startswith("{")]


class Command:
    """A command in a session of its own, so that a signal reaches its workers and nobody else."""

    def __init__(self, arguments: tuple[str, ...], plan: Plan | None = None,
                 cwd: Path | None = None, **environment: str | None) -> None:
        program = ["-m", "reportgen"] if plan is None else ["-c", textwrap.dedent(DRIVER)]
        wanted = {**os.environ, "PYTHONPATH": str(ROOT), ledger.KEY_VARIABLE: KEY,
                  "LOKY_MAX_CPU_COUNT": "1", "OPENBLAS_NUM_THREADS": "1",
                  "PLAN": json.dumps(plan), **environment}
        self.errors = tempfile.TemporaryFile()      # noqa: SIM115 - `ended` closes it
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments], cwd=cwd, text=True, start_new_session=True,
            env={name: value for name, value in wanted.items() if value is not None},
            stdout=subprocess.PIPE, stderr=self.errors,
            # What runs in the background of a shell ignores Ctrl-C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    @property
    def pid(self) -> int:
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all processes of the command, as a terminal does."""
        os.killpg(self.pid, number)

    def told(self) -> str:
        """Read what it has told so far, without moving the place where it goes on writing."""
        descriptor = self.errors.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()

    def ended(self) -> Ended:
        with self.errors:
            out, _ = self.process.communicate(timeout=300)
            return Ended(self.process.returncode, out, self.told(),
                         time.monotonic() - self.started)

    def ends_within(self, seconds: float) -> bool:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def call(*arguments: str, plan: Plan | None = None, **environment: str | None) -> Ended:
    """Run a command to its end."""
    return Command(arguments, plan, **environment).ended()


def succeed(*arguments: str, plan: Plan | None = None, **environment: str | None) -> Ended:
    ended = call(*arguments, plan=plan, **environment)
    assert ended.code == 0, ended.err
    return ended


def run_of(store: Path, output: Path, *more: str, month: str = MONTH) -> tuple[str, ...]:
    return ("run", "--data", str(store), "--month", month, "--output", str(output), "--quick",
            "--language", "ru", "--log-format", "json", *more)


def render_of(output: Path, *more: str) -> tuple[str, ...]:
    return ("render", "--output", str(output), "--month", MONTH, "--log-format", "json", *more)


def processes_of(session: int) -> list[int]:
    """List what still runs of a session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, which may hold anything: state, parent, group, session.
            state, _, _, of_session, *_ = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue            # it has just ended
        if int(of_session) == session and state != "Z":
            found.append(int(path.parent.name))
    return found


def wait_until(holds: Callable[[], bool], *, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.01)


# ── What stands on the disk ──────────────────────────────────────────────────────────────────────


def contents(output: Path) -> Files:
    """Read everything that a reader or a later run looks at."""
    return {path.relative_to(output).as_posix(): path.read_bytes()
            for side in ("public", "private", "state") for path in (output / side).rglob("*")
            if path.is_file() and not path.name.startswith(".staging-")}


def alike(files: Files) -> Files:
    """Keep the files that the same inputs give byte by byte."""
    return {name: data for name, data in files.items()
            if Path(name).name not in UNLIKE}


def of_side(files: Files, side: str) -> Files:
    return {name: data for name, data in files.items() if name.startswith(f"{side}/{MONTH}/")}


def leftovers(output: Path) -> list[Path]:
    return [*output.rglob(".staging-*"), *output.rglob("*.new")]


def journals(output: Path) -> list[Path]:
    return list(output.glob(".staging-*/journal"))


def assert_whole(output: Path, months: tuple[str, ...]) -> None:
    """Assert that just these months are visible, each as its run.json says."""
    for side in ("public", "private"):
        visible = {path.name for path in (output / side).glob("*") if path.is_dir()}
        assert visible == set(months), side
    for month in months:
        manifest = json.loads((output / "private" / month / "run.json").read_text())
        told = {name: sha256
                for name, sha256 in {**manifest["analysed"], **manifest["drawn"]}.items()
                if not name.startswith("state/")}
        assert told == {path.relative_to(output).as_posix(): file_sha256(path)
                        for side in ("public", "private")
                        for path in (output / side / month).iterdir()
                        if path.name != "run.json"}
        text = (output / "public" / month / "results.json").read_text(encoding="utf-8")
        assert results.from_json(text).month == month


def assert_index(output: Path) -> None:
    """Assert that the page of all months is a whole page and leads to documents that are there."""
    for page in (output / "public").glob("index*.html"):
        text = page.read_text(encoding="utf-8")
        assert text.startswith("<!doctype html>")
        assert text.rstrip().endswith("</html>")
        links = re.findall(r'href="(20[^"]+)"', text)
        assert links
        assert [link for link in links if not (output / "public" / link).is_file()] == []


def assert_unharmed(output: Path, before: Files, after: Files) -> None:
    """Assert what must hold at once when a command was stopped, before any other has run.

    Each side of the month is that of the command before or of the one that was stopped, whole. Both
    are of one run, unless a journal stands by which the next command brings the other side up.
    """
    now = contents(output)
    for side in ("public", "private"):
        assert alike(of_side(now, side)) in (alike(of_side(before, side)),
                                             alike(of_side(after, side))), side
    if not journals(output):
        assert_whole(output, (MONTH,) if of_side(now, "public") else ())
    for name in now:
        if name.startswith("public/index"):
            assert now[name] in (before.get(name), after.get(name))
    assert {path.parts[0] for path in map(Path, now)} <= {"public", "private", "state"}
    ledger.read(output / "state", "9999-12")


def assert_done(output: Path, after: Files) -> None:
    """Assert that a month is as the command leaves it that nobody stops."""
    assert alike(contents(output)) == alike(after)
    assert leftovers(output) == []
    assert_whole(output, (MONTH,))
    assert_index(output)


# ── Stores, and months that were finished ────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two months of a small store, with a search of a second."""
    folder = tmp_path_factory.mktemp("interrupted") / "store"
    succeed("demo", "--data", str(folder), "--customers", "300", "--months", "2", "--seed", "5")
    path = folder / "reportgen.toml"
    text = re.sub(r"^candidates = \d+", "candidates = 8\nexplained_customers = 50",
                  path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    # Too few customers to prove every model useful, which is not what is looked at here.
    path.write_text(text.replace("usefulness = true", "usefulness = false"), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def other_config(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings by which the month has to be analysed anew."""
    path = tmp_path_factory.mktemp("other") / "reportgen.toml"
    text = (store / "reportgen.toml").read_text(encoding="utf-8")
    path.write_text(text.replace("candidates = 8", "candidates = 9"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def own_templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    (folder / "css").mkdir()
    (folder / "css/company.css").write_text(":root { --blue: #0b5d3b; }", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first month, analysed and drawn by the command line; tests work on copies."""
    output = tmp_path_factory.mktemp("finished") / "output"
    succeed(*run_of(store, output))
    assert_whole(output, (MONTH,))
    assert_index(output)
    return output


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished month, to be spoiled."""
    return copy_of(finished, tmp_path)


def copy_of(output: Path, folder: Path) -> Path:
    return Path(shutil.copytree(output, folder / "output"))


ANALYSED = {"actions.parquet", "customers.parquet", "model.skops", "reasons.parquet"}


def keep(finished: Path, folder: Path, *, month: str = MONTH, again: bool = False) -> Path:
    """Keep what a run found and drew, for `DRIVER`; ``again`` changes every file a little."""
    change = _changed if again else (lambda path: path.read_bytes())
    private, public = finished / "private" / MONTH, finished / "public" / MONTH
    kept = {f"analysed/{name}": private / name for name in ANALYSED}
    kept |= {f"list/{name}": private / name for name in ("customers.csv", "customers.xlsx")}
    kept |= {f"documents/{name}": public / name
             for name in ("report.ru.html", "report.ru.pdf", "summary.md")}
    kept["messages/email.ru.eml"] = private / "email.ru.eml"
    for name, path in kept.items():
        (folder / month / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / month / name).write_bytes(change(path))
    report = json.loads((public / "results.json").read_text(encoding="utf-8"))
    report |= {"month": month}
    report["store"]["name"]["ru"] += " (again)" * again
    (folder / month / "results.json").write_text(json.dumps(report), encoding="utf-8")
    drawn = pq.read_table(finished / "state" / f"assignments-{MONTH}.parquet")
    some = drawn if again else drawn.slice(0, drawn.num_rows // 2)
    pq.write_table(some, folder / month / "assignments.parquet")
    (folder / "index.html").write_bytes(change(finished / "public/index.html"))
    return folder


def _changed(path: Path) -> bytes:
    """Change a file so that it can still be read."""
    if path.suffix == ".parquet":
        sink = pc.pa.BufferOutputStream()
        pq.write_table(pq.read_table(path), sink, compression="gzip")
        return bytes(sink.getvalue())
    if path.suffix == ".html":
        return path.read_bytes().replace(b"</html>", b"<!-- again --></html>")
    return path.read_bytes() + b"\n"


@pytest.fixture(scope="module")
def kept(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished month for `DRIVER`, with half of the customers who are drawn."""
    return keep(finished, tmp_path_factory.mktemp("kept"))


@pytest.fixture(scope="module")
def kept_again(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of a later run, in which every file is another."""
    return keep(finished, tmp_path_factory.mktemp("again"), again=True)


# ── Commands to be stopped ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rehearsal:
    """A command that was run to its end once: where it starts from, and what it leaves."""

    arguments: Callable[[Path], tuple[str, ...]]     # by the output folder
    start: Path | None
    plan: Plan | None
    whole: Ended
    before: Files
    after: Files

    def output(self, folder: Path) -> Path:
        """Make an output folder for the command to start from."""
        return folder / "output" if self.start is None else copy_of(self.start, folder)

    def command(self, output: Path, **more: Any) -> Command:
        plan = None if self.plan is None else {**self.plan, "output": str(output), **more}
        return Command(self.arguments(output), plan)

    def step(self, part: int, parts: int) -> int:
        """Draw a step from one of equal parts of them all."""
        share = (part + random.Random(f"{part} of {parts}").random()) / parts
        return 1 + int(share * len(self.whole.phases))


def rehearse(arguments: Callable[[Path], tuple[str, ...]], start: Path | None,
             plan: Plan | None, folder: Path) -> Rehearsal:
    output = folder / "output" if start is None else copy_of(start, folder)
    before = {} if start is None else contents(output)
    told = None if plan is None else {**plan, "output": str(output)}
    whole = succeed(*arguments(output), plan=told)
    return Rehearsal(arguments, start, plan, whole, before, contents(output))


@pytest.fixture(scope="module")
def stored_month(store: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The month as `DRIVER` writes it from what was kept."""
    output = tmp_path_factory.mktemp("stored") / "output"
    plan = {"output": str(output), "stored": str(kept), "drawn": True}
    succeed(*run_of(store, output), plan=plan)
    return output


@pytest.fixture(scope="module")
def replacing(store: Path, other_config: Path, kept_again: Path, stored_month: Path,
              tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """A run that replaces the month by another and draws more customers."""
    return rehearse(lambda output: run_of(store, output, "--config", str(other_config)),
                    stored_month, {"stored": str(kept_again), "drawn": True},
                    tmp_path_factory.mktemp("replacing"))


@pytest.fixture(scope="module")
def beginning(store: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The first run of a store."""
    return rehearse(lambda output: run_of(store, output), None,
                    {"stored": str(kept), "drawn": True}, tmp_path_factory.mktemp("beginning"))


def kill_at_a_step(rehearsal: Rehearsal, folder: Path, part: int, parts: int,
                   **more: Any) -> str:
    """Kill a command at a seeded step, hold what it left, run it again; return the phase."""
    output, step = rehearsal.output(folder), rehearsal.step(part, parts)
    killed = rehearsal.command(output, stop=step, signal=signal.SIGKILL, **more).ended()
    assert killed.code == -signal.SIGKILL, killed.err
    (stopped,) = killed.events("stopped")
    assert_unharmed(output, rehearsal.before, rehearsal.after)
    run_again(rehearsal, output, **more)
    TALLY[stopped["phase"]] += 1
    return str(stopped["phase"])


def kill_at_a_second(rehearsal: Rehearsal, folder: Path, part: int, parts: int) -> None:
    """Kill a command at a seeded second, hold what it left, run it again.

    It may be faster than it was when it was rehearsed; then it is killed earlier.
    """
    seconds = rehearsal.whole.seconds * (part + random.Random(part).random()) / parts
    for attempt in range(20):
        output = rehearsal.output(folder / str(attempt))
        command = rehearsal.command(output)
        if not command.ends_within(seconds * 0.8**attempt):
            break
        command.ended()
    command.send(signal.SIGKILL)
    killed = command.ended()
    assert killed.code == -signal.SIGKILL, killed.err
    wait_until(lambda: not processes_of(command.pid), what="the end of its workers", seconds=GONE)
    assert_unharmed(output, rehearsal.before, rehearsal.after)
    run_again(rehearsal, output)
    order = [*rehearsal.whole.stages, "end"]
    TALLY[order[len(killed.stages)]] += 1


def run_again(rehearsal: Rehearsal, output: Path, **more: Any) -> None:
    again = rehearsal.command(output, **more).ended()
    assert again.code == 0, again.err
    assert_done(output, rehearsal.after)


@pytest.fixture(scope="module")
def redrawing(store: Path, finished: Path, own_templates: Path,
              tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """A run that finds its templates changed and draws the month again."""
    return rehearse(lambda output: run_of(store, output, "--templates", str(own_templates)),
                    finished, {}, tmp_path_factory.mktemp("redrawing"))


@pytest.fixture(scope="module")
def rendering(finished: Path, own_templates: Path,
              tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The plain command that draws a finished month with other templates."""
    return rehearse(lambda output: render_of(output, "--language", "ru", "--templates",
                                             str(own_templates)),
                    finished, None, tmp_path_factory.mktemp("rendering"))


@pytest.fixture(scope="module")
def analysing(store: Path, finished: Path, other_config: Path,
              tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """The plain command that analyses a month anew, by other settings."""
    return rehearse(lambda output: run_of(store, output, "--config", str(other_config)),
                    finished, None, tmp_path_factory.mktemp("analysing"))


# ── Killed ───────────────────────────────────────────────────────────────────────────────────────


def moments(count: int) -> list[Any]:
    """Number the moments of a command; a quarter of them, spread over all, is not slow."""
    return [pytest.param(part, marks=() if part % 4 == 2 else pytest.mark.slow)
            for part in range(count)]


REPLACING, BEGINNING, RENAMING, TWICE, DRAWING, RENDERING, ANALYSING = 24, 8, 8, 4, 6, 8, 6
ALL_KILLS = REPLACING + BEGINNING + RENAMING + 2 * TWICE + DRAWING + RENDERING + ANALYSING


@pytest.mark.parametrize("part", moments(REPLACING))
def test_a_run_killed_at_any_step_leaves_the_last_month_whole(
    replacing: Rehearsal, tmp_path: Path, part: int
) -> None:
    kill_at_a_step(replacing, tmp_path, part, REPLACING)


@pytest.mark.parametrize("part", moments(BEGINNING))
def test_a_first_run_that_is_killed_leaves_no_half_month(
    beginning: Rehearsal, tmp_path: Path, part: int
) -> None:
    kill_at_a_step(beginning, tmp_path, part, BEGINNING)


@pytest.mark.parametrize("part", moments(RENAMING))
def test_a_run_killed_where_folders_cannot_be_exchanged_is_finished_by_the_next(
    replacing: Rehearsal, tmp_path: Path, part: int
) -> None:
    kill_at_a_step(replacing, tmp_path, part, RENAMING, renames=True)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(TWICE))
def test_the_run_that_puts_a_killed_one_in_order_may_be_killed_too(
    replacing: Rehearsal, tmp_path: Path, part: int
) -> None:
    output = replacing.output(tmp_path)
    steps = [place for place, phase in enumerate(replacing.whole.phases, 1) if phase == "publish"]
    draw = random.Random(part)
    for step in (draw.choice(steps), draw.randint(1, 12)):
        killed = replacing.command(output, stop=step, signal=signal.SIGKILL).ended()
        assert killed.code == -signal.SIGKILL, killed.err
        TALLY[killed.events("stopped")[0]["phase"]] += 1
        assert_unharmed(output, replacing.before, replacing.after)
    run_again(replacing, output)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(DRAWING))
def test_a_run_killed_while_it_draws_again_leaves_the_last_month_whole(
    redrawing: Rehearsal, tmp_path: Path, part: int
) -> None:
    kill_at_a_step(redrawing, tmp_path, part, DRAWING)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(RENDERING))
def test_rendering_killed_at_any_second_leaves_the_last_month_whole(
    rendering: Rehearsal, tmp_path: Path, part: int
) -> None:
    kill_at_a_second(rendering, tmp_path, part, RENDERING)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(ANALYSING))
def test_a_run_killed_at_any_second_leaves_the_last_month_whole(
    analysing: Rehearsal, tmp_path: Path, part: int
) -> None:
    kill_at_a_second(analysing, tmp_path, part, ANALYSING)


@pytest.mark.slow
def test_fifty_kills_and_more_fell_where_they_were_meant_to(
    record_property: Callable[[str, object], None]
) -> None:
    """It counts what the tests above did, so it says nothing where they were not asked for."""
    if TALLY.total() < ALL_KILLS:
        pytest.skip(f"only {TALLY.total()} of {ALL_KILLS} kills were asked for, or one has failed")
    record_property("kills", dict(TALLY))
    assert TALLY.total() >= 50
    assert sum(TALLY[phase] for phase in PUBLISHING) >= TALLY.total() / 3
    assert {"analyse", "render", *PUBLISHING} <= set(TALLY)


# ── Interrupted by Ctrl-C ────────────────────────────────────────────────────────────────────────


INTERRUPTED = "Interrupted; the last good report stays as it was."

#: A shell tells 130 of both. Python ends `python -m` by the signal itself where it fell into code
#: made from text, such as the making of a dataclass.
INTERRUPTED_CODES = (130, -signal.SIGINT)


@pytest.mark.parametrize("part", moments(8))
def test_ctrl_c_at_any_step_leaves_a_whole_month(
    replacing: Rehearsal, tmp_path: Path, part: int
) -> None:
    output, step = replacing.output(tmp_path), replacing.step(part, 8)
    ended = replacing.command(output, stop=step, signal=signal.SIGINT).ended()
    assert ended.code == 130, ended.err
    assert messages(ended) == [INTERRUPTED]
    assert_unharmed(output, replacing.before, replacing.after)
    run_again(replacing, output)


def test_ctrl_c_in_the_analysis_ends_all_its_processes(
    store: Path, finished: Path, output: Path
) -> None:
    command = Command(run_of(store, output, "--force"), LOKY_MAX_CPU_COUNT="2")
    wait_until(lambda: '"stage": "search"' in command.told(), what="the search")
    time.sleep(random.Random(1).uniform(0, 1))      # somewhere in comparing and fitting
    assert len(processes_of(command.pid)) > 2       # itself and two workers
    assert_stops_at_once(command, finished, output)


@pytest.mark.slow
def test_ctrl_c_while_two_languages_are_drawn_ends_both_processes(
    finished: Path, output: Path
) -> None:
    command = Command(render_of(output, "--language", "ru", "--language", "en"))
    wait_until(lambda: len(processes_of(command.pid)) > 1, what="the process that draws")
    time.sleep(random.Random(2).uniform(1, 2))      # somewhere in importing and drawing
    assert_stops_at_once(command, finished, output)


def assert_stops_at_once(command: Command, finished: Path, output: Path) -> None:
    command.send(signal.SIGINT)
    ended = command.ended()
    assert ended.code in INTERRUPTED_CODES, ended.err
    assert INTERRUPTED in messages(ended)
    wait_until(lambda: not processes_of(command.pid), what="the end of its workers", seconds=GONE)
    assert contents(output) == contents(finished)
    assert leftovers(output) == []


# ── A disk that is full, and one that cannot be written ──────────────────────────────────────────


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "reportgen-test", place],
                             capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def fill(disk: Path, *, leaving: int) -> Path:
    """Leave so many kilobytes of a disk; return the file that takes the rest."""
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(disk).free - leaving * 1024))
    return ballast


def assert_refused(ended: Ended, disk: Path, remedy: str) -> None:
    """Assert one message that names a place on the disk and tells what to do."""
    assert ended.code == 1, ended.err
    (message,) = messages(ended)
    assert message.startswith(f"Error: cannot write {disk}")
    assert remedy in message


FULL = "No space left on device; free space there or choose another --output"
READ_ONLY = "Read-only file system; make it writable"


@pytest.mark.parametrize("leaving", [
    pytest.param(8, marks=pytest.mark.slow), pytest.param(200, marks=pytest.mark.slow), 500,
    pytest.param(800, marks=pytest.mark.slow)])
def test_a_full_disk_is_told_and_leaves_the_last_month_whole(
    replacing: Rehearsal, disk: Path, leaving: int
) -> None:
    output = replacing.output(disk)
    ballast = fill(disk, leaving=leaving)
    assert_refused(replacing.command(output).ended(), disk, FULL)
    assert_unharmed(output, replacing.before, replacing.after)
    assert leftovers(output) == []
    ballast.unlink()
    run_again(replacing, output)


@pytest.mark.slow
@pytest.mark.parametrize("leaving", [16, 420, 800], ids=["customers", "model", "pages"])
def test_a_disk_that_fills_in_a_plain_run_is_told(
    store: Path, finished: Path, disk: Path, leaving: int
) -> None:
    """What the analysis and the drawing write by the libraries they use."""
    output = copy_of(finished, disk)
    ballast = fill(disk, leaving=leaving)
    assert_refused(call(*run_of(store, output, "--force")), disk, FULL)
    assert contents(output) == contents(finished)
    assert leftovers(output) == []
    ballast.unlink()
    assert succeed(*run_of(store, output)).statuses == ["unchanged"]


@pytest.mark.slow
def test_a_disk_that_fills_while_two_languages_are_drawn_is_told(
    finished: Path, disk: Path
) -> None:
    output = copy_of(finished, disk)
    command = render_of(output, "--language", "ru", "--language", "en")
    ballast = fill(disk, leaving=1500)      # a copy of the month, and not all of a second language
    assert_refused(call(*command), disk, FULL)
    assert contents(output) == contents(finished)
    assert leftovers(output) == []
    ballast.unlink()
    succeed(*command)
    assert_whole(output, (MONTH,))
    assert leftovers(output) == []


def test_an_output_that_cannot_be_written_is_told(
    replacing: Rehearsal, disk: Path
) -> None:
    output = replacing.output(disk)
    before = contents(output)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for command in (replacing.arguments(output), render_of(output)):
        assert_refused(call(*command), disk, READ_ONLY)
        assert contents(output) == before
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    run_again(replacing, output)


# ── Two at once ──────────────────────────────────────────────────────────────────────────────────


def test_a_second_command_on_the_same_output_names_the_first(
    store: Path, finished: Path, output: Path
) -> None:
    first = Command(run_of(store, output, "--force"))
    holder = f"process {first.pid} on "
    wait_until(lambda: holder in (output / ".lock").read_text(), what="the lock")
    for arguments in (run_of(store, output), render_of(output)):
        second = call(*arguments)
        assert second.code == 1
        assert f"{output} is in use by another reportgen ({holder}" in second.err
        assert "Traceback" not in second.err
    assert not first.ends_within(0), "the first ended too early to be met"
    first.send(signal.SIGKILL)
    first.ended()
    assert contents(output) == contents(finished)
    assert succeed(*run_of(store, output)).statuses == ["unchanged"]
    assert leftovers(output) == []


# ── The same inputs, the same bytes ──────────────────────────────────────────────────────────────


#: Two places that have nothing in common but the store and the key.
HERE = {"PYTHONHASHSEED": "0", "TZ": "UTC", "OMP_NUM_THREADS": "1"}
THERE = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LC_ALL": "C", "OMP_NUM_THREADS": "3",
         "OPENBLAS_NUM_THREADS": "2", "LOKY_MAX_CPU_COUNT": "3"}


@pytest.fixture(scope="module")
def two_months(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both months, by the plain command; tests work on copies."""
    output = tmp_path_factory.mktemp("both") / "output"
    for month in (MONTH, NEXT):
        succeed(*run_of(store, output, month=month), **HERE)
    return output


@pytest.mark.slow
def test_another_place_and_more_processes_give_the_same_bytes(
    store: Path, two_months: Path, tmp_path: Path
) -> None:
    elsewhere, output = tmp_path / "elsewhere", tmp_path / "another/output"
    elsewhere.mkdir()
    masked = os.umask(0o077)
    try:
        for month in (MONTH, NEXT):
            ended = Command(run_of(store, output, month=month), cwd=elsewhere, **THERE).ended()
            assert ended.code == 0, ended.err
    finally:
        os.umask(masked)
    here, there = contents(two_months), contents(output)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] != there[name]
            and Path(name).name not in UNLIKE] == []
    assert {Path(name).name for name in here} >= {
        "report.ru.pdf", "report.ru.html", "results.json", "summary.md", "index.html",
        "email.ru.eml",
        "customers.csv", "customers.xlsx", "customers.parquet", "actions.parquet"}
    for month in (MONTH, NEXT):
        assert risks(two_months, month) == risks(output, month)
    history = json.loads(there[f"public/{NEXT}/results.json"])["history"]
    assert history["migration"] is not None


def risks(output: Path, month: str) -> list[float]:
    """Let the stored model score customers who differ in every column."""
    path = output / "private" / month / "model.skops"
    stored = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    rows = [[float((row * column) % 7) for column in range(1, len(stored["columns"]) + 1)]
            for row in range(50)]
    return [float(risk) for risk in stored["model"].predict_proba(rows)[:, 1]]


@pytest.mark.slow
def test_the_number_of_processes_that_the_settings_want_changes_no_figure(
    store: Path, two_months: Path, tmp_path: Path
) -> None:
    """Settings are part of what a report says of itself, so only their fingerprint differs."""
    text = (store / "reportgen.toml").read_text(encoding="utf-8")
    config, output = tmp_path / "reportgen.toml", tmp_path / "output"
    config.write_text(text.replace("candidates = 8", "candidates = 8\nworkers = 1"),
                      encoding="utf-8")
    succeed(*run_of(store, output, "--config", str(config)))
    here, there = contents(two_months), contents(output)
    for name in ANALYSED - UNLIKE | {"customers.csv", "customers.xlsx"}:
        assert here[f"private/{MONTH}/{name}"] == there[f"private/{MONTH}/{name}"], name
    one, other = (json.loads(files[f"public/{MONTH}/results.json"]) for files in (here, there))
    assert (one["provenance"].pop("settings_sha256")
            != other["provenance"].pop("settings_sha256"))
    assert one == other


@pytest.mark.slow
def test_an_older_month_that_is_run_again_reads_no_later_one(
    store: Path, two_months: Path, tmp_path: Path
) -> None:
    output = copy_of(two_months, tmp_path)
    before = contents(output)
    assert succeed(*run_of(store, output)).statuses == ["unchanged"]
    assert contents(output) == before
    assert succeed(*run_of(store, output, "--force")).statuses == ["analysed"]
    assert alike(contents(output)) == alike(before)


# ── What need not be done again ──────────────────────────────────────────────────────────────────


def times(output: Path) -> dict[str, int]:
    """When each file was written last; the lock is signed by every command."""
    return {str(path.relative_to(output)): path.stat().st_mtime_ns
            for path in output.rglob("*") if path.name != ".lock"}


def test_a_run_on_unchanged_inputs_touches_nothing_and_ends_within_two_seconds(
    store: Path, output: Path, record_property: Callable[[str, object], None]
) -> None:
    before, written = contents(output), times(output)
    ended = [succeed(*run_of(store, output)) for _ in range(3)]
    assert [one.statuses for one in ended] == [["unchanged"]] * 3
    assert [one.stages for one in ended] == [[]] * 3
    assert (contents(output), times(output)) == (before, written)
    told = succeed("run", "--data", str(store), "--month", MONTH, "--output", str(output),
                   "--quick", "--language", "ru")
    assert "nothing has changed since it was written" in told.err
    fastest = min(one.seconds for one in ended)
    record_property("seconds_unchanged", round(fastest, 2))
    assert fastest < 2


def flipped(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def halved(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def of_another_version(path: Path) -> None:
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))


def removed(path: Path) -> None:
    path.unlink()


#: A file, what happens to it, and what the next run has to do.
DAMAGES = {
    "results.json": (f"public/{MONTH}/results.json", flipped, "analysed"),
    "the PDF": (f"public/{MONTH}/report.ru.pdf", flipped, "drawn"),
    "half of run.json": (f"private/{MONTH}/run.json", halved, "analysed"),
    "the page of all months": ("public/index.html", flipped, "unchanged"),
}
MORE_DAMAGES = {
    "the customers": (f"private/{MONTH}/customers.parquet", flipped, "analysed"),
    "run.json of another version": (f"private/{MONTH}/run.json", of_another_version, "analysed"),
    "no model": (f"private/{MONTH}/model.skops", removed, "analysed"),
    "no workbook": (f"private/{MONTH}/customers.xlsx", removed, "drawn"),
    "no outcomes": (f"state/outcomes-{MONTH}.parquet", removed, "analysed"),
    "what the page of all months was made of": ("private/index.json", halved, "unchanged"),
}

STAGES = {"analysed": ["render", "list", "publish"], "drawn": ["render", "list", "publish"],
          "unchanged": ["index"]}


@pytest.mark.parametrize(("name", "damage", "status"), [
    *(pytest.param(*damage, id=told) for told, damage in DAMAGES.items()),
    *(pytest.param(*damage, id=told, marks=pytest.mark.slow)
      for told, damage in MORE_DAMAGES.items())])
def test_a_damaged_file_is_mended_by_the_next_run_and_nothing_else_is_done(
    beginning: Rehearsal, stored_month: Path, tmp_path: Path, name: str,
    damage: Callable[[Path], None], status: str
) -> None:
    """The analysis and the pages come from a folder; which of them is asked for is real."""
    output = copy_of(stored_month, tmp_path)
    damage(output / name)
    mended = beginning.command(output).ended()
    assert mended.code == 0, mended.err
    assert mended.statuses == [status]
    assert ("analyse" in mended.phases) == (status == "analysed")
    assert mended.stages == STAGES[status]
    assert contents(output) == contents(stored_month)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["results.json", "the PDF", "the page of all months"])
def test_a_damaged_file_is_mended_to_the_same_bytes_by_the_plain_command(
    store: Path, finished: Path, output: Path, name: str
) -> None:
    path, damage, status = DAMAGES[name]
    damage(output / path)
    assert succeed(*run_of(store, output)).statuses == [status]
    assert alike(contents(output)) == alike(contents(finished))
    assert_whole(output, (MONTH,))


@pytest.mark.slow
def test_changed_templates_are_drawn_without_an_analysis(
    store: Path, output: Path, own_templates: Path
) -> None:
    before = contents(output)
    drawn = succeed(*run_of(store, output, "--templates", str(own_templates)))
    assert drawn.statuses == ["drawn"]
    assert drawn.stages == ["render", "list", "publish", "index"]
    after = contents(output)
    assert "#0b5d3b" in after[f"public/{MONTH}/report.ru.html"].decode()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"public/{MONTH}/report.ru.html", f"public/{MONTH}/report.ru.pdf",
                       f"private/{MONTH}/email.ru.eml", f"private/{MONTH}/run.json",
                       "public/index.html", "private/index.json"}
    assert_whole(output, (MONTH,))


def with_another_byte(store: Path, folder: Path) -> Path:
    other = Path(shutil.copytree(store, folder / "store"))
    with (other / MONTH / "money.csv").open("ab") as file:
        file.write(b"\n")
    return other


def test_other_inputs_settings_keys_and_force_are_analysed_anew(
    store: Path, other_config: Path, beginning: Rehearsal, stored_month: Path, tmp_path: Path
) -> None:
    output = copy_of(stored_month, tmp_path)
    plan = {**(beginning.plan or {}), "output": str(output)}
    for arguments in (run_of(store, output, "--force"),
                      run_of(with_another_byte(store, tmp_path), output),
                      run_of(store, output, "--config", str(other_config))):
        assert succeed(*arguments, plan=plan).statuses == ["analysed"]
        assert_whole(output, (MONTH,))


@pytest.mark.slow
def test_a_key_is_analysed_anew_and_another_is_refused_where_it_would_spoil_the_groups(
    store: Path, beginning: Rehearsal, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    plan = {**(beginning.plan or {}), "output": str(output)}
    for key, status in ((None, "analysed"), (None, "unchanged"), (KEY, "analysed")):
        ended = succeed(*run_of(store, output), plan=plan, **{ledger.KEY_VARIABLE: key})
        assert ended.statuses == [status]
    before = contents(output)
    for other in (None, "another-key-altogether"):
        refused = call(*run_of(store, output), plan=plan, **{ledger.KEY_VARIABLE: other})
        assert refused.code == 2
        assert contents(output) == before


@pytest.mark.slow
def test_an_earlier_month_that_changed_is_read_again_and_a_later_one_is_not(
    store: Path, finished: Path, stored_month: Path, kept: Path, tmp_path: Path
) -> None:
    output, stored = copy_of(stored_month, tmp_path), copy_of(kept, tmp_path / "kept")
    keep(finished, stored, month=NEXT)
    plan = {"output": str(output), "stored": str(stored), "drawn": True}
    of_first, of_next = run_of(store, output), run_of(store, output, month=NEXT)
    before = contents(output)
    assert succeed(*of_next, plan=plan).statuses == ["analysed"]
    for command in (of_first, of_next):
        assert succeed(*command, plan=plan).statuses == ["unchanged"]
    assert of_side(contents(output), "public") == of_side(before, "public")
    flipped(output / f"public/{MONTH}/results.json")
    assert succeed(*of_next, plan=plan).statuses == ["analysed"]
    assert succeed(*of_first, plan=plan).statuses == ["analysed"]
    assert_whole(output, (MONTH, NEXT))
