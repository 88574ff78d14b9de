"""reportgen.toml: the shipped contract, what a file may change, and what it is told if wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from reportgen import config
from reportgen.config import Settings
from reportgen.contract import Role
from reportgen.errors import ConfigError

# A store of its own: two tables, one of them long.
SMALL = """
[store]
name = { en = "Small" }
languages = ["en"]

[tables.people]
file = "people"
id = "key"
[tables.sales]
file = "sales"
id = "key"
period = "month"
periods.now = { source = "2026-10" }
periods.before = { source = "2026-09" }

[columns.lost]
role = "target"
kind = "category"
table = "people"
source = "lost"
label = { en = "lost" }
positive = "gone"
values.gone = { source = "1", label = { en = "gone" } }
values.here = { source = "0", label = { en = "here" }, aliases = ["no"] }
[columns.promo]
table = "people"
source = "promo"
label = { en = "promo" }
[columns.spend]
table = "sales"
source = "spend"
period = "now"
label = { en = "spend" }
[columns.spend_before]
table = "sales"
source = "spend"
period = "before"
label = { en = "spend before" }
[columns.spend_change]
change = { of = "spend", against = "spend_before" }
label = { en = "change of spend" }

[recommendations]
focus = "risk >= 0.5 and promo >= 0.5"
focus_label = { en = "promotion hunters at risk" }
promo = "promo"
depth = ["promo"]
basket = "promo"
contacts = "promo"
levels = ["spend"]
falls = ["spend_change"]
"""


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.parse(text, name="mine.toml")
    assert caught.value.exit_code == 2
    return str(caught.value)


def small(old: str, new: str) -> str:
    assert SMALL.count(old) == 1
    return SMALL.replace(old, new)


# ── What ships ───────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_contract_knows_the_stores_roles(settings: Settings) -> None:
    assert settings.target == "activity"
    assert settings.base == "customers"
    assert settings.first_of_role(Role.GOODS) == "popular_category"
    assert settings.first_of_role(Role.PERMISSION) == "permission"
    assert settings.categories == ("service_tier", "permission", "popular_category")


def test_profit_is_never_a_feature(settings: Settings) -> None:
    assert [name for name, _ in settings.of_role(Role.VALUE)] == ["profit"]
    assert "profit" not in settings.features
    assert settings.target not in settings.features
    assert len(settings.features) == 19


def test_the_long_tables_become_a_column_a_month(settings: Settings) -> None:
    assert list(settings.of_table("revenue")) == [
        "revenue_current", "revenue_previous", "revenue_before_previous"]
    assert settings.tables["revenue"].is_long
    assert not settings.tables["customers"].is_long


def test_every_label_stands_in_both_languages(settings: Settings) -> None:
    labels = [column.label for column in settings.columns.values()]
    labels += [value.label for column in settings.columns.values()
               for value in column.values.values()]
    labels += [segment.label for segment in settings.segments.values()]
    labels += [total.label for total in settings.presentation.totals.values()]
    labels += [column.short for column in settings.columns.values() if column.short]
    assert all(set(label) == {"ru", "en"} for label in [*labels, settings.store.name])


def test_the_segments_are_those_the_report_promises(settings: Settings) -> None:
    assert {name: segment.rule for name, segment in settings.segments.items()} == {
        "high_risk_high_profit": "risk_band = 'high' and profit >= 4.5",
        "high_risk_promo": settings.recommendations.focus,
        "premium_at_risk": "risk_band = 'high' and service_tier = 'premium'",
        "unpaid_baskets": "unpaid_items >= 4",
        "no_messages": "permission = 'no'",
    }


# ── Files ────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_that_says_nothing_is_the_shipped_contract(settings: Settings) -> None:
    assert config.parse("") == settings


def test_a_file_changes_only_what_it_names(settings: Settings) -> None:
    own = config.parse("[model]\nseed = 7\n[segments.rich]\nrule = 'profit > 6'\n"
                       "label = { ru = 'богатые', en = 'rich' }\n")
    assert own.model == settings.model.model_copy(update={"seed": 7})
    assert list(own.segments) == [*settings.segments, "rich"]
    assert own.columns == settings.columns


def test_another_store_replaces_this_one_as_a_whole() -> None:
    own = config.parse(SMALL)
    assert own.store.name == {"en": "Small"}
    assert own.features == ("promo", "spend", "spend_before", "spend_change")
    assert own.segments == {}
    assert own.presentation.totals == {}
    # What does not name columns keeps the shipped defaults.
    assert own.cleaning == config.load(None).cleaning


@pytest.mark.parametrize("section", ["store", "recommendations"])
def test_another_store_must_say_what_it_is(section: str) -> None:
    head, _, tail = SMALL.partition(f"[{section}]")
    rest = tail.partition("\n[")
    assert f"{section}: Field required" in refusal(head + "[" + rest[2] if rest[1] else head)


def test_the_file_is_looked_for_beside_and_above_the_data(tmp_path: Path) -> None:
    month = tmp_path / "2026-10"
    month.mkdir()
    assert config.find_file(month) is None
    (tmp_path / "reportgen.toml").touch()
    assert config.find_file(month) == tmp_path / "reportgen.toml"
    (month / "reportgen.toml").touch()
    assert config.find_file(month) == month / "reportgen.toml"


def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "reportgen.toml"
    file.write_text("[model]\nseed = 7\n", encoding="utf-8-sig")
    assert config.load(file).model.seed == 7


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "reportgen.toml"
    file.write_bytes("# доход".encode("cp1251"))
    with pytest.raises(ConfigError, match=r"reportgen\.toml: cannot be read as UTF-8"):
        config.load(file)
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        config.load(tmp_path / "absent.toml")


def test_settings_cannot_be_changed(settings: Settings) -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings.model.seed = 1  # type: ignore[misc]


# ── Refusals ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("text", "message"), [
    ("[model", "mine.toml: not valid TOML"),
    ("[model]\nseeds = 7", "model.seeds: Extra inputs are not permitted (got 7)"),
    ("[model]\nfolds = 1", "model.folds: Input should be greater than or equal to 2 (got 1)"),
    ("recommendations = 3", "recommendations"),
    ("[risk]\nmedium = 0.8", "'medium' must lie below 'high'"),
    ("[store]\ncurrency = 'roubles'", "store.currency"),
    ("[segments.a]\nrule = 'unknown > 1'\nlabel = { en = 'a' }",
     "segments.a.rule: unknown column 'unknown' at position 1; known: activity,"),
    ("[segments.a]\nrule = 'profit > 5 and profit < 4'\nlabel = { en = 'a' }",
     "segments.a.rule: the rule can never hold"),
    ("[segments.'a b']\nrule = 'profit > 5'\nlabel = { en = 'a' }",
     "'a b' must be a plain name"),
    ("[recommendations]\nfocus = 'risk > 0.9'", "recommendations.focus_label: Field required"),
    ("[recommendations]\nfocus = 'risk > '\nfocus_label = { en = 'a' }",
     "recommendations.focus: the rule breaks off"),
    ("[recommendations]\nlevels = ['service_tier']",
     "recommendations.levels: 'service_tier' is not a number column"),
    ("[recommendations]\nlevels = ['risk']",
     "recommendations.levels: 'risk' is not a number column"),
    ("[presentation]\nprofile = ['price']", "presentation.profile: unknown column 'price'"),
    ("[presentation]\nprofile = ['risk']", "presentation.profile: unknown column 'risk'"),
    ("[presentation.totals.a]\nlabel = { en = 'a' }\ncolumns = []", "presentation.totals.a"),
])
def test_a_wrong_setting_is_named(text: str, message: str) -> None:
    assert message in refusal(text)


def test_all_wrong_values_are_told_at_once() -> None:
    message = refusal("[model]\nfolds = 1\nseed = -1\n[cleaning]\noutlier_limit = 0")
    assert message.startswith("mine.toml: 3 wrong setting(s)")
    for key in ("model.folds", "model.seed", "cleaning.outlier_limit"):
        assert f"\n  {key}: " in message


@pytest.mark.parametrize(("line", "told"), [
    ("contact_cost = -1", "contact_cost: Input should be greater than or equal to 0 (got -1)"),
    ("offer_cost = -0.5", "offer_cost: Input should be greater than or equal to 0 (got -0.5)"),
    ("acceptance = 1.2", "acceptance: Input should be less than 1 (got 1.2)"),
    ("acceptance = 0", "acceptance: Input should be greater than 0 (got 0)"),
    ("loss_share = 1.1", "loss_share: Input should be less than or equal to 1 (got 1.1)"),
    ("horizon_months = 0", "horizon_months: Input should be greater than 0 (got 0)"),
    ("profit_unit = 0", "profit_unit: Input should be greater than 0 (got 0)"),
])
def test_an_assumption_out_of_range_is_named_with_its_range(line: str, told: str) -> None:
    assert f"assumptions.{told}" in refusal(f"[assumptions]\n{line}")


def test_assumptions_that_are_missing_are_named() -> None:
    some = config.parse("[assumptions]\ncontact_cost = 0\nacceptance = 0.3").assumptions
    assert some.missing == ("offer_cost", "horizon_months", "loss_share", "profit_unit")
    assert config.parse("").assumptions.acceptance is None


def test_effort_decides_on_repeats_and_refits() -> None:
    settings = config.parse("")
    efforts = {effort: settings.with_effort(effort).model for effort in
               ("quick", "standard", "thorough")}
    assert [model.repeats for model in efforts.values()] == [0, 1, 3]
    assert [model.refits for model in efforts.values()] == [20, 100, 100]


def test_features_of_the_past_are_known_by_their_window() -> None:
    settings = config.parse("")
    assert "minutes_previous" in settings.past_features
    assert not {"minutes_current", "minutes_change", "service_errors", "profit"} & set(
        settings.past_features)


@pytest.mark.parametrize(("old", "new", "message"), [
    ('table = "people"\nsource = "promo"', 'source = "promo"', "give 'table' and 'source'"),
    ('table = "people"\nsource = "promo"', 'table = "poeple"\nsource = "promo"',
     "columns.promo.table: 'poeple' is unknown; known: people, sales"),
    ('period = "now"', 'period = "today"',
     "columns.spend.period: 'today' is unknown; known: now, before"),
    ('period = "now"\n', "", "columns.spend.period: '' is unknown"),
    ('source = "promo"', 'source = "promo"\nperiod = "now"', "none, the table is not long"),
    ('against = "spend_before"', 'against = "lost"', "'lost' is not a number column"),
    ('against = "spend_before"', 'against = "spend_change"', "is not a number column"),
    ('positive = "gone"', 'positive = "left"', "'positive' must be one of gone, here"),
    ('values.here = {', 'values.away = { source = "2", label = { en = "a" } }\nvalues.here = {',
     "the target has exactly two values"),
    ('aliases = ["no"]', 'aliases = ["1"]', "'1' stands for both 'gone' and 'here'"),
    ('source = "promo"', 'source = "promo"\nrole = "goods"', "a column of goods is a category"),
    ('source = "promo"', 'source = "promo"\nminimum = 2\nmaximum = 1', "'minimum' lies above"),
    ('source = "promo"', 'source = "promo"\nkind = "category"', "a category needs them"),
    ('role = "target"', 'role = "ignore"', "exactly one column has role 'target', got 0"),
    ('id = "key"\n[tables.sales]', 'id = "key"\nperiod = "m"\n[tables.sales]',
     "'period' and 'periods' come together"),
    ("[columns.promo]", "[columns.part]\ntable = 'people'\nsource = 'part'\n"
     "label = { en = 'part' }\n[columns.promo]", "part: the report uses this name itself"),
])
def test_a_contract_that_contradicts_itself_is_refused(old: str, new: str, message: str) -> None:
    assert message in refusal(small(old, new))


def test_the_first_table_lists_the_customers() -> None:
    first, second = SMALL.index("[tables.people]"), SMALL.index("[tables.sales]")
    end = SMALL.index("[columns.lost]")
    turned = SMALL[:first] + SMALL[second:end] + SMALL[first:second] + SMALL[end:]
    assert "tables.sales: the first table lists the customers" in refusal(turned)
