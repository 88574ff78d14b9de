"""The signals' order and how a threshold is written."""

from __future__ import annotations

from reportgen.charts import signals, style
from reportgen.localization import Localizer
from reportgen.results import Report

from .drawn import plain


def test_signals_keep_the_recommendation_s_order_and_thresholds(
    report: Report, ru: Localizer
) -> None:
    pairs = signals.frame(report)
    assert pairs is not None
    assert [pair.finding for pair in pairs.pairs] == ["confirmed"] * 3 + ["opposite"]
    # 91 of 127 = 71.7 %, 33 of 197 = 16.8 %.
    assert "«страниц за визит: 6 и меньше»: активность снизили 72 % клиентов, выше порога — 17 %" \
        in plain(signals.alt(pairs, ru))
    with style.applied():
        (axes,) = signals.draw(pairs, ru).axes
    labels = " ".join(plain(text.get_text()) for text in axes.texts)
    assert "изменение минут: −40 % и меньше" in labels
