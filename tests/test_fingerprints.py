"""A fingerprint changes with everything that matters, and with nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reportgen import fingerprints
from reportgen.fingerprints import Manifest


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "here" / "2026-10" / "money.csv"
    path.parent.mkdir(parents=True)
    path.write_text("id;profit\n1;2\n", encoding="utf-8")
    return path


def of(*inputs: Path, **values: object) -> str:
    return fingerprints.of_analysis(inputs=inputs, values=values)


def test_same_inputs_have_the_same_fingerprint_wherever_they_stand(
    table: Path, tmp_path: Path
) -> None:
    other = table.with_name("a.csv")
    other.write_text("x")
    elsewhere = tmp_path / "there" / "2026-10"
    elsewhere.parent.mkdir()
    first = of(table, other, month="2026-10")
    table.parent.rename(elsewhere)
    # The order of the paths is another one, too.
    assert of(elsewhere / "a.csv", elsewhere / "money.csv", month="2026-10") == first


def test_a_byte_a_name_and_a_value_change_it(table: Path) -> None:
    first = of(table, month="2026-10")
    assert of(table, month="2026-11") != first
    renamed = table.rename(table.with_name("profit.csv"))
    assert of(renamed, month="2026-10") != first
    back = renamed.rename(table)
    back.write_text("id;profit\n1;3\n", encoding="utf-8")
    assert of(back, month="2026-10") != first


def test_another_version_of_a_library_changes_it(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = of(table)
    monkeypatch.setattr(fingerprints, "program", lambda: "another program")
    assert of(table) != first


def test_program_is_its_source_and_the_libraries_it_needs() -> None:
    versions = dict(fingerprints._versions())
    assert {"scikit-learn", "weasyprint", "ibis-framework", "jinja2"} <= set(versions)
    assert "fingerprints.py" in dict(fingerprints._tree(fingerprints._PACKAGE, "*.py"))


def test_drawing_depends_on_figures_languages_and_templates(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("one")

    def drawn(analysis: str = "a", languages: tuple[str, ...] = ("ru",)) -> str:
        return fingerprints.of_drawing(analysis, languages=languages, templates=[tmp_path])

    first = drawn()
    assert drawn() == first
    assert drawn(analysis="b") != first
    assert drawn(languages=("ru", "en")) != first
    assert drawn(languages=("en", "ru")) != drawn(languages=("ru", "en"))
    (tmp_path / "report.html").write_text("two")
    assert drawn() != first


def test_manifest_round_trips(tmp_path: Path) -> None:
    manifest = Manifest("a", "d", {"public/x": "1"}, {"private/y": "2"})
    path = tmp_path / "run.json"
    path.write_text(manifest.to_json(), encoding="utf-8")
    assert fingerprints.read_manifest(path) == manifest


@pytest.mark.parametrize("text", [
    None, "", "{", "[]", "null", '{"version": 99}', '{"version": 1}',
    '{"version": 1, "analysis": 1}',
    '{"version": 1, "analysis": "a", "drawing": "d", "analysed": [], "drawn": {}}',
])
def test_manifest_that_cannot_be_believed_says_nothing(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "run.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert fingerprints.read_manifest(path) is None


def test_files_hold_where_each_has_the_content_it_had(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    expected = fingerprints.of_files(tmp_path, [tmp_path / "a", tmp_path / "b"])
    assert list(expected) == ["a", "b"]
    assert fingerprints.hold(tmp_path, expected)
    (tmp_path / "b").write_text("c")
    assert not fingerprints.hold(tmp_path, expected)
    (tmp_path / "b").unlink()
    assert not fingerprints.hold(tmp_path, expected)
    assert json.loads(Manifest("", "", expected, {}).to_json())["analysed"] == expected
