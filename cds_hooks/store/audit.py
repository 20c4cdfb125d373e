"""Who did what about whom, with keyed hashes in place of names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cds_hooks.store.database import Database
from cds_hooks.store.tables import audit

AT_ONCE: Final = 500
"""Rows read from the database at a time: a trail of a year does not fit into memory."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """One row as it is kept: `number` counts up, `at` is in UTC."""

    number: int
    at: datetime
    entry: Entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for; what is None does not matter.

    Attributes:
        since: the first moment, with its time zone.
        patient: the beginning of a patient's keyed hash.
        action: what was done.
    """

    since: datetime | None = None
    patient: str | None = None
    action: What | None = None


def read_trail(database: Database, wanted: Wanted) -> Iterator[Row]:
    """Yield rows, the oldest first.

    A job's own rows name no patient, as a worker is not told; they are given the one that the hook of that job named.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is down, or of an earlier version.
    """
    named = sa.select(audit.c.job_id, sa.func.max(audit.c.patient).label("patient"))
    named = named.where(audit.c.job_id.is_not(None), audit.c.patient.is_not(None)).group_by(audit.c.job_id)
    of_job = named.subquery()
    patient = sa.func.coalesce(audit.c.patient, of_job.c.patient).label("whose")
    query = sa.select(audit, patient).outerjoin(of_job, of_job.c.job_id == audit.c.job_id).order_by(audit.c.id)
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.patient is not None:
        query = query.where(patient.startswith(wanted.patient, autoescape=True))
    if wanted.action is not None:
        query = query.where(audit.c.action == wanted.action.value)
    with database.read() as connection:
        for found in connection.execute(query.execution_options(yield_per=AT_ONCE)):
            yield _row(found)


def _row(found: sa.Row[Any]) -> Row:
    entry = Entry(
        What(found.action),
        found.actor,
        found.whose,
        found.job_id,
        found.request_id,
        UUID(found.card_id) if found.card_id else None,
        PageState(found.shown) if found.shown else None,
    )
    return Row(found.id, found.at, entry)
