from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from fhir_adapter.auth.grant import Grant, GrantAccess
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    AccessExpired,
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirTimeout,
    NoArchive,
    ServerNotAllowed,
)
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.studies import FilmAddress, Lead
from fhir_adapter.record import Source
from tests.fhir_adapter.builders import (
    ARCHIVE,
    FILM_UID,
    SERIES_UID,
    SERVER,
    STUDY_UID,
    Handler,
    answer,
    multipart,
    never,
    settings,
    soon,
)

FILM = b"\0" * 128 + b"DICM"


def film_at(*roots: str) -> FilmAddress:
    return FilmAddress(roots, STUDY_UID, SERIES_UID, FILM_UID, None, Source("ImagingStudy/study-1", "1"))


class Archive:
    """An archive that answers everything the same and keeps the requests."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.requests.append(request)
        return self.response


def web_of(handler: Handler, **changes: object) -> DicomWeb:
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return DicomWeb(http, settings(**changes), SERVER, SecretStr("abc"))


@pytest.mark.parametrize("response", [multipart(FILM), answer(FILM, content_type="application/dicom")])
async def test_instance_is_retrieved_as_it_is_stored(response: httpx.Response) -> None:
    """The file comes byte for byte, as multipart or plain, from the WADO-RS address."""
    archive = Archive(response)

    assert await web_of(archive).retrieve(film_at(ARCHIVE), soon()) == FILM
    assert archive.requests[0].url.path == f"/dicom-web/studies/{STUDY_UID}/series/{SERIES_UID}/instances/{FILM_UID}"
    assert "transfer-syntax=*" in archive.requests[0].headers["accept"]


@pytest.mark.parametrize(
    ("root", "token"),
    [(ARCHIVE, None), (f"{SERVER}/wado", "Bearer abc"), ("https://ehr.example.org/pacs", "Bearer abc")],
)
async def test_token_goes_only_to_the_origin_it_is_for(root: str, token: str | None) -> None:
    """The FHIR server's token is sent to an archive of the same origin and to no other."""
    archive = Archive(multipart(FILM))

    await web_of(archive, allowed_servers=(SERVER, ARCHIVE, "https://ehr.example.org/pacs")).retrieve(
        film_at(root), soon()
    )

    assert archive.requests[0].headers.get("authorization") == token


@pytest.mark.parametrize(
    "root", ["https://evil.example.org/dicom-web", "http://169.254.169.254", "https://pacs.example.org/x", "?"]
)
async def test_archive_that_is_not_allowed_is_not_asked(root: str) -> None:
    """An Endpoint's address is data: it is followed only to where the operator allows."""
    archive = Archive(multipart(FILM))

    with pytest.raises(ServerNotAllowed):
        await web_of(archive).retrieve(film_at(root), soon())
    assert archive.requests == []


async def test_study_without_an_archive_is_another_case_than_a_forbidden_one() -> None:
    """Where neither the study nor the operator names an archive, that is the error: there is nothing to allow."""
    with pytest.raises(NoArchive):
        await web_of(Archive(multipart(FILM))).retrieve(film_at(), soon())


@pytest.mark.parametrize("roots", [(), ("https://evil.example.org/dicom-web",)])
async def test_fallback_is_asked_where_no_endpoint_is_usable(roots: tuple[str, ...]) -> None:
    """Where the study names no archive that may be asked, the operator's own is."""
    archive = Archive(multipart(FILM))

    await web_of(archive, dicomweb_url="https://own.example.org/dicom-web/").retrieve(film_at(*roots), soon())

    assert str(archive.requests[0].url).startswith("https://own.example.org/dicom-web/studies/")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(b"", 404), FhirGone),
        (answer(b"<html>", content_type="text/html"), FhirMalformed),
        (answer(b"cut", content_type="multipart/related; boundary=b"), FhirMalformed),
        (multipart(b"\x89PNG", "image/png"), FhirMalformed),
    ],
)
async def test_answer_without_dicom_is_an_error(response: httpx.Response, error: type[FhirError]) -> None:
    """A picture, a page or half an answer is not the file."""
    with pytest.raises(error):
        await web_of(Archive(response)).retrieve(film_at(ARCHIVE), soon())


async def test_file_beyond_the_limit_is_cut_off() -> None:
    """The size of a film is limited as that of a resource is."""
    with pytest.raises(FhirMalformed, match="FHIR_MAX_BYTES"):
        await web_of(Archive(multipart(FILM)), max_image_bytes=100).retrieve(film_at(ARCHIVE), soon())


async def test_silent_archive_costs_no_more_than_the_deadline() -> None:
    """A film that does not arrive in time is given up."""
    web = DicomWeb(httpx.AsyncClient(transport=httpx.MockTransport(never)), settings())

    with pytest.raises(FhirTimeout):
        await web.retrieve(film_at(ARCHIVE), Deadline.after(0.01))


@pytest.mark.parametrize("response", [answer(b"", 204, ""), answer([], content_type="application/dicom+json")])
async def test_archive_that_finds_nothing_is_no_failure(response: httpx.Response) -> None:
    """Nothing found is 204 or an empty list (PS3.18 10.6.3.1): a study without series, and not an error."""
    lead = Lead(STUDY_UID, None, Source("ImagingStudy/s", "1"), (ARCHIVE,), (ARCHIVE,), (), unlisted=True)

    assert await web_of(Archive(response)).series_of(lead, soon()) == ()


async def test_expired_grant_is_not_shown_to_the_archive() -> None:
    """An archive beside the FHIR server gets no token whose time is over; it is not asked."""
    archive = Archive(multipart(FILM))
    http = httpx.AsyncClient(transport=httpx.MockTransport(archive))
    grant = Grant(SecretStr("abc"), datetime(2020, 1, 1, tzinfo=UTC), "patient/Patient.rs")
    web = DicomWeb(http, settings(), SERVER, GrantAccess(grant))

    with pytest.raises(AccessExpired):
        await web.retrieve(film_at(f"{SERVER}/wado"), soon())
    assert archive.requests == []
