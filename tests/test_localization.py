"""Words, numbers, plurals and dates as a Russian and an English reader expect them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from babel import Locale
from babel.numbers import format_percent

from reportgen import localization
from reportgen.contract import Unit
from reportgen.errors import ConfigError, RenderError
from reportgen.localization import Localizer
from reportgen.results import Estimate

NBSP, MINUS = "\u00a0", "\u2212"

HEADER = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=4; plural=(n==1 ? 0 : 1);\\n"

msgid "units.keep_with_next"
msgstr "в"

"""


@pytest.fixture(scope="module")
def ru() -> Localizer:
    return localization.load("ru")


@pytest.fixture(scope="module")
def en() -> Localizer:
    return localization.load("en")


def catalogue(folder: Path, text: str, name: str = "extra.po") -> Localizer:
    """Load a Russian catalogue that holds nothing but `text`."""
    path = folder / "locales" / "ru" / "LC_MESSAGES" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + text, encoding="utf-8")
    return localization.load("ru", folder)


# CLDR: 1 and 21 are one, 2 few, 0, 5, 11 and 111 many, every written fraction other.
@pytest.mark.parametrize(
    ("n", "decimals", "written"),
    [(0, 0, "0 страниц"), (1, 0, "1 страница"), (2, 0, "2 страницы"), (5, 0, "5 страниц"),
     (11, 0, "11 страниц"), (21, 0, "21 страница"), (111, 0, "111 страниц"),
     (1.5, 1, "1,5 страницы"), (2, 1, "2,0 страницы"), (1296, 0, "1 296 страниц"),
     (-1, 0, "−1 страница")],
)
def test_russian_plural_follows_the_number_that_is_shown(
    ru: Localizer, n: float, decimals: int, written: str
) -> None:
    assert ru.quantity(n, "pages", decimals) == written.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("n", "decimals", "written"),
    [(0, 0, "0 pages"), (1, 0, "1 page"), (1.0, 1, "1.0 pages"), (2, 0, "2 pages")],
)
def test_english_plural_follows_the_number_that_is_shown(
    en: Localizer, n: float, decimals: int, written: str
) -> None:
    assert en.quantity(n, "pages", decimals) == written.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("n", "written"),
    [(1, "1 минута"), (3, "3 минуты"), (12, "12 минут"), (1.5, "1,5 минуты"), (5.0, "5 минут")],
)
def test_message_takes_its_plural_from_the_fact_n(
    tmp_path: Path, n: float, written: str
) -> None:
    words = catalogue(tmp_path, """msgid "wait"
msgid_plural "wait"
msgstr[0] "{n} минута"
msgstr[1] "{n} минуты"
msgstr[2] "{n} минут"
msgstr[3] "{n} минуты"
""")
    assert words.text("wait", n=n) == written.replace(" ", NBSP)


def test_numbers_are_grouped_and_signed_by_the_language(ru: Localizer, en: Localizer) -> None:
    assert ru.number(-5024.5, 1) == f"{MINUS}5{NBSP}024,5"
    assert en.number(-5024.5, 1) == f"{MINUS}5,024.5"
    assert ru.number(12, signed=True) == "+12"


def test_half_is_rounded_up_and_zero_has_no_sign(ru: Localizer) -> None:
    assert ru.number(2.5) == "3"
    assert ru.number(1.005, 2) == "1,01"  # the number as written, not its binary neighbour below
    assert ru.percent(0.575) == f"58{NBSP}%"  # 0.575 * 100 is 57.49999999999999 in binary
    assert ru.number(-0.4) == "0"
    assert ru.points(-0.004) == f"0{NBSP}п.{NBSP}п."


@pytest.mark.parametrize("language", localization.languages())
def test_percent_is_written_as_cldr_has_it(language: str) -> None:
    expected = format_percent(0.38, locale=Locale.parse(language))
    assert localization.load(language).percent(0.38) == expected


def test_differences_of_shares_are_points_with_a_sign(ru: Localizer, en: Localizer) -> None:
    assert ru.points(0.1249) == f"+12{NBSP}п.{NBSP}п."
    assert ru.points(-0.1249, 1) == f"{MINUS}12,5{NBSP}п.{NBSP}п."
    assert ru.points(0.12, signed=False) == f"12{NBSP}п.{NBSP}п."
    assert en.points(0.12) == f"+12{NBSP}pp"


def test_money_names_a_currency_only_where_the_store_states_one(ru: Localizer) -> None:
    assert ru.money(5238.1) == f"5{NBSP}238"
    rouble = localization.load("ru", currency="RUB")
    assert rouble.money(-5238.1) == f"{MINUS}5{NBSP}238{NBSP}₽"
    assert rouble.money(5238.1, 2) == f"5{NBSP}238,10{NBSP}₽"
    english = localization.load("en", currency="RUB")
    assert english.money(5238.1) == f"RUB{NBSP}5,238"


def test_interval_uses_words_where_a_dash_would_meet_a_minus(ru: Localizer, en: Localizer) -> None:
    assert ru.interval(Estimate(0.38, 0.36, 0.41, 1296)) == f"36–41{NBSP}%"
    assert en.estimate(Estimate(0.38, 0.36, 0.41, 1296)) == "38% (36–41%)"
    difference = Estimate(0.04, -0.03, 0.11, 324)
    points = f"п.{NBSP}п."
    assert ru.interval(difference, "points") == f"от{NBSP}{MINUS}3{NBSP}до{NBSP}+11{NBSP}{points}"


