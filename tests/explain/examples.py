"""One case as the pipeline would hand it on: an invented child, a drawn film, and a model's answer to them."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from explain.evidence import Explanation, MeasurementEvidence, PriorFilm, Reading
from explain.explainer import explain
from explain.page import PageView
from explain.shares import EVERYTHING, answer_probabilities
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY, Limits
from fhir_adapter.record import (
    Demographics,
    Film,
    Gap,
    GapReason,
    Measurement,
    Note,
    PatientRecord,
    Source,
)
from inference.checkpoint import Card
from inference.contract import (
    DIAGNOSES,
    GRID,
    INPUT_SHAPES,
    MEASUREMENTS,
    PATCHES,
    SLOT_OF_KEY,
    SLOTS,
    SUBSETS,
    TEXT_TOKENS,
    ModelInputs,
    ModelOutputs,
    Tensor,
)
from inference.entities import NEGATED, OTHER, OUTSIDE, TAGS, Kind, begin_tag
from inference.prediction import Likelihood, Prediction, Verdict

LOCAL = timezone(timedelta(hours=1))
SEEN_AT = datetime(2026, 11, 24, 8, 5, tzinfo=LOCAL)
AGE_MONTHS = 46.1
MEASURED = tuple(QUANTITY_OF_KEY[slot.key] for slot in MEASUREMENTS if slot.key in QUANTITY_OF_KEY)
"""The quantities that the model takes, the only ones an explanation speaks of."""
TEMPERATURES = (1.3, 1.3, 1.3)
DIGEST = "9b21c0de" * 8
NOTE = (
    "3-year-old girl, previously well. Fever to 39.4 for four days, cough and difficulty breathing since last night. "
    "Runny nose last week, brother had a cold. No wheeze. Eating little, drinking well. Vaccinated.\n"
    "On examination tired, crackles right base, breath sounds reduced there, mild recession. "
    "Ears and throat normal. Abdomen soft. No rash."
)
WORD_EFFECTS = {
    "fever": 0.22, "39.4": 0.18, "four": 0.06, "days": 0.1, "cough": 0.12, "difficulty": 0.16, "breathing": 0.2,
    "runny": -0.24, "nose": -0.2, "cold": -0.09, "wheeze": -0.13, "crackles": 0.34, "right": 0.16, "base": 0.2,
    "sounds": 0.1, "reduced": 0.22, "recession": 0.07,
}  # fmt: skip
ENTITIES: tuple[tuple[str, Kind, str], ...] = (
    ("Fever", "symptom", ""), ("cough", "symptom", ""), ("difficulty breathing", "symptom", ""),
    ("Runny nose", "symptom", ""),
    ("cold", "disease", "~"), ("wheeze", "symptom", "-"), ("Vaccinated", "treatment", ""), ("crackles", "symptom", ""),
    ("rash", "symptom", "-"),
)  # fmt: skip
"""Terms of the note with their kind, - where it denies them, ~ where they are about someone else."""
VALUES = {
    "temperature": (39.2, 0.11), "heart_rate": (128.0, 0.03), "spo2": (92.0, 0.21), "wbc": (14.0, 0.32),
    "neutrophils": (9.9, 0.24), "lymphocytes": (3.1, -0.12), "crp": (96.0, 0.55), "haemoglobin": (118.0, 0.004),
    "platelets": (341.0, 0.01),
}  # fmt: skip
GAPS = (
    Gap("structured", "Procalcitonin", GapReason.MISSING),
    Gap("structured", "Respiratory rate", GapReason.STALE, "last taken 3 days before"),
    Gap("structured", "Sodium", GapReason.MISSING),
)


CARD = Card(
    name="paediatric-pneumonia",
    version="1.0",
    scope="Children aged 1 to 5 with one frontal chest radiograph: bacterial pneumonia, viral pneumonia or neither.",
    intended_use="A second opinion for clinicians who already suspect pneumonia in a child.",
    not_for=(
        "Deciding on antibiotics without a clinician.",
        "Adults, infants under one year, lateral films.",
        "Any finding other than pneumonia.",
    ),
    simulated="The radiographs were real; notes and measurements were simulated around them.",
    digest=DIGEST,
    temperatures=TEMPERATURES,
    seal="cd" * 32,
)


def normal_of(key: str) -> Limits:
    """Return the reference range at the child's age."""
    limits = QUANTITY_OF_KEY[key].normal_at(AGE_MONTHS, "female")
    assert limits is not None
    return limits


