import pytest

from fhir_adapter.images.codes import codes_in, words_in

CODING = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "DX", "display": "Digital"}


@pytest.mark.parametrize(
    "value",
    [
        CODING,
        [CODING],
        {"coding": [CODING]},
        [{"coding": [CODING]}],
        {"concept": {"coding": [CODING]}},
        [{"concept": {"coding": [CODING]}, "reference": {"reference": "BodyStructure/1"}}],
    ],
    ids=["Coding", "Codings", "CodeableConcept", "CodeableConcepts", "CodeableReference", "CodeableReferences"],
)
def test_every_shape_of_a_code_is_read(value: object) -> None:
    """R4 has a Coding where R5 has a CodeableConcept, a CodeableReference or a list of them."""
    assert (codes_in(value), words_in(value)) == (("DX",), "Digital")


@pytest.mark.parametrize("value", [None, 5, "DX", [], {}, [5], {"coding": 5}, {"coding": ["DX"]}, {"concept": 5}])
def test_anything_else_has_no_code(value: object) -> None:
    """What is no code reads as none."""
    assert (codes_in(value), words_in(value)) == ((), "")


def test_text_of_a_concept_is_read() -> None:
    """A concept may be text alone, also within a CodeableReference."""
    assert words_in([{"text": "Chest"}, {"concept": {"text": "Thorax"}}]) == "Chest Thorax"
