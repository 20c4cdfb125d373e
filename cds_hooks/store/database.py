"""Database URL -> engine whose transactions behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.schema import CreateColumn

from cds_hooks.store.tables import metadata

READ: Final = {"read_only": True}
"""Execution options of a connection that writes nothing."""
WAIT_S: Final = 5.0
"""How long a writer waits for another one before it fails."""


class SchemaOutdated(SQLAlchemyError, ValueError):
    """The database was made by an earlier version; the sentence holds the statements that bring it up to date."""


class Database:
    """An engine with its tables in place.

    Raises (every method): sqlalchemy.exc.SQLAlchemyError where the database is down, or `SchemaOutdated`.
    """

    def __init__(self, url: str) -> None:
        self.engine = _open(sa.make_url(url))
        self._reader = self.engine.execution_options(**READ)
        self._refusal: SchemaOutdated | None = None

    def create_tables(self) -> None:
        """Create the tables that are missing; safe when several processes start at once.

        Raises:
            SchemaOutdated: a table of an earlier version is there and lacks columns.
        """
        with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":
                # Two processes that create the same table at once fail on the system catalogue otherwise.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(0x6D6C6C6D)))
            metadata.create_all(connection)
            if missing := _missing_columns(connection):
                self._refusal = SchemaOutdated(
                    "the database was made by an earlier version of mllm-cds. Stop every process that uses it, make a "
                    f"copy, and run: {' '.join(missing)} Or name a new database with CDS_DATABASE_URL."
                )
                raise self._refusal
            self._refusal = None

    def read(self) -> AbstractContextManager[Connection]:
        """Return a context manager of a connection for queries: it waits for no writer."""
        self._check()
        return self._reader.connect()

    def write(self) -> AbstractContextManager[Connection]:
        """Return a context manager of a transaction."""
        self._check()
        return self.engine.begin()

    def _check(self) -> None:
        """Refuse, with the sentence, what would fail inside a query."""
        if self._refusal is not None:
            raise self._refusal

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _missing_columns(connection: Connection) -> list[str]:
    """Return one statement for each column that a table of an earlier version lacks."""
    inspector, statements = sa.inspect(connection), []
    for table in metadata.sorted_tables:
        present = {found["name"] for found in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in present:
                definition = CreateColumn(column).compile(dialect=connection.dialect)
                statements.append(f"ALTER TABLE {table.name} ADD COLUMN {definition};")
    return statements


def _open(url: sa.URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": int(WAIT_S)})
    if url.database and url.database != ":memory:":
        _make_private(Path(url.database))
        engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": WAIT_S})
    else:
        # One connection that all threads take turns with: a second one would be a second, empty database.
        engine = sa.create_engine(
            "sqlite://", connect_args={"check_same_thread": False}, poolclass=sa.QueuePool, pool_size=1, max_overflow=0
        )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are ours, see _begin_sqlite
    _journal_ahead(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.cursor().execute(f"PRAGMA {pragma}")


def _journal_ahead(connection: DBAPIConnection) -> None:
    """Turn on the write-ahead log, which is a change of the file only the first time.

    SQLite lets nobody wait for this change: of several processes that open a new file at once, all but one are refused
    at once, whatever the timeout.
    """
    until = monotonic() + WAIT_S
    while True:
        try:
            connection.cursor().execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    if not connection.get_execution_options().get("read_only"):
        # A transaction that reads first and writes later cannot wait for another writer: it would fail at once.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
