"""From a month's files to published documents, once, and what may go wrong on the way."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import outloud
import page as page_validation
import pikepdf
import pyarrow.parquet as pq
import pytest
import skops.io
from undrawn import leave_undrawn

from reportgen import charts, ledger, pdf, pipeline, results
from reportgen.errors import ConfigError, DataError, GateError, RenderError
from reportgen.pipeline import Request

DATA = Path(__file__).parents[1] / "data"
REAL = Path(__file__).parents[2] / "shared/one-click/2026-10"
MONTH = "2026-10"


class Stages:
    """Remembers the names of the stages in their order, and what each told of itself."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.told: dict[str, list[tuple[float, float, str]]] = {}

    @contextmanager
    def __call__(self, name):
        self.names.append(name)
        told = self.told[name] = []
        yield lambda *what: told.append(what)


def request(data, output, settings, languages=("ru",), effort="quick"):
    return Request(data, output, MONTH, settings, effort, languages)


@pytest.fixture(scope="module")
def quick_config(tmp_path_factory):
    """The demo's contract with a search of a second."""
    text = pipeline.demo_contract()
    text = re.sub(r"^candidates = \d+", "candidates = 8\nworkers = 1\nexplained_customers = 50",
                  text, flags=re.MULTILINE)
    path = tmp_path_factory.mktemp("config") / "reportgen.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(quick_config, tmp_path_factory):
    output = tmp_path_factory.mktemp("output")
    stages = Stages()
    outcome = pipeline.run(request(DATA, output, quick_config), stages)
    return output, outcome, stages


def test_a_run_leaves_the_documents_the_numbers_the_customers_and_the_model(finished):
    output, outcome, _ = finished
    names = {str(path.relative_to(output)) for path in outcome.files}
    assert names == {
        f"public/{MONTH}/report.ru.html", f"public/{MONTH}/report.ru.pdf",
        f"public/{MONTH}/results.json", f"private/{MONTH}/customers.parquet",
        f"private/{MONTH}/model.skops", f"private/{MONTH}/reasons.parquet",
        f"private/{MONTH}/actions.parquet", f"private/{MONTH}/customers.xlsx",
        f"private/{MONTH}/customers.csv", f"public/{MONTH}/summary.md",
        f"private/{MONTH}/run.json", f"private/{MONTH}/email.ru.eml", "public/index.html",
    }
    assert all(path.stat().st_size > 0 for path in outcome.files)


def test_results_json_holds_the_report_exactly(finished):
    output, outcome, _ = finished
    text = (output / "public" / MONTH / "results.json").read_text(encoding="utf-8")
    assert results.from_json(text) == outcome.report


#: Stages that take longer than two seconds in a large store, and what each counts.
LONG = {"read": "bytes", "validate": "%", "clean": "%", "guard": "%", "search": "fits",
        "compare": "fits", "fit": "fits", "evaluate": "%", "score": "rows", "explain": "%",
        "reasons": "rows", "describe": "%", "programme": "%", "render": "%", "list": "rows"}


def tells_how_far_it_is(stages, name, unit):
    """What a stage tells only grows, is of one whole, and reaches it or comes near it."""
    told = stages.told[name]
    done = [amount for amount, _, _ in told]
    assert len({what[1:] for what in told}) == 1
    assert told[0][2] == unit
    assert done == sorted(done)
    return 0.5 < done[-1] / told[0][1] <= 1 + 1e-9


@pytest.mark.parametrize(("name", "unit"), LONG.items())
def test_every_long_stage_tells_how_far_it_is(finished, name, unit):
    assert tells_how_far_it_is(finished[2], name, unit)


def test_scoring_tells_of_every_customer(finished):
    _, outcome, stages = finished
    customers = outcome.report.data.customers_used
    assert stages.told["score"] == [(0, customers, "rows"), (customers, customers, "rows")]


@pytest.mark.usefixtures("standard")
@pytest.mark.parametrize("name", ["nested", "past"])
def test_what_only_a_standard_run_does_tells_how_far_it_is(standard_stages, name):
    assert tells_how_far_it_is(standard_stages, name, "%")


@pytest.mark.usefixtures("loop")
@pytest.mark.parametrize("name", ["history", "forecast"])
def test_what_a_later_month_does_tells_how_far_it_is(second_stages, name):
    assert tells_how_far_it_is(second_stages, name, "%")


