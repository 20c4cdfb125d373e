"""A question that failed -> asked again with growing, jittered pauses, where there is time for it. Knows no HTTP."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import stamina

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirTimeout, FhirUnavailable

Answer = TypeVar("Answer")
PASSING: Final = frozenset({0, 429, 502, 503, 504})
"""Statuses that may be gone in a moment (RFC 9110 sections 15.6.3 to 15.6.5, RFC 6585 section 4); 0: no connection."""
FIRST_WAIT_S: Final = 0.05
GROWTH: Final = 4.0
LONGEST_WAIT_S: Final = 2.0
JITTER_S: Final = 0.05


class _Patience:
    """Tells after each failure whether, and how long from now, it makes sense to ask again."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._failures = 0
        self._began = 0.0

    def begin(self) -> None:
        """Take note that a try begins."""
        self._began = time.monotonic()

    def __call__(self, error: Exception) -> bool | float:
        """Return False for never, True for the usual pause, or a pause in seconds."""
        if not isinstance(error, FhirUnavailable) or error.status not in PASSING:
            return False
        self._failures += 1
        pause = min(LONGEST_WAIT_S, FIRST_WAIT_S * GROWTH ** (self._failures - 1) + JITTER_S)
        if error.retry_after is not None:
            # Not to the second: all who were sent away together would come back together.
            pause = error.retry_after + random.uniform(0, JITTER_S)  # noqa: S311  # no secret
        # Another try takes about as long as the last one did.
        if pause + time.monotonic() - self._began >= self._deadline.remaining():
            return False
        return True if error.retry_after is None else pause


async def ask_again(ask: Callable[[], Awaitable[Answer]], attempts: int, deadline: Deadline) -> Answer:
    """Return what `ask` returns, at the latest after some tries, none of which is begun that could not end in time.

    Raises:
        FhirTimeout: the server asks to be left alone for longer than there is time.
        FhirError: as `ask` raised it last.
    """
    patience = _Patience(deadline)
    async for attempt in stamina.retry_context(
        on=patience,
        attempts=attempts,
        timeout=None,
        wait_initial=FIRST_WAIT_S,
        wait_exp_base=GROWTH,
        wait_max=LONGEST_WAIT_S,
        wait_jitter=JITTER_S,
    ):
        with attempt:
            patience.begin()
            try:
                return await ask()
            except FhirUnavailable as error:
                if error.retry_after is not None and error.retry_after >= deadline.remaining():
                    raise FhirTimeout(error.what) from None
                raise
    raise AssertionError("stamina returns or raises")
