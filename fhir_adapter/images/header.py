"""DICOM data set -> the words, dates and identity that are read of it.

Of the person the patient ID alone is read, by which an archive files a picture made from this one (`FilmFile`). All
else in the file (names, other numbers, dates of birth) is not.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final

import pydicom
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit
from pydicom.valuerep import DA, TM

from fhir_adapter.images.choice import Facts
from fhir_adapter.record import FilmFile

_LOSSY: Final = (JPEGBaseline8Bit, JPEGExtended12Bit)
"""Transfer syntaxes that are lossy always; JPEG-LS near lossless and JPEG 2000 say so in (0028,2110)."""


def word(dataset: pydicom.Dataset, keyword: str) -> str:
    """Return a code string in capitals, or an empty string."""
    return _text(dataset, keyword).upper()


def facts_of(dataset: pydicom.Dataset) -> Facts:
    """Return what the file says of itself, for the table of `choice`."""
    body = word(dataset, "BodyPartExamined")
    return Facts(
        modality=word(dataset, "Modality"),
        sop_class=_text(dataset, "SOPClassUID"),
        body=(body,) if body else (),
        view=word(dataset, "ViewPosition"),
        words=f"{_text(dataset, 'SeriesDescription')} {_text(dataset, 'ProtocolName')}",
        image_type=tuple(str(value).upper() for value in dataset.get("ImageType") or ()),
        intent=word(dataset, "PresentationIntentType"),
    )


def file_of(dataset: pydicom.Dataset, syntax: str) -> FilmFile:
    """Return the identity of the file in its archive."""
    return FilmFile(
        study=_text(dataset, "StudyInstanceUID"),
        series=_text(dataset, "SeriesInstanceUID"),
        instance=_text(dataset, "SOPInstanceUID"),
        sop_class=_text(dataset, "SOPClassUID"),
        patient_id=_text(dataset, "PatientID"),
        issuer=_text(dataset, "IssuerOfPatientID"),
        lossy=_text(dataset, "LossyImageCompression") == "01" or syntax in _LOSSY,
        burned_in=word(dataset, "BurnedInAnnotation"),
    )


def acquired_at(dataset: pydicom.Dataset) -> datetime | None:
    """Return the moment of exposure; study and series dates are left to FHIR, which has them with a zone."""
    text = str(dataset.get("AcquisitionDateTime") or "")
    if text:
        moment = pydicom.valuerep.DT(text)
        return moment.replace(tzinfo=moment.tzinfo or _zone(dataset))
    day, hour = dataset.get("AcquisitionDate"), dataset.get("AcquisitionTime")
    if not day or not hour:
        return None
    return datetime.combine(DA(day), TM(hour), tzinfo=_zone(dataset))


def _text(dataset: pydicom.Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip()


def _zone(dataset: pydicom.Dataset) -> tzinfo:
    """Read TimezoneOffsetFromUTC (0008,0201), such as -0400; UTC where it is not stated."""
    text = str(dataset.get("TimezoneOffsetFromUTC") or "+0000")
    minutes = int(text[-4:-2]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text.startswith("-") else minutes)) if minutes else UTC
