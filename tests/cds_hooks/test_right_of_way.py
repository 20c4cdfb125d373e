from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import OperationalError

from cds_hooks import right_of_way as module
from cds_hooks.right_of_way import RightOfWay, Stopped
from tests.cds_hooks.fakes import wait_until


@pytest.fixture
def patient_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the moments short and the longest wait longer than any test."""
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.001)
    monkeypatch.setattr(module, "OTHERS_S", 3600)


@pytest.fixture
def passing() -> Iterator[Callable[[RightOfWay], threading.Event]]:
    """Return what has another thread give way, and an event of its having passed."""
    threads: list[threading.Thread] = []

    def begin(way: RightOfWay) -> threading.Event:
        passed = threading.Event()

        def give_way() -> None:
            way.give_way()
            passed.set()

        threads.append(threading.Thread(target=give_way))
        threads[-1].start()
        return passed

    yield begin
    for thread in threads:
        thread.join()


def test_check_waits_for_work_under_way(passing: Callable[[RightOfWay], threading.Event]) -> None:
    """A check passes when the last of several hooks and jobs has ended, and not before."""
    way = RightOfWay()
    with way.first():
        with way.first():
            passed = passing(way)
            wait_until(lambda: way.held_back == 1)
        between = passed.is_set()
    assert passed.wait(10)

    assert not between


def test_nobody_to_wait_for_is_no_wait() -> None:
    """On an idle process a check goes straight on."""
    assert RightOfWay().give_way() < module.ASK_EVERY_S


@pytest.mark.usefixtures("patient_limits")
def test_check_waits_for_jobs_of_other_processes(passing: Callable[[RightOfWay], threading.Event]) -> None:
    """While the database has jobs that somebody waits for, a check waits too, and asks again."""
    answers = iter([True, True, True, False])
    asked: list[bool] = []

    def others_wait() -> bool:
        asked.append(next(answers))
        return asked[-1]

    assert passing(RightOfWay(others_wait)).wait(10)
    assert asked == [True, True, True, False]


def test_database_is_asked_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of a thousand pieces does not ask a thousand times."""
    monkeypatch.setattr(module, "ASK_EVERY_S", 3600)
    asked: list[bool] = []

    def others_wait() -> bool:
        asked.append(False)
        return False

    way = RightOfWay(others_wait)
    for _ in range(1000):
        way.give_way()

    assert len(asked) == 1


def test_check_does_not_starve(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where some other process always has a job, pieces of a check pass one at a time nevertheless."""
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.001)
    monkeypatch.setattr(module, "OTHERS_S", 0.01)
    way = RightOfWay(lambda: True)

    assert min(way.give_way() for _ in range(3)) >= 0.01


def test_silent_database_holds_nobody_up() -> None:
    """A database that cannot say who waits is no reason to wait."""

    def down() -> bool:
        raise OperationalError("select", {}, Exception())

    assert RightOfWay(down).give_way() < module.OTHERS_S


@pytest.mark.usefixtures("patient_limits")
@pytest.mark.parametrize("others", [False, True])
def test_stop_ends_every_wait(*, others: bool) -> None:
    """A check that waits when the process ends is told so, and none passes after that."""
    way = RightOfWay(lambda: others)
    waiting = threading.Timer(0.01, way.stop)
    waiting.start()
    with pytest.raises(Stopped):
        wait_for_ever(way, others=others)
    with pytest.raises(Stopped):
        way.give_way()
    waiting.join()


def wait_for_ever(way: RightOfWay, *, others: bool) -> None:
    """Give way to what never ends: this process's own work, or another's."""
    if others:
        way.give_way()
    with way.first():
        way.give_way()
