"""Request and address -> the answer of one server: with the access it needs, and its ETag where one is known."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

import httpx

from fhir_adapter.auth.access import Access
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirRefused
from fhir_adapter.rest.answers import Answer
from fhir_adapter.rest.etags import Key
from fhir_adapter.rest.memory import memory_of
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import IF_NONE_MATCH, Question, fetch


class Asker:
    """Asks one server, in the name of one access.

    Args:
        http: shared.
        base: base address; neither a redirect nor the access leaves it.
        access: asked before every request.
        max_bytes: largest answer taken.
    """

    def __init__(self, http: httpx.AsyncClient, base: httpx.URL, access: Access, max_bytes: int) -> None:
        self._http, self._base, self._access, self._max_bytes = http, base, access, max_bytes
        self._etags = memory_of(http).etags

    async def refusal(self, request: Request, deadline: Deadline) -> FhirRefused | None:
        """Return why this need not be asked, or None.

        Raises:
            FhirError: a token server did not give a token in time.
        """
        try:
            await self._access.headers(request, deadline)
        except FhirRefused as error:
            return error
        return None

    async def ask(
        self,
        request: Request,
        url: httpx.URL,
        headers: Mapping[str, str],
        deadline: Deadline,
        body: bytes | None = None,
    ) -> Answer:
        """Fetch an address beneath the base; a body makes it a POST.

        Raises:
            FhirError: see `transport.fetch` and `Access.headers`.
        """
        access = await self._access.headers(request, deadline)
        try:
            return await self._fetch(request, url, {**headers, **access}, deadline, body)
        except FhirRefused as error:
            if error.status != HTTPStatus.UNAUTHORIZED or not self._access.renew(access):
                raise
        access = await self._access.headers(request, deadline)
        return await self._fetch(request, url, {**headers, **access}, deadline, body)

    async def ask_if_changed(
        self, request: Request, url: httpx.URL, headers: Mapping[str, str], deadline: Deadline
    ) -> tuple[Answer, Key]:
        """Fetch; where the server says that what `keep` took still holds, return that, with what to keep it under.

        Raises:
            FhirError: see `ask`.
        """
        # A server may show one version of a resource to each user differently, under the same ETag.
        access = await self._access.headers(request, deadline)
        whose = hashlib.sha256(repr(sorted(access.items())).encode()).hexdigest()
        key = str(url), headers["Accept"], whose
        kept = self._etags.find(key)
        if kept is None:
            return await self.ask(request, url, headers, deadline), key
        answer = await self.ask(request, url, {**headers, IF_NONE_MATCH: kept.etag}, deadline)
        return kept if answer.status == HTTPStatus.NOT_MODIFIED else answer, key

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep an answer for `ask_if_changed`."""
        self._etags.keep(key, answer)

    async def _fetch(
        self, request: Request, url: httpx.URL, headers: Mapping[str, str], deadline: Deadline, body: bytes | None
    ) -> Answer:
        question = Question(url, headers, self._base, request.resource_type, self._max_bytes, body)
        return await fetch(self._http, question, deadline)
