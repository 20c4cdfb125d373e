from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ComputedRadiographyImageStorage

from fhir_adapter.errors import DicomUnreadable
from fhir_adapter.images.dicom import decode_film
from fhir_adapter.record import FilmFile
from tests.fhir_adapter.builders import FILM_UID, SERIES_UID, STUDY_UID, dicom_file, ramp


def test_film_is_grey_between_black_and_white() -> None:
    """Pixels are float32 between 0 and 1, with the brightest value white."""
    film = decode_film(dicom_file())

    assert (str(film.pixels.dtype), film.pixels.shape) == ("float32", (64, 64))
    assert (film.pixels[0, 0], film.pixels[-1, -1]) == (0, 1)


def test_film_says_what_it_is_and_not_whose() -> None:
    """View, modality and body part are read; the name is not, and the patient ID is shown nowhere."""
    film = decode_film(dicom_file())

    assert (film.view, film.modality, film.body_part) == ("AP", "CR", "CHEST")
    assert not [word for word in ("Doe", "secret-7") if word in repr(film)]


def test_film_knows_its_place_in_the_archive() -> None:
    """Study, series, instance, class and patient ID are read, so that a picture made from it is filed beside it."""
    file = decode_film(dicom_file(IssuerOfPatientID="ward", BurnedInAnnotation="NO")).file

    assert file == FilmFile(
        STUDY_UID, SERIES_UID, FILM_UID, ComputedRadiographyImageStorage, "secret-7", "ward", burned_in="NO"
    )


def test_lossy_film_stays_lossy() -> None:
    """What has been through a lossy compression says so, and whatever is made of it must."""
    assert decode_film(dicom_file(LossyImageCompression="01")).file.lossy


@pytest.mark.parametrize(
    ("pixels", "bits", "elements"),
    [
        (ramp(255, "uint8"), 8, {}),
        (ramp(1023), 10, {}),
        (ramp(4095), 12, {}),
        (ramp(65535), 16, {}),
        (ramp(2047, "int16"), 12, {}),
        (ramp(4095), 12, {"RescaleSlope": 2, "RescaleIntercept": -1000}),
        (ramp(4095), 12, {"WindowCenter": 2048, "WindowWidth": 4096}),
        (ramp(4095), 12, {"WindowCenter": [2048, 50], "WindowWidth": [4096, 100]}),
        (ramp(4095), 12, {"WindowCenter": 2048, "WindowWidth": 4096, "VOILUTFunction": "LINEAR_EXACT"}),
        (ramp(4095), 12, {"WindowCenter": 99_999, "WindowWidth": 2}),
        (ramp(4095), 12, {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 3095, "WindowWidth": 8192}),
    ],
)
def test_same_picture_of_any_depth_is_the_same_film(pixels: Any, bits: int, elements: dict[str, Any]) -> None:
    """8 to 16 bits, signed or not, rescaled or windowed: an even ramp stays an even ramp."""
    film = decode_film(dicom_file(pixels, bits, **elements))

    assert film.pixels == pytest.approx(np.linspace(0, 1, 4096).reshape(64, 64), abs=0.01)


def test_monochrome1_is_inverted() -> None:
    """Where the file calls its lowest value white, bone still comes out white."""
    dark_bone = decode_film(dicom_file(PhotometricInterpretation="MONOCHROME1"))

    assert dark_bone.pixels == pytest.approx(1 - decode_film(dicom_file()).pixels, abs=1e-6)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black(photometric: str) -> None:
    """Pixels that are no part of the picture are black, whichever way round the grey runs."""
    pixels = ramp()
    pixels[:8] = 4095

    film = decode_film(dicom_file(pixels, PixelPaddingValue=4095, PhotometricInterpretation=photometric))

    assert not film.pixels[:8].any()


def test_padding_may_be_a_range() -> None:
    """A range of values may mark what is no part of the picture."""
    film = decode_film(dicom_file(PixelPaddingValue=0, PixelPaddingRangeLimit=1000))

    assert film.pixels[0].max() == 0
    assert film.pixels[40].min() > 0


