from __future__ import annotations

import pytest

from inference.training.data.reports import request_of
from tests.inference.training.data.layouts import REPORT


def test_request_is_read_and_nothing_that_was_seen() -> None:
    """The words before the film was read are the note; what de-identification took out leaves no mark."""
    assert request_of(REPORT) == "year old woman with fever and productive cough // ?pneumonia"


@pytest.mark.parametrize(
    ("report", "request_text"),
    [
        ("REASON FOR EXAMINATION: Fever.\n\n Lungs are clear.", "Fever."),
        ("CLINICAL HISTORY: Cough. FINDINGS: Consolidation.", "Cough."),
        ("INDICATION: Fever.\n WET READ: Pneumonia.", "Fever."),
        ("HISTORY: Cough.\n INDICATION: Fever.", "Cough. Fever."),
        ("REASON FOR THIS EXAM: ___\n\nIMPRESSION: Pneumonia.", None),
        ("INDICATION:\n\n The lungs show a consolidation.", None),
        ("FINDINGS: There is a HISTORY of pneumonia.", None),
        ("", None),
    ],
)
def test_section_ends_where_the_radiologist_may_begin(report: str, request_text: str | None) -> None:
    """A blank line or any other heading ends the request: a lost sentence is better than a leaked finding."""
    assert request_of(report) == request_text
