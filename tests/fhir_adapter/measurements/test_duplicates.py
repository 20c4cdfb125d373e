"""One result, however often and by whomever it was reported."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from fhir_adapter.measurements.observations import read_measurements
from tests.fhir_adapter.builders import ASKED_AT, Json, observation, quantity

FIRST, LAST = "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z"


def result(value: float, **changes: Any) -> Json:
    specimen = changes.pop("specimen", "")
    given = {"specimen": {"reference": specimen}} if specimen else {}
    return observation(**{"id": f"crp-{value}", "valueQuantity": quantity(value), **given, **changes})


def values(*observations: Json) -> set[tuple[float, ...]]:
    """The values that are read, in every order of the server."""
    return {
        tuple(sorted(found.value for found in read_measurements(order, ASKED_AT)[0]))
        for order in permutations(observations)
    }


@pytest.mark.parametrize(
    ("pair", "kept"),
    [
        ((result(5, id="a"), result(5, id="b")), (5,)),
        ((result(48, id="a"), result(4.8, id="b", valueQuantity=quantity(4.8, "mg/dL"))), (48,)),
        ((result(5, id="a", specimen="Specimen/1"), result(5, id="b", specimen="Specimen/2")), (5,)),
        ((result(5, status="final"), result(50, status="corrected")), (50,)),
        ((result(5, status="amended"), result(50, status="final")), (5,)),
        ((result(5, status="corrected", specimen="Specimen/1"), result(50, specimen="Specimen/2")), (5, 50)),
        ((result(5, status="corrected", specimen="Specimen/1"), result(50)), (5,)),
        ((result(5, specimen="Specimen/1", issued=FIRST), result(50, specimen="Specimen/1", issued=LAST)), (50,)),
        ((result(5, specimen="Specimen/1"), result(50, specimen="Specimen/1", issued=LAST)), (50,)),
        ((result(5, specimen="Specimen/1", issued=FIRST), result(50, specimen="Specimen/2", issued=LAST)), (5, 50)),
        ((result(5, issued=FIRST), result(50, issued=LAST)), (5, 50)),
        ((result(5), result(50)), (5, 50)),
        ((result(5, specimen="Specimen/1"), result(50, specimen="Specimen/1")), (5, 50)),
        ((result(5, id="a"), result(5, id="b", effectiveDateTime="2026-11-24T08:00:01Z")), (5, 5)),
        ((result(5, id="a"), result(5, id="b", effectiveDateTime="2026-11-24T10:00:00+02:00")), (5,)),
    ],
)
def test_same_result_counts_once(pair: tuple[Json, Json], kept: tuple[float, ...]) -> None:
    """A corrected result, the last one of a specimen, and the same value of a moment stand for the others."""
    assert values(*pair) == {kept}


def test_corrected_of_three_stands_alone() -> None:
    """However many reports of the moment there are, one that corrects replaces them."""
    assert values(result(5), result(6), result(50, status="corrected", issued=LAST)) == {(50,)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_preferred_code_stays(order: tuple[int, int]) -> None:
    """A saturation under both codes is cited by the one that says how it was measured."""
    pair = [observation(code, id=code, valueQuantity=quantity(95, "%")) for code in ("2708-6", "59408-5")]

    [found] = read_measurements([pair[place] for place in order], ASKED_AT)[0]

    assert (found.loinc, found.source.reference) == ("59408-5", "Observation/59408-5")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"versionId": "1"}, {"versionId": "2"}),
        ({"versionId": "9"}, {"versionId": "10"}),
        ({"versionId": "9", "lastUpdated": FIRST}, {"versionId": "1", "lastUpdated": LAST}),
        ({}, {"versionId": "2"}),
        ({"versionId": "b"}, {"versionId": "1"}),
        ({"versionId": "²"}, {"versionId": "1"}),
    ],
)
def test_newer_version_of_a_resource_replaces_the_older(old: Json, new: Json) -> None:
    """The same id twice is one resource before and after a change."""
    assert values(result(5, id="x", meta=old), result(50, id="x", meta=new)) == {(50,)}


def test_result_that_was_withdrawn_later_is_gone() -> None:
    """An older version does not survive the newer one that says it was entered in error."""
    assert values(result(5, id="x"), result(5, id="x", meta={"versionId": "2"}, status="entered-in-error")) == {()}


def test_resources_without_an_id_are_not_the_same() -> None:
    """Nothing says that two nameless results are one."""
    assert values(result(5, id=None), result(50, id=None)) == {(5, 50)}


def test_member_that_also_came_by_itself_counts_once() -> None:
    """A panel that contains its member, beside the member as a resource of its own, is one result."""
    alone = result(5, id="crp")
    panel = observation(
        "24323-8", id="p", contained=[result(5, id="m")], hasMember=[{"reference": "#m"}], valueQuantity=None
    )

    assert values(alone, panel) == {(5,)}


def test_many_results_of_one_moment_are_all_told_apart() -> None:
    """Many different values of one moment stay, and each of them once."""
    many = [result(1 + value / 10, id=str(value)) for value in range(500)]

    assert len(read_measurements([*many, *reversed(many)], ASKED_AT)[0]) == 500
