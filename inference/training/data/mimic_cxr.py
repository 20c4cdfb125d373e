"""MIMIC-CXR-JPG 2.x -> frontal films with their time, published split and CheXpert's "No Finding"; and report texts.

Layout: `mimic-cxr-2.0.0-metadata`, `-split` and `-chexpert` (`.csv.gz` or `.csv`; version 2.1.0 kept these names), and
`files/p10/p10000032/s50414267/<dicom_id>.jpg`. Reports, of MIMIC-CXR 2.x: `files/p10/p10000032/s50414267.txt`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from inference.training.data.films import FolderError, Split, share_out
from inference.training.data.reports import request_of
from inference.training.data.tables import find_table, read_rows

METADATA: Final = "mimic-cxr-2.0.0-metadata"
SPLIT: Final = "mimic-cxr-2.0.0-split"
CHEXPERT: Final = "mimic-cxr-2.0.0-chexpert"
FRONTAL: Final = frozenset({"AP", "PA"})
GIVEN: Final[dict[str, Split]] = {"validate": "validation", "test": "test"}
TRAIN_ENDS: Final[tuple[tuple[Split, float], ...]] = (("calibration", 0.08), ("train", 1.0))
"""The publisher has no calibration split: a part of its training patients becomes one."""

NOT_FRONTAL: Final = "not a frontal view"
NOT_DOWNLOADED: Final = "in a part of the images that was not downloaded"


@dataclass(frozen=True, slots=True)
class ChestFilm:
    """One frontal film.

    Attributes:
        path: the JPEG file; it may not be there.
        subject, study: `subject_id` and `study_id`.
        taken_at: shifted date and time, as UTC.
        given: the published split.
        no_finding: whether CheXpert's labeller read "No Finding" in the report.
    """

    path: Path
    subject: str
    study: str
    taken_at: datetime
    given: Split
    no_finding: bool


@dataclass(frozen=True, slots=True)
class ChestFilms:
    """What the tables hold: frontal films that should be there, every file with a row, and what was not taken."""

    films: list[ChestFilm]
    listed: set[Path]
    left_out: Counter[str]


def study_moment(day: str, time: str, where: str) -> datetime:
    """Read StudyDate `21800506` and StudyTime `213014.531`, whose leading zeros the CSV has lost.

    Raises:
        FolderError: they are no date and time; `where` names the line.
    """
    whole = time.partition(".")[0].zfill(6)
    try:
        return datetime.strptime(f"{day} {whole}", "%Y%m%d %H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise FolderError(f"{where} has no study date and time: download it again") from None


def read_chest_films(cxr: Path) -> ChestFilms:
    """Read the frontal films of the downloaded parts.

    Raises:
        FolderError: a table is missing or broken, or a film has no split or no date.
    """
    splits = {row[0]: row[1] for _, row in read_rows(find_table(cxr, SPLIT), ("dicom_id", "split"))}
    labels = read_rows(find_table(cxr, CHEXPERT), ("study_id", "No Finding"))
    healthy = {row[0] for _, row in labels if row[1] in ("1.0", "1")}
    found = ChestFilms([], set(), Counter())
    parts = {folder.name for folder in (cxr / "files").glob("p*")}
    path = find_table(cxr, METADATA)
    columns = ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime")
    for line, (dicom, subject, study, view, day, time) in read_rows(path, columns):
        file = study_folder(cxr, subject, study) / f"{dicom}.jpg"
        found.listed.add(file)
        if view.strip().upper() not in FRONTAL:
            found.left_out[NOT_FRONTAL] += 1
        elif f"p{subject[:2]}" not in parts:
            found.left_out[NOT_DOWNLOADED] += 1
        else:
            if dicom not in splits:
                raise FolderError(f"{path} line {line}: the film is not in the table {SPLIT}: download both again")
            given = GIVEN.get(splits[dicom]) or share_out(subject, TRAIN_ENDS)
            taken_at = study_moment(day, time, f"{path} line {line}")
            found.films.append(ChestFilm(file, subject, study, taken_at, given, study in healthy))
    return found


def study_folder(root: Path, subject: str, study: str) -> Path:
    """Return where a study's images are; its report is the `.txt` of the same name."""
    return root / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}"


def files_of(films: list[ChestFilm]) -> Iterator[Path]:
    """Yield the JPEG files that are in the folders of the films' studies."""
    for folder in sorted({film.path.parent for film in films}):
        yield from folder.glob("*.jpg")


def read_request(reports: Path, film: ChestFilm) -> str | None:
    """Return what the clinician wrote on the request of a study, or None where no report states it."""
    path = study_folder(reports, film.subject, film.study).with_suffix(".txt")
    return request_of(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else None
