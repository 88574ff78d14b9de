"""PDF/UA-1 and PDF/A-3a at once, by two independent checkers, and one test for each repair.

The checkers are young: veraPDF, which is not to be had from a package registry, should be asked
where it is at hand. What only a person can check (is the order of reading sensible, do the
alternatives say what matters) is listed in docs/accessibility.md.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import outloud
import page as page_validation
import pikepdf
import pytest
from documents import DAY, LANGUAGES, pdf_of
from pikepdf import Name

from reportgen import pdf
from reportgen.pdf import Attachment, conformance

TABLE = """
<table><caption>Figures</caption>
<thead><tr><th scope="col">Name</th><th scope="col">One</th><th scope="col">Two</th></tr></thead>
<tbody>{rows}</tbody></table>
"""
ROW = '<tr><th scope="row">{name}</th><td>1</td><td>2</td></tr>'


def write(body: str, *, style: str = "", attachments: tuple[Attachment, ...] = ()) -> bytes:
    head = f"<title>A title of some words</title><style>{style}</style>"
    return pdf.write_pdf(
        f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>',
        dated=DAY, attachments=attachments)


def complaints(content: bytes, folder: Path) -> list[str]:
    """Everything that either checker has to say against a PDF."""
    found = [f"{profile} {failure.rule_id}: {failure.message}"
             for profile in ("ua1", "3a")
             for failure in page_validation.validate_pdf_bytes(content, profile=profile).failures]
    path = folder / "checked.pdf"
    path.write_bytes(content)
    return found + [f"outloud {finding.rule}: {finding.message}"
                    for finding in outloud.check(path).findings
                    if str(finding.severity) in ("error", "warning")]


def elements(document: pikepdf.Pdf) -> Iterator[Any]:
    return conformance._elements(document)


@pytest.mark.parametrize("language", LANGUAGES)
def test_report_conforms_to_both_standards(language: str, tmp_path: Path) -> None:
    assert complaints(pdf_of(language), tmp_path) == []


def test_checkers_do_complain(tmp_path: Path) -> None:
    """A checker that is silent about everything would prove nothing."""
    import weasyprint

    content = weasyprint.HTML(string="<p>text</p>").write_pdf()
    found = complaints(content, tmp_path)
    assert {line.split()[0] for line in found} == {"ua1", "3a", "outloud"}


#: What WeasyPrint leaves to be mended: a page of it, and the rule that finds it.
PITFALLS = {
    "running heads are furniture": (
        "<h1>Heading of the page</h1>" + "<p style='break-after: page'>Some words of text.</p>" * 4,
        '@page { @top-left { content: "A running head" } '
        "@bottom-right { content: counter(page) } }",
        "outloud PAG-001"),
    "heads of columns know their direction": (
        "<h1>Heading of the page</h1>"
        + TABLE.format(rows="".join(ROW.format(name=name) for name in ("a", "b", "c", "d"))), "",
        "outloud TBL-002"),
    "few rows have no more heads than data": (
        "<h1>Heading of the page</h1>" + TABLE.format(rows=ROW.format(name="only one")), "",
        "outloud TBL-010"),
    "terms and their meanings are items of a list": (
        "<h1>Heading of the page</h1><dl><div><dt>Term</dt><dd>What it means.</dd></div></dl>", "",
        "ua1 PDFUA1-L-KIDS-001"),
    "nothing is announced that says nothing": (
        '<h1>Heading of the page</h1><p>Some <span class="mark"></span> text</p>',
        ".mark { display: inline-block; width: 1em }", "outloud TAG-020"),
    "accessibility is claimed": ("<h1>Heading of the page</h1>", "", "outloud DOC-012"),
}


@pytest.mark.parametrize(("body", "style", "rule"), PITFALLS.values(), ids=PITFALLS)
def test_pitfall_is_mended(body: str, style: str, rule: str, tmp_path: Path,
                           monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaints(write(body, style=style), tmp_path) == []
    monkeypatch.setattr(pdf.layout, "conform", lambda content, **_: content)
    assert any(found.startswith(rule) for found in
               complaints(write(body, style=style), tmp_path)), "the fixture proves nothing"


def test_running_heads_stay_on_the_page_and_leave_the_tree() -> None:
    body, style, _ = PITFALLS["running heads are furniture"]
    with pikepdf.open(BytesIO(write(body, style=style))) as document:
        streams = [page.obj.Contents.read_bytes() for page in document.pages]
    assert all(stream.count(b"/Pagination") == 2 for stream in streams)


def test_link_says_what_it_says_on_the_page() -> None:
    body = ('<h1>Heading of the page</h1><p><a href="#there">What is there</a></p>'
            '<h2 id="there">There</h2>')
    with pikepdf.open(BytesIO(write(body))) as document:
        annotations = [note for page in document.pages for note in page.obj.Annots]
        assert [str(note.Contents) for note in annotations] == ["What is there"]


def test_link_to_the_outside_says_what_it_says_too(tmp_path: Path) -> None:
    content = write('<h1>Heading of the page</h1>'
                    '<p>Ask <a href="mailto:data@example.org">the data team</a>.</p>')
    with pikepdf.open(BytesIO(content)) as document:
        assert [str(note.Contents) for note in document.pages[0].obj.Annots] == ["the data team"]
    assert complaints(content, tmp_path) == []


def tags_of(content: bytes) -> list[tuple[str, str]]:
    """Tag and scope of every cell."""
    with pikepdf.open(BytesIO(content)) as document:
        return [(str(tag.S), str(tag.get(Name.A, {}).get(Name.Scope, "")))
                for tag in elements(document) if tag.S in (Name.TH, Name.TD)]


def test_long_table_keeps_the_heads_of_its_rows(tmp_path: Path) -> None:
    rows = "".join(ROW.format(name=f"row {n}") for n in range(6))
    content = write("<h1>Heading of the page</h1>" + TABLE.format(rows=rows))
    assert complaints(content, tmp_path) == []
    cells = tags_of(content)
    assert cells[:3] == [("/TH", "/Column")] * 3
    assert cells[3:] == [("/TH", "/Row"), ("/TD", ""), ("/TD", "")] * 6


def test_only_heads_have_a_scope(tmp_path: Path) -> None:
    rows = "".join(f'<tr><th scope="row">row {n}</th><td>{n}</td></tr>' for n in range(6))
    content = write("<h1>Heading of the page</h1><table><caption>Two columns</caption><thead><tr>"
                    '<th scope="col">Name</th><th scope="col">One</th></tr></thead>'
                    f"<tbody>{rows}</tbody></table>")
    assert complaints(content, tmp_path) == []
    assert tags_of(content) == [("/TH", "/Column")] * 2 + [("/TD", "")] * 12


def test_corner_without_a_head_leaves_the_others_heads_of_columns() -> None:
    rows = "".join(ROW.format(name=f"row {n}") for n in range(6))
    corner = TABLE.replace('<th scope="col">Name</th>', "<td></td>")
    cells = tags_of(write("<h1>Heading of the page</h1>" + corner.format(rows=rows)))
    assert cells[:3] == [("/TD", ""), ("/TH", "/Column"), ("/TH", "/Column")]


def test_list_of_something_else_is_left_alone() -> None:
    write("<h1>Heading of the page</h1><ul><div>text</div><li>item</li></ul>")


def test_wrapped_picture_is_decoded_as_before() -> None:
    # A row of eight grey pixels behind the filter byte of PNG's predictor "up".
    row = next(row for n in range(65_536)
               if zlib.compress(row := bytes([2, n % 256, n // 256, *range(6)])).endswith(b"\r"))
    with pikepdf.new() as document:
        parameters = pikepdf.Dictionary(Predictor=15, Columns=8)
        stream = document.make_stream(b"")
        stream.write(zlib.compress(row), filter=Name.FlateDecode, decode_parms=parameters)
        before = stream.read_bytes()
        conformance._wrap_awkward_streams(document)
        assert stream.read_raw_bytes().endswith(b"~>")
        assert stream.read_bytes() == before == row[1:]


def test_stream_that_ends_like_a_line_keeps_its_content(tmp_path: Path) -> None:
    # About one of 256 contents has a checksum that ends in a carriage return.
    content = next(text for n in range(5000)
                   if zlib.compress(text := b"value\n%d\n" % n).endswith(b"\r"))
    written = write("<h1>Heading of the page</h1><p>text</p>",
                    attachments=(Attachment("data.csv", "Some data", content),))
    assert complaints(written, tmp_path) == []
    with pikepdf.open(BytesIO(written)) as document:
        assert document.attachments["data.csv"].get_file().read_bytes() == content


def test_attachments_bear_the_report_s_date_and_say_what_they_are() -> None:
    written = write("<h1>Heading of the page</h1><p>text</p>",
                    attachments=(Attachment("results.json", "All numbers", b"{}"),))
    with pikepdf.open(BytesIO(written)) as document:
        spec = document.attachments["results.json"]
        assert spec.description == "All numbers"
        assert spec.get_file().creation_date.replace(tzinfo=None) == DAY
        assert spec.obj.AFRelationship == Name.Data


def test_dates_of_the_document_are_those_it_is_given() -> None:
    content = write("<h1>Heading of the page</h1><p>text</p>")
    year = str(datetime.now().year)
    with pikepdf.open(BytesIO(content)) as document:
        assert str(document.docinfo["/CreationDate"]) == "D:20261031000000Z"
        packet = document.Root.Metadata.read_bytes().decode()
    assert "<xmp:CreateDate>2026-10-31T00:00:00Z</xmp:CreateDate>" in packet
    assert not re.search(rb"D:%s(?!1031)" % year.encode(), content)


def test_every_figure_has_its_alternative() -> None:
    with pikepdf.open(BytesIO(pdf_of("ru"))) as document:
        figures = [tag for tag in elements(document) if Name.Figure == tag.S]
        assert len(figures) == 11  # ten charts and the strip of the first page
        assert all(len(str(tag.Alt)) > 20 for tag in figures)
