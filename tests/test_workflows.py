"""The workflows that build the report by themselves: what they promise, and their lines at work.

There is no GitHub and no GitLab here. `Github` and `Gitlab` stand in for them: they take the shell
lines from the files, in their order, and run them in a fresh clone of this repository, against a
folder as the durable storage. What the actions of GitHub's own do (check out, bring Python, keep a
cache, upload) is not run; `ACTIONS` says what takes its place.
"""

from __future__ import annotations

import compileall
import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from mail.server import Post

from reportgen.cli import main

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs/unattended.md"
UNITS = ROOT / "docs/systemd"
CUSTOMERS = ("private", "state")
KEY = "a-key-that-only-these-tests-know"

GITHUB = yaml.safe_load((ROOT / ".github/workflows/report.yml").read_text(encoding="utf-8"))
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
JOB, SCRIPT = GITHUB["jobs"]["report"], GITLAB["report"]["script"]
STEPS = {step.get("name", step.get("uses")): step for step in JOB["steps"]}

aiosmtpd_warns = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiosmtpd")
needs_storage = pytest.mark.skipif(
    not (shutil.which("rclone") and shutil.which("jq") and shutil.which("make")),
    reason="the workflows' lines need rclone, jq and make",
)


# ── What the files say ───────────────────────────────────────────────────────────────────────────


def github_lines() -> str:
    return "\n".join(step["run"] for step in JOB["steps"] if "run" in step)


def gitlab_lines() -> str:
    return "\n".join(SCRIPT + GITLAB["report"]["after_script"] + GITLAB["publish"]["script"])


def fenced(text: str) -> str:
    """The code in a Markdown text."""
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("lines", [
    github_lines(), gitlab_lines(), fenced(DOCS.read_text(encoding="utf-8")),
    (UNITS / "reportgen.service").read_text(encoding="utf-8"),
    (UNITS / "reportgen.service.d/mail.conf").read_text(encoding="utf-8"),
    fenced((ROOT / "docs/mail.md").read_text(encoding="utf-8")),
    fenced((ROOT / "README.md").read_text(encoding="utf-8")),
], ids=["GitHub", "GitLab", "docs", "systemd", "systemd with mail", "docs of the mail", "README"])
def test_every_command_and_option_exists(lines):
    called = re.findall(r"(?:^|[\s/])reportgen ([a-z]+)([^&\n]*)", lines, re.MULTILINE)
    # The workflows collect the options of `run` in an array first.
    called += [("run", line) for line in lines.splitlines()
               if "options" in line and "reportgen" not in line]
    assert called
    for command, rest in called:
        known = {name for option in main.commands[command].params
                 for name in (*option.opts, *option.secondary_opts)}
        assert set(re.findall(r"--[a-z][a-z-]*", rest)) <= known


def test_options_that_the_docs_name_exist():
    known = {name for command in ("run", "send") for option in main.commands[command].params
             for name in option.opts}
    named = re.findall(r"`(--[a-z-]+)[^`]*`", DOCS.read_text(encoding="utf-8"))
    assert set(named) <= known


@pytest.mark.parametrize("lines", [github_lines(), gitlab_lines()], ids=["GitHub", "GitLab"])
def test_every_target_of_make_exists(lines):
    targets = re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"^(?:sudo )?make (\S+)$", lines, re.MULTILINE)
    assert "setup" in named
    assert set(named) <= set(targets)


def test_both_workflows_restore_and_save_by_the_same_lines():
    """What is proven of one holds for the other."""
    ours, theirs = (re.findall(r"^\s*((?:saved=\$\()?\(?rclone .*|umask 077)$", lines, re.MULTILINE)
                    for lines in (github_lines(), gitlab_lines()))
    assert len(ours) > 8
    assert ours == theirs


def test_github_starts_it_on_data_on_a_schedule_and_by_hand():
    triggers = GITHUB[True]         # YAML 1.1 reads the key `on` as true
    assert set(triggers) == {"push", "schedule", "workflow_dispatch"}
    assert "data/**" in triggers["push"]["paths"]
    assert set(triggers["workflow_dispatch"]["inputs"]) == {"month", "force", "first", "mail"}


