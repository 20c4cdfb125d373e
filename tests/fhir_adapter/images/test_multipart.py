import pytest

from fhir_adapter.images.multipart import Part, first_part

KIND = 'multipart/related; type="application/dicom"; boundary='


@pytest.mark.parametrize("boundary", ["b", '"b"', "b; start=1"])
@pytest.mark.parametrize("preamble", [b"", b"\r\n", b"ignored\r\n"])
def test_first_part_is_cut_out(boundary: str, preamble: bytes) -> None:
    """The first part is what stands between its headers and the next boundary, byte for byte."""
    body = preamble + b"--b\r\nContent-Type: application/dicom\r\n\r\nDI\r\n\r\nCM\n\r\n--b\r\n\r\nmore\r\n--b--\r\n"

    assert first_part(body, KIND + boundary) == Part(b"DI\r\n\r\nCM\n", "application/dicom")


def test_part_may_have_no_headers() -> None:
    """A part without headers has no media type."""
    assert first_part(b"--b\r\n\r\nDICM\r\n--b--", KIND + "b") == Part(b"DICM")


def test_boundary_inside_the_content_is_no_boundary() -> None:
    """Only a boundary at the start of a line ends a part."""
    assert first_part(b"--b\r\n\r\nDI--bCM\r\n--b--", KIND + "b").content == b"DI--bCM"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--b\r\n\r\nDICM\r\n--b--", "multipart/related"),
        (b"", KIND + "b"),
        (b"DICM", KIND + "b"),
        (b"--b\r\n\r\nDICM", KIND + "b"),
        (b"--b\r\nContent-Type: application/dicom", KIND + "b"),
        (b"--b", KIND + "b"),
        (b"--b--\r\n", KIND + "b"),
    ],
)
def test_body_that_is_cut_off_is_refused(body: bytes, content_type: str) -> None:
    """Half a file is no file."""
    with pytest.raises(ValueError, match="multipart answer"):
        first_part(body, content_type)
