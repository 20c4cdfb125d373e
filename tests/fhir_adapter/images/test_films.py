import base64
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.endpoints import ADDRESS
from fhir_adapter.images.films import MAX_TRIES, read_films, read_prior
from fhir_adapter.record import Gap, GapReason
from tests.fhir_adapter.builders import (
    FILM_UID,
    SERIES_UID,
    STUDY_UID,
    Json,
    answer,
    dicom_file,
    endpoint,
    multipart,
    never,
    patient,
    ramp,
    series,
    settings,
    soon,
    study,
)


class Archive:
    """An archive that knows films by their instance UID and counts what it is asked."""

    def __init__(self, **films: object) -> None:
        self.films = films
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.asked.append(request.url.path.rpartition("/")[2])
        found = self.films.get("uid_" + self.asked[-1].replace(".", "_"))
        if isinstance(found, httpx.Response):
            return found
        return multipart(found) if isinstance(found, bytes) else answer(b"", 404)


def chart_of(studies: Sequence[Json]) -> Chart:
    return Chart(patient(), studies=tuple(studies), endpoints=(endpoint(),))


def web_of(archive: Archive) -> DicomWeb:
    return DicomWeb(httpx.AsyncClient(transport=httpx.MockTransport(archive)), settings())


def studies_of(*uids: str) -> list[Json]:
    """One study for each film, the first the newest."""
    return [
        study(
            series(instance=[{"uid": uid}]),
            id=f"s{n}",
            started=f"2026-11-{24 - n}",
            identifier=[{"system": "urn:dicom:uid", "value": f"urn:oid:9.{n}"}],
        )
        for n, uid in enumerate(uids)
    ]


async def test_film_is_read_with_its_source() -> None:
    """The newest film is decoded and carries view, modality, body part, date and the study it belongs to."""
    archive = Archive(uid_1_2_3_3=dicom_file())

    (film,), gaps = await read_films(chart_of([study()]), None, web_of(archive), soon())

    assert (film.view, film.modality, film.body_part, str(film.source)) == (
        "AP",
        "CR",
        "CHEST",
        "ImagingStudy/study-1/_history/1",
    )
    assert (film.acquired_at.isoformat(), gaps) == ("2026-11-24T07:00:00+00:00", ())


async def test_moment_of_exposure_stands_before_the_start_of_the_study() -> None:
    """The film's own date is better than its study's."""
    taken = dicom_file(AcquisitionDate="20261124", AcquisitionTime="073000")

    (film,), _ = await read_films(chart_of([study()]), None, web_of(Archive(uid_1_2_3_3=taken)), soon())

    assert film.acquired_at.isoformat() == "2026-11-24T07:30:00+00:00"


async def test_only_one_film_is_fetched() -> None:
    """Once a film is read, no other is fetched."""
    archive = Archive(uid_1_1=dicom_file(SOPInstanceUID="1.1"), uid_1_2=dicom_file(SOPInstanceUID="1.2"))

    films, _ = await read_films(chart_of(studies_of("1.1", "1.2")), None, web_of(archive), soon())

    assert (len(films), archive.asked) == (1, ["1.1"])


@pytest.mark.parametrize(
    ("newest", "reason"),
    [
        (answer(b"", 404), GapReason.MISSING),
        (answer(b"", 403), GapReason.REFUSED),
        (answer(b"", 500), GapReason.FAILED),
        (b"no DICOM", GapReason.UNREADABLE),
        (dicom_file(SOPInstanceUID="9.9"), GapReason.UNREADABLE),
        (dicom_file(SOPInstanceUID="1.1", ViewPosition="LL"), GapReason.MISSING),
    ],
    ids=["gone", "refused", "failed", "damaged", "another instance", "lateral"],
)
async def test_older_film_is_used_and_the_gap_says_why(newest: object, reason: GapReason) -> None:
    """Where the newest film cannot be used the next one is, and the clinician is told."""
    archive = Archive(uid_1_1=newest, uid_1_2=dicom_file(SOPInstanceUID="1.2"))

    (film,), (gap,) = await read_films(chart_of(studies_of("1.1", "1.2")), None, web_of(archive), soon())

    assert (film.source.reference, gap.reason) == ("ImagingStudy/s1", reason)
    assert gap.item == "a newer radiograph than the one used"


async def test_other_view_of_the_same_study_is_no_loss() -> None:
    """A lateral view beside the frontal one that was used needs no mention."""
    lateral, frontal = dicom_file(SOPInstanceUID="1.1", ViewPosition="LL"), dicom_file(SOPInstanceUID="1.2")
    two_views = study(series(instance=[{"uid": "1.1"}, {"uid": "1.2"}]))

    films, gaps = await read_films(
        chart_of([two_views]), None, web_of(Archive(uid_1_1=lateral, uid_1_2=frontal)), soon()
    )

    assert (len(films), gaps) == (1, ())


