from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.sandbox.fhir.matching import find
from cds_hooks.sandbox.fhir.query import parse
from cds_hooks.sandbox.resources import ResourceStore

BASE = "http://ehr.example.org/fhir"


def make_result(name: str, subject: str = "Patient/a", **elements: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": name, "subject": {"reference": subject}, **elements}


def found(store: ResourceStore, *pairs: tuple[str, str], kind: str = "Observation") -> list[str]:
    return [each["id"] for each in find(store, parse(kind, pairs, BASE))]


def make_store(*resources: dict[str, Any]) -> ResourceStore:
    store = ResourceStore()
    for resource in resources:
        store.put(resource)
    return store


@pytest.mark.parametrize(
    ("subject", "asked", "is_found"),
    [
        ("https://other.example.org/fhir/Patient/a", "a", False),
        ("https://other.example.org/fhir/Patient/a", "https://other.example.org/fhir/Patient/a", True),
        ("Patient/a", "https://other.example.org/fhir/Patient/a", False),
        ("Patient/a", f"{BASE}/Patient/a", True),
        ("Patient/a/_history/3", "a", True),
        ("Group/a", "a", False),
        ("Group/a", "Group/a", False),
        ("Patient/b", "a", False),
    ],
)
def test_patient_of_another_server_is_another(subject: str, asked: str, *, is_found: bool) -> None:
    """The same id elsewhere, or of another type, is somebody else."""
    assert bool(found(make_store(make_result("o-1", subject)), ("patient", asked))) is is_found


def test_subject_may_be_of_any_type() -> None:
    """A bare id finds a Patient as it finds a Group."""
    store = make_store(make_result("o-1", "Group/a"), make_result("o-2", "Patient/a"))
    assert found(store, ("subject", "a")) == ["o-1", "o-2"]


def test_change_is_found_at_once() -> None:
    """What was worked out for a search is forgotten when anything changes."""
    store = make_store(make_result("o-1", status="preliminary"), make_result("o-2", status="final"))
    final = (("patient", "a"), ("status", "final"))
    before = found(store, *final)
    store.put(make_result("o-1", status="final"))

    assert (before, found(store, *final)) == (["o-2"], ["o-1", "o-2"])


def test_result_that_changes_its_patient_moves() -> None:
    """A corrected subject: the result is no longer found with the patient it was wrongly filed under."""
    store = make_store(make_result("o-1"))
    found(store, ("patient", "a"))
    store.put(make_result("o-1", "Patient/b"))

    assert (found(store, ("patient", "a")), found(store, ("patient", "b"))) == ([], ["o-1"])


def test_deleted_is_not_found() -> None:
    """A deleted resource is in no search, by patient or without."""
    store = make_store(make_result("o-1"))
    store.delete("Observation", "o-1")

    assert found(store, ("patient", "a")) == found(store) == []


@pytest.mark.parametrize(
    "element",
    [
        {"code": None},
        {"code": "text"},
        {"effectiveDateTime": "soon"},
        {"effectivePeriod": {}},
        {"subject": "Patient/a"},
    ],
)
def test_odd_resource_breaks_no_search(element: dict[str, Any]) -> None:
    """What cannot be read is not matched, and nothing else suffers."""
    store = make_store(make_result("o-1") | element, make_result("o-2", effectiveDateTime="2026-01-01"))
    code, date = ("code", "1988-5"), ("date", "2026-01-01")

    assert (found(store, code), found(store, date)) == ([], ["o-2"])


def test_values_of_one_parameter_may_be_any() -> None:
    """A component's code is found by `combo-code`, and not by `code`."""
    store = make_store(make_result("o-1", component=[{"code": {"coding": [{"code": "8480-6"}]}}]))

    assert (found(store, ("combo-code", "8480-6")), found(store, ("code", "8480-6"))) == (["o-1"], [])
