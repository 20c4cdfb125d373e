"""One patient's record from end to end, as the service reads it: counts, codes and times, never a name or a value."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from pydantic import HttpUrl

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.collect import collect_chart
from fhir_adapter.errors import FhirError
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.images.studies import find_films
from fhir_adapter.measurements.observations import read_measurements
from fhir_adapter.media_types import media_type
from fhir_adapter.record import PatientRecord
from fhir_adapter.references import is_fhir_id, split_reference
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.settings import FhirSettings
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of
from fhir_adapter.survey.asking import describe
from fhir_adapter.survey.findings import Finding, Verdict, shown, skipped
from fhir_adapter.survey.pages import page_of
from fhir_adapter.survey.searches import NOT_ACCEPTED, TOKEN_MISSING
from fhir_adapter.survey.visit import Visit

BUDGET_MS: Final = 500.0
"""What CDS Hooks asks a whole answer to take at most (2.0, performance)."""
_SHARE: Final = 0.8
"""Of the budget; the rest is for judging."""
_WORD: Final = 16
"""Longest code string of DICOM (PS3.5, CS)."""
_PARTS: Final = ("measurements", "notes", "film", "gaps")
_TELLING: Final = ("ImagingStudy", "DocumentReference", "Observation")
"""Whoever has one of these has a record worth reading."""


async def check_patient(visit: Visit) -> tuple[Finding, ...]:
    """Read the patient's record; fills in `patient_id`, `chart` and `record`."""
    read = await _read(visit)
    chart = await _collect(visit) if read.verdict is Verdict.OK else _not_read("chart", read)
    record = await _build(visit) if visit.chart is not None else _not_read("record", chart)
    if visit.record is None or visit.chart is None:
        return (read, chart, record, *(_not_read(part, record) for part in _PARTS))
    return read, chart, record, *describe_record(visit.record, visit.chart, visit.asked_at)


def _not_read(part: str, because: Finding) -> Finding:
    why = because.sentence if because.verdict is Verdict.SKIPPED else "the Patient or the chart was not read"
    return skipped(f"patient/{part}", why)


async def choose_patient(visit: Visit) -> Finding:
    """Take the patient named, or somebody where the operator allows that; fills in `patient_id`."""
    part = "patient/chosen"
    if visit.patient_id:
        return Finding(part, Verdict.OK, "the patient was named")
    if not visit.target.any_patient:
        return skipped(part, "no patient was named: --patient ID, or --any-patient to read the record of somebody")
    for kind in (*_TELLING, "Patient"):
        page = page_of(await visit.asker.search(kind, {"_count": "1"}), kind)
        if not isinstance(page, str) and page.matches and (own_id := _patient_of(page.matches[0], visit.base_url)):
            visit.patient_id = own_id
            return Finding(part, Verdict.OK, f"somebody was taken: the patient of the first {kind}")
    return Finding(part, Verdict.WARN, "no patient could be found by searching: name one")


def _patient_of(resource: Resource, base_url: str) -> str:
    """Return the id of the patient whom a resource is about, or an empty string."""
    if resource.get("resourceType") == "Patient":
        own_id = as_text(resource.get("id"))
        return own_id if is_fhir_id(own_id) else ""
    found = split_reference(as_text(as_dict(resource.get("subject")).get("reference")), base_url)
    return found[1] if found is not None and found[0] == "Patient" else ""


async def _read(visit: Visit) -> Finding:
    """Read the Patient, and see whether versions are kept (R4 http, ETag)."""
    part = "patient/read"
    if not visit.patient_id:
        return skipped(part, "no patient was named")
    reply = await visit.asker.get(f"{visit.base_url}/Patient/{visit.patient_id}")
    patient = reply.resource()
    if reply.status == 401 and visit.token is None:
        return skipped(part, TOKEN_MISSING)
    if reply.status != 200 or patient.get("resourceType") != "Patient":
        advice = {401: NOT_ACCEPTED, 403: "Please let our client read Patient: scope patient/Patient.r."}.get(
            reply.status, ""
        )
        gone = reply.status in (404, 410)
        sentence = f"the Patient cannot be read: {describe(reply)}" + (": is the id right?" if gone else "")
        return Finding(part, Verdict.MISSING if gone else Verdict.FAILED, sentence, reply.ms, advice)
    if patient.get("id") != visit.patient_id:
        return Finding(part, Verdict.FAILED, "DANGER: another Patient than the one asked for was sent", reply.ms)
    known = [name for name, field in (("birth date", "birthDate"), ("sex", "gender")) if patient.get(field)]
    versioned = bool(as_dict(patient.get("meta")).get("versionId"))
    versions = "versions are kept" if versioned else "no versions: contents are compared instead"
    tag = " and ETag sent" if "etag" in reply.headers else ""
    return Finding(part, Verdict.OK, f"with {' and '.join(known) or 'neither age nor sex'}; {versions}{tag}", reply.ms)


def readers(visit: Visit) -> tuple[FhirClient, DicomWeb]:
    """Return what the service reads with; beyond its allow-list only what this visit was sent to may be asked."""
    target = visit.target
    extra = tuple(HttpUrl(url) for url in (visit.base_url, target.dicomweb_url) if url)
    settings: FhirSettings = visit.settings.model_copy(
        update={
            "allowed_servers": (*visit.settings.allowed_servers, *extra),
            "dicomweb_url": HttpUrl(target.dicomweb_url) if target.dicomweb_url else visit.settings.dicomweb_url,
        }
    )
    client = FhirClient(visit.http, visit.base_url, visit.token, settings)
    return client, DicomWeb(visit.http, settings, visit.base_url, visit.token)


