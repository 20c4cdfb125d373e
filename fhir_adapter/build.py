"""Chart -> PatientRecord: every piece with its source, everything else as a gap. The worker runs this."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from fhir_adapter.chart import Chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.gaps import merge_gaps
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.endpoints import ADDRESS
from fhir_adapter.images.films import read_films, read_prior
from fhir_adapter.measurements.observations import read_measurements
from fhir_adapter.notes.documents import read_notes
from fhir_adapter.patient import read_demographics
from fhir_adapter.record import Film, Gap, GapReason, PatientRecord
from fhir_adapter.rest.client import FhirClient

PATIENCE_S: Final = 0.05
"""How much longer than for everything else a prior film is waited for."""


async def build_record(
    chart: Chart,
    client: FhirClient | None,
    dicomweb: DicomWeb | None,
    asked_at: datetime,
    deadline: Deadline,
) -> PatientRecord:
    """Read a chart into the form the model takes, fetching note texts and the film together.

    Args:
        chart: what `collect_chart` found.
        client: fetches notes that lie in a Binary; None where there is no access.
        dicomweb: fetches the film; None where there is no archive.
        asked_at: the moment the question was asked, with its zone.
        deadline: for all fetching and decoding.

    Raises:
        ValueError: `asked_at` has no zone.
    """
    if asked_at.tzinfo is None:
        raise ValueError("asked_at needs a time zone: the record's times have one")
    demographics, about_patient = read_demographics(chart.patient, asked_at)
    measurements, about_numbers = read_measurements(chart.observations, asked_at)
    prior = asyncio.create_task(read_prior(chart, dicomweb, deadline))
    try:
        (notes, about_notes), (films, about_films) = await asyncio.gather(
            read_notes(chart.documents, chart.reports, chart.patient, client, deadline),
            read_films(chart, client, dicomweb, deadline),
        )
        earlier = await _prior_of(films, prior)
    finally:
        prior.cancel()
    record = PatientRecord(demographics, measurements, notes, films)
    about_chart = tuple(gap for gap in chart.gaps if _matters(gap, record))
    gaps = merge_gaps(about_chart, about_patient, about_numbers, about_notes, about_films)
    nothing = tuple(_nothing_on_file(record, gaps))
    return PatientRecord(demographics, measurements, notes, films, merge_gaps(gaps, nothing), earlier)


async def _prior_of(films: Sequence[Film], prior: asyncio.Task[Film | None]) -> Film | None:
    """Return the film before the newest, if it is there by now or almost: no answer waits for a comparison."""
    if not films:
        return None
    await asyncio.wait({prior}, timeout=PATIENCE_S)
    found = prior.result() if prior.done() else None
    return found if found is not None and found.acquired_at < films[0].acquired_at else None


def _matters(gap: Gap, record: PatientRecord) -> bool:
    """Whether a gap of the chart is one of the record: older notes and films are not missed where newer ones are.

    Where a film is missed because its archive is not known, the reader of films has told so.
    """
    if gap.item == ADDRESS:
        return False
    if gap.reason is not GapReason.NEWEST_ONLY:
        return True
    return not {"text": record.notes, "image": record.films}.get(gap.modality)


def _nothing_on_file(record: PatientRecord, gaps: tuple[Gap, ...]) -> Iterator[Gap]:
    """Yield a gap for each kind of evidence that is absent without another reason."""
    explained = {gap.modality for gap in gaps}
    if not record.measurements and "structured" not in explained:
        yield Gap("structured", "measurements", GapReason.MISSING)
    if not record.notes and "text" not in explained:
        yield Gap("text", "clinical note", GapReason.MISSING)
    if not record.films and "image" not in explained:
        yield Gap("image", "radiograph", GapReason.MISSING)