def source(reference: str) -> Source:
    return Source(reference, "2")


@cache
def drawn_film(height: int = 560, width: int = 640) -> Film:
    """Draw something that looks like a chest from afar: lungs, heart, ribs, diaphragm and a haze at the lower right."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    y, x = down / height, across / width
    body = 0.62 * np.exp(-(((x - 0.5) / 0.46) ** 8)) * np.clip(1.25 - 0.2 * y, 0, 1)
    shade = np.zeros_like(x)
    for middle in (0.285, 0.715):
        lean = (x - middle) * 1.0 + (0.5 - y) * (0.13 if middle < 0.5 else -0.13)
        dome = 1.0 / (1.0 + np.exp((y - 0.76 + 0.9 * (x - middle) ** 2) * 60))
        shade += np.exp(-((np.abs(lean) / 0.135) ** 3.2)) * np.exp(-((np.abs(y - 0.5) / 0.33) ** 5)) * dome
    ribs = 0.055 * np.clip(np.sin((y * 1.05 + 0.55 * (x - 0.5) ** 2) * 62), 0, 1) ** 2 * shade
    heart = 0.3 * np.exp(-(((x - 0.56) / 0.13) ** 4 + ((y - 0.63) / 0.17) ** 4))
    spine = 0.2 * np.exp(-(((x - 0.5) / 0.045) ** 4))
    haze = 0.24 * np.exp(-(((x - 0.27) / 0.1) ** 2 + ((y - 0.67) / 0.09) ** 2))
    grain = np.random.default_rng(3).normal(0, 0.012, x.shape)
    pixels = np.clip(body - 0.42 * shade + ribs + heart + spine * body + haze + grain, 0, 1).astype(np.float32)
    return Film(pixels, "AP", "DX", "CHEST", SEEN_AT + timedelta(minutes=35), source("ImagingStudy/film-1"))


def measurement(key: str, value: float) -> Measurement:
    quantity = QUANTITY_OF_KEY[key]
    taken_at = SEEN_AT + timedelta(minutes=17)
    return Measurement(key, quantity.loinc[0], value, quantity.unit, taken_at, source(f"Observation/{key}-1"))


def record(**changes: Any) -> PatientRecord:
    """Return the child's chart."""
    whole = PatientRecord(
        demographics=Demographics(date(2023, 1, 20), "female", source("Patient/p1")),
        measurements=tuple(measurement(key, value) for key, (value, _) in VALUES.items()),
        notes=(Note(NOTE, "Emergency note", SEEN_AT, source("DocumentReference/note-1")),),
        films=(drawn_film(),),
        gaps=GAPS,
    )
    return replace(whole, **changes)


def offsets_of(text: str) -> tuple[tuple[int, int], ...]:
    """Cut a text into pieces of up to five letters, as a word-piece tokeniser would, [CLS] first."""
    found = [match.span() for match in re.finditer(r"\w{1,5}|[^\w\s]", text)][: TEXT_TOKENS - 2]
    return ((0, 0), *found, *[(0, 0)] * (TEXT_TOKENS - 1 - len(found)))


