"""Where the sandbox keeps FHIR resources: in memory, each with a version and the time of its last change.

It knows nothing of HTTP or of searching.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any, Final

Resource = dict[str, Any]
TYPES: Final = (
    "Binary",
    "DiagnosticReport",
    "DocumentReference",
    "Endpoint",
    "ImagingStudy",
    "Media",
    "Observation",
    "Patient",
)
"""The types the sandbox serves."""


class NotStored(Exception):
    """There is no such resource, or no such version of it."""


class ResourceStore:
    """The newest version and the history of each resource.

    A resource that is put again with the same content keeps its version, as HAPI does.
    """

    def __init__(self) -> None:
        self._history: dict[str, dict[str, list[Resource]]] = {kind: {} for kind in TYPES}
        # Uvicorn reads on its own thread while a test adds patients.
        self._lock = threading.Lock()

    def put_bundle(self, bundle: Resource) -> None:
        """Store every resource of a transaction or collection Bundle at its own id.

        Raises:
            ValueError: a resource has no id or is of a type that is not served.
        """
        for entry in bundle.get("entry", ()):
            self.put(entry["resource"])

    def put(self, resource: Resource) -> None:
        """Store one resource as a new version, unless nothing changed.

        Raises:
            ValueError: it has no id or is of a type that is not served.
        """
        kind, name = resource.get("resourceType"), resource.get("id")
        if kind not in TYPES or not name:
            raise ValueError(f"the sandbox takes resources with an id, of the types {', '.join(TYPES)}")
        with self._lock:
            versions = self._history[kind].setdefault(name, [])
            if not versions or _content(versions[-1]) != _content(resource):
                versions.append(_stamped(resource, len(versions) + 1))

    def read(self, kind: str, name: str, version: str | None = None) -> Resource:
        """Return the newest or the named version of a resource.

        Raises:
            NotStored: there is none.
        """
        versions = self._history.get(kind, {}).get(name, [])
        wanted = len(versions) if version is None else int(version) if version.isdecimal() else 0
        if not 1 <= wanted <= len(versions):
            raise NotStored
        return versions[wanted - 1]

    def all_of(self, kind: str) -> list[Resource]:
        """Return the newest version of every resource of a type, in the order in which they first came."""
        with self._lock:
            return [versions[-1] for versions in self._history[kind].values()]


def _content(resource: Resource) -> Resource:
    """Return the resource without what the server itself writes."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in ("versionId", "lastUpdated")}
    return resource | {"meta": meta}


def _stamped(resource: Resource, version: int) -> Resource:
    """Return a copy with its version and the time of the change."""
    stamp = {"versionId": str(version), "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")}
    return resource | {"meta": resource.get("meta", {}) | stamp}
