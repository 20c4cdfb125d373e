from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.prefetch import TEMPLATES
from fhir_adapter.subscriptions.interests import INTERESTS, Interest, interests_of
from tests.fhir_adapter.builders import concept, observation

LABS = Interest("labs", "Observation", (("category", "laboratory"),))
WITH_SYSTEM = Interest("labs", "Observation", (("category", "http://terminology.example|laboratory,exam"),))


def test_every_search_of_a_chart_is_watched() -> None:
    """What a hook would search for is what news are looked for in: anything less leaves finished cards unfound."""
    assert {interest.name for interest in INTERESTS} == {key for key in TEMPLATES if "?" in TEMPLATES[key]}


def test_interest_keeps_neither_patient_nor_date() -> None:
    """Only what holds for every patient on every day is left of a template."""
    template = "Observation?patient={{context.patientId}}&category=laboratory&date=ge{{today() - 3 days}}&_sort=-date"

    assert interests_of({"labs": template, "patient": "Patient/{{context.patientId}}"}) == (LABS,)


@pytest.mark.parametrize(
    ("interest", "criteria"),
    [
        (Interest("notes", "DocumentReference"), "DocumentReference?"),
        (LABS, "Observation?category=laboratory"),
        (Interest("x", "Observation", (("category", "a,b"), ("code", "1-8"))), "Observation?category=a,b&code=1-8"),
    ],
)
def test_criteria_are_a_search(interest: Interest, criteria: str) -> None:
    """Criteria have the form of a search; without a filter the question mark stays, which HAPI demands."""
    assert interest.criteria == criteria


@pytest.mark.parametrize(
    ("resource", "covered"),
    [
        ({}, False),
        ({"resourceType": "Patient"}, False),
        (observation(category="laboratory"), True),
        (observation(category=[{"text": "Lab"}]), True),
        (observation(category=[concept("vital-signs")]), False),
        (observation(category=concept("laboratory")), True),
        (observation(category=[concept("vital-signs"), concept("x", "laboratory")]), True),
    ],
)
def test_resource_is_told_by_its_type_and_category(resource: dict[str, Any], covered: bool) -> None:  # noqa: FBT001
    """Another type or category is of no interest; one that cannot be told may be."""
    assert (LABS.covers(resource), WITH_SYSTEM.covers(resource)) == (covered, covered)
