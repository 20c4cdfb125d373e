"""Documents in the forms in which notes come."""

import base64
from io import BytesIO

from PIL import Image
from pypdf import PdfReader, PdfWriter
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.fhir_adapter.builders import PATIENT_ID, Json, concept

RTF = rb"{\rtf1\ansi{\fonttbl{\f0\fcharset0 Arial;}}\f0 CC: cough\par Fever 39 \'b0C\par}"


def report(**changes: object) -> Json:
    """A radiologist's report of this morning's film."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "report-1",
        "meta": {"versionId": "1"},
        "status": "final",
        "code": {"text": "Chest X-ray"},
        "subject": {"reference": f"Patient/{PATIENT_ID}"},
        "performer": [{"reference": "Practitioner/radiologist"}],
        "effectiveDateTime": "2026-11-24T07:30:00Z",
        "conclusion": "Right lower lobe consolidation.",
        **changes,
    }


def pdf(*pages: str) -> bytes:
    """A PDF with one line a page; an empty one is a picture."""
    out = BytesIO()
    canvas = Canvas(out)
    for text in pages:
        if text:
            canvas.drawString(72, 700, text)
        else:
            canvas.drawImage(ImageReader(Image.new("L", (8, 8))), 0, 0)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def locked(content: bytes, password: str) -> bytes:
    """A PDF that asks for a password; an empty one asks for none."""
    writer = PdfWriter(clone_from=PdfReader(BytesIO(content)))
    writer.encrypt(password, owner_password="owner", algorithm="AES-128")
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def section(title: str, narrative: str, code: str = "", inner: str = "") -> str:
    """A section of a C-CDA."""
    return (
        f"<component><section><code code='{code}' codeSystem='2.16.840.1.113883.6.1'/><title>{title}</title>"
        f"<text>{narrative}</text>{inner}</section></component>"
    )


def cda(*sections: str, born: str = "20240305", ids: str = "", body: str = "") -> bytes:
    """A C-CDA of the usual patient."""
    content = body or f"<structuredBody>{''.join(sections)}</structuredBody>"
    return (
        "<?xml version='1.0' encoding='UTF-8'?><ClinicalDocument xmlns='urn:hl7-org:v3'><title>Note</title>"
        f"<recordTarget><patientRole>{ids}<patient><birthTime value='{born}'/></patient></patientRole></recordTarget>"
        f"<component>{content}</component></ClinicalDocument>"
    ).encode()


def unstructured(content: bytes, kind: str) -> bytes:
    """A C-CDA with another document inside."""
    data = base64.b64encode(content).decode()
    return cda(body=f"<nonXMLBody><text mediaType='{kind}' representation='B64'>{data}</text></nonXMLBody>")


def coded(code: str, system: str = "http://loinc.org") -> Json:
    """A CodeableConcept."""
    return concept(code, system=system)
