"""Blocks of a document -> the text of a note: de-identified, cut to its length, with its sections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fhir_adapter.deidentify.scrub import Scrubber
from fhir_adapter.notes.reading import MAX_CHARS, Block
from fhir_adapter.notes.sections import find_sections
from fhir_adapter.record import Section

_BETWEEN: Final = "\n\n"
_BEYOND: Final = 500
"""Characters read beyond the cut, so that no identifier is cut in two and left half."""


def compose(blocks: Sequence[Block], scrubber: Scrubber) -> tuple[str, tuple[Section, ...], bool]:
    """Return the text, its sections, and whether it was cut."""
    text, sections, cut = "", list[Section](), False
    for block in blocks:
        start = len(text) + len(_BETWEEN) if text else 0
        room = MAX_CHARS - start
        if room <= 0:
            return text, tuple(sections), True
        clean = scrubber.scrub(block.text[: room + _BEYOND])
        cut = cut or len(block.text) > room + _BEYOND or len(clean) > room
        text = f"{text}{_BETWEEN if text else ''}{clean[:room]}"
        sections += _sections(block, text, start)
    return text, tuple(sections), cut


def _sections(block: Block, text: str, start: int) -> list[Section]:
    if block.kind is not None:
        return [Section(block.kind, start, len(text))]
    return [Section(one.kind, start + one.start, start + one.end) for one in find_sections(text[start:])]
