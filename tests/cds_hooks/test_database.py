from __future__ import annotations

import re
import stat
import threading
from datetime import UTC
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.store.database import Database, SchemaOutdated
from cds_hooks.store.tables import Moment, audit
from tests.cds_hooks.samples import ASKED_AT


def test_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """The SQLite file and its folder are readable by nobody else."""
    path = tmp_path / "state" / "db.sqlite3"
    database = Database(f"sqlite:///{path}")
    database.create_tables()
    database.close()

    assert (stat.S_IMODE(path.parent.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o700, 0o600)


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    """While one thread is in a transaction that writes, another reads what was there before."""
    database = Database(f"sqlite:///{tmp_path}/db.sqlite3")
    database.create_tables()
    with database.write() as writer:
        writer.execute(sa.insert(audit).values(at=ASKED_AT, action="a"))
        with database.read() as reader:
            seen = reader.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()
    database.close()

    assert seen == 0


def test_writers_take_turns(database_url: str) -> None:
    """Many threads that read and then write in one transaction all come through, on every kind of database."""
    database = Database(database_url)
    database.create_tables()
    errors: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(20):
                with database.write() as connection:
                    connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()
                    connection.execute(sa.insert(audit).values(at=ASKED_AT, action="a"))
        except SQLAlchemyError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()
    database.close()

    assert (errors, rows) == ([], 120)


def test_tables_are_created_by_several_at_once(database_url: str) -> None:
    """Replicas that start together do not trip over one another."""
    databases = [Database(database_url) for _ in range(3)]
    errors: list[Exception] = []

    def create(database: Database) -> None:
        try:
            database.create_tables()
        except SQLAlchemyError as error:
            errors.append(error)

    threads = [threading.Thread(target=create, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for database in databases:
        database.close()

    assert errors == []


def test_failed_transaction_leaves_nothing(database_url: str) -> None:
    """What a failed transaction wrote is not there."""
    database = Database(database_url)
    database.create_tables()

    def fail() -> None:
        with database.write() as connection:
            connection.execute(sa.insert(audit).values(at=ASKED_AT, action="a"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        rows = connection.execute(sa.select(sa.func.count()).select_from(audit)).scalar_one()
    database.close()

    assert rows == 0


def test_moments_are_utc(database_url: str) -> None:
    """A time written in any zone is read in UTC, aware."""
    database = Database(database_url)
    local = sa.literal(ASKED_AT.astimezone(), Moment)
    with database.read() as connection:
        value = connection.execute(sa.select(local)).scalar_one()
    database.close()

    assert (value, value.tzinfo) == (ASKED_AT, UTC)


EARLIER = (("results", "prior_sealed"), ("audit", "card_id"), ("audit", "shown"))
"""Columns that came with the second tier."""


def make_earlier(database: Database) -> None:
    """Make the database one of an earlier version, with something in it."""
    database.create_tables()
    with database.write() as connection:
        connection.execute(sa.insert(audit).values(at=ASKED_AT, action="a"))
        connection.exec_driver_sql("DROP TABLE checks")
        for table, column in EARLIER:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")


def test_earlier_database_is_refused_with_what_to_do(database_url: str) -> None:
    """Tables of an earlier version are refused at the start, once and at every use, and nothing is changed."""
    database = Database(database_url)
    make_earlier(database)
    with pytest.raises(SchemaOutdated, match=r"audit ADD COLUMN shown .*results ADD COLUMN prior_sealed"):
        database.create_tables()
    with pytest.raises(SchemaOutdated), database.write():
        pass
    with database.engine.connect() as connection:
        tables = sa.inspect(connection).get_table_names()
    database.close()

    assert "checks" not in tables


def test_sentence_brings_an_earlier_database_up_to_date(database_url: str) -> None:
    """The statements in the sentence, run as they stand, make it one of this version, and nothing is lost."""
    database = Database(database_url)
    make_earlier(database)
    with pytest.raises(SchemaOutdated) as refused:
        database.create_tables()
    with database.engine.begin() as connection:
        for statement in re.findall(r"ALTER TABLE [^;]+;", str(refused.value)):
            connection.exec_driver_sql(statement)
    database.create_tables()
    with database.read() as connection:
        rows = connection.execute(sa.select(audit.c.action, audit.c.shown)).all()
    database.close()

    assert rows == [("a", None)]
