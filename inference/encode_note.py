"""Notes of a record -> the one note the model reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from fhir_adapter.record import Gap, GapReason, Note
from inference.manifest import Scope
from inference.recency import age_hours, known_at

ITEM = "clinical note"


def choose_note(notes: Sequence[Note], scope: Scope, asked_at: datetime) -> tuple[Note | None, list[Gap]]:
    """Return the newest current note that has words, and what to say where there is none.

    One note, not several joined: the model was trained on one, and words and their marks on the page must belong to
    one document.
    """
    known = [note for note in known_at(notes, lambda note: note.written_at, asked_at) if note.text.strip()]
    current = [note for note in known if age_hours(note.written_at, asked_at) <= scope.note_max_age_h]
    if current:
        return current[0], []
    return None, [Gap("text", ITEM, GapReason.STALE if known else GapReason.MISSING)]