async def _collect(visit: Visit) -> Finding:
    """Collect the chart as a hook without prefetch does."""
    part, start = "patient/chart", time.perf_counter()
    try:
        client, _ = readers(visit)
        chart = await collect_chart(None, client, visit.patient_id, visit.deadline, asked_at=visit.asked_at)
    except FhirError as error:
        return Finding(part, Verdict.FAILED, f"no chart: {error}", _since(start))
    visit.chart, ms = chart, _since(start)
    sentence = f"{_inventory(chart)}; {ms / BUDGET_MS:.0%} of the {BUDGET_MS:.0f} ms that a hook may take"
    if ms <= _SHARE * BUDGET_MS:
        return Finding(part, Verdict.OK, sentence, ms)
    advice = (
        "Reading the record takes longer than CDS Hooks gives a whole answer. Please send our prefetch templates along "
        "with each hook, or let us know how searches can be made faster."
    )
    return Finding(part, Verdict.WARN, sentence, ms, advice)


def _inventory(chart: Chart) -> str:
    counts = Counter(as_text(resource.get("resourceType")) for resource in chart.resources())
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if kind != "Patient") or "the Patient alone"


async def _build(visit: Visit) -> Finding:
    """Build the record as the worker does: texts and films fetched, numbers read."""
    part, start = "patient/record", time.perf_counter()
    chart = visit.chart
    if chart is None:
        return skipped(part, "no chart")
    try:
        client, dicomweb = readers(visit)
        visit.record = await build_record(chart, client, dicomweb, visit.asked_at, visit.deadline)
    except FhirError as error:
        return Finding(part, Verdict.FAILED, f"no record: {error}", _since(start))
    return Finding(part, Verdict.OK, "texts and film fetched, numbers read", _since(start))


def describe_record(record: PatientRecord, chart: Chart, asked_at: datetime) -> tuple[Finding, ...]:
    """Say what a record holds: of each kind how much and from when, and what is missing as a card would say it."""
    start = time.perf_counter()
    read_measurements(chart.observations, asked_at)
    return _measurements(record, _since(start)), _notes(record, chart.documents), _film(record, chart), _gaps(record)


def _measurements(record: PatientRecord, ms: float) -> Finding:
    """Say how many numbers there are; `ms` is what reading them takes by itself."""
    part = "patient/measurements"
    if not record.measurements:
        return Finding(part, Verdict.WARN, "none that can be used", ms)
    counts = Counter(found.key for found in record.measurements)
    newest: dict[str, list[str]] = {}
    # They come newest first, so that a key is met first with its newest time.
    for key, found in {found.key: found for found in reversed(record.measurements)}.items():
        newest.setdefault(_moment(found.taken_at), []).append(f"{key} {counts[key]}")
    told = "; ".join(f"{', '.join(newest[when])}, newest {when}" for when in sorted(newest, reverse=True))
    return Finding(part, Verdict.OK, f"{len(record.measurements)} numbers of {len(counts)} quantities: {told}", ms)


def _notes(record: PatientRecord, documents: Iterable[Resource]) -> Finding:
    """Say of how many notes there is a text, and in which forms documents came."""
    part = "patient/notes"
    forms = Counter(
        shown(media_type(as_text(as_dict(content.get("attachment")).get("contentType")))) or "no content type"
        for document in documents
        for content in dicts_of(document.get("content"))
    )
    came = ", ".join(f"{count} {form}" for form, count in forms.most_common(6)) or "none"
    if not record.notes:
        return Finding(part, Verdict.WARN, f"none that can be used; documents on file: {came}")
    newest, lengths = max(note.written_at for note in record.notes), [len(note.text) for note in record.notes]
    length = " to ".join(dict.fromkeys((str(min(lengths)), str(max(lengths)))))
    told = f"{len(lengths)} of {length} characters, newest {_moment(newest)}"
    return Finding(part, Verdict.OK, f"{told}; documents on file: {came}")


def _film(record: PatientRecord, chart: Chart) -> Finding:
    part = "patient/film"
    candidates, _ = find_films(chart.studies, chart.endpoints)
    if not record.films:
        why = next((str(gap) for gap in record.gaps if gap.modality == "image"), "radiograph: not on file")
        return Finding(part, Verdict.WARN, f"{why}; {len(candidates)} candidate images in {len(chart.studies)} studies")
    film = record.films[0]
    height, width = film.pixels.shape
    view = f"{shown(film.modality, _WORD)} {shown(film.view, _WORD) or 'view not stated'}"
    earlier = "an earlier one too" if record.prior is not None else "no earlier one"
    return Finding(part, Verdict.OK, f"{view}, {width} x {height}, taken {_moment(film.acquired_at)}; {earlier}")


def _gaps(record: PatientRecord) -> Finding:
    """Say what a card would say is missing."""
    part = "patient/gaps"
    if not record.gaps:
        return Finding(part, Verdict.OK, "nothing is missing")
    return Finding(part, Verdict.WARN, "a card would say: " + "; ".join(str(gap) for gap in record.gaps))


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000
