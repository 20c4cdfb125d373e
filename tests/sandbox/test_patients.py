from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from cds_hooks.sandbox.cases import load_cases
from cds_hooks.sandbox.films import FilmMissing
from cds_hooks.sandbox.patients import TEST_DATA, Samples, birth_date, sample_patients
from fhir_adapter.measurements.quantities import QUANTITY_OF_LOINC
from inference.contract import MEASUREMENTS
from tests.sandbox.conftest import NOW

PANELS = {"85354-9", "58410-2"}
NOT_FOR_THE_MODEL = {"weight", "systolic", "diastolic"}


def resources(samples: Samples, kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in samples.bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_bundle_is_valid_fhir(samples: Samples) -> None:
    """The sample patients are valid FHIR R4, resource by resource."""
    assert len(Bundle.model_validate(samples.bundle).entry or ()) == len(samples.bundle["entry"])


def test_all_patients_are_marked_as_test_data(samples: Samples) -> None:
    """Every patient carries the HL7 tag for data that are not about a real person."""
    assert [patient["meta"]["tag"] for patient in resources(samples, "Patient")] == [[TEST_DATA]] * 7


def test_ids_hold_a_letter_and_are_unique(samples: Samples) -> None:
    """HAPI refuses ids of digits only, and an id that comes twice in a transaction."""
    urls = [entry["request"]["url"] for entry in samples.bundle["entry"]]

    assert not [url for url, count in Counter(urls).items() if count > 1]
    assert not [url for url in urls if url.partition("/")[2].isdigit()]


def test_every_reference_of_the_bundle_leads_into_it(samples: Samples) -> None:
    """Nothing refers to a resource that is not sent along."""
    urls = {entry["request"]["url"] for entry in samples.bundle["entry"]}
    members = [item["reference"] for one in resources(samples, "Observation") for item in one.get("hasMember", ())]
    subjects = [one["subject"]["reference"] for kind in ("Observation", "DocumentReference", "ImagingStudy")
                for one in resources(samples, kind)]  # fmt: skip
    binaries = [one["content"][0]["attachment"]["url"] for one in resources(samples, "DocumentReference")
                if "url" in one["content"][0]["attachment"]]  # fmt: skip

    assert members
    assert binaries
    assert {*members, *subjects, *binaries} <= urls


def test_numbers_for_the_model_are_coded_as_the_adapter_expects(samples: Samples) -> None:
    """Each LOINC code of a sample is one the adapter reads, or heads a panel; together they are all the model takes."""
    concepts = [part["code"] for one in resources(samples, "Observation") for part in (one, *one.get("component", ()))]
    codes = {coding["code"] for concept in concepts for coding in concept["coding"]}

    assert codes - PANELS <= QUANTITY_OF_LOINC.keys()
    keys = {QUANTITY_OF_LOINC[code].key for code in codes - PANELS}
    assert keys - NOT_FOR_THE_MODEL == {slot.key for slot in MEASUREMENTS} - {"age", "female"}


@pytest.mark.parametrize("moment", [NOW, datetime(2027, 2, 28, 0, 5, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)])
def test_nothing_is_stale_or_in_the_future(films: Path, moment: datetime) -> None:
    """Whenever the samples are loaded, all but an earlier film was taken within the last twelve hours."""
    samples = sample_patients(moment, "http://x.invalid", films=films)
    times = [
        datetime.fromisoformat(one[name])
        for kind, name in (
            ("Observation", "effectiveDateTime"),
            ("DocumentReference", "date"),
            ("ImagingStudy", "started"),
        )
        for one in resources(samples, kind)
        if not one["id"].endswith("-i0")
    ]

    assert moment - timedelta(hours=12) < min(times)
    assert max(times) <= moment


@pytest.mark.parametrize(
    "today", [NOW.date(), datetime(2028, 2, 29, tzinfo=UTC).date(), datetime(2027, 1, 31, tzinfo=UTC).date()]
)
def test_patients_are_as_old_as_their_case_says(today: Any) -> None:
    """The birth date follows the day the samples are loaded on."""
    for case in load_cases():
        born = birth_date(case, today)
        assert (today.year - born.year) * 12 + today.month - born.month == case.age.years * 12 + case.age.months


def test_samples_use_every_form_a_note_or_a_panel_can_have(samples: Samples) -> None:
    """The adapter meets inline and Binary notes, members and components, and units that must be converted."""
    observations = resources(samples, "Observation")
    units = {one["valueQuantity"]["code"] for one in observations if "valueQuantity" in one}

    assert {"/uL", "10*9/L", "mg/dL", "mg/L", "g/dL"} <= units
    assert {"hasMember", "component"} <= {key for one in observations for key in one}
    assert {"data", "url"} <= {
        key for one in resources(samples, "DocumentReference") for key in one["content"][0]["attachment"]
    }


def test_missing_film_is_said(tmp_path: Path) -> None:
    """Without its films the sandbox does not start with half of its patients."""
    with pytest.raises(FilmMissing, match=r"bacterial\.png is missing"):
        sample_patients(NOW, "http://x.invalid", films=tmp_path)
