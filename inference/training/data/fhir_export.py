"""A folder of exported FHIR resources with film files -> labelled films with the real chart around each.

Layout: Bundles and NDJSON files as `fhir_files` says, and `images/<SOP Instance UID>.dcm`, `.jpg`, `.jpeg` or `.png`
for the instances that ImagingStudy lists. The layout of `images` is ours: FHIR exports hold no pixels. Measurements,
notes and birth dates are read by `fhir_adapter`, as they are at the bedside.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

import pydicom
from pydicom.errors import InvalidDicomError

from fhir_adapter.dates import read_moment
from fhir_adapter.deadline import Deadline
from fhir_adapter.images.studies import find_films
from fhir_adapter.measurements.observations import read_measurements
from fhir_adapter.notes.documents import read_notes
from fhir_adapter.patient import read_demographics
from fhir_adapter.record import PatientRecord
from fhir_adapter.references import split_reference
from fhir_adapter.shape import Resource, as_dict, as_text, dicts_of
from inference.training.data.case import Case
from inference.training.data.codes import CodeTable, read_codes
from inference.training.data.fhir_files import Export, ExportedPatient, read_export
from inference.training.data.fhir_label import judge_study
from inference.training.data.films import LABEL_INDEX, Film, FolderError, check_classes, join_groups
from inference.training.data.moment import ASKED_AFTER, case_at
from inference.training.data.source import Dataset, RecordedSource

ENDINGS: Final = (".dcm", ".jpg", ".jpeg", ".png")
VIEWS: Final = frozenset({"AP", "PA", ""})
SECONDS_A_CHART: Final = 60.0
NO_FILE: Final = "no pixels of the chest: its films have no file in images"
NO_DATE: Final = "the film is not dated"
NOT_FRONTAL: Final = "not a frontal view"
SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class ChestFilm:
    """One film with a file: where it is, its study, and when it was taken."""

    path: Path
    study: Resource
    taken_at: datetime


@dataclass(slots=True)
class Gathered:
    """What was found: films as (path, label, patient), their charts, and why others were left out, also by file."""

    labelled: list[tuple[Path, int, str]] = field(default_factory=list)
    charts: dict[Path, Case] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    reasons: list[str] = field(default_factory=list)


def read_fhir_export(folder: Path, codes: CodeTable | None = None) -> Dataset:
    """Read the films whose diagnosis is known, and their charts.

    Args:
        folder: see above.
        codes: which codes mean which diagnosis; the shipped table by default.

    Raises:
        FolderError: a file is broken, an image has no ImagingStudy, no patient has a film (it says of each patient's
            file why), or a diagnosis has no film.
    """
    export = read_export(folder)
    images = {path.stem: path for path in sorted((folder / "images").glob("*")) if path.suffix.lower() in ENDINGS}
    check_images(export, images)
    found = gather(export, images, codes or read_codes())
    if not found.labelled and found.reasons:
        more = f"; and {len(found.reasons) - SHOWN} more" if len(found.reasons) > SHOWN else ""
        raise FolderError(
            f"{folder} has no film to learn from: put images/<SOP Instance UID>.dcm, .jpg or .png beside the export. "
            f"{'; '.join(found.reasons[:SHOWN])}{more}"
        )
    check_classes((label for _, label, _ in found.labelled), folder)
    return Dataset(tuple(group_copies(found.labelled)), RecordedSource(found.charts), dict(found.left_out))


def gather(export: Export, images: dict[str, Path], codes: CodeTable) -> Gathered:
    """Label each patient's films and read the chart around them; count what has no label."""
    found = Gathered()
    for own_id, patient in export.patients.items():
        films, reasons = films_of(patient, images)
        for film in films:
            verdict = judge_study(patient, film.study, film.taken_at, codes)
            if verdict.label is None:
                reasons.append(verdict.reason)
            else:
                found.labelled.append((film.path, LABEL_INDEX[verdict.label], own_id))
                found.charts[film.path] = read_chart(export, patient, film.taken_at)
        found.left_out.update(reasons)
        found.reasons += [f"{patient.file.name}: {reason}" for reason in reasons]
    return found


