"""Resource -> whose it is and how it is cited."""

from __future__ import annotations

import hashlib
import re
from typing import Final

import orjson

from fhir_adapter.record import Source
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_REFERENCE: Final = re.compile(
    r"(?:(?P<base>https?://\S+)/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)
_OF_A_PATIENT: Final = frozenset({"DiagnosticReport", "DocumentReference", "ImagingStudy", "Media", "Observation"})
"""Types we read that always concern somebody: without a subject they prove nothing."""


def is_fhir_id(text: str) -> bool:
    """Whether this may stand in a FHIR address as an id (R4 datatypes, id).

    Dots alone would climb up the path: `Patient/..` is the server root.
    """
    return _ID.fullmatch(text) is not None and text.strip(".") != ""


def split_reference(reference: str, base_url: str = "") -> tuple[str, str] | None:
    """Return (type, id) of a literal reference to this server, or None for any other.

    An absolute reference counts only under `base_url`, because `Patient/1` of another server is another patient;
    where no base is known (no `fhirServer` in the request) the base is not compared.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None or not is_fhir_id(found["id"]):
        return None
    if found["base"] and base_url and found["base"].rstrip("/") != base_url.rstrip("/"):
        return None
    return found["type"], found["id"]


def is_foreign(resource: Resource, patient_id: str, base_url: str = "") -> bool:
    """Whether a resource belongs to somebody else, or should name its patient and does not.

    Reads Patient.id and the `subject` and `patient` elements (R4: Observation, DocumentReference, ImagingStudy and
    most others), also of contained resources.
    """
    kind, subject = as_text(resource.get("resourceType")), resource.get("subject")
    if kind == "Patient":
        return resource.get("id") != patient_id
    # The usual case, told first because a chart has thousands of them.
    if isinstance(subject, dict) and subject.get("reference") == f"Patient/{patient_id}" and _is_plain(resource):
        return False
    subjects = [as_dict(resource[name]) for name in ("subject", "patient") if name in resource]
    if not subjects and kind in _OF_A_PATIENT:
        return True
    if any(not _names(subject, patient_id, base_url) for subject in subjects):
        return True
    return any("subject" in inner and is_foreign(inner, patient_id, base_url) for inner in _contained(resource))


def is_kept_for_another(binary: Resource, patient_id: str, base_url: str = "") -> bool:
    """Whether the rights to a Binary are those to another patient (R4 and R5 Binary.securityContext).

    Most name a document or nobody, which says nothing. `Patient/1` of another server is another patient.
    """
    reference = as_text(as_dict(binary.get("securityContext")).get("reference"))
    kind, _ = split_reference(reference) or ("", "")
    return kind == "Patient" and split_reference(reference, base_url) != ("Patient", patient_id)


def source_of(resource: Resource) -> Source:
    """Return the versioned reference of a resource; its digest where the server keeps no versions."""
    kind, own_id = as_text(resource.get("resourceType")), as_text(resource.get("id"))
    version = as_text(as_dict(resource.get("meta")).get("versionId"))
    digest = "" if own_id and version else content_digest(resource)
    # A resource without an id cannot be read again, but its content can still be told apart.
    return Source(f"{kind or 'Resource'}/{own_id or digest[:16]}", version or digest)


def content_digest(resource: Resource) -> str:
    """Return the SHA-256 of the resource as JSON with sorted keys, hexadecimal."""
    return hashlib.sha256(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _is_plain(resource: Resource) -> bool:
    return "patient" not in resource and "contained" not in resource


def _names(subject: Resource, patient_id: str, base_url: str) -> bool:
    reference = as_text(subject.get("reference"))
    if reference.startswith("urn:uuid:"):
        return reference.removeprefix("urn:uuid:").lower() == patient_id.lower()
    return split_reference(reference, base_url) == ("Patient", patient_id)


def _contained(resource: Resource) -> list[Resource]:
    return [inner for inner in dicts_of(resource.get("contained")) if inner.get("resourceType") != "Patient"]
