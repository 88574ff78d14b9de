"""A month is published whole or not at all, whatever stops the run; ids stay in private folders."""

from __future__ import annotations

import errno
import itertools
import os
import random
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reportgen import storage
from reportgen.errors import LockedError, StorageError
from reportgen.storage import StagedRun, file_sha256, lock, recover, stage, write_atomic

MONTH = "2026-10"
Files = dict[str, bytes]

# Every call by which storage.py, pathlib and shutil change something on a disk.
STEPS = ("open", "mkdir", "chmod", "utime", "rename", "replace", "fsync", "unlink", "rmdir")


class Killed(BaseException):
    """The end of the process, as far as a test can have it."""


def broken_disk() -> OSError:
    return OSError(errno.EIO, "broken")


def files_of(generation: int) -> Files:
    """Give the files of a run; even generations leave one behind that odd ones do not have."""
    names = ["public/results.json", "private/customers.csv", "private/model/model.skops"]
    names += ["public/report.en.pdf"] if generation % 2 == 0 else []
    return {name: f"{name} of run {generation}".encode() for name in names}


def write(run: StagedRun, files: Files) -> None:
    for name, content in files.items():
        path = run.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def publish(output: Path, generation: int, *, first: Callable[[], None] = lambda: None) -> None:
    with stage(output, MONTH) as run:
        write(run, files_of(generation))
        first()
        run.publish()


def published(output: Path) -> Files:
    return {
        f"{side}/{path.relative_to(output / side / MONTH).as_posix()}": path.read_bytes()
        for side in ("public", "private")
        for path in (output / side / MONTH).rglob("*")
        if path.is_file()
    }


def leftovers(output: Path) -> list[Path]:
    return [*output.glob(".staging-*"), *output.rglob("*.new")]


@pytest.fixture(params=["exchange", "two renames"])
def swapping(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """Both ways of swapping two folders, where the system has both."""
    if request.param == "two renames":
        monkeypatch.setattr(storage, "_exchange", lambda first, second: False)
        return "two renames"
    for name in ("one", "other"):
        (tmp_path / "probe" / name).mkdir(parents=True)
    if not storage._exchange(tmp_path / "probe/one", tmp_path / "probe/other"):
        pytest.skip("this file system cannot exchange two folders in one step")
    return "exchange"


@pytest.fixture
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save the time of syncing to the disk where only the process dies."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def file_size_limit() -> Callable[[int], AbstractContextManager[None]]:
    """Let no file grow beyond some bytes: the nearest to a full disk without mounting one."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        # Lifted before the test ends, for pytest's own output may be a longer file.
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def before_each_step(patch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Call `act` before each call that changes something on the disk."""

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            act()
            return call(*args, **kwargs)

        return wrapped

    for name in STEPS:
        patch.setattr(os, name, wrap(getattr(os, name)))
    patch.setattr(storage, "_exchange", wrap(storage._exchange))


class Fault:
    """Count the steps and raise at one of them, or from it on: the dead do nothing more."""

    def __init__(self, step: int, error: BaseException, *, ever_after: bool = True) -> None:
        self.step, self.error, self.ever_after = step, error, ever_after
        self.steps = 0

    def __call__(self) -> None:
        self.steps += 1
        if self.steps == self.step or (self.ever_after and self.steps > self.step):
            raise self.error


def outputs_stopped_at_every_step(
    tmp_path: Path,
    make_error: Callable[[], BaseException],
    *,
    before: int | None = 1,
    ever_after: bool = True,
) -> Iterator[tuple[Path, BaseException | None]]:
    """Stop the publishing of run 2 at each of its steps; yield the output and what was raised."""
    for step in itertools.count(1):
        output = tmp_path / f"step-{step}"
        if before is not None:
            publish(output, before)
        fault = Fault(step, make_error(), ever_after=ever_after)
        raised: BaseException | None = None
        with pytest.MonkeyPatch.context() as patch:
            try:
                publish(output, 2, first=partial(before_each_step, patch, fault))
            except (StorageError, KeyboardInterrupt, Killed) as error:
                raised = error
        if fault.steps < step:
            return
        yield output, raised


def test_fingerprint_is_the_sha256_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "input.csv").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(tmp_path / "input.csv") == expected