def inputs(chart: PatientRecord) -> ModelInputs:
    """Return what the model is given of a chart: its newest film and note and every measurement."""
    note, film = next(iter(chart.notes), None), next(iter(chart.films), None)
    by_key = {one.key: one for one in chart.measurements}
    used = tuple(by_key.get(slot.key) for slot in MEASUREMENTS)
    arrays: dict[str, npt.NDArray[Any]] = {
        name: np.zeros((1, *shape), np.float32) for name, shape in INPUT_SHAPES.items()
    }
    arrays[Tensor.VALUE_PRESENT][0] = [
        one is not None or slot.key in {"age", "female"} for one, slot in zip(used, MEASUREMENTS, strict=True)
    ]
    arrays[Tensor.VALUES][0, SLOT_OF_KEY["age"]] = MEASUREMENTS[SLOT_OF_KEY["age"]].standardise(AGE_MONTHS)
    arrays[Tensor.VALUES][0, SLOT_OF_KEY["female"]] = MEASUREMENTS[SLOT_OF_KEY["female"]].standardise(1.0)
    offsets = offsets_of(note.text) if note else ((0, 0),) * TEXT_TOKENS
    return ModelInputs(arrays, used, note, offsets, False, film, chart.gaps)  # noqa: FBT003


def text_effect(text: str, offsets: tuple[tuple[int, int], ...], effects: dict[str, float]) -> npt.NDArray[np.float32]:
    """Spread the effect of each word evenly over its tokens."""
    effect = np.zeros(len(offsets), np.float32)
    for word in re.finditer(r"[\w.]*\w", text):
        tokens = [place for place, (start, end) in enumerate(offsets) if word.start() <= start < end <= word.end()]
        effect[tokens] = effects.get(word.group().lower(), 0.003) / max(1, len(tokens))
    return effect


def tag_logits(given: ModelInputs) -> npt.NDArray[np.float32]:
    """Return tags that name `ENTITIES` of the example's note and nothing else."""
    logits = np.full((TEXT_TOKENS, TAGS), -5.0, np.float32)
    logits[:, OUTSIDE] = 5.0
    for term, kind, flags in ENTITIES:
        begin = given.note.text.find(term) if given.note else -1
        places = [
            place for place, (start, end) in enumerate(given.offsets) if begin <= start < end <= begin + len(term)
        ]
        for place in places if begin >= 0 else []:
            logits[place, OUTSIDE] = -5.0
            logits[place, begin_tag(kind) + (place != places[0])] = 5.0
            logits[place, NEGATED], logits[place, OTHER] = (5.0 if flag in flags else -5.0 for flag in "-~")
    return logits


