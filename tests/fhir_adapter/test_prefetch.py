from datetime import date

import pytest

from fhir_adapter.errors import FhirMalformed, ForeignPatient
from fhir_adapter.prefetch import TEMPLATES, State, read_prefetch, resolve
from tests.fhir_adapter.builders import PATIENT_ID, SERVER, Json, bundle, observation, outcome, patient, study


@pytest.mark.parametrize(
    ("prefetch", "state"),
    [
        ({"labs": bundle(observation())}, State.GIVEN),
        ({"labs": bundle()}, State.GIVEN),
        ({"labs": None}, State.NONE),
        ({"labs": outcome("exception")}, State.FAILED),
        ({"labs": outcome("forbidden")}, State.REFUSED),
        ({}, State.ABSENT),
        (None, State.ABSENT),
        ({"unknown-key": 5}, State.ABSENT),
    ],
)
def test_four_states_differ(prefetch: Json | None, state: State) -> None:
    """Given, none, failed (or refused) and absent are four things; only the last may be fetched."""
    assert read_prefetch(prefetch, PATIENT_ID)["labs"].state is state


def test_given_resources_are_handed_on() -> None:
    """What the client prefetched is used as it came."""
    parts = read_prefetch({"patient": patient(), "labs": bundle(observation())}, PATIENT_ID)

    assert parts["patient"].page.matches == (patient(),)
    assert parts["labs"].page.matches == (observation(),)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("patient", patient(id="other")),
        ("patient", {"resourceType": "Patient"}),
        ("labs", bundle(observation(), observation(subject={"reference": "Patient/other"}))),
        ("labs", bundle(observation(subject={}))),
        ("imaging", bundle(study(subject={"reference": "Patient/other"}))),
        ("vitals", bundle(observation(subject={"reference": "Patient/other"}), mode="include")),
        ("vitals", bundle(patient(id="other"))),
    ],
)
def test_resource_of_another_patient_stops_everything(key: str, value: Json) -> None:
    """One resource of somebody else is a mix-up: nothing is used, and the message names only the key."""
    with pytest.raises(ForeignPatient, match=f"^{key}: ") as caught:
        read_prefetch({"patient": patient(), key: value}, PATIENT_ID, SERVER)

    assert "other" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("patient", observation()),
        ("patient", "Patient/1"),
        ("patient", [patient()]),
        ("labs", observation()),
        ("labs", [observation()]),
        ("labs", "nothing"),
        ("labs", 0),
        ("labs", False),
        ("labs", {}),
        ("labs", {"resourceType": "Bundle", "entry": ["x"]}),
        ("labs", {"resourceType": "Bundle", "entry": [{"resource": "x"}]}),
    ],
)
def test_value_of_the_wrong_type_is_named_by_its_key(key: str, value: object) -> None:
    """A value that is not what the template asks for is refused, and the message says which."""
    with pytest.raises(FhirMalformed, match=f"^prefetch.{key}: "):
        read_prefetch({key: value}, PATIENT_ID)


def test_prefetch_that_is_no_object_is_refused() -> None:
    """The field itself must be an object."""
    with pytest.raises(FhirMalformed, match=r"^prefetch: "):
        read_prefetch([], PATIENT_ID)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", TEMPLATES)
def test_templates_stay_within_what_every_client_understands(key: str) -> None:
    """Templates use only tokens and search features of the specification's subset, with one date bound."""
    template = TEMPLATES[key]

    assert "{{context.patientId}}" in template
    assert template.count("today()") <= 1
    assert not {"_include", "_revinclude", ":", "%"} & set(template.replace("?", "&").replace("=", "&").split("&"))


def test_template_is_filled_in_for_our_own_search() -> None:
    """What we fetch ourselves is the same question as the template."""
    query = resolve("labs", PATIENT_ID, date(2026, 3, 1))

    assert query.resource_type == "Observation"
    assert query.params == {
        "patient": PATIENT_ID,
        "category": "laboratory",
        "date": "ge2026-02-26",
        "_sort": "-date",
        "_count": "100",
    }


@pytest.mark.parametrize(
    ("key", "parameter", "since"),
    [("notes", "date", "ge2026-01-30"), ("imaging", "started", "ge2024-03-01"), ("vitals", "date", "ge2026-02-26")],
)
def test_search_parameters_are_those_of_r4(key: str, parameter: str, since: str) -> None:
    """ImagingStudy is searched by `started`: R4 has no `date` there, and servers answer 400."""
    query = resolve(key, PATIENT_ID, date(2026, 3, 1))

    assert query.params[parameter] == since
    assert query.params["_sort"] == f"-{parameter}"
