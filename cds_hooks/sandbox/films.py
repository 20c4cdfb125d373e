"""A film of a case -> one DICOM instance: a made picture wrapped as CR or DX, or the real sample of pydicom-data."""

from __future__ import annotations

import importlib.util
import io
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from pydicom import Dataset, FileDataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from cds_hooks.sandbox.cases import Case, FilmRow

FOLDER: Final = Path(__file__).parent / "films"
SYNTHETIC: Final = "Synthetic image: sampled from a generative model. Not a radiograph of a person."
SOP_CLASSES: Final = {"CR": ComputedRadiographyImageStorage, "DX": DigitalXRayImageStorageForPresentation}
_UID_SPACE: Final = uuid.UUID("6f3c1b9e-6d0c-5a5f-9a0e-2d7f6a3d4b10")


class FilmMissing(Exception):
    """A film of the sample patients is not installed."""


def film_instance(case: Case, film: FilmRow, now: datetime, folder: Path = FOLDER) -> Dataset:
    """Return the DICOM instance of a case.

    Raises:
        FilmMissing: its file is not there.
    """
    taken = now - timedelta(minutes=film.minutes_ago)
    if film.file:
        return _real_sample(film.file.removeprefix("pydicom-data:"), case, taken)
    path = folder / f"{film.picture or case.key}.png"
    if not path.is_file():
        raise FilmMissing(f"{path.name} is missing in {folder}; reinstall mllm-cds")
    return wrap_png(path.read_bytes(), case, film, taken)


def wrap_png(png: bytes, case: Case, film: FilmRow, taken: datetime) -> Dataset:
    """Wrap an 8-bit grey picture into a CR or DX instance whose UIDs depend on the case and on which film it is."""
    with Image.open(io.BytesIO(png)) as picture:
        pixels = np.asarray(picture.convert("L"), dtype=np.uint8)
    instance = _empty_instance(case, film)
    instance.Modality = film.modality
    instance.ViewPosition = film.view
    instance.ImageType = ["DERIVED", "PRIMARY"]
    instance.ImageComments = SYNTHETIC
    instance.DerivationDescription = SYNTHETIC
    _describe_patient(instance, case, taken)
    _set_pixels(instance, pixels)
    return instance


def as_file(instance: Dataset) -> bytes:
    """Return the instance as a DICOM file, preamble included."""
    buffer = io.BytesIO()
    instance.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _empty_instance(case: Case, film: FilmRow) -> FileDataset:
    """Return an instance with its identifiers and nothing else."""
    sop_class, which = SOP_CLASSES[film.modality], "prior-" if film is case.prior else ""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = _uid(case, f"{which}instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    instance = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    instance.SOPClassUID = sop_class
    instance.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    instance.StudyInstanceUID = _uid(case, f"{which}study")
    instance.SeriesInstanceUID = _uid(case, f"{which}series")
    instance.SpecificCharacterSet = "ISO_IR 192"
    instance.SeriesNumber = 1
    instance.InstanceNumber = 1
    return instance


def _describe_patient(instance: Dataset, case: Case, taken: datetime) -> None:
    """Write who is on the film and when it was taken, as an archive does when it takes a film in."""
    instance.PatientID = case.id
    instance.PatientName = f"{case.name.family}^{' '.join(case.name.given)}"
    instance.PatientSex = case.gender[0].upper()
    instance.PatientBirthDate = ""
    for prefix in ("Study", "Series", "Acquisition", "Content"):
        setattr(instance, f"{prefix}Date", taken.strftime("%Y%m%d"))
        setattr(instance, f"{prefix}Time", taken.strftime("%H%M%S"))
    instance.TimezoneOffsetFromUTC = taken.strftime("%z") or "+0000"
    instance.BodyPartExamined = "CHEST"
    instance.PatientOrientation = ["L", "F"]
    instance.BurnedInAnnotation = "NO"


def _set_pixels(instance: Dataset, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    """Store 8-bit grey, bone white."""
    instance.SamplesPerPixel = 1
    instance.PhotometricInterpretation = "MONOCHROME2"
    instance.Rows, instance.Columns = pixels.shape
    instance.BitsAllocated = instance.BitsStored = 8
    instance.HighBit = 7
    instance.PixelRepresentation = 0
    instance.WindowCenter, instance.WindowWidth = 128, 256
    # DICOM PS3.5, 8.1.1: the length of a value is even.
    instance.PixelData = pixels.tobytes() + b"\0" * (pixels.size % 2)


def _real_sample(name: str, case: Case, taken: datetime) -> Dataset:
    """Read a sample of pydicom-data and file it under our fictitious patient and date; the picture stays as it is.

    Raises:
        FilmMissing: the package is not installed.
    """
    package = importlib.util.find_spec("data_store")
    folders = [] if package is None else [Path(place) for place in package.submodule_search_locations or []]
    path = next((folder / "data" / name for folder in folders if (folder / "data" / name).is_file()), None)
    if path is None:
        raise FilmMissing(f"{name} is part of pydicom-data; install it with: pip install 'mllm-cds[demo]'")
    instance = dcmread(path)
    _describe_patient(instance, case, taken)
    return instance


def _uid(case: Case, level: str) -> UID:
    """Return a UID in the 2.25 space (DICOM PS3.5, annex B.2) that is the same on every run."""
    return UID(f"2.25.{uuid.uuid5(_UID_SPACE, f'{case.id}/{level}').int}")