def test_github_gives_each_job_the_least_it_needs():
    assert GITHUB["permissions"] == {}
    assert JOB["permissions"] == {"contents": "read"}
    assert GITHUB["jobs"]["publish"]["permissions"] == {"pages": "write", "id-token": "write"}
    assert STEPS["actions/checkout@v6"]["with"]["persist-credentials"] is False
    assert "env" not in GITHUB      # a secret is seen by the step that needs it and by no other
    assert all("env" not in job for job in GITHUB["jobs"].values())


def test_github_runs_one_at_a_time_and_not_for_ever():
    assert GITHUB["concurrency"]["cancel-in-progress"] is False
    assert all(job["timeout-minutes"] for job in GITHUB["jobs"].values())


def test_nothing_of_an_expression_is_written_into_a_script():
    """Values reach the shell by its environment, where they cannot become commands."""
    assert "${{" not in github_lines()
    assert "$[[" not in gitlab_lines()


def test_actions_are_those_of_github_at_a_major_version():
    used = [step["uses"] for job in GITHUB["jobs"].values() for step in job["steps"]
            if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z/-]+@v\d+", action) for action in used)


def test_only_the_public_folder_is_uploaded_or_published():
    uploads = [step["with"]["path"] for step in JOB["steps"] if "upload" in step.get("uses", "")]
    assert uploads == ["output/public"] * 2
    assert GITLAB["report"]["artifacts"]["paths"] == ["output/public"]
    assert GITLAB["publish"]["artifacts"]["paths"] == ["output/public"]
    assert GITLAB["publish"]["pages"]["publish"] == "output/public"


def test_a_cache_holds_the_environment_and_nothing_of_a_store():
    cached = [step["with"]["path"] for step in JOB["steps"] if "cache" in step.get("uses", "")]
    assert set(cached) == {".venv"}
    assert GITLAB["report"]["cache"]["paths"] == [".venv"]
    assert GITLAB["report"]["cache"]["key"]["files"] == ["constraints.txt", "pyproject.toml"]


def test_gitlab_starts_it_on_data_on_a_schedule_and_by_hand():
    other_branches, by_hand, on_data = GITLAB["workflow"]["rules"]
    assert other_branches["when"] == "never"
    assert '"schedule"' in by_hand["if"]
    assert '"web"' in by_hand["if"]
    assert "data/**/*" in on_data["changes"]
    assert GITLAB["report"]["resource_group"]
    assert "allow_failure" not in GITLAB["report"]


def test_state_is_never_deleted_from_the_storage():
    deleting = re.findall(r"rclone (?:sync|delete|purge|move\w*|rmdirs?|deletefile) .*",
                          github_lines())
    assert deleting
    assert all("/$month" in line and "state" not in line for line in deleting)


# ── A machine for the lines ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Ran:
    """What a job left: how it ended, what it said, what ran, what it gave away."""

    exit_code: int
    log: str
    summary: str
    ran: tuple[str, ...] = ()
    artifacts: frozenset[str] = frozenset()
    pages: bool = False


@dataclass
class Machine:
    """A fresh clone, and what a rented machine has beside it."""

    clone: Path
    history: str
    environment: dict[str, str] = field(default_factory=dict)

    def shell(self, command: str, script: str, environment: Mapping[str, Any]) -> tuple[int, str]:
        """Run lines from a file, as a runner does; return their exit code and what they say."""
        file = self.clone.with_name(f"{self.clone.name}.sh")
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(
            shlex.split(command.replace("{0}", str(file))), cwd=self.clone, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=self.environment | {name: str(value) for name, value in environment.items()})
        return done.returncode, done.stdout

    def artifacts(self, *paths: str) -> frozenset[str]:
        """Name the files below the paths of an upload, as they stand below the output folder."""
        return frozenset(str(file.relative_to(self.clone / "output")) for path in paths
                         for file in (self.clone / path).rglob("*") if file.is_file())


