"""The made-up store: its files look like the store's, its truth is what it declares."""

from __future__ import annotations

import csv
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from reportgen.demo import (
    ACTIONS,
    DEMO_SEED,
    DEMO_WORLD,
    WORLDS,
    Condition,
    Month,
    Programme,
    Step,
    World,
    generate,
    truth,
    write,
    write_store,
)

SIGNAL_WORLDS = sorted(WORLDS.keys() - {"noise"})
# Large enough that a standard error of a ROC-AUC is about 0.002.
MANY = 60_000

CUSTOMERS_HEADER = (
    "id,Покупательская активность,Тип сервиса,Разрешить сообщать,Маркет_актив_6_мес,"
    "Маркет_актив_тек_мес,Длительность,Акционные_покупки,Популярная_категория,"
    "Средний_просмотр_категорий_за_визит,Неоплаченные_продукты_штук_квартал,Ошибка_сервиса,"
    "Страниц_за_визит"
)


def first_month(world: World, *, customers: int, seed: int = 1) -> Month:
    return next(generate(world, seed=seed, customers=customers, months=1))


def fallen(month: Month) -> np.ndarray:
    return month.columns["activity"] == "fallen"


def rows(path: Path, *, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def numbers(month: Month) -> np.ndarray:
    """Give every number of the tables that a model may use, shape (customers, columns)."""
    skipped = {"id", "profit"}
    return np.column_stack(
        [
            values
            for name, values in month.columns.items()
            if name not in skipped and values.dtype.kind != "U"
        ]
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("month")
    write(first_month(WORLDS["linear"], customers=1300), folder)
    return folder


@pytest.fixture(scope="module")
def months() -> list[Month]:
    return list(generate(WORLDS["linear"], seed=1, customers=MANY, months=3))


# ── The files ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "header", "line_end", "lines"),
    [
        ("market_file.csv", CUSTOMERS_HEADER, b"\r\n", 1301),
        ("market_money.csv", "id,Период,Выручка", b"\n", 3901),
        ("market_time.csv", "id,Период,минут", b"\n", 2601),
        ("money.csv", "id;Прибыль", b"\n", 1301),
    ],
)
def test_files_have_the_headers_and_line_ends_of_the_store(
    written: Path, name: str, header: str, line_end: bytes, lines: int
) -> None:
    content = (written / name).read_bytes()

    assert content.startswith(header.encode() + line_end)
    assert content.endswith(line_end)
    assert content.count(b"\n") == lines
    assert content.count(b"\r\n") == (lines if line_end == b"\r\n" else 0)
    assert b'"' not in content


def test_words_are_spelled_as_the_store_spells_them(written: Path) -> None:
    customers = rows(written / "market_file.csv")

    def words(column: str) -> set[str]:
        return {row[column] for row in customers}

    assert words("Покупательская активность") == {"Снизилась", "Прежний уровень"}
    assert words("Тип сервиса") == {"премиум", "стандарт", "стандартт"}
    assert words("Разрешить сообщать") == {"да", "нет"}
    assert words("Популярная_категория") == {
        "Товары для детей",
        "Домашний текстиль",
        "Косметика и аксесуары",
        "Кухонная посуда",
        "Мелкая бытовая техника и электроника",
        "Техника для красоты и здоровья",
    }


def test_numbers_are_spelled_as_the_store_spells_them(written: Path) -> None:
    contacts = [row["Маркет_актив_6_мес"] for row in rows(written / "market_file.csv")]
    shares = {row["Акционные_покупки"] for row in rows(written / "market_file.csv")}
    revenues = [row["Выручка"] for row in rows(written / "market_money.csv")]
    profits = [row["Прибыль"] for row in rows(written / "money.csv", delimiter=";")]

    assert {"4", "4.0", "4.1"} <= set(contacts)
    assert {"0.2", "0.25"} <= shares
    assert all(len(revenue.partition(".")[2]) == 1 for revenue in revenues)
    assert not any("." in profit for profit in profits)
    assert {0, 1, 2} == {len(profit.partition(",")[2]) for profit in profits}


def test_a_customer_has_every_period_once_in_no_fixed_order(written: Path) -> None:
    revenue = rows(written / "market_money.csv")
    orders = [
        tuple(row["Период"] for row in revenue[start : start + 3])
        for start in range(0, len(revenue), 3)
    ]

    assert {frozenset(order) for order in orders} == {
        frozenset({"текущий_месяц", "предыдущий_месяц", "препредыдущий_месяц"})
    }
    assert len(set(orders)) == 6


def test_ids_have_nine_digits_and_are_the_same_in_every_file(written: Path) -> None:
    ids = [row["id"] for row in rows(written / "market_file.csv")]

    assert {len(number) for number in ids} == {9}
    assert len(set(ids)) == 1300
    assert [row["id"] for row in rows(written / "market_money.csv")][::3] == ids
    assert [row["id"] for row in rows(written / "market_time.csv")][::2] == ids
    assert [row["id"] for row in rows(written / "money.csv", delimiter=";")] == ids


def test_dirt_is_as_frequent_as_in_the_store(written: Path) -> None:
    tiers = [row["Тип сервиса"] for row in rows(written / "market_file.csv")]
    revenues = [float(row["Выручка"]) for row in rows(written / "market_money.csv")]
    periods = [row["Период"] for row in rows(written / "market_time.csv")]

    assert tiers.count("стандартт") == 10  # 0.8 % of 1300 rows
    assert sum(revenue > 50_000 for revenue in revenues) == 1
    assert periods.count("предыдцщий_месяц") == 1300
    assert periods.count("текущий_месяц") == 1300


def test_a_month_without_dirt_has_the_same_customers_and_no_faults(
    written: Path, tmp_path: Path
) -> None:
    month = first_month(WORLDS["linear"], customers=1300)
    write(month, tmp_path, dirt=False)

    customers = rows(tmp_path / "market_file.csv")
    periods = {row["Период"] for row in rows(tmp_path / "market_time.csv")}
    revenues = [float(row["Выручка"]) for row in rows(tmp_path / "market_money.csv")]
    assert {row["Тип сервиса"] for row in customers} == {"премиум", "стандарт"}
    assert periods == {"текущий_месяц", "предыдущий_месяц"}
    assert max(revenues) < 10_000
    assert [row["Маркет_актив_6_мес"] for row in customers] == [
        f"{value:g}" for value in month.columns["contacts_6_months"]
    ]
    assert (tmp_path / "money.csv").read_bytes() == (written / "money.csv").read_bytes()


def test_a_store_is_its_contract_and_a_folder_a_month(tmp_path: Path) -> None:
    contract = '[store]\nname = { ru = "Пример" }\n'

    folders = write_store(
        tmp_path, WORLDS["linear"], seed=1, customers=50, months=2, contract_text=contract
    )

    assert folders == (tmp_path / "2026-08", tmp_path / "2026-09")
    assert (tmp_path / "reportgen.toml").read_text(encoding="utf-8") == contract
    assert all(len(list(folder.iterdir())) == 4 for folder in folders)


def test_the_same_seed_writes_the_same_bytes_and_another_does_not(tmp_path: Path) -> None:
    def contents(name: str, seed: int) -> list[bytes]:
        folder = tmp_path / name
        write_store(folder, WORLDS["linear"], seed=seed, customers=200, contract_text="")
        return [path.read_bytes() for path in sorted(folder.glob("*/*.csv"))]

    first = contents("first", 5)
    assert len(first) == 12
    assert contents("again", 5) == first
    assert all(ours != theirs for ours, theirs in zip(first, contents("other", 6), strict=True))


# ── From month to month ──────────────────────────────────────────────────────────────────────────


def test_what_was_current_is_previous_a_month_later(months: list[Month]) -> None:
    for before, after in zip(months, months[1:], strict=False):
        _, was, now = np.intersect1d(before.columns["id"], after.columns["id"], return_indices=True)
        for newer, older in (
            ("revenue_current", "revenue_previous"),
            ("revenue_previous", "revenue_before_previous"),
            ("minutes_current", "minutes_previous"),
        ):
            np.testing.assert_array_equal(
                before.columns[newer][was], after.columns[older][now], err_msg=older
            )


def test_a_customer_is_registered_longer_by_the_days_of_the_month(months: list[Month]) -> None:
    august, september, october = (month.columns for month in months)
    _, was, now = np.intersect1d(august["id"], september["id"], return_indices=True)
    assert set(september["days_registered"][now] - august["days_registered"][was]) == {30}
    _, was, now = np.intersect1d(september["id"], october["id"], return_indices=True)
    assert set(october["days_registered"][now] - september["days_registered"][was]) == {31}


def test_some_join_some_stop_and_nobody_returns(months: list[Month]) -> None:
    first, second, third = (set(month.columns["id"].tolist()) for month in months)

    # Standard errors at 60,000 customers are below 0.001.
    assert len(first - second) / len(first) == pytest.approx(0.025, abs=0.004)
    assert len(second - first) / len(first) == pytest.approx(0.03, abs=0.004)
    assert not (first - second) & third


def test_those_who_join_have_a_history(months: list[Month]) -> None:
    joined = ~np.isin(months[1].columns["id"], months[0].columns["id"])

    before = months[1].columns["revenue_before_previous"][joined]
    assert np.median(before) == pytest.approx(5030, abs=60)
    assert (before == 0).mean() < 0.01


def test_few_customers_have_a_month_without_revenue(months: list[Month]) -> None:
    columns = months[2].columns
    revenue = np.column_stack(
        [
            columns[name]
            for name in ("revenue_current", "revenue_previous", "revenue_before_previous")
        ]
    )

    share = (revenue == 0).any(axis=1).mean()
    assert share == pytest.approx(0.002, abs=0.001)  # three in 1300


def test_next_months_class_depends_on_this_months_behaviour(months: list[Month]) -> None:
    _, was, now = np.intersect1d(
        months[0].columns["id"], months[1].columns["id"], return_indices=True
    )

    forecast = roc_auc_score(fallen(months[1])[now], months[0].decline_probability[was])
    assert 0.75 < forecast < 0.9


# ── The truth ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", WORLDS)
def test_each_column_alone_is_as_strong_as_declared(name: str) -> None:
    world = WORLDS[name]
    month = first_month(world, customers=MANY)
    positive = fallen(month)
    count = positive.sum()
    # Standard error of a ROC-AUC of 0.5, the largest there is (Hanley and McNeil 1982).
    error = np.sqrt((MANY + 1) / (12 * count * (MANY - count)))

    assert truth(world).keys() == month.columns.keys() - {"id", "activity"}
    for column, declared in truth(world).items():
        values = month.columns[column]
        if values.dtype.kind == "U":
            order = {word: place for place, word in enumerate(world.columns[column].shares)}
            values = np.array([order[word] for word in values])
        area = roc_auc_score(positive, values)
        assert max(area, 1 - area) == pytest.approx(declared, abs=4 * error), column


@pytest.mark.parametrize("name", SIGNAL_WORLDS)
def test_signal_worlds_are_as_recognisable_as_the_real_month(name: str) -> None:
    month = first_month(WORLDS[name], customers=4000)
    model = make_pipeline(StandardScaler(), LogisticRegression())

    scores = cross_val_score(model, numbers(month), fallen(month), cv=3, scoring="roc_auc")

    assert 0.88 < scores.mean() < 0.93


def test_the_noise_world_has_nothing_to_recognise() -> None:
    month = first_month(WORLDS["noise"], customers=20_000)
    model = make_pipeline(StandardScaler(), LogisticRegression())

    scores = cross_val_score(model, numbers(month), fallen(month), cv=3, scoring="roc_auc")

    # Standard error of the area at 20,000 customers: 0.004.
    assert scores.mean() == pytest.approx(0.5, abs=0.016)
    assert np.ptp(month.decline_probability) == 0


def test_customers_fall_as_often_as_their_true_probability_says(months: list[Month]) -> None:
    month = months[0]
    tenths = np.array_split(np.argsort(month.decline_probability), 10)

    for tenth in tenths:
        expected = month.decline_probability[tenth].mean()
        error = np.sqrt(expected * (1 - expected) / len(tenth))
        assert fallen(month)[tenth].mean() == pytest.approx(expected, abs=4 * error)


def test_shares_are_near_the_real_months(months: list[Month]) -> None:
    columns = months[0].columns
    premium = columns["service_tier"] == "premium"

    assert fallen(months[0]).mean() == pytest.approx(0.383, abs=0.01)
    assert premium.mean() == pytest.approx(0.29, abs=0.01)
    assert (columns["permission"] == "yes").mean() == pytest.approx(0.74, abs=0.01)
    assert (columns["promo_share"] >= 0.5).mean() == pytest.approx(0.13, abs=0.01)
    assert fallen(months[0])[premium].mean() == pytest.approx(0.45, abs=0.02)
    assert fallen(months[0])[~premium].mean() == pytest.approx(0.36, abs=0.02)


def test_log_odds_add_up_from_effects_and_steps() -> None:
    world = World(
        "by hand",
        intercept=-1.0,
        strengths={},
        loadings={},
        effects={"contacts_current": 0.5},
        steps=(
            Step(2.0, (Condition("minutes_current", "<=", 10),)),
            Step(
                3.0,
                (
                    Condition("minutes_current", "<=", 10),
                    Condition("popular_category", "==", "children"),
                ),
            ),
        ),
    )
    columns = {
        "id": np.array([1, 2, 3]),
        "contacts_current": np.array([4.0, 4.0, 4.0]),  # the column's mean: its effect is nothing
        "minutes_current": np.array([11.0, 10.0, 5.0]),
        "popular_category": np.array(["children", "textile", "children"]),
    }

    # Log-odds -1, -1 + 2 and -1 + 2 + 3.
    expected = [0.2689, 0.7311, 0.9820]
    np.testing.assert_allclose(world.decline_probability(columns, month=0), expected, atol=1e-4)


def test_an_effect_of_a_column_of_words_is_refused() -> None:
    world = replace(WORLDS["noise"], effects={"popular_category": 1.0})

    with pytest.raises(TypeError, match="popular_category holds words"):
        first_month(world, customers=10)


def test_a_fall_in_minutes_warns_in_one_world_and_reassures_in_another() -> None:
    def excess(name: str) -> float:
        month = first_month(WORLDS[name], customers=MANY)
        change = month.columns["minutes_current"] / month.columns["minutes_previous"] - 1
        positive = fallen(month)
        return float(positive[change <= -0.4].mean() - positive[change > -0.4].mean())

    assert excess("linear") > 0.2
    assert excess("level") < -0.02


def test_the_correlated_world_has_columns_that_repeat_each_other() -> None:
    columns = first_month(WORLDS["correlated"], customers=MANY).columns

    correlation = np.corrcoef(
        [columns[name] for name in ("pages_per_visit", "minutes_current", "categories_per_visit")]
    )
    assert correlation.min() > 0.7


def test_only_the_drifting_world_moves() -> None:
    def change(name: str) -> tuple[float, float]:
        first, *_, last = generate(WORLDS[name], seed=1, customers=MANY, months=4)
        pages = last.columns["pages_per_visit"].mean() - first.columns["pages_per_visit"].mean()
        return float(pages), float(fallen(last).mean() - fallen(first).mean())

    pages, rate = change("drifting")
    # Three months of 0.12 standard deviations, each about 4 pages.
    assert pages == pytest.approx(-1.4, abs=0.15)
    assert rate > 0.05
    pages, rate = change("linear")
    assert pages == pytest.approx(0, abs=0.1)
    assert rate == pytest.approx(0, abs=0.02)


def test_the_demo_store_has_a_focus_segment_with_a_leading_category() -> None:
    for month in generate(WORLDS[DEMO_WORLD], seed=DEMO_SEED):
        focus = (month.decline_probability >= 0.6) & (month.columns["promo_share"] >= 0.5)
        categories = month.columns["popular_category"]
        words, counts = np.unique(categories[focus], return_counts=True)
        ranking = np.argsort(counts)

        assert 120 <= focus.sum() <= 200
        assert words[ranking[-1]] == "children"
        assert counts[ranking[-1]] > 1.3 * counts[ranking[-2]]
        assert (categories[focus] == "children").mean() > (categories == "children").mean() + 0.08


@pytest.mark.slow
def test_a_million_customers_take_half_a_minute_at_most(tmp_path: Path) -> None:
    start = time.perf_counter()

    # pytest keeps what is in its own folder; these files are 350 MB.
    with TemporaryDirectory(dir=tmp_path) as folder:
        write(first_month(WORLDS["linear"], customers=1_000_000), Path(folder))

    assert time.perf_counter() - start < 30


# ── A programme of actions ───────────────────────────────────────────────────────────────────────


def treated_half(month: Month) -> Programme:
    return Programme(ACTIONS["harms"], {month.name: month.columns["id"][::2].astype(str)})


def test_an_action_changes_what_follows_and_nothing_before() -> None:
    plain = list(generate(WORLDS["linear"], seed=3, customers=4_000, months=2))
    programme = treated_half(plain[0])
    acted = list(generate(WORLDS["linear"], seed=3, customers=4_000, months=2,
                          programme=programme))
    for name, values in plain[0].columns.items():
        assert (acted[0].columns[name] == values).all()
    # Twice as many of the treated leave, 5 % instead of 2.5 %: within four standard errors.
    given = np.isin(plain[0].columns["id"], acted[1].columns["id"])
    assert 1 - given[::2].mean() == pytest.approx(0.05, abs=4 * 0.0049)
    assert 1 - given[1::2].mean() == pytest.approx(0.025, abs=4 * 0.0035)


def test_an_action_moves_the_log_odds_of_those_who_get_it() -> None:
    first, = generate(WORLDS["linear"], seed=3, customers=2_000, months=1)
    programme = treated_half(first)
    *_, second = generate(WORLDS["linear"], seed=3, customers=2_000, months=2,
                          programme=programme)
    base = WORLDS["linear"].decline_probability(second.columns, month=1)
    moved = logit(second.decline_probability) - logit(base)
    reached = np.isin(second.columns["id"].astype(str), programme.treated[first.name])
    assert moved[reached] == pytest.approx(1.2)
    assert moved[~reached] == pytest.approx(0.0)
