"""Who did what about whom, with keyed hashes in place of names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cds_hooks.store.tables import audit


class What(StrEnum):
    """What was done."""

    HOOK_ANSWERED = "hook-answered"
    HOOK_REFUSED = "hook-refused"
    PAGE_OPENED = "page-opened"
    PAGE_FILLED = "page-filled"
    FEEDBACK_GIVEN = "feedback-given"
    JOB_RUN = "job-run"
    CHECK_RUN = "check-run"
    FHIR_EXPORTED = "fhir-exported"
    REPORT_EXPORTED = "report-exported"
    CAPTURE_EXPORTED = "capture-exported"
    AHEAD_COMPUTED = "ahead-computed"


class PageState(StrEnum):
    """What a page showed when it was opened: CDS Hooks never tells that it was."""

    RUNNING = "running"
    FAILED = "failed"
    CHECKING = "checking"
    CHECKED = "checked"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the trail.

    Attributes:
        action: what was done.
        actor: keyed hash of the user, or None where CDS Hooks does not say who it was.
        patient: keyed hash of the patient.
        job_id: the job concerned.
        request_id: the HTTP request.
        card_id: the card that led to a page.
        shown: what that page showed.
    """

    action: What
    actor: str | None = None
    patient: str | None = None
    job_id: str | None = None
    request_id: str | None = None
    card_id: UUID | None = None
    shown: PageState | None = None


def write_entry(connection: Connection, at: datetime, entry: Entry) -> None:
    """Add a row inside a transaction, so that nothing happens without its trace."""
    row: dict[str, Any] = {**asdict(entry), "card_id": entry.card_id.hex if entry.card_id else None}
    connection.execute(sa.insert(audit).values(at=at, **row))
