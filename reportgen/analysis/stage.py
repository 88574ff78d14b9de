"""The stages of a run, as a caller may watch them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

Stage = Callable[[str], AbstractContextManager[None]]
"""Opened around every stage by its name, so that a caller may show or time it."""
