"""Prediction and Explanation <-> the bytes that are stored."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from explain.evidence import Explanation
from inference.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a job found out.

    Attributes:
        prediction: the answer.
        explanation: its evidence; the pictures are empty where only the card is made from it.
        draft: a FHIR Condition that the clinician may accept, or None where there is no diagnosis to record.
        model_ms: time of the model alone.
        job_ms: time of the whole job.
    """

    prediction: Prediction
    explanation: Explanation
    draft: dict[str, Any] | None = None
    model_ms: float = 0.0
    job_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Pictures:
    """The two PNG files of a page."""

    film: bytes
    heat: bytes


class _Stored(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    judgement: Judgement


def to_bytes(judgement: Judgement) -> tuple[bytes, Pictures | None]:
    """Split a judgement into its text and its pictures, which only the page needs."""
    image = judgement.explanation.image
    if image is None:
        return _dump(judgement), None
    light = dataclasses.replace(image, film_png=b"", heat_png=b"")
    explanation = dataclasses.replace(judgement.explanation, image=light)
    return _dump(dataclasses.replace(judgement, explanation=explanation)), Pictures(image.film_png, image.heat_png)


def from_bytes(payload: bytes) -> Judgement:
    """Return the judgement of a stored payload, its pictures empty."""
    return _Stored.model_validate_json(payload).judgement


def _dump(judgement: Judgement) -> bytes:
    return _Stored(judgement=judgement).model_dump_json().encode()
