"""Words, numbers, plurals and dates of one language.

Catalogues (``templates/locales/LANGUAGE/LC_MESSAGES/*.po``) come in; a `Localizer` goes out, which
charts and templates ask for every word and number that a reader sees. Babel knows the language's
rules (CLDR), the catalogues hold the words, so a language is added by adding its folder.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, cached_property
from pathlib import Path

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages import pofile
from babel.numbers import format_currency, format_decimal

from reportgen.errors import ConfigError, RenderError
from reportgen.results import Estimate

#: CLDR's own order of the plural categories; a catalogue's msgstr[k] stand in it.
_CATEGORIES = ("zero", "one", "two", "few", "many", "other")

_NBSP = "\u00a0"
_MINUS = "\u2212"

#: How many of the unit make 1 of the plain number.
_FACTORS = {"share": 100, "relative_change": 100, "points": 100, "unsigned_points": 100}
#: Changes and differences, which carry their sign.
_SIGNED = ("relative_change", "points")

#: The typewriter's mark inside a word, or at its end.
_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")
_APOSTROPHE = re.compile(r"(?<=\w)'(?=\w|\s|$)")

#: A number and what it counts, and a dash and the word before it, stay on one line.
_GLUED = re.compile(r"(?<=\d) (?=[\w%‰₽])| (?=—)")


#: Control characters but for the ends of lines and tabs, marks that turn the direction of writing
#: (a label with one could make the text behind it say something else), halves of characters.
_UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e"
                         "\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")

Messages = Mapping[str, tuple[str, ...]]
"""The texts of a catalogue by key: one form, or a form for each plural category."""


@dataclass(frozen=True)
class Localizer:
    """Everything a renderer says in one language.

    Attributes
    ----------
    language
        Code of the language, which is the name of its folder.
    messages
        The texts of all its catalogues by key.
    currency
        ISO code; where it is empty, money is written as a plain number.
    """

    language: str
    messages: Messages
    currency: str = ""

    @cached_property
    def locale(self) -> Locale:
        """The language's rules."""
        return Locale.parse(self.language)

    # ── Words ────────────────────────────────────────────────────────────────────────────────────

    def text(self, key: str, **facts: object) -> str:
        """Return a message with its ``{placeholders}`` filled.

        Parameters
        ----------
        key
            The message's id, such as ``charts.importance.axis``.
        **facts
            Texts and whole numbers. Other numbers are formatted by the caller, who knows their
            unit. The fact ``n`` may have decimals and chooses the plural form by what is shown.

        Raises
        ------
        RenderError
            Where the message, a plural form or a fact is missing, or a fact is not formatted.
        """
        forms = self._forms(key)
        form = forms[self._plural(key, facts.get("n")) if len(forms) > 1 else 0]
        shown = {name: self._fact(key, name, value) for name, value in facts.items()}
        try:
            return self._typeset(form.format_map(shown))
        except KeyError as error:
            raise RenderError(f"message {key!r} of {self.language!r} needs the fact "
                              f"{error.args[0]!r}; given: {', '.join(facts) or 'none'}") from error

    def has(self, key: str) -> bool:
        """Whether the catalogues hold a message."""
        return key in self.messages

    def label(self, labels: Mapping[str, str]) -> str:
        """Choose this language's text of a label of the contract."""
        try:
            return self._typeset(readable(labels[self.language]))
        except KeyError:
            raise RenderError(f"the label {dict(labels)} has no text in {self.language!r}; add it "
                              "to reportgen.toml") from None

    def join(self, items: Iterable[str]) -> str:
        """Write a list: "a, b and c"."""
        return str(format_list(list(items), locale=self.locale))

    def month(self, month: str) -> str:
        """Write a month that is given as YYYY-MM: «октябрь 2026»."""
        year, number = month.split("-")
        first = date(int(year), int(number), 1)
        return str(format_date(first, f"LLLL{_NBSP}y", locale=self.locale))

    def short_month(self, month: str) -> str:
        """Write a month narrowly: «окт. 2026»."""
        year, number = month.split("-")
        first = date(int(year), int(number), 1)
        return str(format_date(first, f"LLL{_NBSP}y", locale=self.locale))

    def date(self, day: str) -> str:
        """Write a day that is given as YYYY-MM-DD: «30 ноября 2026»."""
        # The year of Russian dates ends with an abbreviation, which a sentence's end would double.
        pattern = re.sub(r"\s*'[^']*'\.?$", "", self.locale.date_formats["long"].pattern)
        return str(format_date(date.fromisoformat(day), pattern, locale=self.locale)
                   ).replace(" ", _NBSP)

    # ── Numbers ──────────────────────────────────────────────────────────────────────────────────

    def number(self, x: float, decimals: int = 0, *, signed: bool = False) -> str:
        """Write a number with grouping and exactly so many decimals."""
        return self._digits(_rounded(x, decimals), signed=signed)

    def percent(self, share: float, decimals: int = 0) -> str:
        """Write a share between 0 and 1 as percent."""
        return self.quantity(share, "share", decimals)

    def points(self, difference: float, decimals: int = 0, *, signed: bool = True) -> str:
        """Write a difference of two shares in percentage points."""
        shown = _rounded(difference, decimals, _FACTORS["points"])
        return self._counted(self._digits(shown, signed=signed), "points", shown)

    def money(self, x: float, decimals: int = 0) -> str:
        """Write an amount, with the store's currency where it states one."""
        shown = _rounded(x, decimals)
        if not self.currency:
            return self._digits(shown)
        pattern = self.locale.currency_formats["standard"].pattern
        fraction = f".{'0' * decimals}" if decimals else ""
        amount = format_currency(shown, self.currency, re.sub(r"(?<=0)\.0+", fraction, pattern),
                                 locale=self.locale, currency_digits=False)
        # CLDR parts a currency's letters from the digits; Babel leaves that to its caller.
        return re.sub(r"(?<=[^\W\d_])(?=\d)", _NBSP, amount.replace("-", _MINUS))

    @cached_property
    def _currency_leads(self) -> bool:
        """Whether the language writes the currency before the amount."""
        return not self.money(1)[0].isdigit()

    def quantity(self, x: float, unit: str, decimals: int = 0) -> str:
        """Write a number with its unit, a value of the contract's `Unit` or "customers".

        Shares and changes of them are given as 0.24 and written as 24 %.
        """
        if unit == "money":
            return self.money(x, decimals)
        shown = _rounded(x, decimals, _FACTORS.get(unit, 1))
        return self._counted(self._digits(shown, signed=unit in _SIGNED), unit, shown)

    def interval(self, estimate: Estimate, unit: str = "share", decimals: int = 0) -> str:
        """Write the 95 % interval of an estimate with its unit: «36–41 %»."""
        return self.span(estimate.low, estimate.high, unit, decimals)

    def span(self, low: float, high: float, unit: str, decimals: int = 0) -> str:
        """Write a range with its unit, told once: «4,0–6,5 мин»."""
        factor, signed = _FACTORS.get(unit, 1), unit in _SIGNED
        ends = [_rounded(x, decimals, factor) for x in (low, high)]
        # A dash before a minus cannot be read.
        key = "units.range_signed" if signed or min(ends) < 0 else "units.range"
        first, last = (self._digits(end, signed=signed) for end in ends)
        if unit == "money":
            if self._currency_leads:
                first = self.money(low, decimals)
            else:
                last = self.money(high, decimals)
            return self.text(key, low=first, high=last)
        return self._counted(self.text(key, low=first, high=last), unit, ends[1])

    def estimate(self, estimate: Estimate, unit: str = "share", decimals: int = 0) -> str:
        """Write an estimate and its interval: «38 % (36–41 %)»."""
        return (f"{self.quantity(estimate.value, unit, decimals)} "
                f"({self.interval(estimate, unit, decimals)})")

    # ── Inside ───────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _keep(self) -> re.Pattern[str]:
        """The short words that never end a line in this language."""
        words = "|".join(map(re.escape, self._forms("units.keep_with_next")[0].split()))
        return re.compile(rf"(?<!\w)({words}) ", re.IGNORECASE)

    def _forms(self, key: str) -> tuple[str, ...]:
        """Look up a message: one form, or a form for each plural category."""
        try:
            return self.messages[key]
        except KeyError:
            raise RenderError(f"the catalogue of {self.language!r} has no message {key!r}; add it "
                              f"to a .po file in locales/{self.language}/LC_MESSAGES") from None

    def _typeset(self, text: str) -> str:
        glued = self._keep.sub(rf"\1{_NBSP}", _GLUED.sub(_NBSP, text))
        # A sentence that ends with an abbreviation has one full stop: «на 3 п. п.»
        return _TWO_STOPS.sub(".", _APOSTROPHE.sub("\u2019", glued))

    def _digits(self, x: Decimal, *, signed: bool = False) -> str:
        fraction = f".{'0' * -int(x.as_tuple().exponent)}" if x.as_tuple().exponent else ""
        written = format_decimal(abs(x), f"#,##0{fraction}", locale=self.locale)
        sign = _MINUS if x < 0 else "+" if signed and x > 0 else ""
        return f"{sign}{written}"

    def _counted(self, digits: str, unit: str, counted: Decimal) -> str:
        """Put digits into the unit's message, its plural form told by the number they show."""
        forms = self._forms(f"units.{unit}")
        form = forms[self._category(counted) if len(forms) > 1 else 0]
        return self._typeset(form.format(n=digits))

    def _plural(self, key: str, n: object) -> int:
        if isinstance(n, bool) or not isinstance(n, int | float | Decimal):
            raise RenderError(f"message {key!r} has plural forms and needs the number 'n', "
                              f"got {n!r}")
        return self._category(_given(n))

    def _category(self, n: Decimal) -> int:
        return plural_categories(self.locale).index(self.locale.plural_form(abs(n)))

    def _fact(self, key: str, name: str, value: object) -> str:
        if isinstance(value, str):
            return value
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            given = _given(value)
            if name == "n" or given == given.to_integral_value():
                return self._digits(given)
        raise RenderError(f"message {key!r}: the fact {name!r} is {value!r}; give a text or a "
                          "whole number")


