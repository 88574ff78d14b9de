"""A linter for the HTML of an e-mail, and the table of what three mail clients support.

The table is a copy of facts from Can I email (https://www.caniemail.com, MIT licence), from the
snapshot of its repository of 2026-06-29. A key is the name of its page (``css-padding`` is
https://www.caniemail.com/features/css-padding/); a key with a colon is one value out of a page's
notes, and what Can I email has no page for says so in its note.

A status is the newest tested one: of Gmail the worst of the desktop webmail and the iOS and Android
apps, of Outlook on Windows that of the newest version with Word's engine, of Apple Mail the worst
of macOS and iOS. It is "y" (yes), "a" (partial: the note says what is missing, and `check` holds a
message to that), "n" (no) or "u" (unknown, which is treated as no). What is marked "y" may still
be buggy; where that matters there is a note as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Any

import tinycss2  # comes with WeasyPrint

#: Gmail cuts a longer message off at 102 KB; what a mail server adds must fit as well.
MOST_BYTES = 90_000
#: Gmail drops a <style> that is longer.
MOST_STYLE = 16 * 1024
#: A reading pane is seldom wider.
MOST_WIDTH = 640


@dataclass(frozen=True)
class Support:
    """What three clients make of a feature: y, a, n or u each."""

    gmail: str
    outlook_windows: str
    apple_mail: str
    note: str = ""

    @property
    def lacking(self) -> list[str]:
        """The clients that do not have it."""
        every = {"Gmail": self.gmail, "Outlook on Windows": self.outlook_windows,
                 "Apple Mail": self.apple_mail}
        return [client for client, status in every.items() if status not in ("y", "a")]


# ── The facts ────────────────────────────────────────────────────────────────────────────────────

_NO_PAGE = "Can I email has no page"
_OTHER_ACCOUNTS = "the Gmail apps drop it for accounts that are not Google's"

FEATURES: Mapping[str, Support] = MappingProxyType({
    # CSS: colours, backgrounds and borders
    "css-color": Support("y", "y", "y", f"{_NO_PAGE}: CSS 1, taken as supported everywhere"),
    "css-background": Support("y", "a", "y", "Word: only a colour"),
    "css-background-color": Support("y", "y", "y"),
    "css-background-image": Support("y", "n", "y", "Word: only by VML"),
    "css-linear-gradient": Support("a", "n", "y", "Gmail on Android: not in background-image"),
    "css-radial-gradient": Support("a", "n", "y", "Gmail on Android: not in background-image"),
    "css-border": Support("y", "a", "y", "Word: 8px at most; unreliable on <p> and <div>"),
    "css-border-collapse": Support("y", "y", "y"),
    "css-border-radius": Support("y", "n", "y"),
    "css-border-spacing": Support("y", "n", "y"),
    "css-box-shadow": Support("n", "n", "y"),
    "css-opacity": Support("y", "n", "y"),
    "css-outline": Support("y", "n", "y"),
    "css-rgb": Support("a", "a", "y", "commas only and no alpha: for spaces between the numbers "
                                      "Gmail drops the whole style attribute or <style>"),
    "css-rgba": Support("a", "n", "y", "Gmail: with commas only"),
    "css-modern-color": Support("n", "n", "y", "Gmail: drops the whole style attribute"),
    "css-color-scheme": Support("n", "n", "y", "only on the root element"),
    # CSS: boxes
    "css-display:block": Support("y", "n", "y", "Word knows no value but none"),
    "css-display:inline-block": Support("y", "n", "y", "Word knows no value but none"),
    "css-display:inline": Support("y", "n", "y", "Word knows no value but none"),
    "css-display-none": Support("y", "a", "y", "Word: not on <img>, and not for inner tables"),
    "css-display-flex": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-display-grid": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-box-sizing": Support("y", "n", "y"),
    "css-clear": Support("a", "n", "y", "Gmail on Android: no logical values"),
    "css-float": Support("a", "n", "y", "Gmail apps: no logical values; Word: the align attribute"),
    "css-gap": Support("a", "n", "y", "Gmail: only between columns of flex"),
    "css-height": Support("y", "a", "y", "Word: not on <body>, <span>, <div> and <p>"),
    "css-width": Support("y", "a", "y", "Word: not on <body>, <span>, <div>, <p> and <img>"),
    "css-left-right-top-bottom": Support("n", "n", "y"),
    "css-margin": Support("a", "a", "y", "nothing negative; Word: not on <span> and <body>, "
                                         "no auto, and the background fills the margin"),
    "css-max-height": Support("y", "n", "y"),
    "css-max-width": Support("y", "a", "y", "Word: only on <table>"),
    "css-min-height": Support("y", "n", "y"),
    "css-min-width": Support("y", "n", "y"),
    "css-object-fit": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-overflow": Support("a", "n", "a", "no overflow-block and overflow-inline"),
    "css-padding": Support("y", "a", "y", "Word: only on table cells, and the biggest vertical "
                                          "padding of a row is that of all its cells"),
    "css-position": Support("n", "n", "a", "Apple Mail: not sticky and fixed"),
    "css-table-layout": Support("y", "n", "y"),
    "css-transform": Support("n", "n", "y"),
    "css-visibility": Support("n", "n", "y"),
    "css-z-index": Support("n", "n", "y"),
    # CSS: text
    "css-direction": Support("y", "y", "y"),
    "css-font": Support("y", "y", "y"),
    "css-font-family": Support("y", "y", "y", f"{_NO_PAGE}: CSS 1, as in css-font"),
    "css-font-style": Support("y", "y", "y", f"{_NO_PAGE}: CSS 1, as in css-font"),
    "css-font-size": Support("y", "a", "y", "Word: no rem"),
    "css-font-weight": Support("y", "a", "y", "Word: normal below 600, bold from there on"),
    "css-sytem-ui": Support("a", "n", "y", "Gmail on Android: system-ui only"),
    "css-hyphens": Support("n", "n", "y"),
    "css-letter-spacing": Support("y", "a", "y", "Word: em is too small, big negative values"),
    "css-line-height": Support("y", "a", "y", "Word: em and px need mso-line-height-rule:exactly"),
    "css-list-style": Support("a", "a", "y", "only the values of list-style-type"),
    "css-list-style-image": Support("n", "n", "y"),
    "css-list-style-position": Support("y", "n", "y"),
    "css-list-style-type": Support("y", "y", "y"),
    "css-overflow-wrap": Support("n", "n", "a", "Apple Mail: needs word-break:normal"),
    "css-text-align": Support("a", "a", "y", "not start, end and match-parent"),
    "css-text-decoration": Support("a", "a", "y", "Word: one value, and not overline; "
                                                  + _OTHER_ACCOUNTS),
    "css-text-indent": Support("a", "y", "y", "Gmail: nothing negative"),
    "css-text-overflow": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-text-shadow": Support("n", "n", "y"),
    "css-text-size-adjust": Support("y", "y", "y", f"{_NO_PAGE}: read where it is needed, and "
                                                   "harmless elsewhere"),
    "css-text-transform": Support("y", "a", "y", "Word: not lowercase"),
    "css-vertical-align": Support("y", "y", "y"),
    "css-white-space": Support("a", "n", "y", "Gmail apps: not pre; " + _OTHER_ACCOUNTS),
    "css-word-break": Support("a", "y", "a", "Gmail and Apple Mail: long words break regardless"),
    "css-word-spacing": Support("y", "n", "y"),
    "css-word-wrap": Support("a", "n", "y", "Gmail: break-word regardless"),
    "css-mso": Support("y", "y", "y", f"{_NO_PAGE}: the mso- properties are Word's own, and "
                                      "harmless elsewhere"),
    # CSS: units, functions and what is around declarations
    "css-unit-px": Support("y", "y", "y"),
    "css-unit-percent": Support("y", "y", "y"),
    "css-unit-em": Support("y", "y", "y"),
    "css-unit-ex": Support("y", "y", "y"),
    "css-unit-pt": Support("y", "y", "y"),
    "css-unit-cm": Support("y", "y", "y"),
    "css-unit-mm": Support("y", "y", "y"),
    "css-unit-in": Support("y", "y", "y"),
    "css-unit-pc": Support("y", "y", "y"),
    "css-unit-ch": Support("y", "n", "y"),
    "css-unit-rem": Support("y", "n", "y"),
    "css-unit-vw": Support("y", "n", "y", "Gmail: of the browser's window, not of the message"),
    "css-unit-vh": Support("y", "n", "a", "Apple Mail on iOS: zero"),
    "css-unit-initial": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-unit-calc": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-function-min": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-function-max": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-function-clamp": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-variables": Support("n", "n", "y", "Gmail: reads var(), drops what declares it"),
    "css-important": Support("a", "a", "y", "Word: not inline; Gmail: in lower case"),
    "css-inline": Support("y", "y", "y", f"{_NO_PAGE}: the style attribute, which the tests of "
                                         "the properties use"),
    "css-selector-class": Support("a", "y", "y", _OTHER_ACCOUNTS),
    "css-selector-id": Support("a", "y", "y", _OTHER_ACCOUNTS),
    "css-selector-attribute": Support("a", "n", "y", "Gmail: only [class~=name]"),
    "css-selector-adjacent-sibling": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "css-at-media": Support("a", "n", "y", "Gmail: not by height; " + _OTHER_ACCOUNTS),
    "css-at-media-prefers-color-scheme": Support("n", "n", "y"),
    "css-at-supports": Support("n", "n", "y"),
    "css-at-import": Support("n", "y", "y"),
    "css-at-font-face": Support("n", "a", "y", "Word: ignores fonts from elsewhere"),
    # HTML: elements
    "html-body": Support("a", "y", "y", "Gmail: becomes a <div> with the attributes it supports"),
    "html-table": Support("y", "y", "y"),
    "html-div": Support("y", "y", "y"),
    "html-span": Support("y", "y", "y"),
    "html-p": Support("y", "y", "y"),
    "html-h1-h6": Support("y", "y", "y"),
    "html-a": Support("y", "y", "y", f"{_NO_PAGE} but for kinds of links: HTML 2"),
    "html-anchor-links": Support("n", "y", "y", "Gmail on iOS: a tap does nothing"),
    "html-mailto-links": Support("y", "y", "y"),
    "html-strong": Support("y", "y", "y"),
    "html-small": Support("y", "y", "y"),
    "html-text-level": Support("y", "y", "y", f"{_NO_PAGE}: <br>, <b>, <i>, <em>, <sub>, <sup>, "
                                              "HTML 3.2"),
    "html-lists": Support("a", "a", "y", "not reversed; Word splits a list at <li value>"),
    "html-lists:reversed": Support("n", "n", "y"),
    "html-lists:value": Support("y", "n", "y", "Word splits the list there"),
    "html-img": Support("y", "y", "y"),
    "html-hr": Support("y", "y", "y"),
    "html-blockquote": Support("y", "y", "y"),
    "html-address": Support("y", "y", "y"),
    "html-code": Support("y", "y", "y"),
    "html-pre": Support("y", "y", "y"),
    "html-abbr": Support("y", "n", "y", "Word: keeps the text"),
    "html-semantics": Support("a", "n", "y", "Gmail: not details, main, nav and summary"),
    "html-style": Support("a", "a", "y", "Gmail: not in <body>, 16 KB at most; " + _OTHER_ACCOUNTS
                                         + "; Word: before what it styles"),
    "html-link": Support("n", "y", "y"),
    "html-base": Support("a", "y", "y", "Gmail: dropped"),
    "html-comments": Support("y", "y", "y"),
    "html-meta-color-scheme": Support("n", "n", "n", "only Apple Mail on macOS"),
    "html-form": Support("a", "n", "y", "Gmail on iOS: cannot be sent with other accounts"),
    "html-input-text": Support("y", "n", "y"),
    "html-textarea": Support("y", "n", "y"),
    "html-select": Support("a", "n", "a", "Apple Mail on iOS: the screen goes blank"),
    "html-button-submit": Support("a", "n", "y", _OTHER_ACCOUNTS),
    "html-audio": Support("n", "n", "y"),
    "html-video": Support("n", "n", "a", "Apple Mail on iOS: only with controls"),
    "html-object": Support("n", "n", "a", "Apple Mail on macOS: no videos"),
    "html-svg": Support("n", "n", "a", "Apple Mail on macOS: needs a background on <body>"),
    "html-picture": Support("n", "n", "a", "Apple Mail on macOS: stripped in some cases"),
    # HTML: attributes
    "html-align": Support("y", "y", "y"),
    "html-valign": Support("y", "y", "y"),
    "html-width": Support("y", "a", "y", "Word: a percentage on <img> is of the file's width; "
                                         "Apple Mail on macOS: ignored on an image by cid:"),
    "html-height": Support("y", "a", "y", "Word: a percentage on <img> is of the file's size"),
    "html-cellpadding": Support("y", "y", "y"),
    "html-cellspacing": Support("y", "y", "y"),
    "html-bgcolor": Support("y", "y", "y", f"{_NO_PAGE}: HTML 3.2"),
    "html-border": Support("y", "y", "y", f"{_NO_PAGE}: HTML 3.2"),
    "html-background": Support("a", "a", "y", "Word: only on <body>; " + _OTHER_ACCOUNTS),
    "html-basic": Support("y", "y", "y", f"{_NO_PAGE}: the attributes of HTML 4 without which a "
                                         "link, an image, a cell or a list does not work"),
    "html-role": Support("y", "y", "y"),
    "html-lang": Support("y", "y", "y"),
    "html-dir": Support("y", "a", "y", "Word: buggy on <a>"),
    "html-aria-hidden": Support("y", "y", "y"),
    "html-aria-label": Support("y", "y", "y"),
    "html-aria-labelledby": Support("n", "n", "y", "the id it names is renamed or removed"),
    "html-aria-describedby": Support("n", "n", "y", "the id it names is renamed"),
    "html-hidden": Support("n", "n", "y"),
    "html-target": Support("n", "a", "a", "a link opens a new window anyway"),
    "html-srcset": Support("n", "n", "y"),
    "html-loading-attribute": Support("n", "n", "y"),
    # Images
    "image-png": Support("y", "y", "y"),
    "image-jpg": Support("y", "y", "y"),
    "image-gif": Support("y", "a", "y", "Word: does not move"),
    "image-bmp": Support("a", "y", "y", "Gmail: wrong colours"),
    "image-svg": Support("n", "y", "y", "Gmail apps: only for accounts that are not Google's"),
    "image-webp": Support("a", "n", "y", "Gmail: turned into a JPEG"),
    "image-avif": Support("a", "n", "y", "Gmail: turned into a JPEG"),
    "image-base64": Support("n", "a", "y", "Word: from 2019 on, and no GIF"),
})

#: What a client may lack, and why the message is still right without it.
DEGRADES: Mapping[str, str] = MappingProxyType({
    "css-border-radius": "the corners are square in Word",
    "css-display:block": "Word leaves an image or a link on its line; alone in its cell it looks "
                         "the same",
    "css-display:inline-block": "boxes side by side are cells of the ghost table in Word",
    "css-max-height": "says once more, to clients outside the table, that the preheader is hidden",
    "css-overflow": "says once more, to clients outside the table, that the preheader is hidden",
    "css-white-space": "a line breaks that need not, no text is lost",
    "html-meta-color-scheme": "a client that does not read it keeps the light colours or makes "
                              "dark ones up itself; the message must bear both",
})


# ── What in a message uses which feature ─────────────────────────────────────────────────────────

_SIDES = ("top", "right", "bottom", "left")

#: A property and its feature; `display` goes by its value.
PROPERTIES: Mapping[str, str] = MappingProxyType({
    **{name: f"css-{name}" for name in (
        "color", "background", "background-color", "background-image", "border", "border-collapse",
        "border-radius", "border-spacing", "box-shadow", "box-sizing", "clear", "color-scheme",
        "direction", "float", "font", "font-family", "font-size", "font-style", "font-weight",
        "gap", "height", "hyphens", "letter-spacing", "line-height", "list-style",
        "list-style-image", "list-style-position", "list-style-type", "margin", "max-height",
        "max-width", "min-height", "min-width", "object-fit", "opacity", "outline", "overflow",
        "overflow-wrap", "padding", "position", "table-layout", "text-align", "text-decoration",
        "text-indent", "text-overflow", "text-shadow", "text-transform", "transform",
        "vertical-align", "visibility", "white-space", "width", "word-break", "word-spacing",
        "word-wrap", "z-index")},
    **{f"{name}-{side}": f"css-{name}" for name in ("margin", "padding", "border")
       for side in _SIDES},
    **{f"border-{part}": "css-border" for part in ("width", "style", "color")},
    **{f"border-{side}-{part}": "css-border" for side in _SIDES
       for part in ("width", "style", "color")},
    **dict.fromkeys(_SIDES, "css-left-right-top-bottom"),
    "-webkit-text-size-adjust": "css-text-size-adjust",
    "-ms-text-size-adjust": "css-text-size-adjust",
})

#: A value of `display` and its feature.
DISPLAYS: Mapping[str, str] = MappingProxyType({
    "none": "css-display-none", "block": "css-display:block", "inline": "css-display:inline",
    "inline-block": "css-display:inline-block", "flex": "css-display-flex",
    "inline-flex": "css-display-flex", "grid": "css-display-grid",
    "inline-grid": "css-display-grid",
})

#: A function in a value and its feature.
FUNCTIONS: Mapping[str, str] = MappingProxyType({
    "rgb": "css-rgb", "rgba": "css-rgba", "calc": "css-unit-calc", "min": "css-function-min",
    "max": "css-function-max", "clamp": "css-function-clamp", "var": "css-variables",
    "linear-gradient": "css-linear-gradient", "radial-gradient": "css-radial-gradient",
    "lab": "css-modern-color", "lch": "css-modern-color", "oklab": "css-modern-color",
    "oklch": "css-modern-color", "color": "css-modern-color",
})

#: A rule with an @ and its feature, where it is not @media.
AT_RULES: Mapping[str, str] = MappingProxyType({
    "import": "css-at-import", "font-face": "css-at-font-face", "supports": "css-at-supports",
})

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

#: An element and its feature. The page of <table> is that of what a table is made of too.
ELEMENTS: Mapping[str, str] = MappingProxyType({
    **{name: f"html-{name}" for name in (
        "body", "table", "div", "span", "p", "a", "strong", "small", "img", "hr", "blockquote",
        "address", "code", "pre", "abbr", "style", "link", "base", "form", "textarea", "select",
        "audio", "video", "object", "svg", "picture")},
    **dict.fromkeys(("thead", "tbody", "tfoot", "tr", "td", "th"), "html-table"),
    **dict.fromkeys(_HEADINGS, "html-h1-h6"),
    **dict.fromkeys(("ul", "ol", "li", "dl", "dt", "dd"), "html-lists"),
    **dict.fromkeys(("br", "b", "i", "em", "sub", "sup"), "html-text-level"),
    **dict.fromkeys(("article", "aside", "details", "figcaption", "figure", "footer", "header",
                     "main", "mark", "nav", "section", "summary", "time"), "html-semantics"),
    "input": "html-input-text", "button": "html-button-submit",
})

#: Elements that are not for a message, whatever one of the clients makes of them, and why.
FORBIDDEN: Mapping[str, str] = MappingProxyType({
    "link": "external CSS is not loaded",
    "script": "no client runs it, and many take the message for an attack",
    "svg": "Gmail and Outlook drop it",
    "form": "Outlook does not send it",
    "iframe": "no client shows it",
    "video": "Gmail and Outlook do not play it",
    "base": "Gmail drops it, so links must be whole",
})

_CELLS = ("td", "th")
_ANY = ()

#: An attribute, its feature and the elements it is for (none named: all).
ATTRIBUTES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType({
    "align": ("html-align", ("table", "tr", *_CELLS, "div", "p", *_HEADINGS, "img", "hr")),
    "valign": ("html-valign", ("tr", *_CELLS)),
    "width": ("html-width", ("table", *_CELLS, "img", "hr")),
    "height": ("html-height", ("table", *_CELLS, "img")),
    "cellpadding": ("html-cellpadding", ("table",)),
    "cellspacing": ("html-cellspacing", ("table",)),
    "bgcolor": ("html-bgcolor", ("body", "table", "tr", *_CELLS)),
    "border": ("html-border", ("table", "img")),
    "colspan": ("html-basic", _CELLS),
    "rowspan": ("html-basic", _CELLS),
    "scope": ("html-basic", ("th",)),
    "href": ("html-basic", ("a",)),
    "src": ("html-basic", ("img",)),
    "alt": ("html-basic", ("img",)),
    "start": ("html-basic", ("ol",)),
    "type": ("html-basic", ("ol", "ul")),
    "reversed": ("html-lists:reversed", ("ol",)),
    "value": ("html-lists:value", ("li",)),
    "style": ("css-inline", _ANY),
    "class": ("css-selector-class", _ANY),
    "id": ("css-selector-id", _ANY),
    "role": ("html-role", _ANY),
    "lang": ("html-lang", _ANY),
    "dir": ("html-dir", _ANY),
    "aria-hidden": ("html-aria-hidden", _ANY),
    "aria-label": ("html-aria-label", _ANY),
    "aria-labelledby": ("html-aria-labelledby", _ANY),
    "aria-describedby": ("html-aria-describedby", _ANY),
    "hidden": ("html-hidden", _ANY),
    "target": ("html-target", ("a",)),
    "srcset": ("html-srcset", ("img",)),
    "loading": ("html-loading-attribute", ("img",)),
})

#: The ending of an image's name and its feature.
IMAGES: Mapping[str, str] = MappingProxyType({
    "png": "image-png", "jpg": "image-jpg", "jpeg": "image-jpg", "gif": "image-gif",
    "bmp": "image-bmp", "svg": "image-svg", "webp": "image-webp", "avif": "image-avif",
})

#: The selectors that a rule outside @media may have: each reaches one client, which changes the
#: colours or the links of a message by itself, or declares what the meta elements declare.
HOOKS: Mapping[str, str] = MappingProxyType({
    r":root": "color-scheme, for Apple Mail",
    r"body": "what a client that keeps <style> but not its attributes shows around the message",
    r"u \+ #body(?: .+)?": "Gmail: it puts an empty <u> before what was <body>",
    r"\[data-ogs[cb]\](?: .+)?": "outlook.com and Outlook's apps with a dark background",
    r"a\[x-apple-data-detectors\]": "Apple Mail on iOS makes links of dates and numbers",
})

_VOID = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source",
         "track", "wbr")
_FLOWING = ("p", *_HEADINGS, "ul", "ol", "li", "dl", "dt", "dd", "blockquote")
_PX = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4,
       "em": 16.0, "rem": 16.0}


def _unsupported(feature: str, used: str) -> Iterator[str]:
    """Say what the table has against a feature."""
    support = FEATURES.get(feature)
    if support is None:
        yield f"{used}: {feature} is not in the table of what clients support"
    elif support.lacking and feature not in DEGRADES:
        note = f" ({support.note})" if support.note else ""
        yield f"{used}: no support for {feature} in {', '.join(support.lacking)}{note}"


# ── Values ───────────────────────────────────────────────────────────────────────────────────────

Token = Any         # tinycss2 has no types


@dataclass(frozen=True)
class _Use:
    """A declaration in a style attribute, and where it stands."""

    tag: str
    attrs: Mapping[str, str]
    name: str
    tokens: list[Token]                    # without white space
    declared: Mapping[str, list[Token]]    # all of the attribute
    ghosts: int                            # tables that only Word sees and that are open here

    @property
    def words(self) -> list[str]:
        return [token.lower_value for token in self.tokens if token.type == "ident"]

    @property
    def hidden(self) -> bool:
        return _is_hidden(self.declared)


def _declarations(style: str) -> list[Any]:
    return list(tinycss2.parse_blocks_contents(style, skip_comments=True, skip_whitespace=True))


def _solid(tokens: list[Token]) -> list[Token]:
    return [token for token in tokens if token.type not in ("whitespace", "comment")]


def _is_hidden(declared: Mapping[str, list[Token]]) -> bool:
    return [token.serialize() for token in declared.get("display", [])] == ["none"]


def _walk(tokens: list[Token]) -> Iterator[Token]:
    """Give every token of a value, those within functions too."""
    for token in tokens:
        yield token
        if token.type == "function":
            yield from _walk(token.arguments)


def _is_zero(token: Token) -> bool:
    return token.type in ("number", "dimension", "percentage") and token.value == 0


def _px(token: Token) -> float | None:
    """Give a length in pixels, or None for what is not a length."""
    if token.type == "dimension":
        return token.value * _PX[token.lower_unit] if token.lower_unit in _PX else None
    return 0.0 if _is_zero(token) else None


def _four(tokens: list[Token]) -> list[str]:
    """Spell out top, right, bottom and left of a shorthand."""
    texts = ["0" if _is_zero(token) else token.serialize() for token in tokens]
    return (texts * 4)[:4] if len(texts) in (1, 2) else [*texts, *texts[1:2]][:4]


def _vertical(declared: Mapping[str, list[Token]]) -> tuple[str, str]:
    """Give the padding above and below."""
    top, _, bottom, _ = _four(declared["padding"]) if declared.get("padding") else ("0",) * 4
    if declared.get("padding-top"):
        top = _four(declared["padding-top"])[0]
    if declared.get("padding-bottom"):
        bottom = _four(declared["padding-bottom"])[0]
    return top, bottom


def _features_of(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """Give each feature that a value uses, and the text that uses it."""
    for token in _walk(tokens):
        if token.type == "dimension":
            yield f"css-unit-{token.lower_unit}", token.serialize()
        elif token.type == "percentage":
            yield "css-unit-percent", token.serialize()
        elif token.type == "url" or (token.type == "function" and token.lower_name == "url"):
            yield "css-background-image", "url()"
        elif token.type == "function":
            yield FUNCTIONS.get(token.lower_name, f"function {token.lower_name}"), (
                f"{token.lower_name}()")
        elif token.type == "hash" and len(token.value) not in (3, 6):
            yield "css-modern-color", token.serialize()
        elif token.type == "ident" and token.lower_value in ("initial", "unset", "revert"):
            yield "css-unit-initial", token.lower_value


def _everywhere(name: str, tokens: list[Token]) -> Iterator[str]:
    """Say what is wrong with a declaration wherever it stands, also in @media."""
    words = [token.lower_value for token in tokens if token.type == "ident"]
    if name in ("position", "float") or (
            name == "display" and any(word.endswith(("flex", "grid")) for word in words)):
        yield f"{name}: {tinycss2.serialize(tokens)}: a message is laid out by its tables"
    for token in _walk(tokens):
        if token.type == "url" or (token.type == "function" and token.lower_name == "url"):
            yield f"{name}: {token.serialize()}: no URL in the CSS, clients do not load it"
        elif token.type == "function" and token.lower_name in ("rgb", "rgba"):
            commas = sum(part == "," for part in token.arguments)
            if commas != (2 if token.lower_name == "rgb" else 3):
                yield (f"{name}: {token.serialize()}: css-rgb, {FEATURES['css-rgb'].note}")


# ── What the notes of partial support demand ─────────────────────────────────────────────────────


def _background(use: _Use) -> Iterator[str]:
    if len(use.tokens) != 1:
        yield "Word reads only a colour"


def _border(use: _Use) -> Iterator[str]:
    none = "none" in use.words or all(_is_zero(token) for token in use.tokens)
    if use.tag in ("p", "div") and not none:
        yield "Word does not draw it reliably on <p> and <div>, give it to a cell"
    if any((_px(token) or 0) > 8 for token in use.tokens):
        yield "Word draws 8px at most"


def _display_none(use: _Use) -> Iterator[str]:
    if use.tag == "img":
        yield "Word does not hide an <img>"


def _inline_block(use: _Use) -> Iterator[str]:
    if use.tag in ("div", "table") and not use.ghosts:
        yield "needs a ghost table around it (<!--[if mso]><table …>)"


def _font_weight(use: _Use) -> Iterator[str]:
    if use.tokens and use.tokens[0].serialize() not in ("normal", "bold", "400", "600", "700"):
        yield "Word knows normal (400) and bold (600, 700)"


def _size(use: _Use) -> Iterator[str]:
    value = [token.serialize() for token in use.tokens]
    natural = value == ["auto"] or (use.name == "width" and value == ["100%"])
    if use.tag in ("body", "span", "div", "p") and not (natural or use.hidden):
        yield f"Word ignores it on <{use.tag}>, give it to a cell or a table"


def _letter_spacing(use: _Use) -> Iterator[str]:
    if use.words != ["normal"] and any((_px(token) or -1) < 0 or token.type != "dimension"
                                       or token.lower_unit == "em"
                                       for token in use.tokens if not _is_zero(token)):
        yield "Word needs px or pt, and nothing negative"


def _line_height(use: _Use) -> Iterator[str]:
    height = use.tokens
    if use.name == "font":
        slashes = [at for at, token in enumerate(height) if token == "/"]
        height = height[slashes[0] + 1:][:1] if slashes else []
    exactly = [token.serialize() for token in use.declared.get("mso-line-height-rule", [])]
    inexact = any(token.type == "dimension" for token in height) and exactly != ["exactly"]
    if inexact and not use.hidden:
        yield "Word needs a bare number or a percentage, or mso-line-height-rule:exactly with it"


def _list_style(use: _Use) -> Iterator[str]:
    if len(use.tokens) != 1 or use.words in ([], ["inside"], ["outside"]):
        yield "Gmail and Word read only a value of list-style-type"


def _margin(use: _Use) -> Iterator[str]:
    sizes = [token for token in use.tokens if not _is_zero(token) and token.type != "ident"]
    if any(token.type in ("dimension", "percentage", "number") and token.value < 0
           for token in sizes):
        yield "Gmail and Word drop negative values"
    if sizes and use.tag not in _FLOWING:
        yield f"not on <{use.tag}>, space between boxes is the padding of a cell"
    if sizes and not {"background", "background-color"}.isdisjoint(use.declared):
        yield "Word fills the margin with the background"
    centred = use.attrs.get("align") == "center" or (use.ghosts and use.tag in ("div", "table"))
    if "auto" in use.words and not centred:
        yield "Word has no auto: align=\"center\", or a ghost table around it"


def _max_width(use: _Use) -> Iterator[str]:
    ghost = use.tag == "div" and use.ghosts
    if use.tag not in ("table", "img") and not ghost and use.words != ["none"]:
        yield (f"Word ignores it on <{use.tag}>: a <table>, or a <div> with a ghost table around "
               "it (<!--[if mso]><table …>)")


def _only_to_hide(use: _Use) -> Iterator[str]:
    if not use.hidden:
        yield "no support in Outlook on Windows: only beside display:none"


def _padding(use: _Use) -> Iterator[str]:
    if use.tag not in _CELLS and not all(_is_zero(token) for token in use.tokens):
        yield f"Word ignores it on <{use.tag}>, give it to a cell"


def _text_align(use: _Use) -> Iterator[str]:
    if use.words not in (["left"], ["right"], ["center"], ["justify"]):
        yield "left, right, center or justify"


def _text_decoration(use: _Use) -> Iterator[str]:
    if len(use.tokens) != 1 or use.words not in (["none"], ["underline"], ["line-through"]):
        yield "Word reads one value: none, underline or line-through"


def _text_indent(use: _Use) -> Iterator[str]:
    if any((_px(token) or 0) < 0 for token in use.tokens):
        yield "Gmail drops negative values"


def _text_transform(use: _Use) -> Iterator[str]:
    if "lowercase" in use.words:
        yield "Word has no lowercase"


def _white_space(use: _Use) -> Iterator[str]:
    if use.words not in (["nowrap"], ["normal"]):
        yield "the Gmail apps have no pre, and Word has none of it: nowrap or normal"


_Demand = Callable[[_Use], Iterator[str]]

_DEMANDS: Mapping[str, _Demand] = MappingProxyType({
    "css-background": _background,
    "css-border": _border,
    "css-display-none": _display_none,
    "css-display:inline-block": _inline_block,
    "css-font": _line_height,
    "css-font-weight": _font_weight,
    "css-height": _size,
    "css-width": _size,
    "css-letter-spacing": _letter_spacing,
    "css-line-height": _line_height,
    "css-list-style": _list_style,
    "css-margin": _margin,
    "css-max-height": _only_to_hide,
    "css-max-width": _max_width,
    "css-overflow": _only_to_hide,
    "css-padding": _padding,
    "css-text-align": _text_align,
    "css-text-decoration": _text_decoration,
    "css-text-indent": _text_indent,
    "css-text-transform": _text_transform,
    "css-white-space": _white_space,
})


def _property_feature(name: str, tokens: list[Token]) -> str:
    if name.startswith("mso-"):
        return "css-mso"
    if name.startswith("--"):
        return "css-variables"
    if name == "display":
        value = " ".join(token.serialize().lower() for token in tokens)
        return DISPLAYS.get(value, f"css-display:{value}")
    return PROPERTIES.get(name, f"property {name}")


def _declaration(use: _Use) -> Iterator[str]:
    """Say what is wrong with a declaration in a style attribute."""
    said = f"<{use.tag}> {use.name}: {' '.join(token.serialize() for token in use.tokens)}"
    feature = _property_feature(use.name, use.tokens)
    yield from _unsupported(feature, said)
    for used, text in _features_of(use.tokens):
        yield from _unsupported(used, f"<{use.tag}> {use.name}: {text}")
    if feature in _DEMANDS:
        yield from (f"{said}: {why}" for why in _DEMANDS[feature](use))
    yield from (f"<{use.tag}> {why}" for why in _everywhere(use.name, use.tokens))
    if use.name == "font-family" or use.name == "font":
        for word in use.words:
            if word == "system-ui" or word.startswith("ui-"):
                yield from _unsupported("css-sytem-ui", f"<{use.tag}> {use.name}: {word}")
    if use.name in ("width", "max-width", "min-width"):
        widest = max((_px(token) or 0 for token in use.tokens), default=0)
        if widest > MOST_WIDTH:
            yield f"{said}: wider than {MOST_WIDTH}px"


# ── Style sheets ─────────────────────────────────────────────────────────────────────────────────


def _sheet(css: str) -> Iterator[str]:
    """Say what is wrong with the text of a <style>."""
    for rule in tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "error":
            yield f"<style>: {rule.message}"
        elif rule.type == "qualified-rule":
            selectors = re.sub(r"\s+", " ", tinycss2.serialize(rule.prelude)).strip()
            unknown = [one for one in selectors.split(",")
                       if not any(re.fullmatch(hook, one.strip()) for hook in HOOKS)]
            if unknown:
                yield (f"<style> {selectors}: a rule outside @media, which the Gmail apps drop for "
                       "other accounts: style the element itself")
            yield from _block(selectors, rule.content)
        elif rule.lower_at_keyword == "media":
            yield from _media(rule)
        else:
            keyword = rule.lower_at_keyword
            feature = AT_RULES.get(keyword, "no part of a message")
            yield f"<style> @{keyword}: {feature}: only @media"


def _media(media: Any) -> Iterator[str]:
    query = "@media " + tinycss2.serialize(media.prelude).strip()
    inner = tinycss2.parse_rule_list(media.content or [], skip_comments=True, skip_whitespace=True)
    for rule in inner:
        if rule.type == "error":
            yield f"<style> {query}: {rule.message}"
        elif rule.type == "at-rule":
            yield f"<style> {query}: @{rule.lower_at_keyword} within it"
        else:
            yield from _block(tinycss2.serialize(rule.prelude).strip(), rule.content)


def _block(selectors: str, content: list[Token]) -> Iterator[str]:
    for part in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if part.type == "declaration":
            found = _everywhere(part.lower_name, _solid(part.value))
            yield from (f"<style> {selectors} {why}" for why in found)
        else:
            yield f"<style> {selectors}: {getattr(part, 'message', 'a rule within a rule')}"


# ── The document ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Open:
    """An element that is not closed yet."""

    tag: str
    line: int
    attrs: Mapping[str, str]
    hidden: bool = False
    scoped: bool = False                                    # a table with a <th scope>
    paddings: set[tuple[str, str]] = field(default_factory=set)     # of a row's cells


class _Linter(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.opened: list[_Open] = []
        self.metas: set[str] = set()
        self.lang = ""
        self.styles: list[str] = []
        self.ghosts = 0
        self.revealed = 0

    def say(self, text: str, line: int | None = None) -> None:
        self.found.append(f"line {line or self.getpos()[0]}: {text}")

    def within(self, tag: str) -> bool:
        return any(one.tag == tag for one in self.opened)

    def nearest(self, *tags: str) -> _Open | None:
        return next((one for one in reversed(self.opened) if one.tag in tags), None)

    # Elements

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        element = _Open(tag, self.getpos()[0], given)
        for name in given:
            if name.startswith("on"):
                self.say(f"<{tag} {name}>: no client runs it")
        if tag in FORBIDDEN:
            self.say(f"<{tag}>: {FORBIDDEN[tag]}")
        elif tag == "html":
            self.lang = given.get("lang", "")
        elif self.within("head"):
            self._in_head(tag, given)
        elif tag != "head":
            self._in_body(element)
        if tag == "style":
            self.styles.append("")
        if tag not in _VOID:
            self.opened.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)        # the slash closes nothing in HTML

    def handle_endtag(self, tag: str) -> None:
        if not self.opened or self.opened[-1].tag != tag:
            self.say(f"</{tag}> closes "
                     + (f"<{self.opened[-1].tag}>" if self.opened else "nothing"))
            if not self.within(tag):
                return
        while self.opened:
            element = self.opened.pop()
            self._closed(element)
            if element.tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if self.opened and self.opened[-1].tag == "style":
            self.styles[-1] += data

    def _in_head(self, tag: str, attrs: Mapping[str, str]) -> None:
        if tag == "meta":
            name = attrs.get("name", "").lower()
            self.metas.add(name)
            if name.endswith("color-scheme"):
                for why in _unsupported("html-meta-color-scheme", f'<meta name="{name}">'):
                    self.say(why)
        elif tag not in ("title", "style"):
            self.say(f"<{tag}>: not in <head>")

    def _in_body(self, element: _Open) -> None:
        tag, attrs = element.tag, element.attrs
        for why in _unsupported(ELEMENTS.get(tag, f"element {tag}"), f"<{tag}>"):
            self.say(why)
        if tag == "style":
            self.say("<style> in <body>: html-style, Gmail drops it")
        for name in attrs:
            self._attribute(tag, name)
        self._style(element)
        self._parts(element)
        if tag == "img":
            self._image(attrs)
        if tag == "a":
            self._link(attrs)

    def _attribute(self, tag: str, name: str) -> None:
        used = f"<{tag} {name}>"
        if name == "background":
            self.say(f"{used}: html-background, Word shows no image behind a table")
            return
        if name.startswith("on"):
            return      # said already
        feature, tags = ATTRIBUTES.get(name, (f"attribute {name}", _ANY))
        if tags and tag not in tags:
            self.say(f"{used}: {feature} is not for <{tag}>")
        if (tag, name) == ("a", "dir"):
            self.say(f"{used}: html-dir, {FEATURES['html-dir'].note}")
        for why in _unsupported(feature, used):
            self.say(why)

    def _style(self, element: _Open) -> None:
        parts = _declarations(element.attrs.get("style", ""))
        declared = {part.lower_name: _solid(part.value) for part in parts
                    if part.type == "declaration"}
        element.hidden = _is_hidden(declared)
        for part in parts:
            if part.type != "declaration":
                self.say(f"<{element.tag} style>: "
                         + getattr(part, "message", "a rule within an attribute"))
                continue
            use = _Use(element.tag, element.attrs, part.lower_name, _solid(part.value), declared,
                       self.ghosts)
            for why in _declaration(use):
                self.say(why)
            if part.important:
                self.say(f"<{element.tag}> {part.lower_name} !important: css-important, "
                         "Word does not read it inline")
        row = self.nearest("tr", "table")
        if element.tag in _CELLS and row:
            row.paddings.add(_vertical(declared))
        if element.tag == "img" and "width" not in declared:
            self.say("<img style> without width: html-width, Apple Mail ignores the attribute "
                     "for cid:")

    def _parts(self, element: _Open) -> None:
        """Look at an element together with those around it."""
        if element.tag == "table" and any(one.hidden for one in self.opened):
            self.say("<table> in display:none: css-display-none, Word shows an inner table")
        if element.tag == "th" and element.attrs.get("scope") and (table := self.nearest("table")):
            table.scoped = True
        width = element.attrs.get("width", "")
        if element.tag != "img" and width and not re.fullmatch(r"\d+%?", width):
            self.say(f'<{element.tag} width="{width}">: html-width is a bare number or a '
                     "percentage")
        if re.fullmatch(r"\d+", width) and int(width) > MOST_WIDTH:
            self.say(f'<{element.tag} width="{width}">: wider than {MOST_WIDTH}px')

    def _image(self, attrs: Mapping[str, str]) -> None:
        src = attrs.get("src", "")
        if "alt" not in attrs:
            self.say("<img> without alt: many clients show no image until asked")
        for name in ("width", "height"):
            if not re.fullmatch(r"\d+", attrs.get(name, "")):
                self.say(f"<img> without {name} in pixels: html-{name}, Word goes by the file's")
        if src.startswith("data:"):
            self.say("<img> data: URI: image-base64 has no support in "
                     + ", ".join(FEATURES["image-base64"].lacking))
        elif not src.startswith("cid:"):
            self.say(f"<img> {src or 'without src'}: a remote image is blocked, send it along and "
                     "name it by cid:")
        kind = re.match(r"data:image/(\w+)|[^@?#]*\.(\w+)(?:[@?#]|$)", src)
        ending = (kind[1] or kind[2]).lower() if kind else ""
        if ending in IMAGES:        # the name after cid: need not tell the kind
            for why in _unsupported(IMAGES[ending], f"<img> {ending}"):
                self.say(why)

    def _link(self, attrs: Mapping[str, str]) -> None:
        href = attrs.get("href", "")
        if href.startswith("#"):
            for why in _unsupported("html-anchor-links", f"<a> {href}"):
                self.say(why)
        elif not re.match(r"https?://|mailto:", href):
            self.say(f"<a> {href or 'without href'}: a link is https:, http: or mailto:")

    def _closed(self, element: _Open) -> None:
        """Look at an element once all that is in it is known."""
        if element.tag == "style":
            for why in _sheet(self.styles[-1]):
                self.say(why, element.line)
        if element.tag == "tr":
            padded = element.paddings - {("0", "0")}
            if len(padded) > 1:
                self.say("<tr> of cells with different vertical padding: css-padding, Word gives "
                         "all of them the biggest", element.line)
        if element.tag == "table":
            role = element.attrs.get("role")
            if role == "table" or (role is None and element.scoped):
                return
            if role != "presentation":
                self.say('<table> without role="presentation", and it is no table of data '
                         '(role="table" or a <th scope>)', element.line)
            elif element.scoped:
                self.say('<table role="presentation"> with a <th scope>: it is a table of data',
                         element.line)
            for name in ("cellpadding", "cellspacing", "border"):
                if name not in element.attrs:
                    self.say(f"<table> without {name}: html-{name}, each client has its own",
                             element.line)

    # Comments that Word reads, or all but Word

    def handle_comment(self, data: str) -> None:
        if hidden := re.fullmatch(r"\[if ([^\]]*)\]>(.*)<!\[endif\]", data, re.S):
            condition, content = hidden.groups()
            if "[if " in content or "<![endif]" in content:
                self.say("conditional comment within another")
            if "mso" in condition and "!mso" not in condition:
                tables = re.findall(r"<(/?)table\b", content, re.I)
                self.ghosts += sum(-1 if slash else 1 for slash in tables)
        elif re.fullmatch(r"\[if [^\]]*\]>(?:<!)?", data):
            self.revealed += 1
        elif data == "<![endif]":
            self.revealed -= 1
            if self.revealed < 0:
                self.say("conditional comment closed that was not opened: <!--<![endif]-->")
        elif "[if " in data or "[endif]" in data:
            self.say(f"conditional comment is not balanced: <!--{data[:40]}…-->")

    def ended(self) -> None:
        """Look at what only the end of the document tells."""
        for element in self.opened:
            self.say(f"<{element.tag}> is not closed", element.line)
        if self.revealed > 0:
            self.say("conditional comment is not closed: <!--[if !mso]><!-->")
        if self.ghosts:
            self.say("conditional comments open and close different numbers of <table>")
        if not self.lang:
            self.say("<html> without lang")
        for name in ("color-scheme", "supported-color-schemes"):
            if name not in self.metas:
                self.say(f'no <meta name="{name}"> in <head>')
        size = sum(len(css.encode()) for css in self.styles)
        if size > MOST_STYLE:
            self.say(f"<style> of {size} bytes: html-style, Gmail drops more than {MOST_STYLE}")


def _without_stray_conditions(html: str) -> tuple[str, list[str]]:
    """Take <![if …]> and <![endif]> outside comments out: Python's parsers differ about them."""
    pieces = re.split(r"(<!--.*?-->)", html, flags=re.S)
    found = []
    for at in range(0, len(pieces), 2):
        if "<!--" in pieces[at]:
            found.append("a comment is not closed: <!-- without -->")
            pieces[at] = pieces[at].replace("<!--", "")
        pieces[at], stray = re.subn(r"<!\[[^>]*>", "", pieces[at])
        if stray:
            found.append("conditional comment is not balanced: <![…]> outside a comment")
    return "".join(pieces), found


def check(html: str) -> list[str]:
    """Name everything in a message that one of the clients would not show as it is meant."""
    text, found = _without_stray_conditions(html)
    linter = _Linter()
    linter.feed(text)
    linter.close()
    linter.ended()
    size = len(html.encode())
    if size >= MOST_BYTES:
        found.append(f"{size} bytes: Gmail cuts a long message off, less than {MOST_BYTES} it is")
    return list(dict.fromkeys([*found, *linter.found]))
