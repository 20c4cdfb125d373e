"""What a sentence states, piece by piece, each in a form that can be looked up again.

A fact names the FHIR resource and version it was read from, or the figure of the model it repeats. The narrative is
rendered from facts, a generative narrator is fed with nothing else, and `explain.check` holds texts and records
against them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fhir_adapter.record import Modality


@dataclass(frozen=True, slots=True)
class ValueFact:
    """A measurement, or age or sex.

    Attributes:
        key: key of the slot in `inference.contract.MEASUREMENTS`.
        name: as a clinician reads it.
        value: in `unit`; months for the age, 1 for female and 0 for male.
        unit: UCUM; empty for the sex.
        level: against the normal range; empty where there is none.
        normal: lower and upper limit, each None where there is none.
        taken_at: when; for age and sex the moment of the newest evidence.
        source: versioned FHIR reference, `Observation/crp-1/_history/3`.
    """

    key: str
    name: str
    value: float
    unit: str
    level: Literal["high", "low", "normal", ""]
    normal: tuple[float | None, float | None] | None
    taken_at: datetime
    source: str
    kind: Literal["value"] = "value"


@dataclass(frozen=True, slots=True)
class QuoteFact:
    """Words of a note, characters `start` to `end` of its plain text; `remark` is what is so of all findings in it."""

    words: str
    start: int
    end: int
    remark: str
    written_at: datetime
    source: str
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True, slots=True)
class RegionFact:
    """A named region of a film ("right lower zone") and its share of the model's image evidence, 0..1."""

    name: str
    share: float
    source: str
    kind: Literal["region"] = "region"


@dataclass(frozen=True, slots=True)
class ChanceFact:
    """A calibrated probability of a diagnosis, 0..1: the answer, or what the model says with nothing to go on."""

    diagnosis: str
    """Key in `inference.contract.DIAGNOSES`."""
    probability: float
    given: Literal["everything", "nothing"]
    kind: Literal["chance"] = "chance"


@dataclass(frozen=True, slots=True)
class ShareFact:
    """A modality's exact Shapley contribution to the probability of the answer, -1..1."""

    modality: Modality
    points: float
    kind: Literal["share"] = "share"


Fact = ValueFact | QuoteFact | RegionFact | ChanceFact | ShareFact