async def test_search_for_a_film_ends() -> None:
    """A long row of unreadable films is not fetched to its end."""
    archive = Archive()

    films, gaps = await read_films(chart_of(studies_of(*[f"1.{n}" for n in range(9)])), None, web_of(archive), soon())

    assert (films, len(archive.asked)) == ((), MAX_TRIES)
    assert gaps == (Gap("image", "radiograph", GapReason.MISSING),)


async def test_silent_archive_is_asked_once() -> None:
    """When the deadline has passed, no further film is tried."""
    web = DicomWeb(httpx.AsyncClient(transport=httpx.MockTransport(never)), settings())

    result = await read_films(chart_of(studies_of("1.1", "1.2")), None, web, Deadline.after(0.01))

    assert result == ((), (Gap("image", "radiograph", GapReason.TIMEOUT),))


async def test_film_without_an_archive_is_a_gap() -> None:
    """A study on file whose images cannot be fetched is not the same as no study."""
    films, (gap,) = await read_films(chart_of([study()]), None, None, soon())

    assert (films, gap.reason) == ((), GapReason.NO_ACCESS)


async def test_no_candidates_means_no_question() -> None:
    """Where no study can hold the film, the archive is not asked."""
    archive = Archive()

    films, (gap,) = await read_films(chart_of([study(series(modality={"code": "CT"}))]), None, web_of(archive), soon())

    assert (films, archive.asked, gap.detail) == ((), [], "the imaging study on file is no radiograph")


async def test_undated_film_is_a_gap() -> None:
    """A film of no date may be of any illness."""
    archive = Archive(uid_1_2_3_3=dicom_file())

    films, (gap,) = await read_films(chart_of([study(started=None)]), None, web_of(archive), soon())

    assert (films, gap.detail) == ((), "it is not dated")
    assert archive.asked == [FILM_UID]


async def test_film_knows_the_file_it_came_from() -> None:
    """What is made from the film can be filed beside it: the record keeps the archive's own names of it."""
    (film,), _ = await read_films(chart_of([study()]), None, web_of(Archive(uid_1_2_3_3=dicom_file())), soon())

    assert film.file is not None
    assert (film.file.study, film.file.instance) == (STUDY_UID, FILM_UID)


async def test_film_of_the_study_before_is_read_for_comparison() -> None:
    """The newest study's films are none of its own priors."""
    archive = Archive(uid_1_1=dicom_file(SOPInstanceUID="1.1"), uid_1_2=dicom_file(SOPInstanceUID="1.2"))

    prior = await read_prior(chart_of(studies_of("1.1", "1.2")), web_of(archive), soon())

    assert prior is not None
    assert (str(prior.source), archive.asked) == ("ImagingStudy/s1/_history/1", ["1.2"])


@pytest.mark.parametrize("studies", [(), ("1.1",), ("1.1", "1.9")])
async def test_no_earlier_film_is_no_gap(studies: tuple[str, ...]) -> None:
    """Without an earlier study, or where its film cannot be had, there is nothing to compare and nothing missing."""
    archive = Archive(uid_1_1=dicom_file(SOPInstanceUID="1.1"))

    assert await read_prior(chart_of(studies_of(*studies)), web_of(archive), soon()) is None


async def test_prior_without_an_archive_is_none() -> None:
    """The film itself has the gap that says so."""
    assert await read_prior(chart_of(studies_of("1.1", "1.2")), None, soon()) is None


async def test_study_that_lists_nothing_is_searched_in_the_archive() -> None:
    """Where FHIR lists no instance, the archive is asked for series and instances, once each."""
    found = {"0020000D": STUDY_UID, "0020000E": SERIES_UID, "00080018": FILM_UID, "00080060": "CR"}
    rows = [{tag: {"vr": "UI", "Value": [value]} for tag, value in found.items()}]
    archive = Archive(uid_1_2_3_3=dicom_file(), uid_series=answer(rows), uid_instances=answer(rows))

    films, gaps = await read_films(chart_of([study(series(instance=None))]), None, web_of(archive), soon())

    assert (len(films), gaps, sorted(archive.asked)) == (1, (), [FILM_UID, "instances", "series"])


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (answer(b"", 403), GapReason.REFUSED),
        (answer(b"", 204), GapReason.UNREADABLE),
        (answer([]), GapReason.UNREADABLE),
        (answer(b"<html>", content_type="text/html"), GapReason.UNREADABLE),
        (answer({"no": "array"}), GapReason.UNREADABLE),
        (answer(b"", 500), GapReason.FAILED),
    ],
)
async def test_search_that_fails_or_finds_nothing_is_a_gap(response: httpx.Response, reason: GapReason) -> None:
    """Refused, empty, a page in place of data: each has its reason."""
    archive = Archive(uid_series=response, uid_instances=response)

    films, (gap,) = await read_films(chart_of([study(series(instance=None))]), None, web_of(archive), soon())

    assert (films, gap.reason) == ((), reason)


