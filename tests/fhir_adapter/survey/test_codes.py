from __future__ import annotations

from typing import Any

import pytest

from fhir_adapter.survey.codes import check_codes, judge_codes
from fhir_adapter.survey.findings import Verdict
from tests.fhir_adapter.builders import Json, concept, observation, quantity
from tests.fhir_adapter.survey.sites import visit

LOCAL = concept("K-77", system="urn:oid:1.2.3")


def coded(*observations: Json) -> dict[str, tuple[Verdict, str]]:
    return {finding.part: (finding.verdict, finding.sentence) for finding in judge_codes(observations)}


@pytest.mark.parametrize(
    ("observations", "part", "verdict", "said"),
    [
        ([observation(code=7)], "codes/loinc", Verdict.MISSING, "0 quantities seen"),
        ([observation(code=LOCAL)], "codes/loinc", Verdict.MISSING, "0 quantities seen"),
        ([observation(), observation()], "codes/loinc", Verdict.OK, "crp 1988-5 (2)"),
        ([observation("85354-9", component=[{"code": concept("8867-4")}])], "codes/loinc", Verdict.OK, "heart_rate"),
        ([observation(code=LOCAL)], "codes/other", Verdict.WARN, "1 numbers without a LOINC code"),
        ([observation("19935-6"), observation("19935-6")], "codes/other", Verdict.OK, "1 other LOINC codes"),
        ([observation()], "codes/other", Verdict.OK, "0 other LOINC codes, which are not read; 0 numbers"),
        ([observation(valueQuantity=quantity(unit="furlong"))], "codes/units", Verdict.WARN, '"furlong"'),
        ([observation(valueQuantity={"value": 3})], "codes/units", Verdict.WARN, '"none"'),
        ([observation("19935-6", valueQuantity=quantity(unit="furlong"))], "codes/units", Verdict.OK, "all units"),
        ([observation(valueQuantity=quantity(unit="mg/dL"))], "codes/units", Verdict.OK, "all units"),
        ([observation(valueQuantity=[])], "codes/units", Verdict.OK, "all units"),
    ],
)
def test_codes_and_units_are_counted(observations: list[Json], part: str, verdict: Verdict, said: str) -> None:
    """Which quantities are there under which codes, what has none, and which units cannot be read."""
    found = coded(*observations)[part]

    assert found[0] is verdict
    assert said in found[1]


@pytest.mark.parametrize("unit", ["\x1b[31mred", "x" * 500])
def test_strange_unit_cannot_harm_a_terminal(unit: str) -> None:
    """A unit is printed short and without control characters."""
    sentence = coded(observation(valueQuantity=quantity(unit=unit)))["codes/units"][1]

    assert sentence.isprintable()
    assert len(sentence) < 100


def test_only_what_is_wanted_is_missed() -> None:
    """Who needs few quantities is not told of all the others."""
    both = [judge_codes([observation()], wanted)[0].sentence for wanted in (("crp",), ("crp", "sodium"))]

    assert both[0].endswith("All 1 that are wanted are there")
    assert both[1].endswith("Not seen: sodium")


def test_local_code_is_not_printed() -> None:
    """A site may put anything into a local code: it is counted only."""
    assert "K-77" not in str(coded(observation(code=LOCAL)))


async def test_nothing_is_said_without_an_observation() -> None:
    """Where nothing was seen, codes are skipped, not called missing."""
    assert {finding.verdict for finding in await check_codes(visit())} == {Verdict.SKIPPED}


@pytest.mark.parametrize("content", [{"component": 3}, {"component": [1]}, {"code": []}, {"valueQuantity": None}])
def test_odd_shapes_are_no_crash(content: dict[str, Any]) -> None:
    """An Observation of the wrong shape is counted as it can be."""
    assert len(coded(observation(**content))) == 3
