"""A folder of FHIR JSON -> the resources of each patient. It knows nothing of films or diagnoses.

Read are Bundles (`*.json`: transaction, batch, collection, searchset) and bulk-export files (`*.ndjson`, one resource a
line; FHIR Bulk Data Access), in the folder and below it. References may be relative, absolute, or `urn:uuid:` to a
`fullUrl` of the same Bundle; one that points to nothing leaves its resource out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from fhir_adapter.references import split_reference
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of
from inference.training.data.films import FolderError

OF_A_PATIENT: Final = ("Condition", "DiagnosticReport", "DocumentReference", "ImagingStudy", "Observation")


@dataclass(slots=True)
class ExportedPatient:
    """One patient: the Patient resource, the file it was in, and what refers to it by type."""

    patient: Resource
    file: Path
    resources: dict[str, list[Resource]] = field(default_factory=lambda: {kind: [] for kind in OF_A_PATIENT})


@dataclass(frozen=True, slots=True)
class Export:
    """What a folder holds.

    Attributes:
        patients: by logical id.
        binaries: Binary resources by logical id: texts of documents.
    """

    patients: dict[str, ExportedPatient]
    binaries: dict[str, Resource]


def read_export(folder: Path) -> Export:
    """Read every Bundle and NDJSON file.

    Raises:
        FolderError: there is none, a file or line is not FHIR JSON, or two files describe one patient differently.
    """
    files = sorted([*folder.rglob("*.json"), *folder.rglob("*.ndjson")])
    export, pending = Export({}, {}), []
    for path in files:
        for resource in resources_of(path):
            kind, own_id = as_text(resource.get("resourceType")), as_text(resource.get("id"))
            if kind == "Patient" and own_id:
                add_patient(export, own_id, resource, path)
            elif kind == "Binary" and own_id:
                export.binaries[own_id] = resource
            elif kind in OF_A_PATIENT:
                pending.append(resource)
    if not export.patients:
        raise FolderError(f"{folder} has no Patient: it needs FHIR Bundles (.json) or bulk-export files (.ndjson)")
    for resource in pending:
        owner = export.patients.get(owner_of(resource))
        if owner is not None:
            owner.resources[resource["resourceType"]].append(resource)
    return export


def add_patient(export: Export, own_id: str, patient: Resource, path: Path) -> None:
    """Add a patient; the same one may come twice, as on two pages of a search."""
    known = export.patients.setdefault(own_id, ExportedPatient(patient, path))
    same = all(known.patient.get(name) == patient.get(name) for name in ("birthDate", "gender"))
    if not same:
        raise FolderError(f"{known.file} and {path} describe one patient differently: keep one export of each patient")


def owner_of(resource: Resource) -> str:
    """Return the logical id of the patient a resource is about, or an empty string."""
    found = split_reference(as_text(as_dict(resource.get("subject")).get("reference")))
    return found[1] if found and found[0] == "Patient" else ""


def resources_of(path: Path) -> Iterator[Resource]:
    """Yield the resources of one file."""
    if path.suffix == ".ndjson":
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            if line.strip():
                yield as_resource(line, f"{path} line {number}")
        return
    content = as_resource(path.read_bytes(), str(path))
    yield from unbundle(content) if content["resourceType"] == "Bundle" else (content,)


def as_resource(data: bytes, where: str) -> Resource:
    """Read one JSON object with a resourceType.

    Raises:
        FolderError: it is none.
    """
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise FolderError(f"{where} is not JSON: take the file out, or export it again") from None
    if not isinstance(content, dict) or not as_text(content.get("resourceType")):
        raise FolderError(f"{where} is no FHIR resource: take the file out, or export it again")
    return content


def unbundle(bundle: Resource) -> list[Resource]:
    """Return a Bundle's resources, with every `urn:uuid:` reference written as `Type/id`."""
    names: dict[str, str] = {}
    resources = []
    for entry in dicts_of(bundle.get("entry")):
        resource, url = as_dict(entry.get("resource")), as_text(entry.get("fullUrl"))
        # In a transaction the server gives the ids: until then a resource is known by its fullUrl alone.
        own_id = as_text(resource.get("id")) or url.removeprefix("urn:uuid:")
        names[url] = f"{as_text(resource.get('resourceType'))}/{own_id}"
        resources.append({**resource, "id": own_id})
    return [rename(resource, names) for resource in resources]


def rename(value: Any, names: dict[str, str]) -> Any:  # noqa: ANN401 - JSON of any shape
    """Replace the `reference` of every Reference that names a fullUrl."""
    if isinstance(value, list):
        return [rename(each, names) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: names.get(inner, inner) if key == "reference" and isinstance(inner, str) else rename(inner, names)
        for key, inner in value.items()
    }
