from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file

from inference.training.data.codes import UNSTATED
from inference.training.data.fhir_export import NO_FILE, NOT_FRONTAL, read_fhir_export
from inference.training.data.fhir_files import read_export
from inference.training.data.fhir_label import NO_DIAGNOSIS
from inference.training.data.films import FolderError
from tests.inference.training.data.layouts import bundle, fhir_patient, save_film, write_fhir_export

SYNTHEA = Path(__file__).parents[5] / "shared" / "data" / "fhir-r4-synthea"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_fhir_export(tmp_path / "export")


def add(folder: Path, resources: list[dict[str, Any]], number: int = 4) -> None:
    """Add one more patient with a film."""
    (folder / f"{number}.json").write_bytes(bundle(*resources))
    save_film(folder / "images" / f"1.2.3.{number}.png", number)


def part(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(resource for resource in resources if resource["resourceType"] == kind)


def test_conditions_and_reports_are_the_label(folder: Path) -> None:
    """A stated cause is a label, and "no pneumonia" is what a report says."""
    dataset = read_fhir_export(folder)

    assert {film.patient: film.label for film in dataset.films} == {"p1": 1, "p2": 2, "p3": 0}
    assert not dataset.left_out


def test_chart_is_read_as_at_the_bedside(folder: Path) -> None:
    """Age by the calendar, values in their unit, and the note that was there before the film was read."""
    dataset = read_fhir_export(folder)
    case = dataset.source.cases(dataset.films, draw=0)[0]

    assert case.values == {"age": 36.0, "female": 1.0, "crp": 84.0}
    assert case.hours["crp"] == 5
    assert case.note == "Fever and cough for three days."


def test_bulk_export_reads_as_bundles_do(folder: Path, tmp_path: Path) -> None:
    """One resource a line, `Type/id` references, in any order of files: the same charts."""
    bulk = tmp_path / "bulk"
    bulk.mkdir()
    for name in ("one", "two", "three"):
        entries = json.loads((folder / f"{name}.json").read_text().replace("urn:uuid:p", "Patient/p"))["entry"]
        for resource in (entry["resource"] for entry in entries):
            line = json.dumps(resource).replace("urn:uuid:i", "ImagingStudy/i")
            with (bulk / f"{resource['resourceType']}.ndjson").open("a") as lines:
                lines.write(f"{line}\n")
    (folder / "images").rename(bulk / "images")
    found = read_fhir_export(bulk)

    assert {film.patient: film.label for film in found.films} == {"p1": 1, "p2": 2, "p3": 0}
    assert found.source.cases(found.films, draw=0)[0].values["crp"] == 84


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": {"coding": [{"system": "http://snomed.info/sct", "code": "233604007"}]}}, UNSTATED),
        ({"onsetDateTime": "2023-01-01"}, NO_DIAGNOSIS),
        ({"verificationStatus": {"coding": [{"code": "refuted"}]}}, NO_DIAGNOSIS),
        ({"onsetDateTime": "2024-03-01", "abatementDateTime": "2024-02-01"}, NO_DIAGNOSIS),
    ],
)
def test_condition_of_another_illness_is_no_label(folder: Path, change: dict[str, Any], reason: str) -> None:
    """A pneumonia of another time, one that was ruled out, and one without a cause are counted and left out."""
    resources = fhir_patient(4)
    part(resources, "Condition").update(change)
    add(folder, resources)

    assert read_fhir_export(folder).left_out == {reason: 1}


def test_condition_of_the_same_encounter_counts_whenever_it_was_dated(folder: Path) -> None:
    """The encounter joins film and diagnosis more surely than dates do."""
    resources = fhir_patient(4)
    encounter = {"encounter": {"reference": "Encounter/e"}}
    part(resources, "Condition").update(encounter | {"onsetDateTime": "2024-01-01"})
    part(resources, "ImagingStudy").update(encounter)
    add(folder, resources)

    assert len(read_fhir_export(folder).films) == 4


def test_note_in_a_binary_of_the_export_is_read(folder: Path) -> None:
    """Bulk exports keep a document's text in a Binary: no server is asked for it."""
    resources = fhir_patient(4)
    part(resources, "DocumentReference")["content"] = [{"attachment": {"contentType": "text/plain", "url": "Binary/b"}}]
    text = base64.b64encode(b"Wheeze since yesterday.").decode()
    add(folder, [*resources, {"resourceType": "Binary", "id": "b", "contentType": "text/plain", "data": text}])
    dataset = read_fhir_export(folder)
    film = next(film for film in dataset.films if film.patient == "p4")

    assert dataset.source.cases([film], draw=0)[0].note == "Wheeze since yesterday."


