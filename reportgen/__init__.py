"""Monthly retention reports: who is about to buy less, why, and what to do about it."""

__version__ = "0.1.0"
