from datetime import date

import pytest

from fhir_adapter.patient import read_demographics
from fhir_adapter.record import GapReason
from tests.fhir_adapter.builders import ASKED_AT, patient


def test_demographics_hold_nothing_that_identifies() -> None:
    """Of a Patient only birth date, sex and the source are kept."""
    named = patient(name=[{"family": "Doe"}], identifier=[{"value": "secret-7"}])

    read, gaps = read_demographics(named, ASKED_AT)

    assert (read.birth_date, read.sex, str(read.source)) == (date(2024, 3, 5), "female", "Patient/child-1/_history/1")
    assert gaps == ()


@pytest.mark.parametrize(
    ("value", "born", "reason"),
    [
        (None, None, GapReason.MISSING),
        ("unknown", None, GapReason.UNREADABLE),
        (5, None, GapReason.UNREADABLE),
        ("2027-01-01", None, GapReason.IMPLAUSIBLE),
        ("2023", date(2023, 7, 1), GapReason.INCOMPLETE),
        ("2023-05", date(2023, 5, 15), GapReason.INCOMPLETE),
    ],
)
def test_birth_date_that_is_not_exact_leaves_a_gap(value: object, born: date | None, reason: GapReason) -> None:
    """An absent, unreadable, future or vague birth date is said to be so."""
    read, gaps = read_demographics(patient(birthDate=value), ASKED_AT)

    assert read.birth_date == born
    assert [(gap.item, gap.reason) for gap in gaps] == [("date of birth", reason)]


@pytest.mark.parametrize("gender", [None, "f", "FEMALE", 1, ["female"], "unknown"])
def test_sex_outside_the_value_set_is_unknown(gender: object) -> None:
    """Only the codes of FHIR are read as a sex; anything else is unknown, and said so."""
    read, gaps = read_demographics(patient(gender=gender), ASKED_AT)

    assert read.sex == "unknown"
    assert [(gap.item, gap.reason) for gap in gaps] == [("sex", GapReason.MISSING)]


@pytest.mark.parametrize("place", ["tag", "security"])
def test_test_data_are_known_as_such(place: str) -> None:
    """A record tagged HTEST is of no real person, and everything made from it can say so."""
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}

    assert read_demographics(patient(meta={place: [label]}), ASKED_AT)[0].test_data
    assert not read_demographics(patient(), ASKED_AT)[0].test_data