@pytest.mark.parametrize(
    ("bits", "entries"),
    [
        (8, np.arange(4096, dtype="<u2")[::-1] // 16),
        (8, (np.arange(4096)[::-1] // 16).astype(np.uint8)),
        (12, np.arange(4096, dtype="<u2")[::-1]),
    ],
    ids=["8 bits in words", "8 bits packed", "12 bits"],
)
def test_lookup_table_of_the_film_is_used(bits: int, entries: Any) -> None:
    """A film may bring its own table from value to grey; this one inverts it."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, bits])
    table.add_new("LUTData", "OW", entries.tobytes())

    film = decode_film(dicom_file(VOILUTSequence=[table]))

    assert film.pixels == pytest.approx(np.linspace(1, 0, 4096).reshape(64, 64), abs=0.005)


def test_damaged_lookup_table_is_refused() -> None:
    """A table of an impossible depth gives no greys."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, 3])
    table.add_new("LUTData", "US", [1, 2, 3])

    with pytest.raises(DicomUnreadable, match="lookup table"):
        decode_film(dicom_file(VOILUTSequence=[table]))


def test_first_frame_is_shown() -> None:
    """Of several frames the first is the film."""
    frames = np.stack([ramp(), np.zeros_like(ramp())])

    film = decode_film(dicom_file(frames, NumberOfFrames=2, Rows=64, Columns=64))

    assert film.pixels == pytest.approx(decode_film(dicom_file()).pixels)


@pytest.mark.parametrize(
    ("elements", "moment"),
    [
        ({}, None),
        ({"StudyDate": "20260101", "StudyTime": "120000"}, None),
        ({"AcquisitionDate": "20261124"}, None),
        ({"AcquisitionDate": "20261124", "AcquisitionTime": "0815"}, datetime(2026, 11, 24, 8, 15, tzinfo=UTC)),
        (
            {"AcquisitionDate": "20261124", "AcquisitionTime": "081500.5", "TimezoneOffsetFromUTC": "-0430"},
            datetime(2026, 11, 24, 8, 15, 0, 500_000, tzinfo=timezone(-timedelta(hours=4, minutes=30))),
        ),
        ({"AcquisitionDateTime": "20261124081500+0200"}, datetime(2026, 11, 24, 6, 15, tzinfo=UTC)),
        ({"AcquisitionDateTime": "20261124081500"}, datetime(2026, 11, 24, 8, 15, tzinfo=UTC)),
        (
            {"AcquisitionDateTime": "20261124081500", "TimezoneOffsetFromUTC": "+0200"},
            datetime(2026, 11, 24, 6, 15, tzinfo=UTC),
        ),
    ],
)
def test_moment_of_exposure_is_read(elements: dict[str, Any], moment: datetime | None) -> None:
    """Only the moment of exposure counts; the study's date is FHIR's to say."""
    assert decode_film(dicom_file(**elements)).acquired_at == moment


@pytest.mark.parametrize(
    ("elements", "problem"),
    [
        ({"SamplesPerPixel": 3}, "not a grey image"),
        ({"HighBit": 15}, "unusual bits"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "not a grey image"),
        ({"BitsStored": 4}, "neither 8 nor 16 bits"),
        ({"BitsAllocated": 32}, "neither 8 nor 16 bits"),
        ({"Rows": 8}, "size is not that of a radiograph"),
        ({"Rows": 65_000, "Columns": 65_000}, "size is not that of a radiograph"),
        ({"RescaleSlope": 1, "RescaleIntercept": 1e39}, "rescale values"),
        ({"Rows": None}, "damaged or of an unknown kind"),
        ({"PixelData": None}, "damaged or of an unknown kind"),
        ({"PixelData": b"short"}, "damaged or of an unknown kind"),
    ],
)
def test_file_that_is_no_grey_film_is_refused(elements: dict[str, Any], problem: str) -> None:
    """Colour, odd depths, absurd sizes and missing pixels are refused with a reason that quotes nothing."""
    with pytest.raises(DicomUnreadable, match=problem) as caught:
        decode_film(dicom_file(**elements))

    assert "Doe" not in str(caught.value)


def coloured(*channels: npt.NDArray[np.generic], **elements: Any) -> bytes:
    """A secondary capture of 8 bits and three channels (64, 64)."""
    pixels = np.stack(channels, axis=-1).astype(np.uint8)
    colour = {"PhotometricInterpretation": "RGB", "SamplesPerPixel": 3, "PlanarConfiguration": 0}
    return dicom_file(pixels, 8, Rows=64, Columns=64, **{**colour, **elements})


def test_grey_capture_in_three_channels_is_grey() -> None:
    """A secondary capture whose red, green and blue are equal is the grey picture they show."""
    grey = ramp(255, "uint8")

    film = decode_film(coloured(grey, grey, grey))

    assert np.array_equal(np.rint(film.pixels * 255), grey)


def test_grey_capture_in_luminance_and_colour_is_grey() -> None:
    """The same in YBR, whose colour channels rest in the middle."""
    grey, middle = ramp(255, "uint8"), np.full((64, 64), 128)

    film = decode_film(coloured(grey, middle, middle, PhotometricInterpretation="YBR_FULL"))

    assert film.pixels * 255 == pytest.approx(grey.astype(np.float32), abs=1)


def test_picture_in_colour_is_refused() -> None:
    """Where red and blue differ from green, it is no radiograph."""
    grey = ramp(255, "uint8")

    with pytest.raises(DicomUnreadable, match="not a grey image"):
        decode_film(coloured(grey, grey, grey[::-1]))


def test_modality_table_stands_before_everything() -> None:
    """A modality lookup table (PS3.3 C.11.1) is applied to the stored values; this one inverts them."""
    table = Dataset()
    table.add_new("LUTDescriptor", "US", [4096, 0, 16])
    table.add_new("LUTData", "OW", (65535 - 16 * np.arange(4096)).astype("<u2").tobytes())

    film = decode_film(dicom_file(ModalityLUTSequence=[table]))

    assert film.pixels == pytest.approx(np.linspace(1, 0, 4096).reshape(64, 64), abs=0.01)


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 15, 16])
def test_what_lies_above_the_stored_bits_is_dropped(bits: int) -> None:
    """Old files keep overlays in the spare bits; they are no part of the picture."""
    pixels = ramp(2**bits - 1).astype(np.uint16)
    marked = pixels.copy()
    marked[3, 5:40] |= np.uint16(0 if bits == 16 else 1 << 15)

    assert np.array_equal(decode_film(dicom_file(marked, bits)).pixels, decode_film(dicom_file(pixels, bits)).pixels)


@pytest.mark.parametrize("shape", [(33, 35), (64, 63), (63, 64), (101, 67)])
def test_odd_sizes_are_read(shape: tuple[int, int]) -> None:
    """An odd number of 8-bit pixels is padded to an even length, which adds nothing to the picture."""
    pixels = np.arange(shape[0] * shape[1]).reshape(shape) % 251

    film = decode_film(dicom_file(pixels.astype(np.uint8), 8))

    assert np.array_equal(np.rint(film.pixels * 255), pixels)


@pytest.mark.parametrize(
    ("elements", "shape"),
    [
        ({}, (64, 64)),
        ({"PixelAspectRatio": [1, 1]}, (64, 64)),
        ({"PixelSpacing": [0.2, 0.1]}, (128, 64)),
        ({"ImagerPixelSpacing": [0.1, 0.2]}, (64, 128)),
        ({"PixelAspectRatio": [3, 2]}, (96, 64)),
        ({"PixelSpacing": [0, 0.1]}, (64, 64)),
    ],
)
def test_oblong_pixels_are_made_square(elements: dict[str, Any], shape: tuple[int, int]) -> None:
    """A lung keeps its shape where the rows lie further apart than the columns (PS3.3 C.7.6.3.1.7)."""
    assert decode_film(dicom_file(**elements)).pixels.shape == shape


def test_absurdly_oblong_pixels_are_refused() -> None:
    """A spacing that would blow the picture up is a damaged header."""
    with pytest.raises(DicomUnreadable, match="oblong"):
        decode_film(dicom_file(PixelSpacing=[100, 0.1]))


@pytest.mark.parametrize(("number", "shown"), [(None, 0), (1, 0), (2, 1), (3, 2), (9, 0), (0, 0)])
def test_representative_frame_is_shown(number: int | None, shown: int) -> None:
    """Of several frames the one that the file calls representative (0028,6010) is the film, else the first."""
    frames = np.stack([np.roll(ramp(), 900 * place) for place in range(3)])
    stated = {} if number is None else {"RepresentativeFrameNumber": number}

    film = decode_film(dicom_file(frames, NumberOfFrames=3, Rows=64, Columns=64, **stated))

    assert np.array_equal(film.pixels, decode_film(dicom_file(frames[shown])).pixels)


def test_odd_header_is_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    """A value that breaks the rules is quoted by pydicom in warnings and logs; a patient's may not go there."""
    film = decode_film(dicom_file().replace(b"1.2.3.3\0", b"1.2.x.3\0"))

    assert (film.file.instance, caplog.records) == ("1.2.x.3", [])


@pytest.mark.parametrize(
    "data", [b"", b"\x89PNG", b"\0" * 128 + b"DICM", b"\0" * 4096, dicom_file()[:-4000], dicom_file()[:400]]
)
def test_damaged_file_is_refused(data: bytes) -> None:
    """What is not DICOM, or was cut off, is unreadable and no crash."""
    with pytest.raises(DicomUnreadable):
        decode_film(data)
