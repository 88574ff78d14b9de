"""The state of the customers this month.

The scored customers (an Ibis table) come in; an `Overview` goes out: who fell and who looks like
them, the totals of the months the tables hold, both classes side by side, the bands of risk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import ibis.expr.types as ir

from reportgen.comparison import Comparison, compare
from reportgen.config import BANDS, Settings
from reportgen.contract import Role, Unit
from reportgen.intervals import wilson
from reportgen.queries import exact_sum, one_row, rows_of
from reportgen.results import Band, ClassMeans, Overview, Total

#: Bins of the histogram of risk: five percentage points each, which the eye still tells apart.
RISK_BINS = 20


def summarise(scored: ir.Table, settings: Settings) -> Overview:
    """Count, sum and average the customers, in three queries.

    Parameters
    ----------
    scored
        One row a customer: the contract's columns, risk, risk_band (both unknown where the model
        is withheld), fallen, alike, contactable.
    """
    classes = compare(scored, scored["fallen"], settings, numbers=_class_columns(settings))
    fallen, others = classes.inside, classes.others
    customers = fallen.customers + others.customers
    contactable = fallen.contactable + others.contactable
    risks = _risks(scored)
    return Overview(
        customers=customers,
        fallen=fallen.customers,
        fallen_share=wilson(fallen.customers, customers),
        alike=others.alike,
        alike_share=_share(others.alike, customers),
        contactable=contactable,
        contactable_share=_share(contactable, customers),
        fallen_contactable=fallen.contactable,
        alike_contactable=others.contactable_alike,
        totals=_totals(scored, settings),
        classes=tuple(_class_means(classes)) if classes.publishable else (),
        bands=_bands(risks, customers, settings),
        risk_edges=tuple(edge / RISK_BINS for edge in range(RISK_BINS + 1)),
        risk_fallen=_histogram(risks, fallen=True),
        risk_others=_histogram(risks, fallen=False),
    )


def _class_columns(settings: Settings) -> tuple[str, ...]:
    """Name the newest column of each total of money, then every value."""
    newest = (total.columns[-1] for total in settings.presentation.totals.values())
    money = [name for name in newest if settings.columns[name].unit == Unit.MONEY]
    values = [name for name, _ in settings.of_role(Role.VALUE)]
    return tuple(dict.fromkeys(money + values))


def _class_means(classes: Comparison) -> Iterator[ClassMeans]:
    for column in classes.inside.numbers:
        fallen = classes.inside.numbers[column].estimate
        others = classes.others.numbers[column].estimate
        difference = classes.profile_row(column).difference
        if fallen and others and difference:
            yield ClassMeans(column, fallen, others, difference)


def _totals(scored: ir.Table, settings: Settings) -> tuple[Total, ...]:
    totals = settings.presentation.totals
    columns = list(dict.fromkeys(name for total in totals.values() for name in total.columns))
    if not columns:
        return ()
    figures = {f"sum_{i}": exact_sum(scored[name]) for i, name in enumerate(columns)}
    figures |= {f"mean_{i}": scored[name].mean() for i, name in enumerate(columns)}
    row = one_row(scored.aggregate(**figures))
    sums = {name: float(row[f"sum_{i}"] or 0) for i, name in enumerate(columns)}
    means = {name: float(row[f"mean_{i}"] or 0) for i, name in enumerate(columns)}
    return tuple(
        Total(
            name=name, label=dict(total.label), unit=settings.columns[total.columns[-1]].unit.value,
            sums=tuple(sums[column] for column in total.columns),
            means=tuple(means[column] for column in total.columns),
        )
        for name, total in totals.items()
    )


_Risks = Counter[tuple[str, int, bool]]
"""Customers by band, bin of the histogram and whether they fell."""


def _risks(scored: ir.Table) -> _Risks:
    scored = scored.filter(scored["risk"].notnull())
    # A risk of exactly 1 belongs to the last bin.
    width = (scored["risk"] * RISK_BINS).floor().cast("int64").clip(upper=RISK_BINS - 1)
    query = scored.group_by(
        band=scored["risk_band"], bin=width, fallen=scored["fallen"],
    ).aggregate(customers=scored.count())
    return Counter({
        (row["band"], row["bin"], row["fallen"]): row["customers"]
        for row in rows_of(query)
    })


def _bands(risks: _Risks, customers: int, settings: Settings) -> tuple[Band, ...]:
    if not risks:
        return ()
    edges = (0.0, settings.risk.medium, settings.risk.high, 1.0)
    bands = []
    for name, low, high in zip(BANDS, edges[:-1], edges[1:], strict=True):
        inside = sum(n for (band, _, _), n in risks.items() if band == name)
        fallen = sum(n for (band, _, fell), n in risks.items() if band == name and fell)
        alike = inside - fallen if name == BANDS[-1] else 0
        bands.append(Band(name, low, high, inside, _share(inside, customers), fallen, alike,
                          wilson(fallen, inside)))
    return tuple(bands)


def _histogram(risks: _Risks, *, fallen: bool) -> tuple[int, ...]:
    if not risks:
        return ()
    return tuple(
        sum(n for (_, place, fell), n in risks.items() if place == bin_ and fell == fallen)
        for bin_ in range(RISK_BINS)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
