"""The HTML report: complete, readable by everyone, safe, and honest in every wording."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from documents import LANGUAGES, Blanks, html, pdf_of, pictures, plain, read, render
from reports import (
    make_first_report,
    make_report,
    make_unproven_report,
    money_withheld,
    no_verdict,
    verdict,
)

from reportgen import localization, templating
from reportgen.caveats import KEYS
from reportgen.errors import RenderError
from reportgen.recommendations import FURTHER, RULES
from reportgen.results import (
    Caveat,
    Estimate,
    LearningCurve,
    LearningPoint,
    Recommendation,
    Report,
    from_json,
    to_json,
)
from reportgen.statuses import MODEL_NOT_USEFUL, REASONS

TEMPLATES = localization.templates_folder()
BODY = ("summary", "drivers", "segments", "recommendations", "programme", "history", "money")
APPENDIX = ("portraits", "comparison", "sensitivity", "model", "data_quality", "method", "glossary")
SECTIONS = BODY + APPENDIX

#: Words of a heading: what has letters and is no unit. A store's own label counts as one.
MOST_WORDS = 12

#: Words that promise an effect, which only an experiment could show.
CAUSAL = ("приведёт", "снизит ", "благодаря", "позволит", "повысит ", "увеличит ",
          "will reduce", "will increase", "leads to", "thanks to", "because of")
JARGON = ("SHAP", "шансов", "log-odds", "p-value", "p-знач", "ROC", "Brier")


@pytest.mark.parametrize("language", LANGUAGES)
def test_document_tells_its_language_and_title(language: str) -> None:
    page = read(html(language))
    assert ("html", {"lang": language}) in page.tags
    store = make_report().store.name[language]
    assert store in plain(page.title)
    assert plain(localization.load(language).month("2026-10")) in plain(page.title)


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_form_an_outline(language: str) -> None:
    levels = [level for level, _ in read(html(language)).headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))


def test_contents_lead_to_every_section() -> None:
    page = read(html("ru"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links == [f"#{section}" for section in SECTIONS]
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) <= set(ids)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["usual", "first month", "no money", "nothing confirmed",
                                  "withheld", "no key", "switched off", "nobody"])
def test_every_heading_of_the_body_states_a_finding_with_a_number(
    language: str, kind: str
) -> None:
    for heading in _headings(render(_report(kind), language)):
        told = re.sub(r"^\d+\. ", "", heading)        # its place in a list is no finding
        plainly_unsupported = kind == "withheld" and told in _action_names(language)
        assert re.search(r"\d", told) or plainly_unsupported, heading


def test_no_table_is_wider_than_the_eye_follows() -> None:
    for table in re.findall(r"<table.*?</table>", html("ru"), re.S):
        heads = len(re.findall(r"<th\b", table.partition("</thead>")[0]))
        assert 2 <= heads <= 7, table[:200]
        for row in re.findall(r"<tr.*?</tr>", table.partition("</thead>")[2], re.S):
            assert len(re.findall(r"<t[hd]", row)) == heads, row


@pytest.mark.parametrize("language", LANGUAGES)
def test_headings_of_the_body_are_short(language: str) -> None:
    labels = sorted((plain(column.label[language]) for column in make_report().columns.values()),
                    key=len, reverse=True)
    for heading in map(plain, _headings(html(language))):
        for label in labels:
            heading = heading.lower().replace(label.lower(), "label")
        words = [word for word in re.findall(r"[^\W\d_]+", heading) if len(word) > 2]
        assert len(words) <= MOST_WORDS, heading


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_and_table_can_be_listened_to(language: str) -> None:
    page = read(html(language))
    pictures = [attrs for tag, attrs in page.tags
                if tag == "svg" and attrs.get("aria-hidden") != "true"]
    tables = [tag for tag, _ in page.tags if tag == "table"]
    assert len(pictures) == 13  # twelve charts and the strip of the first page
    assert all(attrs["role"] == "img" for attrs in pictures)
    assert len([text for text in page.alternatives if re.search(r"\d", text)]) == len(pictures)
    # Two tables of the first page stand under a heading that says what a caption would.
    assert len([tag for tag, _ in page.tags if tag == "caption"]) == len(tables) - 2
    regions = [attrs for _, attrs in page.tags if attrs.get("class") == "table"]
    assert len(regions) == len(tables)
    assert all(attrs["aria-label"] for attrs in regions)
    assert all(attrs.get("scope") in ("row", "col") for tag, attrs in page.tags if tag == "th")


def test_pictures_of_the_printed_page_carry_their_alternatives() -> None:
    page = read(html("ru", for_print=True))
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    # All but two: what the signals and the ROC curve say, tables and text say on paper.
    assert len(pictures) == 10
    assert all(re.search(r"\d", attrs["alt"]) for attrs in pictures)


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_needs_no_network_and_runs_nothing_but_its_own_script(language: str) -> None:
    document = html(language)
    page = read(document)
    assert not [tag for tag, _ in page.tags if tag in ("link", "iframe", "object", "base")]
    scripts = [attrs for tag, attrs in page.tags if tag == "script"]
    assert [attrs.get("type", "") for attrs in scripts] == ["application/json"] * 2 + [""]
    sources = [attrs[name] for _, attrs in page.tags for name in ("src", "href") if name in attrs]
    assert all(source.startswith("#") for source in sources)
    assert not [attrs for _, attrs in page.tags if "style" in attrs]
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert set(re.findall(r"url\(\"?([a-z]+:)", document)) == {"data:"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_policy_knows_the_page_s_style_and_script_and_allows_nothing_else(language: str) -> None:
    document = html(language)
    policy = next(attrs["content"] for _, attrs in read(document).tags
                  if attrs.get("http-equiv") == "Content-Security-Policy")
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; ")
    for kind in ("style", "script"):
        text = re.search(rf"<{kind}>(.*?)</{kind}>", document, re.S)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_page_and_pdf_keep_to_their_budgets() -> None:
    assert len(html("ru").encode()) < 2_000_000
    assert len(pdf_of("ru")) < 1_000_000


HOSTILE = '<script>alert("1")</script> & it\'s "' + "ДлинноеСлово" * 12


def test_text_of_the_store_is_shown_as_text() -> None:
    report = make_report()
    column = replace(report.columns["pages_per_visit"], label={"ru": HOSTILE, "en": HOSTILE})
    document = render(replace(
        report, store=replace(report.store, name={"ru": HOSTILE, "en": HOSTILE}),
        columns={**report.columns, "pages_per_visit": column},
    ))
    page = read(document)
    scripts = [attrs for tag, attrs in page.tags if tag == "script"]
    assert [attrs.get("type", "") for attrs in scripts] == ["application/json"] * 2 + [""]
    assert page.text.count('<script>alert("1")</script>') > 3
    assert not re.search("&amp;(amp|lt|gt|quot|#)", document)  # escaped once, not twice
    running = next(attrs for _, attrs in page.tags if "data-store" in attrs)
    assert running["data-store"] == f"{HOSTILE[:39]}…".replace("'", "’")


@pytest.mark.parametrize("language", LANGUAGES)
def test_first_page_shows_five_figures_and_five_recommendations(language: str) -> None:
    page = read(html(language))
    assert len(page.by_class["metric"]) == 5
    assert len(re.findall(r'<ol class="actions">.*?</ol>', html(language), re.S)) == 1
    first = page.by_class["summary"][0]
    words = localization.load(language)
    for rule in RULES:
        assert words.text(f"recommendation.{rule.code}") in first
    for rule in FURTHER:
        assert words.text(f"recommendation.{rule.code}") not in first
    assert not [word for word in JARGON if word in first]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_promises_an_effect(language: str) -> None:
    for sentence in _all_texts(language):
        assert not [word for word in CAUSAL if word in sentence.lower()], sentence


#: What no page may hold: where a rule of typography is broken, and what the rule is.
BROKEN = {
    "straight quotes": r'["\']',
    "a hyphen for a dash": r"\s-\s",
    "a hyphen for a minus": r"(?<![\w-])-\d",
    "a number parted from its unit": r"\d (%|₽|п\. ?п\.|мин\b|pp\b|min\b)",
    "a dash that begins a line": r"\w (?=—)",
    "two spaces": r"\w  +\w",
    "two full stops": r"\.\.(?!\.)",
    "a space before a mark": r"\s[,;:!?](?=\s)",
    "a bracket with air": r"\(\s|\s\)",
}
BROKEN_IN = {
    "ru": {"a decimal point": r"(?<![\d.])\d+\.\d+(?![\d.])", "English quotes": r"[“”]",
           "thousands without a space": r"(?<![\d,])\d{5,}"},
    "en": {"a decimal comma": r"\d,\d{1,2}(?!\d)", "Russian quotes": r"[«»]",
           "thousands without a comma": r"(?<![\d.])\d{5,}"},
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["usual", "first month", "no money", "withheld", "no key"])
def test_typography_of_the_language_is_kept(language: str, kind: str) -> None:
    report = replace(_report(kind), store=replace(make_report().store, currency="RUB"))
    page = read(render(report, language))
    for name, pattern in (BROKEN | BROKEN_IN[language]).items():
        for line in page.text.split("\n"):
            # Names of keys and libraries are no part of the text that is read here.
            if not (name == "a space before a mark" and "reportgen" in line):
                assert not re.search(pattern, line.strip(" ")), (name, line)


@pytest.mark.parametrize("language", LANGUAGES)
def test_typography_of_the_charts_is_kept(language: str) -> None:
    for picture in pictures(language).values():
        for text in (picture.alt, *(value.text for value in picture.values)):
            for name, pattern in (BROKEN | BROKEN_IN[language]).items():
                assert not re.search(pattern, text), (name, text)


def test_english_report_holds_no_russian_word() -> None:
    report = make_report()
    log = tuple(replace(entry, before="typo") for entry in report.data.log)
    page = read(render(replace(report, data=replace(report.data, log=log)), "en"))
    assert re.findall(r"[а-яё]+", page.text, re.I) == []


# ── Every wording ────────────────────────────────────────────────────────────────────────────────


def test_both_languages_hold_the_same_messages() -> None:
    messages = [localization.load(language).messages for language in LANGUAGES]
    assert messages[0].keys() == messages[1].keys()
    for key in messages[0]:
        holes = [sorted(set(re.findall(r"{\w+}", " ".join(of[key])))) for of in messages]
        assert holes[0] == holes[1], key


def test_every_caveat_has_its_sentence() -> None:
    facts = {"n": 12, "share": 0.3, "low": 0.5, "high": 0.7, "fallen": 4.0, "others": 4.1,
             "money": 900.0}
    report = replace(make_report(), caveats=tuple(Caveat(key, facts) for key in KEYS))
    for language in LANGUAGES:
        limits = read(render(report, language)).by_class["limits"][0]
        assert len([line for line in limits.split("\n") if line.strip()]) == len(KEYS) + 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_its_own_sentence(language: str) -> None:
    found: dict[str, list[str]] = {code: [] for code in REASONS}
    for place in range(max(map(len, REASONS.values()))):
        # What is beyond the five is left out where the model is withheld.
        reasons = {code: list(of)[place] for code, of in REASONS.items() if place < len(of)
                   and (code not in ("R6", "R7") or list(of)[place] != MODEL_NOT_USEFUL)}
        document = render(_with_reasons(make_report(), reasons), language)
        for code in reasons:
            found[code].append(plain(_finding(document, code)))
    for code, sentences in found.items():
        left_out = code in ("R6", "R7")
        assert len(set(sentences)) == len(REASONS[code]) - left_out, sentences
        for sentence in sentences:
            assert 6 <= len(sentence.split()) <= 32, sentence
            assert sentence.endswith(".")


@pytest.mark.parametrize(("code", "language", "words"), [
    ("R2", "ru", "не просмотры по категориям"),
    ("R2", "en", "no views by category"),
    ("R3", "ru", "Среднего чека"),
    ("R3", "en", "average basket"),
    ("R5", "ru", "Падения показателей: страниц за визит, категорий за визит"),
    ("R5", "en", "Falls of pages per visit, categories per visit"),
])
def test_recommendations_say_what_the_tables_do_not_hold(
    code: str, language: str, words: str
) -> None:
    assert words in plain(_article(html(language), code))


def test_opposite_signal_is_told_as_no_sign_of_risk() -> None:
    # The fixture's fall of minutes by 40 %: 10 of 41 decline (24 %), 114 of 283 others (40 %).
    assert ("у таких клиентов снижение реже (24 % против 40 %), признаком риска это не служит"
            in plain(_article(html("ru"), "R5")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_search_that_confirms_nothing_says_so(language: str) -> None:
    report = make_report()
    words = localization.load(language).text("discovery.none", n=report.discoveries.candidates)
    unsure = tuple(replace(one, confirmed=False) for one in report.discoveries.groups)
    for groups in (unsure, ()):
        found = replace(report, discoveries=replace(report.discoveries, groups=groups))
        assert words in read(render(found, language)).text
    assert words not in read(html(language)).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("status", "missing"), [
    ("worked", ""), ("no_evidence", ""), ("harmful", ""), ("none", "first"), ("none", "few"),
    ("none", "unknown"),
])
def test_the_first_page_opens_with_the_verdict(language: str, status: str, missing: str) -> None:
    report, words = make_report(), localization.load(language)
    told = verdict(status=status) if not missing else replace(no_verdict(), missing=missing)
    first = read(render(replace(report, verdict=told), language)).by_class["summary"][0]
    title = words.text(f"verdict.title_{missing or status}", **(
        {} if missing else {"treated": words.percent(0.476), "control": words.percent(0.698)}))
    assert title in first
    assert first.index(title) < first.index(words.text("recommendation.R1"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("grows", [True, False])
def test_a_large_store_is_told_how_it_was_judged_and_whether_more_customers_would_help(
    language: str, grows: bool
) -> None:
    report, words = make_report(), localization.load(language)
    curve = LearningCurve(tuple(
        LearningPoint(n, Estimate(value, value - 0.004, value + 0.004, 15_000))
        for n, value in ((625, 0.9154), (1250, 0.9207), (2500, 0.9218), (5000, 0.9321))),
        Estimate(0.0103, 0.009, 0.0116, 15_000), grows)
    page = read(render(replace(report, model=replace(
        report.model, nested=None, outer_folds=0, repeats=0, learning=curve)), language))
    text = plain(page.text)
    assert plain(words.text("model.learning")) in text
    for point in curve.points:
        assert plain(f"{words.number(point.customers)} "
                     f"{words.number(point.roc_auc.value, 3)}") in text
    told = "model.learning_grows" if grows else "model.learning_flat"
    assert plain(words.text(told, gain=words.number(0.0103, 3, signed=True),
                            interval=words.span(0.009, 0.0116, "none", 3))) in text
    assert "search never saw" in text or "поиск модели их не видел" in text
    assert plain(words.text("model.learning")) not in plain(read(render(report, language)).text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_of_an_older_schema_is_drawn_without_what_it_lacks(language: str) -> None:
    plain = json.loads(to_json(make_report())) | {"schema_version": 2}
    for key in ("segmentation", "discoveries", "further", "programme", "verdict"):
        del plain[key]
    words = localization.load(language)
    text = read(render(from_json(json.dumps(plain)), language)).text
    assert words.text("programme.headline_unknown") in text
    assert words.text("changes.none") in text
    assert words.text("discovery.table") not in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("missing", ["key", "share", "model", "nobody", "unknown"])
def test_why_there_is_no_control_group_is_told(language: str, missing: str) -> None:
    report, words = make_report(), localization.load(language)
    told = replace(report.programme, missing=missing, control=0, detectable=None, actions=())
    text = read(render(replace(report, programme=told, verdict=no_verdict()), language)).text
    facts = {} if missing == "unknown" else {"n": told.treated} if missing in (
        "model", "nobody") else {"customers": words.text("count.of_customers", n=told.reached)}
    assert words.text(f"programme.headline_{missing}", **facts) in text
    assert ("REPORTGEN_EXPERIMENT_KEY" in text) == (missing == "key")


def test_suppressed_focus_is_told_instead_of_numbered() -> None:
    report = make_report()
    focus = replace(report.focus, suppressed=True, customers=0, profile=(), categories=(),
                    decline=None, others_decline=None)
    headings = [text for _, text in read(render(replace(report, focus=focus))).headings]
    assert any("слишком мал" in heading for heading in headings)


def test_suppressed_segment_is_named_without_figures() -> None:
    report = make_report()
    hidden = replace(report.segments[0], suppressed=True, customers=7, profile=(), categories=())
    page = read(render(replace(report, segments=(hidden, *report.segments[1:]))))
    note = next(text for text in page.by_class["note"] if "слишком мало" in text)
    assert hidden.label["ru"] in plain(note).lower()
    assert "7" not in note


def test_model_of_a_later_month_is_called_a_forecast() -> None:
    report = make_report()
    future = replace(report, model=replace(report.model, target_window="future"))
    assert "прогноз на следующий месяц" in plain(read(render(future)).text)
    assert "а не предсказывает" in plain(read(html("ru")).text)


def test_memorising_model_is_said_to_remember() -> None:
    report = make_report()
    memory = replace(report, model=replace(report.model, memorises=True))
    page = read(render(memory))
    assert "Модель помнит этих клиентов" in plain(page.text)
    assert "meaningless" in page.by_class
    assert "meaningless" not in read(render(report)).by_class


def test_missing_message_stops_the_report(tmp_path: Path) -> None:
    (tmp_path / "sections").mkdir()
    (tmp_path / "sections/summary.html").write_text('{{ t("summary.because") }}', encoding="utf-8")
    with pytest.raises(RenderError, match=r"summary\.because"):
        templating.render_html(make_report(), language="ru", pictures=Blanks(),
                               templates=tmp_path)


def test_figure_that_a_template_invents_stops_the_report(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("{{ report.churn_score | percent }}", encoding="utf-8")
    with pytest.raises(RenderError, match="churn_score"):
        templating.render_html(make_report(), language="ru", pictures={}, templates=tmp_path)


# ── Helpers ──────────────────────────────────────────────────────────────────────────────────────


def _report(kind: str) -> Report:
    """Return a report of a month that lacks something."""
    report = make_report()
    unsure = replace(report.discoveries, groups=tuple(
        replace(one, confirmed=False) for one in report.discoveries.groups))
    drivers = tuple(replace(one, headlined=False) for one in report.explanation.drivers)

    def missing(reason: str) -> Report:
        told = replace(report.programme, missing=reason, treated=0, control=0, detectable=None,
                       actions=())
        return replace(report, programme=told, verdict=no_verdict())

    return {
        "usual": lambda: report,
        "first month": make_first_report,
        "no money": lambda: replace(report, money=money_withheld("contact_cost", "horizon_months")),
        "nothing confirmed": lambda: replace(report, discoveries=unsure, explanation=replace(
            report.explanation, drivers=drivers)),
        "withheld": make_unproven_report,
        "no key": lambda: missing("key"),
        "switched off": lambda: missing("share"),
        "nobody": lambda: missing("nobody"),
    }[kind]()


def _headings(document: str) -> list[str]:
    """List the headings and titles of charts in the body."""
    body = document.partition("<main>")[2].partition('<div class="appendix">')[0]
    body = re.sub('<span class="aside">.*?</span>', "", body)       # what stands beside a heading
    page = read(body)
    return [plain(text) for _, text in page.headings] + [
        plain(text) for text in page.by_class.get("figure-title", [])]


def _action_names(language: str) -> list[str]:
    words = localization.load(language)
    return [plain(words.text(f"recommendation.{code}")) for code in REASONS]


def _all_texts(language: str) -> list[str]:
    """All messages, and the prose of the recommendations."""
    messages = localization.load(language).messages.values()
    folder = TEMPLATES / "locales" / language / "recommendations"
    prose = [path.read_text(encoding="utf-8") for path in folder.glob("*.html")]
    return [form for forms in messages for form in forms] + prose


def _article(document: str, code: str) -> str:
    article = re.search(rf'<article class="recommendation" id="{code}">.*?</article>', document,
                        re.S)
    assert article
    return read(article[0]).text


def _finding(document: str, code: str) -> str:
    article = re.search(rf'id="{code}">.*?<(?:p|span) class="finding">(.*?)</(?:p|span)>',
                        document, re.S)
    assert article
    return read(article[1]).text


def _with_reasons(report: Report, reasons: dict[str, str]) -> Report:
    """Give recommendations reasons, and the evidence that goes with them."""
    def changed(items: tuple[Recommendation, ...]) -> tuple[Recommendation, ...]:
        return tuple(
            replace(item, reason=reasons[item.code], status=REASONS[item.code][reasons[item.code]],
                    evidence=replace(item.evidence, **_evidence(item, reasons[item.code])))
            if item.code in reasons else item for item in items
        )

    return replace(report, recommendations=changed(report.recommendations),
                   further=changed(report.further))


def _evidence(item: Recommendation, reason: str) -> dict[str, object]:
    depth = ("pages_per_visit", "categories_per_visit")
    signals = getattr(item.evidence, "signals", ())
    changes: dict[str, dict[str, object]] = {
        "no_category_stands_out": {"attention": ""},
        "no_goods_column": {"column": "", "largest": "", "attention": "", "rows": ()},
        "hardly_any_contactable": {"contactable": 4, "contactable_share": None, "rows": (),
                                   "contacts": None},
        "only_shallower": {"basket_fuller": False},
        "only_basket_fuller": {"shallower": ()},
        "depth_mixed": {"shallower": depth[:1], "deeper": depth[1:]},
        "deeper": {"shallower": (), "deeper": depth, "basket_fuller": False},
        "neither_shallower_nor_fuller": {"shallower": (), "basket_fuller": False},
        "profit_unknown": {"profit": None},
        "too_few_promo_buyers": {"decline": None, "others_decline": None, "difference": None,
                                 "profit": None},
        "opposite": {"signals": signals[3:]},
        "unclear": {"signals": tuple(replace(s, finding="unclear") for s in signals)},
        "nothing_tested": {"signals": (), "unmeasured": ()},
    }
    return changes.get(reason, {})
