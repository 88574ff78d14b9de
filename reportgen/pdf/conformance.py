"""What WeasyPrint's PDF lacks to be PDF/UA-1 and PDF/A-3a at once.

The bytes of a tagged PDF/A-3a come in; bytes of the same pages go out that both standards accept.
Each step below mends one thing and names the clause that asks for it.

References
----------
ISO 14289-1:2014 (PDF/UA-1); ISO 19005-3:2012 (PDF/A-3); ISO 32000-1:2008, 14.6 to 14.8 (tags).
"""

from __future__ import annotations

import base64
import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from io import BytesIO
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, String

#: Marked content of a page that belongs to the tag with this number.
_MARKED = re.compile(rb"/\w+\s*<<\s*/MCID (\d+)\s*>>\s*BDC")
_RUNNING_HEAD = b"/Artifact\n<</Type /Pagination>>\nBDC"

_ROW_GROUPS = (Name.THead, Name.TBody, Name.TFoot)

#: A key of the catalogue that no reader knows, and how often another division is tried.
_PADDING = Name("/ReportgenPadding")
_TRIES = 8

#: The end of a stream that reads like the end of a line.
_AWKWARD = b"\r"

#: Tags that mean something without content: an empty cell keeps its row complete.
_KEPT_EMPTY = (Name.TD, Name.TH, Name.Figure, Name.Document)

#: The claim of PDF/UA, and the schema that PDF/A asks for where its own list lacks one (6.6.2.3).
_CLAIM = """\
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">\
<pdfuaid:part>1</pdfuaid:part></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/" \
xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" \
xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">\
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">\
<pdfaSchema:schema>PDF/UA identification schema</pdfaSchema:schema>\
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>\
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>\
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">\
<pdfaProperty:name>part</pdfaProperty:name>\
<pdfaProperty:valueType>Integer</pdfaProperty:valueType>\
<pdfaProperty:category>internal</pdfaProperty:category>\
<pdfaProperty:description>Part of ISO 14289 that the file conforms to</pdfaProperty:description>\
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas>\
</rdf:Description>
"""


def conform(content: bytes, *, links: Mapping[str, str], dated: datetime) -> bytes:
    """Mend what keeps a PDF from conforming to both standards.

    Parameters
    ----------
    content
        A tagged PDF/A-3a as WeasyPrint writes it.
    links
        What a link says by the name of its target, for those who hear it without its page.
    dated
        When the document was made, as it says of itself.
    """
    with Pdf.open(BytesIO(content)) as document:
        _claim(document, dated)
        _drop_empty_tags(document)
        _set_running_heads_apart(document)
        _pair_terms(document)
        _scope_headers(document)
        _describe_links(document, links)
        return _saved(document)


def _claim(document: Pdf, dated: datetime) -> None:
    """State PDF/UA-1 and the dates in metadata that no filter hides (14289-1, 5; 19005-3, 6.6)."""
    packet = document.Root.Metadata.read_bytes().decode()
    stamp = dated.strftime("%Y-%m-%dT%H:%M:%SZ")
    dates = "".join(
        f'<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f"<xmp:{name}>{stamp}</xmp:{name}></rdf:Description>\n"
        for name in ("CreateDate", "ModifyDate")
    )
    packet = packet.replace("</rdf:RDF>", f"{_CLAIM}{dates}</rdf:RDF>")
    document.Root.Metadata = document.make_stream(packet.encode(), Type=Name.Metadata,
                                                  Subtype=Name.XML)
    for name in ("CreationDate", "ModDate"):
        document.docinfo[f"/{name}"] = String(dated.strftime("D:%Y%m%d%H%M%SZ"))


def _drop_empty_tags(document: Pdf) -> None:
    """Take away tags without content, which a screen reader would stop at (14289-1, 7.1)."""
    _is_filled(document.Root.StructTreeRoot)


