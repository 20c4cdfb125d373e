from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.sandbox.hospital import Sandbox
from cds_hooks.sandbox.patients import transaction
from cds_hooks.sandbox.resources import NotStored, ResourceStore


def make_patient(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p-1", "gender": "female"} | changes


def test_changed_resource_gets_a_new_version() -> None:
    """Versions count up, and the old ones stay readable."""
    store = ResourceStore()
    store.put(make_patient())
    store.put(make_patient(gender="male"))

    assert store.read("Patient", "p-1")["meta"]["versionId"] == "2"
    assert store.read("Patient", "p-1", "1")["gender"] == "female"


def test_unchanged_resource_keeps_its_version() -> None:
    """Loading the same Bundle twice changes nothing, as on HAPI."""
    store = ResourceStore()
    store.put(make_patient())
    store.put(make_patient(meta={"versionId": "7", "lastUpdated": "2020-01-01T00:00:00Z"}))

    assert store.read("Patient", "p-1")["meta"]["versionId"] == "1"


@pytest.mark.parametrize("version", ["0", "2", "-1", "x", "1.0"])
def test_unknown_version_is_not_there(version: str) -> None:
    """Only versions that exist can be read."""
    store = ResourceStore()
    store.put(make_patient())
    with pytest.raises(NotStored):
        store.read("Patient", "p-1", version)


@pytest.mark.parametrize("changes", [{"id": None}, {"id": ""}, {"resourceType": "Nosuch"}, {"resourceType": None}])
def test_what_cannot_be_served_is_refused(changes: dict[str, Any]) -> None:
    """A resource that could never be found again is not taken."""
    with pytest.raises(ValueError, match="takes resources with an id"):
        ResourceStore().put(make_patient(**changes))


def test_more_patients_can_be_added() -> None:
    """A test posts its own patients beside the samples."""
    sandbox = Sandbox("http://testserver/")
    sandbox.add_bundle(transaction([make_patient()]))

    assert sandbox.fhir_url == "http://testserver/fhir"
    assert sandbox.resources.read("Patient", "p-1")["gender"] == "female"
