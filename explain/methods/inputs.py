"""An answer and its first explanation -> what the second tier needs to check them, and nothing else.

No patient and no reference goes along. The note and the film do: whoever keeps this encrypts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
import orjson

from explain.evidence import Explanation
from explain.image import shown_size
from explain.text import text_as_read
from fhir_adapter.record import Modality
from inference.backends.protocol import Array, check_arrays
from inference.calibrate import DoubleArray
from inference.contract import INPUT_SHAPES, SLOTS, FloatArray, IntArray, ModelInputs, ModelOutputs, Tensor
from inference.entities import Entity, read_entities
from inference.prediction import Prediction, Verdict

_HEADER: Final = "header"
_ARRAYS: Final = ("recorded", "offsets")
_TOLD: Final = (
    "text",
    "entities",
    "film_size",
    "answer",
    "probability",
    "prediction_set",
    "modalities",
    "structured_points",
    "model_digest",
)


@dataclass(frozen=True, slots=True, eq=False)
class CheckInputs:
    """One answered case as the second tier takes it.

    Attributes:
        arrays: the tensors of `inference.contract.INPUT_SHAPES`, each with a leading batch axis of 1.
        recorded: the measurement behind each slot in its own unit (SLOTS,); NaN for age, sex and what is absent.
        offsets: characters (start, end) of the note behind each token (N, 2); (0, 0) where there is no text.
        text: the note, as far as the model read it, with blanks for what it left out; empty without one.
        entities: what the model took words of the note for, in reading order.
        film_size: width and height of the film as a page shows it; (0, 0) without one.
        answer: key of the likeliest diagnosis.
        probability: its calibrated probability, as shown.
        prediction_set: keys, as shown.
        modalities: which inputs were there.
        structured_points: what the structured record adds to the probability, as shown (`explain.evidence.Share`).
        model_digest: SHA-256 of the graph that answered.
    """

    arrays: Mapping[str, Array]
    recorded: DoubleArray
    offsets: IntArray
    text: str
    entities: tuple[Entity, ...]
    film_size: tuple[int, int]
    answer: str
    probability: float
    prediction_set: tuple[str, ...]
    modalities: tuple[Modality, ...]
    structured_points: float
    model_digest: str

    def to_bytes(self) -> bytes:
        """Return all of it as one NumPy archive without pickled objects."""
        told = orjson.dumps({name: getattr(self, name) for name in _TOLD})
        kept = {**{name: getattr(self, name) for name in _ARRAYS}, **self.arrays}
        out = BytesIO()
        # Not compressed: the film is small, and somebody waits for the answer that this goes with.
        np.savez(out, allow_pickle=False, **{_HEADER: np.frombuffer(told, np.uint8)}, **kept)
        return out.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> CheckInputs:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: it is not that, or of another version.
        """
        try:
            with np.load(BytesIO(content), allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
            told: dict[str, Any] = orjson.loads(found.pop(_HEADER).tobytes())
            arrays = {name: found.pop(name) for name in INPUT_SHAPES}
            check_arrays(arrays)
            entities = tuple(Entity(**entity) for entity in told.pop("entities"))
            listed = {name: tuple(told.pop(name)) for name in ("prediction_set", "modalities", "film_size")}
            fields: dict[str, Any] = {**told, **listed, **{name: found[name] for name in _ARRAYS}}
            return cls(arrays=arrays, entities=entities, **fields)
        except (ValueError, TypeError, KeyError, OSError, EOFError, BadZipFile) as error:
            raise ValueError("what was kept for checking cannot be read: ask for the analysis again") from error


def check_inputs(
    inputs: ModelInputs, outputs: ModelOutputs, prediction: Prediction, explanation: Explanation
) -> CheckInputs:
    """Take from one answered case what its check needs.

    Raises:
        ValueError: the case is out of scope, so there is no answer to check; or an array holds figures that are none.
    """
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        raise ValueError("a case out of scope has no answer to check: do not start its check")
    floats = [array for array in inputs.arrays.values() if array.dtype.kind == "f"]
    if not all(np.isfinite(array).all() for array in floats):
        raise ValueError("inputs must be finite: check who encoded the case")
    text = text_as_read(inputs.note.text, inputs) if inputs.note else ""
    return CheckInputs(
        arrays={name: np.asarray(inputs.arrays[name]) for name in INPUT_SHAPES},
        recorded=np.array([np.nan if used is None else used.value for used in inputs.used], np.float64),
        offsets=np.array(inputs.offsets, np.int64).reshape(-1, 2),
        text=text,
        entities=tuple(read_entities(outputs.entity_logits, inputs.offsets, text)) if text else (),
        film_size=shown_size(inputs.film) if inputs.film else (0, 0),
        answer=prediction.top.diagnosis.key,
        probability=prediction.top.probability,
        prediction_set=prediction.prediction_set,
        modalities=prediction.modalities,
        structured_points=next(share.points for share in explanation.shares if share.modality == "structured"),
        model_digest=prediction.model_digest,
    )


def present_slots(case: CheckInputs) -> FloatArray:
    """Return which structured inputs were given, shape (SLOTS,), 1 or 0."""
    present: FloatArray = case.arrays[Tensor.VALUE_PRESENT].reshape(SLOTS)
    return present
