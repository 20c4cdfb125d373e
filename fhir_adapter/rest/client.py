"""Resource type and parameters -> FHIR resources as plain dicts, from one server.

It does not know which patient is asked about: `collect` checks that.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx
import orjson
from pydantic import SecretStr

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, FhirMalformed, ServerNotAllowed
from fhir_adapter.references import is_fhir_id
from fhir_adapter.rest.addresses import is_allowed, is_within, read_url
from fhir_adapter.rest.bundles import Page, read_page
from fhir_adapter.rest.transport import Answer, Question, bearer, fetch
from fhir_adapter.settings import FhirSettings
from fhir_adapter.shape import Resource, as_text

_JSON: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
# `no-store` would make HAPI cut a search off after one page without saying so.
_HEADERS: Final = {"Accept": "application/fhir+json", "Cache-Control": "no-cache"}
_BINARY_HEADERS: Final = {"Accept": "application/fhir+json, */*;q=0.1", "Cache-Control": "no-cache"}

Enough = Callable[[Sequence[Resource]], bool]
"""Whether the resources found so far suffice, so that no further page need be read."""


def _never(_found: Sequence[Resource]) -> bool:
    return False


def check_allowed(url: str, settings: FhirSettings) -> None:
    """Refuse a base address that is not on, or beneath, an entry of the allow-list.

    Raises:
        ServerNotAllowed: the address is malformed, carries credentials, a query or a fragment, or is not listed.
    """
    target = read_url(url)
    if target is None or target.query or not is_allowed(url, settings.allowed_servers):
        raise ServerNotAllowed("the FHIR server")


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        resources: the matches, in the server's order.
        complete: False when there was more that was not read.
        enough: True when reading ended because there was enough; then there may be more.
        included: what the server sent along with them.
    """

    resources: tuple[Resource, ...]
    complete: bool
    included: tuple[Resource, ...] = ()
    enough: bool = False


class FhirClient:
    """Reads from one FHIR R4 server with one token; cheap to make, one per request.

    Raises:
        ServerNotAllowed: `base_url` is not on the allow-list.
        ValueError: the token cannot be one.
    """

    def __init__(self, http: httpx.AsyncClient, base_url: str, token: SecretStr | None, settings: FhirSettings) -> None:
        check_allowed(base_url, settings)
        self.base_url = base_url.rstrip("/")
        self.settings = settings
        self._http = http
        self._base = httpx.URL(self.base_url)
        self._authorization = bearer(token)

    async def read(self, resource_type: str, resource_id: str, deadline: Deadline) -> Resource:
        """Read one resource: `GET [base]/[type]/[id]`.

        Raises:
            ValueError: the id is none (programming error: ids are checked where they come in).
            FhirError: see `transport.fetch`; FhirMalformed when something else came back.
        """
        if not is_fhir_id(resource_id):
            raise ValueError("not a FHIR id: refuse it before reading")
        resource = await self._resource(f"{self.base_url}/{resource_type}/{resource_id}", resource_type, deadline)
        if resource.get("resourceType") != resource_type:
            raise FhirMalformed(resource_type, "the server sent a resource of another type")
        return resource

    async def search(
        self, resource_type: str, params: Mapping[str, str], deadline: Deadline, *, enough: Enough = _never
    ) -> SearchResult:
        """Search one type and follow its pages.

        Raises:
            ValueError: a parameter is empty. HAPI ignores such a parameter and answers with everybody's data.
            FhirError: the first page could not be read.
        """
        if not params or any(not value.strip().strip("/") or value.endswith("/") for value in params.values()):
            raise ValueError("an empty search parameter would match every patient")
        url = httpx.URL(f"{self.base_url}/{resource_type}", params=params)
        bundle = await self._resource(str(url), resource_type, deadline)
        page = read_page(bundle, resource_type, resource_type)
        return await self.follow(resource_type, page, deadline, enough=enough)

    async def follow(
        self, resource_type: str, first: Page, deadline: Deadline, *, enough: Enough = _never
    ) -> SearchResult:
        """Read on from the first page of a search; what fails on the way makes the result incomplete, no more."""
        pages, seen, stopped = [first], set[str](), False
        while (url := pages[-1].next_url) and not pages[-1].empty:
            stopped = enough([resource for page in pages for resource in page.matches])
            if stopped:
                break
            # Links are followed as they stand (HAPI's have no type in the path) and only under our own base:
            # the token goes with them.
            target = read_url(url)
            if target is None or not is_within(target, self._base) or url in seen:
                break
            if len(pages) >= self.settings.max_pages:
                break
            seen.add(url)
            try:
                pages.append(
                    read_page(await self._resource(url, resource_type, deadline), resource_type, resource_type)
                )
            except FhirError:
                break
        return SearchResult(
            resources=tuple(resource for page in pages for resource in page.matches),
            complete=stopped or not pages[-1].next_url,
            included=tuple(resource for page in pages for resource in page.others),
            enough=stopped,
        )

    async def fetch_binary(self, url: str, deadline: Deadline) -> tuple[bytes, str]:
        """Fetch what an attachment points to: (bytes, content type). Relative to the base, or absolute beneath it.

        Raises:
            ServerNotAllowed: the address lies elsewhere.
            FhirError: see `transport.fetch`.
        """
        target = self._resolve(url)
        answer = await self._fetch(target, _BINARY_HEADERS, "Binary", deadline)
        # Servers send a Binary as FHIR JSON or as the bytes themselves, whatever was asked for (R4 Binary).
        if answer.media_type in _JSON:
            content = _parse(answer, "Binary")
            if content.get("resourceType") == "Binary":
                return _unwrap(content), as_text(content.get("contentType"))
        return answer.body, answer.content_type

    def _resolve(self, url: str) -> httpx.URL:
        try:
            target = httpx.URL(self.base_url + "/").join(url)
        except (httpx.InvalidURL, ValueError):
            raise ServerNotAllowed("the address of an attachment") from None
        if not is_within(target, self._base):
            raise ServerNotAllowed("the address of an attachment")
        return target

    async def _resource(self, url: str, what: str, deadline: Deadline) -> Resource:
        answer = await self._fetch(httpx.URL(url), _HEADERS, what, deadline)
        # A proxy's HTML page may come with status 200.
        if answer.media_type not in _JSON:
            raise FhirMalformed(what, "the server did not answer with FHIR JSON")
        return _parse(answer, what)

    async def _fetch(self, url: httpx.URL, headers: Mapping[str, str], what: str, deadline: Deadline) -> Answer:
        question = Question(url, {**headers, **self._authorization}, self._base, what, self.settings.max_bytes)
        return await fetch(self._http, question, deadline)


def _parse(answer: Answer, what: str) -> Resource:
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        # The decoder's message quotes the document.
        raise FhirMalformed(what, "the answer is not JSON") from None
    if not isinstance(content, dict):
        raise FhirMalformed(what, "the answer is not a resource")
    return content


def _unwrap(binary: Resource) -> bytes:
    try:
        return base64.b64decode("".join(as_text(binary.get("data")).split()), validate=True)
    except (binascii.Error, ValueError):
        raise FhirMalformed("Binary", "its base64 is broken") from None