def readable(text: str) -> str:
    """Take away what nobody reads, but what turns lines around or breaks a document."""
    return _UNREADABLE.sub("", text)


def plural_categories(locale: Locale) -> tuple[str, ...]:
    """Return a language's plural categories in the order of a catalogue's msgstr[k]."""
    return tuple(tag for tag in _CATEGORIES if tag in locale.plural_form.tags or tag == "other")


def templates_folder() -> Path:
    """Find the templates: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


def folders(templates: Path | None = None) -> tuple[Path, ...]:
    """Return where templates and catalogues are looked for, a user's own before the shipped."""
    shipped = templates_folder()
    return (shipped,) if templates is None else (templates, shipped)


def languages(templates: Path | None = None) -> tuple[str, ...]:
    """Return the codes of the languages that have catalogues."""
    found = {path.parts[-3] for folder in folders(templates)
             for path in folder.glob("locales/*/LC_MESSAGES/*.po")}
    return tuple(sorted(found))


def load(language: str, templates: Path | None = None, *, currency: str = "") -> Localizer:
    """Read a language's catalogues; a message of a user's own folder replaces the shipped one.

    Raises
    ------
    ConfigError
        Where the language has no catalogues (naming those that exist), or one cannot be read.
    """
    if language not in languages(templates):
        places = " or ".join(str(folder / "locales") for folder in folders(templates))
        raise ConfigError(f"language {language!r} has no catalogue in {places}; "
                          f"there are: {', '.join(languages(templates)) or 'none'}")
    locale = Locale.parse(language)
    messages: dict[str, tuple[str, ...]] = {}
    for folder in reversed(folders(templates)):
        messages |= _read_folder(folder / "locales" / language / "LC_MESSAGES", locale)
    return Localizer(language, messages, currency)


