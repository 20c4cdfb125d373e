"""Where the sandbox keeps FHIR resources: in memory, each with its versions and the times of its changes.

It knows nothing of HTTP or of searching.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from cds_hooks.sandbox import shelves
from cds_hooks.sandbox.shelves import Shelf

Resource = shelves.Resource

TYPES: Final = (
    "AllergyIntolerance",
    "AuditEvent",
    "Binary",
    "CarePlan",
    "CareTeam",
    "Claim",
    "Communication",
    "Composition",
    "Condition",
    "Consent",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Endpoint",
    "EpisodeOfCare",
    "ExplanationOfBenefit",
    "Goal",
    "Group",
    "ImagingStudy",
    "Immunization",
    "Library",
    "List",
    "Location",
    "Media",
    "Medication",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "Procedure",
    "Provenance",
    "RelatedPerson",
    "RiskAssessment",
    "ServiceRequest",
    "Specimen",
    "StructureDefinition",
    "Subscription",
    "SupplyDelivery",
    "Task",
)
"""The types the sandbox serves."""
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")


class NotStored(Exception):
    """There is no such resource, or no such version of it."""


class Deleted(NotStored):
    """There was such a resource; `version` says when it went."""

    def __init__(self, version: Version) -> None:
        super().__init__()
        self.version = version


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a resource.

    Attributes:
        number: counts from 1.
        changed_at: a FHIR instant.
        method: HTTP method that it came by, as a history names it.
        resource: the resource with both in its `meta`; None once it is deleted.
    """

    number: int
    changed_at: str
    method: Literal["POST", "PUT", "DELETE"]
    resource: Resource | None


class ResourceStore:
    """The newest version and the history of each resource.

    A resource that is put again with the same content keeps its version, as HAPI does.

    Attributes:
        lock: held while a shelf is read from another thread than the one that writes.
    """

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], list[Version]] = {}
        self._all: dict[str, Shelf] = defaultdict(Shelf)
        self._of: dict[tuple[str, str], Shelf] = defaultdict(Shelf)
        # Uvicorn reads on its own thread while a test adds patients.
        self.lock = threading.RLock()

    def put_bundle(self, bundle: Resource) -> None:
        """Store every resource of a transaction or collection Bundle at its own id.

        Raises:
            ValueError: a resource has no id or is of a type that is not served.
        """
        for entry in bundle.get("entry", ()):
            self.put(entry["resource"])

    def put(self, resource: Resource) -> Version:
        """Store one resource as a new version, unless nothing changed, and return its newest version.

        Raises:
            ValueError: it has no id or is of a type that is not served.
        """
        kind, name = resource.get("resourceType"), resource.get("id")
        if kind not in TYPES or not isinstance(name, str) or not _ID.fullmatch(name):
            raise ValueError("the sandbox takes resources with an id, of the types " + ", ".join(TYPES))
        with self.lock:
            versions = self._versions.setdefault((kind, name), [])
            before = versions[-1].resource if versions else None
            if before is not None and _content(before) == _content(resource):
                return versions[-1]
            if before is not None and owner_of(before) != owner_of(resource):
                self._of[kind, owner_of(before)].remove(name)
            version = _next_version(versions, resource, "POST" if before is None else "PUT")
            self._shelve(kind, version.resource)
            return version

    def delete(self, kind: str, name: str) -> Version | None:
        """Delete a resource and return its last version; None where there never was one."""
        with self.lock:
            versions = self._versions.get((kind, name))
            if not versions or versions[-1].resource is None:
                return versions[-1] if versions else None
            self._all[kind].remove(name)
            self._of[kind, owner_of(versions[-1].resource)].remove(name)
            return _next_version(versions, None, "DELETE")

    def read(self, kind: str, name: str, version: str | None = None) -> Resource:
        """Return the newest or the named version of a resource.

        Raises:
            Deleted: it was deleted.
            NotStored: there is none.
        """
        versions = self.history(kind, name)
        wanted = len(versions) if version is None else int(version) if version.isdecimal() else 0
        if not 1 <= wanted <= len(versions):
            raise NotStored
        found = versions[wanted - 1]
        if found.resource is None:
            raise Deleted(found)
        return found.resource

    def history(self, kind: str, name: str) -> tuple[Version, ...]:
        """Return the versions of a resource, oldest first; none where there never was one."""
        return tuple(self._versions.get((kind, name), ()))

    def all_of(self, kind: str) -> list[Resource]:
        """Return the newest version of every resource of a type, in the order in which they first came."""
        with self.lock:
            return list(self._all[kind].resources.values())

    def shelf(self, kind: str, owner: str = "") -> Shelf:
        """Return the resources of a type, or those about one subject, such as `Patient/1`; hold `lock` meanwhile."""
        # Asking about nobody leaves nothing behind.
        return self._all[kind] if not owner else self._of.get((kind, owner)) or Shelf()

    def _shelve(self, kind: str, resource: Resource | None) -> None:
        if resource is not None:
            self._all[kind].put(resource)
            self._of[kind, owner_of(resource)].put(resource)


def owner_of(resource: Resource) -> str:
    """Return whom a resource is about, such as `Patient/1`: its `subject`, `patient` or `for`, or nobody."""
    subject = resource.get("subject") or resource.get("patient") or resource.get("for")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    return without_version(reference) if isinstance(reference, str) else ""


def without_version(reference: str) -> str:
    """Return a reference to whatever version is the newest."""
    return reference.partition("/_history/")[0]


def _next_version(
    versions: list[Version], resource: Resource | None, method: Literal["POST", "PUT", "DELETE"]
) -> Version:
    """Add a version with its number and the time of the change."""
    number, at = len(versions) + 1, datetime.now(UTC).isoformat(timespec="milliseconds")
    if resource is not None:
        resource = resource | {"meta": resource.get("meta", {}) | {"versionId": str(number), "lastUpdated": at}}
    versions.append(Version(number, at, method, resource))
    return versions[-1]


def _content(resource: Resource) -> Resource:
    """Return the resource without what the server itself writes."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    return resource | {"meta": meta}
