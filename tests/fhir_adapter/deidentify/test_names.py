import pytest

from fhir_adapter.deidentify.scrub import Scrubber

ANYBODY = Scrubber.of({})


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("Seen by Dr. John Smith at 14:30", "Seen by Dr. [name] at 14:30"),
        ("Dr J. van der Berg-Meyer's plan", "Dr [name]'s plan"),
        ("Mrs O'Brien and Nurse Jackie", "Mrs [name] and Nurse [name]"),
        ("DR. SMITH", "DR. [name]"),
        ("Electronically signed by: Jane A. Miller, MD, FAAP", "Electronically signed by: [name]"),
        ("Dictated by Jane Miller\nCough", "Dictated by [name]\nCough"),
        ("Attending: Robert Jones; PCP: Ann Lee", "Attending: [name]; PCP: [name]"),
        ("Mother's name: Anna Maria Nowak", "Mother's name: [name]"),
        ("Jane Miller, RN", "[name]"),
        ("her name is Sarah", "her name is [name]"),
    ],
)
def test_names_beside_a_title_label_or_degree_are_replaced(written: str, clean: str) -> None:
    """Of people other than the patient, those are found whose name stands beside a word that announces one."""
    assert ANYBODY.scrub(written) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Down syndrome, Kernig and Brudzinski signs negative, Glasgow 15, Ringer lactate",
        "MR angiography, MS stable, DR chest, Dr to review, Doctor informed, Nurse to call, Miss doses",
        "Consultant to review. Attending: none. Plan: Discharge Home, RN to call. signed by parent",
        "Mother well. Asthma in brother. PA film, AP view. RLL. NP swab",
    ],
)
def test_words_that_are_no_names_stay(text: str) -> None:
    """Eponyms, abbreviations that look like titles, and duties without a person are clinical words."""
    assert ANYBODY.scrub(text) == text