def fresh_clone(clone: Path) -> None:
    """Check out HEAD with what has changed since and is not committed yet."""
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, clone / name)
        else:
            (clone / name).unlink(missing_ok=True)


def lend_environment(clone: Path) -> None:
    """Put this test's programs where the restored cache would be, older than the checkout.

    It saves a minute and a half, and leaves unproven that `make setup` builds them from nothing;
    the slow test does that.
    """
    (clone / ".venv").mkdir()
    (clone / ".venv/bin").symlink_to(Path(sys.executable).parent)
    (clone / ".venv/.ready").touch()
    os.utime(clone / ".venv/.ready", (0, 0))


def machine(clone: Path, data: Path, history: Path | str, *, lent: bool = True) -> Machine:
    """Give a clone of its own to the machine: a copy of the one in which the data lie."""
    shutil.copytree(data.parent, clone, symlinks=True)
    hidden = ("REPORTGEN_", "RCLONE_", "GITHUB_", "RUNNER_", "CI_", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(hidden)}
    tools = clone.with_name(f"{clone.name}-tools")
    tools.mkdir()
    write_tool(tools / "sudo", 'exec "$@"')     # a container has none, its user is root already
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    if lent:
        lend_environment(clone)
        environment["PYTHONPATH"] = str(clone)  # the lent programs run the code of the clone
    return Machine(clone, str(history), environment)


