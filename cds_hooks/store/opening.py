"""Settings -> an open Store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cds_hooks.crypto import Vault, open_vault
from cds_hooks.settings import ServiceSettings
from cds_hooks.store.ahead import AheadStore
from cds_hooks.store.cards import CardStore
from cds_hooks.store.checks import CheckStore
from cds_hooks.store.database import Database
from cds_hooks.store.jobs import JobStore
from cds_hooks.store.results import ResultStore
from cds_hooks.store.states import Clock
from cds_hooks.store.upkeep import Upkeep
from cds_hooks.store.watches import WatchStore


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that is remembered; the calls block, so that the event loop must run them in a thread."""

    vault: Vault
    database: Database
    jobs: JobStore
    results: ResultStore
    checks: CheckStore
    cards: CardStore
    upkeep: Upkeep
    watches: WatchStore
    ahead: AheadStore
    clock: Clock

    def close(self) -> None:
        """Give the database connections back."""
        self.database.close()


def open_store(settings: ServiceSettings, clock: Clock = utc_now) -> Store:
    """Open the database; no connection is made before `database.create_tables()`.

    Raises:
        sqlalchemy.exc.ArgumentError: the URL is not one of a database.
    """
    vault, database = open_vault(settings), Database(settings.database)
    return Store(
        vault,
        database,
        JobStore(database, vault, settings, clock),
        ResultStore(database, vault, settings, clock),
        CheckStore(database, vault, settings, clock),
        CardStore(database, vault, settings, clock),
        Upkeep(database, settings, clock),
        WatchStore(database, vault, settings, clock),
        AheadStore(database, vault, settings, clock),
        clock,
    )
