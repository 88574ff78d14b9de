"""Month after month on a small store: what each month knows of the ones before."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from undrawn import leave_undrawn

from reportgen import ledger, pipeline, results
from reportgen.cli import main
from reportgen.errors import ConfigError, DataError, GateError
from reportgen.pipeline import Request
from reportgen.progress import silent

MONTHS = ("2026-08", "2026-09", "2026-10")


def quietly(_name):
    return nullcontext(silent)


class Stages:
    """Remembers the names of the stages in their order."""

    def __init__(self):
        self.names = []

    @contextmanager
    def __call__(self, name):
        self.names.append(name)
        yield silent


def ask(store, output, month=None, **changes):
    return Request(store, output, month, None, "quick", ("ru",), **changes)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Three months of a demo store, with a search of a second."""
    folder = tmp_path_factory.mktemp("store")
    pipeline.write_demo(folder, world="linear", customers=700, months=3, seed=20)
    path = folder / "reportgen.toml"
    path.write_text(re.sub(r"^candidates = \d+", "candidates = 8\nworkers = 1\n"
                           'families = ["logistic_regression"]\nexplained_customers = 50',
                           path.read_text("utf-8"), flags=re.MULTILINE), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def finished(store, tmp_path_factory):
    """All three months, reported on in order; the last one, which knows most, is drawn."""
    output = tmp_path_factory.mktemp("output")
    with pytest.MonkeyPatch.context() as key:
        key.setenv(ledger.KEY_VARIABLE, "a-key-for-the-demo")
        building = pipeline.run_all(ask(store, output), quietly)
        with pytest.MonkeyPatch.context() as patch:
            leave_undrawn(patch)
            outcomes = [next(building) for _ in MONTHS[:-1]]
        outcomes.extend(building)
    return output, tuple(outcomes)


@pytest.fixture
def again(finished, tmp_path, monkeypatch):
    """A copy of the finished months, to be spoiled; what is done to them is not drawn."""
    monkeypatch.setenv(ledger.KEY_VARIABLE, "a-key-for-the-demo")
    leave_undrawn(monkeypatch)
    return Path(shutil.copytree(finished[0], tmp_path / "output"))


@pytest.fixture
def own_store(store, tmp_path):
    """A copy of the tables, to be changed."""
    return Path(shutil.copytree(store, tmp_path / "store"))


def change(store: Path, month: str, table: str, edit) -> None:
    """Rewrite a table of a month, its head left alone; `edit` changes the cells of a row."""
    path = store / month / f"{table}.csv"
    text = path.read_text(encoding="utf-8")
    delimiter = ";" if ";" in text.splitlines()[0] else ","
    head, *rows = [line.split(delimiter) for line in text.splitlines()]
    path.write_text("\n".join(delimiter.join(row) for row in [head, *map(edit, rows)]) + "\n",
                    encoding="utf-8")


# ── What each month knows ────────────────────────────────────────────────────────────────────────


def test_every_month_is_built_in_order(finished):
    _, outcomes = finished
    assert [outcome.report.month for outcome in outcomes] == list(MONTHS)
    assert {outcome.status for outcome in outcomes} == {"analysed"}
    assert [len(outcome.report.history.points) for outcome in outcomes] == [1, 2, 3]


def test_first_month_has_nothing_to_compare_with_and_says_so(finished):
    output, (first, *_) = finished
    history = first.report.history
    assert (history.migration, history.held, history.drift, first.report.forecast) == (
        None, (), (), None)
    assert first.report.life.rivals == ()
    assert "no_history" in {caveat.key for caveat in first.report.caveats}
    page = (output / "public" / MONTHS[0] / "report.ru.html").read_text("utf-8")
    assert "сравнивать не\u00a0с\u00a0чем" in page


def test_second_month_forecasts_and_third_holds_it_to_what_happened(finished):
    _, (_, second, third) = finished
    assert (second.report.forecast.learned_from, second.report.forecast.for_month) == (
        "2026-08", "2026-10")
    assert [held.of for held in second.report.history.held] == ["recognised"]
    held = third.report.history.held[0]
    assert (held.of, held.month) == ("forecast", "2026-09")
    # The demo store goes on as it went: what was promised came true within chance.
    assert held.verdict == "agrees"
    assert held.steady.customers > held.named.customers > 0
    promised = second.report.forecast.roc_auc
    assert abs(held.roc_auc.value - promised.value) < 0.06


def test_migration_adds_up_to_both_months(finished):
    _, (_, second, third) = finished
    found = third.report.history.migration
    assert found.customers_before == second.report.overview.customers
    assert found.customers_now == third.report.overview.customers
    bands = {band.name: band.customers for band in second.report.overview.bands}
    assert {one.band: one.customers for one in found.before if one.band != "new"} == bands
    now = {band.name: band.customers for band in third.report.overview.bands}
    assert {one.band: one.customers for one in found.now if one.band != "lost"} == now
    assert found.lost == found.gone + found.not_regular > 0


def test_customers_carry_the_forecast(finished):
    output, (first, second, _) = finished
    names = [pq.read_schema(output / "private" / one.report.month / "customers.parquet").names
             for one in (first, second)]
    assert "forecast" not in names[0]
    assert {"forecast", "forecast_band"} <= set(names[1])


def test_what_the_tables_repeat_is_what_was_reported(finished):
    _, (*_, third) = finished
    assert {one.column for one in third.report.history.restated} == {
        "revenue_previous", "revenue_before_previous", "minutes_previous"}
    assert all(one.changed == 0 for one in third.report.history.restated)


def test_last_month_s_model_stands_beside_the_new_one(finished):
    _, (*_, third) = finished
    (rival,) = third.report.life.rivals
    assert rival.month == "2026-09"
    assert third.report.life.trained == "2026-10"


def test_page_of_all_months_links_every_document(finished):
    output, _ = finished
    page = (output / "public/index.html").read_text("utf-8")
    for month in MONTHS:
        for name in ("report.ru.pdf", "report.ru.html", "results.json"):
            assert f'href="{month}/{name}"' in page
            assert (output / "public" / month / name).is_file()
    assert page.index("октябрь") < page.index("сентябрь\u00a02026</strong>")
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)


