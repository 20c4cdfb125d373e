"""Prediction, Explanation and what tests it <-> the bytes that are stored."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from explain import settled
from explain.evidence import Explanation, ImageEvidence
from explain.tested import Tested
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
        check: what the second tier needs (`explain.second.CheckInputs.to_bytes`), or None where there is nothing to
            check; stored apart, and only until the check has ended.
        lasting: False where something was missing that may be there a minute later, such as a film whose archive did
            not answer: such a result does not answer for long.
    """

    prediction: Prediction
    explanation: Explanation
    draft: dict[str, Any] | None = None
    model_ms: float = 0.0
    job_ms: float = 0.0
    check: bytes | None = None
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class Pictures:
    """The PNG files of a page; `prior` is an earlier film, where there is one."""

    film: bytes
    heat: bytes
    prior: bytes | None = None


class _Stored(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    judgement: Judgement


class _StoredTest(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    tested: Tested


def to_bytes(judgement: Judgement) -> tuple[bytes, Pictures | None]:
    """Split a judgement into its text and its pictures, which only the page needs; what the check needs is left out."""
    image = judgement.explanation.image
    judgement = dataclasses.replace(judgement, check=None)
    if image is None:
        return _dump(judgement), None
    explanation = dataclasses.replace(judgement.explanation, image=_light(image))
    pictures = Pictures(image.film_png, image.heat_png, image.prior.film_png if image.prior else None)
    return _dump(dataclasses.replace(judgement, explanation=explanation)), pictures


def _light(image: ImageEvidence) -> ImageEvidence:
    prior = image.prior and dataclasses.replace(image.prior, film_png=b"")
    return dataclasses.replace(image, film_png=b"", heat_png=b"", prior=prior)


def from_bytes(payload: bytes) -> Judgement:
    """Return the judgement of a stored payload, its pictures empty."""
    return _Stored.model_validate_json(payload).judgement


def with_tested(judgement: Judgement, tested: Tested) -> Judgement:
    """Return a judgement with its second tier: measured marks and sentences in place of the first."""
    explanation = settled.with_tested(judgement.prediction, judgement.explanation, tested)
    return dataclasses.replace(judgement, explanation=explanation)


def second_to_bytes(tested: Tested) -> tuple[bytes, bytes]:
    """Split the second tier into its text and its heat map, which is empty where it has none.

    Raises:
        ValueError: it could not be read back, as a figure in it is not finite.
    """
    payload = _StoredTest(tested=dataclasses.replace(tested, heat_png=b"")).model_dump_json().encode()
    second_from_bytes(payload)
    return payload, tested.heat_png


def second_from_bytes(payload: bytes) -> Tested:
    """Return the second tier of a stored payload, its heat map empty."""
    return _StoredTest.model_validate_json(payload).tested


def _dump(judgement: Judgement) -> bytes:
    return _Stored(judgement=judgement).model_dump_json().encode()
