"""Address of a film -> its DICOM file, metadata, frame or rendering; study -> its series and instances (PS3.18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

import httpx
from pydantic import SecretStr

from fhir_adapter.auth.access import Access, access_of
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirMalformed, NoArchive, ServerNotAllowed
from fhir_adapter.images.multipart import Part, first_part
from fhir_adapter.images.qido import Row, read_rows
from fhir_adapter.images.studies import FilmAddress, Lead
from fhir_adapter.rest.addresses import is_allowed, read_url, same_origin
from fhir_adapter.rest.answers import Answer
from fhir_adapter.rest.requests import BINARY
from fhir_adapter.rest.transport import Question, fetch
from fhir_adapter.settings import FhirSettings

_WHAT: Final = "the image"
_DICOM: Final = "application/dicom"
_JSON: Final = "application/dicom+json"
_MULTIPART: Final = "multipart/related"
# `transfer-syntax=*` is "as it is stored": without it a server must decompress, and some cannot.
# One media type only: Orthanc does not read a list.
_WHOLE: Final = f'{_MULTIPART}; type="{_DICOM}"; transfer-syntax=*'
_FRAME: Final = f'{_MULTIPART}; type="application/octet-stream"; transfer-syntax=*'
_RENDERED: Final = "image/png"
_PICTURES: Final = frozenset({"image/png", "image/jpeg"})
_SYNTAX_OF: Final = {
    "application/octet-stream": "1.2.840.10008.1.2.1",
    "image/jpeg": "1.2.840.10008.1.2.4.70",
    "image/x-jpeg": "1.2.840.10008.1.2.4.70",
    "image/jls": "1.2.840.10008.1.2.4.80",
    "image/x-jls": "1.2.840.10008.1.2.4.80",
    "image/jp2": "1.2.840.10008.1.2.4.90",
    "image/jphc": "1.2.840.10008.1.2.4.201",
    "image/dicom-rle": "1.2.840.10008.1.2.5",
    "image/x-dicom-rle": "1.2.840.10008.1.2.5",
}
"""Transfer syntax of a frame whose Content-Type does not name one (PS3.18 table 8.7.3-5 and older editions)."""
_METADATA_BYTES: Final = 4 * 2**20
_MOST_SERIES: Final = 50
_MOST_INSTANCES: Final = 200
_SERIES_FIELDS: Final = ("00080060", "0008103E", "00180015", "00181030", "00100020")
"""Modality, SeriesDescription, BodyPartExamined, ProtocolName, PatientID."""
_INSTANCE_FIELDS: Final = (
    "00080008",
    "00080016",
    "00180015",
    "00185101",
    "00280008",
    "00280010",
    "00280011",
    "00080068",
)
"""ImageType, SOPClassUID, BodyPartExamined, ViewPosition, NumberOfFrames, Rows, Columns, PresentationIntentType."""


class DicomWeb:
    """Reads from the image archives that the operator allows.

    Args:
        http: the HTTP client, shared.
        settings: allow-list, fallback root and limits.
        fhir_base_url: where the token belongs; an archive of the same origin gets it, no other does.
        access: the bearer token of the FHIR server, the Access to it, or None. Only its time is checked, not its
            scopes: whether they open the archive too, the archive decides.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: FhirSettings,
        fhir_base_url: str = "",
        access: SecretStr | Access | None = None,
    ) -> None:
        self._http = http
        self._settings = settings
        self._fallback = str(settings.dicomweb_url).rstrip("/") if settings.dicomweb_url else ""
        self._fhir = read_url(fhir_base_url)
        self._access = access_of(access)

    async def retrieve(self, film: FilmAddress, deadline: Deadline) -> bytes:
        """Return one instance as a DICOM file (WADO-RS, PS3.18 section 10.4).

        Raises:
            ServerNotAllowed: no root of the study may be asked, and there is no fallback.
            NoArchive: there is neither a root nor a fallback.
            FhirError: see `transport.fetch`.
        """
        answer = await self._ask(film.roots, _path(film), _WHOLE, self._settings.max_image_bytes, deadline)
        if answer.media_type == _DICOM:
            return answer.body
        part = _part(answer)
        if part.media_type not in (_DICOM, ""):
            raise FhirMalformed(_WHAT, "the archive did not answer with DICOM")
        return part.content

    async def metadata(self, film: FilmAddress, deadline: Deadline) -> Row:
        """Return one instance's header as DICOM JSON, without pixels.

        Raises:
            ServerNotAllowed, FhirError: as `retrieve`.
        """
        answer = await self._ask(film.roots, f"{_path(film)}/metadata", _JSON, _METADATA_BYTES, deadline)
        rows = read_rows(answer.body)
        if len(rows) != 1:
            raise FhirMalformed(_WHAT, "the archive sent the metadata of another number of images than one")
        return rows[0]

    async def frame(self, film: FilmAddress, number: int, deadline: Deadline) -> tuple[bytes, str]:
        """Return (bytes, transfer syntax) of one frame, counted from 1, as it is stored.

        Raises:
            ServerNotAllowed, FhirError: as `retrieve`.
        """
        path = f"{_path(film)}/frames/{number}"
        part = _part(await self._ask(film.roots, path, _FRAME, self._settings.max_image_bytes, deadline))
        syntax = part.transfer_syntax or _SYNTAX_OF.get(part.media_type or "application/octet-stream", "")
        if not syntax:
            raise FhirMalformed(_WHAT, "the archive sent a frame of an unknown kind")
        return part.content, syntax

    async def rendered(self, film: FilmAddress, deadline: Deadline) -> bytes:
        """Return the picture that the archive makes of an instance: PNG or JPEG, grey of 8 bits, polarity applied.

        Raises:
            ServerNotAllowed, FhirError: as `retrieve`.
        """
        path = f"{_path(film)}/rendered"
        answer = await self._ask(film.roots, path, _RENDERED, self._settings.max_image_bytes, deadline)
        if answer.media_type in _PICTURES:
            return answer.body
        part = _part(answer)
        if part.media_type not in _PICTURES:
            raise FhirMalformed(_WHAT, "the archive did not answer with a picture")
        return part.content

    async def series_of(self, lead: Lead, deadline: Deadline) -> tuple[Row, ...]:
        """Return the series of a study (QIDO-RS, PS3.18 section 10.6): one request, at most 50.

        Raises:
            ServerNotAllowed, FhirError: as `retrieve`.
        """
        return await self._search(lead, "series", _SERIES_FIELDS, _MOST_SERIES, deadline)

    async def instances_of(self, lead: Lead, deadline: Deadline) -> tuple[Row, ...]:
        """Return the instances of a study: one request, at most 200.

        Raises:
            ServerNotAllowed, FhirError: as `retrieve`.
        """
        return await self._search(lead, "instances", _INSTANCE_FIELDS, _MOST_INSTANCES, deadline)

    async def _search(
        self, lead: Lead, level: str, fields: Sequence[str], most: int, deadline: Deadline
    ) -> tuple[Row, ...]:
        query = "&".join([f"limit={most}", *(f"includefield={name}" for name in fields)])
        path = f"/studies/{lead.study}/{level}?{query}"
        answer = await self._ask(lead.search_roots, path, _JSON, self._settings.max_bytes, deadline)
        # "Nothing found" is 204 for some archives, an empty list for others (PS3.18 10.6.3.1).
        return () if answer.status == HTTPStatus.NO_CONTENT else read_rows(answer.body)

    async def _ask(self, roots: Sequence[str], path: str, accept: str, max_bytes: int, deadline: Deadline) -> Answer:
        root = self._root(roots)
        headers = {"Accept": accept, **await self._authorization_for(root, deadline)}
        takes = frozenset({HTTPStatus.NO_CONTENT})
        question = Question(httpx.URL(root + path), headers, httpx.URL(root), _WHAT, max_bytes, takes=takes)
        return await fetch(self._http, question, deadline)

    async def _authorization_for(self, root: str, deadline: Deadline) -> Mapping[str, str]:
        """Return the FHIR server's token for an archive of the same origin, nothing for any other."""
        ours = self._fhir is not None and same_origin(httpx.URL(root), self._fhir)
        return await self._access.headers(BINARY, deadline) if ours else {}

    def _root(self, roots: Sequence[str]) -> str:
        bases = (*self._settings.allowed_servers, *([self._fallback] if self._fallback else []))
        for root in (*roots, self._fallback):
            if root and is_allowed(root, bases):
                return root
        raise ServerNotAllowed("the image archive") if roots else NoArchive


def _path(film: FilmAddress) -> str:
    return f"/studies/{film.study}/series/{film.series}/instances/{film.instance}"


def _part(answer: Answer) -> Part:
    if answer.media_type != _MULTIPART:
        raise FhirMalformed(_WHAT, "the archive did not answer with DICOM")
    try:
        return first_part(answer.body, answer.content_type)
    except ValueError as error:
        raise FhirMalformed(_WHAT, str(error)) from None
