"""The words in which jobs are spoken of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

Clock = Callable[[], datetime]


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Checked(StrEnum):
    """Where the second tier of a result stands, as pages are told."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    NONE = "none"


class Failure(StrEnum):
    """Which part failed; nothing of the patient is in it."""

    QUEUE = "queue"
    CHART = "chart"
    MODEL = "model"
    TIME = "time"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Claim:
    """A job for some inputs; `fresh` is True for the one caller that must put it into the queue."""

    job_id: str
    state: JobState
    attempt: int
    fresh: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What a job is about.

    Attributes:
        fingerprint: keyed hash of all inputs.
        patient: keyed hash of the patient.
        reusable_for: how long its result may answer later hooks.
        inputs: makes what the worker needs; called only when a worker is needed.
    """

    fingerprint: str
    patient: str
    reusable_for: timedelta
    inputs: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Started:
    """A job that this worker, and no other, runs; `inputs` are opened."""

    job_id: str
    attempt: int
    inputs: bytes
    reusable_for: timedelta


@dataclass(frozen=True, slots=True)
class Status:
    """What a waiting caller learns."""

    state: JobState
    reason: Failure | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in (JobState.DONE, JobState.FAILED)