@pytest.mark.parametrize(
    ("elements", "detail"),
    [
        ({"PresentationIntentType": "FOR PROCESSING"}, "it is a raw picture for processing, no finished one"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}, "it is a raw picture for processing, no finished one"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, "it is a report or another object, no film"),
        ({"SeriesDescription": "Dose report"}, "it is a report or another object, no film"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "it is a scout view"),
        ({"ViewPosition": "RAO"}, "a lateral or oblique view was passed over"),
    ],
)
async def test_file_that_is_no_finished_frontal_film_is_passed_over(elements: Json, detail: str) -> None:
    """The file's own header has the last word."""
    archive = Archive(uid_1_2_3_3=dicom_file(**elements))

    films, (gap,) = await read_films(chart_of([study()]), None, web_of(archive), soon())

    assert (films, gap.detail) == ((), detail)


def chest_photo(**changes: Any) -> Json:
    buffer = BytesIO()
    Image.fromarray(ramp(255, "uint8").astype(np.uint8)).save(buffer, "PNG")
    content = {"contentType": "image/png", "data": base64.b64encode(buffer.getvalue()).decode()}
    return {
        "resourceType": "Media",
        "id": "m1",
        "status": "completed",
        "createdDateTime": "2026-11-24",
        "type": {"text": "Chest X-ray"},
        "content": content,
        **changes,
    }


async def test_picture_is_used_where_no_study_has_a_film() -> None:
    """A photographed film is better than none; why the study's could not be used is told."""
    chart = replace(chart_of([study()]), media=(chest_photo(),))

    (film,), gaps = await read_films(chart, None, web_of(Archive()), soon())

    assert (film.source.reference, [gap.reason for gap in gaps]) == ("Media/m1", [GapReason.MISSING])


async def test_study_stands_before_a_newer_picture() -> None:
    """A study's film says what it is; a picture is only looked at where there is none."""
    chart = replace(chart_of([study()]), media=(chest_photo(createdDateTime="2026-12-24"),))

    (film,), _ = await read_films(chart, None, web_of(Archive(uid_1_2_3_3=dicom_file())), soon())

    assert film.source.reference == "ImagingStudy/study-1"


async def test_lettering_is_painted_over_and_told() -> None:
    """A name drawn into the film reaches neither model nor page, and the clinician is told that there was one."""
    picture = Image.fromarray(np.full((400, 400), 90, dtype=np.uint8))
    ImageDraw.Draw(picture).text((20, 20), "DOE^JANE 12.03.24", fill=255, font=ImageFont.load_default(24))
    archive = Archive(uid_1_2_3_3=dicom_file(np.asarray(picture), 8))

    (film,), (gap,) = await read_films(chart_of([study()]), None, web_of(archive), soon())

    assert (film.blanked, gap.item) == (1, "lettering in the radiograph")
    assert film.pixels.max() < 0.5


async def test_lettering_that_the_file_claims_and_nobody_finds_is_told() -> None:
    """BurnedInAnnotation YES without a find: the clinician should look."""
    archive = Archive(uid_1_2_3_3=dicom_file(BurnedInAnnotation="YES"))

    (film,), (gap,) = await read_films(chart_of([study()]), None, web_of(archive), soon())

    assert (film.blanked, "none was found" in gap.detail) == (0, True)


@pytest.mark.parametrize(
    ("about_chart", "reason"),
    [
        ((Gap("image", ADDRESS, GapReason.FAILED),), GapReason.FAILED),
        ((Gap("image", ADDRESS, GapReason.TIMEOUT),), GapReason.TIMEOUT),
        ((Gap("image", "radiograph", GapReason.INCOMPLETE),), GapReason.UNREADABLE),
        ((), GapReason.UNREADABLE),
    ],
)
async def test_film_without_an_archive_says_why_none_is_known(about_chart: tuple[Gap, ...], reason: GapReason) -> None:
    """An Endpoint that could not be read is the reason, so that what may pass is not taken for lasting."""
    archive = Archive()

    _, gaps = await read_films(Chart(patient(), studies=(study(),), gaps=about_chart), None, web_of(archive), soon())

    assert [gap.reason for gap in gaps] == [reason]
    assert archive.asked == []


async def test_archive_that_is_known_has_its_own_reason() -> None:
    """That one Endpoint could not be read explains nothing where another one told the archive."""
    gap = Gap("image", ADDRESS, GapReason.TIMEOUT)

    _, gaps = await read_films(replace(chart_of([study()]), gaps=(gap,)), None, web_of(Archive()), soon())

    assert [gap.reason for gap in gaps] == [GapReason.MISSING]
