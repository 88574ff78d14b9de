"""The linter of messages finds what a client would not show, and lets a sound message pass."""

from __future__ import annotations

import pytest

from .clients import (
    AT_RULES,
    ATTRIBUTES,
    DEGRADES,
    DISPLAYS,
    ELEMENTS,
    FEATURES,
    FUNCTIONS,
    IMAGES,
    MOST_BYTES,
    MOST_STYLE,
    PROPERTIES,
    check,
)

LAYOUT = 'role="presentation" cellpadding="0" cellspacing="0" border="0"'
METAS = ('<meta name="color-scheme" content="light dark">'
         '<meta name="supported-color-schemes" content="light dark">')
IMAGE = '<img src="cid:risk.png@report" alt="Risk" width="300" height="90" style="width:300px">'

SOUND = f"""<!DOCTYPE html>
<html lang="ru" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
{METAS}
<title>Report</title>
<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch>
</o:OfficeDocumentSettings></xml><![endif]-->
<style>
  :root {{ color-scheme: light dark; supported-color-schemes: light dark; }}
  @media (prefers-color-scheme: dark) {{ .card {{ background: #222222 !important; }} }}
  @media (max-width: 480px) {{ .half {{ display: block !important; width: 100% !important; }} }}
</style>
<style>[data-ogsc] .card, u + #body .card {{ color: #eeeeee; }}</style>
</head>
<body id="body" style="margin:0; padding:0; background-color:#ffffff">
<div style="display:none; max-height:0; overflow:hidden; mso-hide:all">What is new</div>
<!--[if !mso]><!--><p style="margin:0">Hello</p><!--<![endif]-->
<!--[if mso]><table role="presentation" width="600" align="center"><tr><td><![endif]-->
<div style="max-width:600px; margin:0 auto">
<table {LAYOUT} width="100%" align="center" class="card" style="border-radius:8px; width:100%">
<tr><td style="padding:16px 24px; border:1px solid #cccccc; font:14px/1.5 Arial, sans-serif">
<h1 style="margin:0 0 12px; font-size:24px; line-height:30px; mso-line-height-rule:exactly">
Eight customers</h1>
<p style="margin:0 0 8px; color:#111111; letter-spacing:1px">Of <strong>80</strong>,
<a href="https://example.org/x" style="color:#0055aa; text-decoration:underline">all</a>.</p>
<ul style="margin:0 0 8px 20px; padding:0"><li>One<br>two</li></ul>
{IMAGE}
</td></tr>
</table>
<table style="border-collapse:collapse"><tr><th scope="col">Name</th></tr>
<tr><td style="padding:4px 8px; white-space:nowrap">A</td><td style="padding:4px 0">B</td></tr>
</table>
</div>
<!--[if mso]></td></tr></table><![endif]-->
</body>
</html>
"""


def message(body: str = "", *, css: str = "", head: str = METAS) -> str:
    style = f"<style>{css}</style>" if css else ""
    return f'<html lang="en"><head>{head}{style}</head><body>{body}</body></html>'


def cell(style: str, content: str = "") -> str:
    return f'<table {LAYOUT}><tr><td style="{style}">{content}</td></tr></table>'


def one(found: list[str]) -> str:
    assert found
    return "\n".join(found)


def test_sound_message_passes() -> None:
    assert check(SOUND) == []
    assert check(message("<p>Hello</p>")) == []


