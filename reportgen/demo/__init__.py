"""A seeded store with known truth: data for the demo and for simulations.

In: a world by name, a seed, a number of customers and months. Out: months as arrays with the truth
beside them, or the store's four files a month. No row is taken from a real store.
"""

from reportgen.demo.columns import COLUMNS, Choice, Measure
from reportgen.demo.generate import (
    ACTIONS,
    CUSTOMERS,
    DEMO_SEED,
    DEMO_WORLD,
    FIRST_MONTH,
    MONTHS,
    STOP_SHARE,
    Action,
    Month,
    Programme,
    generate,
)
from reportgen.demo.worlds import WORLDS, Condition, Step, World, truth
from reportgen.demo.write import write, write_store

__all__ = [
    "ACTIONS",
    "COLUMNS",
    "CUSTOMERS",
    "DEMO_SEED",
    "DEMO_WORLD",
    "FIRST_MONTH",
    "MONTHS",
    "STOP_SHARE",
    "WORLDS",
    "Action",
    "Choice",
    "Condition",
    "Measure",
    "Month",
    "Programme",
    "Step",
    "World",
    "generate",
    "truth",
    "write",
    "write_store",
]