# ── Nothing is done twice ────────────────────────────────────────────────────────────────────────


def test_unchanged_months_are_left_alone(store, again):
    before = {path: path.stat().st_mtime_ns for path in again.rglob("*") if path.is_file()}
    stages = Stages()
    outcomes = tuple(pipeline.run_all(ask(store, again), stages))
    assert {outcome.status for outcome in outcomes} == {"unchanged"}
    assert stages.names == []
    assert {path: path.stat().st_mtime_ns for path in again.rglob("*") if path.is_file()
            and path.name != ".lock"} == {path: stamp for path, stamp in before.items()
                                          if path.name != ".lock"}


def test_another_language_only_draws(store, again):
    stages = Stages()
    request = replace(ask(store, again, MONTHS[2]), languages=("en",))
    assert pipeline.run(request, stages).status == "drawn"
    assert stages.names == ["render", "list", "publish", "index"]
    assert sorted(path.name for path in (again / "public" / MONTHS[2]).iterdir()) == [
        "report.en.html", "report.en.pdf", "results.json", "summary.md"]


def test_drawing_earlier_months_again_analyses_no_later_one(store, again, tmp_path):
    (tmp_path / "templates/css").mkdir(parents=True)
    (tmp_path / "templates/css/company.css").write_text(":root { --blue: #003366; }")
    request = replace(ask(store, again), templates=tmp_path / "templates")
    assert [outcome.status for outcome in pipeline.run_all(request, quietly)] == ["drawn"] * 3


def test_model_of_no_month_is_refused_for_all_months_too(store, again):
    with pytest.raises(ConfigError, match=r"--model '2026-8' is no month of .* known: 2026-08"):
        list(pipeline.run_all(ask(store, again, kept="2026-8"), quietly))


def test_page_of_all_months_lets_go_of_a_language_that_is_gone(store, again):
    both = replace(ask(store, again, MONTHS[2]), languages=("ru", "en"))
    pipeline.run(both, quietly)
    assert (again / "public/index.en.html").is_file()
    (again / "public" / MONTHS[0] / "notes").mkdir()     # nothing of ours; it does no harm
    pipeline.run(ask(store, again, MONTHS[2]), quietly)
    assert sorted(path.name for path in (again / "public").glob("index*")) == ["index.html"]