# ── What a client would not show ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("body", "named"), [
    (cell("display:flex"), "css-display-flex"),
    (cell("display:inline-grid"), "css-display-grid"),
    (cell("display:table"), "css-display:table is not in the table"),
    (cell("position:absolute"), "css-position"),
    (cell("float:left"), "css-float"),
    (cell("opacity:0.5"), "css-opacity in Outlook on Windows"),
    (cell("box-shadow:0 1px 2px #000"), "css-box-shadow in Gmail, Outlook on Windows"),
    (cell("cursor:pointer"), "property cursor is not in the table"),
    (cell("rgb:1px"), "property rgb is not in the table"),
    (cell("width:calc(100% - 8px)"), "css-unit-calc"),
    (cell("color:var(--ink)"), "css-variables"),
    (cell("color:rgba(0, 0, 0, 0.5)"), "css-rgba"),
    (cell("color:rgb(0 0 0)"), "css-rgb, commas only"),
    (cell("color:#11223344"), "css-modern-color"),
    (cell("color:hsl(1, 2%, 3%)"), "function hsl is not in the table"),
    (cell("font-size:1rem"), "css-unit-rem"),
    (cell("font-size:2vw"), "css-unit-vw"),
    (cell("font-size:2lh"), "css-unit-lh is not in the table"),
    (cell("font-family:system-ui, Arial"), "css-sytem-ui"),
    (cell("color:#000 !important"), "css-important"),
    (cell("color"), "style>"),
    ("<svg></svg>", "<svg>"),
    ("<form></form>", "<form>"),
    ("<script></script>", "<script>"),
    ("<iframe></iframe>", "<iframe>"),
    ("<video></video>", "<video>"),
    ("<section></section>", "html-semantics"),
    ("<blink></blink>", "element blink is not in the table"),
    ('<p onclick="x()"></p>', "onclick"),
    ('<p contenteditable></p>', "attribute contenteditable is not in the table"),
    ('<p width="3"></p>', "html-width is not for <p>"),
    ('<p aria-labelledby="x"></p>', "html-aria-labelledby"),
    ('<a href="#top">x</a>', "html-anchor-links"),
    ('<a href="report.html">x</a>', "report.html"),
    ('<a href="https://example.org" dir="rtl">x</a>', "html-dir"),
    ("<ol reversed></ol>", "html-lists:reversed"),
    (f'<table {LAYOUT} background="x.png"></table>', "html-background"),
    ("<style>p { color: red }</style>", "<style> in <body>"),
])
def test_unsupported_is_named(body: str, named: str) -> None:
    assert named in one(check(message(body)))


@pytest.mark.parametrize(("body", "named"), [
    ('<div style="padding:8px"></div>', "padding: 8px: Word ignores it on <div>"),
    ('<p style="padding-left:8px"></p>', "padding-left: 8px: Word ignores it on <p>"),
    ('<div style="margin:8px 0"></div>', "not on <div>"),
    (cell("margin-top:8px"), "not on <td>"),
    (IMAGE.replace("width:300px", "width:300px; margin:4px"), "not on <img>"),
    (f'<table {LAYOUT} style="margin-bottom:8px"></table>', "not on <table>"),
    (f'<table {LAYOUT} style="margin:0 auto"></table>', "has no auto"),
    ('<p style="margin:-4px 0"></p>', "negative"),
    ('<p style="margin:4px 0; background:#eee"></p>', "fills the margin"),
    (cell("background:url(cid:x)"), "css-background-image"),
    (cell("background-image:none"), "css-background-image"),
    (cell("background:#fff none"), "only a colour"),
    (cell("border:9px solid #000"), "8px at most"),
    ('<p style="border-top:1px solid #000"></p>', "give it to a cell"),
    ('<div style="width:300px"></div>', "Word ignores it on <div>"),
    ('<p style="height:10px"></p>', "Word ignores it on <p>"),
    ('<div style="max-width:600px"></div>', "ghost table"),
    ('<div style="display:inline-block"></div>', "ghost table"),
    (IMAGE.replace("width:300px", "width:300px; display:none"), "does not hide an <img>"),
    (f'<div style="display:none"><table {LAYOUT}></table></div>', "css-display-none"),
    ('<div style="max-height:0; overflow:hidden"></div>', "only beside display:none"),
    (cell("line-height:20px"), "mso-line-height-rule"),
    (cell("font:14px/20px Arial"), "mso-line-height-rule"),
    (cell("font-weight:500"), "font-weight: 500"),
    (cell("letter-spacing:0.1em"), "letter-spacing"),
    (cell("text-align:start"), "text-align: start"),
    (cell("text-decoration:underline dotted"), "one value"),
    (cell("text-transform:lowercase"), "lowercase"),
    (cell("white-space:pre"), "nowrap or normal"),
    ('<ul style="list-style:disc inside"></ul>', "list-style-type"),
    (f'<table {LAYOUT}><tr><td style="padding:4px"></td><td style="padding:8px"></td></tr>'
     "</table>", "different vertical padding"),
])
def test_what_a_note_of_partial_support_says_is_held(body: str, named: str) -> None:
    assert named in one(check(message(body)))


