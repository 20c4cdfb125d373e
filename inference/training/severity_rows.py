"""`chest-xray-severity` -> one row a patient: one film and the laboratory values that were known on its day.

What would tell the future is left out, by these rules, which were fixed before any figure was seen:

- The film is the earliest of the days from 14 before to 7 after hospital admission. Of a patient who came to intensive
  care it must not be later than the day of that. Days are all the table has: on the same day the order is not known,
  and most of these patients came straight to intensive care. A patient without such a film is not judged.
- A laboratory value counts where its sample is of the film's day or of the 3 days before. Later samples are left out
  for everyone: patients who stayed out of intensive care have them, the others do not, so that their mere being there
  would give the answer away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from inference.training.data.severity import LABS, Lab, SeverityFilm, read_severity
from inference.training.data.tables import find_table, number_of, read_rows

EARLIEST: Final = -14
LATEST: Final = 7
"""Days from hospital admission to the film, both included."""
OLDEST_LAB: Final = -3
"""Days from the film to the sample."""
EVEN: Final = ("pco2", "po2", "factor_xii")
"""Values that spread evenly; all others spread over decades and are taken as log(1 + value)."""


@dataclass(frozen=True, slots=True)
class Days:
    """Days from hospital admission to a film, and from the film to intensive care; None where it never came to that."""

    since_admission: float
    until_icu: float | None


@dataclass(frozen=True, slots=True)
class Patients:
    """One row a patient: the film of each, and labs (N, LABS) with NaN where nothing was known; `icu` (N,)."""

    films: tuple[SeverityFilm, ...]
    labs: npt.NDArray[np.float64]
    icu: npt.NDArray[np.bool_]
    left_out: int
    """Patients without a film that tells nothing of the future."""

    @property
    def bedside(self) -> npt.NDArray[np.bool_]:
        """Whether a film was taken at the bedside (projection AP), (N,): a sign of how ill someone already was."""
        return np.array([film.projection == "ap" for film in self.films])


def read_days(folder: Path) -> dict[str, Days]:
    """Return the days of each image, by its id; where the admission is not on file, it is not there.

    Raises:
        FolderError: the table is missing or broken.
    """
    found = {}
    for _, (image, admission, icu) in read_rows(
        find_table(folder, "labels"), ("image_id", "admission_offset", "icu_admission_offset")
    ):
        if (offset := number_of(admission)) is not None:
            # The table counts from the film to the admission.
            found[image] = Days(-offset, number_of(icu))
    return found


def is_blind(days: Days) -> bool:
    """Say whether a film is of the first days and not later than intensive care."""
    return EARLIEST <= days.since_admission <= LATEST and (days.until_icu is None or days.until_icu >= 0)


def first_films(films: Iterable[SeverityFilm], days: Mapping[str, Days]) -> list[SeverityFilm]:
    """Return the earliest film of each patient who has one that tells nothing of the future, by patient."""
    blind = [film for film in films if film.path.stem in days and is_blind(days[film.path.stem])]
    # Two films of one day: by their ids, which mean nothing.
    blind.sort(key=lambda film: (film.patient, days[film.path.stem].since_admission, film.path.stem))
    return list({film.patient: film for film in reversed(blind)}.values())[::-1]


def known_value(lab: Lab | None, name: str) -> float:
    """Return a value on the scale it spreads on, or NaN where it was not known on the film's day."""
    if lab is None or not OLDEST_LAB <= lab.days <= 0:
        return float("nan")
    return lab.value if name in EVEN else float(np.log1p(lab.value))


def patients_of(films: Sequence[SeverityFilm], days: Mapping[str, Days]) -> Patients:
    """Choose one film a patient and the values known with it."""
    chosen = first_films(films, days)
    labs = np.array([[known_value(film.labs.get(name), name) for name in LABS] for film in chosen])
    icu = np.array([film.icu_ever for film in chosen])
    return Patients(tuple(chosen), labs, icu, len({film.patient for film in films}) - len(chosen))


def read_patients(folder: Path) -> Patients:
    """Read a folder laid out as `chest-xray-severity` is; raises FolderError as `read_severity` does."""
    return patients_of(read_severity(folder), read_days(folder))
