"""Interest and a moment -> whose resources changed on a server since then.

Only the subject of each resource is asked for and kept: for more than that the chart is read, patient by patient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from fhir_adapter.dates import read_moment
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirRejected
from fhir_adapter.references import source_of, split_reference
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.paging import SearchResult
from fhir_adapter.shape import Resource, as_dict, as_text
from fhir_adapter.subscriptions.interests import Interest

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""How far a server's clock may be ahead of ours; what was stored later than that was not."""
_STEP: Final = timedelta(milliseconds=1)
"""The finest that servers tell apart."""


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one resource.

    Attributes:
        version: `Type/id/_history/version`, by which it is known again.
        patient_id: id of its subject on this server; empty where it has none, or another server's.
        at: when the server stored it (meta.lastUpdated), None where it does not say.
    """

    version: str
    patient_id: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class News:
    """What one look at a server brought.

    Attributes:
        changes: oldest first.
        complete: False when there was more than the page limit allows: look again from `next_since`.
    """

    changes: tuple[Change, ...]
    complete: bool

    @property
    def newest(self) -> datetime | None:
        """The latest moment among the changes."""
        return max((change.at for change in self.changes if change.at is not None), default=None)

    def up_to(self, latest: datetime) -> News:
        """Return the same changes, where those after a moment tell nothing of the time.

        One resource stored in the year 2999, as a faulty import leaves it, would be the newest for good, and all later
        news older than it. They are sorted: a look that came to such a change has taken in all before it.
        """
        early = tuple(
            change if change.at is None or change.at <= latest else replace(change, at=None) for change in self.changes
        )
        return News(early, self.complete or early != self.changes)

    def next_since(self, since: datetime) -> datetime:
        """Return where the next look begins: at the newest change seen, and never where this one did if it was cut.

        Where more resources than a look can take have one and the same moment, those beyond are passed over.
        """
        newest = max(self.newest or since, since)
        return since + _STEP if not self.complete and newest == since else newest


async def find_news(
    client: FhirClient, interest: Interest, since: datetime, overlap: timedelta, deadline: Deadline
) -> News:
    """Search for what was stored since a moment of the server's clock, in the order in which it was.

    Args:
        client: of the server.
        interest: what to look for.
        since: newest moment that was seen before.
        overlap: how far to look back behind it: a server may show a resource later than one it stored after it.
        deadline: for all pages.

    Raises:
        FhirError: the first page could not be read.
    """
    news = await _look(client, interest, since - overlap, deadline)
    if news.complete or (news.newest or since) > since:
        return news
    # The overlap alone holds more than a look can take: with it there would be no getting on.
    return await _look(client, interest, since, deadline)


async def _look(client: FhirClient, interest: Interest, since: datetime, deadline: Deadline) -> News:
    bound = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    params = {
        **dict(interest.filters),
        "_lastUpdated": f"ge{bound}",
        "_sort": "_lastUpdated",
        "_count": str(client.settings.page_size),
    }
    result = await _search(client, interest.resource_type, params, deadline)
    changes = (change_of(resource, client.base_url) for resource in result.resources)
    return News(tuple(changes), result.complete)


async def _search(
    client: FhirClient, resource_type: str, params: Mapping[str, str], deadline: Deadline
) -> SearchResult:
    """Ask for no more than whose each resource is; a server that refuses to shorten its answers sends all of them."""
    try:
        return await client.search(resource_type, {**params, "_elements": "id,meta,subject"}, deadline)
    except FhirRejected:
        return await client.search(resource_type, params, deadline)


def change_of(resource: Resource, base_url: str) -> Change:
    """Return what a resource says of itself."""
    reference = as_text(as_dict(resource.get("subject")).get("reference"))
    kind, patient_id = split_reference(reference, base_url) or ("", "")
    stored = read_moment(as_dict(resource.get("meta")).get("lastUpdated"))
    return Change(str(source_of(resource)), patient_id if kind == "Patient" else "", stored)


def patients_of(changes: Iterable[Change]) -> tuple[str, ...]:
    """Return the ids of those concerned, each once, in the order of their first change."""
    return tuple(dict.fromkeys(change.patient_id for change in changes if change.patient_id))
