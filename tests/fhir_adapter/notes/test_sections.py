import pytest

from fhir_adapter.notes.headings import kind_of_heading, kind_of_loinc
from fhir_adapter.notes.sections import find_sections


def found(text: str) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end].strip()) for one in find_sections(text)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("CC: cough. HPI: 3 days of fever. PMH: nil. O/E: crackles. Plan: home",
         ["complaint", "illness", "past", "examination", "plan"]),
        ("Chief complaint\nCough\n\nHISTORY OF PRESENT ILLNESS:\nFever", ["complaint", "illness"]),
        ("**Past medical history**: nil\n## Examination\nT 38\nASSESSMENT AND PLAN\n1. admit",
         ["past", "examination", "assessment"]),
        ("Plan\n====\nhome\n1. Medications:\nnone\nSocial history - two brothers", ["plan", "medication", "social"]),
        ("S: cough\nO: fever\nA: LRTI\nP: amoxicillin", ["illness", "examination", "assessment", "plan"]),
        ("2-year-old boy.\nExam: well", ["opening", "examination"]),
        ("Exam: well\nVACCINE STATUS: complete", ["examination", "other"]),
        ("Chest X-ray: clear\n  - Impression: well", ["results", "assessment"]),
    ],
)  # fmt: skip
def test_sections_are_found_by_their_headings(text: str, kinds: list[str]) -> None:
    """Headings stand in a line of their own or before a colon, in any of the ways in which they are marked."""
    assert [kind for kind, _ in found(text)] == kinds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Child with cough.\nNo wheeze. Chest clear. Plan discussed.",
        "P 120 RR 32\nO 97%\nA well child",
        "there is a family\nhistory\nof asthma",
        "RADIATION OF PAIN: none",
        "Ratio 1:2. Note: seen at 14:30",
    ],
)
def test_text_without_headings_has_no_sections(text: str) -> None:
    """Words of a sentence are no heading, and a heading that nobody knows makes no section by itself."""
    assert find_sections(text) == ()


@pytest.mark.parametrize("text", ["\n\n CC: cough\n\nPlan: home\n\n", "Boy.\nHPI: fever. Exam: well."])
def test_sections_cover_the_text(text: str) -> None:
    """One section begins where the one before it ends: nothing is lost between them."""
    sections = find_sections(text)

    assert "".join(text[one.start : one.end] for one in sections) == text


@pytest.mark.parametrize(
    ("words", "kind"),
    [(" *Chief  Complaint*: ", "complaint"), ("A&P", "assessment"), ("PMHx", "past"), ("weather", None), ("", None)],
)
def test_headings_are_known_in_any_case(words: str, kind: str | None) -> None:
    """Case, marks and blanks around a heading do not count."""
    assert kind_of_heading(words) == kind


def test_section_codes_of_c_cda_are_known() -> None:
    """10164-2 is the history of present illness; 48768-6, payers, is of no use here."""
    assert (kind_of_loinc("10164-2"), kind_of_loinc("48768-6")) == ("illness", None)
