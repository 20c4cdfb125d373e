"""Film and heat map -> a DICOM Secondary Capture that an archive files beside the film and any viewer shows.

DICOM PS3.3 A.8.1 (Secondary Capture Image IOD). The map is burned in, so that it needs no viewer that knows overlays,
and so is the sentence that it is not for diagnostic use. What is copied from the source: its study, its patient ID and
issuer, without which it would be filed apart; and what it says of lossy compression and burned-in annotation, which
are true of these pixels too. Name, birth date, sex and accession number are empty: nobody needs them from here, and the
archive has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from math import ceil
from typing import Final
from uuid import UUID, uuid5

from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from fhir_adapter.record import FilmFile
from inference.checkpoint import Card

MAKER: Final = "mllm-cds"
WARNING: Final = "AI HEAT MAP - NOT FOR DIAGNOSTIC USE"
MEANING: Final = "Marks what the model weighed, not a finding."
IMPLEMENTATION: Final = UID("2.25.91933129251061027765705992970022070240")
"""Names this software as the writer of the file (PS3.10 section 7.1)."""
_SMALLEST_LETTERS: Final = 11
_LETTERS_ACROSS: Final = 36


class NotFiledError(ValueError):
    """The film did not come from an image archive, so that there is no study to file a capture in."""

    def __init__(self) -> None:
        super().__init__(
            "the film of this explanation names no study of an image archive: without it a DICOM file could not be "
            "filed beside the film; open the chart again, so that the film is read anew"
        )


@dataclass(frozen=True, slots=True)
class Capture:
    """What a Secondary Capture is made from.

    Attributes:
        film_png: grey, as `ImageEvidence.film_png`.
        heat_png: transparent, of the same size.
        source: the film in its archive.
        card: of the checkpoint whose relevance the map shows.
        job: uuid of the job; the UIDs follow from it, so that storing it again replaces it.
        computed_at: when the model answered.
    """

    film_png: bytes
    heat_png: bytes
    source: FilmFile | None
    card: Card
    job: UUID
    computed_at: datetime


def secondary_capture(capture: Capture) -> bytes:
    """Return the DICOM file (part 10, explicit VR little endian, RGB).

    Raises:
        NotFiledError: the film came from no archive.
    """
    source = capture.source
    if source is None or not (source.study and source.instance and source.sop_class):
        raise NotFiledError
    picture = burned_in(capture.film_png, capture.heat_png)
    dataset = FileDataset("", {}, file_meta=_meta(capture), preamble=b"\0" * 128)
    _identify(dataset, capture, source)
    _describe(dataset, capture, source)
    _refer(dataset, source)
    _draw(dataset, picture)
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def burned_in(film_png: bytes, heat_png: bytes) -> Image.Image:
    """Return the film with the map over it and the words beneath, where they cover nothing.

    A film too narrow for letters that can be read gets a black margin on its right.
    """
    film = Image.open(BytesIO(film_png)).convert("RGBA")
    heat = Image.open(BytesIO(heat_png)).convert("RGBA").resize(film.size)
    letters = max(_SMALLEST_LETTERS, film.width // _LETTERS_ACROSS)
    font = ImageFont.load_default(letters)
    width = max(film.width, letters + ceil(max(font.getlength(WARNING), font.getlength(MEANING))))
    whole = Image.new("RGB", (width, film.height + 3 * letters))
    whole.paste(Image.alpha_composite(film, heat).convert("RGB"))
    draw = ImageDraw.Draw(whole)
    draw.text((letters // 2, film.height), WARNING, "#ffd75e", font)
    draw.text((letters // 2, film.height + 3 * letters // 2), MEANING, "#ffffff", font)
    return whole


def _uid(job: UUID, name: str) -> str:
    """Return a UID made from a UUID (PS3.5 annex B.2)."""
    return f"2.25.{uuid5(job, name).int}"


def _meta(capture: Capture) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID(_uid(capture.job, "instance"))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    return meta


def _identify(dataset: Dataset, capture: Capture, source: FilmFile) -> None:
    """Fill the modules Patient, General Study, General Series and SOP Common."""
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate, dataset.PatientSex = source.patient_id, "", "", ""
    if source.issuer:
        dataset.IssuerOfPatientID = source.issuer
    dataset.StudyInstanceUID = source.study
    dataset.StudyDate = dataset.StudyTime = dataset.StudyID = dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.SeriesInstanceUID = _uid(capture.job, "series")
    dataset.SeriesNumber, dataset.InstanceNumber = 9900, 1
    dataset.SeriesDescription = "AI heat map, not for diagnostic use"
    dataset.Modality = "OT"
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, _uid(capture.job, "instance")


def _describe(dataset: Dataset, capture: Capture, source: FilmFile) -> None:
    """Fill the modules General Equipment, SC Equipment, SC Image and General Image."""
    moment, card = capture.computed_at.astimezone(UTC), capture.card
    day, hour = f"{moment:%Y%m%d}", f"{moment:%H%M%S}"
    dataset.TimezoneOffsetFromUTC = "+0000"
    dataset.ContentDate = dataset.SeriesDate = dataset.InstanceCreationDate = dataset.DateOfSecondaryCapture = day
    dataset.ContentTime = dataset.SeriesTime = dataset.InstanceCreationTime = dataset.TimeOfSecondaryCapture = hour
    dataset.Manufacturer = dataset.SecondaryCaptureDeviceManufacturer = MAKER
    dataset.ManufacturerModelName = dataset.SecondaryCaptureDeviceManufacturerModelName = card.name[:64]
    dataset.SoftwareVersions = dataset.SecondaryCaptureDeviceSoftwareVersions = card.version[:64]
    dataset.ConversionType = "WSD"
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    dataset.PatientOrientation = ""
    dataset.DerivationDescription = (
        f"Relevance map of the model {card.name} {card.version} (SHA-256 {card.digest}) burned over the film. {MEANING}"
    )
    dataset.ImageComments = WARNING
    # Both are about the pixels of the film, which are in here: where it does not say, neither can this.
    if source.burned_in in ("YES", "NO"):
        dataset.BurnedInAnnotation = source.burned_in
    if source.lossy:
        dataset.LossyImageCompression = "01"
    dataset.ContributingEquipmentSequence = [_equipment(capture)]


def _equipment(capture: Capture) -> Dataset:
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [_code("109103", "Modifying Equipment")]
    item.Manufacturer = MAKER
    item.ManufacturerModelName = capture.card.name[:64]
    item.SoftwareVersions = capture.card.version[:64]
    item.ContributionDateTime = f"{capture.computed_at.astimezone(UTC):%Y%m%d%H%M%S}+0000"
    item.ContributionDescription = "Overlaid the relevance map of a model"
    return item


def _refer(dataset: Dataset, source: FilmFile) -> None:
    """Name the film as what this was made from (PS3.3 C.12.4) and the series where it lies (PS3.3 C.12.2)."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = source.sop_class, source.instance
    item.PurposeOfReferenceCodeSequence = [_code("121322", "Source image for image processing operation")]
    dataset.SourceImageSequence = [item]
    if source.series:
        instance, series = Dataset(), Dataset()
        instance.ReferencedSOPClassUID, instance.ReferencedSOPInstanceUID = source.sop_class, source.instance
        series.SeriesInstanceUID, series.ReferencedInstanceSequence = source.series, [instance]
        dataset.ReferencedSeriesSequence = [series]


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
    return item


def _draw(dataset: Dataset, picture: Image.Image) -> None:
    """Fill the module Image Pixel; a value of odd length gets a zero at its end."""
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.Columns, dataset.Rows = picture.size
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    pixels = picture.tobytes()
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