def write_tool(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


# ── GitHub ───────────────────────────────────────────────────────────────────────────────────────

#: What each action gives to later steps; one that is missing here fails the test.
ACTIONS: dict[str, dict[str, str]] = {
    "actions/checkout": {}, "actions/setup-python": {"python-version": "3.11"},
    "actions/cache/restore": {}, "actions/cache/save": {},
    "actions/upload-artifact": {}, "actions/upload-pages-artifact": {},
}
CONTEXTS = ("inputs", "needs", "secrets", "steps", "vars")
NAME = re.compile(r"[a-z]+(\.[\w-]+)+")
COMPARISON = re.compile(r"(\S+) (==|!=) '([^']*)'")


class UnknownExpressionError(AssertionError):
    """The workflow says something that this substitute would have to guess."""


def look_up(name: str, contexts: Mapping[str, Any]) -> str:
    """Give a context's value, nothing where it was not set: GitHub does the same."""
    first, *rest = name.split(".")
    if not NAME.fullmatch(name) or first not in CONTEXTS:
        raise UnknownExpressionError(name)
    found = contexts.get(first, {})
    for part in rest:
        found = found.get(part, {})
    return str(found) if found != {} else ""


def resolve(text: str, contexts: Mapping[str, Any]) -> str:
    """Fill in `${{ name }}`; operators and functions are not understood here."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: look_up(match[1], contexts), text)


def holds(condition: str, contexts: Mapping[str, Any], *, failed: bool) -> bool:
    """Judge an `if:` of comparisons with a text and of status functions, joined by `&&`."""
    status = {"always()": True, "!cancelled()": True, "success()": not failed}
    terms = re.sub(r"^\$\{\{ (.*) \}\}$", r"\1", condition).split(" && ")
    if not set(terms) & set(status):
        terms.append("success()")       # GitHub adds it where no status function stands
    return all(status[term] if term in status else _compares(term, contexts) for term in terms)


def _compares(term: str, contexts: Mapping[str, Any]) -> bool:
    match = COMPARISON.fullmatch(term)
    if match is None:
        raise UnknownExpressionError(term)
    return (look_up(match[1], contexts) == match[3]) == (match[2] == "==")


@pytest.mark.parametrize("condition", [
    "failure()", "steps.a.outputs.b", "steps.a.outputs.b == 'x' || always()",
    "contains(steps.a.outputs.b, 'x') == 'true'", "github.ref == 'x'",
])
def test_what_the_substitute_does_not_understand_is_no_guess(condition):
    with pytest.raises(UnknownExpressionError):
        holds(condition, {}, failed=False)


class Github:
    """The little of GitHub that the workflow needs."""

    def run(self, on: Machine, *, first: bool = False, pages: bool = False,
            mail: str = "") -> Ran:
        contexts = {
            "inputs": {"first": str(first).lower(), "mail": mail},
            "secrets": {"REPORTGEN_EXPERIMENT_KEY": KEY},
            "vars": {"REPORTGEN_HISTORY": on.history, "REPORTGEN_PAGES": str(pages).lower(),
                     "REPORTGEN_MAIL": str(bool(mail)).lower()},
            "steps": {},
        }
        hit = str((on.clone / ".venv").exists()).lower()
        given = ACTIONS | {"actions/cache/restore": {"cache-hit": hit}}
        summary = on.clone.with_name(f"{on.clone.name}-summary.md")
        summary.touch()
        exit_code, log, ran, artifacts = 0, "", [], frozenset()
        for step in JOB["steps"]:
            if not holds(step.get("if", "success()"), contexts, failed=exit_code != 0):
                continue
            ran.append(step.get("name", step.get("uses")))
            code = 0
            if "uses" in step:
                action = step["uses"].partition("@")[0]
                outputs = given[action]
                if action == "actions/upload-artifact":
                    artifacts = on.artifacts(step["with"]["path"])
            else:
                code, said, outputs = self._lines(step, on, contexts, summary)
                log, exit_code = log + said, code or exit_code
            contexts["steps"][step.get("id")] = {
                "outputs": outputs, "outcome": "failure" if code else "success"}
        contexts["needs"] = {"report": {"outputs": {
            name: resolve(value, contexts) for name, value in JOB["outputs"].items()}}}
        published = holds(GITHUB["jobs"]["publish"]["if"], contexts, failed=exit_code != 0)
        return Ran(exit_code, log, summary.read_text(encoding="utf-8"), tuple(ran), artifacts,
                   published)

    @staticmethod
    def _lines(step: Mapping[str, Any], on: Machine, contexts: Mapping[str, Any],
               summary: Path) -> tuple[int, str, dict[str, str]]:
        """Run a step's lines; return their exit code, what they said and their outputs."""
        outputs = on.clone.with_name(f"{on.clone.name}-outputs")
        outputs.write_text("", encoding="utf-8")
        environment = {name: resolve(str(value), contexts)
                       for name, value in step.get("env", {}).items()}
        environment |= {"GITHUB_OUTPUT": outputs, "GITHUB_STEP_SUMMARY": summary,
                        "RUNNER_TEMP": outputs.parent}
        code, said = on.shell(GITHUB["defaults"]["run"]["shell"], step["run"], environment)
        lines = outputs.read_text(encoding="utf-8").splitlines()
        return code, said, dict(line.split("=", 1) for line in lines)


class Gitlab:
    """The little of GitLab that the pipeline needs: one shell for all lines, then those after."""

    def run(self, on: Machine, *, first: bool = False, pages: bool = False,
            mail: str = "") -> Ran:
        variables = {name: given["value"] for name, given in GITLAB["variables"].items()}
        variables |= {"FIRST": str(first).lower(), "REPORTGEN_EXPERIMENT_KEY": KEY}
        if mail:
            variables |= {"REPORTGEN_MAIL": "true", "MAIL": mail}
        if on.history:
            variables["REPORTGEN_HISTORY"] = on.history
        code, log = on.shell("bash -eo pipefail {0}", "\n".join(SCRIPT), variables)
        on.shell("bash -eo pipefail {0}", "\n".join(GITLAB["report"]["after_script"]), variables)
        publish, _ = on.shell("bash -eo pipefail {0}", "\n".join(GITLAB["publish"]["script"]), {})
        artifacts = on.artifacts(*GITLAB["report"]["artifacts"]["paths"])
        return Ran(code, log, summary=log, artifacts=artifacts, pages=pages and publish == 0)


# ── The jobs at work ─────────────────────────────────────────────────────────────────────────────


def settings_with(text: str, section: str, key: str, value: str) -> str:
    """Set a value in a TOML text, whether the section has it or not."""
    before, header, after = text.partition(f"[{section}]")
    body, rest = re.match(r"(.*?)(^\[.*|\Z)", after, re.DOTALL | re.MULTILINE).groups()
    body = re.sub(rf"^{key} = .*\n", "", body, flags=re.MULTILINE)
    return f"{before}{header}\n{key} = {value}{body}{rest}"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A small store whose month is analysed within seconds and passes every gate.

    It lies in a clone whose modules are compiled, so that not every copy of it does so anew.
    """
    clone = tmp_path_factory.mktemp("store") / "clone"
    fresh_clone(clone)
    assert compileall.compile_dir(clone / "reportgen", quiet=1)
    folder = clone / "data"
    shutil.rmtree(folder)
    made = CliRunner().invoke(
        main, ["demo", "--data", str(folder), "--customers", "600", "--months", "1"])
    assert made.exit_code == 0, made.output
    set_values(folder, {
        ("model", "candidates"): "4", ("model", "families"): '["logistic_regression"]',
        ("model", "explained_customers"): "50", ("model", "workers"): "1",
        ("model", "effort"): '"quick"', ("store", "languages"): '["ru"]',
        ("gates", "roc_auc"): "0.5", ("gates", "data_age"): "36500",
    })
    return folder


def set_values(data: Path, values: Mapping[tuple[str, str], str]) -> None:
    path = data / "reportgen.toml"
    text = path.read_text(encoding="utf-8")
    for (section, key), value in values.items():
        text = settings_with(text, section, key, value)
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def month(store) -> str:
    return next(path.name for path in store.iterdir() if path.is_dir())


@pytest.fixture(scope="module", params=[Github, Gitlab], ids=["GitHub", "GitLab"])
def ci(request):
    return request.param()


@dataclass(frozen=True)
class Begun:
    """A store after its first report."""

    history: Path
    job: Ran


@pytest.fixture(scope="module")
def begun(store, tmp_path_factory) -> Begun:
    """Begun on GitHub; both go on from here, for they keep the history alike."""
    folder = tmp_path_factory.mktemp("first")
    job = Github().run(machine(folder / "clone", store, folder / "history"), first=True)
    return Begun(folder / "history", job)


@pytest.fixture
def history(begun, tmp_path) -> Path:
    """A copy of the storage, for a test to spoil."""
    return shutil.copytree(begun.history, tmp_path / "history")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}


@needs_storage
def test_the_first_report_is_built_saved_and_handed_over(begun, store, month):
    job, kept = begun.job, files(begun.history)
    assert job.exit_code == 0, job.log
    assert {f"public/{month}/results.json", f"private/{month}/customers.parquet",
            "public/index.html", "state/history.txt"} <= set(kept)
    assert {f"public/{month}/report.ru.pdf", "public/index.html"} <= job.artifacts
    assert kept[f"public/{month}/summary.md"].decode() in job.summary
    assert not job.pages                # only where the store asks for it


@needs_storage
def test_nothing_of_a_customer_leaves_the_job_but_for_the_storage(begun, month):
    job = begun.job
    assert not any(path.split("/")[0] in CUSTOMERS for path in job.artifacts)
    ids = pq.read_table(begun.history / f"private/{month}/customers.parquet").column("id")
    assert not set(map(str, ids.to_pylist())) & set(re.findall(r"\d+", job.log + job.summary))
    assert KEY not in job.log + job.summary
    for side in CUSTOMERS:
        for path in (begun.history / side).rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path


@needs_storage
def test_with_its_history_a_month_that_is_there_is_not_built_again(ci, begun, history, store,
                                                                 tmp_path):
    on = machine(tmp_path / "clone", store, history)
    job = ci.run(on)
    assert job.exit_code == 0, job.log
    assert "Nothing has changed" in job.summary
    assert job.artifacts == begun.job.artifacts
    assert files(history) == files(begun.history)
    assert not any((on.clone / "output" / side).exists() for side in CUSTOMERS)


@needs_storage
def test_a_lost_history_is_not_taken_for_a_first_month(ci, store, tmp_path):
    job = ci.run(machine(tmp_path / "clone", store, tmp_path / "nothing"))
    assert_stopped(job, "History lost")
    assert not (tmp_path / "nothing").exists()


@needs_storage
def test_a_lost_file_of_the_state_is_told(ci, history, store, tmp_path):
    (history / "state/experiment.json").unlink()
    job = ci.run(machine(tmp_path / "clone", store, history))
    assert_stopped(job, "History incomplete")
    assert "experiment.json" in job.log


@needs_storage
def test_a_storage_that_nobody_named_is_asked_for(ci, store, tmp_path):
    assert_stopped(ci.run(machine(tmp_path / "clone", store, ""), first=True), "REPORTGEN_HISTORY")


@needs_storage
def test_a_storage_that_cannot_be_reached_is_no_empty_one(ci, store, tmp_path):
    on = machine(tmp_path / "clone", store, "nowhere:reports")
    assert_stopped(ci.run(on, first=True), "nowhere")


def assert_stopped(job: Ran, told: str) -> None:
    """The job ended red with a message, before anything was set up or computed."""
    assert job.exit_code not in (0, 4)
    assert told in job.log
    assert "make" not in job.log
    assert "Build the report" not in job.ran
    assert not job.artifacts
    assert not job.pages


@needs_storage
def test_a_failed_gate_keeps_the_report_and_ends_red(ci, begun, history, store, month, tmp_path):
    first = isinstance(ci, Gitlab)      # its first report as well, so that one analysis proves both
    if first:
        shutil.rmtree(history)
    on = machine(tmp_path / "clone", store, history)
    set_values(on.clone / "data", {("gates", "roc_auc"): "0.999"})
    job = ci.run(on, first=first, pages=True)
    assert job.exit_code == 4, job.log
    kept, results = files(history), f"public/{month}/results.json"
    assert kept[results] != files(begun.history)[results]
    assert kept[f"public/{month}/summary.md"].decode() in job.summary
    assert "roc_auc" in job.summary
    assert f"public/{month}/report.ru.pdf" in job.artifacts
    assert job.pages


@needs_storage
def test_tables_that_break_the_contract_change_nothing(ci, begun, history, store, month, tmp_path):
    on = machine(tmp_path / "clone", store, history)
    (on.clone / "data" / month / "money.csv").unlink()
    job = ci.run(on, pages=True)
    assert job.exit_code == 3, job.log
    assert "No report was written" in job.summary
    assert files(history) == files(begun.history)
    assert not job.artifacts
    assert not job.pages


# ── E-mail ───────────────────────────────────────────────────────────────────────────────────────

AS_USUAL = "as usual"
READER, OWNER = "reader@shop.example.org", "owner@shop.example.org"
MAIL = """
[mail]
sender = {{ address = "reports@shop.example.org" }}
owner = {{ address = "{owner}" }}
recipients = [{{ address = "{reader}" }}]
[mail.server]
host = "127.0.0.1"
port = {port}
encryption = "none"
attempts = 1
"""


def mailing(on: Machine, server: Post) -> Machine:
    """Let a store name a reader, its owner and this server."""
    path = on.clone / "data/reportgen.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + MAIL.format(owner=OWNER, reader=READER, port=server.port),
                    encoding="utf-8")
    return on


def readers(server: Post) -> list[str]:
    return [reader for envelope in server.taken for reader in envelope.rcpt_tos]


@needs_storage
@aiosmtpd_warns
def test_the_report_is_mailed_once_however_often_the_job_runs(ci, history, store, tmp_path):
    with Post() as server:
        for number in (1, 2):
            on = mailing(machine(tmp_path / f"clone-{number}", store, history), server)
            job = ci.run(on, mail=AS_USUAL)
            assert job.exit_code == 0, job.log
            assert readers(server) == [READER]
    assert "state/mail.jsonl" in files(history)
    assert "mail.jsonl" in (history / "state/history.txt").read_text().split()
    assert (history / "state/mail.jsonl").stat().st_mode & 0o077 == 0


@needs_storage
@aiosmtpd_warns
def test_nothing_is_mailed_where_the_store_does_not_ask_for_it(ci, history, store, tmp_path):
    with Post() as server:
        job = ci.run(mailing(machine(tmp_path / "clone", store, history), server))
        assert (job.exit_code, server.seen) == (0, [])


@needs_storage
@aiosmtpd_warns
def test_a_reader_who_was_not_reached_ends_the_job_red_with_the_report_kept(
    ci, history, store, month, tmp_path
):
    with Post(RCPT=["550 no such user"]) as server:
        job = ci.run(mailing(machine(tmp_path / "clone", store, history), server), mail=AS_USUAL)
        assert readers(server) == [OWNER]
    assert job.exit_code == 5, job.log
    assert "no such user" in job.log
    assert f"public/{month}/report.ru.pdf" in job.artifacts
    assert "refused" in (history / "state/mail.jsonl").read_text()


@needs_storage
@aiosmtpd_warns
def test_leadership_has_it_after_somebody_approved_in_the_form(ci, history, store, tmp_path):
    with Post() as server:
        for number, mail, sent in ((1, AS_USUAL, [OWNER]), (2, AS_USUAL, [OWNER]),
                                   (3, "approve", [OWNER, READER])):
            on = mailing(machine(tmp_path / f"clone-{number}", store, history), server)
            path = on.clone / "data/reportgen.toml"
            path.write_text(path.read_text(encoding="utf-8").replace(
                "[mail]\nsender", "[mail]\napproval = true\nsender").replace(
                f'address = "{READER}"', f'address = "{READER}", group = "leadership"'),
                encoding="utf-8")
            job = ci.run(on, mail=mail)
            assert job.exit_code == 0, job.log
            assert readers(server) == sent


@needs_storage
@aiosmtpd_warns
def test_only_the_owner_hears_of_a_run_that_failed(ci, history, store, month, tmp_path):
    before = files(history)
    with Post() as server:
        on = mailing(machine(tmp_path / "clone", store, history), server)
        (on.clone / "data" / month / "money.csv").unlink()
        job = ci.run(on, mail=AS_USUAL)
        assert readers(server) == [OWNER]
        assert b"money.csv" in message_from_bytes(server.taken[0].content).get_payload(decode=True)
    assert job.exit_code == 3, job.log
    assert files(history) == before


#: Bytes; larger files are the ones that had not arrived when a save was cut off.
ARRIVED = 60


@needs_storage
def test_a_save_that_is_cut_off_never_leaves_a_history_that_only_looks_whole(tmp_path):
    """Cut off in whatever command, when no more has arrived than its small files: results.json."""
    on = Machine(tmp_path / "clone", "", dict(os.environ))
    _write_output(on.clone / "output", "old")
    old = tmp_path / "old"
    _save(on, old)
    _write_output(on.clone / "output", "new")
    commands = _save(on, shutil.copytree(old, tmp_path / "new"))
    assert commands > 6
    for stop in range(1, commands + 1):
        history = shutil.copytree(old, tmp_path / f"cut-{stop}")
        _save(on, history, stop=stop)
        kept = {name: text.decode() for name, text in files(history).items()}
        if "public/2026-10/results.json" in kept:
            written = {text.strip() for name, text in kept.items() if "/2026-10/" in name}
            assert len(written) == 1, f"cut off in command {stop}"
        promised = {f"state/{name}" for name in kept["state/history.txt"].split()}
        assert promised | {"state/old.parquet"} <= set(kept), f"cut off in command {stop}"
    _save(on, history)
    assert files(history) == files(tmp_path / "new")


def _write_output(output: Path, text: str) -> None:
    """Write what a run leaves; only results.json is small."""
    names = ("public/index.html", "public/2026-10/results.json", "public/2026-10/report.ru.pdf",
             "private/2026-10/customers.parquet", "private/index.json", f"state/{text}.parquet")
    for name in names:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        padding = "" if name.endswith("results.json") else " " * ARRIVED
        (output / name).write_text(text + padding, encoding="utf-8")


def _save(on: Machine, history: Path, *, stop: int = 0) -> int:
    """Run the lines that save, cut off in rclone's command number `stop`; return how many began."""
    tools, calls = on.clone.with_name("tools"), on.clone.with_name("calls")
    tools.mkdir(exist_ok=True)
    calls.write_text("", encoding="utf-8")
    write_tool(tools / "rclone", f"""
        echo >> "{calls}"
        [ $(wc -l < "{calls}") -ne {stop} ] || {{ rclone "$@" --max-size {ARRIVED}b; exit 9; }}
        exec rclone "$@"
    """.replace("rclone", str(shutil.which("rclone"))))
    code, said = on.shell(
        GITHUB["defaults"]["run"]["shell"], STEPS["Save the history"]["run"],
        {"MONTHS": "2026-10", "REPORTGEN_HISTORY": history,
         "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"})
    assert code == (9 if stop else 0), said
    return len(calls.read_text(encoding="utf-8").splitlines())


@pytest.mark.slow
@needs_storage
def test_the_environment_is_set_up_from_nothing(ci, store, month, tmp_path):
    on = machine(tmp_path / "clone", store, tmp_path / "history", lent=False)
    job = ci.run(on, first=True)
    assert job.exit_code == 0, job.log
    assert (on.clone / ".venv/.ready").is_file()
    assert f"public/{month}/report.ru.pdf" in job.artifacts


# ── cron and systemd ─────────────────────────────────────────────────────────────────────────────


def test_cron_writes_only_where_a_run_did_not_succeed(tmp_path):
    """The line of the docs, with a program in the place of reportgen that ends as it is told."""
    line = next(line for line in fenced(DOCS.read_text(encoding="utf-8")).splitlines()
                if "key.env;" in line)
    command = line.split(maxsplit=5)[5]
    assert "%" not in command           # cron would end the line there
    key = tmp_path / "key.env"
    write_tool(tmp_path / "reportgen", 'echo "told $REPORTGEN_EXPERIMENT_KEY"; exit "$CODE"')
    command = command.replace("/etc/reportgen/key.env", str(key))
    command = re.sub(r"/opt/\S+/reportgen", str(tmp_path / "reportgen"), command)
    for code, said in ((0, ""), (4, "exit code 4: told secret\n")):
        key.write_text(f"REPORTGEN_EXPERIMENT_KEY=secret\nCODE={code}\n", encoding="utf-8")
        done = subprocess.run(["sh", "-c", command], check=False, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == (said, "")


def unit(name: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(UNITS / name, encoding="utf-8")
    return parser


def test_the_service_may_write_its_output_alone_and_shows_a_failed_gate():
    service = unit("reportgen.service")["Service"]
    output = re.search(r"--output (\S+)", service["ExecStart"])[1]
    assert service["ReadWritePaths"] == output
    assert service["ProtectSystem"] == "strict"
    assert service["User"] != "root"
    assert service["EnvironmentFile"]
    assert "SuccessExitStatus" not in service
    assert unit("reportgen.timer")["Timer"]["Persistent"] == "true"


def test_the_service_sees_the_network_only_where_it_mails():
    assert unit("reportgen.service")["Service"]["PrivateNetwork"] == "yes"
    mails = unit("reportgen.service.d/mail.conf")["Service"]
    assert mails["PrivateNetwork"] == "no"
    assert set(mails) == {"PrivateNetwork", "RestrictAddressFamilies", "ExecStart"}
    assert mails["ExecStart"] == unit("reportgen.service")["Service"]["ExecStart"].replace(
        "--all", "--all --send")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_systemd_accepts_the_units(tmp_path):
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        text = re.sub(r"/opt/\S+/reportgen ", "/bin/true ", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", *filter(Path.is_file, tmp_path.iterdir())], check=False,
        capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert "reportgen" not in told.stderr
