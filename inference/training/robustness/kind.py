"""What every degradation has in common: a modality, a name and how strong each of its steps is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from fhir_adapter.record import Modality, PatientRecord

STEPS: Final = 5
"""Step 0, which leaves the chart as it is, and four stronger ones."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One chart to degrade.

    Attributes:
        name: of its film; decides, with the kind, every random choice.
        record: the chart as it is.
        reworded: the text of its note in the wordings of the training notes; None where there is no note.
    """

    name: str
    record: PatientRecord
    reworded: str | None


Degradation = Callable[[Subject, float, np.random.Generator], PatientRecord]


@dataclass(frozen=True, slots=True)
class Kind:
    """One way in which one modality gets worse.

    Attributes:
        strengths: of step 0 to 4, in `unit`.
        unit: what a strength counts, as the plot labels it.
        degrade: returns the chart with only `modality` changed; a larger strength goes further the same way.
    """

    modality: Modality
    name: str
    unit: str
    strengths: tuple[float, float, float, float, float]
    degrade: Degradation

    def apply(self, subject: Subject, step: int) -> PatientRecord:
        """Return the chart at a step, 0 to 4: the same chart, kind and step always give the same."""
        if step == 0:
            return subject.record
        # The same draws at every step, so that a stronger step adds to a weaker one and undoes nothing of it.
        return self.degrade(subject, self.strengths[step], generator_of(self.name, subject.name))


def generator_of(kind: str, name: str) -> np.random.Generator:
    """Return the generator of one chart and kind; it does not depend on which other charts there are."""
    digest = hashlib.sha256(f"robustness-1:{kind}:{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16]))
