"""A checkpoint -> how well what a film states and the language of a note are judged; no pixels, no graph."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from fhir_adapter.record import Film as ChartFilm
from fhir_adapter.record import Source
from inference.checkpoint import Checkpoint
from inference.figures import Figure
from inference.scope import film_objections, reads_as_known
from inference.training.data.films import Film
from inference.training.encode_cases import cases_of
from inference.training.scope.foreign import FOREIGN_NOTES
from inference.training.scope.intervals import share_figure
from inference.words import split_note

NOT_FRONTAL: Final = ("LL", "RL", "LLD", "RLD", "LLO", "RLO")
"""DICOM ViewPosition (0018,5101), PS3.3 C.8.1.2: lateral, decubitus and oblique views."""


def lateral_figure(checkpoint: Checkpoint) -> Figure:
    """Return the share of views that are not frontal which are refused where the film states them.

    By pixels alone nobody looks for a lateral film: there is no open set of children's to fit or judge with.
    """
    refused = [bool(film_objections(stating(view), checkpoint.scope)) for view in NOT_FRONTAL]
    return share_figure("scope.lateral.recall", refused, len(refused))


def stating(view: str) -> ChartFilm:
    """Make a chest film of no patient that states a view."""
    pixels = np.zeros((1, 1), np.float32)
    return ChartFilm(pixels, view, "DX", "CHEST", datetime(2026, 1, 1, tzinfo=UTC), Source("ImagingStudy/none", "1"))


def note_figures(checkpoint: Checkpoint, films: Sequence[Film], seed: int) -> list[Figure]:
    """Return the share of foreign notes refused, and of the simulated English notes around films that are kept."""
    foreign = [not is_read(checkpoint, note) for note in FOREIGN_NOTES.values()]
    figures = [share_figure("scope.note_language.recall", foreign, len(foreign))]
    notes = [case.note for case in cases_of(films, seed, grammar="test") if case.note is not None]
    if notes:
        figures.append(share_figure("scope.note_kept", kept(checkpoint, notes), len(notes)))
    return figures


def kept(checkpoint: Checkpoint, notes: Iterable[str]) -> list[bool]:
    """Say of each note whether it is read."""
    return [is_read(checkpoint, note) for note in notes]


def is_read(checkpoint: Checkpoint, note: str) -> bool:
    """Say whether a note passes as the kind of text the checkpoint knows."""
    pieces = split_note(checkpoint.tokenizer, note)
    return reads_as_known(note, pieces.ids, pieces.offsets, checkpoint)
