import pytest

from fhir_adapter.notes.plaintext import MAX_BYTES, to_text


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ("Fieber 39 °C".encode(), "text/plain"),
        ("Fieber 39 °C".encode(), "text/plain; charset=UTF-8"),
        (b"\xef\xbb\xbf" + "Fieber 39 °C".encode(), "text/plain;charset=utf-8"),
        ("Fieber 39 °C".encode("latin-1"), "text/plain; charset=iso-8859-1"),
        ("Fieber 39 °C".encode("latin-1"), "text/plain"),
        ("Fieber 39 °C".encode("utf-16"), 'text/plain; charset="utf-16"'),
    ],
)
def test_named_character_set_is_used(data: bytes, content_type: str) -> None:
    """Bytes are read in the character set they name; without one as UTF-8, or the old Western default."""
    assert to_text(data, content_type) == "Fieber 39 °C"


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"\xff\xfe\xfa", "text/plain; charset=utf-8"),
        (b"caf\xe9", "text/plain; charset=us-ascii"),
        (b"x", "text/plain; charset=klingon"),
        (b"x", "text/plain; charset=hex"),
        (b"x", "text/plain; charset=idna"),
        (b"x" * (MAX_BYTES + 1), "text/plain"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, content_type: str) -> None:
    """Wrongly declared, unknown or endless text is refused with a clause that quotes none of it."""
    with pytest.raises(ValueError, match=r"^it(s| is) "):
        to_text(data, content_type)


def test_text_is_tidied() -> None:
    """Line ends are one kind, control characters are gone, empty lines are few, indentation stays."""
    raw = b"Cough\r\n\r\n\r\n\r\n  fever\x00\x07 38\t5  \rend\n\n"

    assert to_text(raw, "text/plain") == "Cough\n\n  fever 38 5\nend"


def test_page_is_stripped() -> None:
    """Of a page only what a reader would see is kept."""
    page = b"<html><head><title>x</title><style>p{}</style></head><body><p>Cough</p><p>CRP&nbsp;48</p></body></html>"

    assert to_text(page, "text/html").split() == ["Cough", "CRP", "48"]
