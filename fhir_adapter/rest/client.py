"""Resource type and parameters -> FHIR resources as plain dicts, from one server.

It does not know which patient is asked about: `collect` checks that; of a Binary it is told.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

import httpx
import orjson
from pydantic import SecretStr

from fhir_adapter.attachments import decode_base64
from fhir_adapter.auth.access import Access, access_of
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRejected,
    FhirUnavailable,
    ForeignPatient,
    ServerNotAllowed,
)
from fhir_adapter.media_types import FHIR_JSON, FORM
from fhir_adapter.references import is_kept_for_another
from fhir_adapter.rest.addresses import is_allowed, is_within, read_url
from fhir_adapter.rest.answers import Answer, parse_json
from fhir_adapter.rest.asking import Asker
from fhir_adapter.rest.batch import batch_bundle, read_batch
from fhir_adapter.rest.bundles import Page, is_subsetted, read_page
from fhir_adapter.rest.capabilities import Capabilities, read_capabilities
from fhir_adapter.rest.memory import KnownCapabilities, make_room, memory_of
from fhir_adapter.rest.paging import Enough, SearchResult, Walk
from fhir_adapter.rest.requests import BINARY, METADATA, Request
from fhir_adapter.settings import FhirSettings
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

# `no-store` would make HAPI cut a search off after one page without saying so.
_HEADERS: Final = {"Accept": FHIR_JSON, "Cache-Control": "no-cache"}
_BINARY_HEADERS: Final = {"Accept": f"{FHIR_JSON}, */*;q=0.1", "Cache-Control": "no-cache"}
# With any other type HAPI ignores the form, and answers with everybody's data.
_FORM: Final = {**_HEADERS, "Content-Type": FORM}
_BUNDLE: Final = {**_HEADERS, "Content-Type": FHIR_JSON}
_NO_POST: Final = frozenset({405, 415, 501})
"""Statuses of a server that takes no search by POST."""


def check_allowed(url: str, settings: FhirSettings) -> None:
    """Refuse a base address that is not on, or beneath, an entry of the allow-list.

    Raises:
        ServerNotAllowed: the address is malformed, carries credentials, a query or a fragment, or is not listed.
    """
    target = read_url(url)
    if target is None or target.query or not is_allowed(url, settings.allowed_servers):
        raise ServerNotAllowed("the FHIR server")


class FhirClient:
    """Reads from one FHIR server (R4, R4B or R5) with one access; cheap to make, one per request.

    What holds for longer than a request (connection limits, capabilities, answers with an ETag) is remembered with
    the HTTP client, see `rest.memory`.

    Args:
        http: from `rest.transport.open_http`, shared.
        base_url: of the server.
        access: a bearer token, anything that gives tokens (`auth.access.Access`), or None.
        settings: allow-list and limits.

    Raises:
        ServerNotAllowed: `base_url` is not on the allow-list.
        ValueError: the token cannot be one.
    """

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, access: SecretStr | Access | None, settings: FhirSettings
    ) -> None:
        check_allowed(base_url, settings)
        self.base_url = base_url.rstrip("/")
        self.settings = settings
        self._http = http
        self._base = httpx.URL(self.base_url)
        self.access = access_of(access)
        self._asker = Asker(http, self._base, self.access, settings.max_bytes)
        self._memory = memory_of(http)

    async def read(self, resource_type: str, resource_id: str, deadline: Deadline) -> Resource:
        """Read one resource: `GET [base]/[type]/[id]`; conditional where its ETag is known.

        Raises:
            ValueError: the id is none (programming error: ids are checked where they come in).
            FhirError: see `transport.fetch` and `Access.headers`; FhirMalformed when something else came back.
        """
        request = Request.read_of(resource_type, resource_id)
        url = httpx.URL(f"{self.base_url}/{request.path}")
        answer, key = await self._asker.ask_if_changed(request, url, _HEADERS, deadline)
        resource = parse_json(answer, resource_type)
        if resource.get("resourceType") != resource_type:
            raise FhirMalformed(resource_type, "the server sent a resource of another type")
        if not is_subsetted(resource):
            self._asker.keep(key, answer)
        return resource

    async def search(
        self, resource_type: str, params: Mapping[str, str], deadline: Deadline, *, enough: Enough | None = None
    ) -> SearchResult:
        """Search one type and follow its pages; `FHIR_SEARCH_BY` says whether by GET or by POST.

        Args:
            resource_type: what to search.
            params: of the search, none of them empty.
            deadline: for all pages together.
            enough: ends reading early, see `paging.Enough`.

        Raises:
            ValueError: a parameter is empty. HAPI ignores such a parameter and answers with everybody's data.
            FhirError: the first page could not be read.
        """
        request = Request.search_of(resource_type, params)
        walk = Walk(self._base, self.settings, enough)
        walk.add(*await self._first_page(request, deadline))
        if not await self._read_on(walk, request, deadline):
            return walk.result()
        # The server has forgotten the search between two pages, as HAPI does after a restart: once from the start.
        again = Walk(self._base, self.settings, enough)
        try:
            again.add(*await self._first_page(request, deadline))
        except FhirError:
            return walk.result()
        await self._read_on(again, request, deadline)
        return max(again.result(), walk.result(), key=_worth)

    async def follow(
        self, resource_type: str, first: Page, deadline: Deadline, *, enough: Enough | None = None
    ) -> SearchResult:
        """Read on from the first page of a search; what fails on the way makes the result incomplete, no more."""
        walk = Walk(self._base, self.settings, enough)
        walk.add(first)
        await self._read_on(walk, Request(resource_type, "search"), deadline)
        return walk.result()

    async def batch(
        self, requests: Sequence[Request], deadline: Deadline, *, enough: Sequence[Enough | None] = ()
    ) -> tuple[Resource | SearchResult | FhirError, ...]:
        """Ask several things in one round trip: `POST [base]` with a batch Bundle (R4 http, 3.1.0.11).

        Args:
            requests: what to ask.
            deadline: for the batch and all later pages together.
            enough: for each request what ends the reading of its pages early; nothing does where it is left out.

        Returns:
            For each request, in order: the resource of a read, the result of a search with its later pages, or the
            error that this entry means. What the access does not cover is not sent.

        Raises:
            FhirError: the batch as a whole: FhirRejected or FhirGone where the server takes none; FhirMalformed when
                the answers are not as many as the questions.
        """
        refusals = await asyncio.gather(*(self._asker.refusal(request, deadline) for request in requests))
        limits = enough or [None] * len(requests)
        asked = [(one, most) for one, most, refusal in zip(requests, limits, refusals, strict=True) if refusal is None]
        found = iter(await self._ask_all(asked, deadline) if asked else ())
        return tuple([next(found) if refusal is None else refusal for refusal in refusals])

    async def capabilities(self, deadline: Deadline) -> Capabilities:
        """Return what the server says of itself, asking it (`GET [base]/metadata`) when that was long ago.

        A CapabilityStatement may have megabytes: not for the way of a hook, see `known_capabilities`.

        Raises:
            FhirError: see `transport.fetch`; FhirMalformed when it is of another FHIR version than R4, R4B and R5.
        """
        known = self._memory.capabilities.get(self.base_url)
        if known is not None and known.holds:
            return known.capabilities
        answer = await self._asker.ask(METADATA, httpx.URL(f"{self.base_url}/metadata"), _HEADERS, deadline)
        capabilities = read_capabilities(parse_json(answer, METADATA.resource_type))
        until = time.monotonic() + self.settings.capabilities_s
        make_room(self._memory.capabilities)
        self._memory.capabilities[self.base_url] = KnownCapabilities(capabilities, until)
        return capabilities

    async def learn(self, deadline: Deadline) -> None:
        """Ask the server what it offers, by the way: no more often than `capabilities_s`, also where it fails.

        Raises:
            FhirError: see `capabilities`.
        """
        asked_for_them = self._memory.asked_for_them
        if time.monotonic() < asked_for_them.get(self.base_url, 0.0):
            return
        # An access that may ask nothing any more does not use up the question: the next one may.
        if (refusal := await self._asker.refusal(METADATA, deadline)) is not None:
            raise refusal
        make_room(asked_for_them)
        asked_for_them[self.base_url] = time.monotonic() + self.settings.capabilities_s
        await self.capabilities(deadline)

    def known_capabilities(self) -> Capabilities | None:
        """Return what the server said of itself when it was last asked, however long ago; None when it never was."""
        known = self._memory.capabilities.get(self.base_url)
        return known.capabilities if known else None

    async def fetch_binary(self, url: str, deadline: Deadline, *, patient_id: str = "") -> tuple[bytes, str]:
        """Fetch what an attachment points to: (bytes, content type).

        The address is relative to the base, absolute beneath it, or that of another server on the allow-list, which
        is asked without the access: a token goes to its own server only.

        Args:
            url: the address.
            deadline: for all requests that it takes.
            patient_id: who it has to be of, where a Binary says whose it is; empty: it is not compared.

        Raises:
            ServerNotAllowed: the address lies elsewhere.
            ForeignPatient: the rights to it are those to another patient.
            FhirError: see `transport.fetch`.
        """
        target = self._resolve(url)
        if not is_within(target, self._base):
            answer = await self._elsewhere(target).ask(BINARY, target, _BINARY_HEADERS, deadline)
            return answer.body, answer.content_type
        answer, key = await self._asker.ask_if_changed(BINARY, target, _BINARY_HEADERS, deadline)
        # Servers send a Binary as FHIR JSON or as the bytes themselves, whatever was asked for (R4 Binary).
        content = parse_json(answer, "Binary") if answer.is_json else {}
        if not is_subsetted(content):
            self._asker.keep(key, answer)
        if content.get("resourceType") != "Binary":
            return answer.body, answer.content_type
        if patient_id and is_kept_for_another(content, patient_id, self.base_url):
            raise ForeignPatient(BINARY.resource_type)
        data = _unwrap(content)
        if not data and _is_kept_apart(content):
            kept = target.copy_with(path=f"{target.path}/$binary-access-read", query=b"path=Binary")
            data = (await self._asker.ask(BINARY, kept, _BINARY_HEADERS, deadline)).body
        return data, as_text(content.get("contentType"))

    def _resolve(self, url: str) -> httpx.URL:
        try:
            target = httpx.URL(self.base_url + "/").join(url)
        except (httpx.InvalidURL, ValueError):
            raise ServerNotAllowed("the address of an attachment") from None
        # Checked as it came, too: what httpx makes of an address may look better than what stood there.
        if not is_within(target, self._base) and not is_allowed(url, self.settings.allowed_servers):
            raise ServerNotAllowed("the address of an attachment")
        return target

    def _elsewhere(self, target: httpx.URL) -> Asker:
        """Return who asks another allowed server, without any access; redirects stay beneath its entry of the list."""
        bases = (httpx.URL(str(base)) for base in self.settings.allowed_servers)
        base = next(base for base in bases if is_within(target, base))
        return Asker(self._http, base, access_of(None), self.settings.max_bytes)

    async def _first_page(self, request: Request, deadline: Deadline) -> tuple[Page, int]:
        if self.settings.search_by == "post" and self.base_url not in self._memory.no_post:
            url = httpx.URL(f"{self.base_url}/{request.resource_type}/_search")
            try:
                return _page_of(await self._asker.ask(request, url, _FORM, deadline, request.form.encode()), request)
            except (FhirRejected, FhirUnavailable) as error:
                if error.status not in _NO_POST:
                    raise
            make_room(self._memory.no_post)
            self._memory.no_post.add(self.base_url)
        return await self._page(request, httpx.URL(f"{self.base_url}/{request.path}"), deadline)

    async def _read_on(self, walk: Walk, request: Request, deadline: Deadline) -> bool:
        """Read the pages after those of a walk; True when the server no longer knows of the search."""
        while (url := walk.read_on()) is not None:
            try:
                walk.add(*await self._page(request, url, deadline))
            except FhirGone:
                return True
            except FhirError:
                break
        return False

    async def _page(self, request: Request, url: httpx.URL, deadline: Deadline) -> tuple[Page, int]:
        return _page_of(await self._asker.ask(request, url, _HEADERS, deadline), request)

    async def _ask_all(
        self, questions: Sequence[tuple[Request, Enough | None]], deadline: Deadline
    ) -> Sequence[Resource | SearchResult | FhirError]:
        requests = [request for request, _ in questions]
        body = orjson.dumps(batch_bundle(requests))
        answer = await self._asker.ask(requests[0], self._base, _BUNDLE, deadline, body)
        entries = read_batch(parse_json(answer, "the batch"), requests)

        async def whole(
            request: Request, most: Enough | None, entry: Resource | Page | FhirError
        ) -> Resource | SearchResult | FhirError:
            if not isinstance(entry, Page):
                return entry
            return await self.follow(request.resource_type, entry, deadline, enough=most)

        return await asyncio.gather(*(whole(*pair, entry) for pair, entry in zip(questions, entries, strict=True)))


def _worth(found: SearchResult) -> tuple[bool, int]:
    return found.complete or found.enough, len(found.resources)


def _page_of(answer: Answer, request: Request) -> tuple[Page, int]:
    what = request.resource_type
    return read_page(parse_json(answer, what), what, what, parts=request.wants_parts), len(answer.body)


def _is_kept_apart(binary: Resource) -> bool:
    """Whether HAPI keeps the data of a Binary outside the resource (Binary Access), and did not put it in again."""
    extensions = dicts_of(as_dict(binary.get("_data")).get("extension"))
    return any(as_text(each.get("url")).endswith("/externalized-binary-id") for each in extensions)


def _unwrap(binary: Resource) -> bytes:
    try:
        return decode_base64(as_text(binary.get("data")))
    except ValueError as error:
        raise FhirMalformed("Binary", str(error)) from None
