import pytest

from fhir_adapter.notes.forms import Reader, is_readable, rank
from fhir_adapter.notes.plaintext import MAX_BYTES
from tests.fhir_adapter.builders import patient
from tests.fhir_adapter.notes.samples import RTF, cda, pdf, section, unstructured

CDA = cda(section("HPI", "Cough"))
READER = Reader(patient(), 8)


@pytest.mark.parametrize(
    ("content_type", "readable"),
    [
        ("TEXT/PLAIN; charset=utf-8", True),
        ("text/markdown", True),
        ("application/xhtml+xml", True),
        ("application/pdf", True),
        ("text/rtf", True),
        ("application/hl7-sdwg-ccda+xml", True),
        ("", True),
        ("application/octet-stream", True),
        ("image/png", False),
        ("application/msword", False),
    ],
)
def test_known_forms_are_readable(content_type: str, readable: bool) -> None:  # noqa: FBT001 - a table's column
    """There is a reader for each form of note; a type that says nothing is tried."""
    assert is_readable(content_type) is readable


def test_forms_are_ranked_by_what_they_keep() -> None:
    """Plain text before C-CDA before HTML before what needs a process of its own; no type at all comes last."""
    kinds = ["", "application/pdf", "text/html", "text/xml", "text/plain"]

    assert sorted(kinds, key=rank) == kinds[::-1]


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        (b"Cough", "text/plain", "Cough"),
        (b"# HPI\nCough", "text/markdown", "# HPI\nCough"),
        (b"<p>Cough</p>", "text/html", "Cough"),
        (CDA, "application/xml; charset=utf-8", "HPI:\nCough"),
        (CDA, "", "HPI:\nCough"),
        (RTF, "application/rtf", "CC: cough\nFever 39 °C"),
        (pdf("Cough"), "application/octet-stream", "Cough"),
        (unstructured(b"Cough", "text/plain"), "text/xml", "Cough"),
    ],
    ids=["plain", "markdown", "html", "cda", "cda by its sign", "rtf", "pdf by its sign", "plain in cda"],
)
def test_each_form_is_read(data: bytes, content_type: str, text: str) -> None:
    """The same text comes out of every form; where no type is stated, the first bytes prove one."""
    assert "\n".join(block.text for block in READER.read(data, content_type).blocks) == text


@pytest.mark.parametrize(
    ("data", "content_type", "problem"),
    [
        (b"Cough", "", "in a form that is not read"),
        (b"Cough", "application/msword", "in a form that is not read"),
        (b"x" * (8 * MAX_BYTES + 1), "application/pdf", "it is too long"),
        (b"x" * (8 * MAX_BYTES), "text/xml", "it is too long"),
        (unstructured(CDA, "text/xml"), "text/xml", "it is XML inside XML"),
        (cda(born="20200101"), "text/xml", "it names another patient"),
        (cda(ids="<id root='1.2' extension='8'/>"), "text/xml", "it names another patient"),
    ],
    ids=["unknown", "word", "long pdf", "long xml", "nested", "other birth date", "other number"],
)
def test_what_must_not_be_read_says_why(data: bytes, content_type: str, problem: str) -> None:
    """Size, form and the person named are checked before a word is used."""
    known = patient(identifier=[{"system": "urn:oid:1.2", "value": "7"}])

    with pytest.raises(ValueError, match=problem):
        Reader(known, 8).read(data, content_type)
