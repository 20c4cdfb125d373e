"""Imaging studies -> the newest frontal chest film that can be shown; what cannot becomes a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import DicomUnreadable, FhirError, FhirMalformed, FhirTimeout
from fhir_adapter.gaps import gap_of, merge_gaps
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.studies import ITEM, FilmAddress, find_films
from fhir_adapter.record import Film, Gap, GapReason
from fhir_adapter.shape import Resource

if TYPE_CHECKING:
    from fhir_adapter.images.dicom import DicomFilm

MAX_TRIES: Final = 4
"""Instances fetched before giving up: FHIR rarely says which of a study's films is the frontal one."""
_NEWER: Final = "a newer radiograph than the one used"
_NOT_FRONTAL: Final = frozenset({"LL", "RL", "LATERAL", "LAT", "LLD", "RLD", "LLO", "RLO", "LAO", "RAO", "LPO", "RPO"})
"""DICOM ViewPosition (PS3.3 C.8.7.1.1.1 and in use) of lateral, decubitus and oblique films."""


async def read_films(
    studies: Sequence[Resource],
    endpoints: Sequence[Resource],
    dicomweb: DicomWeb | None,
    deadline: Deadline,
) -> tuple[tuple[Film, ...], tuple[Gap, ...]]:
    """Read one film, the newest that is frontal and readable; where a newer one could not be used, a gap says why."""
    candidates, reasons = find_films(studies, endpoints)
    if not candidates:
        return (), reasons
    if dicomweb is None:
        return (), (Gap("image", ITEM, GapReason.NO_ACCESS, "no image archive is set up"),)
    failed: list[tuple[FilmAddress, Gap]] = []
    for candidate in candidates[:MAX_TRIES]:
        result = await _read(candidate, dicomweb, deadline)
        if isinstance(result, Film):
            # Another view of the same study is no loss; a newer study is.
            newer = [gap for address, gap in failed if address.study != candidate.study]
            return (result,), merge_gaps(tuple(replace(gap, item=_NEWER) for gap in newer))
        failed.append((candidate, result))
    return (), merge_gaps(tuple(gap for _, gap in failed))


async def read_prior(
    studies: Sequence[Resource], endpoints: Sequence[Resource], dicomweb: DicomWeb | None, deadline: Deadline
) -> Film | None:
    """Read the film of the study before the newest, for comparison; None where there is none that can be read.

    One instance is tried: nobody misses a prior film that costs four.
    """
    candidates, _ = find_films(studies, endpoints)
    earlier = next((film for film in candidates if film.study != candidates[0].study), None)
    if earlier is None or dicomweb is None:
        return None
    found = await _read(earlier, dicomweb, deadline)
    return found if isinstance(found, Film) else None


async def _read(candidate: FilmAddress, dicomweb: DicomWeb, deadline: Deadline) -> Film | Gap:
    try:
        data = await dicomweb.retrieve(candidate, deadline)
        film = await _decode(data, deadline)
        if film.file.instance != candidate.instance:
            raise FhirMalformed("the image", "the archive sent another instance than was asked for")
    except DicomUnreadable as error:
        return Gap("image", ITEM, GapReason.UNREADABLE, error.problem)
    except FhirError as error:
        return gap_of(error, "image", ITEM)
    if film.view in _NOT_FRONTAL:
        return Gap("image", ITEM, GapReason.MISSING, "a lateral or oblique view was passed over")
    acquired_at = film.acquired_at or candidate.started
    if acquired_at is None:
        return Gap("image", ITEM, GapReason.UNREADABLE, "it is not dated")
    return Film(film.pixels, film.view, film.modality, film.body_part, acquired_at, candidate.source, film.file)


async def _decode(data: bytes, deadline: Deadline) -> DicomFilm:
    # pydicom takes 0.1 s to import, and a process that only answers hooks never decodes.
    from fhir_adapter.images.dicom import decode_film  # noqa: PLC0415

    try:
        async with asyncio.timeout(deadline.remaining()):
            return await asyncio.to_thread(decode_film, data)
    except TimeoutError:
        raise FhirTimeout("the image") from None
