"""PatientRecord -> ModelInputs: what of a chart the model sees at the moment of the question."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from fhir_adapter.record import Film, Gap, GapReason, Modality, Note, PatientRecord
from inference.checkpoint import Checkpoint
from inference.contract import IMAGE_SIZE, TEXT_TOKENS, FloatArray, ModelInputs, Tensor
from inference.encode_film import choose_film, to_square
from inference.encode_measurements import encode_measurements
from inference.encode_note import choose_note
from inference.words import Pieces, split_note

NO_PIECES = Pieces((0,) * TEXT_TOKENS, ((0, 0),) * TEXT_TOKENS, truncated=False)


class Encoder:
    """Turns charts into the arrays of one checkpoint."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint

    def encode(self, record: PatientRecord, asked_at: datetime) -> ModelInputs:
        """Choose and encode the newest current film, note and measurements.

        Args:
            record: the chart.
            asked_at: moment of the question, with its time zone; nothing taken later is used.
        """
        scope = self.checkpoint.scope
        film, film_gaps = choose_film(record.films, scope, asked_at)
        note, note_gaps = choose_note(record.notes, scope, asked_at)
        structured = encode_measurements(record, asked_at)
        pieces = NO_PIECES if note is None else split_note(self.checkpoint.tokenizer, note.text, note.sections)
        arrays: dict[str, npt.NDArray[np.generic]] = {
            Tensor.IMAGE: encode_image(film),
            Tensor.IMAGE_PRESENT: presence(film),
            Tensor.TOKENS: np.array([pieces.ids], np.int64),
            Tensor.TEXT_PRESENT: presence(note),
            Tensor.VALUES: structured.values,
            Tensor.VALUE_PRESENT: structured.present,
            Tensor.VALUE_AGE: structured.age_days,
        }
        gaps = record.gaps + unsaid(film_gaps + note_gaps, record.gaps) + structured.gaps
        return ModelInputs(arrays, structured.used, note, pieces.offsets, pieces.truncated, film, gaps, pieces.unread)


def presence(item: Film | Note | None) -> FloatArray:
    """Return 1 for something and 0 for nothing, as the graph takes it, (1, 1)."""
    return np.full((1, 1), item is not None, np.float32)


def encode_image(film: Film | None) -> FloatArray:
    """Return the square (1, 1, S, S) of a film, black where there is none."""
    return np.zeros((1, 1, IMAGE_SIZE, IMAGE_SIZE), np.float32) if film is None else to_square(film.pixels)


def unsaid(found: list[Gap], told: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Drop "not on file" where the record already says why that modality is not there."""
    explained = {gap.modality for gap in told}
    return tuple(gap for gap in found if gap.reason is not GapReason.MISSING or gap.modality not in explained)


def present_modalities(inputs: ModelInputs) -> tuple[Modality, ...]:
    """Name the modalities that are there; age and sex alone do not make the structured one."""
    there: tuple[tuple[Modality, bool], ...] = (
        ("image", inputs.film is not None),
        ("text", inputs.note is not None),
        ("structured", any(inputs.used)),
    )
    return tuple(name for name, present in there if present)
