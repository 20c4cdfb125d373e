"""What is known of a patient, each piece with the FHIR resource and version it came from.

This module knows nothing of FHIR JSON, HTTP or the model: it is the form in which the adapter hands a chart on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Modality = Literal["image", "text", "structured"]
LONGEST_MONTH: Final = 31
Sex = Literal["female", "male", "other", "unknown"]
NoteKind = Literal["note", "addendum", "report"]
SectionKind = Literal[
    "opening", "complaint", "illness", "examination", "results", "assessment", "past", "medication", "plan", "social",
    "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """The FHIR resource a piece of evidence was read from.

    Attributes:
        reference: relative reference, `Observation/crp-1`.
        version: `meta.versionId`, or a digest of the content where the server keeps no versions.
    """

    reference: str
    version: str

    def __str__(self) -> str:
        return f"{self.reference}/_history/{self.version}"


@dataclass(frozen=True, slots=True)
class Demographics:
    """Who the patient is, as far as the model may know: no name, no address, no identifier.

    Attributes:
        test_data: True when the record is tagged as test health data, of no real person (HL7 v3 ActReason HTEST).
    """

    birth_date: date | None
    sex: Sex
    source: Source
    test_data: bool = False

    def age_months(self, at: datetime) -> float | None:
        """Return the age in months at a moment, or None when no birth date is on file.

        By the calendar, so that a first birthday is 12 months whatever the months' lengths were; between two of a
        child's monthly days it rises evenly.
        """
        if self.birth_date is None:
            return None
        day, born = at.date(), self.birth_date
        months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
        since = (day.day - born.day) % LONGEST_MONTH
        return months + since / LONGEST_MONTH


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number of the record, already in the unit of its row in `fhir_adapter.measurements.quantities`."""

    key: str
    loinc: str
    value: float
    unit: str
    taken_at: datetime
    source: Source


@dataclass(frozen=True, slots=True)
class Section:
    """Characters `start` to `end` of a note under one heading, the heading included.

    Attributes:
        kind: what it is about: `illness` is the history of the present illness, `past` the one before it, `opening`
            what stands before the first heading.
    """

    kind: SectionKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Note:
    """One clinical note as plain text, de-identified: `[name]`, `[date]` and the like stand for what was replaced.

    Attributes:
        kind: `report` is what a DiagnosticReport says in words, `addendum` what was added to another note.
        sections: in the order of the text, without overlap; they cover it all. Empty where it has no headings.
    """

    text: str
    title: str
    written_at: datetime
    source: Source
    kind: NoteKind = "note"
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class FilmFile:
    """Which file of an image archive a film came from: all that a derived picture needs to be filed beside it.

    Attributes:
        study, series, instance: DICOM UIDs (0020,000D), (0020,000E), (0008,0018).
        sop_class: SOP Class UID (0008,0016).
        patient_id, issuer: PatientID (0010,0020) and its issuer (0010,0021): an archive files by patient and study, and
            takes one study under two patients for two. Nothing else of the header's person is read.
        lossy: whether the pixels have been through a lossy compression, which is so for ever.
        burned_in: BurnedInAnnotation (0028,0301), `YES` or `NO`; empty where the file does not say.
    """

    study: str
    series: str
    instance: str
    sop_class: str
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    lossy: bool = False
    burned_in: str = ""


@dataclass(frozen=True, slots=True)
class Film:
    """One radiograph.

    Attributes:
        pixels: float32 (height, width), grey 0..1 with bone white, MONOCHROME1 already inverted.
        view: DICOM ViewPosition (0018,5101) such as `AP`, or an empty string where it is not stated.
        modality: DICOM Modality (0008,0060), such as `CR` or `DX`.
        body_part: DICOM BodyPartExamined (0018,0015), or an empty string.
        acquired_at: when it was taken; when the study started, where the film does not say.
        file: where it lies in the image archive, or None where it did not come from one.
        rendered: whether the pixels are the archive's rendering (8 bits, its choice of contrast), not the original.
        blanked: how many lines of lettering were found drawn into the picture and painted over.
    """

    pixels: npt.NDArray[np.float32]
    view: str
    modality: str
    body_part: str
    acquired_at: datetime
    source: Source
    file: FilmFile | None = None
    rendered: bool = False
    blanked: int = 0


class GapReason(StrEnum):
    """Why something is not in the record; the value is what a clinician reads."""

    MISSING = "not on file"
    STALE = "too old to describe this illness"
    REFUSED = "the FHIR server refused access"
    NO_ACCESS = "no access to a server that has it was given"
    FAILED = "the server failed"
    TIMEOUT = "the server did not answer in time"
    UNREADABLE = "could not be read"
    IMPLAUSIBLE = "not a possible value"
    INCOMPLETE = "only part of it was received"
    NEWEST_ONLY = "only the newest were looked at"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that the model did not get.

    Attributes:
        modality: which input it would have fed; `patient` for demographics.
        item: what it is, in words that hold no patient data: `radiograph`, `C-reactive protein`.
        reason: why it is missing.
        detail: one more clause for the clinician, without patient data; may be empty.
    """

    modality: Modality | Literal["patient"]
    item: str
    reason: GapReason
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.item}: {self.reason.value}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True)
class PatientRecord:
    """A chart as the model may see it: newest first in each list, notes before addenda and reports."""

    demographics: Demographics
    measurements: tuple[Measurement, ...] = ()
    notes: tuple[Note, ...] = ()
    films: tuple[Film, ...] = ()
    gaps: tuple[Gap, ...] = ()
    prior: Film | None = None
    """An earlier radiograph, for comparison by eye: no model is given it."""
