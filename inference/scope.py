"""A case -> the reasons why the checkpoint must not judge it.

Every reason refuses the whole case. A note in another language or a film of another body part is not left out in
silence: an answer that skipped what the clinician sees in the chart would not be an answer about this chart.
What is merely absent or too old is no reason; it is a gap (`inference.encode`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from fhir_adapter.record import Demographics, Film, Modality
from inference.checkpoint import Checkpoint
from inference.contract import FloatArray, ModelInputs, Tensor
from inference.gate import ADULT, INVERTED, OTHER, TURNED
from inference.manifest import Scope
from inference.words import Offsets, unfamiliar_share

UNLIKE: Final = "The radiograph does not look like the films this model was trained on."
LOOKS: Final[Mapping[str, str]] = {
    ADULT: "it looks like an adult's.",
    TURNED: "it seems to be turned or upside down.",
    INVERTED: "its grey values seem to be inverted: bone should be light.",
    OTHER: "it does not look like a whole chest.",
}
"""How the sentence goes on where the gate knows the kind of thing; it may be mistaken in it, so it says `looks`."""


def age_objections(demographics: Demographics, scope: Scope, asked_at: datetime) -> list[str]:
    """Return why the age is not one the model knows."""
    ages = f"{scope.min_age_months:g} to under {scope.max_age_months:g} months"
    months = demographics.age_months(asked_at)
    if months is None:
        return [f"No birth date is on file, and this model is only for ages of {ages}."]
    if not scope.min_age_months <= months < scope.max_age_months:
        return [f"The patient's age is not one this model is for ({ages})."]
    return []


def film_objections(film: Film, scope: Scope) -> list[str]:
    """Return what the DICOM attributes of a film say against reading it."""
    stated = (
        ("modality", film.modality, scope.modalities),
        ("body part", film.body_part, scope.body_parts),
        ("view", film.view, scope.views),
    )
    # The values stay out of the sentence: BodyPartExamined is typed by hand at some sites and may hold anything.
    return [
        f"The radiograph's {what} is not one this model reads ({', '.join(filter(None, accepted))})."
        for what, value, accepted in stated
        if value.strip().upper() not in accepted
    ]


def note_objections(inputs: ModelInputs, checkpoint: Checkpoint) -> list[str]:
    """Return why the note cannot be read as the kind of text the model knows."""
    if inputs.note is None:
        return []
    ids = [int(identifier) for identifier in inputs.arrays[Tensor.TOKENS][0]]
    if reads_as_known(inputs.note.text, ids, inputs.offsets, checkpoint):
        return []
    return ["The note does not read as the English clinical text this model knows."]


def reads_as_known(text: str, ids: Sequence[int], offsets: Offsets, checkpoint: Checkpoint) -> bool:
    """Say whether a note, and its word pieces, is made of words that the checkpoint's tokenizer knows."""
    return unfamiliar_share(checkpoint.tokenizer, text, ids, offsets) <= checkpoint.scope.max_unfamiliar_words


def image_objections(inputs: ModelInputs, feature: FloatArray, checkpoint: Checkpoint) -> list[str]:
    """Return whether the film, as the image encoder saw it (feature (W,)), is unlike those of the training, and how."""
    gate = checkpoint.gate
    if inputs.film is None or gate is None or gate.accepts(feature):
        return []
    looks = LOOKS.get(gate.looks_like(feature) or "")
    return [UNLIKE if looks is None else f"{UNLIKE.removesuffix('.')}: {looks}"]


def nothing_to_judge(modalities: Sequence[Modality]) -> list[str]:
    """Return that the chart holds nothing but demographics."""
    return [] if modalities else ["There is no current radiograph, note or measurement to judge."]
