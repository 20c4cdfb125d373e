from __future__ import annotations

from datetime import timedelta

import pytest

from cds_hooks.store.audit import Entry, PageState, Wanted, What, read_trail
from cds_hooks.store.opening import Store
from tests.cds_hooks.audit_events.rows import WRITTEN
from tests.cds_hooks.conftest import HandClock
from tests.cds_hooks.samples import ASKED_AT

ONE, OTHER = "aa" * 32, "ab" * 32
HOUR = timedelta(hours=1)


@pytest.fixture
def trail(store: Store, clock: HandClock) -> Store:
    """A store in which two patients were asked about, an hour apart, and a job of the second one was run."""
    store.upkeep.record(Entry(What.HOOK_ANSWERED, "cc" * 32, ONE, "11" * 16, "req-1"))
    clock.turn(HOUR)
    store.upkeep.record(Entry(What.HOOK_ANSWERED, "cc" * 32, OTHER, "22" * 16, "req-2"))
    store.upkeep.record(Entry(What.JOB_RUN, job_id="22" * 16))
    return store


def found(store: Store, wanted: Wanted) -> list[tuple[What, str | None]]:
    return [(row.entry.action, row.entry.patient) for row in read_trail(store.database, wanted)]


def test_rows_come_back_as_they_were_written(store: Store) -> None:
    """Every kind of row is read as the service wrote it, in its order, at its moment."""
    for entry in WRITTEN.values():
        store.upkeep.record(entry)
    rows = list(read_trail(store.database, Wanted()))

    assert {row.at for row in rows} == {ASKED_AT}
    assert [row.entry.action for row in rows] == list(WRITTEN)
    assert [row.entry.shown for row in rows if row.entry.shown] == [PageState.CHECKED, PageState.FAILED]


@pytest.mark.parametrize(
    ("wanted", "patients"),
    [
        (Wanted(patient="a_"), []),
        (Wanted(patient="b"), []),
        (Wanted(patient="aa"), [ONE]),
        (Wanted(patient=OTHER), [OTHER, OTHER]),
        (Wanted(since=ASKED_AT + HOUR), [OTHER, OTHER]),
        (Wanted(since=ASKED_AT + 2 * HOUR), []),
        (Wanted(action=What.JOB_RUN), [OTHER]),
        (Wanted(ASKED_AT, "a", What.HOOK_ANSWERED), [ONE, OTHER]),
    ],
)
def test_filters_join(trail: Store, wanted: Wanted, patients: list[str]) -> None:
    """Each filter leaves out rows, all of them together as well; a wildcard of SQL is no wildcard here."""
    assert [patient for _, patient in found(trail, wanted)] == patients


def test_job_is_about_the_patient_of_its_hook(trail: Store) -> None:
    """A worker is told no patient; the trail knows whose job it was by the hook that asked for it."""
    assert found(trail, Wanted())[-1] == (What.JOB_RUN, OTHER)


def test_job_of_nobody_has_no_patient(store: Store) -> None:
    """Where no hook is kept that names the job's patient, none is made up."""
    store.upkeep.record(Entry(What.JOB_RUN, job_id="33" * 16))

    assert found(store, Wanted()) == [(What.JOB_RUN, None)]
