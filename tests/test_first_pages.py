"""The pages a manager reads first claim what is proven, and nothing of a model that is not."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from documents import LANGUAGES, Page, plain, read, render
from reports import make_report, make_unproven_report

from reportgen.results import Driver, Effect, Estimate, Report

FIRST = ("summary", "drivers", "segments", "recommendations")

#: Words of statisticians, which none of the first pages needs.
JARGON = ("SHAP", "шансов", "log-odds", "p-value", "p-знач", "Spearman", "перестановоч")

#: Words that only a forecast may use; "не предсказывает" says that it is none.
FORECAST = {"ru": r"(?<!не )(предсказыва|прогноз)", "en": r"(?<!not )forecast"}


@cache
def document(kind: str, language: str = "ru") -> str:
    """Render a report of a kind."""
    report = make_report()
    kinds = {
        "usual": report,
        "withheld": make_unproven_report(),
        "quick": replace(report, effort="quick"),
        "future": replace(report, model=replace(report.model, target_window="future")),
        "warned": with_gate(report, open=False, closed_by=("baseline",), enforced=False),
    }
    return render(kinds[kind], language)


def with_gate(report: Report, **changes: Any) -> Report:
    return replace(report, model=replace(report.model, gate=replace(report.model.gate, **changes)))


def with_drivers(*drivers: Driver) -> Report:
    report = make_report()
    return replace(report, explanation=replace(report.explanation, drivers=drivers))


def section(name: str, html: str) -> Page:
    """Read one section of a document."""
    found = re.search(rf'<section class="section[^"]*" id="{name}".*?</section>', html, re.S)
    assert found
    return read(found[0])


def text(name: str, html: str) -> str:
    return plain(section(name, html).text)


# ── Whether the model may be used ────────────────────────────────────────────────────────────────


def test_verdict_gives_its_reasons_in_plain_words() -> None:
    # The fixture's gate: ROC-AUC 0.512 ± 0.031, gain over pages per visit -0.021 ± 0.034.
    verdict = plain(section("summary", document("withheld")).by_class["verdict"][0])
    assert verdict.startswith("Модель не применять")
    assert "случайно перемешать" in verdict
    assert "указывает снизившего в 48–54 % случаев" in verdict
    assert "Угадывание даёт 50 %, а нужно заведомо больше 60 %" in verdict
    assert "«страниц за визит» — узнаёт снизивших не хуже всей модели" in verdict
    assert "(от −6 до +1 п. п.)" in verdict


def test_verdict_names_only_the_reasons_that_hold() -> None:
    report = make_unproven_report()
    closed = with_gate(report, closed_by=("floor",))
    verdict = plain(section("summary", render(closed)).by_class["verdict"][0])
    assert "Угадывание даёт" in verdict
    assert "перемешать" not in verdict
    assert "не хуже всей модели" not in verdict


def test_useful_model_gets_no_verdict() -> None:
    assert "verdict" not in section("summary", document("usual")).by_class


@pytest.mark.parametrize("language", LANGUAGES)
def test_withheld_model_leaves_the_month_s_figures(language: str) -> None:
    page = section("summary", document("withheld", language))
    assert len(page.by_class["metric"]) == 4
    assert "38" in page.headings[0][1]
    assert len(page.by_class["caveats"][0].strip().split("\n")) >= 3
    assert page.by_class["amber"]


def test_withheld_model_says_nothing_about_alike_customers_or_a_focus_segment() -> None:
    html = document("withheld")
    first = text("summary", html).lower().replace("похожих клиентов и целевого сегмента "
                                                  "в отчёте нет", "")
    assert "похож" not in first
    report = make_report()
    assert report.focus.label["ru"] not in first
    assert "похожи на них" not in text("segments", html)
    assert "средний риск" not in text("segments", html)


@pytest.mark.parametrize("language", LANGUAGES)
def test_withheld_model_supports_no_recommendation_and_shows_no_evidence(language: str) -> None:
    page = section("recommendations", document("withheld", language))
    assert len(page.by_class["unsupported"]) == 5
    assert not [tag for tag, _ in page.tags if tag in ("table", "svg")]
    assert "facts" not in page.by_class


def test_withheld_model_names_no_factor_and_draws_nothing_of_it() -> None:
    page = section("drivers", document("withheld"))
    assert not [tag for tag, _ in page.tags if tag in ("table", "svg")]
    assert "страниц за визит" not in plain(page.text)


def test_segment_hidden_by_the_withheld_risk_is_not_said_to_be_small() -> None:
    notes = [plain(note) for note in section("segments", document("withheld")).by_class["note"]]
    by_risk = next(note for note in notes if "опирается на риск" in note)
    assert "«Высокий риск и высокая прибыль»" in by_risk
    assert not [note for note in notes if "слишком мало" in note]


def test_gate_that_is_not_kept_warns_and_names_no_factor_on_the_first_page() -> None:
    page = section("summary", document("warned"))
    assert plain(page.by_class["verdict"][0]).startswith("Польза модели не доказана")
    assert "named" not in page.by_class
    assert "alike" in page.by_class     # what the store insists on is shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_quick_run_is_marked_on_the_first_page(language: str) -> None:
    mark = {"ru": "проверка неполная", "en": "checked in part only"}[language]
    assert mark in plain(section("summary", document("quick", language)).by_class["quick"][0])
    assert mark not in text("summary", document("usual", language))


# ── What may be named, and how ───────────────────────────────────────────────────────────────────


def test_factor_is_told_with_its_size_and_interval() -> None:
    # The fixture's effect is 2.3 times the importance of 0.112, ± 0.6 times: 0.258 ± 0.067.
    row = "страниц за визит 6 и меньше 10 и больше +26 п. п. (от +19 до +32 п. п.)"
    assert _rows("summary", "usual").count(row) >= 1
    assert _rows("drivers", "usual").count(row) == 1
    assert ("где модель чаще распознаёт его; это связь, не причина"
            in text("summary", document("usual")))
    assert "Это связь, не причина" in text("method", document("usual"))


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_only_headlined_factors_are_named(count: int) -> None:
    report = with_drivers(*(replace(driver, headlined=driver.rank <= count)
                            for driver in make_report().explanation.drivers))
    html = render(report)
    page = section("summary", html)
    shown = [plain(read(row).text) for row in re.findall(r"<tr>.*?</tr>", html.partition(
        'id="summary"')[2].partition('class="actions"')[0], re.S)]
    assert len(shown) == (min(count, 3) + 1 if count else 0)    # and the heads of the columns
    named = section("drivers", html).tags.count(("table", {"class": "named sortable"}))
    assert named == (1 if count else 0)
    if not count:
        assert "Ни одного признака назвать нельзя" in plain(page.text)
        assert "Ни один из 19 признаков не связан" in text("drivers", html)


def driver(**changes: Any) -> Driver:
    """Return the strongest driver of the fixture, headlined, with changes."""
    return replace(make_report().explanation.drivers[0], headlined=True, **changes)


@pytest.mark.parametrize("changes", [
    {"direction": "unclear"},
    {"direction": "up"},                # while the risky end is at low values
    {"effect": None},
    {"effect": Effect(Estimate(0.05, -0.01, 0.11, 300), "low", 6.0, 10.0, "")},
])
def test_direction_is_told_only_where_it_is_clear(changes: dict[str, Any]) -> None:
    html = render(with_drivers(driver(**changes)))
    for name in ("summary", "drivers"):
        assert "страниц за визит зависимость неоднозначна — —" in text(name, html)
        assert "6 и меньше" not in text(name, html).replace("не выше 6", "")
    assert "6 и меньше модель" not in text("drivers", html)


def test_value_of_a_category_is_told_against_the_others() -> None:
    effect = Effect(Estimate(0.08, 0.03, 0.13, 300), "value", None, None, "children")
    html = render(with_drivers(driver(column="popular_category", direction="unclear", effect=effect,
                                      correlation=None, bins=())))
    assert ("товары для детей остальные значения +8 п. п. (от +3 до +13 п. п.)"
            in text("summary", html))


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_a_model_of_a_later_month_is_called_a_forecast(language: str) -> None:
    for name in FIRST:
        assert not re.search(FORECAST[language], text(name, document("usual", language))), name
        assert not re.search(FORECAST[language], text(name, document("withheld", language))), name
    for name in ("summary", "drivers", "segments"):
        assert re.search(FORECAST[language], text(name, document("future", language))), name


@pytest.mark.parametrize("kind", ["usual", "withheld"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_first_pages_need_no_words_of_statisticians(kind: str, language: str) -> None:
    for name in FIRST:
        assert not [word for word in JARGON if word in text(name, document(kind, language))], name


# ── Figures of the drivers ───────────────────────────────────────────────────────────────────────


def test_columns_of_a_group_are_told_together_and_whether_they_divide_it() -> None:
    # The fixture's group of minutes: 0.081 + 0.036 + 0.006 = 0.123 ± 0.0246; ROC-AUC 0.031.
    row = next(row for row in _rows("model", "usual") if "делится" in row)
    assert "минуты, текущий мес., минуты, предыдущий мес., изменение минут" in row
    assert "12,3 п. п. (9,8–14,8 п. п.)" in row
    assert "0,031 (0,021–0,040)" in row
    assert len([row for row in _rows("drivers", "usual") if "делится" in row]) == 1


def test_table_of_drivers_tells_every_figure_with_its_interval() -> None:
    row = next(row for row in _rows("drivers", "usual") if row.startswith("категорий за визит"))
    # Importance 0.041 ± 0.0082, place 5 ± 2, ROC-AUC 0.01025 ± 0.00387, effect 0.0943 ± 0.0246.
    for figure in ("4,1 п. п. 3,3–4,9 п. п.", "5 3–7", "42 %", "0,010 0,006–0,014",
                   "+9,4 п. п. от +7,0 до +11,9 п. п.", "меньше — чаще"):
        assert figure in row


def test_line_in_a_panel_is_said_to_come_from_recommendation_5() -> None:
    assert "порог из «Признаки риска и личные купоны»" in text(
        "drivers", document("usual"))


# ── Fallen and alike, both classes ───────────────────────────────────────────────────────────────


def test_bands_tell_fallen_and_alike_apart() -> None:
    assert "высокий 60 % 460 368 92 80 % (76–83 %)" in _rows("segments", "usual")


def test_both_classes_are_told_with_their_intervals_and_where_they_do_not_differ() -> None:
    # The fixture's revenue: 5303.7 ± 79.0 and 5197.7 ± 55.0, difference 106 ± 134.
    assert ("Выручка в текущем месяце, в среднем: 5 304 (5 225–5 383) у снизивших, "
            "5 198 (5 143–5 253) у остальных; не различаются: разница +106 (от −28 до 240) — "
            "в пределах случайной.") in text("segments", document("usual"))


def test_segments_are_said_to_differ_only_where_their_intervals_lie_apart() -> None:
    assert "снизили активность чаще или реже" in text("segments", document("usual"))
    # Of those who may not be messaged 37 % fell (32 to 43 %), of the others 38 %.
    report = make_report()
    alike = tuple(one for one in report.segments if one.name == "no_messages")
    same = text("segments", render(replace(report, segments=alike)))
    assert "чаще или реже" not in same
    assert "заметно не отличается" in same


def test_rates_along_a_column_are_said_to_be_of_the_known_class() -> None:
    assert "Доля уже снизивших, по данным магазина" in text(
        "drivers", document("usual"))


def _rows(name: str, kind: str) -> list[str]:
    """Write each row of a section's tables as one line."""
    rows = re.findall(r"<tr\b.*?</tr>", document(kind).partition(f'id="{name}"')[2], re.S)
    return [plain(read(row).text) for row in rows]