def _read_folder(folder: Path, locale: Locale) -> Messages:
    """Read the catalogues of a folder, which may not say the same thing twice."""
    messages: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.glob("*.po")):
        own = _read_catalogue(path, locale)
        if doubled := messages.keys() & own.keys():
            raise ConfigError(f"{path.name} of {locale} repeats the message "
                              f"{min(doubled)!r} of another catalogue")
        messages.update(own)
    return messages


def _read_catalogue(path: Path, locale: Locale) -> Messages:
    """Read the translated messages of a .po file, anew only where it has changed."""
    state = path.stat()
    return _catalogue(path, locale, state.st_mtime_ns, state.st_size)


@cache
def _catalogue(path: Path, locale: Locale, *_: int) -> Messages:
    try:
        with path.open("rb") as file:
            catalogue = pofile.read_po(file, locale=locale, abort_invalid=True)
    except (pofile.PoFileError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} of {locale}: not a valid catalogue: {error}") from error
    categories = plural_categories(locale)
    messages = {}
    for entry in catalogue:
        key = entry.id[0] if entry.pluralizable else entry.id
        forms = tuple(entry.string) if entry.pluralizable else (entry.string,)
        if not key or not any(forms):  # the header, or not translated yet
            continue
        if entry.pluralizable and (len(forms) != len(categories) or not all(forms)):
            raise ConfigError(f"{path.name} of {locale}: message {key!r} needs the "
                              f"{len(categories)} plural forms {', '.join(categories)}")
        messages[key] = forms
    return messages


def _given(n: float | Decimal) -> Decimal:
    """Read a number as it is written, a whole one without decimals (JSON may add them)."""
    if isinstance(n, float) and n.is_integer():
        return Decimal(int(n))
    return Decimal(str(n))


def _rounded(x: float, decimals: int, factor: int = 1) -> Decimal:
    """Round half up what is written, not its binary neighbour: 0.575 · 100 is 57.5, thus 58."""
    if not math.isfinite(x):
        raise RenderError(f"a number to be written is {x}: it has no value")
    exact = Decimal(str(x)) * factor
    shown = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return abs(shown) if shown == 0 else shown
