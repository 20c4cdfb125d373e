"""One record, what the model took of it and what it answered -> the explanation of that answer."""

from __future__ import annotations

from typing import Final

from explain.evidence import Explanation, ImageEvidence, NoteEvidence, Share
from explain.image import FilmPictures, draw_films, image_evidence
from explain.narrative import Evidence, tell
from explain.shares import EVERYTHING, NOTHING, answer_probabilities, modality_shares
from explain.structured import NO_EFFECT, measurement_evidence, without_judgement
from explain.text import note_evidence
from fhir_adapter.record import PatientRecord
from inference.checkpoint import Card
from inference.contract import DIAGNOSES, ModelInputs, ModelOutputs
from inference.prediction import Prediction, Verdict

TOLERANCE: Final = 0.005
"""Largest difference between the probability shown and the one the shares add up to: half a point."""


class ShareMismatchError(ValueError):
    """The shares belong to another probability than the one that is shown."""

    def __init__(self) -> None:
        super().__init__(
            "the shares of the modalities do not add up to the probability shown; "
            "calibrate prediction and explanation with the temperatures of the same checkpoint"
        )


def explain(
    record: PatientRecord,
    inputs: ModelInputs,
    outputs: ModelOutputs,
    prediction: Prediction,
    card: Card,
    pictures: FilmPictures | None = None,
) -> Explanation:
    """Return the evidence behind one answer.

    Out of scope there are no shares, no marks and no claims on a diagnosis: what was received is shown as it came.
    `pictures` are those of `inputs.film` and the prior film (`explain.image.draw_films`), where they were drawn while
    the model ran.

    Raises:
        ShareMismatchError: prediction and outputs are not of the same case and checkpoint.
        ValueError: an output has another shape than the contract's, or is not finite.
    """
    drawn = pictures or draw_films(inputs.film, record.prior)
    if prediction.verdict is Verdict.OUT_OF_SCOPE:
        evidence = _unmarked(record, inputs, drawn)
    else:
        shares, baseline = _shares(outputs, prediction, card)
        # Film and note come without marks: where in them the answer comes from, only covering parts and taking words
        # away tells (`explain.second`). The relevance of the graph is that of the encoders' output tokens, which have
        # long exchanged what they saw (`mllm-cds explain-check`, planted evidence).
        image = image_evidence(inputs.film, drawn) if inputs.film else None
        note = note_evidence(inputs.note, inputs) if inputs.note else None
        rows = measurement_evidence(record, inputs, outputs.value_effect)
        evidence = Evidence(shares, baseline, image, note, rows)
    return Explanation(
        shares=evidence.shares,
        baseline=evidence.baseline,
        image=evidence.image,
        note=evidence.note,
        measurements=evidence.measurements,
        claims=tell(prediction, evidence),
        missing=tuple(dict.fromkeys(str(gap) for gap in inputs.gaps)),
        test_data=record.demographics.test_data,
        patient=str(record.demographics.source),
    )


def _shares(outputs: ModelOutputs, prediction: Prediction, card: Card) -> tuple[tuple[Share, ...], float]:
    """Return the share of each modality, and the probability with none of them."""
    answer = DIAGNOSES.index(prediction.top.diagnosis)
    values = answer_probabilities(outputs.subset_logits, answer, card.temperatures)
    if abs(values[EVERYTHING] - prediction.top.probability) > TOLERANCE:
        raise ShareMismatchError
    return modality_shares(values), float(values[NOTHING])


def _unmarked(record: PatientRecord, inputs: ModelInputs, drawn: FilmPictures) -> Evidence:
    """Return what was received, also what the model refused to take: the newest film and note of the record."""
    return Evidence(
        shares=(),
        baseline=0.0,
        image=_unmarked_film(record, inputs, drawn),
        note=_unmarked_note(record, inputs),
        measurements=without_judgement(measurement_evidence(record, inputs, NO_EFFECT)),
    )


def _unmarked_film(record: PatientRecord, inputs: ModelInputs, drawn: FilmPictures) -> ImageEvidence | None:
    film = inputs.film or next(iter(record.films), None)
    return image_evidence(film, drawn if inputs.film else None) if film else None


def _unmarked_note(record: PatientRecord, inputs: ModelInputs) -> NoteEvidence | None:
    note = inputs.note or next(iter(record.notes), None)
    return note_evidence(note, inputs) if note else None
