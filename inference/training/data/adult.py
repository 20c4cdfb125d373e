"""`chest-xray-adult` -> radiographs of adults with findings mined from reports, age, sex and view.

Layout, of a subset of NIH ChestX-ray14: `labels.csv` with `file, findings, patient, age_years, sex, view`, findings
joined by `|`, and `images/<file>`. Their "Pneumonia" has no cause, as in CheXpert.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from inference.training.data.films import FolderError
from inference.training.data.findings import FoundFilm, label_films, months_of, read_label_map
from inference.training.data.source import Dataset
from inference.training.data.tables import check_listed, check_present, find_table, number_of, read_rows

COLUMNS: Final = ("file", "findings", "patient", "age_years", "sex", "view")
SEXES: Final = {"F": 1.0, "M": 0.0}
NO_CAUSE: Final = (
    "chest-xray-adult names no cause of a pneumonia, so its films have no label of this question: use them for the "
    "scope and for pre-training, or say with --label-map how its findings are to be read as diagnoses"
)


def find_adult(folder: Path) -> tuple[FoundFilm, ...]:
    """Read every film, for the scope and for pre-training.

    Raises:
        FolderError: the table is missing or broken, or its rows and files do not match.
    """
    path = find_table(folder, "labels")
    films = tuple(read_film(folder, cells, f"{path} line {line}") for line, cells in read_rows(path, COLUMNS))
    check_present(path, (film.path for film in films))
    check_listed(path, (film.path for film in films), (folder / "images").iterdir())
    return films


def read_adult(folder: Path, label_map: Path | None = None) -> Dataset:
    """Read the films as cases of our question, by a label map.

    Raises:
        FolderError: there is no label map, or it or the folder cannot be used.
    """
    if label_map is None:
        raise FolderError(NO_CAUSE)
    films = find_adult(folder)
    return label_films(films, read_label_map(label_map, frozenset().union(*(film.present for film in films))), folder)


def read_film(folder: Path, cells: tuple[str, ...], where: str) -> FoundFilm:
    """Read one row; raises as `find_adult` does."""
    name, findings, patient, age, sex, view = cells
    years = number_of(age)
    if not name or not patient or "/" in name or years is None:
        raise FolderError(f"{where} needs a file, a patient and an age in years: mend the row")
    present = frozenset(findings.split("|")) - {""}
    return FoundFilm(folder / "images" / name, patient, months_of(years), SEXES.get(sex), view, present)
