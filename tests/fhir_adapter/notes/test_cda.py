import pytest

from fhir_adapter.notes.cda import Person, read_cda
from tests.fhir_adapter.notes.samples import cda, section, unstructured

TABLE = (
    "<table><thead><tr><th>Drug</th><th>Dose</th></tr></thead><tbody><tr><td>Amoxicillin<br/>syrup</td>"
    "<td>5 <content>mL</content></td></tr></tbody></table>"
)


def test_sections_are_read_in_order_with_their_kind() -> None:
    """The code of a section tells what it is about, its title where the code does not."""
    document = read_cda(
        cda(
            section("Story", "<paragraph>Cough.</paragraph>", "10164-2"),
            section("Plan", "Home", "1"),
            section("X", "y"),
        )
    )

    assert [(one.kind, one.text) for one in document.blocks] == [
        ("illness", "Story:\nCough."),
        ("plan", "Plan:\nHome"),
        ("other", "X:\ny"),
    ]


@pytest.mark.parametrize(
    ("narrative", "text"),
    [
        ("<list><item>Cough\n  and  fever</item><item>Rash</item></list>", "Cough and fever\nRash"),
        (TABLE, "Drug | Dose\nAmoxicillin\nsyrup | 5 mL"),
        ("a <content styleCode='Bold'>b</content>c", "a bc"),
        ("T &lt; 38 &amp; well", "T < 38 & well"),
    ],
)
def test_narrative_is_read_as_a_reader_sees_it(narrative: str, text: str) -> None:
    """Paragraphs, items and rows are lines, cells have a bar between them, blanks of the source mean nothing."""
    assert read_cda(cda(section("T", narrative))).blocks[0].text == f"T:\n{text}"


def test_sections_inside_sections_are_read() -> None:
    """A part of a section has its own title; a section without words is left out."""
    document = read_cda(cda(section("Examination", "", "29545-1", section("Vital signs", "RR 32", "8716-3"))))

    assert [(one.kind, one.text) for one in document.blocks] == [("examination", "Vital signs:\nRR 32")]


def test_the_person_is_read() -> None:
    """The header names whom the document is about: birth time and identifiers."""
    ids = "<id root='1.2.3' extension='77'/><id nullFlavor='UNK'/>"

    assert read_cda(cda(ids=ids)).people == (Person("20240305", (("1.2.3", "77"), ("", ""))),)


def test_a_document_inside_is_handed_on() -> None:
    """An unstructured document holds another one, with its type."""
    assert read_cda(unstructured(b"Cough", "text/plain")).inside == (b"Cough", "text/plain")


BOMB = b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]>"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "its XML is broken"),
        (b"<ClinicalDocument", "its XML is broken"),
        (b"<a/>", "it is XML, but no C-CDA document"),
        (b"<ClinicalDocument/>", "it is XML, but no C-CDA document"),
        (BOMB + b"<x>&b;</x>", "its XML defines entities"),
        (b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>", "its XML defines entities"),
        (b"<a>" * 5000, "nested too deeply"),
        (b"<a>" + b"<b/>" * 300_000, "too large"),
        (unstructured(b"x", "text/plain").replace(b"eA==", b"%%%%"), "its base64 is broken"),
    ],
    ids=["empty", "cut", "other", "no namespace", "entities", "external", "deep", "many", "base64"],
)
def test_what_is_no_harmless_c_cda_is_refused(data: bytes, problem: str) -> None:
    """Entities, external files, endless nesting and other XML are refused with a clause that quotes none of it."""
    with pytest.raises(ValueError, match=problem):
        read_cda(data)
