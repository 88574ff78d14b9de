"""The one object of numbers and its way through results.json."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from reports import make_report

from reportgen import results


def test_a_report_comes_back_exactly(report):
    assert results.from_json(results.to_json(report)) == report


def test_the_text_is_plain_json_with_its_schema_version_and_readable_letters(report):
    text = results.to_json(report)
    assert json.loads(text)["schema_version"] == results.SCHEMA_VERSION
    assert "В один клик" in text


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_is_not_finite_is_refused(report, number):
    broken = replace(report, overview=replace(report.overview, alike_share=number))
    with pytest.raises(results.ResultsError, match="not finite"):
        results.to_json(broken)


def test_another_schema_version_is_refused_with_what_to_do(report):
    text = results.to_json(report).replace('"schema_version": 6', '"schema_version": 99')
    with pytest.raises(results.ResultsError,
                       match="version 99, this program reads 2, 3, 4, 5") as caught:
        results.from_json(text)
    assert caught.value.reason == "newer"


@pytest.mark.parametrize(("text", "reason"), [
    ('{"schema_version": 1}', "older"), ('{"schema_version": "x"}', "damaged"),
    ("[]", "damaged"), ('{"schema_version": 6, "sto', "damaged"), ("", "damaged"),
])
def test_a_report_that_cannot_be_read_tells_why(text, reason):
    with pytest.raises(results.ResultsError) as caught:
        results.from_json(text)
    assert caught.value.reason == reason


def test_a_report_of_an_older_schema_gets_what_it_lacks(report):
    plain = json.loads(results.to_json(report)) | {"schema_version": 2}
    for key in ("segmentation", "discoveries", "further", "programme", "verdict"):
        del plain[key]
    for item in plain["recommendations"]:
        del item["kpi"], item["worth"]
    found = results.from_json(json.dumps(plain))
    assert found.schema_version == results.SCHEMA_VERSION
    assert (found.further, found.verdict.status, found.programme.treated) == ((), "none", 0)
    assert {item.kpi for item in found.recommendations} == {None}
    assert found.overview == report.overview
    # What it did not know is unknown, never nought customers.
    assert (found.segmentation.inside, found.segmentation.outside) == (None, None)
    assert found.discoveries.groups == ()


def test_a_report_of_schema_5_gets_neither_an_address_nor_a_curve_of_learning(report):
    plain = json.loads(results.to_json(report)) | {"schema_version": 5}
    del plain["store"]["published"], plain["model"]["learning"]
    assert results.from_json(json.dumps(plain)) == report


def test_fingerprint_of_the_figures_does_not_know_what_made_them(report):
    other = replace(report, provenance=replace(report.provenance, program="99", versions={}))
    assert results.figures_sha256(other) == results.figures_sha256(report)
    changed = replace(report, overview=replace(report.overview, fallen=1))
    assert results.figures_sha256(changed) != results.figures_sha256(report)


@pytest.mark.parametrize("damage", [
    lambda text: text[:len(text) // 2],
    lambda text: text.replace('"month"', '"moon"'),
    lambda text: "[]",
    lambda text: "",
], ids=["cut in half", "a key lost", "a list", "empty"])
def test_a_damaged_file_is_named_with_what_to_do(report, damage):
    with pytest.raises(results.ResultsError, match=r"archive\.json: .*run"):
        results.from_json(damage(results.to_json(report)), name="archive.json")


def test_figures_are_rounded_to_ten_significant_digits():
    report = make_report(schema_version=results.SCHEMA_VERSION)
    noisy = replace(report, overview=replace(report.overview, alike_share=0.1 + 0.2,
                                             fallen=1_234_567_890_123))
    # 0.1 + 0.2 is 0.30000000000000004; whole numbers are counts and stay.
    assert results.rounded(noisy).overview.alike_share == 0.3
    assert results.rounded(noisy).overview.fallen == 1_234_567_890_123


def test_rounding_twice_is_rounding_once(report):
    once = results.rounded(report)
    assert results.rounded(once) == once
