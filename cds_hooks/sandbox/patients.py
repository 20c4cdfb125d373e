"""Case -> FHIR R4 transaction Bundle and DICOM instances.

`mllm-cds seed` sends the same Bundle to another server that the embedded one holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from pydicom import Dataset

from cds_hooks.sandbox.cases import Case, load_cases
from cds_hooks.sandbox.documents import documents
from cds_hooks.sandbox.films import FOLDER, film_instance
from cds_hooks.sandbox.imaging import endpoint, imaging_study
from cds_hooks.sandbox.observations import observations

Resource = dict[str, Any]
# HL7 v3 ActReason: "health data that are not about a real person".
TEST_DATA: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}


@dataclass(frozen=True, slots=True)
class Samples:
    """What a server is loaded with: one transaction Bundle of PUTs with fixed ids, and the films it points to."""

    bundle: Resource
    instances: tuple[Dataset, ...]


def sample_patients(now: datetime, dicomweb: str, *, films: Path = FOLDER) -> Samples:
    """Build the seven sample patients around a moment.

    Args:
        now: the moment the charts are opened; with a time zone.
        dicomweb: absolute URL of the DICOMweb server that holds the films.
        films: folder of `<key>.png`.

    Raises:
        FilmMissing: a film is not installed.
    """
    return build_samples(load_cases(), now, dicomweb, films=films)


def build_samples(cases: Iterable[Case], now: datetime, dicomweb: str, *, films: Path = FOLDER) -> Samples:
    """Build the charts of any cases; arguments and errors as for `sample_patients`."""
    resources: list[Resource] = [endpoint(dicomweb)]
    instances: list[Dataset] = []
    moment = now.replace(microsecond=0)
    for case in cases:
        resources += [_patient(case, moment.date()), *observations(case, moment), *documents(case, moment)]
        for film in case.radiographs:
            instances.append(film_instance(case, film, moment, films))
            resources.append(imaging_study(case, film, moment, instances[-1]))
    return Samples(transaction(resources), tuple(instances))


def transaction(resources: Iterable[Resource]) -> Resource:
    """Return a transaction Bundle that puts every resource at its own id; loading it twice changes nothing."""
    entries = [
        {
            "fullUrl": f"http://mllm-cds.invalid/{resource['resourceType']}/{resource['id']}",
            "resource": resource,
            "request": {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"},
        }
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def birth_date(case: Case, today: date) -> date:
    """Return the birth date that makes the patient as old as the case says, on the first possible day."""
    months = today.year * 12 + today.month - 1 - case.age.years * 12 - case.age.months
    # Day 28 exists in every month; a day later than that would make the patient a few days older, which no one minds.
    return date(months // 12, months % 12 + 1, min(today.day, 28))


def _patient(case: Case, today: date) -> Resource:
    """Return the Patient, tagged as test data."""
    return {
        "resourceType": "Patient",
        "id": case.id,
        "meta": {"tag": [TEST_DATA]},
        "identifier": [{"system": "urn:mllm-cds:sandbox", "value": f"MRN-{case.id.upper()}"}],
        "active": True,
        "name": [{"use": "official", "family": case.name.family, "given": list(case.name.given)}],
        "gender": case.gender,
        "birthDate": birth_date(case, today).isoformat(),
    }
