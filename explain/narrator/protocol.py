"""What a narrator is: something that answers a prompt with text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class NarratorError(Exception):
    """A narrator gave nothing usable; the message is for people and holds neither its words, its key nor the claims."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a narrator is told.

    Attributes:
        rules: what to do, the same for every case.
        claims: the claims as JSON: the only thing about the patient that it gets.
    """

    rules: str
    claims: str


class Narrator(Protocol):
    """A language model behind some interface."""

    @property
    def name(self) -> str:
        """Name of the model, as the page shows it."""
        ...

    def write(self, prompt: Prompt) -> str:
        """Return the model's answer as it came.

        Raises:
            NarratorError: there is none; nothing else is raised.
        """
        ...
