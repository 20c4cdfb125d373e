"""A note of any length -> the part that is shown at once, and the rest in blocks that a browser lays out one by one.

A browser that lays out a million characters in one piece stands still for seconds. The whole note is in the page all
the same: what lies behind the marks is folded away, and opened at a touch.
"""

from __future__ import annotations

from typing import Final

from explain.evidence import NoteEvidence

AT_ONCE: Final = 6000
"""Characters that are shown without asking: three pages of print, and far more than the model reads."""
_SLACK: Final = 1500
_BLOCK: Final = 4000


def opening(note: NoteEvidence) -> int:
    """Return how many characters are shown at once: all of a usual note; never less than its last mark needs."""
    wanted = max(AT_ONCE, max((span.end for span in note.spans), default=0))
    return len(note.text) if len(note.text) <= wanted + _SLACK else _cut(note.text, wanted)


def unread(note: NoteEvidence) -> int:
    """Return how many characters of the note the model did not see."""
    return sum(end - start for start, end in note.unread)


def blocks(note: NoteEvidence) -> tuple[str, ...]:
    """Return what `opening` leaves, in pieces that together are the rest of the note to the letter."""
    found, begin = [], opening(note)
    while begin < len(note.text):
        end = _cut(note.text, begin + _BLOCK)
        found.append(note.text[begin:end])
        begin = end
    return tuple(found)


def _cut(text: str, wanted: int) -> int:
    """Return a place from `wanted` on behind a line break or a blank, and `wanted` itself where none is near."""
    for sign in ("\n", " "):
        place = text.find(sign, wanted, wanted + _SLACK)
        if place >= 0:
            return place + 1
    return min(wanted, len(text))
