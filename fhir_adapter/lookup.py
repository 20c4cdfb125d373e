"""The questions of one chart -> their answers: one request each, or all in one batch where the operator wants that.

It does not know which patient is asked about, nor what becomes of an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final, Self

from fhir_adapter.bounded import enough_for
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, FhirGone, FhirRefused, FhirRejected, FhirUnavailable
from fhir_adapter.prefetch import Query
from fhir_adapter.rest.bundles import Page
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.paging import SearchResult
from fhir_adapter.rest.requests import Request
from fhir_adapter.shape import Resource

_NO_BATCH: Final = (FhirGone, FhirRejected, FhirRefused)
"""What a server answers that takes no batch, or not from us: then each question is asked by itself. 501 is another."""
Batched = tuple[Resource | SearchResult | FhirError, ...]


class Lookup:
    """What one server is asked for one chart, within one deadline."""

    def __init__(self, client: FhirClient, deadline: Deadline) -> None:
        self.client = client
        self._deadline = deadline
        self._places: dict[str, int] = {}
        self._batch: asyncio.Task[Batched] | None = None

    @classmethod
    def to(cls, client: FhirClient, patient_id: str | None, queries: Sequence[Query], deadline: Deadline) -> Self:
        """Return the answers to a read of the Patient (None: not needed) and to searches; a batch is sent at once."""
        lookup = cls(client, deadline)
        offered = [query for query in queries if lookup.offers(query.resource_type)]
        asked = [Request.read_of("Patient", patient_id)] if patient_id else []
        asked += [lookup._request(query) for query in offered]
        if client.settings.batch and len(asked) > 1:
            lookup._places = {request.path: place for place, request in enumerate(asked)}
            most = [None] * (len(asked) - len(offered)) + [enough_for(query) for query in offered]
            lookup._batch = asyncio.create_task(client.batch(asked, deadline, enough=most))
        return lookup

    async def patient(self, patient_id: str) -> Resource:
        """Return the Patient.

        Raises:
            FhirError: see `FhirClient.read`.
        """
        found = await self._batched(Request.read_of("Patient", patient_id))
        return found if isinstance(found, dict) else await self.client.read("Patient", patient_id, self._deadline)

    async def search(self, query: Query) -> SearchResult:
        """Return what a search found, its newest matches as far as the query asks for.

        Raises:
            FhirError: see `FhirClient.search`.
        """
        request = self._request(query)
        found = await self._batched(request)
        if isinstance(found, SearchResult):
            return found
        return await self.client.search(query.resource_type, request.params, self._deadline, enough=enough_for(query))

    async def follow(self, query: Query, first: Page) -> SearchResult:
        """Read on from a page that was given.

        Raises:
            FhirError: see `FhirClient.follow`.
        """
        return await self.client.follow(query.resource_type, first, self._deadline, enough=enough_for(query))

    def offers(self, resource_type: str) -> bool:
        """Whether a type can be searched, as far as is known of the server: what it does not list is not asked for."""
        known = self.client.known_capabilities()
        return known is None or not known.types or known.serves(resource_type)

    def _request(self, query: Query) -> Request:
        count = min(self.client.settings.page_size, int(query.params["_count"]))
        return Request.search_of(query.resource_type, {**query.params, "_count": str(count)})

    async def _batched(self, request: Request) -> Resource | SearchResult | None:
        """Return the answer of the batch, or None where it was not asked for there, or the server takes none."""
        place = self._places.get(request.path)
        if self._batch is None or place is None:
            return None
        try:
            found = (await asyncio.shield(self._batch))[place]
        except _NO_BATCH:
            return None
        except FhirUnavailable as error:
            if error.status != HTTPStatus.NOT_IMPLEMENTED:
                raise
            return None
        if isinstance(found, FhirError):
            raise found
        return found