def test_past_month_run_again_reads_no_later_one(finished, store, again):
    text = (again / "public" / MONTHS[1] / "results.json").read_bytes()
    outcome = pipeline.run(ask(store, again, MONTHS[1], force=True), quietly)
    assert outcome.status == "analysed"
    assert (again / "public" / MONTHS[1] / "results.json").read_bytes() == text
    assert outcome.report == finished[1][1].report


# ── The life of a model ──────────────────────────────────────────────────────────────────────────


def test_kept_model_scores_without_learning(store, again):
    stages = Stages()
    outcome = pipeline.run(ask(store, again, MONTHS[2], kept=MONTHS[0]), stages)
    report = outcome.report
    assert "search" not in stages.names
    assert (report.life.trained, report.life.kept) == (MONTHS[0], True)
    assert [rival.month for rival in report.life.rivals] == [MONTHS[1]]
    assert report.model.honest.customers == report.overview.customers
    assert [drift.month for drift in report.history.drift] == [MONTHS[1], MONTHS[0]]
    page = (again / "public" / MONTHS[2] / "report.ru.html").read_text("utf-8")
    assert "Модель не\u00a0обучалась" in page
    assert "Быстрый прогон" not in page


def test_kept_model_of_an_unknown_month_is_refused(store, again):
    with pytest.raises(ConfigError, match=r"--model 2026-01: .* \(2026-08, 2026-09\)"):
        pipeline.run(ask(store, again, MONTHS[2], kept="2026-01"), quietly)


# ── A broken history ─────────────────────────────────────────────────────────────────────────────


def test_damaged_month_is_told_and_nothing_is_compared_on_guesses(store, again):
    path = again / "public" / MONTHS[1] / "results.json"
    path.write_text(path.read_text("utf-8")[:5000], encoding="utf-8")
    outcome = pipeline.run(ask(store, again, MONTHS[2]), quietly)
    history = outcome.report.history
    assert [(fault.month, fault.reason) for fault in history.faults] == [(MONTHS[1], "damaged")]
    # August can be read, but it is two months away: no forecast, and changes say so.
    assert outcome.report.forecast is None
    assert outcome.report.changes.apart == 2
    assert history.migration.month == MONTHS[0]
    assert "2026-09 is not compared with: its results.json is damaged" in outcome.notices[0]
    with pytest.raises(GateError, match="history: the number of earlier months"):
        pipeline.hold((outcome,))
    page = (again / "public" / MONTHS[2] / "report.ru.html").read_text("utf-8")
    assert "отчёт повреждён" in page


def test_lost_history_is_no_first_month(own_store, tmp_path, monkeypatch):
    leave_undrawn(monkeypatch)
    path = own_store / "reportgen.toml"
    path.write_text(path.read_text("utf-8").replace('# since = "2026-08"', 'since = "2026-08"'),
                    encoding="utf-8")
    outcome = pipeline.run(ask(own_store, tmp_path / "new", MONTHS[2]), quietly)
    assert [fault.reason for fault in outcome.report.history.faults] == ["missing", "missing"]
    assert "no_history" not in {caveat.key for caveat in outcome.report.caveats}
    page = (tmp_path / "new/public" / MONTHS[2] / "report.ru.html").read_text("utf-8")
    assert "Это первый отчёт" not in page
    assert "Прошлый отчёт недоступен" in page
    with pytest.raises(GateError, match="history"):
        pipeline.hold((outcome,))


def test_customers_written_otherwise_are_not_compared(own_store, again):
    for table in ("market_file", "market_money", "market_time", "money"):
        change(own_store, MONTHS[2], table, lambda row: [f"K{row[0]}", *row[1:]])
    outcome = pipeline.run(ask(own_store, again, MONTHS[2]), quietly)
    history = outcome.report.history
    assert [(fault.month, fault.reason) for fault in history.faults] == [(MONTHS[1], "ids")]
    assert (history.migration, history.held, outcome.report.forecast) == (None, (), None)
    assert outcome.report.changes.month == MONTHS[1]


