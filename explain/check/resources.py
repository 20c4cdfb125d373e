"""A versioned reference -> the resource it names, and whether somebody stands behind it. Reads plain JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

from explain.check.problems import Problem

Resource = dict[str, Any]
Read = Callable[[str], Resource | None]
"""From `Observation/crp-1/_history/3` to the resource, or None; without `/_history/` the newest version."""

_STATUS: Final[dict[str, frozenset[object]]] = {
    "Observation": frozenset({"final", "amended", "corrected"}),
    "DocumentReference": frozenset({"current"}),
    "DiagnosticReport": frozenset({"final", "amended", "corrected", "appended", "modified"}),
    "ImagingStudy": frozenset({"available"}),
}


class Chart:
    """The resources of one patient, each read once.

    Attributes:
        patient: `Patient/id`, to whom everything must belong; empty where the explanation names none, and then the
            subject of the first resource counts.
    """

    def __init__(self, read: Read, patient: str = "") -> None:
        self.patient = patient
        self._read = read
        self._found: dict[str, Resource | None] = {}

    def get(self, reference: str) -> Resource | None:
        """Return a resource, or None where it cannot be read."""
        if reference not in self._found:
            self._found[reference] = self._read(reference)
        return self._found[reference]

    def problems(self, key: str, source: str) -> Iterator[Problem]:
        """Yield what is wrong with the resource as such: it, its version, its status, its subject."""
        resource = self.get(source)
        name, _, version = source.partition("/_history/")
        if resource is None or f"{resource.get('resourceType')}/{resource.get('id')}" != name:
            yield Problem("unread", key, source)
            return
        if version not in (_version(resource), _digest(resource)):
            yield Problem("version", key, source)
        wanted = _STATUS.get(str(resource["resourceType"]))
        if (wanted and resource.get("status") not in wanted) or resource.get("docStatus") == "entered-in-error":
            yield Problem("status", key, source)
        if wanted and not self._is_ours(resource):
            yield Problem("subject", key, source)

    def _is_ours(self, resource: Resource) -> bool:
        subject = resource.get("subject")
        reference = str(subject.get("reference", "")) if isinstance(subject, dict) else ""
        whose = "/".join(reference.partition("/_history/")[0].rsplit("/", 2)[-2:])
        self.patient = self.patient or whose
        return whose == self.patient


def _version(resource: Resource) -> object:
    meta = resource.get("meta")
    return meta.get("versionId") if isinstance(meta, dict) else None


def _digest(resource: Resource) -> str:
    """Return the SHA-256 by which a resource without a version is cited."""
    if _version(resource):
        return ""
    return hashlib.sha256(orjson.dumps(resource, option=orjson.OPT_SORT_KEYS)).hexdigest()


def dicts(value: object) -> list[Resource]:
    """Return the objects of a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def inner(resource: Resource, name: str) -> Resource:
    """Return an object inside another, or an empty one."""
    found = resource.get(name)
    return found if isinstance(found, dict) else {}


def moment(written: object) -> datetime | None:
    """Read a FHIR date, dateTime or instant; what is left open is the first, a missing zone UTC."""
    if not isinstance(written, str):
        return None
    whole = written + {4: "-01-01", 7: "-01"}.get(len(written), "")
    try:
        found = datetime.fromisoformat(whole.replace("T24:", "T00:").replace(":60", ":59"))
        found += timedelta(days="T24:" in whole)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment_of_timing(timing: object) -> datetime | None:
    """Read the last event of a Timing, or the Period that bounds it."""
    whole = timing if isinstance(timing, dict) else {}
    events = whole.get("event")
    moments = [moment(event) for event in events] if isinstance(events, list) else []
    bounds = inner(whole, "repeat").get("boundsPeriod")
    return max((one for one in moments if one is not None), default=None) or moment_of_period(bounds)


def moment_of_period(period: object) -> datetime | None:
    """Read the end of a Period, or its start."""
    whole = period if isinstance(period, dict) else {}
    return moment(whole.get("end")) or moment(whole.get("start"))
