"""Seconds granted -> the moment by which an answer must be out; one is made per request and passed down."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock, which a change of the wall clock cannot move."""

    ends_at: float

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Return the deadline this many seconds from now; zero or less has expired already."""
        return cls(time.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds left, 0 when it has passed."""
        return max(0.0, self.ends_at - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0
