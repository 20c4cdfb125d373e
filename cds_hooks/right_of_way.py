"""Hooks and their jobs go first: between any two pieces of its work a check asks here, and waits while there is one.

What goes on in this process is counted, and is given way to for as long as it takes. What other processes of the host
have to do, only the database knows: it is asked now and then, and given way to for a moment at a time, so that checks
become slow where somebody is always waiting, but do not stop.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

ASK_EVERY_S: Final = 0.1
"""How often the database is asked at most."""
OTHERS_S: Final = 1.0
"""How long one piece of a check waits for the jobs of other processes at most."""


class Stopped(Exception):
    """The process ends: a check must not go on."""


class RightOfWay:
    """Counts the work of a process that somebody waits for, and holds back the work that nobody does."""

    def __init__(self, others_wait: Callable[[], bool] = lambda: False) -> None:
        """Take the blocking question whether a job is open anywhere."""
        self._others_wait = others_wait
        self._changed = threading.Condition()
        self._first = 0
        self._held_back = 0
        self._stopped = False
        self._asked_at = -ASK_EVERY_S

    @contextmanager
    def first(self) -> Iterator[None]:
        """Hold checks back for as long as the context lasts; waits for nothing itself."""
        with self._changed:
            self._first += 1
        try:
            yield
        finally:
            with self._changed:
                self._first -= 1
                self._changed.notify_all()

    def give_way(self) -> float:
        """Wait until nobody has to be let through, and return the seconds it took.

        Raises:
            Stopped: the process ends.
        """
        began = time.monotonic()
        self._let_pass()
        while self._somebody_else(until=began + OTHERS_S):
            with self._changed:
                self._changed.wait_for(lambda: self._stopped, ASK_EVERY_S)
            self._let_pass()
        return time.monotonic() - began

    @property
    def held_back(self) -> int:
        """How many checks wait for this process's own work at this moment."""
        return self._held_back

    def stop(self) -> None:
        """Let no check pass any more, from now on."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _let_pass(self) -> None:
        with self._changed:
            self._held_back += 1
            self._changed.wait_for(lambda: self._stopped or self._first == 0)
            self._held_back -= 1
            if self._stopped:
                raise Stopped

    def _somebody_else(self, until: float) -> bool:
        now = time.monotonic()
        if now >= until or now - self._asked_at < ASK_EVERY_S:
            return False
        try:
            waits = self._others_wait()
        except SQLAlchemyError:
            waits = False  # It cannot say; the end of the check will notice that it is down.
        # While somebody waits it is asked again after the wait, which is as long.
        self._asked_at = self._asked_at if waits else now
        return waits
