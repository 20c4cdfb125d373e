"""CheXpert v1.0 and v1.0-small -> radiographs with fourteen findings, age and sex.

Layout: `train.csv` and `valid.csv` with `Path, Sex, Age, Frontal/Lateral, AP/PA` and one column a finding (1 present,
0 absent, -1 uncertain, blank not mentioned), and `train/patient00001/study1/view1_frontal.jpg`. `valid.csv` was
labelled by radiologists and becomes the test split; the patients of `train.csv` are shared out over the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from inference.training.data.films import FolderError, Split, share_out
from inference.training.data.findings import FoundFilm, label_films, months_of, read_label_map
from inference.training.data.source import Dataset
from inference.training.data.tables import check_listed, check_present, find_table, number_of, read_rows

FINDINGS: Final = (
    "No Finding",
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
COLUMNS: Final = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *FINDINGS)
SEXES: Final = {"Female": 1.0, "Male": 0.0}
SIDES: Final = ("train", "valid")
TRAIN_ENDS: Final[tuple[tuple[Split, float], ...]] = (("train", 0.84), ("validation", 0.92), ("calibration", 1.0))
NO_CAUSE: Final = (
    "CheXpert names no cause of a pneumonia, so its films have no label of this question: use them to pre-train the "
    "image encoder and to fit the scope, or say with --label-map how its findings are to be read as diagnoses"
)


def find_chexpert(folder: Path) -> tuple[FoundFilm, ...]:
    """Read every frontal film, for pre-training and for the scope.

    Raises:
        FolderError: a table is missing or broken, or its rows and files do not match.
    """
    films, listed = [], []
    for side in SIDES:
        path = find_table(folder, side)
        for line, cells in read_rows(path, COLUMNS):
            film = read_film(folder, cells, f"{path} line {line}")
            listed.append(film.path)
            if cells[3] == "Frontal":
                films.append(film)
        mine = [each for each in listed if each.is_relative_to(folder / side)]
        check_present(path, mine)
        check_listed(path, mine, (folder / side).rglob("*.jpg"))
    return tuple(films)


def read_chexpert(folder: Path, label_map: Path | None = None) -> Dataset:
    """Read the films as cases of our question, by a label map.

    Raises:
        FolderError: there is no label map, or it or the folder cannot be used.
    """
    if label_map is None:
        raise FolderError(NO_CAUSE)
    rules = read_label_map(label_map, frozenset(FINDINGS))
    return label_films(find_chexpert(folder), rules, folder)


def read_film(folder: Path, cells: tuple[str, ...], where: str) -> FoundFilm:
    """Read one row; raises as `find_chexpert` does."""
    name, sex, age, _, view = cells[:5]
    # The rows begin with the name of the archive, whatever the folder is called now.
    side, _, rest = "/".join(name.split("/")[1:]).partition("/")
    patient = rest.partition("/")[0]
    if side not in SIDES or not patient.startswith("patient") or ".." in name:
        raise FolderError(f"{where} has no path such as CheXpert-v1.0/train/patient00001/study1/view1_frontal.jpg")
    said = dict(zip(FINDINGS, (number_of(cell) for cell in cells[5:]), strict=True))
    years = number_of(age)
    return FoundFilm(
        folder / side / rest,
        patient,
        # All patients are adults: an age of 0 stands for one that is not known.
        months_of(years) if years else None,
        SEXES.get(sex),
        view,
        frozenset(finding for finding, state in said.items() if state == 1),
        frozenset(finding for finding, state in said.items() if state == -1),
        "test" if side == "valid" else share_out(patient, TRAIN_ENDS),
    )