@pytest.mark.usefixtures("swapping")
def test_publishing_replaces_both_folders_and_leaves_nothing_else(tmp_path: Path) -> None:
    publish(tmp_path, 2)
    (tmp_path / "state/assignments.jsonl").write_bytes(b"kept")
    publish(tmp_path, 3)
    assert published(tmp_path) == files_of(3)
    assert (tmp_path / "state/assignments.jsonl").read_bytes() == b"kept"
    assert leftovers(tmp_path) == []


def test_other_months_stay_as_they_are(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with stage(tmp_path, "2026-11") as run:
        write(run, files_of(2))
        run.publish()
    assert published(tmp_path) == files_of(1)


@pytest.mark.parametrize("error", [ValueError("no headline"), KeyboardInterrupt()])
def test_a_run_that_fails_leaves_the_last_report_whole(
    tmp_path: Path, error: BaseException
) -> None:
    def fail() -> None:
        raise error

    publish(tmp_path, 1)
    with pytest.raises(type(error)):
        publish(tmp_path, 2, first=fail)
    assert published(tmp_path) == files_of(1)
    assert leftovers(tmp_path) == []


def test_a_run_that_never_publishes_leaves_the_last_report_whole(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with stage(tmp_path, MONTH) as run:
        write(run, files_of(2))
    assert published(tmp_path) == files_of(1)
    assert leftovers(tmp_path) == []


def test_publishing_twice_is_refused_and_keeps_the_report(tmp_path: Path) -> None:
    with stage(tmp_path, MONTH) as run:
        write(run, files_of(2))
        run.publish()
        with pytest.raises(StorageError):
            run.publish()
    assert published(tmp_path) == files_of(2)


def test_rendering_again_starts_from_what_is_published(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with stage(tmp_path, MONTH, from_published=True) as run:
        (run.public / "report.en.pdf").write_bytes(b"new language")
        (run.public / "results.json").write_bytes(b"changed")
        assert published(tmp_path) == files_of(1)
        run.publish()
    changes = {"public/report.en.pdf": b"new language", "public/results.json": b"changed"}
    assert published(tmp_path) == files_of(1) | changes


@pytest.mark.parametrize("before", [None, 1], ids=["first report", "second report"])
@pytest.mark.parametrize("make_error", [Killed, broken_disk])
@pytest.mark.usefixtures("swapping", "no_power_cut")
def test_stopped_for_good_at_any_step_the_month_is_whole_after_recovery(
    tmp_path: Path, before: int | None, make_error: Callable[[], BaseException]
) -> None:
    old = {} if before is None else files_of(before)
    seen = []
    for output, _ in outputs_stopped_at_every_step(tmp_path, make_error, before=before):
        months = recover(output)
        seen.append(published(output))
        assert seen[-1] in (old, files_of(2)), output
        assert months == () or seen[-1] == files_of(2)
        assert leftovers(output) == []
        publish(output, 3)
        assert published(output) == files_of(3), output
    assert seen[0] == old
    assert seen[-1] == files_of(2)
    assert len(seen) > 30  # 4 files, 3 folders and 2 swaps take several steps each


@pytest.mark.parametrize("make_error", [KeyboardInterrupt, broken_disk])
@pytest.mark.usefixtures("swapping", "no_power_cut")
def test_a_passing_fault_at_any_step_leaves_the_month_whole_at_once(
    tmp_path: Path, make_error: Callable[[], BaseException]
) -> None:
    kept = 0
    for output, error in outputs_stopped_at_every_step(tmp_path, make_error, ever_after=False):
        state = published(output)
        assert state in (files_of(1), files_of(2)), output
        assert error is not None or state == files_of(2)
        kept += state == files_of(1)
        recover(output)
        assert published(output) == state
        assert leftovers(output) == []
    assert kept > 15


@pytest.mark.usefixtures("swapping")
def test_a_folder_that_cannot_be_moved_keeps_both_folders_of_the_last_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows while a customer list is open in another program."""
    publish(tmp_path, 1)
    held = tmp_path / "private" / MONTH
    rename, exchange = os.rename, storage._exchange

    def refusing_rename(source: Path, target: Path) -> None:
        if source == held:
            raise PermissionError(errno.EACCES, "in use", str(held))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refusing_rename)
    monkeypatch.setattr(storage, "_exchange", lambda one, two: two != held and exchange(one, two))
    with pytest.raises(StorageError, match=rf"{held}.*close programs that use it"):
        publish(tmp_path, 2)
    assert published(tmp_path) == files_of(1)
    assert leftovers(tmp_path) == []


@pytest.mark.usefixtures("swapping", "no_power_cut")
def test_recovery_may_be_killed_at_every_step_too(tmp_path: Path) -> None:
    for output, _ in outputs_stopped_at_every_step(tmp_path, Killed):
        for step in itertools.count(1):
            with pytest.MonkeyPatch.context() as patch:
                before_each_step(patch, Fault(step, Killed()))
                with suppress(Killed):
                    recover(output)
                    break
        assert published(output) in (files_of(1), files_of(2)), output
        assert leftovers(output) == []


@pytest.mark.parametrize("swapping", ["exchange"], indirect=True)
@pytest.mark.usefixtures("swapping")
def test_readers_find_a_report_at_every_moment_where_folders_can_be_exchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    publish(tmp_path, 1)
    results = tmp_path / "public" / MONTH / "results.json"
    before_each_step(monkeypatch, lambda: found.append(results.exists()))
    publish(tmp_path, 2)
    assert len(found) > 30
    assert all(found)


def test_the_lock_tells_which_month_it_finished(tmp_path: Path) -> None:
    stopped = outputs_stopped_at_every_step(tmp_path, Killed)
    output = next(output for output, _ in stopped if any(output.glob(".staging-*/journal")))
    with lock(output) as months:
        assert months == (MONTH,)
        assert published(output) == files_of(2)


# Publishes run after run, telling each; slow in the calls of the swap, so that most kills fall
# into it.
PUBLISHER = """
    import os, sys, time
    from pathlib import Path
    from reportgen import storage

    def slow(call):
        def wrapped(*args, **kwargs):
            time.sleep(0.002)
            return call(*args, **kwargs)
        return wrapped

    os.rename, os.unlink, storage._exchange = map(slow, (os.rename, os.unlink, storage._exchange))
    if sys.argv[3] == "two renames":
        storage._exchange = lambda first, second: False
    output = Path(sys.argv[1])
    with storage.lock(output):
        for generation in range(int(sys.argv[2]), 10_000):
            with storage.stage(output, "2026-10") as run:
                for folder in (run.public, run.private):
                    for name in ("one", "two", f"only-{generation}"):
                        (folder / name).write_text(str(generation))
                run.publish()
            print(generation, flush=True)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(storage.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_process_killed_at_seeded_moments_leaves_whole_months(
    tmp_path: Path, swapping: str
) -> None:
    moments = random.Random(20261001)
    last = 0
    for _ in range(10):
        with start(PUBLISHER, str(tmp_path), str(last + 1), swapping) as process:
            assert process.stdout is not None
            told = [process.stdout.readline()]
            time.sleep(moments.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            told += process.stdout.read().split()
        with lock(tmp_path):
            state = published(tmp_path)
        (content,) = set(state.values())
        names = ("one", "two", f"only-{content.decode()}")
        assert set(state) == {f"{side}/{name}" for side in ("public", "private") for name in names}
        last = int(content)
        # What was told as published is there; the next run may have got there untold.
        assert last in (int(told[-1]), int(told[-1]) + 1)
        assert leftovers(tmp_path) == []


HOLDER = """
    import sys
    from pathlib import Path
    from reportgen.storage import lock

    with lock(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.read()
"""


def test_a_held_lock_names_its_process_and_ends_with_it(tmp_path: Path) -> None:
    with start(HOLDER, str(tmp_path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        named = rf"process {process.pid} on \S+, since 20\d\d-"
        with pytest.raises(LockedError, match=named), lock(tmp_path):
            pass
        process.kill()
    with lock(tmp_path) as months:
        assert months == ()


def test_a_lock_excludes_another_in_the_same_process(tmp_path: Path) -> None:
    mine = f"process {os.getpid()}"
    with lock(tmp_path), pytest.raises(LockedError, match=mine), lock(tmp_path):
        pass


def test_a_holder_that_has_not_signed_yet_still_excludes(tmp_path: Path) -> None:
    with lock(tmp_path):
        (tmp_path / ".lock").write_bytes(b"")
        with pytest.raises(LockedError, match="started just now"), lock(tmp_path):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="no such modes there")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_private_files_are_closed_and_public_ones_open_whatever_the_umask(
    tmp_path: Path, umask: Callable[[int], int], mask: int
) -> None:
    def modes(folder: Path) -> set[tuple[str, int]]:
        paths = [folder, *folder.rglob("*")]
        return {("d" if p.is_dir() else "f", stat.S_IMODE(p.stat().st_mode)) for p in paths}

    umask(mask)
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o755)  # restored by something that keeps no modes
    with stage(tmp_path, MONTH) as run:
        assert stat.S_IMODE(run.folder.stat().st_mode) == 0o700  # nobody looks in meanwhile
        write(run, files_of(2))
        run.publish()
    assert modes(tmp_path / "public" / MONTH) == {("d", 0o755), ("f", 0o644)}
    assert modes(tmp_path / "private") == {("d", 0o700), ("f", 0o600)}
    assert modes(tmp_path / "state") == {("d", 0o700)}


def test_a_full_disk_while_writing_asks_for_space_and_keeps_the_report(
    tmp_path: Path, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    publish(tmp_path, 1)
    with (
        file_size_limit(1000),
        pytest.raises(StorageError, match="free space"),
        stage(tmp_path, MONTH) as run,
    ):
        (run.public / "report.ru.pdf").write_bytes(bytes(5000))
    assert published(tmp_path) == files_of(1)
    assert leftovers(tmp_path) == []


def test_a_full_disk_while_copying_the_published_month_asks_for_space(
    tmp_path: Path, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    publish(tmp_path, 1)
    with (
        file_size_limit(10),
        pytest.raises(StorageError, match="free space"),
        stage(tmp_path, MONTH, from_published=True),
    ):
        pass
    assert published(tmp_path) == files_of(1)
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("in_the_way", [".", "public", "private", "state"])
@pytest.mark.parametrize("use", [lock, lambda output: stage(output, MONTH)], ids=["lock", "stage"])
def test_an_output_that_cannot_be_written_is_named_with_the_remedy(
    tmp_path: Path, in_the_way: str, use: Callable[[Path], Any]
) -> None:
    blocked = tmp_path / "output" / in_the_way
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_bytes(b"a file, not a folder")
    with pytest.raises(StorageError, match=rf"{blocked}.*choose another --output"):
        use(tmp_path / "output").__enter__()
    assert blocked.read_bytes() == b"a file, not a folder"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_keeps_the_report(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    (tmp_path / "public").chmod(0o500)
    try:
        with pytest.raises(StorageError, match="make it writable"):
            publish(tmp_path, 2)
        assert published(tmp_path) == files_of(1)
    finally:
        (tmp_path / "public").chmod(0o755)


def test_errors_that_are_not_about_the_output_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"input\.csv"), stage(tmp_path / "output", MONTH):
        (tmp_path / "input.csv").read_bytes()


def test_a_single_file_is_replaced_whole_with_its_mode(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    write_atomic(page, b"first")
    write_atomic(page, b"second", mode=0o600)
    assert page.read_bytes() == b"second"
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_single_file_stays_as_it_was_on_a_full_disk(
    tmp_path: Path, file_size_limit: Callable[[int], AbstractContextManager[None]]
) -> None:
    page = tmp_path / "index.html"
    write_atomic(page, b"first")
    with (
        file_size_limit(1000),
        pytest.raises(StorageError, match=r"index\.html.*free space"),
    ):
        write_atomic(page, bytes(5000))
    assert page.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
