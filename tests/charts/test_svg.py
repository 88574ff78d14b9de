"""A figure becomes SVG that does no harm to the page around it."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from reportgen.charts import style
from reportgen.charts.svg import to_picture


def test_marks_that_were_rasterised_are_never_smoothed() -> None:
    with style.applied():
        figure = style.figure(1, 1)
        figure.subplots().scatter([0, 1], [0, 1], rasterized=True)
        svg = to_picture(figure, name="cloud", alt="two").svg
    images = re.findall(r"<image [^>]*>", svg)
    assert images
    assert all('image-rendering="crisp-edges"' in image for image in images)


def test_alternative_is_escaped_and_ids_are_prefixed() -> None:
    with style.applied():
        figure = style.figure(2, 1)
        figure.subplots().plot([0, 1], marker="o")
        picture = to_picture(figure, name="line", alt='a < b & "c"')
    root = ElementTree.fromstring(picture.svg)
    assert root[0].text == 'a < b & "c"'
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) > 5
    assert all(id_.startswith("line-") for id_ in ids)
    assert (picture.width, picture.height) == (144, 72)


def test_words_of_a_label_that_look_like_code_stay_words() -> None:
    label = 'style="b" id="c" url(#d)'
    with style.applied():
        figure = style.figure(3, 1)
        axes = figure.subplots()
        axes.set_xlabel(label)
        root = ElementTree.fromstring(to_picture(figure, name="line", alt="alt").svg)
    assert label in [element.text for element in root.iter()]
