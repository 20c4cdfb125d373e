"""Patient -> Demographics: birth date and sex, nothing that identifies."""

from __future__ import annotations

from datetime import datetime
from typing import Final, get_args

from fhir_adapter.dates import read_birth_date
from fhir_adapter.record import Demographics, Gap, GapReason, Sex
from fhir_adapter.references import source_of
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of

_SEXES: Final[dict[str, Sex]] = {sex: sex for sex in get_args(Sex)}
_OLDEST_Y: Final = 130
_TEST_DATA: Final = ("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST")


def read_demographics(patient: Resource, asked_at: datetime) -> tuple[Demographics, tuple[Gap, ...]]:
    """Read Patient.birthDate and Patient.gender (R4 AdministrativeGender), and say what is missing."""
    gaps: list[Gap] = []
    raw = patient.get("birthDate")
    born = read_birth_date(raw)
    if born is None:
        reason = GapReason.MISSING if raw is None else GapReason.UNREADABLE
        gaps.append(Gap("patient", "date of birth", reason))
    elif not 0 <= (asked_at.date() - born).days <= _OLDEST_Y * 366:
        born = None
        gaps.append(Gap("patient", "date of birth", GapReason.IMPLAUSIBLE))
    elif isinstance(raw, str) and len(raw) < len("2024-03-05"):
        gaps.append(Gap("patient", "date of birth", GapReason.INCOMPLETE, "the day is not known"))
    sex = _SEXES.get(as_text(patient.get("gender")), "unknown")
    if sex == "unknown":
        gaps.append(Gap("patient", "sex", GapReason.MISSING))
    return Demographics(born, sex, source_of(patient), _is_test_data(patient)), tuple(gaps)


def _is_test_data(patient: Resource) -> bool:
    """Say whether Resource.meta marks the record as test data, by tag or by security label."""
    meta = as_dict(patient.get("meta"))
    labels = (*dicts_of(meta.get("tag")), *dicts_of(meta.get("security")))
    return any((label.get("system"), label.get("code")) == _TEST_DATA for label in labels)
