"""C-CDA -> the narrative of its sections, and whom it is about. Its coded entries are not read.

HL7 Clinical Document Architecture R2: header, then `structuredBody` with sections (`title`, LOINC `code`, `text`), or
`nonXMLBody` with another document inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from fhir_adapter.attachments import decode_base64
from fhir_adapter.notes.headings import kind_of_heading, kind_of_loinc
from fhir_adapter.notes.plaintext import tidy
from fhir_adapter.notes.reading import Block

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES: Final = 4 * 2**20
_HL7: Final = "{urn:hl7-org:v3}"
_DEEPEST: Final = 60
_MOST_EVENTS: Final = 400_000
"""Twice the elements; a record of a whole life has fewer."""
_BROKEN: Final = "its XML is broken"
_LINES: Final = frozenset(
    _HL7 + name
    for name in ("paragraph", "list", "item", "table", "thead", "tbody", "tfoot", "tr", "caption", "br", "footnote")
)
_CELLS: Final = frozenset({f"{_HL7}td", f"{_HL7}th"})
_BLANKS: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a document says it is about.

    Attributes:
        born: HL7 timestamp of the birth, `20240305`, or an empty string.
        ids: (root, extension) of each identifier.
    """

    born: str
    ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ClinicalDocument:
    """What a C-CDA says: its sections, or the (bytes, content type) of the document inside it."""

    people: tuple[Person, ...]
    blocks: tuple[Block, ...]
    inside: tuple[bytes, str] | None


def read_cda(data: bytes) -> ClinicalDocument:
    """Read a document; entities, a document type definition and external files are refused.

    Raises:
        ValueError: it is no C-CDA, or not to be read; the message is a clause for the clinician.
    """
    root = _parse(data)
    if root.tag != f"{_HL7}ClinicalDocument":
        raise ValueError("it is XML, but no C-CDA document")
    people = tuple(_person(role) for role in root.findall(f"{_HL7}recordTarget/{_HL7}patientRole"))
    body = f"{_HL7}component/{_HL7}structuredBody/{_HL7}component/{_HL7}section"
    blocks = tuple(block for section in root.findall(body) for block in _blocks(section))
    return ClinicalDocument(people, blocks, _inside(root))


def _parse(data: bytes) -> Element:
    from xml.etree.ElementTree import ParseError  # noqa: PLC0415  # the error only

    from defusedxml.common import DefusedXmlException  # noqa: PLC0415  # needed for few documents
    from defusedxml.ElementTree import iterparse  # noqa: PLC0415

    depth = 0
    root: Element | None = None
    try:
        for number, (event, element) in enumerate(iterparse(BytesIO(data), ("start", "end"), forbid_dtd=True)):
            root = element if root is None else root
            depth += 1 if event == "start" else -1
            if depth > _DEEPEST or number > _MOST_EVENTS:
                raise ValueError("its XML is nested too deeply or too large")
    except DefusedXmlException:
        raise ValueError("its XML defines entities, which no C-CDA needs") from None
    except ParseError:
        raise ValueError(_BROKEN) from None
    if root is None:
        raise ValueError(_BROKEN)
    return root


def _person(role: Element) -> Person:
    born = role.find(f"{_HL7}patient/{_HL7}birthTime")
    ids = ((one.get("root", ""), one.get("extension", "")) for one in role.findall(f"{_HL7}id"))
    return Person("" if born is None else born.get("value", ""), tuple(ids))


def _blocks(section: Element) -> Iterator[Block]:
    """Yield a section and those inside it; its kind is that of its code, else of its title."""
    title, text = section.find(f"{_HL7}title"), section.find(f"{_HL7}text")
    code = section.find(f"{_HL7}code")
    heading = "" if title is None else " ".join("".join(title.itertext()).split())
    narrative = "" if text is None else _tidy("".join(_lines(text)))
    if narrative:
        kind = kind_of_loinc("" if code is None else code.get("code", "")) or kind_of_heading(heading) or "other"
        yield Block(f"{heading}:\n{narrative}" if heading else narrative, kind)
    for inner in section.findall(f"{_HL7}component/{_HL7}section"):
        yield from _blocks(inner)


def _lines(element: Element) -> Iterator[str]:
    """Yield the text of a narrative block: a line for each row, item and paragraph, a bar between cells."""
    ends = "\n" if element.tag in _LINES else ""
    # Line breaks of the source mean nothing, as in HTML.
    yield ends + _BLANKS.sub(" ", element.text or "")
    for number, inner in enumerate(element):
        yield " | " if number and inner.tag in _CELLS else ""
        yield from _lines(inner)
        yield _BLANKS.sub(" ", inner.tail or "")
    yield ends


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return tidy("\n".join(line for line in lines if line))


def _inside(root: Element) -> tuple[bytes, str] | None:
    text = root.find(f"{_HL7}component/{_HL7}nonXMLBody/{_HL7}text")
    if text is None:
        return None
    content = "".join(text.itertext())
    kind = text.get("mediaType", "text/plain")
    if text.get("representation") != "B64":
        return content.encode(), f"{kind}; charset=utf-8"
    return decode_base64(content), kind
