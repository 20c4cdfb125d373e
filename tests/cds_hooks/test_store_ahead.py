from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from cds_hooks.store.ahead import LEASE, LEFT_AFTER, Due
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.opening import Store
from cds_hooks.store.tables import ahead
from tests.cds_hooks.conftest import HandClock
from tests.cds_hooks.samples import PATIENT_ID, SERVER

SECOND = timedelta(seconds=1)
QUIET, AT_MOST = 20 * SECOND, 300 * SECOND
"""Defaults of the settings."""


def taken(store: Store) -> Due:
    """Take a patient who is known to be due."""
    due = store.ahead.take()
    assert due is not None
    return due


def rows(store: Store) -> list[Any]:
    """Return what is stored."""
    with store.database.read() as connection:
        return list(connection.execute(sa.select(ahead)))


def test_patient_is_due_when_the_news_have_stopped(store: Store, clock: HandClock) -> None:
    """Thirty results one after the other are one patient, due once, after the quiet time."""
    for _ in range(30):
        store.ahead.note(SERVER, PATIENT_ID)
        clock.turn(SECOND)
    early = store.ahead.take()
    clock.turn(QUIET)
    due = taken(store)

    assert (early, store.ahead.take()) == (None, None)
    assert (due.server, due.patient_id, due.attempt) == (SERVER, PATIENT_ID, 1)


def test_news_without_end_do_not_put_off_for_ever(store: Store, clock: HandClock) -> None:
    """A monitor that reports every few seconds is not waited for longer than is set."""
    until = clock.now + AT_MOST
    while clock.now < until:
        store.ahead.note(SERVER, PATIENT_ID)
        clock.turn(10 * SECOND)

    assert store.ahead.take() is not None


def test_longest_due_comes_first(store: Store, clock: HandClock) -> None:
    """Patients are taken in the order in which they fell due."""
    for patient_id in ("b", "a"):
        store.ahead.note(SERVER, patient_id)
        clock.turn(SECOND)
    clock.turn(QUIET)

    assert [taken(store).patient_id for _ in range(2)] == ["b", "a"]


def test_patient_is_known_by_the_mark_of_hooks(store: Store, clock: HandClock) -> None:
    """The keyed hash is the one of hooks, and patient 1 of another server is somebody else."""
    for server in (SERVER, "https://other.example/fhir"):
        store.ahead.note(server, PATIENT_ID)
    clock.turn(QUIET)

    assert {taken(store).patient for _ in range(2)} == {
        store.vault.mark("patient", server, PATIENT_ID) for server in (SERVER, "https://other.example/fhir")
    }


def test_id_lies_sealed(store: Store) -> None:
    """Neither the patient's id nor the server can be read in the table."""
    store.ahead.note(SERVER, PATIENT_ID)
    (row,) = rows(store)

    assert PATIENT_ID not in str(row)
    assert SERVER not in str(row)


def test_finished_patient_is_forgotten(store: Store, clock: HandClock) -> None:
    """When the case has been computed, nothing of the patient stays."""
    store.ahead.note(SERVER, PATIENT_ID)
    clock.turn(QUIET)
    store.ahead.finish(taken(store), None)

    assert rows(store) == []


def test_fresh_case_is_due_again(store: Store, clock: HandClock) -> None:
    """A result that is kept fresh is looked at again at its moment, as a first attempt."""
    store.ahead.note(SERVER, PATIENT_ID)
    clock.turn(QUIET)
    first = taken(store)
    store.ahead.finish(first, clock.now + 2 * LEASE)
    clock.turn(2 * LEASE)
    again = taken(store)

    assert (again.attempt, again.fresh_to) == (1, first.fresh_to)


def test_news_during_the_computation_are_new_news(store: Store, clock: HandClock) -> None:
    """A result that arrives while the case is being computed makes it due once more, however the first ends."""
    store.ahead.note(SERVER, PATIENT_ID)
    clock.turn(QUIET)
    due = taken(store)
    store.ahead.note(SERVER, PATIENT_ID)
    store.ahead.finish(due, None)
    clock.turn(QUIET)

    assert store.ahead.take() is not None


def test_failed_attempt_is_put_off_and_counted(store: Store, clock: HandClock) -> None:
    """A case that could not be computed waits, and knows how often it was tried; given up, it is forgotten."""
    store.ahead.note(SERVER, PATIENT_ID)
    clock.turn(QUIET)
    store.ahead.put_off(taken(store), clock.now + QUIET)
    early = store.ahead.take()
    clock.turn(QUIET)
    second = taken(store)
    store.ahead.put_off(second, None)

    assert (early, second.attempt, rows(store)) == (None, 2, [])


def test_case_of_a_process_that_died_is_taken_over(store: Store, clock: HandClock) -> None:
    """After the lease a patient is due again."""
    store.ahead.note(SERVER, PATIENT_ID)
    clock.turn(QUIET)
    taken(store)
    clock.turn(LEASE)

    assert taken(store).attempt == 2


def test_what_nobody_saw_to_expires(store: Store, clock: HandClock) -> None:
    """A patient whom nobody computed is neither taken nor kept after the time that is set."""
    store.ahead.note(SERVER, PATIENT_ID)
    clock.turn(LEFT_AFTER + timedelta(hours=4))
    due = store.ahead.take()
    store.upkeep.purge()

    assert (due, rows(store)) == (None, [])


@pytest.mark.parametrize(
    ("action", "known"), [(What.HOOK_ANSWERED, True), (What.AHEAD_COMPUTED, False), (What.PAGE_OPENED, False)]
)
def test_opened_are_those_with_a_hook(store: Store, clock: HandClock, action: What, known: bool) -> None:  # noqa: FBT001
    """Only an answered hook makes a patient one whose chart was opened here: what is computed ahead breeds no more."""
    store.upkeep.record(Entry(action, patient="mark", job_id=uuid4().hex))

    assert store.ahead.opened(["mark", "other"], clock.now) == ({"mark"} if known else set())


def test_chart_opened_long_ago_does_not_count(store: Store, clock: HandClock) -> None:
    """A hook before the moment asked for does not count."""
    store.upkeep.record(Entry(What.HOOK_ANSWERED, patient="mark"))

    assert store.ahead.opened(["mark"], clock.now + SECOND) == set()


def test_unknown_job_answers_nothing(store: Store) -> None:
    """A job that is gone has no time until which it is reused."""
    assert store.ahead.reused_until("0" * 32) is None
