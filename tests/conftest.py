"""What many tests need: the shipped settings and a report built by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator

import browser
import pytest
import shared
from reports import make_report

from reportgen import config
from reportgen.config import Settings
from reportgen.results import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true",
                     help="take the pages as they are drawn now for the accepted ones")


@pytest.fixture(scope="session", autouse=True)
def _shared_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Name a folder that all processes of this run have in common."""
    own = tmp_path_factory.getbasetemp()
    shared.folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def settings() -> Settings:
    """Return the contract that ships with the package."""
    return config.load(None)


@pytest.fixture(scope="session")
def report() -> Report:
    """Return a month's report without fitting a model; it is frozen, so all tests share it."""
    return make_report()


@pytest.fixture(scope="module")
def chromium() -> Iterator[None]:
    """Keep a browser running for `browser.opened`."""
    with browser.started():
        yield
