"""The first sample patient with a chart of any length: for measuring what a long history costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from pydicom import Dataset

from cds_hooks.sandbox.cases import Case, load_cases
from cds_hooks.sandbox.films import FOLDER, film_instance
from cds_hooks.sandbox.imaging import imaging_study
from cds_hooks.sandbox.patients import Resource, Samples, build_samples, transaction

WITHIN: Final = {
    "Observation": timedelta(days=3),
    "DocumentReference": timedelta(days=30),
    "ImagingStudy": timedelta(days=700),
}
"""How far back the copies reach: as far as the prefetch templates ask, so that none is left out by its date."""


@dataclass(frozen=True, slots=True)
class Length:
    """How many resources of each kind a chart has."""

    observations: int
    documents: int
    studies: int


SHORT: Final = "short-chart"
LONG: Final = "long-chart"
LENGTHS: Final = {SHORT: Length(100, 5, 1), LONG: Length(10_000, 200, 20)}
"""By patient id: the two charts that `bench record` compares."""


def long_chart(patient_id: str, length: Length, now: datetime, dicomweb: str, *, films: Path = FOLDER) -> Samples:
    """Build one patient whose newest values, note and film are those of the first sample patient.

    Older copies of each follow at even distances in time. Arguments and errors as for `patients.sample_patients`.
    """
    case = load_cases()[0].model_copy(update={"id": patient_id, "prior": None})
    original = build_samples([case], now, dicomweb, films=films)
    resources = [entry["resource"] for entry in original.bundle["entry"]]
    others = [one for one in resources if one["resourceType"] not in WITHIN]
    films_made = list(_studies(case, length.studies, now, films))
    made = [
        *others,
        *_copies(resources, "Observation", length.observations, now, "effectiveDateTime"),
        *_copies(resources, "DocumentReference", length.documents, now, "date"),
        *(study for study, _ in films_made),
    ]
    return Samples(transaction(made), tuple(instance for _, instance in films_made))


def prefetch_of(samples: Samples, most: int) -> dict[str, Resource]:
    """Return a prefetch that holds the Patient and so many Observations, half of them called laboratory results."""
    resources = [entry["resource"] for entry in samples.bundle["entry"]]
    numbers = [one for one in resources if one["resourceType"] == "Observation"][:most]
    patient = next(one for one in resources if one["resourceType"] == "Patient")
    halves = {"vitals": numbers[::2], "labs": numbers[1::2], "notes": [], "reports": [], "imaging": []}
    return {"patient": patient} | {key: _searchset(found) for key, found in halves.items()}


def _searchset(resources: list[Resource]) -> Resource:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in resources]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _copies(resources: list[Resource], kind: str, count: int, now: datetime, element: str) -> Iterator[Resource]:
    """Yield resources of a kind over and over, each further in the past than the one before."""
    originals = sorted(
        (one for one in resources if one["resourceType"] == kind), key=lambda one: one[element], reverse=True
    )
    step = WITHIN[kind] * 0.9 / count
    for number, original in enumerate(islice(cycle(originals), count)):
        moment = datetime.fromisoformat(original[element]) if number < len(originals) else now - step * number
        copy = {key: value for key, value in original.items() if key != "hasMember"}
        yield copy | {"id": f"{original['id']}-c{number}", element: moment.isoformat()}


def _studies(case: Case, count: int, now: datetime, films: Path) -> Iterator[tuple[Resource, Dataset]]:
    film = case.radiographs[0]
    step = WITHIN["ImagingStudy"] / count
    for number in range(count):
        minutes = film.minutes_ago + int(step.total_seconds() // 60) * number
        row, under = film.model_copy(update={"minutes_ago": minutes}), f"{case.id}-s{number}"
        # Ids of study and film depend on the case; a case of its own for each gives each ids of its own.
        own = case.model_copy(update={"id": under, "film": row})
        instance = film_instance(own, row, now, films)
        instance.PatientID = case.id
        yield imaging_study(own, row, now, instance) | {"subject": {"reference": f"Patient/{case.id}"}}, instance
