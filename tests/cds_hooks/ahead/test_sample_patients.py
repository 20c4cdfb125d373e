"""The demonstration's patients, with notes, films and Endpoints: what the EHR sends along is what was computed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cds_hooks.sandbox.cases import load_cases
from cds_hooks.sandbox.patients import sample_patients
from fhir_adapter.prefetch import TEMPLATES, resolve
from tests.cds_hooks.ahead import ward as module
from tests.cds_hooks.ahead.ward import Ward, site
from tests.cds_hooks.samples import make_hook
from tests.sandbox.films import write_stripes

PATIENTS = sorted(case.id for case in load_cases())


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stripes(tmp_path_factory.mktemp("films"))


@pytest.fixture
def ward(films: Path) -> Iterator[Ward]:
    """Return a FHIR server with the sample patients."""
    with module.ward() as ward:
        bundle = sample_patients(datetime.now(UTC), f"{ward.base}/dicom-web", films=films).bundle
        ward.resources.put_bundle(bundle)
        yield ward


async def prefetch_of(http: httpx.AsyncClient, ward: Ward, patient: str) -> dict[str, Any]:
    """Fill the templates in as an EHR does."""
    found = {"patient": (await http.get(f"{ward.base}/Patient/{patient}")).json()}
    for key in TEMPLATES:
        if key != "patient":
            query = resolve(key, patient, datetime.now(UTC).date())
            answer = await http.get(f"{ward.base}/{query.resource_type}", params=dict(query.params))
            found[key] = answer.raise_for_status().json()
    return found


async def test_every_chart_that_was_computed_is_found(ward: Ward) -> None:
    """For each patient a hook with everything prefetched, and one with nothing, find the job computed ahead."""
    async with site(ward) as here, httpx.AsyncClient() as http:
        await here.watching.look()
        while await here.watching.compute():
            pass
        computed = sorted(case.patient_id for case in here.service.pipeline.cases)
        for patient in PATIENTS:
            for prefetch in (await prefetch_of(http, ward, patient), ...):
                context = {"patientId": patient, "userId": "Practitioner/1"}
                hook = make_hook(fhirServer=ward.base, prefetch=prefetch, context=context)
                assert (await here.service.fire(hook)).status_code == 200
        charts = [case.chart for case in here.service.pipeline.cases if case.chart]

    assert set(PATIENTS) <= set(computed)
    assert len(charts) == len(computed)
    assert sum(len(chart.studies) for chart in charts) > len(PATIENTS) / 2
