from __future__ import annotations

from datetime import timedelta

import pytest

from cds_hooks.store.opening import Store
from cds_hooks.store.watches import LEASE, Look
from tests.cds_hooks.conftest import HandClock

MINUTE = timedelta(minutes=1)


def begun(store: Store, holder: str = "one") -> Look:
    """Begin a look that is known to be due."""
    look = store.watches.begin("w", holder)
    assert look is not None
    return look


def test_first_look_begins_now(store: Store, clock: HandClock) -> None:
    """What is on file before the service first looks is not news."""
    assert begun(store) == Look("w", "one", clock.now, frozenset(), 0, clock.now + LEASE)


def test_one_process_looks_at_a_time(store: Store) -> None:
    """While one replica looks, the others do not; another watch is free."""
    begun(store)

    assert store.watches.begin("w", "two") is None
    assert store.watches.begin("x", "two") is not None


def test_next_look_goes_on_where_the_last_one_stopped(store: Store, clock: HandClock) -> None:
    """Whichever process is next begins at the mark of the last one, with what that had seen, not before its time."""
    since = clock.now + timedelta(seconds=5)
    store.watches.succeed(begun(store), since, ["a", "b"], clock.now + MINUTE)
    early = store.watches.begin("w", "two")
    clock.turn(MINUTE)

    assert early is None
    assert begun(store, "two") == Look("w", "two", since, frozenset({"a", "b"}), 0, clock.now + LEASE)


def test_look_of_a_process_that_died_is_taken_over(store: Store, clock: HandClock) -> None:
    """After its lease a look is free again, and the first one can no longer move the mark."""
    dead = begun(store)
    clock.turn(LEASE)
    begun(store, "two")

    assert not store.watches.succeed(dead, clock.now, [], clock.now)


def test_failures_are_counted_until_one_succeeds(store: Store, clock: HandClock) -> None:
    """A look knows how many failed before it, so that pauses can grow; the mark stays."""
    start = clock.now
    for _ in range(2):
        store.watches.fail(begun(store), clock.now)
    third = begun(store)
    store.watches.succeed(third, start, [], clock.now)

    assert (third.failures, third.since, begun(store).failures) == (2, start, 0)


def test_hurried_look_does_not_wait(store: Store, clock: HandClock) -> None:
    """A notification makes the next look due, also the first of all."""
    store.watches.hurry("w")
    store.watches.succeed(begun(store), clock.now, [], clock.now + MINUTE)
    store.watches.hurry("w")

    assert store.watches.begin("w", "two") is not None


@pytest.mark.parametrize("fails", [False, True])
def test_look_that_is_asked_for_during_another_is_not_forgotten(store: Store, clock: HandClock, fails: bool) -> None:  # noqa: FBT001
    """What is told while a look is under way may be too late for it: another one begins when it has ended."""
    look = begun(store)
    store.watches.hurry("w")
    meanwhile = store.watches.begin("w", "two")
    if fails:
        store.watches.fail(look, clock.now + MINUTE)
    else:
        store.watches.succeed(look, clock.now, [], clock.now + MINUTE)

    assert meanwhile is None
    assert begun(store, "two")


def test_events_are_counted(store: Store) -> None:
    """Each number is told the one before it, by which missed events show."""
    assert [store.watches.count_events("w", number) for number in (3, 4, 9, 0)] == [None, 3, 4, 9]
