"""Files of other people's systems; those outside the repository are skipped where they are absent."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import orjson
import pytest
from pydicom.data import get_testdata_file

from fhir_adapter.build import build_record
from fhir_adapter.chart import Chart
from fhir_adapter.collect import collect_chart
from fhir_adapter.images.dicom import DicomFilm, decode_film
from fhir_adapter.measurements.observations import read_measurements
from fhir_adapter.notes.documents import read_notes
from fhir_adapter.record import GapReason
from fhir_adapter.references import is_foreign
from tests.fhir_adapter.builders import ASKED_AT, DATA, Json, bundle, patient, soon

CHILD = "fhir-r4-synthea/1232783.json"


def shared(name: str) -> bytes:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not here: it belongs to ../shared/data, which is not part of the repository")
    return path.read_bytes()


def packaged(name: str) -> DicomFilm:
    path = get_testdata_file(name, download=False)
    assert path is not None, "pydicom-data is part of the extra [demo]"
    return decode_film(Path(str(path)).read_bytes())


def synthea() -> list[Json]:
    return [entry["resource"] for entry in orjson.loads(shared(CHILD))["entry"]]


def of_type(resources: list[Json], name: str) -> tuple[Json, ...]:
    return tuple(resource for resource in resources if resource["resourceType"] == name)


def test_jpeg_baseline_film_is_read() -> None:
    """A film compressed with JPEG baseline is decoded, with its view."""
    film = decode_film(shared("dicom/cr-chest-jpeg-baseline.dcm"))

    assert (film.pixels.shape, film.view, film.modality, film.body_part) == ((1024, 1024), "PA", "CR", "CHEST")
    # Bone white: the shoulder and spine are brighter than the lung.
    assert film.pixels[:, 480:544].mean() > film.pixels[300:600, 250:350].mean()


def test_monochrome1_film_is_the_inverse() -> None:
    """Of two files with the same stored pixels, the one called MONOCHROME1 shows the inverse."""
    plain = decode_film(shared("dicom/cr-chest-jpeg-baseline.dcm")).pixels
    inverted = decode_film(shared("dicom/cr-chest-monochrome1.dcm")).pixels

    assert np.allclose(inverted, 1 - plain, atol=1e-6)


def test_jpeg_2000_film_is_read() -> None:
    """A 15-bit MONOCHROME1 film compressed with JPEG 2000 is decoded, bone white."""
    film = packaged("RG1_J2KI.dcm")

    assert (film.pixels.shape, film.view, film.body_part) == ((1955, 1841), "PA", "CHEST")
    assert film.pixels[400:1200, 880:960].mean() > film.pixels[400:1200, 450:600].mean() + 0.1


def test_extremity_says_that_it_is_one() -> None:
    """A leg is read as well; what it shows is for the model's scope to judge."""
    assert packaged("RG3_J2KI.dcm").body_part == "EXTREMITY"


def test_all_results_of_a_synthetic_child_are_read() -> None:
    """Of 857 Observations every one with a known code is read, and none is refused."""
    measurements, gaps = read_measurements(of_type(synthea(), "Observation"), ASKED_AT)

    assert Counter(found.key for found in measurements) == {
        **dict.fromkeys(("systolic", "diastolic", "heart_rate", "respiratory_rate", "weight"), 26),
        **dict.fromkeys(("wbc", "haemoglobin", "haematocrit", "platelets"), 16),
        **dict.fromkeys(("neutrophils", "lymphocytes", "sodium", "potassium", "glucose", "creatinine"), 14),
        **dict.fromkeys(("urea_nitrogen", "albumin", "bilirubin", "alt", "fio2"), 14),
        **dict.fromkeys(("ph_arterial", "pco2_arterial", "po2_arterial", "bicarbonate_arterial"), 14),
        **dict.fromkeys(("crp", "procalcitonin", "d_dimer_feu", "troponin_i_hs"), 7),
        "temperature": 18,
        "spo2": 29,
        "height": 11,
    }
    assert gaps == ()


async def test_record_of_a_synthetic_child() -> None:
    """A chart of another system becomes a record: age and sex known, wrist film and missing notes named."""
    resources = synthea()
    [child] = of_type(resources, "Patient")
    prefetch = {
        "patient": child,
        "vitals": bundle(*of_type(resources, "Observation")),
        "labs": None,
        "notes": None,
        "imaging": bundle(*of_type(resources, "ImagingStudy")),
    }

    chart = await collect_chart(prefetch, None, child["id"], soon())
    record = await build_record(Chart.from_json(chart.to_json()), None, None, ASKED_AT, soon())

    assert (record.demographics.sex, str(record.demographics.birth_date)) == ("male", "2012-03-14")
    assert {(gap.modality, gap.reason, gap.detail) for gap in record.gaps} == {
        ("text", GapReason.MISSING, ""),
        ("image", GapReason.MISSING, "the radiograph on file does not show the chest"),
    }


def test_every_resource_of_a_synthetic_child_is_theirs() -> None:
    """References as urn:uuid are understood: all of the chart is this child's, and nobody else's."""
    resources = synthea()
    [child] = of_type(resources, "Patient")
    mine = of_type(resources, "Observation") + of_type(resources, "ImagingStudy")

    assert not any(is_foreign(resource, child["id"]) for resource in mine)
    assert all(is_foreign(resource, "somebody-else") for resource in mine)


def test_us_core_example_names_the_preferred_code() -> None:
    """A US Core pulse oximetry with three codes is one saturation, and its component the flow of oxygen."""
    example = orjson.loads(shared("fhir-us-core-notes/observation-satO2-fiO2.json"))

    found, gaps = read_measurements([example], ASKED_AT)

    assert [(each.key, each.loinc, each.value) for each in found] == [
        ("spo2", "59408-5", 95),
        ("oxygen_flow", "3151-8", 6),
    ]
    assert gaps == ()
    assert found[0].taken_at == datetime.fromisoformat("2014-12-05T09:30:10+01:00")


async def test_us_core_note_without_a_date_says_so() -> None:
    """The US Core discharge summary has no date of any kind."""
    example = orjson.loads(shared("fhir-us-core-notes/documentreference-discharge-summary.json"))

    notes, (gap,) = await read_notes([example], (), {}, None, soon())

    assert (notes, gap.detail) == ((), "it is not dated")


@pytest.mark.parametrize(("born", "read"), [("1987-02-20", True), ("1987", True), ("2024-03-05", False)])
async def test_us_core_c_cda_is_read_for_its_own_patient(born: str, read: bool) -> None:  # noqa: FBT001 - a table's column
    """The C-CDA of the US Core examples is about somebody born on 20 February 1987, and read for nobody else."""
    example = orjson.loads(shared("fhir-us-core-notes/documentreference-episode-summary.json"))

    notes, gaps = await read_notes([example], (), patient(birthDate=born), None, soon())

    assert [len(note.sections) for note in notes] == ([15] if read else [])
    assert [gap.detail for gap in gaps] == ([] if read else ["it names another patient"])


async def test_us_core_note_is_read_once_it_is_dated() -> None:
    """The US Core discharge summary is plain text in base64."""
    example = orjson.loads(shared("fhir-us-core-notes/documentreference-discharge-summary.json"))

    (note,), _ = await read_notes([{**example, "date": "2026-11-24"}], (), {}, None, soon())

    assert note.text.startswith("No activity restriction, regular diet")
    assert note.title == "Discharge Summary"