def _is_filled(element: Any) -> bool:
    """Drop the empty children of a tag, and tell whether it has anything left to say."""
    if not isinstance(element, Dictionary) or Name.K not in element:
        return True                     # a mark or a link, which stands for content
    children = _children(element)
    kept = [child for child in children if _is_filled(child)]
    if len(kept) < len(children):
        element.K = Array(kept)
    return bool(kept) or element.get(Name.S) in _KEPT_EMPTY


def _set_running_heads_apart(document: Pdf) -> None:
    """Mark as page furniture what no tag leads to: running heads, page numbers (14289-1, 7.8)."""
    told = defaultdict(set)
    for element in _elements(document):
        for mark in _children(element):
            if isinstance(mark, int):
                told[element.Pg.objgen].add(mark)
    parents = dict(_pairs(document.Root.StructTreeRoot.ParentTree.Nums))
    for page in document.pages:
        of_page, owners = told[page.obj.objgen], parents[int(page.obj.StructParents)]

        def replaced(found: re.Match[bytes], of_page: set[int] = of_page,
                     owners: Any = owners) -> bytes:
            number = int(found[1])
            if number in of_page:
                return found[0]
            owners[number] = None
            return _RUNNING_HEAD

        stream = page.obj.Contents
        stream.write(zlib.compress(_MARKED.sub(replaced, stream.read_bytes())),
                     filter=Name.FlateDecode)


def _pair_terms(document: Pdf) -> None:
    """Make a term and what is told of it one item of their list (14289-1, 7.6).

    A ``div`` around both is neither an item nor a list.
    """
    for group in _elements(document):
        items = _children(group)
        if (group.get(Name.S) == Name.Div and group.P.get(Name.S) == Name.L
                and all(_is_tag(item, Name.LI) for item in items)):
            group.S = Name.LI
            bodies = [body for item in items for body in _children(item)]
            for body in bodies:
                body.P = group
            bodies[0].S = Name.Lbl
            group.K = Array(bodies)


def _scope_headers(document: Pdf) -> None:
    """Tell of every header cell whether it heads a row or a column (14289-1, 7.5).

    WeasyPrint gives the cells below a header its name instead; a header without cells has none.
    In a table of a row or two, or of two columns, the heads of the columns tell everything: with
    those of the rows there would be more heads than data, which reads like a table cut to pieces.
    """
    for table in _elements(document):
        if table.get(Name.S) != Name.Table:
            continue
        rows = [[cell for cell in _children(row) if isinstance(cell, Dictionary)]
                for row in _rows(table)]
        of_data = [row for row in rows if not _heads_columns(row)]
        cells = [cell for row in rows for cell in row]
        if 2 * sum(cell.S == Name.TH for cell in cells) > len(cells):
            _demote([cell for row in of_data for cell in row if cell.S == Name.TH], cells)
        for row in rows:
            scope = Name.Column if _heads_columns(row) else Name.Row
            for cell in row:
                if cell.S == Name.TH:
                    cell.A[Name.Scope] = scope


def _heads_columns(row: list[Dictionary]) -> bool:
    """Whether a row is one of heads: at most its corner is none."""
    heads = len([cell for cell in row if cell.S == Name.TH])
    return heads > 1 and heads >= len(row) - 1


def _rows(table: Dictionary) -> Iterator[Dictionary]:
    """Yield a table's own rows, not those of a table inside a cell."""
    for child in _children(table):
        if _is_tag(child, Name.TR):
            yield child
        elif isinstance(child, Dictionary) and child.get(Name.S) in _ROW_GROUPS:
            yield from _rows(child)


def _demote(heads: list[Dictionary], cells: list[Dictionary]) -> None:
    """Make data of header cells, which no other cell may then name."""
    names = {str(head.ID) for head in heads}
    for cell in heads:
        cell.S = Name.TD
        del cell[Name.ID]
    for cell in cells:
        if Name.Headers in cell.A:
            cell.A[Name.Headers] = Array([name for name in cell.A.Headers
                                          if str(name) not in names])