@pytest.mark.parametrize(
    "change", [{}, {"date": "2024-03-04T09:59:00Z", "context": {"related": [{"reference": "ImagingStudy/i4"}]}}]
)
def test_report_of_the_film_is_never_its_note(folder: Path, change: dict[str, Any]) -> None:
    """A document dated to the day alone, or one about an imaging study, may hold the answer."""
    resources = fhir_patient(4)
    resources.remove(part(resources, "DocumentReference"))
    part(resources, "DocumentReference").update(change)
    add(folder, resources)
    dataset = read_fhir_export(folder)
    film = next(film for film in dataset.films if film.patient == "p4")

    assert dataset.source.cases([film], draw=0)[0].note is None


def test_report_of_another_study_says_nothing_of_this_one(folder: Path) -> None:
    """Only what was concluded about the film itself makes it normal."""
    resources = fhir_patient(4, "", report="281900007")
    part(resources, "DiagnosticReport")["imagingStudy"] = [{"reference": "ImagingStudy/i3"}]
    add(folder, resources)

    assert read_fhir_export(folder).left_out == {NO_DIAGNOSIS: 1}


def test_identical_films_of_two_patients_share_a_group(folder: Path) -> None:
    """A copy under another name must not stand on another side."""
    add(folder, fhir_patient(4))
    save_film(folder / "images" / "1.2.3.4.png", 1)
    groups = {film.patient: film.group for film in read_fhir_export(folder).films}

    assert groups["p4"] == groups["p1"]


@pytest.mark.parametrize(("view", "left_out"), [("LL", {NOT_FRONTAL: 1}), ("", {}), ("AP", {})])
def test_view_is_read_from_the_dicom_file(folder: Path, view: str, left_out: dict[str, int]) -> None:
    """A lateral film is left out and counted; one that does not state its view counts as frontal."""
    add(folder, fhir_patient(4))
    (folder / "images" / "1.2.3.4.png").unlink()
    dataset = pydicom.dcmread(str(get_testdata_file("RG1_J2KI.dcm")))
    dataset.ViewPosition = view
    dataset.save_as(folder / "images" / "1.2.3.4.dcm")

    assert read_fhir_export(folder).left_out == left_out


def test_folder_without_pixels_says_so_for_each_patient(folder: Path) -> None:
    """Charts alone cannot train a model that looks at films: every patient's file is named, with the reason."""
    for path in (folder / "images").iterdir():
        path.unlink()

    with pytest.raises(FolderError, match=rf"one\.json: {NO_FILE}.*three\.json: {NO_FILE}.*two\.json: {NO_FILE}"):
        read_fhir_export(folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("bad.json", "{", r"bad\.json is not JSON"),
        ("bad.ndjson", '\n{"resourceType": "Patient"}\n[]', r"bad\.ndjson line 3 is no FHIR resource"),
        ("images/9.9.png", "", r"9\.9\.png is no instance of an ImagingStudy"),
        (
            "again.json",
            '{"resourceType": "Patient", "id": "p1", "birthDate": "1990-01-01"}',
            r"describe one patient differently",
        ),
    ],
)
def test_broken_export_is_refused_by_file(folder: Path, name: str, content: str, message: str) -> None:
    """What cannot be read, or belongs to nobody, is an error that names the file."""
    (folder / name).write_text(content)

    with pytest.raises(FolderError, match=message):
        read_fhir_export(folder)


def test_folder_without_patients_is_refused(tmp_path: Path) -> None:
    """The message says which files are expected."""
    with pytest.raises(FolderError, match=r"has no Patient.*\.ndjson"):
        read_export(tmp_path)


def test_the_synthetic_patients_have_no_pixels() -> None:
    """Synthea writes no chest film: all six bundles are named."""
    if not SYNTHEA.is_dir():
        pytest.skip("the bundles are not here: ../shared/data/fhir-r4-synthea")
    with pytest.raises(FolderError) as caught:
        read_fhir_export(SYNTHEA)

    assert all(f"{path.name}: no pixels of the chest" in str(caught.value) for path in SYNTHEA.glob("*.json"))
