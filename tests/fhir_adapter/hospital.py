"""A real HTTP server that holds one whole chart, any part of which can be spoiled, and what is in that chart."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Final

import numpy as np
import orjson
from PIL import Image

from fhir_adapter.record import PatientRecord
from tests.fhir_adapter.builders import (
    PATIENT_ID,
    Json,
    attachment,
    bundle,
    concept,
    dicom_file,
    document,
    endpoint,
    multipart,
    observation,
    patient,
    quantity,
    ramp,
    study,
)
from tests.fhir_adapter.rest.wire import Serve, Wire, says, switchboard

FHIR_JSON: Final = "application/fhir+json"
NOTE: Final = b"Cough since Monday."


@dataclass(frozen=True)
class Sound:
    """What a sound server answers at one place; `origin` is its own address."""

    origin: str
    body: bytes
    kind: str = FHIR_JSON

    @property
    def json(self) -> Json:
        """The body, read."""
        found: Json = orjson.loads(self.body)
        return found

    def serve(self) -> Serve:
        """Return what sends it."""
        return says(f"200 OK\r\nContent-Type: {self.kind}", self.body)


Spoil = Callable[[Sound], Serve]


def heart_rate(**changes: object) -> Json:
    return observation("8867-4", **{"id": "hr-1", "valueQuantity": quantity(148.0, "/min"), **changes})


def breathing(**changes: object) -> Json:
    return observation("9279-1", **{"id": "rr-1", "valueQuantity": quantity(46.0, "/min"), **changes})


def white_cells(**changes: object) -> Json:
    return observation("6690-2", **{"id": "wbc-1", "valueQuantity": quantity(17.2, "10*3/uL"), **changes})


def _report() -> Json:
    return {
        "resourceType": "DiagnosticReport",
        "id": "report-1",
        "meta": {"versionId": "1"},
        "status": "final",
        "code": concept("36554-4"),
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": "2026-11-24T07:30:00Z",
        "conclusion": "Opacity in the right lower lobe.",
    }


def _media() -> Json:
    picture = BytesIO()
    Image.fromarray(ramp(255, "uint8").astype(np.uint8)).save(picture, "PNG")
    return {
        "resourceType": "Media",
        "id": "media-1",
        "meta": {"versionId": "1"},
        "status": "completed",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "createdDateTime": "2026-11-24T06:00:00Z",
        "modality": {"coding": [{"code": "CR"}]},
        "bodySite": {"coding": [{"code": "51185008"}]},
        "content": attachment(picture.getvalue(), "image/png"),
    }


def _note() -> Json:
    stated = {"size": len(NOTE), "hash": base64.b64encode(hashlib.sha1(NOTE).digest()).decode()}
    return document({"contentType": "text/plain", "url": "Binary/note-text", **stated})


@cache
def _film() -> tuple[bytes, str]:
    answer = multipart(dicom_file())
    return answer.content, answer.headers["content-type"]


_WHERE: Final[Mapping[str, str]] = {
    f"/fhir/Patient/{PATIENT_ID}": "patient",
    "/fhir/Observation?": "labs",
    "/fhir/DocumentReference?": "notes",
    "/fhir/Binary/note-text": "binary",
    "/fhir/DiagnosticReport?": "reports",
    "/fhir/ImagingStudy?": "imaging",
    "/fhir/Media?": "media",
    "/fhir/Endpoint/pacs": "endpoint",
    "/dicom-web/studies/1.2.3.1/series/1.2.3.2/instances/1.2.3.3": "film",
}


def _place_of(target: str) -> str:
    """Return which part of the chart a request is for; the archive has whole files only."""
    if "category=vital-signs" in target:
        return "vitals"
    if target.startswith("/fhir?page="):
        return "vitals page 2"
    exact = _WHERE.get(target)
    return exact or next(
        (place for start, place in _WHERE.items() if start[-1] == "?" and target.startswith(start)), ""
    )


def _sound(place: str, origin: str) -> Sound | None:
    if place == "film":
        return Sound(origin, *_film())
    if place == "binary":
        return Sound(origin, NOTE, "text/plain")
    chart: dict[str, Json] = {
        "patient": patient(),
        "vitals": bundle(heart_rate(), next_url=f"{origin}/fhir?page=2"),
        "vitals page 2": bundle(breathing()),
        "labs": bundle(observation(), white_cells()),
        "notes": bundle(_note()),
        "reports": bundle(_report()),
        "imaging": bundle(study()),
        "media": bundle(_media()),
        "endpoint": endpoint(address=f"{origin}/dicom-web"),
    }
    return Sound(origin, orjson.dumps(chart[place])) if place in chart else None


def hospital(spoils: Mapping[str, Spoil]) -> AbstractAsyncContextManager[Wire]:
    """Run the server; at the places named it answers what `spoils` make of the sound answer."""

    def choose(head: str) -> Serve:
        target, headers = (
            head.split(" ", 2)[1],
            dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line),
        )
        place = _place_of(target)
        sound = _sound(place, f"http://{headers['host']}")
        if sound is None:
            return says("404 Not Found")
        return spoils[place](sound) if place in spoils else sound.serve()

    return switchboard(choose)


def pieces_of(record: PatientRecord) -> dict[str, str]:
    """Return what a record says by the resource that says it; the film by what its file says."""
    child = record.demographics
    pieces = {child.source.reference: f"{child.sex} {child.birth_date}"}
    pieces |= {one.source.reference: f"{one.key} {one.value:g} {one.unit}" for one in record.measurements}
    pieces |= {one.source.reference: one.text for one in record.notes}
    return pieces | {one.source.reference: f"{one.modality} {one.pixels.shape}" for one in record.films}


WHOLE: Final[Mapping[str, str]] = {
    f"Patient/{PATIENT_ID}": "female 2024-03-05",
    "Observation/hr-1": "heart_rate 148 /min",
    "Observation/rr-1": "respiratory_rate 46 /min",
    "Observation/crp-1": "crp 48 mg/L",
    "Observation/wbc-1": "wbc 17.2 10*9/L",
    "DocumentReference/note-1": NOTE.decode(),
    "DiagnosticReport/report-1": "Opacity in the right lower lobe.",
    "ImagingStudy/study-1": "CR (64, 64)",
}
"""What the record of the sound chart says."""
SECOND_CHOICE: Final[Mapping[str, str]] = {"Media/media-1": " (64, 64)"}
"""What it says in place of the study's film where that cannot be had."""
