"""What was done -> how FHIR and DICOM audit messages call it: one row for each `store.audit.What`.

Type and action follow the audit messages of DICOM PS3.15 A.5.3 (Query, Patient Record, Data Export), which R4
AuditEvent.type builds on. The subtype is our own word: R4 offers interactions of FHIR REST there, and these are none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cds_hooks.store.audit import What

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
LOCAL: Final = "urn:x-mllm-cds:audit"
"""Code system of AuditEvent.subtype, a URN because nobody but us resolves it; its codes are those of `What`."""

QUERY: Final = ("110112", "Query")
PATIENT_RECORD: Final = ("110110", "Patient Record")
EXPORT: Final = ("110106", "Export")

SUCCESS: Final = "0"
SERIOUS_FAILURE: Final = "8"
"""R4 AuditEventOutcome: the action was terminated."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of row is written.

    Attributes:
        type: DICOM code and display of AuditEvent.type.
        action: R4 AuditEventAction: C, R, U, D or E.
        sentence: what happened, for AuditEvent.outcomeDesc.
        by_link: whether the one who did it is known by the link of a card and by nothing else.
        treatment: whether the purpose is known to be treatment: a hook is fired by a clinician who opens a chart.
        outcome: R4 AuditEventOutcome.
    """

    type: tuple[str, str]
    action: str
    sentence: str
    by_link: bool = False
    treatment: bool = False
    outcome: str = SUCCESS


KINDS: Final = {
    What.HOOK_ANSWERED: Kind(QUERY, "E", "A card answered a hook call.", treatment=True),
    What.HOOK_REFUSED: Kind(QUERY, "E", "A hook call was refused.", treatment=True, outcome=SERIOUS_FAILURE),
    What.PAGE_OPENED: Kind(PATIENT_RECORD, "R", "The page behind a card was opened.", by_link=True),
    What.PAGE_FILLED: Kind(PATIENT_RECORD, "R", "An open page fetched what it waited for.", by_link=True),
    What.FEEDBACK_GIVEN: Kind(PATIENT_RECORD, "C", "Feedback on a card was given."),
    What.JOB_RUN: Kind(PATIENT_RECORD, "C", "The model judged a chart."),
    What.CHECK_RUN: Kind(PATIENT_RECORD, "U", "The evidence of an answer was tested."),
    What.FHIR_EXPORTED: Kind(EXPORT, "R", "An explanation left as FHIR resources.", by_link=True),
    What.REPORT_EXPORTED: Kind(EXPORT, "R", "An explanation left as a printed page.", by_link=True),
    What.CAPTURE_EXPORTED: Kind(EXPORT, "R", "A heat map left as a DICOM file.", by_link=True),
}
