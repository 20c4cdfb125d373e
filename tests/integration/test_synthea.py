"""Every value of the record against the resources it was read from, one by one, over a real HAPI FHIR server."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest
from pydantic import SecretStr

from cds_hooks.sandbox.cases import load_cases
from fhir_adapter.build import build_record
from fhir_adapter.collect import collect_chart
from fhir_adapter.deadline import Deadline
from fhir_adapter.images.dicomweb import DicomWeb
from fhir_adapter.prefetch import TEMPLATES
from fhir_adapter.record import PatientRecord, Source
from fhir_adapter.rest.client import FhirClient
from fhir_adapter.rest.transport import open_http
from tests.integration import synthea
from tests.integration.conftest import NOW, TOKEN, Hospital
from tests.integration.oracle import Json, Reading, is_beyond_the_newest, readings, rule_against, sent

NEEDS_SYNTHEA = pytest.mark.skipif(bool(synthea.why_not()), reason=synthea.why_not() or "the records are there")
pytestmark = pytest.mark.hapi

DEMO = [case.id for case in load_cases()]
EVERYBODY = [*(pytest.param(name, marks=NEEDS_SYNTHEA) for name in synthea.NAMES), *DEMO]
ON_FILE = ("wbc", "crp", "procalcitonin", "spo2", "temperature", "heart_rate", "respiratory_rate")


class Patient:
    """One patient as loaded, and the record that is read."""

    def __init__(self, hospital: Hospital, name: str) -> None:
        self.hospital = hospital
        self.id, self.source = _loaded(hospital, name)
        self.record = asyncio.run(self._read())

    async def _read(self) -> PatientRecord:
        settings, token, deadline = self.hospital.settings, SecretStr(TOKEN), Deadline.after(30)
        async with open_http(settings) as http:
            client = FhirClient(http, self.hospital.fhir, token, settings)
            chart = await collect_chart(None, client, self.id, deadline, asked_at=NOW)
            archive = DicomWeb(http, settings, self.hospital.fhir, token)
            return await build_record(chart, client, archive, NOW, deadline)

    def found(self, *keys: str) -> list[Json]:
        """Return what the server must find of the source for prefetch keys, each resource once."""
        today = NOW.date()
        mine = [one for one in self.source if self.id in str(one.get("subject"))]
        parts = [one for key in keys for one in sent(TEMPLATES[key], mine, today)]
        return list({one["id"]: one for one in parts}.values())

    def readings(self) -> list[Reading]:
        """Return every number that the record must account for."""
        return list(readings(self.found("vitals", "labs")))

    def version(self, source: Source) -> str:
        """Return the version that the server now has of a source."""
        return str(self.hospital.get(source.reference)["meta"]["versionId"])


def _loaded(hospital: Hospital, name: str) -> tuple[str, list[Json]]:
    if name in DEMO:
        return name, [entry["resource"] for entry in hospital.samples.bundle["entry"]]
    return synthea.patient_id(name), synthea.resources(name, NOW)


@pytest.fixture(scope="module")
def patient_of(hospital: Hospital) -> Callable[[str], Patient]:
    """Read each patient once."""
    known: dict[str, Patient] = {}

    def read(name: str) -> Patient:
        if name not in known:
            known[name] = Patient(hospital, name)
        return known[name]

    return read


@pytest.fixture
def patient(request: pytest.FixtureRequest, patient_of: Callable[[str], Patient]) -> Patient:
    return patient_of(request.param)


everybody = partial(pytest.mark.parametrize, "patient", indirect=True)


@everybody(EVERYBODY)
def test_every_measurement_is_one_number_of_the_source(patient: Patient) -> None:
    """Code, value in its unit, and instant of each measurement are those of exactly one Observation or component."""
    expected = patient.readings()
    found = {one: [reading for reading in expected if reading.is_read_as(one)] for one in patient.record.measurements}

    assert {one: len(matches) for one, matches in found.items()} == dict.fromkeys(found, 1)


@everybody(EVERYBODY)
def test_every_number_of_the_source_is_in_the_record(patient: Patient) -> None:
    """What the server finds, and has a code of the table, is a measurement or is left out by a rule that is told."""
    record, expected = patient.record, patient.readings()
    absent = [one for one in expected if not any(one.is_read_as(measured) for measured in record.measurements)]
    categories = [patient.found("vitals"), patient.found("labs")]
    old = {one for one in absent if any(is_beyond_the_newest(one, each, record.measurements) for each in categories)}
    rules = {one: rule_against(one, record.measurements, record.gaps, NOW) for one in absent if one not in old}

    assert [one for one, rule in rules.items() if rule is None] == []
    assert len(record.measurements) == len(expected) - len(absent)


@everybody(EVERYBODY)
def test_versions_are_those_of_the_server(patient: Patient) -> None:
    """Every piece of the record cites the version that the server has."""
    record = patient.record
    sources = {record.demographics.source}
    for pieces in (record.measurements, record.notes, record.films):
        sources |= {piece.source for piece in pieces}

    assert {source: source.version for source in sources} == {source: patient.version(source) for source in sources}


@everybody(EVERYBODY)
def test_demographics_are_those_of_the_source(patient: Patient) -> None:
    """Birth date and sex are as written, and the record is about this patient."""
    (written,) = [one for one in patient.source if one["resourceType"] == "Patient" and one["id"] == patient.id]
    read = patient.record.demographics

    assert (str(read.birth_date), read.sex) == (written["birthDate"], written["gender"])
    assert read.source.reference == f"Patient/{patient.id}"


@everybody(EVERYBODY)
def test_every_note_is_one_of_the_source(patient: Patient) -> None:
    """Each note has the whole text, date and title of one DocumentReference, whether inline or in a Binary."""
    binaries = {f"Binary/{one['id']}": one["data"] for one in patient.source if one["resourceType"] == "Binary"}
    written = {}
    for one in patient.found("notes"):
        attachment = one["content"][0]["attachment"]
        data = attachment.get("data") or binaries[attachment["url"]]
        text = base64.b64decode(data).decode()
        written[f"DocumentReference/{one['id']}"] = (text, one["type"]["text"], datetime.fromisoformat(one["date"]))
    read = {one.source.reference: (one.text, one.title, one.written_at) for one in patient.record.notes}

    assert read == written


@everybody(EVERYBODY)
def test_films_are_those_of_the_studies(patient: Patient) -> None:
    """The newest study with a chest radiograph gives the film, an older one the prior; their UIDs are the source's."""
    studies = sorted(
        (one for one in patient.found("imaging") if _shows_the_chest(one)),
        key=lambda one: datetime.fromisoformat(one["started"]),
        reverse=True,
    )
    written = [_instance(one) for one in studies[:2]]
    films = [*patient.record.films, *([patient.record.prior] if patient.record.prior else [])]
    read = [
        (film.source.reference, film.file.study, film.file.series, film.file.instance) for film in films if film.file
    ]

    assert read == written


