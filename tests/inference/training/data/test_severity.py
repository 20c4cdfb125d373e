from __future__ import annotations

from pathlib import Path

import pytest

from inference.training.data.films import FolderError
from inference.training.data.severity import FIXED, LABS, Lab, columns, read_severity
from tests.inference.training.data.layouts import Row, save_film, write_table

REAL = Path(__file__).parents[5] / "shared" / "data" / "chest-xray-severity"
ROWS: list[Row] = [
    {"patient_id": "a", "image_id": "1", "sex": "f", "crp_val": "3.0", "crp_offset": "0.0", "d-dimer_val": "2"},
    {
        "patient_id": "a",
        "image_id": "2",
        "sex": "f",
        "crp_val": "-inf",
        "crp_offset": "-1.0",
        "icu_admission_offset": "2",
    },
    {"patient_id": "b", "image_id": "3", "sex": "m", "crp_val": "90", "crp_offset": "0.0", "death_offset": "4.0"},
    {"patient_id": "c", "image_id": "4", "sex": "", "crp_val": "inf", "crp_offset": "1.0"},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for row in ROWS:
        save_film(tmp_path / "images" / f"{row['image_id']}.jpg")
    write_table(tmp_path / "labels.csv", ",".join(columns()), ROWS)
    return tmp_path


def test_outcome_is_the_patients_and_not_the_rows(folder: Path) -> None:
    """A patient who was in intensive care at any time was "ever" there on every film."""
    films = read_severity(folder)

    assert [film.icu_ever for film in films] == [True, True, False, False]
    assert [film.died for film in films] == [False, False, True, False]


def test_value_beyond_the_limit_is_the_limit(folder: Path) -> None:
    """Censored values stand at the smallest or largest stated one, and say so."""
    found = [film.labs["crp"] for film in read_severity(folder)]

    assert found == [Lab(3, 0), Lab(3, -1, "below"), Lab(90, 0), Lab(90, 1, "above")]


def test_value_without_a_day_is_not_used(folder: Path) -> None:
    """What cannot be placed in time beside the film is left out; so is a sex that is not stated."""
    films = read_severity(folder)

    assert set(films[0].labs) == {"crp"}
    assert [film.female for film in films] == [1, 1, 0, None]


def test_row_without_image_is_refused(folder: Path) -> None:
    """A lost file is named."""
    (folder / "images" / "3.jpg").unlink()

    with pytest.raises(FolderError, match=r"3\.jpg is in labels\.csv"):
        read_severity(folder)


def test_the_real_folder_reads() -> None:
    """The shared folder has 243 films of 71 patients, 29 of whom were in intensive care."""
    if not REAL.is_dir():
        pytest.skip("the radiographs are not here: ../shared/data/chest-xray-severity")
    films = read_severity(REAL)

    assert (len(films), len({film.patient for film in films})) == (243, 71)
    assert len({film.patient for film in films if film.icu_ever}) == 29
    assert {lab for film in films for lab in film.labs} == set(LABS)
    assert len(FIXED) == 7
