"""MIMIC-IV 2.x and 3.x -> people, admissions with their diagnosis codes, and measurements around given moments.

Layout: `hosp/patients`, `hosp/admissions`, `hosp/diagnoses_icd`, `hosp/d_labitems`, `hosp/labevents`, `icu/d_items` and
`icu/chartevents`, each `.csv.gz` or `.csv` with the published columns. Dates are shifted, the same for all of one
subject, and have no zone: they are taken as UTC. Large tables are streamed; only what is near a film is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY
from fhir_adapter.measurements.units import to_unit
from fhir_adapter.record import Demographics, Measurement, Sex, Source
from inference.contract import MEASUREMENTS
from inference.training.data.codes import System
from inference.training.data.films import FolderError
from inference.training.data.mimic_items import Item, lab_items, vital_items
from inference.training.data.moment import ASKED_AFTER
from inference.training.data.tables import find_table, number_of, read_rows

SEXES: Final[dict[str, Sex]] = {"F": "female", "M": "male"}
SYSTEMS: Final[dict[str, System]] = {"9": "icd9", "10": "icd10"}
BEFORE: Final = timedelta(
    hours=max(QUANTITY_OF_KEY[slot.key].stale_after_h for slot in MEASUREMENTS if slot.key in QUANTITY_OF_KEY)
)
LIMIT: Final = re.compile(r"\s*(?:[<>]=?|less than|greater than)\s*(\d+(?:\.\d+)?)\s*", re.IGNORECASE)
"""A result beyond the assay's limit; the limit counts, as in `fhir_adapter.measurements.observations`."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One admission: from registration in the emergency department, where there was one, to discharge."""

    admission: str
    start: datetime
    end: datetime


def moment_of(text: str, path: Path, line: int) -> datetime:
    """Read `2180-05-06 22:23:00`.

    Raises:
        FolderError: it is no such moment.
    """
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise FolderError(f"{path} line {line} has no date and time where one belongs: download it again") from None


def read_people(iv: Path, subjects: Collection[str]) -> dict[str, Demographics]:
    """Read sex and birth year; a patient of `anchor_age` in `anchor_year` is taken to be born in the middle of a year.

    Ages above 89 are given as 91 by the data set.
    """
    path = find_table(iv / "hosp", "patients")
    people = {}
    for line, (subject, gender, age, year) in read_rows(path, ("subject_id", "gender", "anchor_age", "anchor_year")):
        if subject not in subjects:
            continue
        if not (age.isdigit() and year.isdigit()):
            raise FolderError(f"{path} line {line} has no anchor age and year: download it again")
        born = date(int(year) - int(age), 7, 1)
        people[subject] = Demographics(born, SEXES.get(gender.strip(), "unknown"), Source("Patient/mimic", str(line)))
    return people


def read_stays(iv: Path, subjects: Collection[str]) -> dict[str, list[Stay]]:
    """Read the admissions of subjects."""
    path = find_table(iv / "hosp", "admissions")
    stays: dict[str, list[Stay]] = defaultdict(list)
    columns = ("subject_id", "hadm_id", "admittime", "dischtime", "edregtime")
    for line, (subject, admission, admitted, discharged, registered) in read_rows(path, columns):
        if subject in subjects:
            start = min(moment_of(text, path, line) for text in (admitted, registered) if text)
            stays[subject].append(Stay(admission, start, moment_of(discharged, path, line)))
    return stays


def read_admission_codes(iv: Path, admissions: Collection[str]) -> dict[str, list[tuple[System, str]]]:
    """Read the diagnosis codes of admissions."""
    path = find_table(iv / "hosp", "diagnoses_icd")
    codes: dict[str, list[tuple[System, str]]] = defaultdict(list)
    for line, (admission, code, version) in read_rows(path, ("hadm_id", "icd_code", "icd_version")):
        if admission not in admissions:
            continue
        if version.strip() not in SYSTEMS:
            raise FolderError(f"{path} line {line} names neither ICD-9 nor ICD-10: download it again")
        codes[admission].append((SYSTEMS[version.strip()], code))
    return codes


def read_events(iv: Path, moments: Mapping[str, Sequence[datetime]]) -> dict[str, list[Measurement]]:
    """Read the laboratory results and vital signs of each subject that lie near one of their films' moments."""
    measured: dict[str, list[Measurement]] = defaultdict(list)
    sorted_moments = {subject: sorted(taken) for subject, taken in moments.items()}
    tables = (
        (find_table(iv / "hosp", "labevents"), lab_items(iv / "hosp")),
        (find_table(iv / "icu", "chartevents"), vital_items(iv / "icu")),
    )
    for path, items in tables:
        for subject, measurement in events_of(path, items, sorted_moments):
            measured[subject].append(measurement)
    return measured


def events_of(
    path: Path, items: Mapping[str, Item], moments: Mapping[str, Sequence[datetime]]
) -> Iterator[tuple[str, Measurement]]:
    """Yield the usable readings of one table, and whose they are."""
    columns = ("subject_id", "itemid", "charttime", "value", "valuenum", "valueuom")
    for line, (subject, itemid, charted, text, number, unit) in read_rows(path, columns):
        item = items.get(itemid)
        if item is None or subject not in moments or not charted:
            continue
        taken_at = moment_of(charted, path, line)
        value = value_of(item, text, number, unit)
        if value is not None and is_near(taken_at, moments[subject]):
            quantity = QUANTITY_OF_KEY[item.quantity]
            source = Source(f"Observation/{path.name.partition('.')[0]}", str(line))
            yield subject, Measurement(item.quantity, item.loinc, value, quantity.unit, taken_at, source)


def value_of(item: Item, text: str, number: str, unit: str) -> float | None:
    """Return a reading in the unit of its quantity; None where it has no number, or an unknown unit."""
    value = number_of(number)
    if value is None and (limit := LIMIT.fullmatch(text)):
        value = float(limit[1])
    if value is None:
        return None
    quantity = QUANTITY_OF_KEY[item.quantity]
    # `insp/min` of the respiratory rate is no UCUM unit, and some items have none at all.
    stated = item.unit if unit.strip() in ("", "insp/min") else unit
    return to_unit(value, stated, quantity)


def is_near(taken_at: datetime, films: Sequence[datetime]) -> bool:
    """Say whether a reading can matter for one of the films, sorted by time."""
    first = bisect_left(films, taken_at - ASKED_AFTER)
    return first < len(films) and films[first] - taken_at <= BEFORE
