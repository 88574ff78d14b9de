"""The customer list: who is on which sheet, and that no cell becomes a formula."""

from __future__ import annotations

import csv
import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from reportgen import localization, programme, workbook
from reportgen.results import Report

SHEETS = {
    "ru": ["Кому написать", "Без рассылки", "Не отправлять", "Пояснения"],
    "en": ["To be written to", "On the site only", "Do not send", "Explanations"],
}


def customer(place: int, **changes: Any) -> dict[str, Any]:
    reason = {"column": "minutes_previous", "value_number": 5.0, "value_text": None,
              "contribution": 0.12}
    tier = {"column": "service_tier", "value_number": None, "value_text": "premium",
            "contribution": -0.02}
    return {
        "id": f"c{place}", "place": place, "group": "treated", "contactable": True,
        "channel": "message", "action": "R1", "goods": "textile", "fallen": True, "alike": False,
        "risk_band": "high", "risk": 0.925, "value_at_risk": None,
        "segments": ["unpaid_baskets"], "reasons": [reason, tier],
        "valid_until": date(2026, 11, 30),
    } | changes


#: Two to be written to (one without an experiment), one on the site, one in the control group.
FOUR = (
    customer(1), customer(2, group="control"), customer(3, group="none", fallen=False, alike=True),
    customer(4, group="none", contactable=False, channel="site", action="R7", goods=None),
)


def write(folder: Path, report: Report, *rows: dict[str, Any], language: str = "ru") -> Path:
    actions = folder / "actions.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), schema=programme.ACTIONS), actions)
    words = localization.load(language, currency=report.store.currency)
    workbook.write_workbook(actions, report, words, path=folder / "customers.xlsx")
    workbook.write_csv(actions, path=folder / "customers.csv")
    return folder


def sheet(folder: Path, place: int) -> list[dict[str, Any]]:
    """The rows of a sheet by the titles of its columns."""
    book = CalamineWorkbook.from_path(str(folder / "customers.xlsx"))
    _, head, *rows = book.get_sheet_by_index(place).to_python()
    return [dict(zip(map(plain, head), row, strict=True)) for row in rows]


def plain(value: Any) -> Any:
    return value.replace("\u00a0", " ") if isinstance(value, str) else value


def imported(folder: Path) -> list[dict[str, str]]:
    with (folder / "customers.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ── Who stands where ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", SHEETS)
def test_every_customer_stands_on_one_sheet(tmp_path: Path, report: Report, language: str) -> None:
    folder = write(tmp_path, report, *FOUR, language=language)
    book = CalamineWorkbook.from_path(str(folder / "customers.xlsx"))
    assert [plain(name) for name in book.sheet_names] == SHEETS[language]
    ids = "Клиент" if language == "ru" else "Customer"
    assert [[row[ids] for row in sheet(folder, place)] for place in range(3)] == [
        ["c1", "c3"], ["c4"], ["c2"]]


