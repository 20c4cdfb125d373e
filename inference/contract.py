"""The one place where tensor names, shapes, label order and measurement order live.

Training, export, Triton and every client import this module, so that two of them can never disagree.
It needs nothing but NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fhir_adapter.record import Film, Gap, Measurement, Note

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

IMAGE_SIZE: Final = 160
"""Side in pixels of the square the image encoder sees; a radiograph is resized to it whole."""
PATCH: Final = 16
GRID: Final = IMAGE_SIZE // PATCH
PATCHES: Final = GRID * GRID
"""Image tokens, row by row from the top left of the film."""
TEXT_TOKENS: Final = 160
"""Word pieces of the note, the leading [CLS] and the closing [SEP] included."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One label of the model: where it stands in the logits is its place in `DIAGNOSES`."""

    key: str
    name: str
    snomed: str
    """SNOMED CT concept; empty for the label that is the absence of the others."""


DIAGNOSES: Final = (
    Diagnosis("normal", "No pneumonia", ""),
    Diagnosis("bacterial", "Bacterial pneumonia", "53084003"),
    Diagnosis("viral", "Viral pneumonia", "75570004"),
)
DIAGNOSIS_OF_KEY: Final = {diagnosis.key: diagnosis for diagnosis in DIAGNOSES}
CLASSES: Final = len(DIAGNOSES)


@dataclass(frozen=True, slots=True)
class Slot:
    """One structured input: its place in the arrays is its place in `MEASUREMENTS`.

    Attributes:
        key: a key of `fhir_adapter.measurements.quantities`, or `age` (months) or `female` (1, 0).
        centre: value that becomes 0 (after the logarithm where `log`).
        scale: distance that becomes 1 (after the logarithm where `log`).
        log: whether the natural logarithm is taken first, for quantities that spread over decades.
    """

    key: str
    centre: float
    scale: float
    log: bool = False

    def standardise(self, value: float) -> float:
        """Map a value in the quantity's unit to the model's scale."""
        return ((math.log(value) if self.log else value) - self.centre) / self.scale


MEASUREMENTS: Final = (
    Slot("age", 32.0, 14.0),
    Slot("female", 0.5, 0.5),
    Slot("temperature", 38.0, 1.0),
    Slot("heart_rate", 130, 22),
    Slot("respiratory_rate", 36, 10),
    Slot("spo2", 95.5, 3.5),
    Slot("wbc", 2.5, 0.45, log=True),
    Slot("neutrophils", 1.9, 0.65, log=True),
    Slot("lymphocytes", 1.3, 0.6, log=True),
    Slot("haemoglobin", 118, 11),
    Slot("platelets", 5.8, 0.36, log=True),
    Slot("crp", 3.0, 1.6, log=True),
    Slot("procalcitonin", -0.7, 1.9, log=True),
    Slot("sodium", 137, 2.8),
)
SLOTS: Final = len(MEASUREMENTS)
DEMOGRAPHIC_SLOTS: Final = tuple(place for place, slot in enumerate(MEASUREMENTS) if slot.key in ("age", "female"))
"""Slots that are there for nearly every patient; they alone do not make the structured modality present."""
SLOT_OF_KEY: Final = {slot.key: index for index, slot in enumerate(MEASUREMENTS)}

MODALITIES: Final = ("image", "text", "structured")
SUBSETS: Final = tuple(tuple(bool(number >> place & 1) for place in range(3)) for number in range(8))
"""Which of `MODALITIES` are kept in each row of the output `subset_logits`; row 7 is everything there is."""


