from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from inference.training.data.codes import UNSTATED
from inference.training.data.films import FolderError
from inference.training.data.leakage import check_split
from inference.training.data.mimic import NO_LABEL, MimicFolders, read_mimic, stay_of
from inference.training.data.mimic_cxr import NOT_DOWNLOADED, NOT_FRONTAL, read_chest_films, study_moment
from inference.training.data.mimic_iv import read_stays
from tests.inference.training.data.layouts import (
    STUDIES,
    Row,
    lab,
    mimic_folder,
    save_film,
    write_mimic,
    write_table,
)

SICK, VIRAL, HEALTHY = (subject for subject, *_ in STUDIES[:3])
LABS = [
    lab(SICK, 51301, "2180-05-02 10:30:00", "14.2", "K/uL"),
    lab(SICK, 51301, "2180-05-02 18:00:00", "99", "K/uL"),  # after the question
    lab(SICK, 53000, "2180-05-02 10:30:00", "<0.3", "ng/mL"),
    lab(SICK, 51265, "2180-05-02 10:30:00", "210", "furlongs"),
    lab(VIRAL, 50889, "2180-04-01 10:30:00", "80", "mg/L"),  # a month before
    lab("99999999", 51301, "2180-05-02 10:30:00", "7", "K/uL"),
]
VITALS: list[Row] = [
    lab(SICK, 223761, "2180-05-02 12:30:00", "102.2", "°F"),
    lab(SICK, 220210, "2180-05-02 12:30:00", "24", "insp/min"),
]


@pytest.fixture
def folders(tmp_path: Path) -> MimicFolders:
    return write_mimic(tmp_path, LABS, VITALS)


def test_admission_codes_are_the_label(folders: MimicFolders) -> None:
    """ICD-9 or ICD-10 give the cause; without a code a film is normal only where the report says "No Finding"."""
    dataset = read_mimic(folders)

    assert {film.patient: film.label for film in dataset.films} == {HEALTHY: 0, SICK: 1, VIRAL: 2}
    assert dataset.left_out == {UNSTATED: 1, NO_LABEL: 1, NOT_FRONTAL: 1}


def test_published_split_is_kept(folders: MimicFolders) -> None:
    """What was published as test or validation stays there; training patients also give the calibration split."""
    splits = {film.patient: film.split for film in read_mimic(folders).films}

    assert (splits[VIRAL], splits[HEALTHY]) == ("validation", "test")
    assert splits[SICK] in ("train", "calibration")


def test_chart_is_what_was_known_at_the_question(folders: MimicFolders) -> None:
    """Values are in the unit of their quantity; late, stale and unitless ones are not there; a limit counts."""
    dataset = read_mimic(folders)
    sick, viral = (next(film for film in dataset.films if film.patient == each) for each in (SICK, VIRAL))
    first, second = dataset.source.cases([sick, viral], draw=0)

    assert {key: first.values[key] for key in ("wbc", "procalcitonin", "temperature", "respiratory_rate")} == {
        "wbc": 14.2, "procalcitonin": 0.3, "temperature": 39.0, "respiratory_rate": 24.0
    }  # fmt: skip
    assert first.hours["wbc"] == pytest.approx(5.0, abs=0.01)
    assert set(second.values) == {"age", "female"}


def test_age_is_reckoned_from_the_anchor(folders: MimicFolders) -> None:
    """50 in 2178, the middle of the year taken as the birthday: 51 and ten months in May 2180."""
    dataset = read_mimic(folders)
    (case,) = dataset.source.cases(dataset.films[:1], draw=0)

    assert case.values["age"] == pytest.approx(12 * 51 + 10, abs=0.1)


def test_note_holds_the_request_and_no_finding(folders: MimicFolders) -> None:
    """What the radiologist saw would give the label away."""
    dataset = read_mimic(folders)
    notes = {case.note for case in dataset.source.cases(dataset.films, draw=0)}

    assert notes == {"year old woman with fever and productive cough // ?pneumonia"}


@pytest.mark.parametrize(
    ("time", "clock"),
    [("213014.53100000001", "21:30:14"), ("93014.53", "09:30:14"), ("1214.0", "00:12:14"), ("7", "00:00:07")],
)
def test_study_time_has_lost_its_leading_zeros(time: str, clock: str) -> None:
    """The published times are numbers: a quarter past midnight has four digits."""
    assert f"{study_moment('21800502', time, 'line 2'):%H:%M:%S}" == clock


def test_film_after_discharge_is_not_of_the_admission(folders: MimicFolders) -> None:
    """A diagnosis of May says nothing of a film in June."""
    film = read_chest_films(folders.cxr).films[0]
    stays = read_stays(folders.iv, [SICK])[SICK]

    assert stay_of(film, stays) == stays[0]
    assert stay_of(replace(film, taken_at=film.taken_at + timedelta(days=30)), stays) is None


def test_part_of_the_images_that_was_not_downloaded_is_left_out(folders: MimicFolders) -> None:
    """Whole folders may be missing, and are counted."""
    (folders.cxr / "files" / "p11").rename(folders.cxr / "p11")

    assert read_mimic(folders).left_out[NOT_DOWNLOADED] == 2


def lose_film(folders: MimicFolders) -> None:
    (mimic_folder(folders.cxr, SICK) / "d0.jpg").unlink()


def add_film(folders: MimicFolders) -> None:
    save_film(mimic_folder(folders.cxr, SICK) / "stray.jpg")


def rename_item(folders: MimicFolders) -> None:
    rows: list[Row] = [{"itemid": 51301, "label": "Sodium", "fluid": "Blood"}]
    write_table(folders.iv / "hosp" / "d_labitems.csv.gz", "itemid,label,fluid,category", rows)


def lose_table(folders: MimicFolders) -> None:
    (folders.iv / "hosp" / "diagnoses_icd.csv.gz").unlink()


def lose_splits(folders: MimicFolders) -> None:
    write_table(folders.cxr / "mimic-cxr-2.0.0-split.csv.gz", "dicom_id,study_id,subject_id,split", [])


def lose_virus(folders: MimicFolders) -> None:
    rows: list[Row] = [{"hadm_id": 200, "icd_code": "J159", "icd_version": 10}]
    header = "subject_id,hadm_id,seq_num,icd_code,icd_version"
    write_table(folders.iv / "hosp" / "diagnoses_icd.csv.gz", header, rows)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lose_film, r"d0\.jpg is in mimic-cxr-2\.0\.0-metadata\.csv\.gz but not there"),
        (add_film, r"stray\.jpg has no row"),
        (rename_item, r"d_labitems\.csv\.gz line 2: item 51301 is not White Blood Cells"),
        (lose_table, r"diagnoses_icd\.csv\.gz is not there"),
        (lose_splits, r"metadata\.csv\.gz line 2: the film is not in the table mimic-cxr-2\.0\.0-split"),
        (lose_virus, "no film of class viral"),
    ],
)
def test_broken_folder_is_refused_by_name(
    folders: MimicFolders, harm: Callable[[MimicFolders], None], message: str
) -> None:
    """What does not fit together is an error that names the file, before any training."""
    harm(folders)

    with pytest.raises(FolderError, match=message):
        read_mimic(folders)


def test_patient_on_two_published_sides_is_refused(folders: MimicFolders) -> None:
    """A split that was tampered with leaks, whoever published it."""
    film = read_mimic(folders).films[0]
    twin = type(film)(film.path, film.label, film.patient, film.group, "test")

    with pytest.raises(FolderError, match="are of one patient"):
        check_split([film, twin])
