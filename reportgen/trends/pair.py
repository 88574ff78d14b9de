"""Two months side by side in one engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import ibis.expr.types as ir

from reportgen import months
from reportgen.history import Earlier
from reportgen.queries import read_parquet
from reportgen.results import Report


@dataclass(frozen=True)
class Pair:
    """An earlier month and this one.

    Attributes
    ----------
    month, report
        The earlier month and what it reported.
    apart
        Months between them.
    then
        Its scored customers, see `scoring.score`.
    now
        This month's customers, as `features` builds them; scored where ``scored`` was given.
    left_out
        Who is listed this month but not used.
    """

    month: str
    report: Report
    apart: int
    then: ir.Table
    now: ir.Table
    left_out: ir.Table


def pair(earlier: Earlier | None, customers: ir.Table, left_out: ir.Table, *, month: str,
         scored: Path | None = None) -> Pair | None:
    """Put an earlier month beside this one; None where its customers cannot be read."""
    if earlier is None or earlier.customers is None:
        return None
    engine = customers.get_backend()
    return Pair(
        month=earlier.month, report=earlier.report, apart=months.between(earlier.month, month),
        then=read_parquet(engine, earlier.customers),
        now=customers if scored is None else read_parquet(engine, scored),
        left_out=left_out,
    )
