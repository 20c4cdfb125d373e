"""Case -> FHIR R4 ImagingStudy, and the Endpoint where its DICOM instances are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from pydicom import Dataset

from cds_hooks.sandbox.cases import Case, FilmRow
from cds_hooks.sandbox.films import SYNTHETIC

Resource = dict[str, Any]
ENDPOINT_ID: Final = "demo-dicomweb"
REAL_SAMPLE: Final = "Public DICOM sample of pydicom-data, filed under a fictitious patient."
DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"


def endpoint(dicomweb: str) -> Resource:
    """Return the Endpoint of the DICOMweb server at an absolute URL."""
    kind = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "dicom-wado-rs"}
    return {
        "resourceType": "Endpoint",
        "id": ENDPOINT_ID,
        "status": "active",
        "connectionType": kind,
        "name": "Radiology archive (sandbox)",
        "payloadType": [{"text": "DICOM"}],
        "payloadMimeType": ["application/dicom"],
        "address": dicomweb,
    }


def imaging_study(case: Case, film: FilmRow, now: datetime, instance: Dataset) -> Resource:
    """Return the ImagingStudy that describes one DICOM instance."""
    return {
        "resourceType": "ImagingStudy",
        "id": f"{case.id}-{'i0' if film is case.prior else 'i1'}",
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{instance.StudyInstanceUID}"}],
        "status": "available",
        "modality": [{"system": DCM, "code": film.modality}],
        "subject": {"reference": f"Patient/{case.id}"},
        "started": (now - timedelta(minutes=film.minutes_ago)).isoformat(),
        "endpoint": [{"reference": f"Endpoint/{ENDPOINT_ID}"}],
        "numberOfSeries": 1,
        "numberOfInstances": 1,
        "description": "Chest radiograph, frontal",
        "note": [{"text": REAL_SAMPLE if film.file else SYNTHETIC}],
        "series": [_series(film, instance)],
    }


def _series(film: FilmRow, instance: Dataset) -> Resource:
    """Return the one series with its one instance."""
    sop_class = {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{instance.SOPClassUID}"}
    return {
        "uid": str(instance.SeriesInstanceUID),
        "number": 1,
        "modality": {"system": DCM, "code": film.modality},
        "description": f"{film.view} chest",
        "numberOfInstances": 1,
        "bodySite": {"system": "http://snomed.info/sct", "code": "51185008", "display": "Thorax"},
        "instance": [{"uid": str(instance.SOPInstanceUID), "sopClass": sop_class, "number": 1}],
    }
