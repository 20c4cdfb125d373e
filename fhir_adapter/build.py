"""Chart -> PatientRecord: every piece with its source, everything else as a gap. The worker runs this."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime

from fhir_adapter.chart import Chart
from fhir_adapter.client import FhirClient
from fhir_adapter.deadline import Deadline
from fhir_adapter.dicomweb import DicomWeb
from fhir_adapter.films import read_films
from fhir_adapter.gaps import merge_gaps
from fhir_adapter.notes import read_notes
from fhir_adapter.observations import read_measurements
from fhir_adapter.patient import read_demographics
from fhir_adapter.record import Gap, GapReason, PatientRecord


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
    (notes, about_notes), (films, about_films) = await asyncio.gather(
        read_notes(chart.documents, client, deadline),
        read_films(chart.studies, chart.endpoints, dicomweb, deadline),
    )
    gaps = merge_gaps(chart.gaps, about_patient, about_numbers, about_notes, about_films)
    record = PatientRecord(demographics, measurements, notes, films)
    nothing = tuple(_nothing_on_file(record, gaps))
    return PatientRecord(demographics, measurements, notes, films, merge_gaps(gaps, nothing))


def _nothing_on_file(record: PatientRecord, gaps: tuple[Gap, ...]) -> Iterator[Gap]:
    """Yield a gap for each kind of evidence that is absent without another reason."""
    explained = {gap.modality for gap in gaps}
    if not record.measurements and "structured" not in explained:
        yield Gap("structured", "measurements", GapReason.MISSING)
    if not record.notes and "text" not in explained:
        yield Gap("text", "clinical note", GapReason.MISSING)
    if not record.films and "image" not in explained:
        yield Gap("image", "radiograph", GapReason.MISSING)
