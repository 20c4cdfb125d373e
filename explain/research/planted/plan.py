"""How much is planted and learnt, and how long: the numbers of `explain.research.planted` in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fhir_adapter.record import Modality
from inference.training.recipe import Stage

KINDS: Final = 3
"""Kind 0 is no plant at all, 1 and 2 are two plants; a kind is the label, its place in `contract.DIAGNOSES`.

With two kinds alone a model need only look for one of them, and the other would be decided by its absence: by nothing
that could be pointed at.
"""


def lesson(epochs: int, rate: float) -> Stage:
    """Return the optimisation of one modality: plain cross-entropy in batches of 32."""
    return Stage(epochs, batch=32, rate=rate, decay=0.02, smoothing=0.0, average=0.98, dropout=0.0)


def lessons() -> dict[Modality, Stage]:
    """Return the optimisation by modality."""
    return {"image": lesson(7, 8e-4), "text": lesson(6, 5e-4), "structured": lesson(8, 1e-3)}


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes of a run.

    Attributes:
        learnt: films that are planted to learn from.
        views: how often each of them is planted anew.
        validation: films that say when enough is learnt.
        judged: most films that are judged, one of each patient.
        counted: most planted cases, answered rightly, of which maps are drawn.
        enough: accuracy on validation films at which learning stops.
        stages: epochs at the most, and rates, by modality.
    """

    learnt: int = 1200
    views: int = 2
    validation: int = 160
    judged: int = 400
    counted: int = 210
    enough: float = 0.97
    stages: Mapping[Modality, Stage] = field(default_factory=lessons)
