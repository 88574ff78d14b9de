"""The page in a browser: accessible, at home on every width, and honest when it is worked with."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import needs_chromium, opened
from documents import html, pictures
from reports import make_report, money_withheld

from reportgen import campaigns, localization, templating
from reportgen.campaigns import Case, Terms
from reportgen.money import curve
from reportgen.results import Assumptions, Report, from_json, to_json

pytestmark = [needs_chromium, pytest.mark.usefixtures("chromium")]

TEMPLATES = localization.templates_folder()

#: A phone, a tablet, a wide screen.
WIDTHS = (360, 768, 1440)


def violations(page: Any) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    return [f"{found['id']}: {found['nodes'][0]['html']}"
            for found in Axe().run(page).response["violations"]]


@pytest.mark.parametrize(("language", "scheme", "width"), [
    ("ru", "light", 360), ("ru", "light", 1440), ("ru", "dark", 360), ("en", "light", 360),
    # Between two widths, and what the words of one and the colours of the other say already.
    pytest.param("ru", "light", 768, marks=pytest.mark.slow),
    pytest.param("en", "dark", 360, marks=pytest.mark.slow)])
def test_axe_finds_nothing_on_any_width(
    language: str, scheme: str, width: int, tmp_path: Path
) -> None:
    with opened(html(language), tmp_path, width=width, scheme=scheme) as page:
        assert violations(page) == []


def test_company_s_colours_are_legible_in_the_dark_too(tmp_path: Path) -> None:
    document = templating.render_html(make_report(), language="ru", pictures=pictures("ru"),
                                      templates=Path(__file__).parents[1] / "docs/company")
    colour = "(one) => getComputedStyle(one).fill"
    with opened(document, tmp_path, scheme="dark") as page:
        assert violations(page) == []
        bar = page.locator("svg[aria-labelledby='importance-title'] [fill='#0b5d3b']").first
        assert bar.evaluate(colour) == "rgb(141, 189, 232)"      # the dark scheme's blue


def test_style_sheet_with_a_byte_order_mark_is_still_known_to_the_policy(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css/company.css").write_text("h1 { color: rgb(9, 8, 7) }", encoding="utf-8-sig")
    document = templating.render_html(make_report(), language="ru", pictures={},
                                      templates=tmp_path)
    with opened(document, tmp_path) as page:
        assert page.locator("h1").evaluate(
            "(one) => getComputedStyle(one).color") == "rgb(9, 8, 7)"


def test_axe_does_find_faults(tmp_path: Path) -> None:
    with opened('<!doctype html><html><title>t</title><img src="data:,"></html>', tmp_path) as page:
        assert {found.split(":")[0] for found in violations(page)} >= {"image-alt", "html-has-lang"}


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_of_the_window(width: int, tmp_path: Path) -> None:
    with opened(html("ru"), tmp_path, width=width) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_page_without_scripts_lacks_nothing_but_the_panel(tmp_path: Path) -> None:
    with opened(html("ru"), tmp_path) as page:
        assert page.locator("#what-if").is_visible()
        lively = page.locator("main").inner_text().replace("\u00a0", " ").split("\n")
    with opened(html("ru"), tmp_path, scripts=False) as page:
        assert page.locator("#what-if").is_hidden()
        still = page.locator("main").inner_text().replace("\u00a0", " ").split("\n")
    panel = lively.index(next(line for line in lively if line.startswith("А если иначе?")))
    answered = lively.index(localization.load("ru").text("what_if.reset"))
    del lively[panel:answered + 1]
    fields = [line for line in lively if line.startswith("Найти в таблице")]
    told = [line for line in lively if line and line not in fields]
    assert told == [line for line in still if line]


# ── Charts ───────────────────────────────────────────────────────────────────────────────────────


def test_arrow_keys_walk_the_values_of_a_chart(tmp_path: Path) -> None:
    values = [value.text for value in pictures("ru")["profit"].values]
    with opened(html("ru"), tmp_path) as page:
        chart = page.locator(".picture:has(#profit-title)")
        said = page.locator(".picture:has(#profit-title) + .said")
        chart.focus()
        assert said.text_content() == localization.load("ru").text("values.hint")
        chart.press("ArrowRight")
        assert said.text_content() == values[0]
        chart.press("End")
        assert said.text_content() == values[-1]
        chart.press("ArrowLeft")
        assert said.text_content() == values[-2]
        chart.press("Escape")
        assert said.text_content() == ""


@pytest.mark.parametrize("name", ["importance", "risk", "gains", "segments"])
def test_mark_under_the_pointer_says_its_value(name: str, tmp_path: Path) -> None:
    picture = pictures("ru")[name]
    value = picture.values[len(picture.values) // 2]
    with opened(html("ru"), tmp_path) as page:
        svg = page.locator(f"svg[aria-labelledby='{name}-title']")
        svg.scroll_into_view_if_needed()
        box = svg.bounding_box()
        scale = box["width"] / picture.width
        page.mouse.move(box["x"] + value.x * scale, box["y"] + value.y * scale)
        assert page.locator(f".picture:has(#{name}-title) + .said").text_content() == value.text


# ── Tables ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("language", "currency"), [("ru", "RUB"), ("en", "RUB"), ("en", "")])
def test_heading_sorts_its_column_by_the_numbers_in_it(
    language: str, currency: str, tmp_path: Path
) -> None:
    report = make_report()
    report = replace(report, store=replace(report.store, currency=currency))
    document = templating.render_html(report, language=language, pictures={})
    words = localization.load(language, currency=currency)
    # The advantage: losses among gains, each with its bounds, and the model itself with a dash.
    gains = sorted(estimate.value for name, estimate in report.money.advantage.items()
                   if name != "nobody")
    assert gains[0] < 0 < gains[-1]
    with opened(document, tmp_path) as page:
        table = page.locator("#money table").first
        head = table.locator("thead th").nth(3)

        def shown() -> list[str]:
            return [cell.split("(")[0].strip()
                    for cell in table.locator("tbody td:nth-child(4)").all_text_contents()]

        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert shown() == [*map(words.number, gains), "—"]
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "descending"
        assert shown() == [*map(words.number, reversed(gains)), "—"]


def test_names_are_sorted_as_words(tmp_path: Path) -> None:
    document = ('<!doctype html><html lang="en"><title>t</title><div class="table"><table '
                'class="sortable"><thead><tr><th>Name</th><th>Sum</th></tr></thead><tbody>'
                + "".join(f"<tr><th>{name}</th><td>{amount}</td></tr>" for name, amount in (
                    ("visits, 12 months", "−RUB 1,234"), ("visits, 3 months", "RUB 20"),
                    ("basket, 6 months", "−$12"), ("age", "1,000.5")))
                + '</tbody></table></div><script type="application/json" id="words">'
                '{"sort": "s", "filter": "f", "shown": "", "group": ",", "decimal": "."}</script>'
                f"<script>{(TEMPLATES / 'js/tables.js').read_text('utf-8')}</script></html>")
    with opened(document, tmp_path) as page:
        buttons = page.locator("th button")
        buttons.nth(0).click()
        assert page.locator("tbody th").all_text_contents() == [
            "age", "basket, 6 months", "visits, 3 months", "visits, 12 months"]
        buttons.nth(1).click()
        assert page.locator("tbody td").all_text_contents() == [
            "−RUB 1,234", "−$12", "RUB 20", "1,000.5"]


def test_table_whose_order_says_something_cannot_be_sorted(tmp_path: Path) -> None:
    with opened(html("ru"), tmp_path) as page:
        for table in ("#data_quality table", "table.portraits", "table.decisions", "table.bands"):
            assert page.locator(f"{table} th button").count() == 0


def test_long_table_can_be_searched(tmp_path: Path) -> None:
    with opened(html("ru"), tmp_path) as page:
        page.locator("#drivers summary").first.click()
        table = page.locator("#drivers table.drivers")
        field = page.locator("#drivers details input[type=search]").first
        every = table.locator("tbody tr").count()
        field.fill("МИНУТ")
        shown = [row for row in table.locator("tbody tr").all() if row.is_visible()]
        assert 0 < len(shown) < every
        assert all("минут" in row.text_content().lower() for row in shown)
        field.fill("")
        assert len([row for row in table.locator("tbody tr").all() if row.is_visible()]) == every


# ── What if ──────────────────────────────────────────────────────────────────────────────────────


def case() -> Case:
    """Return 300 customers, who stand for 1,296, as the program would judge campaigns on them."""
    rng = np.random.default_rng(7)
    risk = rng.beta(1.2, 1.8, 300)
    return Case(rng.random(300) < risk, risk, rng.gamma(4.0, 1500.0, 300), scale=1296 / 300, seed=3,
                folds=5)


def report_of(judged: Case, terms: Terms, currency: str) -> Report:
    """Return a report with the curve of these customers, written and read as it is published."""
    report = make_report()
    money = replace(
        report.money, curve=curve(judged, terms), best_share=campaigns.best_share(judged, terms),
        assumptions=Assumptions(terms.contact, terms.offer, terms.acceptance, terms.alpha,
                                terms.beta, 6.0, 0.5, 500.0))
    store = replace(report.store, currency=currency)
    return from_json(to_json(replace(report, money=money, store=store)))


MOVE = """([contact, offer, acceptance, share]) => {
  const form = document.getElementById("what-if"), { elements } = form;
  const wanted = { contact_cost: contact, offer_cost: offer, acceptance, share };
  for (const [name, value] of Object.entries(wanted)) elements[name].value = value;
  form.dispatchEvent(new Event("input"));
  return Object.keys(wanted).map((n) => Number(elements[n].value))
    .concat(["profit", "customers", "break_even"].map((n) => elements[n].textContent));
}"""


@pytest.mark.parametrize(("language", "currency"), [("ru", "RUB"), ("en", "RUB"), ("ru", "")])
def test_panel_agrees_with_the_program_at_100_positions(
    language: str, currency: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "DRAWS", 2)      # the profit itself needs no draws
    judged, terms = case(), Terms(contact=12.5, offer=300.0, acceptance=0.33, trials=20.0)
    document = templating.render_html(report_of(judged, terms, currency), language=language,
                                      pictures={})
    words = localization.load(language, currency=currency)
    shares, plans = campaigns.by_share(judged)
    draw = random.Random(11)
    with opened(document, tmp_path) as page:
        for _ in range(100):
            wanted = [draw.uniform(0, 50), draw.uniform(0, 1200), draw.uniform(0.01, 0.99),
                      draw.random()]
            contact, offer, acceptance, share, *told = page.evaluate(MOVE, wanted)
            place = min(range(len(shares)), key=lambda i: abs(shares[i] - share))
            moved = Terms(contact=contact, offer=offer, acceptance=acceptance, trials=20.0)
            free = Terms(contact=0.0, offer=offer, acceptance=acceptance, trials=20.0)
            profit, uncontacted = (
                campaigns.profits_of(judged, one, plans[place:place + 1])[0].value
                for one in (moved, free))
            customers = judged.scale * plans[place].sum()
            assert told == [words.money(profit), words.number(customers),
                            words.money(uncontacted / customers) if customers else "—"], wanted


def test_panel_starts_at_the_store_s_own_figures_and_comes_back_to_them(tmp_path: Path) -> None:
    judged, terms = case(), Terms(contact=12.5, offer=300.0, acceptance=0.33, trials=20.0)
    report = report_of(judged, terms, "RUB")
    words = localization.load("ru", currency="RUB")
    best = min(report.money.curve, key=lambda point: abs(point.share - report.money.best_share))
    document = templating.render_html(report, language="ru", pictures={})
    with opened(document, tmp_path) as page:
        profit = page.locator("#what-if output[name=profit]")
        assert profit.text_content() == words.money(best.profit)
        told = page.locator("#what-if output[name=contact_cost_told]")
        assert told.text_content() == words.money(12.5, 1)
        page.locator("#what-if-contact_cost").press("End")
        assert profit.text_content() != words.money(best.profit)
        page.locator("#what-if button[type=reset]").click()
        page.wait_for_function(     # a form is reset a moment after the click
            "(wanted) => document.querySelector('#what-if output[name=profit]').textContent "
            "=== wanted", arg=words.money(best.profit))


def test_page_without_assumptions_has_no_panel() -> None:
    document = templating.render_html(replace(make_report(), money=money_withheld("offer_cost")),
                                      language="ru", pictures={})
    assert 'id="what-if"' not in document


# ── Security ─────────────────────────────────────────────────────────────────────────────────────


def test_policy_lets_neither_script_nor_style_of_others_work(tmp_path: Path) -> None:
    smuggled = ('<p id="smuggled" style="color: rgb(1, 2, 3)">x</p>'
                "<script>document.title = 'taken'</script>"
                "<img src=x onerror=\"document.title = 'taken'\">")
    document = html("ru").replace("<main>", f"<main>{smuggled}")
    colour = "(one) => getComputedStyle(one).color"
    seen = []

    def visit() -> None:
        with opened(document, tmp_path) as page:
            seen.extend([page.title(), page.locator("#smuggled").evaluate(colour)])

    with pytest.raises(AssertionError, match="Content Security Policy"):
        visit()
    assert seen[0] != "taken"
    assert seen[1] != "rgb(1, 2, 3)"
