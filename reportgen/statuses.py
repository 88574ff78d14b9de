"""Why a recommendation has its status: the reasons that its figures can give, and what each means.

A reason is the key of a sentence in the templates, one in each language.
"""

from __future__ import annotations

from collections.abc import Mapping

from reportgen.results import Status

#: Reason of every recommendation where the model's usefulness is not proven.
MODEL_NOT_USEFUL = "model_not_useful"

#: Why a recommendation has its status, by code. R1 to R4 speak about the focus segment.
REASONS: Mapping[str, Mapping[str, Status]] = {
    "R1": {
        MODEL_NOT_USEFUL: "unsupported",
        "category_over_represented": "supported",      # evidence.attention names it
        "no_category_stands_out": "caution",           # evidence.attention is empty
        "profit_lower": "caution",                     # attention is set, profit below the rest's
        "focus_too_small": "unsupported",              # under 50 in the focus, or outside it
        "no_goods_column": "unsupported",              # the contract has no category of goods
    },
    "R2": {
        MODEL_NOT_USEFUL: "unsupported",
        "enough_contactable": "supported",             # 50 or more may be messaged
        "contacted_more_already": "caution",           # 50 or more, messaged more than others now
        "few_contactable": "caution",                  # 10 to 49 may be messaged
        "hardly_any_contactable": "unsupported",       # fewer than 10: no rows, contacts None
    },
    "R3": {
        MODEL_NOT_USEFUL: "unsupported",
        "shallower_and_basket_fuller": "supported",
        "only_shallower": "caution",                   # the basket is not fuller
        "only_basket_fuller": "caution",               # depth not lower (deeper: even higher)
        "depth_mixed": "caution",                      # one depth column lower, another higher
        "deeper": "unsupported",                       # they look deeper, basket not fuller
        "neither_shallower_nor_fuller": "unsupported",
        "focus_too_small": "unsupported",
    },
    "R4": {
        MODEL_NOT_USEFUL: "unsupported",
        "promo_buyers_decline_more": "supported",      # and their profit is not lower
        "promo_buyers_less_profitable": "caution",     # decline more, profit lower
        "profit_unknown": "caution",                   # decline more, no profit to compare
        "no_difference": "unsupported",
        "promo_buyers_decline_less": "unsupported",
        "too_few_promo_buyers": "unsupported",         # under 20 of them, or of the others
        "focus_too_small": "unsupported",
    },
    "R5": {
        MODEL_NOT_USEFUL: "unsupported",
        "levels_and_falls_confirmed": "supported",     # at least one of each form
        "levels_confirmed": "supported",               # no fall is confirmed
        "falls_confirmed": "supported",                # no level is confirmed
        "opposite": "unsupported",                     # none confirmed, at least one opposite
        "unclear": "unsupported",                      # nothing found either way
        "nothing_tested": "unsupported",               # no column with values to test
    },
    "R6": {
        MODEL_NOT_USEFUL: "unsupported",
        "decline_more": "supported",
        "no_difference": "unsupported",
        "decline_less": "unsupported",
        "too_few": "unsupported",                      # under 20 of them, or of the others
    },
    "R7": {
        MODEL_NOT_USEFUL: "unsupported",
        "decline_more": "supported",
        "no_difference": "unsupported",
        "decline_less": "unsupported",
        "too_few": "unsupported",
    },
}
