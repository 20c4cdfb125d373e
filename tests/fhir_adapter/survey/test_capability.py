from __future__ import annotations

from typing import Any

import httpx
import pytest

from fhir_adapter.rest.capabilities import read_capabilities
from fhir_adapter.survey.capability import check_capability, describe_system, judge_parameters, judge_types
from fhir_adapter.survey.findings import Verdict
from tests.fhir_adapter.builders import Json, answer
from tests.fhir_adapter.survey.sites import statement, visit


def without(kind: str, parameter: str = "") -> Json:
    """A statement that does not list a type, or one of its search parameters."""
    made = statement()
    listed = made["rest"][0]["resource"]
    if not parameter:
        made["rest"][0]["resource"] = [each for each in listed if each["type"] != kind]
    for each in listed:
        each["searchParam"] = [one for one in each["searchParam"] if (each["type"], one["name"]) != (kind, parameter)]
    return made


async def statement_of(response: httpx.Response) -> tuple[Verdict, str]:
    one = visit(lambda request: response)
    one.metadata = await one.asker.get(f"{one.base_url}/metadata")
    finding = (await check_capability(one))[0]
    return finding.verdict, finding.sentence


@pytest.mark.parametrize(
    ("response", "verdict", "said"),
    [
        (answer(b"<html>", content_type="text/html"), Verdict.FAILED, "text/html"),
        (answer([]), Verdict.FAILED, "not what FHIR prescribes"),
        (answer({"resourceType": "Patient"}), Verdict.FAILED, "something else"),
        (answer(statement(fhirVersion="3.0.2")), Verdict.FAILED, "none of R4, R4B and R5"),
        (answer({}, 500), Verdict.FAILED, "HTTP 500"),
        (answer({}, 401), Verdict.SKIPPED, "refused"),
        (answer(statement(fhirVersion="5.0.0", software={"name": "\x1bX" * 99})), Verdict.OK, "FHIR R5 (5.0), XX"),
        (answer(statement()), Verdict.OK, "FHIR R4 (4.0)"),
    ],
)
async def test_statement_is_read_or_said_to_be_none(response: httpx.Response, verdict: Verdict, said: str) -> None:
    """The version decides; what a server calls itself is printed without control characters."""
    found = await statement_of(response)

    assert found[0] is verdict
    assert said in found[1]
    assert "\x1b" not in found[1]


@pytest.mark.parametrize(
    ("content", "verdict", "said"),
    [
        (without("ImagingStudy"), Verdict.WARN, "not listed: ImagingStudy"),
        (without("Binary"), Verdict.WARN, "not listed: Binary"),
        (without("Media"), Verdict.WARN, "not listed: Media"),
        (without("Media") | {"fhirVersion": "5.0.0"}, Verdict.OK, "are listed"),
        (statement(), Verdict.OK, "are listed"),
    ],
)
def test_types_that_are_not_listed_are_named(content: Json, verdict: Verdict, said: str) -> None:
    """A statement may say less than the server does: it warns, the search itself decides."""
    finding = judge_types(read_capabilities(content))

    assert finding.verdict is verdict
    assert said in finding.sentence


def test_parameters_that_are_not_listed_are_named() -> None:
    """Each once, with its type; the types that are not listed are another finding's."""
    assert (
        "not listed: Observation.category"
        in judge_parameters(read_capabilities(without("Observation", "category"))).sentence
    )
    assert judge_parameters(read_capabilities(without("ImagingStudy"))).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ({}, "none of the extras"),
        ({"interaction": [{"code": "batch"}]}, "listed: batch"),
        ({"security": {"service": [{"coding": [{"code": "SMART-on-FHIR"}]}]}}, "security: SMART-on-FHIR"),
    ],
)
def test_extras_are_described(rest: dict[str, Any], said: str) -> None:
    """Nothing of it is needed, so that it is never a warning."""
    finding = describe_system(read_capabilities(statement(rest=[{"mode": "server", **rest}])))

    assert finding.verdict is Verdict.OK
    assert said in finding.sentence
