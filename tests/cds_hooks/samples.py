"""One invented child, and everything a hook, a job and a card are made of."""

from __future__ import annotations

import dataclasses
import io
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from PIL import Image

from cds_hooks.cards import Frame
from cds_hooks.judgement import Judgement
from explain.evidence import (
    Claim,
    Explanation,
    ImageEvidence,
    MeasurementEvidence,
    NoteEvidence,
    PriorFilm,
    Reading,
    Region,
    Share,
    Span,
)
from explain.facts import ChanceFact, QuoteFact, RegionFact, ShareFact, ValueFact
from explain.regions import AREA_OF_REGION
from explain.tested import (
    Change,
    Fidelity,
    GroupShare,
    Help,
    Step,
    Tested,
    Told,
    ToldSentence,
    WordEffect,
    ZoneEffect,
)
from inference.checkpoint import Card as ModelCard
from inference.contract import DIAGNOSES
from inference.entities import Entity
from inference.prediction import Likelihood, Prediction, Verdict

PATIENT_ID = "pat-7f3c"
FAMILY = "Zwetschgenbaum"
GIVEN = "Ottilie"
NOTE_WORDS = "quietly whistling kingfisher cough"
MARKED = (Span(0, 7, 1.0, "for", (Entity("symptom", 0, 7, negated=False, other=False),)),)
TOKEN = "tok-3c1f-secret-bearer"
HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
SERVER = "https://ehr.example.org/fhir"
ASKED_AT = datetime(2026, 11, 24, 9, 14, tzinfo=UTC)
SECRETS = (PATIENT_ID, FAMILY, GIVEN, "kingfisher", TOKEN, "1977.125", "dr-strange-91")
"""Words that may appear in no log, whatever happens."""

MODEL_CARD = ModelCard(
    name="paediatric-pneumonia",
    version="1.0",
    scope="For children aged 1 to 5 with a frontal chest radiograph.",
    intended_use="To support the question of bacterial or viral pneumonia.",
    not_for=("It is not for adults.",),
    simulated="Notes and measurements in training were simulated around real radiographs.",
    digest="ab" * 32,
    temperatures=(1.3, 1.3, 1.3),
    seal="cd" * 32,
)


def make_patient(**changes: Any) -> dict[str, Any]:
    """Return a Patient resource."""
    return {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "meta": {"versionId": "1"},
        "name": [{"family": FAMILY, "given": [GIVEN]}],
        "gender": "female",
        "birthDate": "2023-03-02",
        **changes,
    }


def make_observation(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a CRP result."""
    return {
        "resourceType": "Observation",
        "id": f"crp-{number}",
        "meta": {"versionId": "1"},
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "1988-5"}]},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": "2026-11-24T08:22:00Z",
        "valueQuantity": {"value": 96, "unit": "mg/L", "system": "http://unitsofmeasure.org", "code": "mg/L"},
        **changes,
    }


def make_bundle(*resources: dict[str, Any]) -> dict[str, Any]:
    """Return a searchset."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


def make_prefetch(**changes: Any) -> dict[str, Any]:
    """Return a prefetch with every key; null is "there is none"."""
    return {
        "patient": make_patient(),
        "vitals": None,
        "labs": make_bundle(make_observation()),
        "notes": None,
        "imaging": None,
        **changes,
    }


def make_hook(**changes: Any) -> dict[str, Any]:
    """Return a hook call; a field that is changed to `...` is left out."""
    hook = {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"patientId": PATIENT_ID, "userId": "Practitioner/dr-strange-91", "encounterId": "enc-1"},
        "prefetch": make_prefetch(),
        **changes,
    }
    return {name: value for name, value in hook.items() if value is not ...}


def make_authorization(**changes: Any) -> dict[str, Any]:
    """Return a fhirAuthorization."""
    token = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "user/*.read",
        "subject": "cds-service4",
        **changes,
    }
    return {name: value for name, value in token.items() if value is not ...}


def make_png(grey: int) -> bytes:
    """Return a small PNG file."""
    file = io.BytesIO()
    Image.new("L", (8, 8), grey).save(file, "PNG")
    return file.getvalue()


FILM, HEAT = make_png(10), make_png(200)


def make_prediction(probabilities: tuple[float, ...] = (0.02, 0.86, 0.12), **changes: Any) -> Prediction:
    """Return an answer: bacterial pneumonia."""
    prediction = Prediction(
        likelihoods=tuple(Likelihood(*pair) for pair in zip(DIAGNOSES, probabilities, strict=True)),
        prediction_set=("bacterial",),
        coverage=0.9,
        verdict=Verdict.ANSWER,
        reasons=(),
        modalities=("image", "text", "structured"),
        checkpoint="paediatric-pneumonia 1.0",
        model_digest=MODEL_CARD.digest,
    )
    return dataclasses.replace(prediction, **changes)


def out_of_scope(**changes: Any) -> Prediction:
    """Return a refusal to answer."""
    wanted: dict[str, Any] = {
        "likelihoods": (),
        "prediction_set": (),
        "verdict": Verdict.OUT_OF_SCOPE,
        "reasons": ("The patient's age is not one this model is for (12 to under 72 months).",),
    }
    return make_prediction(**{**wanted, **changes})


def unsure(**changes: Any) -> Prediction:
    """Return an answer that leaves two possible."""
    wanted: dict[str, Any] = {
        "probabilities": (0.07, 0.52, 0.41),
        "prediction_set": ("bacterial", "viral"),
        "verdict": Verdict.UNSURE,
        "reasons": ("At 90% coverage none of these can be excluded: Bacterial pneumonia, Viral pneumonia.",),
    }
    return make_prediction(**{**wanted, **changes})


