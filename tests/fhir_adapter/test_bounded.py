import pytest

from fhir_adapter.bounded import enough_for, query_for, unseen
from fhir_adapter.measurements.quantities import QUANTITIES, QUANTITY_OF_KEY
from fhir_adapter.prefetch import Query
from tests.fhir_adapter.builders import Json, concept, observation

LABS = Query("Observation", {"patient": "child-1", "category": "laboratory", "date": "ge2026-11-21", "_count": "100"})


@pytest.mark.parametrize(
    "found",
    [
        observation("8867-4"),
        observation("85354-9", component=[{"code": concept("8867-4")}]),
        observation(concept("local", "8867-4")),
    ],
)
def test_quantity_is_seen_by_any_of_its_codes(found: Json) -> None:
    """A code counts wherever it stands: beside local codes, and in a component."""
    missing = unseen([found])

    assert set(QUANTITIES) - set(missing) >= {QUANTITY_OF_KEY["heart_rate"]}
    assert QUANTITY_OF_KEY["crp"] in missing


@pytest.mark.parametrize("junk", [{}, {"code": 5}, {"code": {"coding": "x"}, "component": {"code": 1}}])
def test_junk_shows_no_quantity(junk: Json) -> None:
    """A resource of any shape is looked through."""
    assert unseen([junk]) == QUANTITIES


def test_search_by_code_keeps_patient_and_date() -> None:
    """Only the category goes: a server may file a result under another one."""
    query = query_for([QUANTITY_OF_KEY["crp"]], LABS)

    assert dict(query.params) == {
        "patient": "child-1",
        "date": "ge2026-11-21",
        "_count": "100",
        "code": ",".join(QUANTITY_OF_KEY["crp"].loinc),
    }


def test_as_many_as_asked_for_are_enough() -> None:
    """The count of the template decides, not the size of a page."""
    enough = enough_for(LABS)

    assert [enough([{}] * count) for count in (0, 99, 100, 101)] == [False, False, True, True]
