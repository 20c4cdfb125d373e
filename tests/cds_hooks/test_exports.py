from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pydicom
import pypdf
import pytest
import sqlalchemy as sa

from cds_hooks import exports
from cds_hooks.engine import Engine
from cds_hooks.judgement import Judgement
from cds_hooks.store.tables import audit
from explain.evidence import ImageEvidence
from inference.backends import BackendUnavailable
from tests.cds_hooks.fakes import FakePipeline, Running, make_engine, make_settings, running, until
from tests.cds_hooks.samples import (
    FAMILY,
    GIVEN,
    MODEL_CARD,
    NOTE_WORDS,
    PATIENT_ID,
    make_explanation,
    make_hook,
    make_judgement,
    make_measurement,
    out_of_scope,
)
from tests.explain.fhir.told import FILE, second_tier, withdrawn_image

FORMS = {"fhir": "application/fhir+json", "report.pdf": "application/pdf", "heat.dcm": "application/dicom"}
AGE = make_measurement(
    key="age", name="Age", value=44.0, unit="mo", normal=None, source=f"Patient/{PATIENT_ID}/_history/1"
)


def image() -> ImageEvidence:
    """Return the film of the sample, from an archive."""
    found = make_explanation().image
    assert found is not None
    return replace(found, file=FILE)


def judged(**changes: Any) -> Judgement:
    """Return a judgement whose film is of an archive and whose patient is cited; changes are of the explanation."""
    explanation = make_explanation(**{"image": image(), "measurements": (make_measurement(), AGE), **changes})
    return make_judgement(explanation=explanation)


@asynccontextmanager
async def exporting(outcome: Judgement | Exception | None = None, **changes: Any) -> AsyncIterator[tuple[Running, str]]:
    """Run a service, have a card shown, and give the address of its page; changes are those of the engine."""
    pipeline = FakePipeline(outcome or judged())

    def engine(pipeline: FakePipeline) -> Engine:
        return make_engine(pipeline, **changes)

    async with running(pipeline, make_settings(answer_within_s=0.5), engine=engine) as service:
        if not any(getattr(route, "path", "").endswith("/heat.dcm") for route in service.app.routes):
            service.app.include_router(exports.router)
        yield service, await link_of(service)


async def link_of(service: Running) -> str:
    response = (await service.fire(make_hook())).json()
    if "cards" in response:
        url: str = response["cards"][0]["links"][0]["url"]
        return url
    return "http://127.0.0.1:8000/explanations/" + "x" * 32


@pytest.mark.parametrize(("form", "media_type"), FORMS.items())
async def test_export_is_a_file_that_nobody_keeps(form: str, media_type: str) -> None:
    """Each form has its media type, is a download, and may be kept by no cache."""
    async with exporting() as (service, url):
        answer = await service.client.get(f"{url}/{form}")

    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("attachment;")


async def test_fhir_is_a_transaction_about_the_patient() -> None:
    """The Bundle is about the patient whose age was read, and names no other detail of them."""
    async with exporting() as (service, url):
        answer = await service.client.get(f"{url}/fhir")
    subjects = {entry["resource"].get("subject", {}).get("reference") for entry in answer.json()["entry"]}

    assert (answer.json()["type"], subjects - {None}) == ("transaction", {f"Patient/{PATIENT_ID}"})
    assert not [word for word in (FAMILY, GIVEN, NOTE_WORDS) if word in answer.text]


async def test_ids_follow_from_the_job() -> None:
    """Two exports of one page are the same Bundle."""
    async with exporting() as (service, url):
        one, other = [await service.client.get(f"{url}/fhir") for _ in range(2)]

    assert one.content == other.content


async def test_printed_page_is_in_the_bundle_on_request() -> None:
    """With `?report=pdf` the DiagnosticReport presents the page."""
    async with exporting() as (service, url):
        answers = [await service.client.get(f"{url}/fhir{query}") for query in ("", "?report=pdf")]

    assert ["presentedForm" in answer.text for answer in answers] == [False, True]


async def test_report_shows_the_answer() -> None:
    """The PDF is of this explanation."""
    async with exporting() as (service, url):
        answer = await service.client.get(f"{url}/report.pdf")

    assert "Bacterial pneumonia: 86 %" in pypdf.PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()


async def test_capture_lies_in_the_study_of_the_film() -> None:
    """The DICOM file names the study and the film that it was made from."""
    async with exporting() as (service, url):
        dataset = pydicom.dcmread(io.BytesIO((await service.client.get(f"{url}/heat.dcm")).content))

    assert (dataset.StudyInstanceUID, dataset.SourceImageSequence[0].ReferencedSOPInstanceUID) == (
        FILE.study,
        FILE.instance,
    )


