"""A folder of labelled radiographs -> films with their patient, label and split.

The layout is that of the paediatric pneumonia set: `NORMAL/IM-NNNN-*.jpeg`, `NORMAL/NORMAL2-IM-NNNN-*.jpeg`,
`PNEUMONIA/personN_bacteria_M.jpeg`, `PNEUMONIA/personN_virus_M.jpeg`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from fhir_adapter.errors import DicomUnreadable
from fhir_adapter.images.dicom import decode_film
from inference.contract import DIAGNOSES, IMAGE_SIZE

Split = Literal["train", "validation", "calibration", "test"]
# Upper ends of each split on a hash that is uniform in 0..1.
SPLIT_ENDS: Final[tuple[tuple[Split, float], ...]] = (
    ("train", 0.76),
    ("validation", 0.82),
    ("calibration", 0.90),
    ("test", 1.0),
)

NORMAL_NAME: Final = re.compile(r"(?:NORMAL2-)?IM-(?P<number>\d{4})-.*\.jpe?g", re.IGNORECASE)
PNEUMONIA_NAME: Final = re.compile(
    r"person(?P<number>\d+)_(?P<cause>bacteria|virus)_\d+(?:_\d+)?\.jpe?g", re.IGNORECASE
)
LABEL_OF_CAUSE: Final = {"bacteria": "bacterial", "virus": "viral"}
UNREADABLE: Final = (UnidentifiedImageError, Image.DecompressionBombError, DicomUnreadable, OSError, SyntaxError)
"""What opening a film may raise; Pillow raises SyntaxError for some broken PNG files."""
LABEL_INDEX: Final = {diagnosis.key: index for index, diagnosis in enumerate(DIAGNOSES)}


class FolderError(ValueError):
    """A data folder that must not be trained on or judged with; the message names the file and the remedy."""


def share_out(group: str, ends: Sequence[tuple[Split, float]] = SPLIT_ENDS) -> Split:
    """Return the side of a group: decided by its name alone, the same on every machine."""
    number = int(hashlib.sha256(f"split-1:{group}".encode()).hexdigest()[:12], 16) / 16**12
    return next(name for name, end in ends if number < end)


@dataclass(frozen=True, slots=True)
class Film:
    """One labelled radiograph.

    Attributes:
        path: JPEG, PNG or DICOM file.
        label: place in `contract.DIAGNOSES`.
        patient: whose it is, unique within the data set.
        group: joins all films of one patient and of byte-identical copies.
        given: the split its publisher put it into, or None where the group decides.
    """

    path: Path
    label: int
    patient: str
    group: str
    given: Split | None = None

    @property
    def split(self) -> Split:
        """The split this film falls into."""
        return self.given or share_out(self.group)


def read_name(path: Path) -> tuple[str, str]:
    """Return the patient and the label key that a file's name states.

    Raises:
        FolderError: the name is of neither kind, or says pneumonia in the normal folder.
    """
    if path.parent.name == "NORMAL" and (match := NORMAL_NAME.fullmatch(path.name)):
        return f"normal-{match['number']}", "normal"
    if path.parent.name == "PNEUMONIA" and (match := PNEUMONIA_NAME.fullmatch(path.name)):
        # A number is a patient only together with the cause: person23_bacteria and person23_virus are two children.
        return f"{match['cause'].lower()}-{match['number']}", LABEL_OF_CAUSE[match["cause"].lower()]
    raise FolderError(
        f"{path.parent.name}/{path.name} is not named as this layout asks: rename it or take it out of the folder"
    )


def join_groups(patients: list[str], digests: list[str]) -> list[str]:
    """Join patients that share a byte-identical film, and return each film's group."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    first_with: dict[str, str] = {}
    for patient, digest in zip(patients, digests, strict=True):
        first, second = sorted((find(first_with.setdefault(digest, patient)), find(patient)))
        leader[second] = first
    return [find(patient) for patient in patients]


def check_classes(labels: Iterable[int], folder: Path) -> None:
    """Refuse a data set without a film of one of the diagnoses.

    Raises:
        FolderError: a class is empty.
    """
    seen = set(labels)
    if missing := [key for key, index in LABEL_INDEX.items() if index not in seen]:
        raise FolderError(f"{folder} has no film of class {', '.join(missing)}: add some, or use another folder")


def read_folder(folder: Path) -> list[Film]:
    """List every film of a folder, sorted by name.

    Raises:
        FolderError: a folder or class is missing or empty, or a file is misnamed.
    """
    paths = sorted(path for name in ("NORMAL", "PNEUMONIA") for path in (folder / name).glob("*") if path.is_file())
    if not paths:
        raise FolderError(f"{folder} has no films: it needs the subfolders NORMAL and PNEUMONIA with JPEG files")
    names = [read_name(path) for path in paths]
    check_classes((LABEL_INDEX[label] for _, label in names), folder)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
    groups = join_groups([patient for patient, _ in names], digests)
    return [
        Film(path, LABEL_INDEX[label], patient, group)
        for path, (patient, label), group in zip(paths, names, groups, strict=True)
    ]


def open_grey(path: Path, around: tuple[int, int] | None = None) -> Image.Image:
    """Open a JPEG, PNG or DICOM film as 8-bit grey, bone white.

    Args:
        path: the film; `.dcm` is read as the service reads it.
        around: size at which it will be used, where a smaller picture will do: JPEG decodes quicker then.

    Raises:
        FolderError: the file cannot be read as an image of 8 bits, or as a DICOM radiograph.
    """
    try:
        if path.suffix.lower() == ".dcm":
            return Image.fromarray(np.rint(decode_film(path.read_bytes()).pixels * 255).astype(np.uint8))
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise FolderError(f"{path} has more than 8 bits a pixel: convert it to 8, or give the DICOM file")
            if around:
                image.draft("L", around)
            return image.convert("L")
    except UNREADABLE as error:
        raise FolderError(f"{path} cannot be read as an image: replace it or take it out of the folder") from error


def load_pixels(films: Sequence[Film], size: int = IMAGE_SIZE) -> npt.NDArray[np.uint8]:
    """Read films as grey squares, uint8 (N, size, size).

    Raises:
        FolderError: a file cannot be read as an image.
    """
    pixels = np.empty((len(films), size, size), np.uint8)
    for index, film in enumerate(films):
        square = open_grey(film.path).resize((size, size), Image.Resampling.BICUBIC, reducing_gap=3.0)
        pixels[index] = np.asarray(square)
    return pixels
