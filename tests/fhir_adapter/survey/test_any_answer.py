from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_adapter.survey.checks import CHECKS
from fhir_adapter.survey.findings import Finding
from tests.fhir_adapter.builders import PATIENT_ID, answer
from tests.fhir_adapter.survey.sites import SECRET, Port, site, visit, whole

GOOD = site()
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def spoilt(content: Any, place: int, junk: Any) -> Any:
    """The same content with the value at one place, counted through, replaced."""
    left = [place]

    def walk(value: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            return junk
        if isinstance(value, dict):
            return {key: walk(inner) for key, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list) else value

    return walk(content)


async def surveyed(place: int, junk: Any) -> list[Finding]:
    def spoil(request: httpx.Request) -> httpx.Response | None:
        good = GOOD(request)
        if "json" not in good.headers.get("content-type", "") or good.status_code != 200:
            return None
        return answer(orjson.dumps(spoilt(orjson.loads(good.content), place, junk)))

    async with Port() as base_url:
        return await whole(visit(spoil, base_url=base_url))


@settings(max_examples=30, deadline=None)
@given(place=st.integers(1, 60), junk=JUNK)
def test_any_answer_gives_every_finding(place: int, junk: Any) -> None:
    """Whatever stands in any place of a server's answers, each check ends well and nothing of the patient is said."""
    findings = asyncio.run(surveyed(place, junk))

    assert sorted(finding.part for finding in findings) == sorted(CHECKS)
    assert [finding for finding in findings if "check itself failed" in finding.sentence] == []
    assert [secret for secret in (PATIENT_ID, SECRET) if secret in str(findings)] == []