def relevance() -> npt.NDArray[np.float32]:
    """Return a map that is strongest over the lower right zone of the film."""
    grid = np.full((GRID, GRID), 0.012, np.float32)
    low, next_to_it, middle = (int(part * GRID) for part in (0.69, 0.56, 0.44))
    grid[low, 1:4] = 0.5, 1.0, 0.25
    grid[next_to_it, 1:3] = 0.2, 0.42
    grid[middle, GRID // 2 : GRID // 2 + 2] = 0.1, 0.14
    return grid.reshape(PATCHES)


def subset_logits(present: tuple[bool, bool, bool] = (True, True, True)) -> npt.NDArray[np.float32]:
    """Return logits that each present modality pulls towards bacterial pneumonia, and an absent one does not change."""
    pulls = np.array([[-1.1, 1.3, -0.4], [-0.3, 0.5, -0.1], [-0.9, 0.7, 0.0]])
    kept = np.array(SUBSETS, float) * np.array(present, float)
    interaction = 0.3 * kept[:, :1] * kept[:, 1:2] * np.array([[0.0, 1.0, 0.0]])
    logits: npt.NDArray[np.float32] = (np.array([0.2, 0.5, 0.1]) + kept @ pulls + interaction).astype(np.float32)
    return logits


def outputs(given: ModelInputs) -> ModelOutputs:
    """Return what the graph answered for the example."""
    present = (given.film is not None, given.note is not None, True)
    logits = subset_logits(present)
    effect = np.zeros(SLOTS, np.float32)
    for key, (_, pull) in VALUES.items():
        effect[SLOT_OF_KEY[key]] = pull if given.used[SLOT_OF_KEY[key]] else 0.0
    effect[SLOT_OF_KEY["age"]] = 0.06
    words = (
        text_effect(given.note.text, given.offsets, WORD_EFFECTS) if given.note else np.zeros(TEXT_TOKENS, np.float32)
    )
    return ModelOutputs(
        logits=logits[EVERYTHING],
        subset_logits=logits,
        image_relevance=relevance() if given.film else np.zeros(PATCHES, np.float32),
        text_relevance=np.abs(words),
        text_effect=words,
        value_effect=effect,
        image_feature=np.zeros(4, np.float32),
        entity_logits=tag_logits(given),
    )


def prediction(answered: ModelOutputs, given: ModelInputs, **changes: Any) -> Prediction:
    """Return the calibrated answer that belongs to the outputs."""
    present = {"image": given.film, "text": given.note, "structured": True}
    likelihoods = tuple(
        Likelihood(one, float(answer_probabilities(answered.subset_logits, place, TEMPERATURES)[EVERYTHING]))
        for place, one in enumerate(DIAGNOSES)
    )
    whole = Prediction(
        likelihoods=likelihoods,
        prediction_set=("bacterial",),
        coverage=0.9,
        verdict=Verdict.ANSWER,
        reasons=(),
        modalities=tuple(name for name, there in present.items() if there),  # type: ignore[misc]
        checkpoint="paediatric-pneumonia 1.0",
        model_digest=DIGEST,
    )
    return replace(whole, **changes)


OUT_OF_SCOPE: dict[str, Any] = {
    "likelihoods": (),
    "prediction_set": (),
    "verdict": Verdict.OUT_OF_SCOPE,
    "reasons": ("The patient is an adult; the checkpoint is for children aged 1 to 5.",),
}
UNSURE: dict[str, Any] = {
    "prediction_set": ("bacterial", "viral"),
    "verdict": Verdict.UNSURE,
    "reasons": ("Bacterial and viral pneumonia cannot be told apart at 90 % coverage.",),
}


def explained(chart: PatientRecord | None = None, **changes: Any) -> tuple[Prediction, Explanation]:
    """Return prediction and explanation of a chart; changes are those of the prediction."""
    chart = chart or record()
    given = inputs(chart)
    answered = outputs(given)
    predicted = prediction(answered, given, **changes)
    return predicted, explain(chart, given, answered, predicted, CARD)


EARLIER = {"crp": (12.0, 41.0), "temperature": (39.6, 38.9, 39.4), "spo2": (95.0, 94.0)}
"""Readings before the one the model was given, eight hours apart, the last one eight hours before it."""


def with_course(row: MeasurementEvidence) -> MeasurementEvidence:
    """Return a row with the readings of `EARLIER` before it."""
    values = (*EARLIER.get(row.key, ()), row.value)
    times = [row.taken_at - timedelta(hours=8 * before) for before in range(len(values) - 1, -1, -1)]
    readings = [
        Reading(value, time, f"Observation/{row.key}-{place}/_history/2")
        for place, (value, time) in enumerate(zip(values, times, strict=True))
    ]
    return replace(row, history=tuple(readings))


def prior_film() -> PriorFilm:
    """Return the same child's film of some weeks before."""
    return PriorFilm(b"", "AP", SEEN_AT - timedelta(days=52), "ImagingStudy/film-0/_history/1")


def view(chart: PatientRecord | None = None, **changes: Any) -> PageView:
    """Return the page of a chart before anything was tested; the film has a prior, and some values a course."""
    predicted, explanation = explained(chart, **changes)
    image = explanation.image and replace(explanation.image, prior=prior_film())
    rows = tuple(with_course(row) for row in explanation.measurements)
    return PageView(
        prediction=predicted,
        explanation=replace(explanation, image=image, measurements=rows),
        card=CARD,
        computed_at=datetime(2026, 11, 24, 8, 14, tzinfo=UTC),
        feedback_url="/pages/abc/feedback",
        film_url="/pages/abc/film.png" if image else "",
        heat_url="/pages/abc/heat.png" if image else "",
        prior_url="/pages/abc/prior.png" if image else "",
        attributes_url="/pages/abc/attributes",
        fhir_url="/pages/abc/fhir",
        report_url="/pages/abc/report.pdf",
        dicom_url="/pages/abc/heat.dcm" if image else "",
    )
