"""Row of the audit trail -> FHIR R4 AuditEvent, after the patterns of IHE Basic Audit Log Patterns (BALP 1.1).

Users and patients are named by their keyed hashes, in identifiers: who holds the key of the service can tell whose they
are, and nobody else. No profile of BALP is claimed, because those ask for References to the persons themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from fhir.resources.R4B.auditevent import AuditEvent

from cds_hooks.audit_events.kinds import DCM, KINDS, LOCAL, Kind
from cds_hooks.store.audit import Row, What
from explain.fhir.valid import checked

Json = dict[str, Any]
USER_HASH: Final = "urn:x-mllm-cds:user-hash"
PATIENT_HASH: Final = "urn:x-mllm-cds:patient-hash"
URI: Final = "urn:ietf:rfc:3986"
PURPOSE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
SOURCE_TYPE: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
BALP_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_OWN_WORK: Final = frozenset({What.JOB_RUN, What.CHECK_RUN})
"""What the service does by itself: nobody asks for it at that moment."""


@dataclass(frozen=True, slots=True)
class Recorder:
    """The service that kept the trail.

    Attributes:
        url: its public address, which names it in an audit repository of many systems. Its version is not told: the
            rows do not say which one wrote them.
    """

    url: str

    @property
    def reference(self) -> Json:
        """Logical Reference to it: a repository has no Device resource of every system that reports to it."""
        return {"type": "Device", "identifier": {"system": URI, "value": self.url}, "display": "mllm-cds"}


def audit_event(row: Row, event_id: UUID, recorder: Recorder) -> Json:
    """Return the AuditEvent of a row.

    Args:
        row: of the trail.
        event_id: the same at each call for the same row, so that sending it again stores nothing twice.
        recorder: the service that wrote the row.
    """
    kind = KINDS[row.entry.action]
    resource: Json = {
        "resourceType": "AuditEvent",
        "id": str(event_id),
        "type": _coding(DCM, *kind.type),
        "subtype": [_coding(LOCAL, row.entry.action.value)],
        "action": kind.action,
        "recorded": row.at.isoformat(timespec="milliseconds"),
        "outcome": kind.outcome,
        "outcomeDesc": kind.sentence,
        "agent": list(_agents(row, kind, recorder)),
        "source": {
            "site": recorder.url,
            "observer": recorder.reference,
            "type": [_coding(SOURCE_TYPE, "4", "Application Server")],
        },
        "entity": list(_entities(row)),
    }
    return checked(AuditEvent, resource)


def _agents(row: Row, kind: Kind, recorder: Recorder) -> Iterator[Json]:
    """Yield who did it, the one who asked first; of two agents one is the requestor (R4 AuditEvent.agent)."""
    alone = row.entry.action in _OWN_WORK
    if not alone:
        purpose = [{"coding": [_coding(PURPOSE, "TREAT", "treatment")]}] if kind.treatment else []
        yield {
            "type": {"coding": [_coding(PARTICIPATION, "IRCP", "information recipient")]},
            "who": _person(row, kind),
            "requestor": True,
            **({"purposeOfUse": purpose} if purpose else {}),
        }
    code = ("110150", "Application") if alone else ("110152", "Destination Role ID")
    yield {"type": {"coding": [_coding(DCM, *code)]}, "who": recorder.reference, "requestor": alone}


def _person(row: Row, kind: Kind) -> Json:
    if row.entry.actor is not None:
        return {"type": "Practitioner", "identifier": {"system": USER_HASH, "value": row.entry.actor}}
    return {"display": "whoever holds the link of the card" if kind.by_link else "not told by the client"}


def _entities(row: Row) -> Iterator[Json]:
    """Yield what it was about: patient, job, card with what its page showed, and the HTTP request."""
    entry = row.entry
    if entry.patient is not None:
        what = {"type": "Patient", "identifier": {"system": PATIENT_HASH, "value": entry.patient}}
        yield {
            "what": what,
            "type": _coding(ENTITY_TYPE, "1", "Person"),
            "role": _coding(ROLE, "1", "Patient"),
        }
    if entry.job_id is not None:
        yield _object(UUID(entry.job_id).urn, "20", "Job")
    if entry.card_id is not None:
        shown = [] if entry.shown is None else [{"type": "shown", "valueString": entry.shown.value}]
        yield {**_object(entry.card_id.urn, "3", "Report"), **({"detail": shown} if shown else {})}
    if entry.request_id is not None:
        yield {"what": {"identifier": {"value": entry.request_id}}, "type": _coding(BALP_ENTITY, "XrequestId")}


def _object(urn: str, role: str, display: str) -> Json:
    return {
        "what": {"identifier": {"system": URI, "value": urn}},
        "type": _coding(ENTITY_TYPE, "2", "System Object"),
        "role": _coding(ROLE, role, display),
    }


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}
