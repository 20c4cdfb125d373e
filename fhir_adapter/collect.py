"""Prefetch and FHIR server -> Chart: fetches only what is missing, all at once, within the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from fhir_adapter.bounded import SECOND_LOOKS, query_for, unseen
from fhir_adapter.chart import Chart, unique
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import (
    ChartUnavailable,
    FhirError,
    FhirGone,
    FhirRefused,
    FhirRejected,
    FhirTimeout,
    ForeignPatient,
)
from fhir_adapter.gaps import gap_of, merge_gaps
from fhir_adapter.images.endpoints import ADDRESS, missing_endpoints
from fhir_adapter.lookup import Lookup
from fhir_adapter.prefetch import Part, Query, State, read_prefetch, resolve
from fhir_adapter.record import Gap, GapReason, Modality
from fhir_adapter.references import is_fhir_id, is_foreign
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.paging import SearchResult
from fhir_adapter.shape import Resource

log = structlog.get_logger(__name__)

_ITEMS: Final[dict[str, tuple[Modality, str]]] = {
    "vitals": ("structured", "vital signs"),
    "labs": ("structured", "laboratory results"),
    "notes": ("text", "clinical notes"),
    "reports": ("text", "diagnostic reports"),
    "imaging": ("image", "radiograph"),
    "media": ("image", "photographed radiograph"),
}
_NUMBERS: Final[tuple[Modality, str]] = ("structured", "measurements")
_OPTIONAL: Final = frozenset({"reports", "media"})
"""Parts that many servers do not have, or do not open to us: that they were not to be had is no news."""
_REASON_OF_STATE: Final = {
    State.NONE: (GapReason.MISSING, ""),
    State.REFUSED: (GapReason.REFUSED, ""),
    State.FAILED: (GapReason.FAILED, ""),
    State.ABSENT: (GapReason.NO_ACCESS, "it was not sent along"),
}


@dataclass(frozen=True, slots=True)
class _Question:
    """Whose chart, by which searches, by when."""

    patient_id: str
    base_url: str
    queries: Mapping[str, Query]
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class _Found:
    """What became of one part; `cut` when there is more than the newest that were read."""

    resources: tuple[Resource, ...] = ()
    others: tuple[Resource, ...] = ()
    gaps: tuple[Gap, ...] = ()
    cut: bool = False


async def collect_chart(
    prefetch: Mapping[str, Any] | None,
    client: FhirClient | None,
    patient_id: str,
    deadline: Deadline,
    *,
    asked_at: datetime | None = None,
) -> Chart:
    """Collect the chart of one patient.

    What is read is bounded: as many of the newest as the templates ask for, and, where there are more results than
    that, a further search by code for the quantities that are not among them.

    Args:
        prefetch: as it stands in the hook request.
        client: reads what was not prefetched; None where the request gives no access.
        patient_id: `context.patientId`.
        deadline: for everything together.
        asked_at: the day the date bounds count back from; today (UTC) where not given.

    Raises:
        ValueError: `patient_id` is not a FHIR id.
        ForeignPatient: a prefetched resource, or the Patient that was read, is of somebody else.
        FhirMalformed: a prefetched value of the wrong type.
        ChartUnavailable: there is no Patient resource; the hook answers 412.
    """
    if not is_fhir_id(patient_id):
        raise ValueError("context.patientId is not a FHIR id")
    base_url = client.base_url if client else ""
    parts = read_prefetch(prefetch, patient_id, base_url)
    today = (asked_at or datetime.now(UTC)).astimezone(UTC).date()
    question = _Question(patient_id, base_url, {key: resolve(key, patient_id, today) for key in _ITEMS}, deadline)
    lookup = _ask(parts, client, question) if client else None
    reads = [_find_part(key, parts[key], lookup, question) for key in _ITEMS]
    patient, found = await asyncio.gather(_find_patient(parts["patient"], lookup, question), asyncio.gather(*reads))
    if isinstance(patient, FhirError):
        raise patient
    vitals, labs, notes, reports, imaging, media = found
    numbers = _Found(vitals.resources + labs.resources, cut=vitals.cut or labs.cut)
    numbers = await _look_again(numbers, lookup, question)
    return Chart(
        patient,
        observations=unique(numbers.resources),
        documents=unique(notes.resources),
        reports=unique(reports.resources),
        studies=unique(imaging.resources),
        media=unique(media.resources),
        endpoints=unique(imaging.others),
        gaps=merge_gaps(*(part.gaps for part in found), numbers.gaps),
    )


def _ask(parts: Mapping[str, Part], client: FhirClient, question: _Question) -> Lookup:
    """Begin to ask for what was not sent along."""
    lacking = {key for key, part in parts.items() if part.state is State.ABSENT}
    patient_id = question.patient_id if "patient" in lacking else None
    queries = [query for key, query in question.queries.items() if key in lacking]
    return Lookup.to(client, patient_id, queries, question.deadline)


async def _find_patient(part: Part, lookup: Lookup | None, question: _Question) -> Resource | FhirError:
    """Return the Patient, or the error to raise once the other reads have ended."""
    if part.state is State.GIVEN:
        return part.page.matches[0]
    if part.state is not State.ABSENT or lookup is None:
        return ChartUnavailable(_REASON_OF_STATE[part.state][0])
    try:
        patient = await lookup.patient(question.patient_id)
    except FhirError as error:
        return ChartUnavailable(gap_of(error, "patient", "demographics").reason)
    return ForeignPatient("Patient") if is_foreign(patient, question.patient_id) else patient


async def _find_part(key: str, part: Part, lookup: Lookup | None, question: _Question) -> _Found:
    try:
        found = await _complete(key, part, lookup, question)
        if key == "imaging" and lookup is not None:
            return await _with_endpoints(found, lookup.client, question.deadline)
    except FhirError as error:
        return _without(key, part, error)
    return found


def _without(key: str, part: Part, error: FhirError) -> _Found:
    """Return what is left of a part that could not be fetched: what was given, and why there is no more."""
    if part.state is State.GIVEN:
        log.warning("part_not_completed", part=key, error=type(error).__name__)
        # What is only late is the worker's to fetch, which it knows by this reason.
        return _incomplete(key, part, GapReason.TIMEOUT if isinstance(error, FhirTimeout) else GapReason.INCOMPLETE)
    if key in _OPTIONAL and isinstance(error, (FhirGone, FhirRefused, FhirRejected)):
        log.info("part_not_offered", part=key, error=type(error).__name__)
        return _Found()
    log.warning("part_not_collected", part=key, error=type(error).__name__)
    return _Found(gaps=(gap_of(error, *_ITEMS[key]),))


async def _complete(key: str, part: Part, lookup: Lookup | None, question: _Question) -> _Found:
    """Take what was given and read on, or fetch what was not."""
    query = question.queries[key]
    if part.state is State.NONE:
        # The client has none: the same as an empty Bundle, so that the chart is the same one too.
        return _Found()
    if part.state is State.GIVEN and not part.lacks_more(query):
        # `read_prefetch` has checked whose these are.
        return _given(key, part)
    if part.state is State.GIVEN and lookup is None:
        return _incomplete(key, part)
    if part.state not in (State.ABSENT, State.GIVEN) or lookup is None:
        return _missing(key, *_REASON_OF_STATE[part.state])
    return await _fetch(key, part, lookup, question)


async def _fetch(key: str, part: Part, lookup: Lookup, question: _Question) -> _Found:
    about, query = _ITEMS[key], question.queries[key]
    if part.page.next_url:
        return _checked(await lookup.follow(query, part.page), query, question, about)
    if not lookup.offers(query.resource_type):
        if part.state is State.GIVEN:
            return _incomplete(key, part)
        return _missing(key, GapReason.MISSING, "the FHIR server does not offer it")
    return _checked(await lookup.search(query), query, question, about)


def _given(key: str, part: Part) -> _Found:
    """Return a part that was sent along as far as it was asked for."""
    return _Found(part.page.matches, part.page.others, _cut(_ITEMS[key], cut=part.has_more), cut=part.has_more)


def _incomplete(key: str, part: Part, reason: GapReason = GapReason.INCOMPLETE) -> _Found:
    """Return a part that was sent along, and why there is no more of it."""
    return _Found(part.page.matches, part.page.others, (Gap(*_ITEMS[key], reason),))


def _cut(about: tuple[Modality, str], *, cut: bool) -> tuple[Gap, ...]:
    """Say that there are older ones; of numbers that is known only after the second look."""
    return (Gap(*about, GapReason.NEWEST_ONLY),) if cut and about[0] != "structured" else ()


def _missing(key: str, reason: GapReason, detail: str) -> _Found:
    return _Found() if key in _OPTIONAL else _Found(gaps=(Gap(*_ITEMS[key], reason, detail),))


def _checked(result: SearchResult, query: Query, question: _Question, about: tuple[Modality, str]) -> _Found:
    """Make sure whose resources these are: a server that ignores a filter answers with everybody's, as HAPI may.

    Raises:
        ForeignPatient: one is of somebody else.
    """
    everything = result.resources + result.included
    if any(is_foreign(resource, question.patient_id, question.base_url) for resource in everything):
        raise ForeignPatient(query.resource_type)
    whole = result.complete or result.enough
    gaps = _cut(about, cut=result.enough) if whole else (Gap(*about, GapReason.INCOMPLETE),)
    return _Found(result.resources, result.included, gaps, cut=result.enough)


async def _look_again(numbers: _Found, lookup: Lookup | None, question: _Question) -> _Found:
    """Where only the newest results were read, search for the quantities that are not among them."""
    for _ in range(SECOND_LOOKS):
        missing = unseen(numbers.resources) if numbers.cut else ()
        if not missing or lookup is None:
            break
        query = query_for(missing, question.queries["labs"])
        try:
            more = _checked(await lookup.search(query), query, question, _NUMBERS)
        except FhirError as error:
            log.warning("second_look_failed", error=type(error).__name__)
            break
        numbers = _Found(numbers.resources + more.resources, gaps=more.gaps, cut=more.cut)
    still = numbers.cut and bool(unseen(numbers.resources))
    return replace(numbers, gaps=numbers.gaps + ((Gap(*_NUMBERS, GapReason.NEWEST_ONLY),) if still else ()))


async def _with_endpoints(found: _Found, client: FhirClient, deadline: Deadline) -> _Found:
    """Read the Endpoints the studies refer to; why one cannot be read is for the film to tell, if it is missed."""

    async def read(endpoint_id: str) -> Resource | Gap:
        try:
            return await client.read("Endpoint", endpoint_id, deadline)
        except FhirError as error:
            log.warning("endpoint_not_read", error=type(error).__name__)
            return gap_of(error, "image", ADDRESS)

    wanted = missing_endpoints(found.resources, found.others, client.base_url)
    read_now = await asyncio.gather(*(read(endpoint_id) for endpoint_id in wanted))
    others = tuple(endpoint for endpoint in read_now if isinstance(endpoint, dict))
    gaps = tuple(gap for gap in read_now if isinstance(gap, Gap))
    return replace(found, others=found.others + others, gaps=found.gaps + gaps)