def _shows_the_chest(study: Json) -> bool:
    series = study["series"][0]
    return series["modality"]["code"] in ("CR", "DX", "RG") and series["bodySite"]["display"] in ("Thorax", "Chest")


def _instance(study: Json) -> tuple[str, str, str, str]:
    series = study["series"][0]
    study_uid = study["identifier"][0]["value"].removeprefix("urn:oid:")
    return f"ImagingStudy/{study['id']}", study_uid, series["uid"], series["instance"][0]["uid"]


@NEEDS_SYNTHEA
@pytest.mark.parametrize("name", synthea.NAMES)
def test_there_is_something_to_compare(patient_of: Callable[[str], Patient], name: str) -> None:
    """Each Synthea patient, the child as well, has every kind of vital sign and blood value of an acute illness."""
    counted = Counter(one.key for one in patient_of(name).record.measurements)

    assert {key: counted[key] > 0 for key in ON_FILE} == dict.fromkeys(ON_FILE, True)


def test_demo_patients_have_every_kind(patient_of: Callable[[str], Patient]) -> None:
    """Together the demo patients have numbers, notes, films and a prior film: no comparison above is of nothing."""
    records = [patient_of(name).record for name in DEMO]
    counts = [sum(len(getattr(one, part)) for one in records) for part in ("measurements", "notes", "films")]

    assert min(counts) >= 5
    assert any(one.prior for one in records)