@pytest.mark.parametrize(("old", "new", "named"), [
    (' alt="Risk"', "", "<img> without alt"),
    (' width="300"', "", "<img> without width"),
    ('width="300"', 'width="50%"', "<img> without width in pixels"),
    (' height="90"', "", "<img> without height"),
    (' style="width:300px"', "", "Apple Mail ignores the attribute"),
    ("cid:risk.png@report", "https://example.org/risk.png", "remote image"),
    ("cid:risk.png@report", "data:image/png;base64,AAAA", "data: URI"),
    ("cid:risk.png@report", "cid:risk.svg@report", "image-svg in Gmail"),
    ("cid:risk.png@report", "cid:risk.webp", "image-webp in Outlook on Windows"),
])
def test_image_is_sent_along_and_described(old: str, new: str, named: str) -> None:
    assert check(message(IMAGE)) == []
    assert named in one(check(message(IMAGE.replace(old, new))))


def test_generated_name_of_an_image_tells_no_kind() -> None:
    assert check(message(IMAGE.replace("risk.png@report", "1761.42.17@host"))) == []


@pytest.mark.parametrize(("css", "named"), [
    (".card { color: red }", "outside @media"),
    ("body, p { margin: 0 }", "outside @media"),
    ("@import 'a.css';", "@import"),
    ("@font-face { font-family: Fira }", "css-at-font-face"),
    ("@supports (color: red) { body { color: red } }", "css-at-supports"),
    ("body { background: url(https://example.org/x.png) }", "no URL in the CSS"),
    ("@media screen { p { background: url('x.png') } }", "no URL in the CSS"),
    ("@media screen { p { color: rgb(0 0 0) } }", "css-rgb"),
    ("@media screen { p { position: fixed } }", "position: fixed"),
    ("@media screen { p { display: flex } }", "display: flex"),
    ("@media screen { @media print { p { color: red } } }", "@media within it"),
    ("@media screen { p { color } }", "<style> p"),
    (f"@media screen {{ p {{ color: red }} }} /* {'x' * MOST_STYLE} */", "Gmail drops more than"),
])
def test_style_is_only_an_enhancement(css: str, named: str) -> None:
    assert named in one(check(message(css=css)))


def test_all_styles_count_towards_the_limit() -> None:
    half = f"<style>/* {'x' * (MOST_STYLE // 2)} */</style>"
    assert check(message(head=METAS + half)) == []
    assert "Gmail drops more than" in one(check(message(head=METAS + half + half)))


@pytest.mark.parametrize(("body", "named"), [
    ("<table></table>", 'without role="presentation"'),
    (f"<table {LAYOUT.replace('presentation', 'img')}></table>", 'without role="presentation"'),
    ('<table role="presentation" cellspacing="0" border="0"></table>', "html-cellpadding"),
    ('<table role="presentation" cellpadding="0" border="0"></table>', "html-cellspacing"),
    ('<table role="presentation" cellpadding="0" cellspacing="0"></table>', "html-border"),
    (f'<table {LAYOUT}><tr><th scope="col">x</th></tr></table>', "table of data"),
    (f'<table {LAYOUT} width="641"></table>', "wider than 640px"),
    (f'<table {LAYOUT} width="600px"></table>', "bare number"),
    (f'<table {LAYOUT} style="max-width:700px"></table>', "wider than 640px"),
    (cell("width:500pt"), "wider than 640px"),
])
def test_layout_is_of_tables_that_are_not_read_out(body: str, named: str) -> None:
    assert named in one(check(message(body)))


