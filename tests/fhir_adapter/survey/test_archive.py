from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import HttpUrl

from fhir_adapter.settings import FhirSettings
from fhir_adapter.survey.archive import check_archive
from fhir_adapter.survey.findings import Finding, Verdict
from fhir_adapter.survey.patient import check_patient
from fhir_adapter.survey.searches import check_searches
from tests.fhir_adapter.builders import ARCHIVE, SERVER, answer, dicom_file, endpoint, multipart, study
from tests.fhir_adapter.survey.sites import Fault, at, bundle, visit

ON_SERVER = f"{SERVER}/dicom-web"


async def asked(*faults: Fault, settings: FhirSettings | None = None, **target: Any) -> dict[str, Finding]:
    one = visit(*faults, **target)
    one.settings = settings or one.settings
    await check_searches(one)
    await check_patient(one)
    return {finding.part: finding for finding in await check_archive(one)}


async def test_film_comes_out_of_a_good_archive() -> None:
    """Query, retrieval and picture work, and the token stays at home."""
    found = await asked()

    assert {finding.verdict for finding in found.values()} == {Verdict.OK}
    assert "not sent" in found["archive/token"].sentence


@pytest.mark.parametrize(
    ("fault", "part", "verdict", "said"),
    [
        (at("dicom-web/studies", answer({}, 403)), "archive/query", Verdict.WARN, "HTTP 403"),
        (at("dicom-web/studies", answer({})), "archive/query", Verdict.WARN, "not what"),
        (at("dicom-web/studies", httpx.Response(204)), "archive/query", Verdict.WARN, "is not found"),
        (at("dicom-web/studies/", answer({}, 404)), "archive/retrieve", Verdict.FAILED, "HTTP 404"),
        (at("instances", multipart(b"not dicom")), "archive/retrieve", Verdict.FAILED, "cannot be shown"),
        (at("instances", multipart(dicom_file(SamplesPerPixel=3))), "archive/retrieve", Verdict.FAILED, "not a grey"),
        (at("rendered", answer({}, 406)), "archive/rendered", Verdict.OK, "no rendered pictures (HTTP 406"),
        (at("Endpoint", endpoint(address="https://other.example.org/x?y=1")), "archive/root", Verdict.WARN, "names"),
        (at("ImagingStudy", bundle()), "archive/retrieve", Verdict.SKIPPED, "no film"),
    ],
)
async def test_fault_of_an_archive_is_named(fault: Fault, part: str, verdict: Verdict, said: str) -> None:
    """Each step of the way to a film has its own finding."""
    finding = (await asked(fault))[part]

    assert finding.verdict is verdict
    assert said in finding.sentence


@pytest.mark.parametrize(
    ("faults", "settings", "verdict", "said"),
    [
        ((), FhirSettings(), Verdict.MISSING, f"names {ARCHIVE}, which is not allowed"),
        ((), FhirSettings(allowed_servers=(HttpUrl(ARCHIVE),)), Verdict.OK, "named by an Endpoint and allowed"),
        ((), FhirSettings(dicomweb_url=HttpUrl(f"{ARCHIVE}/other")), Verdict.OK, "by FHIR_DICOMWEB_URL"),
        ((at("ImagingStudy", bundle(study(endpoint=[]))),), FhirSettings(), Verdict.MISSING, "name no DICOMweb root"),
        ((at("ImagingStudy", bundle()),), FhirSettings(), Verdict.SKIPPED, "no radiograph"),
    ],
)
async def test_archive_is_asked_only_where_it_may_be(
    faults: tuple[Fault, ...], settings: FhirSettings, verdict: Verdict, said: str
) -> None:
    """An address that comes with the data is asked only where the operator allows it."""
    contacted: list[str] = []

    def spy(request: httpx.Request) -> None:
        contacted.append(request.url.host)

    found = await asked(spy, *faults, settings=settings, dicomweb_url="")

    assert found["archive/root"].verdict is verdict
    assert said in found["archive/root"].sentence
    assert ("pacs.example.org" in contacted) is (verdict is Verdict.OK)


async def test_query_of_an_archive_alone_is_about_nobody() -> None:
    """Without a patient the archive is asked for a study that does not exist."""
    queries: list[str] = []

    def spy(request: httpx.Request) -> httpx.Response | None:
        if str(request.url).startswith(ARCHIVE):
            queries.append(request.url.params["StudyInstanceUID"])
            return httpx.Response(204)
        return None

    found = await asked(spy, patient_id="")

    assert queries == ["2.25.1"]
    assert found["archive/query"].verdict is Verdict.OK


async def test_archive_of_the_same_origin_gets_the_token() -> None:
    """Only an archive at the FHIR server's own origin gets its token."""
    sent: list[str] = []

    def spy(request: httpx.Request) -> httpx.Response | None:
        if "/dicom-web" in request.url.path:
            sent.append(request.headers.get("authorization", ""))
            return answer([{}], content_type="application/dicom+json")
        return None

    found = await asked(spy, patient_id="", dicomweb_url=ON_SERVER)

    assert sent == ["Bearer s3cret-t0ken"]
    assert "is sent" in found["archive/token"].sentence
