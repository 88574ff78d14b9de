"""The data behind a chart, as anybody would read them: with a program for tables."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO

import pytest
from reports import make_report

from reportgen import charts, localization
from reportgen.charts import CHARTS
from reportgen.charts.data import to_csv
from reportgen.results import Estimate

from .drawn import plain

WORDS = localization.load("ru")


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@dataclass(frozen=True)
class Part:
    label: dict[str, str]
    rate: Estimate


@dataclass(frozen=True)
class Whole:
    mean: float
    parts: tuple[Part, ...]
    edges: tuple[float, ...]


def test_lists_become_rows_that_repeat_what_holds_them() -> None:
    part = Part({"ru": "да; нет", "en": "yes"}, Estimate(0.5, 0.25, 0.75, 12))
    rows = rows_of(to_csv(Whole(0.38, (part,), (0.0, 1.0)), WORDS))
    assert rows == [
        {"mean": "0.38", "series": "parts", "label": "да; нет", "rate.value": "0.5",
         "rate.low": "0.25", "rate.high": "0.75", "rate.n": "12", "place": "", "value": ""},
        *({"mean": "0.38", "series": "edges", "label": "", "rate.value": "", "rate.low": "",
           "rate.high": "", "rate.n": "", "place": place, "value": value}
          for place, value in (("1", "0.0"), ("2", "1.0"))),
    ]


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_every_chart_carries_its_data(chart: charts.ChartSpec) -> None:
    frame = chart.frame(make_report())
    rows = rows_of(to_csv(frame, WORDS))
    assert rows
    assert any(cell.replace(".", "").isdigit() for row in rows for cell in row.values())


def test_figures_of_the_csv_are_those_of_the_report() -> None:
    spec = next(chart for chart in CHARTS if chart.name == "segments")
    rows = rows_of(to_csv(spec.frame(make_report()), WORDS))
    told = {plain(row["label"]): float(row["decline.value"]) for row in rows}
    assert told == {plain(WORDS.label(segment.label)): segment.decline.value
                    for segment in make_report().segments}