def test_the_figures_of_the_report_reconcile_with_the_customers(finished):
    output, outcome, _ = finished
    report = outcome.report
    customers = pq.read_table(output / "private" / MONTH / "customers.parquet").to_pandas()
    left_out = sum(exclusion.customers for exclusion in report.data.exclusions)
    assert report.data.customers_in == len(customers) + left_out
    assert report.overview.customers == report.data.customers_used == len(customers)
    assert report.overview.fallen == customers["fallen"].sum()
    assert report.overview.alike == customers["alike"].sum()
    assert sum(band.customers for band in report.overview.bands) == len(customers)
    focus = customers[(customers["risk"] >= 0.6) & (customers["promo_share"] >= 0.5)]
    assert report.focus.customers == len(focus)
    assert report.focus.contactable == focus["contactable"].sum()
    revenue = next(total for total in report.overview.totals if total.name == "revenue")
    assert revenue.sums[-1] == pytest.approx(customers["revenue_current"].sum())


def test_the_report_has_all_five_recommendations_filled(finished):
    report = finished[1].report
    assert [advice.code for advice in report.recommendations] == ["R1", "R2", "R3", "R4", "R5"]


def test_no_customer_id_is_published(finished):
    output, _, _ = finished
    ids = set(pq.read_table(output / "private" / MONTH / "customers.parquet")["id"].to_pylist())
    published = (output / "public" / MONTH)
    assert ids
    for path in published.iterdir():
        assert not ids & set(re.findall(r"\d{9}", _text(path))), path.name


def _text(path):
    """Read what a document says; nothing of a PDF where poppler is missing."""
    if path.suffix != ".pdf":
        return path.read_text(encoding="utf-8")
    if shutil.which("pdftotext") is None:
        return ""
    return subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True,
                          text=True).stdout


def test_the_model_is_stored_without_a_pickle_and_scores_as_before(finished):
    path = finished[0] / "private" / MONTH / "model.skops"
    trusted = skops.io.get_untrusted_types(file=path)
    stored = skops.io.load(path, trusted=trusted)
    assert all(name.startswith(("sklearn.", "numpy.")) for name in trusted)
    assert list(stored["columns"])[0] == "service_tier"
    row = [[0.0] * len(stored["columns"])]
    assert 0 <= stored["model"].predict_proba(row)[0, 1] <= 1


def test_the_stages_run_in_the_order_of_the_house(finished):
    assert finished[2].names == [
        "connect", "read", "validate", "clean", "import", "continuity", "guard", "search", "nested",
        "compare", "fit", "past", "evaluate", "score", "explain", "reasons", "describe", "history",
        "money", "programme", "render", "list", "publish", "index"]


def test_the_same_inputs_give_the_same_numbers(finished, quick_config, tmp_path):
    again = pipeline.run(request(DATA, tmp_path, quick_config), Stages())
    assert again.report == finished[1].report
    for ending in ("html", "pdf"):
        name = f"report.ru.{ending}"
        first, second = (folder / "public" / MONTH / name for folder in (finished[0], tmp_path))
        assert first.read_bytes() == second.read_bytes()


def test_a_quick_run_says_that_it_is_one_and_leaves_out_what_takes_long(finished):
    report = finished[1].report
    assert report.effort == "quick"
    assert "quick" in {caveat.key for caveat in report.caveats}
    assert report.model.nested is None
    assert report.model.past_only is None
    assert report.model.gate.estimand == report.model.honest.estimand == "model"
    # The gate judges the held-out part, whose ROC-AUC the report tells.
    assert report.model.gate.roc_auc == report.model.holdout.roc_auc


@pytest.fixture(scope="module")
def standard_stages():
    return Stages()


@pytest.fixture(scope="module")
def standard(quick_config, tmp_path_factory, standard_stages):
    output = tmp_path_factory.mktemp("standard")
    with pytest.MonkeyPatch.context() as patch:
        leave_undrawn(patch)
        return pipeline.run(request(DATA, output, quick_config, effort="standard"),
                            standard_stages)


def test_a_standard_run_judges_the_whole_procedure(standard):
    model = standard.report.model
    assert model.honest is model.nested
    assert (model.nested.estimand, model.gate.estimand) == ("procedure", "procedure")
    assert model.nested.customers == standard.report.overview.customers
    assert model.gate.roc_auc == model.nested.roc_auc
    assert sum(family.outer_wins for family in model.families) <= model.outer_folds == 5
    assert 0 < model.past_only.columns < len(model.leakage.columns)
    assert model.past_only.difference.value == pytest.approx(
        model.past_only.full_roc_auc.value - model.past_only.roc_auc.value, abs=1e-9)


