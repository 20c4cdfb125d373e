"""MIMIC-IV and MIMIC-CXR -> labelled films with the real chart around each.

The label is what the admission was coded with (`diagnosis_codes.toml`); a study without a code of pneumonia is normal
only where CheXpert's labeller read "No Finding". The note is the request of the report, the measurements those near the
film (`inference.training.data.moment`). All patients are adults: which ages are trained on is the recipe's scope.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog

from fhir_adapter.record import Note, PatientRecord, Source
from inference.training.data.case import Case
from inference.training.data.codes import CodeTable, Verdict, read_codes
from inference.training.data.films import LABEL_INDEX, Film, check_classes
from inference.training.data.mimic_cxr import METADATA, ChestFilm, files_of, read_chest_films, read_request
from inference.training.data.mimic_iv import Stay, read_admission_codes, read_events, read_people, read_stays
from inference.training.data.moment import case_at
from inference.training.data.source import Dataset, RecordedSource
from inference.training.data.tables import check_listed, check_present, find_table

log = structlog.get_logger(__name__)

NO_LABEL: Final = "no code of pneumonia, and the report does not say that nothing was found"
REQUEST_SOURCE: Final = Source("DiagnosticReport/mimic-cxr", "1")
NO_PATIENT: Final = "its patient is not in hosp/patients"


@dataclass(frozen=True, slots=True)
class MimicFolders:
    """Where the published files are.

    Attributes:
        iv: folder of MIMIC-IV, with `hosp` and `icu`.
        cxr: folder of MIMIC-CXR-JPG, with the three tables and `files`.
        reports: folder of MIMIC-CXR's reports, with `files`; None where they lie among the images.
    """

    iv: Path
    cxr: Path
    reports: Path | None = None


def read_mimic(folders: MimicFolders, codes: CodeTable | None = None) -> Dataset:
    """Read the films whose diagnosis is known, and their charts.

    Args:
        folders: of the published files; the whole data set takes about a quarter of an hour.
        codes: which codes mean which diagnosis; the shipped table by default.

    Raises:
        FolderError: a file is missing or broken, a film has no row or a row no film, or a diagnosis has no film.
    """
    found = read_chest_films(folders.cxr)
    films, reasons = label_films(folders.iv, found.films, codes or read_codes())
    left_out = found.left_out + reasons
    log.info("mimic_films_labelled", films=len(films), left_out=left_out.total())
    check_classes((film.label for film in films.values()), folders.cxr)
    taken = [film for film in found.films if film.path in films]
    metadata = find_table(folders.cxr, METADATA)
    check_present(metadata, films)
    check_listed(metadata, found.listed, files_of(taken))
    return Dataset(tuple(films.values()), RecordedSource(read_charts(folders, taken)), dict(left_out))


def label_films(iv: Path, found: list[ChestFilm], codes: CodeTable) -> tuple[dict[Path, Film], Counter[str]]:
    """Return the films with a diagnosis, and count the others by the reason."""
    subjects = {film.subject for film in found}
    stays, known = read_stays(iv, subjects), read_people(iv, subjects)
    coded = read_admission_codes(iv, {stay.admission for each in stays.values() for stay in each})
    films, left_out = {}, Counter[str]()
    for film in found:
        stay = stay_of(film, stays.get(film.subject, []))
        verdict = codes.judge(coded.get(stay.admission, []) if stay else [])
        verdict = settle(verdict, film) if film.subject in known else Verdict(reason=NO_PATIENT)
        if verdict.label is None:
            left_out[verdict.reason] += 1
        else:
            films[film.path] = Film(film.path, LABEL_INDEX[verdict.label], film.subject, film.subject, film.given)
    return films, left_out


def stay_of(film: ChestFilm, stays: list[Stay]) -> Stay | None:
    """Return the admission in which a film was taken."""
    return next((stay for stay in stays if stay.start <= film.taken_at <= stay.end), None)


def settle(verdict: Verdict, film: ChestFilm) -> Verdict:
    """Decide where no code speaks of a pneumonia: normal only if the radiologist found nothing."""
    if verdict.label is not None or verdict.reason:
        return verdict
    return Verdict("normal") if film.no_finding else Verdict(reason=NO_LABEL)


def read_charts(folders: MimicFolders, films: list[ChestFilm]) -> dict[Path, Case]:
    """Return the case around each film."""
    moments: dict[str, list[datetime]] = defaultdict(list)
    for film in films:
        moments[film.subject].append(film.taken_at)
    people, measured = read_people(folders.iv, moments), read_events(folders.iv, moments)
    charts = {}
    for film in films:
        request = read_request(folders.reports or folders.cxr, film)
        # The request is written before the film is taken; its report bears the study's time.
        notes = () if request is None else (Note(request, "Request", film.taken_at, REQUEST_SOURCE),)
        record = PatientRecord(people[film.subject], tuple(measured.get(film.subject, ())), notes)
        charts[film.path] = case_at(record, film.taken_at)
    return charts
