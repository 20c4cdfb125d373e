"""What each piece of a note does to the answer -> the marked spans of the note."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from explain.evidence import NoteEvidence, Span
from explain.words import Piece, end_of_word, pieces, trimmed
from fhir_adapter.record import Note
from inference.contract import ModelInputs
from inference.note_budget import as_read

KEEP_FROM: Final = 0.2
"""A piece of the note is marked when its effect reaches this part of the strongest one."""
MOST_SPANS: Final = 10
"""No more spans than a reader takes in; the weakest go first."""
MOST_JOINED: Final = 6
"""Longest span in pieces: beyond it a mark no longer points at anything."""

Offsets = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Run:
    """Pieces `first` to before `behind`, and their effect in sum."""

    first: int
    behind: int
    pull: float


def note_evidence(note: Note, inputs: ModelInputs) -> NoteEvidence:
    """Return a note without marks, and what of it the model did not see.

    A word of which the first letters were read counts as read, as it does where it is marked.
    """
    left_out = inputs.unread if inputs.note is note else ()
    unread = tuple((min(end_of_word(note.text, start), end), end) for start, end in left_out)
    return NoteEvidence(note.text, note.title, (), note.written_at, str(note.source), inputs.truncated, unread)


def text_as_read(text: str, inputs: ModelInputs) -> str:
    """Return the note up to the last word that the model read; what it left out before that is blank.

    Places in it are places in the note, and no piece of `explain.words` reaches over what was left out.
    """
    end = max((end for _, end in inputs.offsets), default=0)
    holes = [(start, behind) for start, behind in inputs.unread if behind <= end]
    return as_read(text[: end_of_word(text, end)], holes)


def read_pieces(text: str, offsets: Offsets) -> tuple[Piece, ...]:
    """Return the pieces of the note as far as the model read it; see `explain.words`."""
    return pieces(text[: end_of_word(text, max((end for _, end in offsets), default=0))])


def mark_pieces(text: str, parts: Sequence[Piece], pulls: npt.NDArray[np.float64], smallest: float) -> tuple[Span, ...]:
    """Return the spans of the note that move the answer most, sorted by place, never overlapping.

    Neighbours that pull the same way are joined, also across one weak piece. The direction is the sign of the sum.
    Empty when nothing moves the answer.

    Args:
        text: the note.
        parts: its pieces; see `explain.words`.
        pulls: signed, one a piece.
        smallest: a pull under this is none.

    Raises:
        ValueError: there are not as many pulls as pieces, or one is not finite.
    """
    if len(pulls) != len(parts) or not np.isfinite(pulls).all():
        raise ValueError(f"a note of {len(parts)} pieces needs as many finite pulls")
    least = max(KEEP_FROM * float(np.abs(pulls).max(initial=0.0)), smallest)
    strong = [_Run(place, place + 1, float(pull)) for place, pull in enumerate(pulls) if abs(pull) >= least]
    runs = sorted(_joined(strong, parts, pulls), key=lambda run: -abs(run.pull))[:MOST_SPANS]
    return tuple(_span(text, parts, run, abs(runs[0].pull)) for run in sorted(runs, key=lambda run: run.first))


def _joined(strong: Sequence[_Run], parts: Sequence[Piece], pulls: npt.NDArray[np.float64]) -> list[_Run]:
    runs: list[_Run] = []
    for run in strong:
        first = runs.pop().first if runs and _belong_together(runs[-1], run, parts) else run.first
        runs.append(_Run(first, run.behind, float(pulls[first : run.behind].sum())))
    return runs


def _belong_together(before: _Run, after: _Run, parts: Sequence[Piece]) -> bool:
    """Return whether two runs are neighbours in one part of a sentence and pull the same way; a negation is alone."""
    between = parts[before.first : after.behind]
    return (
        after.first - before.behind <= 1
        and len(between) <= MOST_JOINED
        and before.pull * after.pull > 0
        and len({piece.part for piece in between}) == 1
        and not any(piece.denies for piece in between)
    )


def _span(text: str, parts: Sequence[Piece], run: _Run, strongest: float) -> Span:
    start, end = trimmed(text, parts[run.first].start, parts[run.behind - 1].end)
    return Span(start, end, abs(run.pull) / strongest, "for" if run.pull > 0 else "against")