def test_another_unit_stops_the_run_and_can_be_accepted(own_store, again):
    change(own_store, MONTHS[2], "market_time",
           lambda row: [*row[:2], str(60 * float(row[2]))] if row[1] == "текущий_месяц" else row)
    published = (again / "public" / MONTHS[2] / "results.json").read_bytes()
    with pytest.raises(DataError) as caught:
        pipeline.run(ask(own_store, again, MONTHS[2]), quietly)
    assert [problem.code for problem in caught.value.problems] == ["unit_changed"]
    assert (again / "public" / MONTHS[2] / "results.json").read_bytes() == published
    path = own_store / "reportgen.toml"
    path.write_text(path.read_text("utf-8").replace('# accepted = ["2026-11"]',
                                                    'accepted = ["2026-10"]'), encoding="utf-8")
    report = pipeline.run(ask(own_store, again, MONTHS[2]), quietly).report
    # Accepted is the break; customers are not compared across it, and totals are.
    assert (report.history.faults, report.history.migration, report.forecast) == ((), None, None)
    page = (again / "public" / MONTHS[2] / "report.ru.html").read_text("utf-8")
    assert "Это первый отчёт" not in page
    assert "Клиенты с\u00a0прошлым месяцем не\u00a0сравниваются" in page


# ── The command line ─────────────────────────────────────────────────────────────────────────────


def invoke(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_outcome_is_printed_for_scripts(store, again):
    found = invoke("run", "--data", store, "--output", again, "--all", "--quick", "--language",
                   "ru", "--json", "--log-format", "json")
    outcome = json.loads(found.stdout)
    # The demo's months may lie far back by now; its reportgen.toml allows that.
    assert (outcome["exit_code"], found.exit_code) == (0, 0)
    assert [(one["month"], one["status"]) for one in outcome["months"]] == [
        (month, "unchanged") for month in MONTHS]
    assert all(gate["passed"] for one in outcome["months"] for gate in one["gates"])
    lines = [json.loads(line) for line in found.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["done"] * 3
    assert all({"time", "level", "month", "status"} <= set(line) for line in lines)


def test_failure_is_printed_for_scripts(tmp_path):
    found = invoke("run", "--data", tmp_path / "nothing", "--output", tmp_path / "output", "--json",
                   "--log-format", "json")
    outcome = json.loads(found.stdout)
    assert (outcome["exit_code"], found.exit_code, outcome["months"]) == (2, 2, [])
    assert "there is no folder" in outcome["error"]["message"]
    first, *_ = found.stderr.splitlines()
    assert json.loads(first)["level"] == "error"


def test_all_months_and_one_exclude_each_other(store, tmp_path):
    found = invoke("run", "--data", store, "--output", tmp_path, "--all", "--month", MONTHS[0])
    assert found.exit_code == 2
    assert "exclude each other" in found.stderr


def test_old_data_fail_a_gate_where_no_month_is_asked_for(store, again):
    later = date(2027, 3, 1)
    toml = store / "reportgen.toml"
    config = again.parent / "reportgen.toml"
    config.write_text(re.sub(r"data_age = \d+", "data_age = 62", toml.read_text("utf-8")),
                      encoding="utf-8")
    request = replace(ask(store, again), config=config, today=later)
    outcome = pipeline.run(request, quietly)
    with pytest.raises(GateError, match="ended 121 days ago, at most 62"):
        pipeline.hold((outcome,))
    named = pipeline.run(replace(request, month=MONTHS[2]), quietly)
    pipeline.hold((named,))
    assert results.to_json(named.report) == results.to_json(outcome.report)


def test_gate_an_old_month_failed_once_does_not_fail_every_later_run(finished):
    _, (first, second, third) = finished
    old = replace(first, status="unchanged", failures=("roc_auc: too low",))
    pipeline.hold((old, replace(second, status="unchanged"), third))
    with pytest.raises(GateError, match="2026-08: roc_auc: too low"):
        pipeline.hold((replace(old, status="analysed"), third))
    with pytest.raises(GateError, match="too low"):
        pipeline.hold((third, replace(old, status="unchanged")))
