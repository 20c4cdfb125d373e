"""`patients/*.json` -> Case: the sample patients as tables that a clinician can read and change.

Every patient is fictitious. Times are minutes before "now", so that no sample goes stale on the shelf.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

FOLDER: Final = Path(__file__).parent / "patients"
ORDER: Final = ("bacterial", "viral", "healthy", "no-film", "no-labs", "contradiction", "adult")
"""Keys of the sample patients, in the order of the demonstration."""


class _Row(BaseModel):
    """A row of a case file; an unknown or missing field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Name(_Row):
    """A fictitious name."""

    family: str
    given: tuple[str, ...]


class Age(_Row):
    """Age at "now"."""

    years: int
    months: int


class Reading(_Row):
    """One number in the UCUM unit in which the laboratory or the ward reported it.

    Attributes:
        code: key of `sandbox.codes.CODES`.
        minutes_ago: when it was taken; None inside a panel, which has its own time.
        flag: HL7 ObservationInterpretation, where the reporter stated one.
    """

    code: str
    value: float
    unit: str
    minutes_ago: int | None = None
    flag: Literal["H", "L"] | None = None
    status: str = "final"


class Panel(_Row):
    """Readings reported together, as separate Observations (`members`) or inside one (`components`)."""

    code: str
    form: Literal["members", "components"]
    minutes_ago: int
    readings: tuple[Reading, ...]


class NoteRow(_Row):
    """One clinical note, carried inside the DocumentReference or through a Binary."""

    title: str
    minutes_ago: int
    through: Literal["inline", "binary"]
    text: tuple[str, ...]


class FilmRow(_Row):
    """One frontal chest radiograph.

    Attributes:
        modality: DICOM Modality, `CR` or `DX`.
        view: DICOM ViewPosition.
        file: `pydicom-data:NAME` for a real sample of that package; empty for a picture of `films/`.
        picture: name of that picture without `.png`; empty for the key of the case.
    """

    modality: Literal["CR", "DX"]
    view: Literal["AP", "PA"]
    minutes_ago: int
    file: str = ""
    picture: str = ""


class Case(_Row):
    """One sample patient.

    Attributes:
        id: FHIR id of the Patient and beginning of the ids of everything else; holds a letter, as HAPI demands.
        title: what the chart list shows instead of a name.
        shows: what the case demonstrates.
        prior: an earlier radiograph, of a study of its own.
    """

    key: str
    id: str
    title: str
    shows: str
    name: Name
    gender: Literal["female", "male"]
    age: Age
    readings: tuple[Reading, ...]
    panels: tuple[Panel, ...]
    notes: tuple[NoteRow, ...]
    film: FilmRow | None
    prior: FilmRow | None = None

    @property
    def radiographs(self) -> tuple[FilmRow, ...]:
        """Every radiograph, the newest first."""
        return tuple(film for film in (self.film, self.prior) if film is not None)


def load_cases() -> tuple[Case, ...]:
    """Read every sample patient, in the order of the demonstration."""
    return tuple(Case.model_validate_json((FOLDER / f"{key}.json").read_bytes()) for key in ORDER)
