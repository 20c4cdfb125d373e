import pytest

from fhir_adapter.notes.documents import MAX_REPORTS, read_notes
from fhir_adapter.notes.reports import choose_reports
from fhir_adapter.record import Gap, GapReason
from tests.fhir_adapter.builders import Json, attachment, document, patient, soon
from tests.fhir_adapter.notes.samples import report


async def test_a_report_becomes_a_note_behind_the_notes() -> None:
    """A radiologist's conclusion is evidence, but never in the place of a clinical note, however new it is."""
    newest = report(effectiveDateTime="2026-11-24T11:00:00Z")

    notes, gaps = await read_notes([document()], [newest], patient(), None, soon())

    assert [(note.kind, note.title) for note in notes] == [
        ("note", "Admission note"),
        ("report", "Report: Chest X-ray"),
    ]
    assert (notes[1].text, gaps) == ("Right lower lobe consolidation.", ())


@pytest.mark.parametrize("status", ["registered", "partial", "preliminary", "cancelled", "entered-in-error", None, {}])
def test_a_report_that_nobody_stands_behind_is_left_out(status: object) -> None:
    """Only final reports, and those corrected since, are read."""
    assert choose_reports([report(status=status)], frozenset()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"performer": [{"reference": "Device/model"}]},
        {"conclusion": None},
        {"conclusion": " "},
        {"effectiveDateTime": None},
        {"conclusion": None, "presentedForm": [{"contentType": "image/png", "url": "Binary/1"}]},
        {"conclusion": None, "presentedForm": [{"contentType": "text/plain", "url": "Binary/seen"}]},
    ],
    ids=["ours", "no words", "blank", "no date", "picture", "text of a document"],
)
def test_a_report_without_words_of_its_own_is_left_out(changes: Json) -> None:
    """Our own answers, reports of values only, and texts that a document has already are no notes."""
    assert choose_reports([report(**changes)], frozenset({"Binary/seen"})) == []


@pytest.mark.parametrize(
    ("changes", "hour"),
    [
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-11-24T05:00:00Z"}}, 5),
        ({"effectiveDateTime": None, "issued": "2026-11-24T06:00:00Z"}, 6),
        ({"issued": "2026-11-24T06:00:00Z"}, 7),
    ],
)
def test_a_report_is_of_the_time_of_the_film(changes: Json, hour: int) -> None:
    """When the film was taken counts, then when the report was issued."""
    (found,) = choose_reports([report(**changes)], frozenset())

    assert found.written_at.hour == hour


async def test_a_printed_form_is_read_where_there_is_no_conclusion() -> None:
    """The whole report stands for its missing conclusion; what cannot be read is a gap that names a report."""
    printed = report(id="a", conclusion=None, presentedForm=[attachment("IMPRESSION: clear")])
    broken = report(id="b", conclusion=None, presentedForm=[attachment(data="%")])

    (note,), gaps = await read_notes([], [printed, broken], patient(), None, soon())

    assert note.text == "IMPRESSION: clear"
    assert gaps == (Gap("text", "diagnostic report", GapReason.UNREADABLE, "its base64 is broken"),)


async def test_only_the_newest_reports_are_read() -> None:
    """A long record does not become a long job."""
    many = [report(id=str(n), conclusion=f"Film {n}", effectiveDateTime=f"2026-11-{n + 1:02}") for n in range(9)]

    notes, _ = await read_notes([], many, patient(), None, soon())

    assert [note.written_at.day for note in notes] == list(range(9, 9 - MAX_REPORTS, -1))
