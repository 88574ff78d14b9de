"""A month's files of a small made-up store, valid for the shipped contract, to be broken at will.

`make_tables` gives the four tables as rows of texts, the header first, by the names of their files;
tests change a cell and write them with `write_tables`.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

import ibis
import xlsxwriter

from reportgen import cleaning, features, sources, validation
from reportgen.config import Settings
from reportgen.features import Customers

Rows = list[list[str]]
Tables = dict[str, Rows]

CUSTOMERS, REVENUE, MINUTES, PROFIT = "market_file", "market_money", "market_time", "money"

FIRST_ID = 700_000_001
GOODS = ("Товары для детей", "Домашний текстиль", "Косметика и аксесуары",
         "Техника для красоты и здоровья", "Мелкая бытовая техника и электроника",
         "Кухонная посуда")
PERIODS = ("текущий_месяц", "предыдущий_месяц", "препредыдущий_месяц")
HEADER = ["id", "Покупательская активность", "Тип сервиса", "Разрешить сообщать",
          "Маркет_актив_6_мес", "Маркет_актив_тек_мес", "Длительность", "Акционные_покупки",
          "Популярная_категория", "Средний_просмотр_категорий_за_визит",
          "Неоплаченные_продукты_штук_квартал", "Ошибка_сервиса", "Страниц_за_визит"]


def make_tables(n: int = 220, seed: int = 1) -> Tables:
    """Make the tables of ``n`` customers; everyone buys in every month and nothing is wrong."""
    rng = random.Random(seed)
    ids = [str(FIRST_ID + i) for i in range(n)]
    customers = [[
        customer, "Снизилась" if i % 5 < 2 else "Прежний уровень",
        rng.choice(("премиум", "стандарт")), rng.choice(("да", "нет")),
        f"{rng.uniform(1, 6):.1f}", str(rng.randint(1, 6)), str(rng.randint(30, 1000)),
        f"{rng.random():.2f}", rng.choice(GOODS), str(rng.randint(1, 6)), str(rng.randint(0, 9)),
        str(rng.randint(0, 8)), str(rng.randint(1, 18)),
    ] for i, customer in enumerate(ids)]
    revenue = [[customer, period, f"{rng.uniform(4000, 6000):.1f}"]
               for customer in ids for period in PERIODS]
    minutes = [[customer, period, str(rng.randint(4, 29))]
               for customer in ids for period in PERIODS[:2]]
    profit = [[customer, f"{rng.uniform(1, 7):.2f}"] for customer in ids]
    return {
        CUSTOMERS: [list(HEADER), *customers],
        REVENUE: [["id", "Период", "Выручка"], *revenue],
        MINUTES: [["id", "Период", "минут"], *minutes],
        PROFIT: [["id", "Прибыль"], *profit],
    }


def write_tables(folder: Path, tables: Tables, *, delimiter: str = ",", encoding: str = "utf-8",
                 line_end: str = "\n") -> Path:
    """Write each table as a text file."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, rows in tables.items():
        with (folder / f"{stem}.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    return folder


def write_store(folder: Path, n: int = 220, seed: int = 1) -> Path:
    """Write the files of a valid month."""
    return write_tables(folder, make_tables(n, seed))


def write_xlsx(path: Path, rows: Rows) -> None:
    """Write a table as a workbook; what looks like a number becomes one, as in Excel."""
    with xlsxwriter.Workbook(path, {"strings_to_numbers": True}) as workbook:
        sheet = workbook.add_worksheet()
        for row, cells in enumerate(rows):
            sheet.write_row(row, 0, cells)


def read_customers(folder: Path, settings: Settings) -> Customers:
    """Go all the way from a folder to the table of customers."""
    connection = ibis.duckdb.connect()
    raw = sources.read_tables(folder, settings, connection)
    validation.validate(raw, settings)
    return features.customers(cleaning.clean(raw, settings), settings, connection)


def rows_of(customers: Customers) -> list[dict[str, object]]:
    """Give the table of customers as plain rows."""
    return customers.table.to_pyarrow().to_pylist()
