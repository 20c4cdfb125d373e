"""Which search parameters each resource type has, and what of a resource each one looks at (FHIR R4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from cds_hooks.sandbox.dates import EARLIEST, LATEST, Interval, parse_date

Resource = dict[str, Any]
Token = tuple[str, str]
"""System and code; the system is empty where the resource states none."""
Value = Token | Interval | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter.

    Attributes:
        kind: how its values are compared.
        read: returns what a resource has: tokens, Intervals for dates, text for references and strings.
    """

    kind: Literal["token", "reference", "date", "string"]
    read: Callable[[Resource], Iterator[Value]]


def _concepts(*names: str) -> Callable[[Resource], Iterator[Token]]:
    """Return a reader of the codings of CodeableConcepts, Codings or plain codes."""

    def read(resource: Resource) -> Iterator[Token]:
        for name in names:
            value = resource.get(name, [])
            for item in value if isinstance(value, list) else [value]:
                for coding in item.get("coding", [item]) if isinstance(item, dict) else [{"code": item}]:
                    yield coding.get("system", ""), str(coding.get("code", ""))

    return read


def _identifiers(resource: Resource) -> Iterator[Token]:
    """Yield business identifiers as tokens."""
    for identifier in resource.get("identifier", ()):
        yield identifier.get("system", ""), identifier.get("value", "")


def _references(name: str) -> Callable[[Resource], Iterator[str]]:
    """Return a reader of one or several references."""

    def read(resource: Resource) -> Iterator[str]:
        value = resource.get(name, [])
        for item in value if isinstance(value, list) else [value]:
            yield item.get("reference", "")

    return read


def _times(*names: str) -> Callable[[Resource], Iterator[Interval]]:
    """Return a reader of dates and Periods, the first name that is filled."""

    def read(resource: Resource) -> Iterator[Interval]:
        for name in names:
            if value := resource.get(name):
                yield _period(value) if isinstance(value, dict) else parse_date(value)
                return

    return read


def _period(period: Resource) -> Interval:
    """Return a Period as an interval; an open end reaches as far as there is time."""
    start = parse_date(period["start"]).start if "start" in period else EARLIEST
    return Interval(start, parse_date(period["end"]).end if "end" in period else LATEST)


def _names(*parts: str) -> Callable[[Resource], Iterator[str]]:
    """Return a reader of parts of a HumanName."""

    def read(resource: Resource) -> Iterator[str]:
        for name in resource.get("name", ()):
            for part in parts:
                value = name.get(part, [])
                yield from value if isinstance(value, list) else [value]

    return read


def _id(resource: Resource) -> Iterator[Token]:
    """Yield the id as a token."""
    yield "", resource["id"]


def _last_updated(resource: Resource) -> Iterator[Interval]:
    """Yield when the server changed the resource last."""
    yield parse_date(resource["meta"]["lastUpdated"])


_COMMON: Final = {"_id": Parameter("token", _id), "_lastUpdated": Parameter("date", _last_updated)}
_OF_PATIENT: Final = {
    "patient": Parameter("reference", _references("subject")),
    "subject": Parameter("reference", _references("subject")),
    "identifier": Parameter("token", _identifiers),
    "status": Parameter("token", _concepts("status")),
}

PARAMETERS: Final[dict[str, dict[str, Parameter]]] = {
    "Binary": _COMMON,
    "Endpoint": _COMMON | {"status": Parameter("token", _concepts("status"))},
    "Patient": _COMMON
    | {
        "identifier": Parameter("token", _identifiers),
        "family": Parameter("string", _names("family")),
        "given": Parameter("string", _names("given")),
        "name": Parameter("string", _names("family", "given", "text")),
        "gender": Parameter("token", _concepts("gender")),
        "birthdate": Parameter("date", _times("birthDate")),
    },
    "Observation": _COMMON
    | _OF_PATIENT
    | {
        "category": Parameter("token", _concepts("category")),
        "code": Parameter("token", _concepts("code")),
        "date": Parameter("date", _times("effectiveDateTime", "effectivePeriod", "effectiveInstant")),
    },
    "DocumentReference": _COMMON
    | _OF_PATIENT
    | {
        "category": Parameter("token", _concepts("category")),
        "type": Parameter("token", _concepts("type")),
        "date": Parameter("date", _times("date")),
    },
    "DiagnosticReport": _COMMON
    | _OF_PATIENT
    | {
        "category": Parameter("token", _concepts("category")),
        "code": Parameter("token", _concepts("code")),
        "date": Parameter("date", _times("effectiveDateTime", "effectivePeriod")),
        "issued": Parameter("date", _times("issued")),
    },
    "Media": _COMMON
    | _OF_PATIENT
    | {
        "type": Parameter("token", _concepts("type")),
        "created": Parameter("date", _times("createdDateTime", "createdPeriod")),
    },
    "ImagingStudy": _COMMON
    | _OF_PATIENT
    | {
        "modality": Parameter("token", _concepts("modality")),
        "started": Parameter("date", _times("started")),
        "endpoint": Parameter("reference", _references("endpoint")),
    },
}

INCLUDES: Final = {
    "ImagingStudy:endpoint": "endpoint",
    "ImagingStudy:patient": "subject",
    "ImagingStudy:subject": "subject",
    "Observation:patient": "subject",
    "Observation:subject": "subject",
    "DocumentReference:patient": "subject",
    "DocumentReference:subject": "subject",
}
"""`_include` value and the element whose targets it adds."""