def _describe_links(document: Pdf, links: Mapping[str, str]) -> None:
    """Let a link say what it says on the page (14289-1, 7.18.5), in the order of the tags."""
    for page in document.pages:
        for annotation in page.obj.get(Name.Annots, ()):
            page.obj.Tabs = Name.S
            inside = annotation.get(Name.Dest)
            target = str(annotation.A.URI) if inside is None else f"#{inside}"
            annotation.Contents = String(links.get(target, target))


def _saved(document: Pdf) -> bytes:
    """Write the file so that no stream ends like a line (19005-3, 6.1.7.1).

    A reader cannot tell a stream's last carriage return from the line's end that follows it.
    Compressing again does not help: the last bytes are a checksum of the content. So drawings get
    a space more, and the streams that qpdf packs objects into are divided otherwise. Where the
    content is not ours to change, the stream is wrapped, which packing would undo; such a file is
    twice as long.
    """
    _lengthen_awkward_drawings(document)
    if next(_awkward_streams(document), None) is None:
        for _ in range(_TRIES):
            packed = _written(document, packed=True)
            if _AWKWARD + b"\nendstream" not in packed:
                return packed
            _divide_otherwise(document)
    _wrap_awkward_streams(document)
    return _written(document, packed=False)


def _awkward_streams(document: Pdf) -> Iterator[pikepdf.Stream]:
    for item in document.objects:
        if isinstance(item, pikepdf.Stream) and item.read_raw_bytes().endswith(_AWKWARD):
            yield item


def _lengthen_awkward_drawings(document: Pdf) -> None:
    """Add spaces to drawings, where they mean nothing."""
    drawings = {page.obj.Contents.objgen for page in document.pages}
    for item in _awkward_streams(document):
        if item.objgen in drawings or item.get(Name.Subtype) == Name.Form:
            content = item.read_bytes()
            while (packed := zlib.compress(content)).endswith(_AWKWARD):
                content += b" "
            item.write(packed, filter=Name.FlateDecode)


def _divide_otherwise(document: Pdf) -> None:
    """Put one object more in front of the others, so that each pack begins one earlier."""
    padding = document.Root.get(_PADDING, Array())
    document.Root[_PADDING] = Array([*padding, document.make_indirect(Dictionary())])


def _wrap_awkward_streams(document: Pdf) -> None:
    """Write in ASCII base 85 what would end like a line: there the same bytes end with a mark."""
    for item in list(_awkward_streams(document)):
        filters, parameters = (_listed(item.get(name)) for name in (Name.Filter, Name.DecodeParms))
        item.write(base64.a85encode(item.read_raw_bytes()) + b"~>",
                   filter=Array([Name.ASCII85Decode, *filters]),
                   decode_parms=Array([None, *parameters]) if parameters else None)


def _written(document: Pdf, *, packed: bool) -> bytes:
    buffer = BytesIO()
    document.save(buffer, deterministic_id=True, compress_streams=packed,
                  stream_decode_level=pikepdf.StreamDecodeLevel.none,
                  object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return buffer.getvalue()


def _elements(root: Pdf | Dictionary) -> Iterator[Dictionary]:
    """Walk over all tags of a document, or below one, parents first and in their order."""
    waiting: list[Any] = [root.Root.StructTreeRoot if isinstance(root, Pdf) else root]
    while waiting:
        element = waiting.pop()
        if isinstance(element, Dictionary):
            if Name.S in element:
                yield element
            waiting.extend(reversed(_children(element)))


def _children(element: Dictionary) -> list[Any]:
    """Return what a tag holds: tags, links, numbers of marks."""
    return _listed(element.get(Name.K))


def _listed(value: Any) -> list[Any]:
    """Read what a PDF writes as a list, or bare where there is one."""
    if value is None:
        return []
    return list(value) if isinstance(value, Array) else [value]


def _is_tag(element: Any, name: Name) -> bool:
    return isinstance(element, Dictionary) and bool(element.get(Name.S) == name)


def _pairs(nums: Array) -> Iterator[tuple[int, Any]]:
    """Read a number tree that has one node."""
    return zip(map(int, list(nums)[::2]), list(nums)[1::2], strict=True)
