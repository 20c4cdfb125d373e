import pytest

from fhir_adapter.deidentify.known import known_rules
from fhir_adapter.deidentify.scrub import Scrubber
from tests.fhir_adapter.builders import Json
from tests.fhir_adapter.deidentify.samples import EMMA


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("emma coughs, EMMA's mother says", "[name] coughs, [name]'s mother says"),
        ("Kowalska, E.: well. Ottilie is here", "[name]: well. [name] is here"),
        ("Baby White, Miss Rash; Emma White; WHITE, EMMA", "Baby [name], Miss [name]; [name]; [name]"),
        ("E. White", "[name]"),
        ("Emma Li Kowalska", "[name]"),
        ("born Zygmunt", "born [name]"),
        ("number a-778812", "number [id]"),
        ("call 15555552003 or 030/1234567", "call [phone] or [phone]"),
        ("mum@HOME.org", "[email]"),
        ("49  MEADOW ST,\nmounds", "[address]"),
        ("from Creek, 74047", "from [address]"),
        ("05032024 and 03052024", "[date] and [date]"),
    ],
)
def test_what_the_record_knows_is_replaced(written: str, clean: str) -> None:
    """Names in any case, contacts, numbers in any grouping, address, identifier and birth date of this patient."""
    assert Scrubber.of(EMMA).scrub(written) == clean


@pytest.mark.parametrize(
    "text",
    [
        "White cell count 12.4, WHITE CELL COUNT, a rash, Rash on the trunk, white sputum",
        "Li level, LI 0.4, Kowalska syndrome, Emma's sign",
        "Emmanuel, Kowalskaya, dilemma",
        "12 days, flat affect",
    ],
)
def test_ordinary_words_and_eponyms_stay(text: str) -> None:
    """A name that is also a word, shorter than three letters, part of a word, or an eponym, is not replaced alone."""
    assert Scrubber.of(EMMA).scrub(text) == text


@pytest.mark.parametrize(
    "patient",
    [
        {},
        {"name": "Emma", "address": 5, "telecom": {}, "identifier": [5], "contact": [None], "birthDate": 2024},
        {"name": [{"given": "Emma", "family": ["x"]}], "address": [{"line": "a"}], "contact": [{"name": []}]},
        {"name": [{"text": "(.*)+ [a-"}], "identifier": [{"value": "((((("}]},
    ],
)
def test_patients_of_any_shape_are_taken(patient: Json) -> None:
    """Whatever a Patient resource holds, a text without identifiers stays as it is."""
    assert Scrubber.of(patient).scrub("Cough (x)+ a") == "Cough (x)+ a"


def test_a_patient_without_identifiers_needs_no_rule() -> None:
    """Nothing known, nothing looked for."""
    assert known_rules({}) == ()
