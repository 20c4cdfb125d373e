"""What all resources of one explanation share: what they are made from, their ids, and the frame around each."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from explain import links
from explain.evidence import Explanation
from explain.fhir.citing import patient_of
from explain.fhir.codes import AIAST, TEST_DATA, Json
from inference.checkpoint import Card
from inference.prediction import Prediction, Verdict

_NAMESPACE: Final = UUID("1f8c0d6e-6c0f-5f0e-9a43-5d1c2f7b8e61")


@dataclass(frozen=True, slots=True)
class Told:
    """One explanation on its way into FHIR.

    Attributes:
        job: uuid of the job that made it; all ids of its resources follow from it.
        computed_at: when the model answered.
        card: of the checkpoint that answered.
    """

    job: UUID
    prediction: Prediction
    explanation: Explanation
    card: Card
    computed_at: datetime

    @property
    def assessed(self) -> bool:
        """Whether there is an answer to write about."""
        return self.prediction.verdict is not Verdict.OUT_OF_SCOPE

    @property
    def status(self) -> str:
        """Return the status of what the model asserts, in R4 ObservationStatus and DiagnosticReportStatus alike.

        `preliminary` is "interim, may be unverified": no human has verified it, and only one may call it final. Out of
        scope it is `cancelled`, "not started or not completed": `registered` would promise a result to come.
        """
        return "preliminary" if self.assessed else "cancelled"

    @property
    def subject(self) -> Json:
        """Reference to the patient.

        Raises:
            explain.fhir.citing.PatientUnknownError: no source names one.
        """
        return patient_of(self.explanation)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences that are shown, each on one line and without control characters, which FHIR does not carry."""
        return tuple(_one_line(sentence.text) for sentence in links.sentences(self.explanation))

    @property
    def at(self) -> str:
        """The moment of the answer as FHIR has it."""
        return self.computed_at.isoformat(timespec="seconds")

    def id_of(self, name: str) -> str:
        """Return the id of a resource of this job: the same at each call, so that sending it again changes nothing."""
        return str(uuid5(self.job, name))

    def model_id_of(self, name: str) -> str:
        """Return the id of a resource about the model: the same in all jobs of one checkpoint."""
        return str(uuid5(_NAMESPACE, f"{self.card.seal}/{name}"))

    def reference(self, resource_type: str) -> Json:
        """Return a Reference to the job's resource of a type, within the Bundle."""
        return within(self.id_of(resource_type))

    @property
    def device(self) -> Json:
        """Reference to the model, within the Bundle."""
        return within(self.model_id_of("Device"))

    @property
    def model_card(self) -> Json:
        """Reference to its model card, within the Bundle."""
        return within(self.model_id_of("DocumentReference"))

    def asserted(self, resource_type: str, name: str, sentences: Sequence[str]) -> Json:
        """Return the frame of a resource that the model asserts: id, label, narrative, subject."""
        labels = [AIAST, TEST_DATA] if self.explanation.test_data else [AIAST]
        return {
            "resourceType": resource_type,
            "id": self.id_of(name),
            "meta": {"security": labels},
            "text": narrative(sentences),
            "subject": self.subject,
        }


def _one_line(text: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def within(resource_id: str) -> Json:
    """Return a Reference to an entry of the same Bundle; a server puts the real address in its place."""
    return {"reference": f"urn:uuid:{resource_id}"}


def narrative(sentences: Sequence[str]) -> Json:
    """Return a Narrative of paragraphs; what a note quotes is escaped."""
    body = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{body}</div>'}
