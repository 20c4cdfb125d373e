"""Which search parameters each resource type has, and what of a resource each one looks at (FHIR R4 registry)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from cds_hooks.sandbox.fhir.readers import Value, identifiers, patients, references, strings, times, tokens
from cds_hooks.sandbox.resources import Resource


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter.

    Attributes:
        kind: how its values are compared.
        read: returns what a resource has: tokens, Intervals for dates, text for references and strings.
    """

    kind: Literal["token", "reference", "date", "string"]
    read: Callable[[Resource], Iterator[Value]]


def _token(*paths: str) -> Parameter:
    return Parameter("token", tokens(*paths))


def _date(*paths: str) -> Parameter:
    return Parameter("date", times(*paths))


def _reference(*paths: str) -> Parameter:
    return Parameter("reference", references(*paths))


def _string(*paths: str) -> Parameter:
    return Parameter("string", strings(*paths))


_COMMON: Final = {
    "_id": _token("id"),
    "_lastUpdated": _date("meta.lastUpdated"),
    "_tag": _token("meta.tag"),
    "_security": _token("meta.security"),
}
_IDENTIFIED: Final = {"identifier": Parameter("token", identifiers)}
_ABOUT: Final = _IDENTIFIED | {
    "patient": Parameter("reference", patients("subject")),
    "subject": _reference("subject"),
    "status": _token("status"),
    "encounter": _reference("encounter", "context"),
}
_OF_PATIENT: Final = _IDENTIFIED | {"patient": Parameter("reference", patients("patient")), "status": _token("status")}
_NAMED: Final = _IDENTIFIED | {
    "family": _string("name.family"),
    "given": _string("name.given"),
    "name": _string("name.family", "name.given", "name.text"),
    "gender": _token("gender"),
}
_CODED: Final = {"category": _token("category"), "code": _token("code")}

_OWN: Final[Mapping[str, Mapping[str, Parameter]]] = {
    "AllergyIntolerance": _OF_PATIENT | _CODED | {"clinical-status": _token("clinicalStatus")},
    "AuditEvent": {"date": _date("recorded"), "type": _token("type"), "entity": _reference("entity.what")},
    "CarePlan": _ABOUT | {"category": _token("category"), "date": _date("period")},
    "CareTeam": _ABOUT,
    "Condition": _ABOUT
    | _CODED
    | {
        "clinical-status": _token("clinicalStatus"),
        "verification-status": _token("verificationStatus"),
        "onset-date": _date("onsetDateTime", "onsetPeriod"),
        "recorded-date": _date("recordedDate"),
    },
    "Device": _OF_PATIENT | {"type": _token("type")},
    "DiagnosticReport": _ABOUT
    | _CODED
    | {
        "date": _date("effectiveDateTime", "effectivePeriod"),
        "issued": _date("issued"),
        "result": _reference("result"),
        "media": _reference("media.link"),
    },
    "DocumentReference": _ABOUT
    | {
        "category": _token("category"),
        "type": _token("type"),
        "date": _date("date"),
        "encounter": _reference("context.encounter"),
    },
    "Encounter": _IDENTIFIED
    | {
        "patient": Parameter("reference", patients("subject")),
        "subject": _reference("subject"),
        "status": _token("status"),
        "class": _token("class"),
        "type": _token("type"),
        "date": _date("period"),
    },
    "Endpoint": _IDENTIFIED | {"status": _token("status"), "connection-type": _token("connectionType")},
    "ImagingStudy": _ABOUT
    | {
        "modality": _token("modality", "series.modality"),
        "started": _date("started"),
        "endpoint": _reference("endpoint", "series.endpoint"),
    },
    "Immunization": _OF_PATIENT | {"date": _date("occurrenceDateTime"), "vaccine-code": _token("vaccineCode")},
    "Media": _ABOUT
    | {
        "type": _token("type"),
        "modality": _token("modality"),
        "view": _token("view"),
        "created": _date("createdDateTime", "createdPeriod"),
    },
    "MedicationAdministration": _ABOUT
    | {"code": _token("medicationCodeableConcept"), "effective-time": _date("effectiveDateTime", "effectivePeriod")},
    "MedicationRequest": _ABOUT
    | {
        "code": _token("medicationCodeableConcept"),
        "intent": _token("intent"),
        "authoredon": _date("authoredOn"),
    },
    "Observation": _ABOUT
    | _CODED
    | {
        "date": _date("effectiveDateTime", "effectivePeriod", "effectiveInstant"),
        "combo-code": _token("code", "component.code"),
        "has-member": _reference("hasMember"),
        "derived-from": _reference("derivedFrom"),
        "specimen": _reference("specimen"),
    },
    "Organization": _IDENTIFIED | {"name": _string("name")},
    "Patient": _NAMED | {"birthdate": _date("birthDate"), "active": _token("active")},
    "Practitioner": _NAMED,
    "Procedure": _ABOUT | _CODED | {"date": _date("performedDateTime", "performedPeriod")},
    "Provenance": {"target": _reference("target"), "recorded": _date("recorded")},
    "RiskAssessment": _ABOUT | {"date": _date("occurrenceDateTime", "occurrencePeriod")},
    "ServiceRequest": _ABOUT | _CODED | {"authored": _date("authoredOn")},
    "Specimen": _ABOUT | {"type": _token("type")},
    "Subscription": {"status": _token("status")},
    "Task": _IDENTIFIED | {"status": _token("status"), "subject": _reference("for")},
}


@cache
def parameters_of(kind: str) -> Mapping[str, Parameter]:
    """Return the search parameters of a type by name; a type without an entry has those of every type."""
    return {**_COMMON, **_OWN.get(kind, {})}


@cache
def includes_of(kind: str) -> Mapping[str, Parameter]:
    """Return the parameters whose targets `_include` can add, by its value, such as `ImagingStudy:endpoint`."""
    return {f"{kind}:{name}": one for name, one in parameters_of(kind).items() if one.kind == "reference"}
