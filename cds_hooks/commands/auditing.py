"""The audit trail of a service -> a table, NDJSON of AuditEvents, or a FHIR server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

import httpx
import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.commands.stopping import fail, told_plainly
from cds_hooks.commands.transactions import TransactionRefused, put_bundle, send_transaction
from cds_hooks.crypto import Vault
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import Row, Wanted, What, read_trail
from cds_hooks.store.database import SchemaOutdated
from cds_hooks.store.opening import Store, open_store

TIMEOUT_S: Final = 60.0
AT_ONCE: Final = 200
"""AuditEvents of one transaction."""
_HASH: Final = re.compile(r"[0-9a-f]{0,64}")
_SHOWN_DIGITS: Final = 12
"""Digits of a hash in the table: enough to tell everybody of a site apart."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the command line, as typed; an empty one does not matter."""

    since: datetime | None = None
    patient_hash: str = ""
    patient: str = ""
    server: str = ""
    action: str = ""


def run_audit(asked: Asked, *, as_fhir: bool, send_to: str, token: str) -> None:
    """Read the trail and print it, or send it.

    Raises:
        typer.Exit: the settings or filters are wrong, the database is down, or the server refuses; said on stderr.
    """
    with told_plainly(), _opened() as (store, settings):
        rows = read_trail(store.database, wanted_of(asked, store.vault))
        if send_to:
            _send(audit_events(rows, store.vault, settings), send_to, token)
        elif as_fhir:
            for event in audit_events(rows, store.vault, settings):
                typer.echo(orjson.dumps(event).decode())
        else:
            print_trail(Console(), rows)


@contextmanager
def _opened() -> Iterator[tuple[Store, ServiceSettings]]:
    settings = ServiceSettings()
    store = open_store(settings)
    try:
        store.database.create_tables()
        yield store, settings
    except SchemaOutdated as error:
        raise fail(str(error)) from None
    except SQLAlchemyError as error:
        # The message may hold the address of the database with its password.
        raise fail(f"the database cannot be read ({type(error).__name__}): check CDS_DATABASE_URL") from None
    finally:
        store.close()


def wanted_of(asked: Asked, vault: Vault) -> Wanted:
    """Return which rows are asked for; `vault` turns the id of a patient into the hash of the trail.

    Raises:
        typer.Exit: the filters contradict each other, or one of them is none; said on stderr.
    """
    if asked.patient and asked.patient_hash:
        raise fail("give --patient or --patient-hash, not both")
    if asked.action and asked.action not in set(What):
        raise fail(f"--action is one of {', '.join(What)}")
    if not _HASH.fullmatch(asked.patient_hash):
        raise fail("--patient-hash takes the beginning of a hash: digits 0 to 9 and a to f, 64 at most")
    mark = vault.mark("patient", asked.server.rstrip("/"), asked.patient) if asked.patient else asked.patient_hash
    since = asked.since.replace(tzinfo=UTC) if asked.since and asked.since.tzinfo is None else asked.since
    return Wanted(since, mark or None, What(asked.action) if asked.action else None)


def audit_events(rows: Iterator[Row], vault: Vault, settings: ServiceSettings) -> Iterator[dict[str, Any]]:
    """Yield the AuditEvent of each row, under an id that follows from the row and the key of this service."""
    from cds_hooks.audit_events.event import Recorder, audit_event

    recorder = Recorder(settings.url(""))
    for row in rows:
        mark = vault.mark("audit-event", str(row.number), row.at.isoformat(), row.entry.action)
        yield audit_event(row, UUID(mark[:32]), recorder)


def _send(events: Iterator[dict[str, Any]], fhir: str, token: str) -> None:
    """Send the events in transactions; what a refusal or a broken line leaves out is sent by the next call."""
    sent = 0
    try:
        with httpx.Client(timeout=TIMEOUT_S) as http:
            while page := list(islice(events, AT_ONCE)):
                send_transaction(http, fhir, put_bundle(page), token)
                sent += len(page)
    except TransactionRefused as error:
        raise fail(f"{sent} stored, then {error}") from None
    except httpx.HTTPError as error:
        raise fail(f"{sent} stored, then no answer ({type(error).__name__}): check the address") from None
    Console().print(f"{sent} AuditEvents stored.", highlight=False)


def print_trail(console: Console, rows: Iterator[Row]) -> None:
    """Print one line for each row."""
    table = Table("when (UTC)", "what", "patient", "user", "job", "showed", box=None, pad_edge=False)
    for row in rows:
        entry = row.entry
        marks = (entry.patient or "", entry.actor or "", entry.job_id or "")
        shown = entry.shown.value if entry.shown else ""
        table.add_row(
            f"{row.at:%Y-%m-%d %H:%M:%S}", entry.action.value, *(mark[:_SHOWN_DIGITS] for mark in marks), shown
        )
    if table.row_count:
        console.print(table)
    console.print(f"{table.row_count} rows", style="dim", highlight=False)
