"""A chart under ids that nobody else has: one server may be shared with strangers, and with earlier runs."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
NOTE = b"Cough since Monday.\n" * 300


@dataclass(frozen=True, slots=True)
class Chart:
    """What every server of the suite holds.

    The patient has 30 Observations (on 1 to 30 January 2026, the first 18 CRP of the laboratory, the others heart
    rates), 14 DocumentReferences, 13 DiagnosticReports (the first without a date), 3 ImagingStudies with one Endpoint,
    a Condition, and a Binary with the text of the first document. A second patient has 3 Observations.
    """

    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])

    @property
    def patient(self) -> str:
        """Id of the patient."""
        return f"p-{self.mark}"

    @property
    def stranger(self) -> str:
        """Id of the second patient."""
        return f"q-{self.mark}"

    def id(self, name: str) -> str:
        """Return the id of one resource, such as `obs-01`."""
        return f"{name}-{self.mark}"

    def resources(self) -> list[Json]:
        """Return all of it, in an order in which a server that checks references takes it one by one."""
        note = {"contentType": "text/plain", "data": base64.b64encode(NOTE).decode()}
        address = {
            "status": "active",
            "connectionType": {"code": "dicom-wado-rs"},
            "payloadType": [{"text": "DICOM"}],
            "address": "http://127.0.0.1:9/dicom-web",
        }
        return [
            {"resourceType": "Patient", "id": self.patient, "gender": "female", "birthDate": "2024-03-05"},
            {"resourceType": "Patient", "id": self.stranger, "gender": "male", "birthDate": "2020-01-01"},
            self.make("Endpoint", "endpoint", subject=None, **address),
            self.make("Binary", "binary", subject=None, **note),
            *(self.observation(f"obs-{day:02d}", day) for day in range(1, 31)),
            *(self.observation(f"strange-{day:02d}", day, subject=self.stranger) for day in range(17, 20)),
            *(self._document(number) for number in range(14)),
            *(self._report(number) for number in range(13)),
            *(self._study(number) for number in range(3)),
            self.make("Condition", "condition", code={"text": "Cough"}),
        ]

    def make(self, kind: str, name: str, *, subject: str | None = "", **elements: Any) -> Json:
        """Return a resource about the patient, about somebody else, or (None) about nobody."""
        about = {} if subject is None else {"subject": {"reference": f"Patient/{subject or self.patient}"}}
        return {"resourceType": kind, "id": self.id(name), **about, **elements}

    def observation(self, name: str, day: int, **changes: Any) -> Json:
        """Return a result of January 2026: CRP of the laboratory up to the 18th, then heart rate."""
        code, category, unit = ("1988-5", "laboratory", "mg/L") if day <= 18 else ("8867-4", "vital-signs", "/min")
        elements = {
            "status": "final",
            "category": [{"coding": [{"system": CATEGORY, "code": category}]}],
            "code": {"coding": [{"system": LOINC, "code": code}]},
            "effectiveDateTime": f"2026-01-{day:02d}T10:00:00Z",
            "valueQuantity": {"value": day, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        }
        return self.make("Observation", name, **{**elements, **changes})

    def _document(self, number: int) -> Json:
        url = f"Binary/{self.id('binary')}"
        return self.make(
            "DocumentReference",
            f"doc-{number:02d}",
            status="current",
            type={"coding": [{"system": LOINC, "code": "34117-2"}]},
            date=f"2026-02-{number + 1:02d}T08:00:00Z",
            content=[{"attachment": {"contentType": "text/plain", "url": url}}],
        )

    def _report(self, number: int) -> Json:
        date = {"effectiveDateTime": f"2026-03-{number:02d}"} if number else {}
        return self.make("DiagnosticReport", f"report-{number:02d}", status="final", code={"text": "Report"}, **date)

    def _study(self, number: int) -> Json:
        return self.make(
            "ImagingStudy",
            f"study-{number}",
            status="available",
            started=f"2026-04-0{number + 1}T09:00:00Z",
            endpoint=[{"reference": f"Endpoint/{self.id('endpoint')}"}],
        )


def transaction(*resources: Json) -> Json:
    """Return the Bundle that stores resources at their ids."""
    return bundle("transaction", *(put(each) for each in resources))


def put(resource: Json) -> Json:
    """Return the entry that stores a resource at its id."""
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"resource": resource, "request": {"method": "PUT", "url": url}}


def get(url: str) -> Json:
    """Return the entry that asks for something."""
    return {"request": {"method": "GET", "url": url}}


def bundle(kind: str, *entries: Json) -> Json:
    """Return a Bundle of entries."""
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}
