"""Chart -> the newest frontal chest film that can be shown; what cannot becomes a gap."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirError, ImageUnreadable
from fhir_adapter.gaps import NO_ARCHIVE, gap_of, merge_gaps
from fhir_adapter.images.attached import read_attached
from fhir_adapter.images.choice import why_not
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.endpoints import ADDRESS
from fhir_adapter.images.notices import notices_of
from fhir_adapter.images.qido import choose_films
from fhir_adapter.images.retrieval import retrieve_film
from fhir_adapter.images.studies import ITEM, UNLISTED, FilmAddress, Lead, find_leads
from fhir_adapter.record import Film, Gap, GapReason
from fhir_adapter.rest.client import FhirClient

MAX_TRIES: Final = 4
"""Instances fetched before giving up: FHIR rarely says which of a study's films is the frontal one."""
_NEWER: Final = "a newer radiograph than the one used"
_OF_ADDRESS: Final = "this is about the address of its image archive"
_OF_STUDIES: Final = "a radiograph of the imaging studies"
Films = tuple[tuple[Film, ...], tuple[Gap, ...]]


async def read_films(chart: Chart, client: FhirClient | None, dicomweb: DicomWeb | None, deadline: Deadline) -> Films:
    """Read one film, the newest that is frontal and readable; where a newer one could not be used, a gap says why.

    Imaging studies stand before pictures in Media and DocumentReferences, which say less about themselves.
    """
    films, found_gaps = await _of_studies(chart, dicomweb, deadline)
    gaps = tuple(_with_cause(gap, chart) for gap in found_gaps)
    if films:
        return films, gaps
    attached, about_attached = await read_attached(chart, client, deadline)
    if attached is None:
        return (), merge_gaps(gaps, about_attached)
    passed_over = tuple(replace(gap, item=_OF_STUDIES) for gap in gaps)
    newer = tuple(replace(gap, item=_NEWER) for gap in about_attached)
    return (attached,), merge_gaps(passed_over, newer, notices_of(attached))


async def read_prior(chart: Chart, dicomweb: DicomWeb | None, deadline: Deadline) -> Film | None:
    """Read the film of the study before the newest, for comparison; None where there is none that can be read.

    One instance is tried: nobody misses a prior film that costs four.
    """
    leads, _ = find_leads(chart.studies, chart.endpoints)
    earlier = next((lead for lead in leads if lead.study != leads[0].study), None)
    if earlier is None or dicomweb is None:
        return None
    addresses = await _addresses(earlier, dicomweb, deadline)
    if isinstance(addresses, Gap) or not addresses:
        return None
    found = await _read(addresses[0], dicomweb, deadline)
    return found if isinstance(found, Film) else None


async def _of_studies(chart: Chart, dicomweb: DicomWeb | None, deadline: Deadline) -> Films:
    leads, reasons = find_leads(chart.studies, chart.endpoints)
    if not leads:
        return (), reasons
    if dicomweb is None:
        return (), (Gap("image", ITEM, GapReason.NO_ACCESS, "no image archive is set up"),)
    failed: list[tuple[Lead, Gap]] = []
    tries = MAX_TRIES
    for lead in leads[:MAX_TRIES]:
        addresses = await _addresses(lead, dicomweb, deadline)
        if isinstance(addresses, Gap):
            failed.append((lead, addresses))
            continue
        for address in addresses[:tries]:
            tries -= 1
            result = await _read(address, dicomweb, deadline)
            if isinstance(result, Film):
                return (result,), _told_with(result, lead, failed)
            failed.append((lead, result))
        if not tries:
            break
    return (), merge_gaps(tuple(gap for _, gap in failed))


def _with_cause(gap: Gap, chart: Chart) -> Gap:
    """Return a gap with why the archive is not known, where its address could not be read."""
    cause = next((one for one in chart.gaps if one.item == ADDRESS), None)
    if cause is None or gap.detail != NO_ARCHIVE:
        return gap
    return replace(gap, reason=cause.reason, detail=_OF_ADDRESS)


def _told_with(film: Film, lead: Lead, failed: list[tuple[Lead, Gap]]) -> tuple[Gap, ...]:
    # Another view of the same study is no loss; a newer study is.
    newer = tuple(replace(gap, item=_NEWER) for other, gap in failed if other.study != lead.study)
    return merge_gaps(newer, notices_of(film))


async def _addresses(lead: Lead, dicomweb: DicomWeb, deadline: Deadline) -> tuple[FilmAddress, ...] | Gap:
    """Return the instances that FHIR lists; where it lists none, those that the archive does."""
    if lead.films:
        return lead.films
    try:
        series, instances = await asyncio.gather(
            dicomweb.series_of(lead, deadline), dicomweb.instances_of(lead, deadline)
        )
        films, rule = choose_films(lead, series, instances)
    except FhirError as error:
        return gap_of(error, "image", ITEM)
    if films:
        return films
    return Gap("image", ITEM, GapReason.MISSING, rule.of_study) if rule else UNLISTED


async def _read(address: FilmAddress, dicomweb: DicomWeb, deadline: Deadline) -> Film | Gap:
    try:
        found = await retrieve_film(address, dicomweb, deadline)
    except ImageUnreadable as error:
        return Gap("image", ITEM, GapReason.UNREADABLE, error.problem)
    except FhirError as error:
        return gap_of(error, "image", ITEM)
    film = found.film
    rule = why_not(film.facts, of_file=True)
    if rule is not None:
        return Gap("image", ITEM, GapReason.MISSING, rule.of_file)
    taken_at = film.acquired_at or address.started
    if taken_at is None:
        return Gap("image", ITEM, GapReason.UNREADABLE, "it is not dated")
    return Film(
        pixels=film.pixels,
        view=film.view,
        modality=film.modality,
        body_part=film.body_part,
        acquired_at=taken_at,
        source=address.source,
        file=film.file,
        rendered=found.rendered,
        blanked=found.blanked,
    )
