import pytest

from fhir_adapter.notes.pdf import MAX_PAGES, pdf_text
from tests.fhir_adapter.notes.samples import locked, pdf


@pytest.mark.parametrize(
    ("pages", "text", "lost"),
    [
        (("Cough", "Fever"), "Cough\n\nFever", ""),
        (("Cough", ""), "Cough", "some of its pages are pictures"),
        (("a",) * (MAX_PAGES + 1), "\n\n".join(["a"] * MAX_PAGES), "only its beginning was read"),
    ],
    ids=["two pages", "a picture", "many pages"],
)
def test_the_text_layer_is_read(pages: tuple[str, ...], text: str, lost: str) -> None:
    """Pages are read in order, no more than a note has, and what was not read is said."""
    assert pdf_text(pdf(*pages)) == (text, lost)


def test_a_file_that_only_forbids_changes_is_read() -> None:
    """An empty password is none."""
    assert pdf_text(locked(pdf("Cough"), "")) == ("Cough", "")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (pdf("", ""), "it is a scan"),
        (locked(pdf("Cough"), "secret"), "it is locked with a password"),
        (b"%PDF-1.7 and nothing more", "its PDF is broken"),
        (b"", "its PDF is broken"),
    ],
    ids=["scan", "locked", "cut", "empty"],
)
def test_a_file_without_text_says_why(data: bytes, problem: str) -> None:
    """A scan, a locked and a broken file are told apart."""
    with pytest.raises(ValueError, match=problem):
        pdf_text(data)