def test_every_reason_reconciles_with_the_risk_of_its_customer(finished):
    private = finished[0] / "private" / MONTH
    customers = pq.read_table(private / "customers.parquet").to_pandas().set_index("id")
    reasons = pq.read_table(private / "reasons.parquet").to_pandas()
    listed = customers[(customers["risk_band"] == "high") | customers["fallen"]]
    assert set(reasons["id"]) == set(listed.index)
    told = reasons.groupby("id").agg(base=("base", "first"), parts=("contribution", "sum"),
                                     remainder=("remainder", "first"))
    added = told["base"] + told["parts"] + told["remainder"]
    assert (added - listed["risk"][added.index]).abs().max() < 1e-6


def test_a_finished_month_is_drawn_in_another_language_without_analysis(finished, tmp_path):
    _, outcome, _ = finished
    output, stages = Path(shutil.copytree(finished[0], tmp_path / "output")), Stages()
    drawn = pipeline.render(output, None, languages=("en",), templates=None, stage=stages)
    assert stages.names == ["render", "list", "publish", "index"]
    assert drawn.report == outcome.report
    names = {path.name for path in drawn.files}
    assert {"report.en.html", "report.en.pdf", "report.ru.pdf", "customers.parquet"} <= names


def _state(folder):
    """Digests of all files: of unequal contents, the names are told at once."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock"}


@pytest.mark.parametrize("languages", [("en",), ("ru", "en")])
def test_a_chart_that_fails_leaves_the_last_good_report(finished, quick_config, monkeypatch,
                                                        languages):
    output = finished[0]
    before = _state(output)

    def fails(*_):
        raise RenderError("the chart of risk cannot be drawn")

    monkeypatch.setattr(charts, "draw_all", fails)
    with pytest.raises(RenderError, match="chart of risk"):
        pipeline.run(request(DATA, output, quick_config, languages), Stages())
    assert _state(output) == before


def _raises(*_, **__):
    raise RenderError("it cannot be drawn")


def _damaged(change):
    """Return a reader of results.json that finds a report with a fault."""
    return lambda text, **kw: change(FROM_JSON(text, **kw))


FROM_JSON = results.from_json

#: What may go wrong while documents are drawn: what to break, and by what.
FAULTS = {
    "a chart that raises": (charts.risk, "draw", _raises),
    "a chart without a text alternative": (charts.gains, "alt", _raises),
    "a section without data": (results, "from_json", _damaged(
        lambda report: replace(report, recommendations=(), further=()))),
    "a number in a headline that is none": (results, "from_json", _damaged(
        lambda report: replace(report, overview=replace(report.overview, fallen_share=replace(
            report.overview.fallen_share, value=float("nan")))))),
    "a label that is missing": (results, "from_json", _damaged(
        lambda report: replace(report, store=replace(report.store, name={})))),
    "a PDF that cannot be made to conform": (pdf.layout, "conform", _raises),
}


@pytest.mark.parametrize(("module", "name", "fault"), FAULTS.values(), ids=FAULTS)
def test_a_fault_while_drawing_publishes_nothing(finished, monkeypatch, module, name, fault):
    output = finished[0]
    before = _state(output)
    monkeypatch.setattr(module, name, fault)
    if module in (charts.risk, charts.gains):       # the registry holds the functions themselves
        monkeypatch.setattr(charts, "CHARTS", tuple(
            replace(spec, **{name: fault}) if spec.name == module.__name__.split(".")[-1] else spec
            for spec in charts.CHARTS))
    with pytest.raises((RenderError, results.ResultsError)):
        pipeline.render(output, MONTH, languages=("ru",), templates=None, stage=Stages())
    assert _state(output) == before


def test_drawing_again_gives_the_same_bytes_without_the_libraries_of_the_analysis(finished):
    output = finished[0]
    code = ("import sys; from pathlib import Path; from contextlib import nullcontext\n"
            "from reportgen import pipeline; from reportgen.progress import silent\n"
            f"pipeline.render(Path({str(output)!r}), {MONTH!r}, languages=('ru',), "
            "templates=None, stage=lambda name: nullcontext(silent))\n"
            "heavy = {'sklearn', 'shap', 'ibis', 'duckdb', 'pandas', 'numba'} & set(sys.modules)\n"
            "print(sorted(heavy)); sys.exit(bool(heavy & {'sklearn', 'shap', 'numba'}))")
    before = _state(output)                 # as the run left it
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    after = _state(output)                  # another process writes the same bytes
    # The page of all months stands in the languages of the store now, not in those asked for.
    assert [name for name in before if after[name] != before[name]
            and Path(name).stem != "index"] == []


def _faults_of(path):
    """Everything that two independent checkers have against a PDF."""
    found = [failure.rule_id for profile in ("ua1", "3a")
             for failure in page_validation.validate_pdf_bytes(path.read_bytes(),
                                                               profile=profile).failures]
    return found + [finding.message for finding in outloud.check(path).findings
                    if finding.severity != "info"]


def test_published_pdf_of_the_demo_conforms(finished):
    assert _faults_of(finished[0] / "public" / MONTH / "report.ru.pdf") == []


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the store's real tables are not here")
def test_published_pdfs_of_the_real_store_conform_and_keep_to_their_pages(tmp_path):
    asked = Request(REAL, tmp_path, MONTH, None, "quick", ("ru", "en"))
    pipeline.run(asked, Stages())
    for language in ("ru", "en"):
        path = tmp_path / "public" / MONTH / f"report.{language}.pdf"
        assert _faults_of(path) == []
        with pikepdf.open(path) as document:
            assert len(document.pages) <= 13


def test_pdf_carries_the_numbers_and_the_data_of_its_charts(finished):
    output = finished[0]
    folder = output / "public" / MONTH
    with pikepdf.open(folder / "report.ru.pdf") as document:
        files = {name: spec.get_file().read_bytes() for name, spec in document.attachments.items()}
    assert files["results.json"] == (folder / "results.json").read_bytes()
    # In the first month there is no trend, and without assumptions no profit.
    lacking = {f"{spec.name}.csv" for spec in charts.CHARTS} - set(files)
    assert lacking <= {"profit.csv", "trend.csv"}
    ids = set(pq.read_table(output / "private" / MONTH / "customers.parquet", columns=["id"])
              ["id"].to_pylist())
    for name, content in files.items():
        words = set(re.findall(r"\w+", content.decode("utf-8-sig")))
        assert not {str(one) for one in ids} & words, f"{name} holds ids of customers"


def test_bad_data_leave_the_last_good_report(finished, quick_config, tmp_path):
    output = finished[0]
    before = _state(output)
    month = tmp_path / MONTH
    month.mkdir()
    for path in (DATA / MONTH).iterdir():
        (month / path.name).write_bytes(path.read_bytes())
    (month / "money.csv").unlink()
    with pytest.raises(DataError, match=r"money\.csv"):
        pipeline.run(request(tmp_path, output, quick_config), Stages())
    assert _state(output) == before


def test_a_figure_that_is_not_finite_is_never_published(finished):
    plain = json.loads(results.to_json(finished[1].report))
    plain["overview"]["alike_share"] = float("nan")
    damaged = results.from_json(json.dumps(plain))
    with pytest.raises(results.ResultsError, match="not finite"):
        results.to_json(damaged)


@pytest.fixture(scope="module")
def noise(quick_config, tmp_path_factory):
    """A month in which nothing has to do with decline."""
    folder = tmp_path_factory.mktemp("noise")
    pipeline.write_demo(folder, world="noise", customers=500, months=1, seed=3)
    month = next(path for path in folder.iterdir() if path.is_dir())
    output = tmp_path_factory.mktemp("withheld")
    asked = Request(month, output, None, quick_config, "quick", ("ru",))
    with pytest.MonkeyPatch.context() as patch:
        leave_undrawn(patch)
        return output, pipeline.run(asked, Stages())


def test_a_model_without_signal_lists_nobody(noise):
    output, outcome = noise
    report = outcome.report
    assert report.model.gate.withholds
    assert report.caveats[0].key == "model_not_useful"
    assert {(item.status, item.reason, item.audience.customers)
            for item in report.recommendations} == {("unsupported", "model_not_useful", 0)}
    assert report.focus.suppressed
    assert (report.overview.alike, report.overview.bands) == (0, ())
    assert report.explanation.headlined == ()
    assert report.money.campaigns == ()
    private = output / "private" / report.month
    assert {path.name for path in private.iterdir()} == {
        "customers.parquet", "email.ru.eml", "run.json"}
    assert pq.read_table(private / "customers.parquet")["risk"].null_count == (
        report.overview.customers)


def test_a_closed_gate_ends_the_command_with_4_after_everything_is_written(noise):
    with pytest.raises(GateError, match="nobody is listed") as raised:
        pipeline.hold((noise[1],))
    assert raised.value.exit_code == 4
    assert any(path.name == "report.ru.pdf" for path in noise[1].files)


def test_a_gate_that_is_not_kept_only_warns(noise):
    report = noise[1].report
    gate = replace(report.model.gate, enforced=False)
    told = list(pipeline.failures(replace(report, model=replace(report.model, gate=gate))))
    # The store's own limit of the ROC-AUC is another gate.
    assert [failure.partition(":")[0] for failure in told] == ["roc_auc"]


def test_an_open_gate_lets_the_command_end_well(finished):
    assert finished[1].report.model.gate.open
    pipeline.hold((finished[1],))


# ── Month after month ────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def second_stages():
    return Stages()


@pytest.fixture(scope="module")
def one_family(quick_config, tmp_path_factory):
    """The same contract with a single family to search: which one wins changes no verdict."""
    text = quick_config.read_text(encoding="utf-8")
    path = tmp_path_factory.mktemp("one-family") / "reportgen.toml"
    path.write_text(re.sub(r"^candidates = 8", 'families = ["logistic_regression"]\n\\g<0>', text,
                           flags=re.MULTILINE), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def loop(one_family, tmp_path_factory, second_stages):
    """A month that draws the groups, and the next one, in which the actions have helped."""
    data, output = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("loop")
    store = {"world": "linear", "customers": 1300, "seed": 20}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ledger.KEY_VARIABLE, "a-key-for-the-demo")
        pipeline.write_demo(data, months=1, **store)
        with pytest.MonkeyPatch.context() as drawing:       # the second month is looked at
            leave_undrawn(drawing)
            first = pipeline.run(Request(data, output, None, one_family, "quick", ("ru",)),
                                 Stages())
        *_, folder = pipeline.write_demo(data, months=2, action="helps", output=output, **store)
        treated = ledger.treated(output / "state")[first.report.month]
        rows = [f"{customer},R5,{folder.name}-04" for customer in treated[:100]]
        (folder / "feedback.csv").write_text("\n".join(["customer,action,date", *rows, "9,R5,x"]),
                                             encoding="utf-8")
        second = pipeline.run(Request(data, output, None, one_family, "quick", ("ru",)),
                              second_stages)
    return data, output, first.report, second.report


def test_the_next_month_opens_with_the_verdict(loop):
    _, output, first, second = loop
    assert (first.verdict.missing, first.programme.missing) == ("first", "")
    assert second.verdict.status == "worked"
    effect = second.verdict.last
    assert (effect.treated, effect.control) == (first.programme.treated, first.programme.control)
    assert second.verdict.reached.treated == 100
    assert [fault.reason for fault in second.verdict.reached.faults] == ["unknown_customer"]
    text = (output / "public" / second.month / "report.ru.html").read_text(encoding="utf-8")
    assert text.index("Меры подействовали") < text.index("Пять рекомендаций")
    assert "no_history" not in {caveat.key for caveat in second.caveats}
    assert all(item.kpi is None or item.kpi.previous is not None
               for item in second.recommendations)


def test_who_was_drawn_keeps_the_group(loop):
    _, output, first, second = loop
    lists = [pq.read_table(output / "private" / report.month / "actions.parquet").to_pylist()
             for report in (first, second)]
    groups = [{row["id"]: row["group"] for row in rows if row["contactable"]} for rows in lists]
    both = groups[0].keys() & groups[1].keys()
    assert len(both) > 50
    assert {name: groups[0][name] for name in both} == {name: groups[1][name] for name in both}
    assert second.programme.newly == len(groups[1]) - len(both) > 0


def test_customers_stand_in_private_folders_only(loop):
    _, output, first, second = loop
    ids = {row["id"] for report in (first, second) for row in pq.read_table(
        output / "private" / report.month / "customers.parquet", columns=["id"]).to_pylist()}
    files = [path for path in (output / "public").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".html", ".json", ".md", ".pdf"}
    for path in files:
        if (path.parent.name, path.suffix) != (first.month, ".pdf"):    # it is not laid out
            assert not ids & set(re.findall(r"\d{9}", _text(path))), path.name
    for side in ("private", "state"):
        for path in (output / side).rglob("*"):
            assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_run_with_another_key_changes_nothing(loop, one_family, monkeypatch):
    data, output, _, second = loop
    before = {path.name: path.read_bytes() for path in (output / "state").iterdir()}
    monkeypatch.setenv(ledger.KEY_VARIABLE, "another key altogether")
    with pytest.raises(ConfigError, match="is another one"):
        pipeline.run(Request(data, output, None, one_family, "quick", ("ru",)), Stages())
    assert {path.name: path.read_bytes() for path in (output / "state").iterdir()} == before
    text = (output / "public" / second.month / "results.json").read_text(encoding="utf-8")
    assert results.from_json(text) == second


def test_a_demo_cannot_act_on_nobody(tmp_path):
    for action, told in (("helps", "drawn nobody"), ("dances", "known: helps, nothing, harms")):
        with pytest.raises(ConfigError, match=told):
            pipeline.write_demo(tmp_path / "store", world="linear", customers=300, months=1, seed=1,
                                action=action, output=tmp_path / "output")
