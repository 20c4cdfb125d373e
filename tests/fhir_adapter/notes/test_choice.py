import pytest

from fhir_adapter.notes.choice import choose_documents, clinical_date
from tests.fhir_adapter.builders import Json, attachment, document
from tests.fhir_adapter.notes.samples import coded

PICTURE: Json = {"contentType": "image/png", "url": "Binary/p"}
CLINICAL: Json = {"category": [coded("clinical-note", "http://hl7.org/fhir/us/core/CodeSystem/x")]}


def relates(code: object, **target: object) -> Json:
    return {"relatesTo": [{"code": code, "target": target}]}


def chosen(*documents: Json) -> list[str]:
    return [candidate.resource["id"] for candidate in choose_documents(documents)[0]]


@pytest.mark.parametrize(
    "relation",
    [
        relates("replaces", reference="DocumentReference/old"),
        relates("replaces", reference="https://ehr.example.org/fhir/DocumentReference/old/_history/1"),
        relates(coded("replaces"), reference="DocumentReference/old"),
        relates("replaces", identifier={"system": "urn:x", "value": "7"}),
    ],
)
def test_a_replaced_note_is_left_out(relation: Json) -> None:
    """The note that a current one replaces is not read, however the relation is written (R4 code, R5 concept)."""
    old = document(id="old", identifier=[{"system": "urn:x", "value": "7"}])

    assert chosen(old, document(id="new", **relation)) == ["new"]


@pytest.mark.parametrize(
    "relation",
    [
        relates("transforms", reference="DocumentReference/old"),
        relates("replaces", reference="DocumentReference/other"),
        relates("replaces"),
        {"relatesTo": 5},
        {**relates("replaces", reference="DocumentReference/old"), "status": "entered-in-error"},
    ],
)
def test_a_note_that_nothing_at_hand_replaces_stays(relation: Json) -> None:
    """Other relations, other targets, and a successor that was withdrawn take no note away."""
    assert "old" in chosen(document(id="old"), document(id="new", **relation))


def test_a_note_that_replaces_itself_stays() -> None:
    """Broken data does not take away the only note."""
    assert chosen(document(id="a", **relates("replaces", reference="DocumentReference/a"))) == ["a"]


def test_notes_that_replace_each_other_stay() -> None:
    """Nor does a ring of references take all notes away."""
    ring = [
        document(id=own, **relates("replaces", reference=f"DocumentReference/{other}")) for own, other in ("ab", "ba")
    ]

    assert sorted(chosen(*ring)) == ["a", "b"]


def test_an_addendum_stands_behind_the_notes() -> None:
    """What was added to a note is newer, and says less than the note itself."""
    added = document(id="new", date="2026-11-25", **relates("appends", reference="DocumentReference/old"))

    found, _, _ = choose_documents([added, document(id="old")])

    assert [(one.resource["id"], one.kind) for one in found] == [("old", "note"), ("new", "addendum")]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": coded("59284-0")},
        {"category": [coded("64290-0")]},
        {"content": [{"attachment": PICTURE}]},
        {"docStatus": "cancelled"},
        {
            "meta": {
                "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "AIAST"}]
            }
        },
    ],
    ids=["consent", "insurance card", "picture", "cancelled", "algorithm"],
)
def test_what_is_no_note_is_left_out_without_a_gap(changes: Json) -> None:
    """Consents, cards, pictures and what an algorithm wrote are nothing that a clinician would miss here."""
    assert choose_documents([document(**changes)]) == ([], [], [])


def test_a_clinical_note_that_is_only_a_picture_is_told() -> None:
    """A scanned note is missed, other than the picture of a card."""
    scan = document(PICTURE, **CLINICAL)

    assert choose_documents([scan]) == ([], [], [scan])


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({"date": "2026-11-24"}, 24),
        ({"date": "2026-11-24", "context": {"period": {"start": "2026-11-01", "end": "2026-11-02"}}}, 2),
        ({"date": "2026-11-24", "period": {"end": "2026-11-03"}, "context": [{"reference": "Encounter/1"}]}, 3),
        ({"date": "2026-11-24", "context": {"period": {"start": "2026-11-01", "end": "2026-11-30"}}}, 24),
        ({"date": "2026-11-24", "context": {"period": {"start": "2026-11-01"}}}, 24),
        ({"date": None, "period": {"start": "2026-11-05"}}, 5),
    ],
)
def test_a_note_is_of_the_service_it_documents(changes: Json, day: int) -> None:
    """What was filed after the service is of the service; a note from within it is of its own date (R4 and R5)."""
    moment = clinical_date(document(**changes))

    assert moment is not None
    assert moment.day == day


def test_forms_of_one_note_are_sorted() -> None:
    """The form that has lost least is tried first, one without a type last."""
    forms = [attachment("a", ""), attachment("b", "application/pdf"), attachment("c", "text/plain"), PICTURE, {}]

    (found,), _, _ = choose_documents([document(*forms)])

    assert [one["contentType"] for one in found.attachments] == ["text/plain", "application/pdf", ""]
