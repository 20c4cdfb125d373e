"""Real pictures the model is not for: sample DICOM files of pydicom and pydicom-data, and sets of adult films.

What is not on this machine is left out and never replaced by something drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from fhir_adapter.images.dicom import decode_film
from inference.contract import IMAGE_SIZE
from inference.training.data.adult import find_adult
from inference.training.data.films import open_grey
from inference.training.data.severity import read_severity
from inference.training.scope.draw import Picture, clipped
from inference.training.scope.outliers import Pixels, resize

SAMPLES: Final[Mapping[str, Sequence[str]]] = {
    "extremity": ("RG3_J2KI.dcm",),
    "adult": ("RG1_J2KI.dcm",),
    # One file a picture: the packages hold most of them several times in other codings.
    "other_modality": (
        *("693_UNCI.dcm", "CT_small.dcm", "bad_sequence.dcm", "eCT_Supplemental.dcm", "explicit_VR-UN.dcm"),
        *("J2K_pixelrep_mismatch.dcm", "MR2_J2KI.dcm", "MR-SIEMENS-DICOM-WithOverlays.dcm", "emri_small.dcm"),
        *("MR_small.dcm", "US1_J2KI.dcm", "OBXXXX1A.dcm", "color-pl.dcm", "color3d_jpeg_baseline.dcm"),
        *("JPGLosslessP14SV1_1s_1f_8b.dcm", "gdcm-US-ALOKA-16.dcm", "JPEG2000.dcm"),
    ),
}
"""Sample files by kind: six CT, four MR, six ultrasound, one scintigram; one extremity and one adult chest."""

VIEWS: Final = 7
"""Views of a sample file beside the picture itself; they are no further observations."""


@dataclass(frozen=True, slots=True)
class AdultFilms:
    """Films (N, S, S) of adults and the patient of each."""

    pixels: Pixels
    patients: tuple[str, ...]

    def half(self, number: int) -> AdultFilms:
        """Return the films of one half of the patients: 0 to fit with, 1 to judge by; the same on every machine."""
        places = [place for place, patient in enumerate(self.patients) if half_of(patient) == number]
        return AdultFilms(self.pixels[places], tuple(self.patients[place] for place in places))


def half_of(patient: str) -> int:
    """Return the half, 0 or 1, that a patient of an adult set falls into."""
    return hashlib.sha256(f"adult-1:{patient}".encode()).digest()[0] & 1


def read_adults(folder: Path) -> AdultFilms:
    """Read a folder laid out as `chest-xray-adult` is.

    Raises:
        FolderError: its table or a film is missing or broken.
    """
    films = find_adult(folder)
    return AdultFilms(read_films([film.path for film in films]), tuple(film.patient for film in films))


def read_severe_adults(folder: Path) -> AdultFilms:
    """Read a folder laid out as `chest-xray-severity` is; raises as `read_adults` does."""
    films = read_severity(folder)
    return AdultFilms(read_films([film.path for film in films]), tuple(film.patient for film in films))


def read_films(paths: Sequence[Path]) -> Pixels:
    """Read films as the model sees them, (N, S, S); raises FolderError where one cannot be read."""
    return np.stack([resize(np.asarray(open_grey(path)), IMAGE_SIZE) for path in paths])


def read_samples(kind: str) -> dict[str, Picture]:
    """Return the sample files of a kind that are installed, by name: grey 0..1, (H, W), the first frame."""
    paths = {name: get_testdata_file(name, download=False) for name in SAMPLES[kind]}
    return {name: read_picture(Path(path)) for name, path in paths.items() if isinstance(path, str)}


def read_picture(path: Path) -> Picture:
    """Read any DICOM picture as grey 0..1; in colour too, which the service refuses before any model sees it."""
    dataset = pydicom.dcmread(path)
    if dataset.SamplesPerPixel == 1 and dataset.PhotometricInterpretation != "PALETTE COLOR":
        return decode_film(path.read_bytes()).pixels
    return _read_colour(dataset)


def _read_colour(dataset: pydicom.Dataset) -> Picture:
    stored: npt.NDArray[np.generic] = pixel_array(dataset, index=0)
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        stored = apply_color_lut(stored, dataset)
        if stored.dtype == np.uint16:
            stored = stored.astype(np.uint16) >> 8
    return np.asarray(Image.fromarray(stored.astype(np.uint8)).convert("L"), np.float32) / np.float32(255)


def views_of(picture: Picture, seed: int) -> list[Picture]:
    """Return a picture (H, W) and `VIEWS` views of it: a little cropped, darker or lighter."""
    rng, (height, width) = np.random.default_rng(seed), picture.shape

    def view() -> Picture:
        top, bottom, left, right = (rng.uniform(0, 0.08, 4) * [height, height, width, width]).astype(int)
        cropped = picture[top : height - bottom, left : width - right]
        return clipped(cropped * rng.uniform(0.88, 1.12))

    return [picture, *(view() for _ in range(VIEWS))]