def test_scope_of_an_inner_table_does_not_make_the_outer_one_data() -> None:
    inner = '<table><tr><th scope="col">x</th></tr></table>'
    assert check(message(cell("padding:0", inner))) == []
    outer = f"<table><tr><td>{inner}</td></tr></table>"
    assert 'without role="presentation"' in one(check(message(outer)))


@pytest.mark.parametrize(("body", "named"), [
    ("<!--[if mso]><p>", "not closed"),
    ("<!--[if mso]><p>-->", "not balanced"),
    ("<p>x</p><![endif]-->", "not balanced"),
    ("<![if !mso]><p>x</p><![endif]>", "not balanced"),
    ("<!--[if !mso]><!--><p>x</p>", "not closed"),
    ("<p>x</p><!--<![endif]-->", "not opened"),
    ("<!--[if mso]><!--[if gte mso 9]><![endif]-->", "within another"),
    ("<!--[if mso]><table><tr><td><![endif]-->", "different numbers of <table>"),
])
def test_conditional_comments_are_balanced(body: str, named: str) -> None:
    assert named in one(check(message(body)))


def test_what_only_word_reads_is_not_judged() -> None:
    assert check(message("<!--[if mso]><v:rect><p style='float:left'></v:rect><![endif]-->")) == []


@pytest.mark.parametrize(("html", "named"), [
    (message().replace(' lang="en"', ""), "<html> without lang"),
    (message(head=""), '<meta name="color-scheme">'),
    (message(head=METAS.replace("supported-", "")), '<meta name="supported-color-schemes">'),
    (message(head=METAS + '<link rel="stylesheet" href="a.css">'), "external CSS"),
    (message(head=METAS + "<p></p>"), "not in <head>"),
    (message("<p>"), "</body> closes <p>"),
    (message("<p></div></p>"), "</div> closes <p>"),
    (message().removesuffix("</html>"), "<html> is not closed"),
    (message("я" * (MOST_BYTES // 2)), "bytes: Gmail cuts"),
])
def test_document_is_whole(html: str, named: str) -> None:
    assert named in one(check(html))


def test_violation_tells_its_line() -> None:
    assert one(check(message("\n<blink>\n</blink>"))).startswith("line 2: <blink>")


# ── The table ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("feature", "gmail", "outlook", "apple"), [
    ("image-svg", "n", "y", "y"),
    ("image-base64", "n", "a", "y"),
    ("image-webp", "a", "n", "y"),
    ("image-png", "y", "y", "y"),
    ("css-at-media-prefers-color-scheme", "n", "n", "y"),
    ("css-padding", "y", "a", "y"),
    ("css-margin", "a", "a", "y"),
    ("css-max-width", "y", "a", "y"),
    ("css-display-none", "y", "a", "y"),
    ("css-border-radius", "y", "n", "y"),
    ("css-background-image", "y", "n", "y"),
    ("css-position", "n", "n", "a"),
    ("css-unit-rem", "y", "n", "y"),
    ("html-role", "y", "y", "y"),
    ("html-h1-h6", "y", "y", "y"),
    ("html-svg", "n", "n", "a"),
    ("html-link", "n", "y", "y"),
])
def test_facts_are_those_of_the_snapshot(feature: str, gmail: str, outlook: str,
                                         apple: str) -> None:
    support = FEATURES[feature]
    assert (support.gmail, support.outlook_windows, support.apple_mail) == (gmail, outlook, apple)


def test_every_use_leads_to_a_fact() -> None:
    used = {*PROPERTIES.values(), *DISPLAYS.values(), *FUNCTIONS.values(), *AT_RULES.values(),
            *ELEMENTS.values(), *IMAGES.values(), *(name for name, _ in ATTRIBUTES.values())}
    assert used <= set(FEATURES)


def test_partial_support_says_what_is_missing() -> None:
    for name, support in FEATURES.items():
        statuses = {support.gmail, support.outlook_windows, support.apple_mail}
        assert statuses <= {"y", "a", "n", "u"}, name
        assert support.note or "a" not in statuses, name


def test_only_what_a_client_lacks_degrades() -> None:
    assert all(FEATURES[name].lacking for name in DEGRADES)
