"""The charts of the e-mail: narrow, sharp, opaque, and as the report has them."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image
from reports import make_first_report, make_report, make_unproven_report

from reportgen import charts, localization
from reportgen.charts import Raster

WORDS = localization.load("ru")


def drawn(report=None, **colours: str) -> dict[str, Raster]:
    own = {f"#{name.removeprefix('_')}": colour for name, colour in colours.items()}
    return charts.draw_rasters(report or make_report(), WORDS, colours=own)


def image(raster: Raster) -> Image.Image:
    return Image.open(BytesIO(raster.png))


@pytest.mark.parametrize("name", ["trend", "importance"])
def test_picture_is_of_twice_the_size_it_is_shown_in_and_opaque(name: str) -> None:
    raster = drawn()[name]
    picture = image(raster)
    assert raster.width == 552
    assert picture.width == 2 * raster.width
    assert abs(picture.height - 2 * raster.height) <= 2
    assert picture.convert("RGBA").getchannel("A").getextrema() == (255, 255)
    assert len(raster.png) < 120_000


def test_chart_without_anything_to_show_is_absent() -> None:
    assert drawn(make_first_report()).keys() == {"importance"}
    assert drawn(replace(make_unproven_report(), history=make_first_report().history)) == {}


def test_text_alternative_is_that_of_the_report() -> None:
    assert drawn()["importance"].alt == charts.draw_all(make_report(), WORDS)["importance"].alt


def test_same_report_gives_the_same_bytes() -> None:
    assert drawn() == drawn()


def test_company_s_colours_are_drawn_and_the_shipped_ones_are_not() -> None:
    counts = {colour: count for count, colour
              in image(drawn(_12436d="#0b5d3b")["importance"]).convert("RGB").getcolors(1 << 20)}
    assert counts[0x0b, 0x5d, 0x3b] > 10_000
    assert (0x12, 0x43, 0x6d) not in counts
