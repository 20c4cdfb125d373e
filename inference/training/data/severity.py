"""`chest-xray-severity` -> radiographs of adults with COVID-19, with real laboratory values and what became of them.

Layout, of Hannover Medical School's repository: `labels.csv` with one row a film, `<lab>_val` and `<lab>_offset` (days
from the film to the sample), `icu_admission_offset` and `death_offset` (blank where it never came to that), and
`images/<image_id>.jpg`. It has no diagnosis of our question, no age and no notes: it serves the check that fusion helps
on real data, with "ever in intensive care" as the target, split by patient.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from inference.training.data.films import FolderError
from inference.training.data.tables import check_listed, check_present, find_table, number_of, read_rows

LABS: Final = ("crp", "d-dimer", "factor_xii", "ldh", "lymphocytes", "neutrophils", "pco2", "po2")
"""As in the column names; C-reactive protein in mg/L, cell counts in 10*9/L, gases in mmHg."""
FIXED: Final = ("patient_id", "image_id", "sex", "icu_admission_offset", "death_offset", "modality", "projection")
SEXES: Final = {"f": 1.0, "m": 0.0}


@dataclass(frozen=True, slots=True)
class Lab:
    """One value.

    Attributes:
        value: as stated; where it lay beyond the limit of detection, the limit.
        days: from the film to the sample; negative before the film.
        censored: "below" or "above" the limit, or None.
    """

    value: float
    days: float
    censored: Literal["below", "above"] | None = None


@dataclass(frozen=True, slots=True)
class SeverityFilm:
    """One radiograph.

    Attributes:
        path: the JPEG file.
        patient: whose it is.
        female: 1, 0, or None.
        modality, projection: `CR` or `DX`; `ap` or `pa`.
        icu_ever: whether the patient was in intensive care at any time, by any of their rows.
        died: likewise.
        labs: by name in `LABS`; what was not measured is not in it.
    """

    path: Path
    patient: str
    female: float | None
    modality: str
    projection: str
    icu_ever: bool
    died: bool
    labs: Mapping[str, Lab]


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row: those of `FIXED`, and value and days of each lab; infinite where censored."""

    fixed: dict[str, str]
    labs: dict[str, tuple[float, float]]


def read_severity(folder: Path) -> tuple[SeverityFilm, ...]:
    """Read every film.

    Raises:
        FolderError: the table is missing or broken, or its rows and files do not match.
    """
    path = find_table(folder, "labels")
    rows = [read_row(cells, f"{path} line {line}") for line, cells in read_rows(path, columns())]
    limits = {lab: limits_of(row.labs[lab][0] for row in rows if lab in row.labs) for lab in LABS}
    icu, died = (ever(rows, name) for name in ("icu_admission_offset", "death_offset"))
    films = tuple(
        SeverityFilm(
            folder / "images" / f"{row.fixed['image_id']}.jpg",
            row.fixed["patient_id"],
            SEXES.get(row.fixed["sex"]),
            row.fixed["modality"],
            row.fixed["projection"],
            row.fixed["patient_id"] in icu,
            row.fixed["patient_id"] in died,
            {lab: to_lab(*row.labs[lab], limits[lab]) for lab in row.labs},
        )
        for row in rows
    )
    check_present(path, (film.path for film in films))
    check_listed(path, (film.path for film in films), (folder / "images").iterdir())
    return films


def ever(rows: Iterable[Row], column: str) -> set[str]:
    """Return the patients to whom it came at any time."""
    return {row.fixed["patient_id"] for row in rows if row.fixed[column]}


def columns() -> tuple[str, ...]:
    """Return the columns that are read, in the order of `read_row`."""
    return (*FIXED, *(f"{lab}_{part}" for lab in LABS for part in ("val", "offset")))


def read_row(cells: tuple[str, ...], where: str) -> Row:
    """Sort the cells of one row; raises as `read_severity` does."""
    fixed = dict(zip(FIXED, cells, strict=False))
    if not fixed["patient_id"] or not fixed["image_id"] or "/" in fixed["image_id"]:
        raise FolderError(f"{where} needs a patient and an image: mend the row")
    pairs = iter(number_of(cell) for cell in cells[len(FIXED) :])
    labs = {}
    for lab, value, days in zip(LABS, pairs, pairs, strict=True):
        if value is not None and days is not None:
            labs[lab] = (value, days)
    return Row(fixed, labs)


def limits_of(values: Iterable[float]) -> tuple[float, float]:
    """Return the smallest and largest value that a laboratory stated: the limits themselves are not on file."""
    stated = [value for value in values if math.isfinite(value)]
    return (min(stated), max(stated)) if stated else (math.nan, math.nan)


def to_lab(value: float, days: float, limits: tuple[float, float]) -> Lab:
    """Return a value, or the limit it lay beyond."""
    if math.isfinite(value):
        return Lab(value, days)
    return Lab(limits[0], days, "below") if value < 0 else Lab(limits[1], days, "above")