@pytest.mark.parametrize(
    ("form", "action"),
    [("fhir", "fhir-exported"), ("report.pdf", "report-exported"), ("heat.dcm", "capture-exported")],
)
async def test_export_is_recorded(form: str, action: str) -> None:
    """What left the service, of which patient, stands in the audit trail with the request that took it."""
    async with exporting() as (service, url):
        answer = await service.client.get(f"{url}/{form}")
        with service.store.database.read() as connection:
            (row,) = connection.execute(sa.select(audit).where(audit.c.action == action)).all()

    assert (row.request_id, row.job_id is None, row.patient is None) == (answer.headers["x-request-id"], False, False)


@pytest.mark.parametrize("form", FORMS)
async def test_unknown_link_exports_nothing(form: str) -> None:
    """Who has no link, or an old one, gets the 404 of the page."""
    async with exporting() as (service, _):
        answer = await service.client.get("/explanations/" + "x" * 32 + f"/{form}")

    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/fhir+json")


@pytest.mark.parametrize("form", FORMS)
async def test_analysis_that_runs_exports_nothing_yet(form: str) -> None:
    """Before there is a result there is nothing to take along, and the answer says when there will be."""
    async with running(settings=make_settings(answer_within_s=0.05)) as service:
        service.app.include_router(exports.router)
        service.pipeline.hold()
        answer = await service.client.get(f"{await link_of(service)}/{form}")
        service.pipeline.let_go()

    assert (answer.status_code, "still running" in answer.text, answer.headers["retry-after"]) == (404, True, "5")


@pytest.mark.parametrize("outcome", [judged(image=None), replace(judged(), prediction=out_of_scope())])
async def test_no_map_no_capture(outcome: Judgement) -> None:
    """Without a film, or without an assessment, there is no heat map to export; the rest is exported."""
    async with exporting(outcome) as (service, url):
        answers = [(await service.client.get(f"{url}/{form}")).status_code for form in FORMS]

    assert answers == [200, 200, 404]


async def test_withdrawn_map_is_gone() -> None:
    """A map that is no better than chance leaves in no form: the DICOM file is gone, and says why."""
    explanation = judged().explanation
    worse = replace(explanation, tested=withdrawn_image(explanation))
    async with exporting(make_judgement(explanation=worse)) as (service, url):
        answer = await service.client.get(f"{url}/heat.dcm")

    assert (answer.status_code, "withdrawn" in answer.text) == (410, True)


async def test_tested_explanation_is_exported_with_its_test() -> None:
    """What the second tier found goes along."""
    explanation = judged().explanation
    whole = replace(explanation, tested=second_tier(explanation))
    async with exporting(make_judgement(explanation=whole)) as (service, url):
        answer = await service.client.get(f"{url}/fhir")

    assert "comprehensiveness-image" in answer.text


@pytest.mark.parametrize(
    ("changes", "form", "sentence"),
    [
        ({"measurements": (), "patient": ""}, "fhir", "names no Patient"),
        ({"image": replace(image(), file=None)}, "heat.dcm", "names no study"),
    ],
    ids=["no patient", "no archive"],
)
async def test_what_is_not_known_is_not_made_up(changes: dict[str, Any], form: str, sentence: str) -> None:
    """Where the patient, or the study of the film, is not known the export is refused with a sentence."""
    async with exporting(judged(**changes)) as (service, url):
        answer = await service.client.get(f"{url}/{form}")

    assert answer.status_code == 409
    assert sentence.lower() in answer.json()["issue"][0]["diagnostics"].lower()


async def test_model_that_did_not_answer_is_not_named() -> None:
    """After an update the old answer is not exported under the new model's name."""
    async with exporting(card=replace(MODEL_CARD, digest="ef" * 32)) as (service, url):
        answer = await service.client.get(f"{url}/fhir")

    assert (answer.status_code, "was replaced" in answer.text) == (409, True)


async def test_failed_analysis_has_nothing_to_export() -> None:
    """A page that waited for an analysis that failed has no result, and will have none."""
    async with running(FakePipeline(), make_settings(answer_within_s=0.05)) as service:
        service.app.include_router(exports.router)
        service.pipeline.hold()
        url = await link_of(service)
        service.pipeline.outcome = BackendUnavailable("x")
        service.pipeline.let_go()
        job_id = service.store.cards.page(url.rsplit("/", 1)[1]).job_id
        await until(lambda: service.store.jobs.status(job_id).ended)
        answer = await service.client.get(f"{url}/fhir")

    assert (answer.status_code, "failed" in answer.text) == (410, True)
