"""What a reader of one form of document returns: its text in blocks, and whether that is all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fhir_adapter.record import SectionKind

MAX_CHARS: Final = 100_000
"""Far more than any model reads; a longer text is cut here."""
BEGINNING: Final = "only its beginning was read"


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document; `kind` where the document itself says what it is about, else headings in it count."""

    text: str
    kind: SectionKind | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a document.

    Attributes:
        blocks: in order; they are shown with an empty line between them.
        lost: a clause for the clinician on what was left out; empty where nothing was.
    """

    blocks: tuple[Block, ...]
    lost: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is no text at all."""
        return not any(block.text.strip() for block in self.blocks)
