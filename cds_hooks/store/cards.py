"""Cards that were shown, the pages behind them, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from cds_hooks.crypto import Vault
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.audit import Entry, write_entry
from cds_hooks.store.database import Database
from cds_hooks.store.states import Clock
from cds_hooks.store.tables import cards, feedback, jobs, pages


@dataclass(frozen=True, slots=True)
class Shown:
    """A card that goes out.

    Attributes:
        card_id: its uuid.
        job_id: the job whose result it shows, or will show.
        service: id of the CDS service.
        kind: verdict of the prediction, or `running`.
        token: of its page, in clear.
        suggestion: uuid of its suggestion, if it has one.
    """

    card_id: UUID
    job_id: str
    service: str
    kind: str
    token: str
    suggestion: UUID | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What a valid token leads to; `patient` is a keyed hash."""

    job_id: str
    card_id: UUID
    patient: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a user did with a card; `suggestions` are the uuids accepted, `comment` is in clear."""

    card_id: UUID
    outcome: str
    acted_at: datetime
    suggestions: tuple[UUID, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    comment: str | None = None


class CardStore:
    """Cards, pages and feedback."""

    def __init__(self, database: Database, vault: Vault, settings: ServiceSettings, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._clock = clock

    def show(self, card: Shown, entry: Entry) -> None:
        """Remember a card, its page and who asked for it, all or nothing."""
        now = self._clock()
        row = {
            "id": card.card_id.hex,
            "job_id": card.job_id,
            "service": card.service,
            "kind": card.kind,
            "suggestion": card.suggestion.hex if card.suggestion else None,
            "shown_at": now,
            "expires_at": now + self._settings.feedback_retention,
        }
        page = {
            "token": self._vault.mark("page", card.token),
            "job_id": card.job_id,
            "card_id": card.card_id.hex,
            "expires_at": now + self._settings.page_lifetime,
        }
        with self._database.write() as connection:
            connection.execute(sa.insert(cards).values(row))
            connection.execute(sa.insert(pages).values(page))
            write_entry(connection, now, entry)

    def page(self, token: str) -> Page | None:
        """Return what a token leads to; None when it never existed or has expired, which callers cannot tell apart."""
        query = sa.select(pages.c.job_id, pages.c.card_id, pages.c.expires_at, jobs.c.patient)
        query = query.join(jobs, jobs.c.id == pages.c.job_id).where(pages.c.token == self._vault.mark("page", token))
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None or row.expires_at <= self._clock():
            return None
        return Page(row.job_id, UUID(row.card_id), row.patient, row.expires_at)

    def known(self, service: str, card_ids: Sequence[UUID]) -> dict[UUID, UUID | None]:
        """Return those of the cards that this service has shown, each with the uuid of its suggestion."""
        query = sa.select(cards.c.id, cards.c.suggestion).where(
            cards.c.service == service, cards.c.id.in_([card_id.hex for card_id in card_ids])
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {UUID(row.id): UUID(row.suggestion) if row.suggestion else None for row in rows}

    def add_opinions(self, opinions: Sequence[Opinion], entry: Entry) -> None:
        """Keep what users did with their cards, all or nothing; comments are sealed."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(sa.insert(feedback), [self._row(opinion, now) for opinion in opinions])
            write_entry(connection, now, entry)

    def _row(self, opinion: Opinion, now: datetime) -> dict[str, Any]:
        return {
            "card_id": opinion.card_id.hex,
            "outcome": opinion.outcome,
            "suggestions": " ".join(suggestion.hex for suggestion in opinion.suggestions) or None,
            "reason_system": opinion.reason_system,
            "reason_code": opinion.reason_code,
            "comment_sealed": self._vault.seal(opinion.comment.encode()) if opinion.comment else None,
            "acted_at": opinion.acted_at,
            "received_at": now,
        }
