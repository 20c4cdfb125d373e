"""Notes of a record -> the one note the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from fhir_adapter.record import Gap, GapReason, Note, NoteKind
from inference.manifest import Scope
from inference.recency import age_hours, known_at

ITEM = "clinical note"
_ORDER: Final[tuple[NoteKind, ...]] = ("note", "addendum", "report")


def choose_note(notes: Sequence[Note], scope: Scope, asked_at: datetime) -> tuple[Note | None, list[Gap]]:
    """Return the newest current note that has words, and what to say where there is none.

    One note, not several joined: the model was trained on one, and words and their marks on the page must belong to
    one document. An addendum or a report is read only where there is no current note, however new it is: by itself it
    says what changed, or what another examination showed, and not how the child presents.
    """
    known = [note for note in known_at(notes, lambda note: note.written_at, asked_at) if note.text.strip()]
    current = [note for note in known if age_hours(note.written_at, asked_at) <= scope.note_max_age_h]
    if current:
        # `min` takes the first of equals, which is the newest.
        return min(current, key=lambda note: _ORDER.index(note.kind)), []
    return None, [Gap("text", ITEM, GapReason.STALE if known else GapReason.MISSING)]
