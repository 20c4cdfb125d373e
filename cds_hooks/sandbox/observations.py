"""Case -> FHIR R4 Observations: single readings, panels with members, panels with components."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from cds_hooks.sandbox.cases import Case, Panel, Reading
from cds_hooks.sandbox.codes import CATEGORY_SYSTEM, CODES, LOINC, PRINTED_UNIT, UCUM

Resource = dict[str, Any]
INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


def observations(case: Case, now: datetime) -> list[Resource]:
    """Return every Observation of a case; ids count up in the order of the case file."""
    made = [*_single_readings(case, now), *(part for panel in case.panels for part in _panel(case, panel, now))]
    for number, resource in enumerate(made, 1):
        resource["id"] = f"{case.id}-o{number}"
    _link_members(made)
    return [{key: value for key, value in resource.items() if key != "_members"} for resource in made]


def _single_readings(case: Case, now: datetime) -> Iterator[Resource]:
    """Yield the readings that stand alone."""
    for reading in case.readings:
        yield _head(case, reading.code, _ago(now, reading.minutes_ago or 0), reading.status) | _value(reading)


def _panel(case: Case, panel: Panel, now: datetime) -> list[Resource]:
    """Return the panel, followed by its members where it has some."""
    taken = _ago(now, panel.minutes_ago)
    head = _head(case, panel.code, taken, "final")
    if panel.form == "components":
        head["component"] = [{"code": _concept(item.code), **_value(item)} for item in panel.readings]
        return [head]
    members = [_head(case, item.code, taken, item.status) | _value(item) for item in panel.readings]
    # Ids are given later; until then the members are named by themselves.
    return [head | {"_members": members}, *members]


def _link_members(made: list[Resource]) -> None:
    """Let each panel refer to its members, now that they have ids."""
    for resource in made:
        if members := resource.get("_members"):
            resource["hasMember"] = [{"reference": f"Observation/{member['id']}"} for member in members]


def _head(case: Case, code: str, taken: datetime, status: str) -> Resource:
    """Return what every Observation has in common."""
    category = {"coding": [{"system": CATEGORY_SYSTEM, "code": CODES[code].category}]}
    return {
        "resourceType": "Observation",
        "status": status,
        "category": [category],
        "code": _concept(code),
        "subject": {"reference": f"Patient/{case.id}"},
        "effectiveDateTime": taken.isoformat(),
        "issued": taken.isoformat(),
    }


def _concept(code: str) -> Resource:
    """Return the CodeableConcept of a code of our table."""
    coding = [{"system": LOINC, "code": loinc, "display": display} for loinc, display in CODES[code].loinc]
    return {"coding": coding, "text": CODES[code].name}


def _value(reading: Reading) -> Resource:
    """Return the value and, where the reporter gave one, its flag."""
    unit = PRINTED_UNIT.get(reading.unit, reading.unit)
    quantity = {"value": reading.value, "unit": unit, "system": UCUM, "code": reading.unit}
    flag = {"interpretation": [{"coding": [{"system": INTERPRETATION, "code": reading.flag}]}]} if reading.flag else {}
    return {"valueQuantity": quantity} | flag


def _ago(now: datetime, minutes: int) -> datetime:
    """Return the moment so many minutes before now."""
    return now - timedelta(minutes=minutes)
