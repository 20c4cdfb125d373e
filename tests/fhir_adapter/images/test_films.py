from collections.abc import Sequence

import httpx
import pytest

from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.films import MAX_TRIES, read_films, read_prior
from fhir_adapter.record import Gap, GapReason
from tests.fhir_adapter.builders import (
    FILM_UID,
    STUDY_UID,
    Json,
    answer,
    dicom_file,
    endpoint,
    multipart,
    never,
    patient,
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