def group_copies(labelled: list[tuple[Path, int, str]]) -> Iterator[Film]:
    """Yield films (path, label, patient), with byte-identical ones in one group."""
    patients = [patient for _, _, patient in labelled]
    groups = join_groups(patients, [hashlib.sha256(path.read_bytes()).hexdigest() for path, _, _ in labelled])
    for (path, label, patient), group in zip(labelled, groups, strict=True):
        yield Film(path, label, patient, group)


def films_of(patient: ExportedPatient, images: dict[str, Path]) -> tuple[list[ChestFilm], list[str]]:
    """Return a patient's frontal chest films that have a file; else why there are none, one reason for each film."""
    films, reasons = [], []
    studies = patient.resources["ImagingStudy"]
    for study in studies:
        addresses, gaps = find_films([study], [])
        reasons += [f"no pixels of the chest: {gap.detail}" for gap in gaps]
        with_file = [address for address in addresses if address.instance in images]
        if addresses and not with_file:
            reasons.append(NO_FILE)
        for address in with_file:
            path = images[address.instance]
            if address.started is None:
                reasons.append(NO_DATE)
            elif view_of(path) not in VIEWS:
                reasons.append(NOT_FRONTAL)
            else:
                films.append(ChestFilm(path, study, address.started))
    return films, reasons if studies else ["no pixels of the chest: no imaging study is on file"]


def view_of(path: Path) -> str:
    """Return the ViewPosition (0018,5101) of a DICOM file; an empty string where none is stated, or for a picture."""
    if path.suffix.lower() != ".dcm":
        return ""
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["ViewPosition"])
    except (InvalidDicomError, OSError) as error:
        raise FolderError(f"{path} is no DICOM file: replace it or take it out of the folder") from error
    return str(dataset.get("ViewPosition") or "").strip().upper()


def check_images(export: Export, images: dict[str, Path]) -> None:
    """Refuse an image that no ImagingStudy lists."""
    listed = {
        as_text(instance.get("uid")).removeprefix("urn:oid:")
        for patient in export.patients.values()
        for study in patient.resources["ImagingStudy"]
        for series in dicts_of(study.get("series"))
        for instance in dicts_of(series.get("instance"))
    }
    for uid in images.keys() - listed:
        raise FolderError(f"{images[uid]} is no instance of an ImagingStudy here: add its study or take it out")


def read_chart(export: Export, patient: ExportedPatient, film_at: datetime) -> Case:
    """Return what was known around a film, by the readers of the service."""
    asked_at = film_at + ASKED_AFTER
    measurements, _ = read_measurements(patient.resources["Observation"], asked_at)
    documents = [with_text(each, export) for each in documents_before(patient, film_at)]
    notes, _ = asyncio.run(read_notes(documents, (), patient.patient, None, Deadline.after(SECONDS_A_CHART)))
    demographics, _ = read_demographics(patient.patient, film_at)
    return case_at(PatientRecord(demographics, measurements, notes), film_at)


def documents_before(patient: ExportedPatient, film_at: datetime) -> Iterator[Resource]:
    """Yield the documents that were surely there before the film was read.

    One that is dated to the day of the film, without a time, may be the radiologist's report. So may one that refers
    to an imaging study, whatever its date.
    """
    for document in patient.resources["DocumentReference"]:
        date = as_text(document.get("date"))
        written_at = read_moment(date)
        related = dicts_of(as_dict(document.get("context")).get("related"))
        if written_at is None or any("ImagingStudy/" in as_text(each.get("reference")) for each in related):
            continue
        if written_at <= film_at and ("T" in date or written_at.date() < film_at.date()):
            yield document


def with_text(document: Resource, export: Export) -> Resource:
    """Put the data of Binary resources that are in the export into the attachments that point to them."""
    contents = []
    for content in dicts_of(document.get("content")):
        attachment = as_dict(content.get("attachment"))
        found = split_reference(as_text(attachment.get("url")))
        binary = export.binaries.get(found[1]) if found and found[0] == "Binary" else None
        data = attachment.get("data") or (binary or {}).get("data")
        contents.append({**content, "attachment": {**attachment, "data": data} if data else attachment})
    return {**document, "content": contents}