def make_measurement(**changes: Any) -> MeasurementEvidence:
    """Return a raised CRP that speaks for the answer."""
    row = MeasurementEvidence(
        key="crp",
        name="C-reactive protein",
        value=96.0,
        unit="mg/L",
        normal=(None, 5),
        effect=0.8,
        outside=True,
        taken_at=datetime(2026, 11, 24, 8, 22, tzinfo=UTC),
        source="Observation/crp-1/_history/1",
    )
    return dataclasses.replace(row, **changes)


REGIONS = tuple(
    Region(name, 0.71 if name == "right lower zone" else 0.29 / (len(AREA_OF_REGION) - 1))
    for name in sorted(AREA_OF_REGION, key=lambda name: name != "right lower zone")
)


def make_explanation(**changes: Any) -> Explanation:
    """Return evidence of all three kinds."""
    explanation = Explanation(
        shares=(Share("image", 0.3, 0.6), Share("text", 0.1, 0.2), Share("structured", 0.1, 0.2)),
        baseline=0.36,
        image=ImageEvidence(
            FILM, HEAT, REGIONS, "AP", ASKED_AT,
            "ImagingStudy/film-1/_history/1",
        ),
        note=NoteEvidence(
            NOTE_WORDS, "Emergency note", MARKED, ASKED_AT, "DocumentReference/n-1/_history/1",
            truncated=False,
        ),
        measurements=(make_measurement(),),
        claims=(
            Claim("The model puts bacterial pneumonia at 86 %.", "neutral", None, ()),
            Claim("C-reactive protein 96 mg/L speaks for it.", "for", "structured", ("Observation/crp-1/_history/1",)),
            Claim("Against it speaks a runny nose.", "against", "text", ("DocumentReference/n-1/_history/1",)),
        ),
        missing=("Procalcitonin: not on file",),
    )  # fmt: skip
    return dataclasses.replace(explanation, **changes)


def make_judgement(**changes: Any) -> Judgement:
    """Return what a job finds out about the child."""
    draft = {"resourceType": "Condition", "subject": {"reference": f"Patient/{PATIENT_ID}"}}
    judgement = Judgement(make_prediction(), make_explanation(), draft, model_ms=20.0, job_ms=45.0)
    return dataclasses.replace(judgement, **changes)


PRIOR = make_png(90)
CHECK = b"what a check needs: kingfisher"
WHEN = datetime(2026, 11, 24, 8, 22, tzinfo=UTC)
FACTS = (
    ValueFact("crp", "C-reactive protein", 96.0, "mg/L", "high", (None, 5.0), WHEN, "Observation/crp-1/_history/1"),
    QuoteFact("quietly", 0, 7, "", WHEN, "DocumentReference/n-1/_history/1"),
    RegionFact("right lower zone", 0.71, "ImagingStudy/film-1/_history/1"),
    ChanceFact("bacterial", 0.86, "everything"),
    ShareFact("image", 0.3),
)
"""One of each kind."""


def make_full_explanation() -> Explanation:
    """Return evidence in which every optional part is there."""
    plain = make_explanation()
    assert plain.image is not None
    prior = PriorFilm(PRIOR, "AP", ASKED_AT, "ImagingStudy/film-0/_history/2")
    history = (Reading(40.0, ASKED_AT, "Observation/crp-0/_history/1"), Reading(96.0, WHEN, "Observation/crp-1"))
    claim = Claim("All of it.", "for", "text", ("Observation/crp-1/_history/1",), FACTS)
    return dataclasses.replace(
        plain,
        image=dataclasses.replace(plain.image, prior=prior),
        measurements=(make_measurement(history=history),),
        claims=(*plain.claims, claim),
    )


def make_fidelity(modality: Any, *, holds: bool = True) -> Fidelity:
    """Return the evidence test of one modality."""
    return Fidelity(modality, 0.3 if holds else 0.02, 0.05, 0.1, 0.4, 19 if holds else 3, 20)


def make_tested(*withdrawn: str, **changes: Any) -> Tested:
    """Return a second tier in which the evidence of some modalities does not beat chance."""
    tested = Tested(
        groups=(GroupShare("crp", "C-reactive protein", ("crp",), 0.1),),
        residual=1e-9,
        zones=(ZoneEffect("right lower zone", 0.2, 0.12),),
        words=(WordEffect(0, 7, 0.05),),
        fidelity=tuple(make_fidelity(name, holds=name not in withdrawn) for name in ("image", "text", "structured")),
        change=Change((Step("crp", "C-reactive protein", 96.0, 8.0, "mg/L"),), "answer", "viral", 0.6, ("viral",)),
        helps=(Help("text", "Note", 2, 1.1, 0.5), Help("procalcitonin", "Procalcitonin", 2, 1.4, 0.3)),
        duration_ms=3200.0,
    )
    return dataclasses.replace(tested, **changes)


TOLD = Told("a-narrator 1", (ToldSentence("Bacterial pneumonia is likely.", (0,)),))

FRAME = Frame(
    UUID("4e0a3a1e-3283-4575-ab82-028d55fe2719"),
    UUID("e56e1945-20b3-4393-8503-a1a20fd73152"),
    "https://cds.example.org/explanations/abc",
    "0" * 32,
)
