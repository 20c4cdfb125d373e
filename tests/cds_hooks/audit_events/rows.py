"""One row of the audit trail for each way it is written."""

from __future__ import annotations

from uuid import UUID

from cds_hooks.audit_events.event import Recorder
from cds_hooks.store.audit import Entry, PageState, Row, What
from tests.cds_hooks.samples import ASKED_AT

RECORDER = Recorder("https://cds.example.org")
ACTOR, PATIENT, JOB, REQUEST = "a1" * 32, "b2" * 32, "c3" * 16, "req-7"
CARD = UUID("4e0a3a1e-3283-4575-ab82-028d55fe2719")
WRITTEN = {
    What.HOOK_ANSWERED: Entry(What.HOOK_ANSWERED, ACTOR, PATIENT, JOB, REQUEST),
    What.HOOK_REFUSED: Entry(What.HOOK_REFUSED, ACTOR, PATIENT, None, REQUEST),
    What.PAGE_OPENED: Entry(What.PAGE_OPENED, None, PATIENT, JOB, REQUEST, CARD, PageState.CHECKED),
    What.PAGE_FILLED: Entry(What.PAGE_FILLED, None, PATIENT, JOB, REQUEST, CARD, PageState.FAILED),
    What.FEEDBACK_GIVEN: Entry(What.FEEDBACK_GIVEN, request_id=REQUEST),
    What.JOB_RUN: Entry(What.JOB_RUN, job_id=JOB),
    What.CHECK_RUN: Entry(What.CHECK_RUN, job_id=JOB),
    What.FHIR_EXPORTED: Entry(What.FHIR_EXPORTED, None, PATIENT, JOB, REQUEST, CARD),
    What.REPORT_EXPORTED: Entry(What.REPORT_EXPORTED, None, PATIENT, JOB, REQUEST, CARD),
    What.CAPTURE_EXPORTED: Entry(What.CAPTURE_EXPORTED, None, PATIENT, JOB, REQUEST, CARD),
}
"""As the service fills each in; a new member of `What` needs one here."""


def row_of(action: What) -> Row:
    """Return the row of an action."""
    return Row(7, ASKED_AT, WRITTEN[action])
