"""The PDF of the report: laid out by WeasyPrint, then made to conform by pikepdf.

An HTML text made by `templating` for print and the files to carry along come in; the bytes of one
PDF go out that is PDF/UA-1 (readable by assistive technology) and PDF/A-3a (an archive with its
data inside) at once. The only door to WeasyPrint and pikepdf.
"""

from reportgen.pdf.layout import Attachment, write_pdf

__all__ = ["Attachment", "write_pdf"]
