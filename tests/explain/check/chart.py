"""The chart of `tests.explain.examples` as FHIR, in the versions that its evidence cites."""

import base64
from collections.abc import Callable
from typing import Any

from explain.check.tamper import reader_of
from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from tests.explain.examples import NOTE, SEEN_AT, VALUES, drawn_film, measurement

Resource = dict[str, Any]
PATIENT = "Patient/p1"
TAKEN = measurement("crp", 1.0).taken_at.isoformat()
PRINTED = {"10*9/L": "x10^9/L", "Cel": "°C"}
PER_LITRE = {"crp": (0.1, "mg/dL"), "haemoglobin": (0.1, "g/dL"), "wbc": (1000.0, "/uL")}
"""Reported in another unit than the record keeps: factor and unit."""


def stamped(kind: str, name: str, **content: Any) -> Resource:
    """Return a resource of the patient in version 2."""
    return {"resourceType": kind, "id": name, "meta": {"versionId": "2"}, "subject": {"reference": PATIENT}, **content}


def observation(key: str, value: float) -> Resource:
    """Return the Observation behind a measurement."""
    quantity = QUANTITY_OF_KEY[key]
    factor, unit = PER_LITRE.get(key, (1.0, quantity.unit))
    given = {"value": round(value * factor, 4), "unit": PRINTED.get(unit, unit)}
    # Some laboratories give a UCUM code, some only what they print.
    coded = {} if unit in PRINTED else {"system": "http://unitsofmeasure.org", "code": unit}
    coding = [{"system": "http://loinc.org", "code": quantity.loinc[0]}]
    return stamped(
        "Observation", f"{key}-1", status="final", code={"coding": coding}, effectiveDateTime=TAKEN,
        valueQuantity=given | coded,
    )  # fmt: skip


def note(text: str = NOTE) -> Resource:
    """Return the DocumentReference of the note."""
    data = base64.b64encode(text.encode()).decode()
    content = [{"attachment": {"contentType": "text/plain", "data": data}}]
    return stamped("DocumentReference", "note-1", status="current", date=SEEN_AT.isoformat(), content=content)


def study() -> Resource:
    """Return the ImagingStudy of the film."""
    started = drawn_film().acquired_at.isoformat()
    return stamped("ImagingStudy", "film-1", status="available", started=started, series=[{"modality": {"code": "DX"}}])


def patient() -> Resource:
    """Return the Patient: 46.1 months old, as the example's model was told."""
    return stamped("Patient", "p1", gender="female", birthDate="2023-01-21")


def bundle(*resources: Resource) -> Resource:
    """Return a Bundle of the chart; resources stand in place of those of the same type and id."""
    whole = [patient(), note(), study(), *(observation(key, value) for key, (value, _) in VALUES.items())]
    by_name = {f"{one['resourceType']}/{one['id']}": one for one in (*whole, *resources)}
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in by_name.values()]}


def reader(*resources: Resource) -> Callable[[str], Resource | None]:
    """Return a reader of the chart."""
    return reader_of(bundle(*resources))
