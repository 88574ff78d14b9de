"""The report as one HTML page that needs nothing else: no network and no file beside it.

A `results.Report`, a language and the charts' pictures come in; the text of an HTML document goes
out. The same templates serve the screen and the PDF; only fonts, pictures and what can be worked
with arrive differently. Words and numbers pass through the `Localizer`; the templates choose what
is shown and compute nothing.
"""

from reportgen.templating.letter import (
    Event,
    Letter,
    own_colours,
    render_alert,
    render_letter,
)
from reportgen.templating.months import Listed, render_index, render_summary
from reportgen.templating.page import Picture, render_html

__all__ = ["Event", "Letter", "Listed", "Picture", "own_colours", "render_alert",
           "render_html", "render_index", "render_letter", "render_summary"]