@pytest.mark.parametrize("language", localization.languages())
@pytest.mark.parametrize("unit", [unit.value for unit in Unit])
def test_every_unit_of_the_contract_can_be_written(language: str, unit: str) -> None:
    written = localization.load(language).quantity(0.5, unit, 1)
    assert any(character.isdigit() for character in written)
    assert " " not in written, "a number must not be parted from its unit"


def test_month_stands_in_the_nominative(ru: Localizer, en: Localizer) -> None:
    assert ru.month("2026-10") == f"октябрь{NBSP}2026"
    assert en.month("2026-10") == f"October{NBSP}2026"


def test_list_is_joined_by_the_language(ru: Localizer, en: Localizer) -> None:
    assert ru.join(["a", "b", "c"]) == "a, b и c"
    assert en.join(["a", "b"]) == "a and b"


def test_number_dash_and_preposition_never_part_from_their_neighbour(tmp_path: Path) -> None:
    words = catalogue(tmp_path, 'msgid "fact"\nmsgstr "Выросла в {n} раза — в октябре"\n')
    assert words.text("fact", n=3) == f"Выросла в{NBSP}3{NBSP}раза{NBSP}— в{NBSP}октябре"


def test_label_is_chosen_by_language(ru: Localizer) -> None:
    assert ru.label({"ru": "выручка", "en": "revenue"}) == "выручка"
    with pytest.raises(RenderError, match="no text in 'ru'"):
        ru.label({"en": "revenue"})


def test_missing_message_is_an_error_not_a_blank(ru: Localizer) -> None:
    with pytest.raises(RenderError, match="'ru' has no message 'charts.no_such'"):
        ru.text("charts.no_such")


def test_untranslated_message_counts_as_missing(tmp_path: Path) -> None:
    words = catalogue(tmp_path, 'msgid "later"\nmsgstr ""\n')
    assert not words.has("later")


def test_missing_fact_is_named(tmp_path: Path) -> None:
    words = catalogue(tmp_path, 'msgid "fact"\nmsgstr "{share} клиентов"\n')
    with pytest.raises(RenderError, match="needs the fact 'share'; given: shares"):
        words.text("fact", shares="38 %")


def test_unformatted_fraction_is_refused_because_its_unit_is_unknown(tmp_path: Path) -> None:
    words = catalogue(tmp_path, 'msgid "fact"\nmsgstr "{share} клиентов"\n')
    with pytest.raises(RenderError, match=r"the fact 'share' is 0\.381"):
        words.text("fact", share=0.381)


def test_plural_message_without_n_is_refused(ru: Localizer) -> None:
    with pytest.raises(RenderError, match="needs the number 'n', got '5'"):
        ru.text("units.pages", n="5")


@pytest.mark.parametrize("x", [float("nan"), float("inf")])
def test_number_without_a_value_is_never_written(ru: Localizer, x: float) -> None:
    with pytest.raises(RenderError, match="has no value"):
        ru.percent(x)


def test_plural_forms_are_counted_when_a_catalogue_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'wait' needs the 4 plural forms one, few, many, other"):
        catalogue(tmp_path, """msgid "wait"
msgid_plural "wait"
msgstr[0] "{n} минута"
msgstr[1] "{n} минуты"
msgstr[2] "{n} минут"
""")


def test_message_in_two_catalogues_is_refused(tmp_path: Path) -> None:
    catalogue(tmp_path, "", name="a.po")
    with pytest.raises(ConfigError, match=r"b\.po of ru repeats .*units.keep_with_next"):
        catalogue(tmp_path, "", name="b.po")


def test_broken_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"extra\.po of ru: not a valid catalogue"):
        catalogue(tmp_path, 'message "key"\n')


def test_unknown_language_names_those_that_exist() -> None:
    with pytest.raises(ConfigError, match="'xx' has no catalogue .* there are: en, ru"):
        localization.load("xx")


def test_language_is_added_by_its_folder_alone(tmp_path: Path) -> None:
    shipped = localization.templates_folder() / "locales"
    shutil.copytree(shipped / "en", tmp_path / "locales" / "de")
    assert localization.languages(tmp_path) == ("de", "en", "ru")
    german = localization.load("de", tmp_path)
    assert german.number(5024.5, 1) == "5.024,5"
    assert german.month("2026-10") == f"Oktober{NBSP}2026"


def test_no_language_lacks_a_unit_or_a_word_of_a_chart() -> None:
    keys = {
        language: {key for key in localization.load(language).messages
                   if key.startswith(("units.", "charts."))}
        for language in localization.languages()
    }
    assert keys["ru"] == keys["en"]


@pytest.mark.parametrize(("language", "currency", "told"), [
    ("ru", "RUB", "1 200–3 400 ₽"), ("en", "USD", "$1,200–3,400"), ("en", "", "1,200–3,400"),
    ("ru", "", "1 200–3 400"),
])
def test_a_range_of_money_tells_the_currency_once(language: str, currency: str, told: str) -> None:
    words = localization.load(language, currency=currency)
    assert words.span(1_200, 3_400, "money").replace(NBSP, " ") == told


def test_a_range_of_money_below_zero_is_told_in_words() -> None:
    words = localization.load("ru", currency="RUB")
    assert words.span(-500, 700, "money").replace(NBSP, " ") == "от −500 до 700 ₽"


def test_sentence_that_ends_with_an_abbreviation_has_one_full_stop(ru: Localizer) -> None:
    assert ru.label({"ru": "не больше 3 п. п.."}).endswith("п. п.")
    assert ru.label({"ru": "и так далее..."}).endswith("далее...")