class Tensor:
    """Names of the graph's inputs and outputs; B patients. Shapes after the name, as the ONNX file has them."""

    IMAGE: Final = "image"  # float32 (B, 1, IMAGE_SIZE, IMAGE_SIZE), grey 0..1, bone white (MONOCHROME2)
    IMAGE_PRESENT: Final = "image_present"  # float32 (B, 1), 1 or 0
    TOKENS: Final = "tokens"  # int64 (B, TEXT_TOKENS), word-piece ids, padded with 0
    TEXT_PRESENT: Final = "text_present"  # float32 (B, 1)
    VALUES: Final = "values"  # float32 (B, SLOTS), standardised; 0 where absent
    VALUE_PRESENT: Final = "value_present"  # float32 (B, SLOTS), 1 or 0
    VALUE_AGE: Final = "value_age"  # float32 (B, SLOTS), hours before the question divided by 24; 0 where absent

    LOGITS: Final = "logits"  # float32 (B, CLASSES), not yet calibrated
    SUBSET_LOGITS: Final = "subset_logits"  # float32 (B, 8, CLASSES), rows as SUBSETS
    IMAGE_RELEVANCE: Final = "image_relevance"  # float32 (B, PATCHES), 0 or more
    TEXT_RELEVANCE: Final = "text_relevance"  # float32 (B, TEXT_TOKENS), 0 or more
    TEXT_EFFECT: Final = "text_effect"  # float32 (B, TEXT_TOKENS), signed, log-odds of the answer, first order
    VALUE_EFFECT: Final = "value_effect"  # float32 (B, SLOTS), signed, log-odds lost without it, the note left aside
    IMAGE_FEATURE: Final = "image_feature"  # float32 (B, WIDTH), pooled, for the scope gate
    ENTITY_LOGITS: Final = "entity_logits"  # float32 (B, TEXT_TOKENS, TAGS), columns as `inference.entities` has them
    IMAGE_MEMORY: Final = "image_memory"  # float32 (B, PATCHES, D), the film in the shared embedding
    NOTE_MEMORY: Final = "note_memory"  # float32 (B, TEXT_TOKENS, D), the note in the shared embedding


INPUT_SHAPES: Final[dict[str, tuple[int, ...]]] = {
    Tensor.IMAGE: (1, IMAGE_SIZE, IMAGE_SIZE),
    Tensor.IMAGE_PRESENT: (1,),
    Tensor.TOKENS: (TEXT_TOKENS,),
    Tensor.TEXT_PRESENT: (1,),
    Tensor.VALUES: (SLOTS,),
    Tensor.VALUE_PRESENT: (SLOTS,),
    Tensor.VALUE_AGE: (SLOTS,),
}
ANSWER_NAMES: Final = (
    Tensor.LOGITS,
    Tensor.SUBSET_LOGITS,
    Tensor.IMAGE_RELEVANCE,
    Tensor.TEXT_RELEVANCE,
    Tensor.TEXT_EFFECT,
    Tensor.VALUE_EFFECT,
    Tensor.IMAGE_FEATURE,
    Tensor.ENTITY_LOGITS,
)
"""What a card and its page are made from; see `ModelOutputs`."""
MEMORY_NAMES: Final = (Tensor.IMAGE_MEMORY, Tensor.NOTE_MEMORY)
"""What the encoders made of film and note: with it, only the fusion has to run again for a variant of the record."""
OUTPUT_NAMES: Final = (*ANSWER_NAMES, *MEMORY_NAMES)
PER_PIECE: Final = (Tensor.TEXT_RELEVANCE, Tensor.TEXT_EFFECT, Tensor.ENTITY_LOGITS, Tensor.NOTE_MEMORY)
"""Outputs whose second axis is that of `tokens`. The graph takes fewer than TEXT_TOKENS pieces, where the rest of every
note in a batch is padding; a backend hands these outputs on with zeros behind them."""


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """One patient as the arrays a model takes, and what each array was made from.

    Attributes:
        arrays: the tensors of `INPUT_SHAPES`, each with a leading batch axis of 1.
        used: the measurement behind each slot; None for demographics and absent slots.
        note: the note whose text became the tokens, or None.
        offsets: characters (start, end) of the note behind each token; (0, 0) for [CLS], [SEP] and padding.
        truncated: True when the note was longer than `TEXT_TOKENS`, so that something was left out.
        film: the radiograph, or None.
        gaps: what was missing, those of the record included.
        unread: characters (start, end) of the note that were left out.
    """

    arrays: Mapping[str, npt.NDArray[np.generic]]
    used: tuple[Measurement | None, ...]
    note: Note | None
    offsets: tuple[tuple[int, int], ...]
    truncated: bool
    film: Film | None
    gaps: tuple[Gap, ...]
    unread: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """What the graph answered for one patient: the tensors of `ANSWER_NAMES` without their batch axis."""

    logits: FloatArray  # (CLASSES,)
    subset_logits: FloatArray  # (8, CLASSES)
    image_relevance: FloatArray  # (PATCHES,)
    text_relevance: FloatArray  # (TEXT_TOKENS,)
    text_effect: FloatArray  # (TEXT_TOKENS,)
    value_effect: FloatArray  # (SLOTS,)
    image_feature: FloatArray  # (WIDTH,)
    entity_logits: FloatArray  # (TEXT_TOKENS, TAGS)
