import pytest

from fhir_adapter.notes.charset import decode

PAGE = '<meta charset="{}"><p>39 °C</p>'


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        ("39 °C".encode("latin-1"), "text/plain; charset='iso-8859-1'"),
        (b"\xef\xbb\xbf" + "39 °C".encode(), "text/plain"),
        ("39 °C".encode("utf-16"), "text/plain"),
        (b"\xfe\xff" + "39 °C".encode("utf-16-be"), "text/plain"),
        ("39 °C".encode("utf-32"), "text/plain"),
        (PAGE.format("iso-8859-1").encode("latin-1"), "text/html"),
        (PAGE.format("koi8-r").encode(), "text/html; charset=utf-8"),
        (PAGE.format("utf-16").encode(), "text/html"),
        ("<?xml version='1.0' encoding='iso-8859-15'?><p>39 °C".encode("iso-8859-15"), "application/xhtml+xml"),
        ("39 °C".encode("cp1252"), "text/plain"),
    ],
)
def test_the_surest_name_of_the_character_set_counts(data: bytes, content_type: str) -> None:
    """The content type says it, else a byte order mark, else the document itself, else it is UTF-8 or Windows-1252."""
    assert "39 °C" in decode(data, content_type)


def test_plain_text_that_talks_of_markup_is_no_markup() -> None:
    """In plain text a `meta` element is words."""
    assert decode(PAGE.format("koi8-r").encode(), "text/plain").endswith("39 °C</p>")


@pytest.mark.parametrize("named", ["klingon", "idna", "utf-7", "us-ascii"])
def test_what_a_page_names_wrongly_is_refused(named: str) -> None:
    """A page that names a set which is none, or not its own, is not guessed at."""
    with pytest.raises(ValueError, match=r"^it(s| is) "):
        decode(PAGE.format(named).encode(), "text/html")
