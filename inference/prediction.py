"""What the model says of one patient, in the form that everything behind it reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fhir_adapter.record import Modality
from inference.contract import Diagnosis


class Verdict(StrEnum):
    """Whether the figures may be read as an answer."""

    ANSWER = "answer"
    UNSURE = "unsure"
    OUT_OF_SCOPE = "out of scope"


@dataclass(frozen=True, slots=True)
class Likelihood:
    """One diagnosis and its calibrated probability, 0..1."""

    diagnosis: Diagnosis
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """One answer of the model.

    Attributes:
        likelihoods: every diagnosis in the order of `inference.contract.DIAGNOSES`; empty when out of scope,
            so that nobody can show a probability that means nothing.
        prediction_set: keys of the diagnoses that cannot be excluded at `coverage`; empty when out of scope.
        coverage: share of cases whose true diagnosis lies in the set, by split conformal calibration.
        verdict: whether this is an answer.
        reasons: sentences that say why it is unsure or out of scope; empty for an answer.
        modalities: which inputs were there.
        checkpoint: name and version of the checkpoint.
        model_digest: SHA-256 of the graph that answered, hexadecimal.
    """

    likelihoods: tuple[Likelihood, ...]
    prediction_set: tuple[str, ...]
    coverage: float
    verdict: Verdict
    reasons: tuple[str, ...]
    modalities: tuple[Modality, ...]
    checkpoint: str
    model_digest: str

    @property
    def top(self) -> Likelihood:
        """The most probable diagnosis; only where there is one, that is when not out of scope."""
        return max(self.likelihoods, key=lambda likelihood: likelihood.probability)
