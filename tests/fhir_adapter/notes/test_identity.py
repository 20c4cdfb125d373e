import pytest

from fhir_adapter.notes.cda import Person
from fhir_adapter.notes.identity import contradicts
from tests.fhir_adapter.builders import Json, patient

NUMBER: Json = {"identifier": [{"system": "urn:oid:1.2.3", "value": "77"}]}


@pytest.mark.parametrize(
    ("person", "changes", "other"),
    [
        (Person("", ()), {}, False),
        (Person("20240305", ()), {}, False),
        (Person("202403051200-0500", ()), {}, False),
        (Person("2024", ()), {}, False),
        (Person("20240305", ()), {"birthDate": "2024"}, False),
        (Person("20240306", ()), {}, True),
        (Person("2023", ()), {}, True),
        (Person("20240306", ()), {"birthDate": None}, False),
        (Person("20240305", (("1.2.3", "77"),)), NUMBER, False),
        (Person("20240305", (("1.2.3", "78"), ("1.2.3", "77"))), NUMBER, False),
        (Person("20240305", (("1.2.3", "78"),)), NUMBER, True),
        (Person("20240305", (("9.9", "78"),)), NUMBER, False),
        (Person("20240305", (("", ""),)), {"identifier": [{"value": ""}, 5]}, False),
    ],
)
def test_documents_about_somebody_else_are_told(person: Person, changes: Json, other: bool) -> None:  # noqa: FBT001
    """Another birth date, or only other numbers of the same register, is another person; what is not known is not."""
    assert contradicts(person, patient(**changes)) is other
