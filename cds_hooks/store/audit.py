"""Who did what about whom, with keyed hashes in place of names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cds_hooks.store.tables import audit


class What(StrEnum):
    """What was done."""

    HOOK_ANSWERED = "hook-answered"
    HOOK_REFUSED = "hook-refused"
    PAGE_OPENED = "page-opened"
    FEEDBACK_GIVEN = "feedback-given"
    JOB_RUN = "job-run"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the trail.

    Attributes:
        action: what was done.
        actor: keyed hash of the user, or None where CDS Hooks does not say who it was.
        patient: keyed hash of the patient.
        job_id: the job concerned.
        request_id: the HTTP request.
    """

    action: What
    actor: str | None = None
    patient: str | None = None
    job_id: str | None = None
    request_id: str | None = None


def write_entry(connection: Connection, at: datetime, entry: Entry) -> None:
    """Add a row inside a transaction, so that nothing happens without its trace."""
    connection.execute(sa.insert(audit).values(at=at, **asdict(entry)))
