"""The stages of a run, as a caller may watch them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from reportgen.progress import Progress

Stage = Callable[[str], AbstractContextManager[Progress]]
"""Opened around every stage by its name, so that a caller may show or time it.

What it gives is told by the stage how far it is; a stage that cannot know tells nothing.
"""
