"""What the tests of the charts share."""

from __future__ import annotations

import pytest

from reportgen import localization
from reportgen.localization import Localizer


@pytest.fixture(scope="session")
def ru() -> Localizer:
    """Return the report's first language."""
    return localization.load("ru")
