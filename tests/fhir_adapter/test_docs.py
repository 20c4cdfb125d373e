"""docs/fhir-client.md: its code runs, and it names every setting."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount

from cds_hooks.sandbox.fhir import fhir_app
from cds_hooks.sandbox.resources import ResourceStore
from fhir_adapter.settings import FhirSettings
from tests.fhir_adapter.builders import PATIENT_ID, concept, observation, patient
from tests.sandbox.live import served

PAGE = (Path(__file__).parents[2] / "docs" / "fhir-client.md").read_text("utf-8")


async def test_example_of_the_docs_reads_a_chart() -> None:
    """The ten lines of the page, as they stand, read a measurement from a server."""
    store = ResourceStore()
    store.put(patient())
    category = concept("laboratory", system="http://terminology.hl7.org/CodeSystem/observation-category")
    store.put(observation(id="now", category=[category], effectiveDateTime=datetime.now(UTC).isoformat()))
    example: dict[str, Any] = {}
    exec(code_of(PAGE), example)  # our own page
    with served(Starlette(routes=[Mount("/fhir", fhir_app(store))])) as url:
        found, gaps = await example["measurements_of"](f"{url}/fhir", PATIENT_ID)

    assert found == [("crp", 48.0, "mg/L", "Observation/now/_history/1")]
    assert gaps


def test_page_names_every_setting() -> None:
    """An operator finds each variable of the client there."""
    named = set(re.findall(r"`FHIR_([A-Z_]+?)(?:=[^`]*)?`", PAGE))

    assert {name.upper() for name in FhirSettings.model_fields} == named


def code_of(page: str) -> str:
    return page.partition("```python\n")[2].partition("```")[0]
