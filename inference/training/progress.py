"""How a long run says where it is: lines for the log, and steps for a bar."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told by every stage of training; the command line draws it."""

    def say(self, line: str) -> None:
        """Take a line on what was measured or begun."""

    def step(self, stage: str, done: int, total: int) -> None:
        """Take how many of a stage's steps are done."""


class Silent:
    """Says nothing: for tests, and for all processes of a run but the first."""

    def say(self, line: str) -> None:
        """Take a line and drop it."""

    def step(self, stage: str, done: int, total: int) -> None:
        """Take a step and drop it."""