@pytest.mark.parametrize("language", SHEETS)
def test_a_longer_list_is_cut_after_those_to_act_on_first_and_says_so(
    tmp_path: Path, report: Report, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    folder = write(tmp_path, report, *(customer(place) for place in range(1, 6)), FOUR[3],
                   language=language)
    ids = "Клиент" if language == "ru" else "Customer"
    assert [row[ids] for row in sheet(folder, 0)] == ["c1", "c2"]
    assert [row[ids] for row in sheet(folder, 1)] == ["c4"]
    told = CalamineWorkbook.from_path(str(folder / "customers.xlsx")).get_sheet_by_index(3)
    text = " ".join(str(cell) for row in told.to_python() for cell in row)
    words = localization.load(language)
    assert plain(words.text("list.cut_means", n=3)) in plain(text)
    assert "actions.parquet" in text
    assert len(imported(folder)) == 5


def test_the_import_holds_the_mailing_and_nobody_else(tmp_path: Path, report: Report) -> None:
    rows = imported(write(tmp_path, report, *FOUR))
    assert [row["id"] for row in rows] == ["c1", "c3"]
    assert rows[0] == {
        "id": "c1", "action": "R1", "goods": "textile", "channel": "message", "fallen": "yes",
        "risk_band": "high", "risk": "0.925", "forecast": "",
        "value_at_risk": "", "segments": "unpaid_baskets",
        "valid_until": "2026-11-30"}


def test_an_empty_list_is_a_workbook_all_the_same(tmp_path: Path, report: Report) -> None:
    folder = write(tmp_path, report)
    assert [sheet(folder, place) for place in range(3)] == [[], [], []]
    assert imported(folder) == []


# ── What a row says ──────────────────────────────────────────────────────────────────────────────


def test_a_row_is_told_in_words_with_numbers_and_dates_as_such(tmp_path: Path,
                                                               report: Report) -> None:
    first, third = sheet(write(tmp_path, report, *FOUR), 0)
    assert {plain(key): plain(value) for key, value in first.items()} == {
        "№": 1.0, "Клиент": "c1", "Мера": "Скидки в популярных категориях",
        "Популярная категория": "домашний текстиль", "Канал": "сообщение",
        "Что известно": "уже снизил: вернуть", "Риск": 0.925, "Полоса риска": "высокий",
        "Прогноз": "",
        "Сегменты": "неоплаченные корзины",
        "Первая причина": "минуты, предыдущий мес.: 5,0 (+12 п. п.)",
        "Вторая причина": "тип сервиса: премиум (−2 п. п.)", "Третья причина": "",
        "Действует до": date(2026, 11, 30),
    }
    assert plain(third["Что известно"]) == "похож на снизивших: удержать"


def test_money_at_risk_has_a_column_where_it_is_known(tmp_path: Path, report: Report) -> None:
    rows = (customer(1, value_at_risk=1_234.56), customer(2))
    first, second = sheet(write(tmp_path, report, *rows), 0)
    assert (first["Под риском"], second["Под риском"]) == (1_234.56, "")
    assert imported(tmp_path)[0]["value_at_risk"] == "1234.56"


def test_every_column_is_explained(tmp_path: Path, report: Report) -> None:
    folder = write(tmp_path, report, customer(1, value_at_risk=5.0))
    book = CalamineWorkbook.from_path(str(folder / "customers.xlsx"))
    explained = {plain(row[0]): row[1] for row in book.get_sheet_by_index(3).to_python()}
    for title in sheet(folder, 0)[0]:
        assert len(explained[title]) > 10, title


# ── Hostile text ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_no_cell_becomes_a_formula(tmp_path: Path, report: Report, start: str) -> None:
    hostile = f"{start}cmd|' /C calc'!A0"
    folder = write(tmp_path, report, customer(1, id=hostile))
    assert sheet(folder, 0)[0]["Клиент"].startswith("'")
    assert imported(folder)[0]["id"].startswith("'")
    with zipfile.ZipFile(folder / "customers.xlsx") as book:
        text = "".join(book.read(name).decode() for name in book.namelist()
                       if name.startswith("xl/worksheets/"))
    assert "<f>" not in text
    assert "hyperlink" not in text


def test_a_number_below_zero_stays_a_number(tmp_path: Path, report: Report) -> None:
    folder = write(tmp_path, report, customer(1, value_at_risk=-5.0))
    assert sheet(folder, 0)[0]["Под риском"] == -5.0
    assert imported(folder)[0]["value_at_risk"] == "-5.0"


@given(st.text())
def test_a_neutral_text_is_harmless_whatever_it_was(text: str) -> None:
    safe = workbook.neutral(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", safe)
    # What is no formula and can be written stays as it is.
    if not text.startswith(("=", "+", "-", "@", "\t", "\r")) and text.isprintable():
        assert safe == text


def test_a_long_list_tells_how_many_rows_are_written(
    tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three are mailed, two of them make a word; one row stands on another sheet."""
    monkeypatch.setattr(workbook, "_WORD", 2)
    seen: list[tuple[float, float, str]] = []
    write(tmp_path, report, *(customer(place) for place in range(1, 4)), FOUR[3])
    workbook.write_workbook(
        tmp_path / "actions.parquet", report,
        localization.load("ru", currency=report.store.currency), path=tmp_path / "list.xlsx",
        told=lambda *what: seen.append(what))
    assert seen == [(0, 4, "rows"), (2, 4, "rows"), (3, 4, "rows"), (4, 4, "rows")]


def test_the_same_list_gives_the_same_bytes(tmp_path: Path, report: Report) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
        write(folder, report, *FOUR)
    first, second = ((folder / "customers.xlsx").read_bytes() for folder in folders)
    assert first == second
