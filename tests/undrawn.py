"""Reports whose pages nobody looks at: the figures are computed and published as always.

Half of a run on a small store is drawing. Where a test is about months, lists or figures, its pages
need no charts, and its PDF no layout; everything else of a run is the program's own.
"""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from reportgen import charts, pdf, workers


def leave_undrawn(patch: pytest.MonkeyPatch) -> None:
    """Draw no chart and lay out no page, in whatever language, until the patch is undone."""
    for name in ("draw_all", "draw_some", "draw_rasters"):
        patch.setattr(charts, name, lambda *_, **__: {})
    patch.setattr(pdf, "write_pdf", lambda *_, **__: b"%PDF-1.7\n")
    # Another process would draw them after all.
    patch.setattr(workers, "drawing", lambda _count: nullcontext())
