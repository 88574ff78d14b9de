from pathlib import Path

import pytest

from reportgen.months import DataFolderError, MonthFolder, find_month


@pytest.fixture
def store(tmp_path: Path) -> Path:
    for month in ("2026-08", "2026-10", "2026-09", "notes"):
        (tmp_path / month).mkdir()
    return tmp_path


def test_the_newest_month_is_taken_where_none_is_named(store):
    assert find_month(store) == MonthFolder("2026-10", store / "2026-10")


def test_a_named_month_is_taken(store):
    assert find_month(store, "2026-08") == MonthFolder("2026-08", store / "2026-08")


def test_a_months_own_folder_tells_its_month(store):
    (store / "2026-09" / "market_file.csv").touch()
    assert find_month(store / "2026-09") == MonthFolder("2026-09", store / "2026-09")


def test_a_folder_of_another_name_needs_the_month(store):
    (store / "notes" / "market_file.csv").touch()
    assert find_month(store / "notes", "2026-09").path == store / "notes"
    with pytest.raises(DataFolderError, match="--month YYYY-MM"):
        find_month(store / "notes")


def test_an_absent_month_is_told_with_those_that_exist(store):
    with pytest.raises(DataFolderError, match="has 2026-08, 2026-09, 2026-10"):
        find_month(store, "2026-07")


@pytest.mark.parametrize("name", ["2026-13", "2026-1", "october", "2026-10-01"])
def test_what_is_no_month_is_refused(store, name):
    with pytest.raises(DataFolderError, match="is not a month"):
        find_month(store, name)


def test_an_empty_or_missing_folder_leads_to_the_demo(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(DataFolderError, match="reportgen demo"):
            find_month(folder)
