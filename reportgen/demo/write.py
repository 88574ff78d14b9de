"""Write a made-up month the way the store exports its tables.

In: a `Month`. Out: its four CSV files, in the store's own words, spellings and dialects: commas
and decimal points in three, semicolons and decimal commas in the profit table, CRLF in the
customers' table, and the faults of real exports where asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute, csv

from reportgen.demo.columns import MINUTES, REVENUE, Values
from reportgen.demo.generate import CUSTOMERS, FIRST_MONTH, MONTHS, Month, Programme, generate
from reportgen.demo.worlds import World

# Faults of the store's real month, and how often they occur there.
TIER_TYPO_SHARE = 0.008
POINT_ZERO_SHARE = 0.5
IMPOSSIBLE_FACTOR = 20

_HEADERS: Mapping[str, str] = {
    "activity": "Покупательская активность",
    "service_tier": "Тип сервиса",
    "permission": "Разрешить сообщать",
    "contacts_6_months": "Маркет_актив_6_мес",
    "contacts_current": "Маркет_актив_тек_мес",
    "days_registered": "Длительность",
    "promo_share": "Акционные_покупки",
    "popular_category": "Популярная_категория",
    "categories_per_visit": "Средний_просмотр_категорий_за_визит",
    "unpaid_items": "Неоплаченные_продукты_штук_квартал",
    "service_errors": "Ошибка_сервиса",
    "pages_per_visit": "Страниц_за_визит",
}
_MISSPELT_STANDARD = "misspelt standard"
_WORDS: Mapping[str, str] = {
    "fallen": "Снизилась",
    "steady": "Прежний уровень",
    "premium": "премиум",
    "standard": "стандарт",
    _MISSPELT_STANDARD: "стандартт",
    "yes": "да",
    "no": "нет",
    "children": "Товары для детей",
    "textile": "Домашний текстиль",
    "cosmetics": "Косметика и аксесуары",
    "cookware": "Кухонная посуда",
    "appliances": "Мелкая бытовая техника и электроника",
    "beauty": "Техника для красоты и здоровья",
}
_PERIODS = ("текущий_месяц", "предыдущий_месяц", "препредыдущий_месяц")
_MISSPELT_PREVIOUS = "предыдцщий_месяц"


def write_store(
    folder: Path,
    world: World,
    *,
    seed: int,
    contract_text: str,
    customers: int = CUSTOMERS,
    months: int = MONTHS,
    first_month: str = FIRST_MONTH,
    programme: Programme | None = None,
) -> tuple[Path, ...]:
    """Write a store: its reportgen.toml, as given, and one folder a month.

    Returns
    -------
    tuple of Path
        The months' folders, oldest first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reportgen.toml").write_text(contract_text, encoding="utf-8", newline="\n")
    written = []
    for month in generate(
        world, seed=seed, customers=customers, months=months, first_month=first_month,
        programme=programme,
    ):
        write(month, folder / month.name)
        written.append(folder / month.name)
    return tuple(written)


def write(month: Month, folder: Path, *, dirt: bool = True) -> None:
    """Write a month's four files into a folder, which is made if need be.

    Parameters
    ----------
    month
        What to write.
    folder
        Where; files of the same names are replaced.
    dirt
        Whether the faults of real exports are in: misspelt words, one impossible revenue, whole
        numbers spelled now as 5 and now as 5.0.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(month.dirt_seed)
    columns = _with_faults(month.columns, rng) if dirt else month.columns
    pointed = rng.random(len(columns["id"])) < (POINT_ZERO_SHARE if dirt else 0.0)
    _write_csv(folder / "market_file.csv", _customers_table(columns, pointed), line_end="\r\n")
    _write_csv(
        folder / "market_money.csv",
        _long_table(
            columns, REVENUE, rng, periods=_PERIODS, header="Выручка", spell="{:.1f}".format
        ),
    )
    previous = _MISSPELT_PREVIOUS if dirt else _PERIODS[1]
    _write_csv(
        folder / "market_time.csv",
        _long_table(columns, MINUTES, rng, periods=(_PERIODS[0], previous), header="минут"),
    )
    profit = {"id": pa.array(columns["id"]), "Прибыль": _spelled(columns["profit"], _with_comma)}
    _write_csv(folder / "money.csv", profit, delimiter=";")


def _with_faults(columns: Mapping[str, Values], rng: np.random.Generator) -> dict[str, Values]:
    """Misspell some service tiers and make one revenue of the month impossible."""
    standard = np.flatnonzero(columns["service_tier"] == "standard")
    wanted = round(TIER_TYPO_SHARE * len(columns["id"]))
    misspelt = np.zeros(len(columns["id"]), dtype=bool)
    misspelt[rng.choice(standard, size=min(wanted, len(standard)), replace=False)] = True
    revenue = columns["revenue_current"].copy()
    revenue[rng.choice(np.flatnonzero(revenue), size=1)] *= IMPOSSIBLE_FACTOR
    return {
        **columns,
        "service_tier": np.where(misspelt, _MISSPELT_STANDARD, columns["service_tier"]),
        "revenue_current": revenue,
    }


def _customers_table(columns: Mapping[str, Values], pointed: Values) -> dict[str, pa.Array]:
    """Lay out the customers' table; `pointed` rows spell whole contacts as 5.0."""
    table = {"id": pa.array(columns["id"])}
    for name, header in _HEADERS.items():
        words = columns[name].dtype.kind == "U"
        table[header] = _spelled(columns[name], _WORDS.__getitem__ if words else "{:g}".format)
    contacts = _HEADERS["contacts_6_months"]
    table[contacts] = compute.if_else(
        pa.array(pointed),
        _spelled(columns["contacts_6_months"], "{:.1f}".format),
        table[contacts],
    )
    return table


def _long_table(
    columns: Mapping[str, Values],
    names: Sequence[str],
    rng: np.random.Generator,
    *,
    periods: Sequence[str],
    header: str,
    spell: Callable[[float], str] = "{:g}".format,
) -> dict[str, pa.Array]:
    """Lay out one row a customer and period, a customer's periods in random order."""
    count = len(columns["id"])
    order = rng.permuted(np.tile(np.arange(len(names)), (count, 1)), axis=1)
    values = np.take_along_axis(np.column_stack([columns[name] for name in names]), order, axis=1)
    return {
        "id": pa.array(np.repeat(columns["id"], len(names))),
        "Период": pa.array(periods).take(pa.array(order.ravel())),
        header: _spelled(values.ravel(), spell),
    }


def _spelled(values: Values, spell: Callable[[Any], str]) -> pa.Array:
    """Spell every different value once, then put the spellings in the values' places."""
    encoded = pa.array(values).dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):        # texts of more than two gigabytes
        encoded = encoded.unify_dictionaries().combine_chunks()
    return pa.array([spell(value) for value in encoded.dictionary.to_pylist()]).take(
        encoded.indices
    )


def _with_comma(value: float) -> str:
    return f"{value:g}".replace(".", ",")


def _write_csv(
    path: Path, table: Mapping[str, pa.Array], *, delimiter: str = ",", line_end: str = "\n"
) -> None:
    options = csv.WriteOptions(
        delimiter=delimiter, eol=line_end, quoting_style="none", quoting_header="none"
    )
    csv.write_csv(pa.table(dict(table)), path, options)
