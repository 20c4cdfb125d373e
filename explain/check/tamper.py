"""A chart -> the same chart with one thing changed, again and again: what a checker must notice."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import orjson

from explain.check.resources import Read, Resource, dicts, inner, moment
from explain.check.values import LOINC
from explain.check.vocabulary import measures
from explain.evidence import Explanation

Change = Callable[[Resource], None]
OTHER_UNIT: Final = {"mg/L": "mg/dL", "mg/dL": "mg/L", "Cel": "[degF]", "10*9/L": "/uL", "/uL": "10*9/L"}
OTHER_CODE: Final = "2160-0"
"""LOINC of creatinine, which no model here takes."""


@dataclass(frozen=True, slots=True)
class Tampering:
    """What was changed.

    Attributes:
        what: the element.
        reference: `Observation/crp-1`, as it was.
        keys: slots of the measurements that it concerns; empty where it concerns the whole resource.
    """

    what: str
    reference: str
    keys: frozenset[str] = frozenset()


def tamper(bundle: Resource) -> Iterator[tuple[Tampering, Resource]]:
    """Yield copies of a Bundle, each with one thing changed; the stated versions stay unless they are what changes."""
    for place, resource in enumerate(resources(bundle)):
        reference = f"{resource['resourceType']}/{resource['id']}"
        for what, keys, change in _changes(resource):
            copy = orjson.loads(orjson.dumps(bundle))
            change(copy["entry"][place]["resource"])
            yield Tampering(what, reference, keys), copy


def resources(bundle: Resource) -> list[Resource]:
    """Return the resources of a Bundle."""
    return [inner(entry, "resource") for entry in dicts(bundle.get("entry"))]


def reader_of(bundle: Resource) -> Read:
    """Return a reader of a Bundle; as a server without vread it answers every version with the one it has."""
    held = {f"{one['resourceType']}/{one['id']}": one for one in resources(bundle)}
    return lambda reference: held.get(reference.partition("/_history/")[0])


def is_used(change: Tampering, explanation: Explanation, bundle: Resource) -> bool:
    """Return whether an explanation states what was changed."""
    rows = [(row.key, source) for row in explanation.measurements for source in _sources(row.source, row.history)]
    keys = {key for key, source in rows if source.partition("/_history/")[0] == change.reference}
    if keys:
        return not change.keys or bool(keys & change.keys)
    image, note = explanation.image, explanation.note
    shown = [
        image.source if image else "",
        image.prior.source if image and image.prior else "",
        note.source if note else "",
    ]
    names = {source.partition("/_history/")[0] for source in shown}
    return change.reference in names | _binaries(bundle, names)


def _sources(own: str, history: tuple[Any, ...]) -> list[str]:
    return [own, *(past.source for past in history)]


def _binaries(bundle: Resource, names: set[str]) -> set[str]:
    """Return the Binaries in which the shown notes lie."""
    shown = [one for one in resources(bundle) if f"{one['resourceType']}/{one['id']}" in names]
    attachments = [inner(content, "attachment") for one in shown for content in dicts(one.get("content"))]
    return {"/".join(str(one["url"]).rsplit("/", 2)[-2:]) for one in attachments if "url" in one}


def _changes(resource: Resource) -> Iterator[tuple[str, frozenset[str], Change]]:
    kind = resource["resourceType"]
    if kind in ("Observation", "DocumentReference", "ImagingStudy"):
        yield "status", frozenset(), lambda one: one.update(status="entered-in-error")
        yield "subject", frozenset(), lambda one: one.update(subject={"reference": "Patient/somebody-else"})
    if kind != "Binary" and "versionId" in inner(resource, "meta"):
        yield "version", frozenset(), lambda one: one["meta"].update(versionId=f"{one['meta']['versionId']}1")
    if kind in ("DocumentReference", "ImagingStudy"):
        yield "reference", frozenset(), lambda one: one.update(id=f"{one['id']}x")
    yield from {"Observation": _of_observation, "Patient": _of_patient, "DocumentReference": _of_document}.get(
        kind, _of_binary if kind == "Binary" else _nothing
    )(resource)


def _nothing(_resource: Resource) -> Iterator[tuple[str, frozenset[str], Change]]:
    yield from ()


def _of_observation(resource: Resource) -> Iterator[tuple[str, frozenset[str], Change]]:
    if "effectiveDateTime" in resource:
        yield "time", frozenset(), lambda one: one.update(effectiveDateTime=_later(one["effectiveDateTime"]))
    for place in range(-1, len(dicts(resource.get("component")))):
        part = _part(resource, place)
        keys = _keys(part)
        if keys and "valueQuantity" in part:
            yield "value", keys, lambda one, place=place: _raise_value(_part(one, place)["valueQuantity"])  # type: ignore[misc]
            yield "unit", keys, lambda one, place=place: _change_unit(_part(one, place)["valueQuantity"])  # type: ignore[misc]
            yield "code", keys, lambda one, place=place: _change_code(_part(one, place)["code"])  # type: ignore[misc]


def _part(resource: Resource, place: int) -> Resource:
    return resource if place < 0 else dicts(resource["component"])[place]


def _keys(part: Resource) -> frozenset[str]:
    codings = dicts(inner(part, "code").get("coding"))
    codes = {coding.get("code") for coding in codings if coding.get("system") in LOINC}
    return frozenset(key for key, measure in measures().items() if measure.loinc & codes)


def _raise_value(quantity: Resource) -> None:
    quantity["value"] = round(quantity["value"] * 1.01 + 0.01, 4)


def _change_unit(quantity: Resource) -> None:
    other = OTHER_UNIT.get(str(quantity.get("code", quantity.get("unit"))), "mg/L")
    quantity.update(code=other, unit=other)


def _change_code(concept: Resource) -> None:
    concept["coding"] = [{"system": "http://loinc.org", "code": OTHER_CODE}]


def _of_patient(resource: Resource) -> Iterator[tuple[str, frozenset[str], Change]]:
    if "birthDate" in resource:
        yield "birthDate", frozenset({"age"}), lambda one: one.update(birthDate=_later(one["birthDate"], days=-1)[:10])
    if "gender" in resource:
        other = "male" if resource["gender"] == "female" else "female"
        yield "gender", frozenset({"female"}), lambda one: one.update(gender=other)


def _of_document(resource: Resource) -> Iterator[tuple[str, frozenset[str], Change]]:
    if "date" in resource:
        yield "time", frozenset(), lambda one: one.update(date=_later(one["date"]))
    for place, content in enumerate(dicts(resource.get("content"))):
        if "data" in inner(content, "attachment"):
            yield "text", frozenset(), lambda one, place=place: _change_text(one["content"][place]["attachment"])  # type: ignore[misc]


def _of_binary(resource: Resource) -> Iterator[tuple[str, frozenset[str], Change]]:
    if "data" in resource:
        yield "text", frozenset(), _change_text


def _change_text(holder: Resource) -> None:
    """Change one letter of one word."""
    text = base64.b64decode(holder["data"]).decode()
    middle = next((place for place in range(len(text) // 2, len(text)) if text[place].isalnum()), 0)
    changed = "x" if text[middle : middle + 1] != "x" else "y"
    holder["data"] = base64.b64encode(f"{text[:middle]}{changed}{text[middle + 1 :]}".encode()).decode()


def _later(written: str, *, days: int = 0) -> str:
    found = moment(written)
    return written if found is None else (found + (timedelta(days=days) or timedelta(minutes=1))).isoformat()
