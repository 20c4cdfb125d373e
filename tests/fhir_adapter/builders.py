"""Builders of charts, servers and DICOM files for these tests; each takes any change."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import orjson
import pydicom
from pydantic import SecretStr
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from fhir_adapter.deadline import Deadline
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings

SERVER = "https://ehr.example.org/fhir"
ARCHIVE = "https://pacs.example.org/dicom-web"
PATIENT_ID = "child-1"
ASKED_AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
STUDY_UID, SERIES_UID, FILM_UID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
DATA = Path(__file__).parents[3] / "shared" / "data"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"

Json = dict[str, Any]
Handler = Callable[[httpx.Request], httpx.Response]


def soon() -> Deadline:
    """A deadline that no test reaches."""
    return Deadline.after(60)


def settings(**changes: Any) -> FhirSettings:
    return FhirSettings(**{"allowed_servers": (SERVER, ARCHIVE), **changes})


def answer(content: object, status: int = 200, content_type: str = "application/fhir+json") -> httpx.Response:
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return httpx.Response(status, content=body, headers={"content-type": content_type})


def outcome(code: str = "exception") -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


def client_of(handler: Handler, token: str | None = "abc", **changes: Any) -> FhirClient:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return FhirClient(http, SERVER, SecretStr(token) if token else None, settings(**changes))


class FakeFhir:
    """A FHIR server of a few fixed addresses (path and query beneath the base), which keeps the requests."""

    def __init__(self, answers: dict[str, object]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request; what is not known is not there."""
        self.requests.append(request)
        path = str(request.url).removeprefix(SERVER).removeprefix("/")
        found = self.answers.get(path, self.answers.get(path.partition("?")[0]))
        if found is None:
            return answer(outcome(), 404)
        return found if isinstance(found, httpx.Response) else answer(found)

    @property
    def asked(self) -> list[str]:
        """Resource types that were asked for, sorted."""
        return sorted(request.url.path.removeprefix("/fhir/").partition("/")[0] for request in self.requests)


async def never(_request: httpx.Request) -> httpx.Response:
    """A server that takes the request and says nothing."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def bundle(*resources: Json, next_url: str = "", mode: str = "match") -> Json:
    links = [{"relation": "next", "url": next_url}] if next_url else []
    entries = [{"resource": resource, "search": {"mode": mode}} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}


def patient(**changes: Any) -> Json:
    return {
        "resourceType": "Patient",
        "id": PATIENT_ID,
        "meta": {"versionId": "1"},
        "birthDate": "2024-03-05",
        "gender": "female",
        **changes,
    }


def concept(*codes: str, system: str = LOINC) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def quantity(value: Any = 48.0, unit: str = "mg/L", **changes: Any) -> Json:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **changes}


def observation(code: Any = "1988-5", **changes: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": "crp-1",
        "meta": {"versionId": "1"},
        "status": "final",
        "code": concept(code) if isinstance(code, str) else code,
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "effectiveDateTime": "2026-11-24T08:00:00Z",
        "valueQuantity": quantity(),
        **changes,
    }


def attachment(text: str | bytes = "Cough since Monday.", content_type: str = "text/plain", **changes: Any) -> Json:
    data = text.encode() if isinstance(text, str) else text
    return {"contentType": content_type, "data": base64.b64encode(data).decode(), **changes}


def document(*attachments: Json, **changes: Any) -> Json:
    return {
        "resourceType": "DocumentReference",
        "id": "note-1",
        "meta": {"versionId": "1"},
        "status": "current",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "date": "2026-11-24T09:00:00Z",
        "type": {"text": "Admission note"},
        "content": [{"attachment": each} for each in attachments or (attachment(),)],
        **changes,
    }


def series(**changes: Any) -> Json:
    instance = {
        "uid": FILM_UID,
        "sopClass": {"system": "urn:ietf:rfc:3986", "code": "urn:oid:1.2.840.10008.5.1.4.1.1.1"},
    }
    return {"uid": SERIES_UID, "modality": {"code": "CR"}, "instance": [instance], **changes}


def study(*parts: Json, **changes: Any) -> Json:
    return {
        "resourceType": "ImagingStudy",
        "id": "study-1",
        "meta": {"versionId": "1"},
        "status": "available",
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "started": "2026-11-24T07:00:00Z",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{STUDY_UID}"}],
        "endpoint": [{"reference": "Endpoint/pacs"}],
        "series": list(parts or (series(),)),
        **changes,
    }


def endpoint(**changes: Any) -> Json:
    return {
        "resourceType": "Endpoint",
        "id": "pacs",
        "meta": {"versionId": "1"},
        "status": "active",
        "connectionType": {"code": "dicom-wado-rs"},
        "address": ARCHIVE,
        **changes,
    }


def ramp(largest: int = 4095, dtype: str = "uint16") -> npt.NDArray[np.generic]:
    """A picture (64, 64) that grows evenly from 0 at the top left to `largest` at the bottom right."""
    return np.linspace(0, largest, 64 * 64).round().reshape(64, 64).astype(dtype)


def dicom_file(pixels: npt.NDArray[np.generic] | None = None, bits: int = 12, **elements: Any) -> bytes:
    """A grey CR file; `elements` are DICOM keywords, None takes one away."""
    picture = ramp() if pixels is None else pixels
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        ComputedRadiographyImageStorage,
        pydicom.uid.UID(FILM_UID),
    )
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = ComputedRadiographyImageStorage, FILM_UID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY_UID, SERIES_UID
    dataset.PatientID, dataset.PatientName = "secret-7", "Doe^Jane"
    dataset.Modality, dataset.BodyPartExamined, dataset.ViewPosition = "CR", "CHEST", "AP"
    dataset.Rows, dataset.Columns = picture.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = picture.dtype.itemsize * 8, bits, bits - 1
    dataset.PixelRepresentation = int(picture.dtype.kind == "i")
    dataset.PixelData = picture.tobytes()
    for keyword, value in elements.items():
        delattr(dataset, keyword) if value is None else setattr(dataset, keyword, value)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def multipart(content: bytes, kind: str = "application/dicom", boundary: str = "b0und") -> httpx.Response:
    """A WADO-RS answer of one part."""
    body = f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return answer(body, content_type=f'multipart/related; type="{kind}"; boundary={boundary}')
