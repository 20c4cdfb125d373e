from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

import httpx
import numpy as np
import pytest

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.gaps import TRANSIENT
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.endpoints import ADDRESS
from fhir_adapter.record import Gap, GapReason
from tests.fhir_adapter.builders import (
    ASKED_AT,
    FakeFhir,
    Json,
    answer,
    client_of,
    dicom_file,
    document,
    endpoint,
    multipart,
    observation,
    patient,
    settings,
    soon,
    study,
)

IN_BINARY = {"contentType": "text/plain", "url": "Binary/n1"}


def archive() -> DicomWeb:
    transport = httpx.MockTransport(lambda _: multipart(dicom_file()))
    return DicomWeb(httpx.AsyncClient(transport=transport), settings())


def make_chart() -> Chart:
    return Chart(
        patient(),
        observations=(observation(),),
        documents=(document(IN_BINARY),),
        studies=(study(),),
        endpoints=(endpoint(),),
    )


async def test_whole_chart_becomes_a_record_without_gaps() -> None:
    """A chart with film, note and result is read whole."""
    server = FakeFhir({"Binary/n1": answer(b"Cough", content_type="text/plain")})
    chart = make_chart()

    record = await build_record(chart, client_of(server), archive(), ASKED_AT, soon())

    assert (record.measurements[0].key, record.notes[0].text, record.films[0].view) == ("crp", "Cough", "AP")
    assert (record.demographics.sex, record.gaps) == ("female", ())


async def test_empty_chart_says_what_is_not_on_file() -> None:
    """A kind of evidence that is absent without another reason is said to be not on file."""
    record = await build_record(Chart(patient()), None, None, ASKED_AT, soon())

    assert record.gaps == (
        Gap("structured", "measurements", GapReason.MISSING),
        Gap("text", "clinical note", GapReason.MISSING),
        Gap("image", "radiograph", GapReason.MISSING),
    )


async def test_gap_with_a_reason_is_not_covered_by_another() -> None:
    """Where the chart already says why something is missing, "not on file" is not added: it would be untrue."""
    failed = Gap("image", "radiograph", GapReason.FAILED)

    record = await build_record(Chart(patient(), gaps=(failed,)), None, None, ASKED_AT, soon())

    assert [gap for gap in record.gaps if gap.modality == "image"] == [failed]


@pytest.mark.parametrize("junk", [{}, {"resourceType": 5, "id": [], "meta": "x", "status": {}, "code": 1, "series": 2}])
async def test_resources_of_any_shape_become_gaps(junk: Json) -> None:
    """No shape of data makes the reading fail: what cannot be read is missing."""
    lists: Any = dict.fromkeys(("observations", "documents", "reports", "studies", "media", "endpoints"), (junk,))
    chart = Chart(patient(birthDate=7, gender=[]), **lists)

    record = await build_record(chart, None, archive(), ASKED_AT, soon())

    assert (record.measurements, record.notes, record.films) == ((), (), ())


async def test_moment_of_the_question_needs_a_zone() -> None:
    """A moment without a zone cannot be compared with the record's; that is the caller's error."""
    with pytest.raises(ValueError, match="time zone"):
        await build_record(Chart(patient()), None, None, datetime(2026, 11, 24), soon())  # noqa: DTZ001 - the point


def words_of(value: object) -> str:
    """Everything a record says, arrays left out."""
    if is_dataclass(value):
        return " ".join(words_of(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple):
        return " ".join(words_of(item) for item in value)
    return "" if isinstance(value, np.ndarray) else str(value)


async def test_record_holds_no_identity() -> None:
    """Name, address and identifier do not reach the record; of the DICOM header only the id a film is filed by."""
    named = patient(name=[{"family": "Doe"}], identifier=[{"value": "secret-7"}], address=[{"city": "Smalltown"}])

    record = await build_record(
        Chart(named, studies=(study(),), endpoints=(endpoint(),)), None, archive(), ASKED_AT, soon()
    )

    (film,) = record.films
    unfiled = replace(record, films=(replace(film, file=None),))
    assert not any(word in words_of(unfiled) for word in ("Doe", "secret-7", "Smalltown"))
    assert "Doe" not in words_of(record)
    assert "secret-7" not in repr(record)


def test_every_reason_is_lasting_or_transient_on_purpose() -> None:
    """A result with a transient gap is not to be remembered; what is lasting stays as it is."""
    assert set(GapReason) - TRANSIENT == {
        GapReason.MISSING,
        GapReason.STALE,
        GapReason.UNREADABLE,
        GapReason.IMPLAUSIBLE,
        GapReason.NEWEST_ONLY,
    }


async def test_earlier_film_is_there_for_comparison_and_not_for_the_model() -> None:
    """The record's films are those to judge; the one before stands apart."""
    older = study(id="s0", started="2026-10-02", identifier=[{"system": "urn:dicom:uid", "value": "urn:oid:9.0"}])

    def answer_all(request: httpx.Request) -> httpx.Response:
        old = "/9.0/" in request.url.path
        return multipart(dicom_file(AcquisitionDate="20261002", StudyInstanceUID="9.0") if old else dicom_file())

    web = DicomWeb(httpx.AsyncClient(transport=httpx.MockTransport(answer_all)), settings())
    record = await build_record(
        Chart(patient(), studies=(study(), older), endpoints=(endpoint(),)), None, web, ASKED_AT, soon()
    )

    assert [str(film.source) for film in record.films] == ["ImagingStudy/study-1/_history/1"]
    assert record.prior is not None
    assert record.prior.acquired_at < record.films[0].acquired_at


@pytest.mark.parametrize(("documents", "told"), [((document(),), False), ((), True)])
async def test_older_notes_are_missed_only_where_no_newer_one_is(documents: tuple[Json, ...], told: bool) -> None:  # noqa: FBT001
    """That older documents were not looked at matters only where the newest hold no note."""
    gap = Gap("text", "clinical notes", GapReason.NEWEST_ONLY)
    record = await build_record(Chart(patient(), documents=documents, gaps=(gap,)), None, None, ASKED_AT, soon())

    assert (gap in record.gaps) is told


async def test_address_that_could_not_be_read_is_not_missed_where_the_film_was() -> None:
    """With the operator's own archive the film is there, whatever became of the Endpoint."""
    chart = Chart(patient(), studies=(study(),), gaps=(Gap("image", ADDRESS, GapReason.FAILED),))
    transport = httpx.MockTransport(lambda _: multipart(dicom_file()))
    web = DicomWeb(httpx.AsyncClient(transport=transport), settings(dicomweb_url="https://own.example.org/dicom-web"))

    record = await build_record(chart, None, web, ASKED_AT, soon())

    assert (len(record.films), [gap for gap in record.gaps if gap.modality == "image"]) == (1, [])
