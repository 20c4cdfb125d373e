"""Address of a film -> its DICOM file, over WADO-RS (DICOM PS3.18 section 10.4)."""

from __future__ import annotations

from typing import Final

import httpx
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirMalformed, ServerNotAllowed
from fhir_adapter.images.multipart import first_part
from fhir_adapter.images.studies import FilmAddress
from fhir_adapter.rest.addresses import is_allowed, read_url, same_origin
from fhir_adapter.rest.transport import Question, bearer, fetch
from fhir_adapter.settings import FhirSettings

# `transfer-syntax=*` is "as it is stored": without it a server must decompress, and some cannot.
# One media type only: Orthanc does not read a list.
_ACCEPT: Final = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_DICOM: Final = "application/dicom"


class DicomWeb:
    """Reads instances from the image archives that the operator allows.

    Args:
        http: the HTTP client, shared.
        settings: allow-list, fallback root and limits.
        fhir_base_url: where the token belongs; an archive of the same origin gets it, no other does.
        token: the bearer token of the FHIR server, or None.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        settings: FhirSettings,
        fhir_base_url: str = "",
        token: SecretStr | None = None,
    ) -> None:
        self._http = http
        self._settings = settings
        self._fallback = str(settings.dicomweb_url).rstrip("/") if settings.dicomweb_url else ""
        self._fhir = read_url(fhir_base_url)
        self._authorization = bearer(token)

    async def retrieve(self, film: FilmAddress, deadline: Deadline) -> bytes:
        """Return one instance as a DICOM file.

        Raises:
            ServerNotAllowed: neither a root of the study nor the fallback may be asked.
            FhirError: see `transport.fetch`.
        """
        root = self._root(film)
        url = httpx.URL(f"{root}/studies/{film.study}/series/{film.series}/instances/{film.instance}")
        headers = {"Accept": _ACCEPT, **self._authorization_for(url)}
        question = Question(url, headers, httpx.URL(root), "the image", self._settings.max_bytes)
        answer = await fetch(self._http, question, deadline)
        if answer.media_type == _DICOM:
            return answer.body
        if answer.media_type != "multipart/related":
            raise FhirMalformed("the image", "the archive did not answer with DICOM")
        try:
            content, kind = first_part(answer.body, answer.content_type)
        except ValueError as error:
            raise FhirMalformed("the image", str(error)) from None
        if kind not in (_DICOM, ""):
            raise FhirMalformed("the image", "the archive did not answer with DICOM")
        return content

    def _root(self, film: FilmAddress) -> str:
        bases = (*self._settings.allowed_servers, *([self._fallback] if self._fallback else []))
        for root in (*film.roots, self._fallback):
            if root and is_allowed(root, bases):
                return root
        raise ServerNotAllowed("the image archive")

    def _authorization_for(self, url: httpx.URL) -> dict[str, str]:
        return self._authorization if self._fhir is not None and same_origin(url, self._fhir) else {}
