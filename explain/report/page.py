"""Explanation -> PDF of one A4 page. What is too long for its part of the page is set smaller, never cut."""

from __future__ import annotations

import html
from collections.abc import Iterator
from io import BytesIO
from threading import Lock
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.pdfdoc import XMP
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Frame, KeepInFrame

from explain import wording
from explain.report import answer, evidence
from explain.report.letters import MISSING, MISSING_SENTENCE, register, settable
from explain.report.style import BANNER, SMALL, TITLE, text
from explain.report.view import ReportView

MARGIN: Final = 34.0
GAP: Final = 16.0
WIDTH: Final = A4[0] - 2 * MARGIN
RIGHT: Final = evidence.WIDTH
LEFT: Final = WIDTH - RIGHT - GAP
HEAD: Final = 84.0
FOOT: Final = 116.0
BODY: Final = A4[1] - 2 * MARGIN - HEAD - FOOT
LANGUAGE: Final = "en"
UNCONFIRMED: Final = "Made by an artificial intelligence, confirmed by no human. It informs a judgement and is none."
_ONE_AT_A_TIME: Final = Lock()
"""reportlab keeps the state of its fonts in one place."""


def render_report(view: ReportView) -> bytes:
    """Return the report as PDF; the same view gives the same bytes."""
    register()
    out = BytesIO()
    with _ONE_AT_A_TIME:
        canvas = Canvas(out, A4, invariant=1, lang=LANGUAGE)
        _describe(canvas, view)
        bottom = MARGIN + FOOT
        _place(canvas, (*head(view),), (MARGIN, bottom + BODY, WIDTH, HEAD))
        _place(canvas, (*left(view),), (MARGIN, bottom, LEFT, BODY))
        _place(canvas, (*right(view),), (MARGIN + LEFT + GAP, bottom, RIGHT, BODY))
        _place(canvas, (*foot(view),), (MARGIN, MARGIN, WIDTH, FOOT))
        canvas.showPage()
        canvas.save()
    return out.getvalue()


def title(view: ReportView) -> str:
    """Return the title of the document: the model and the moment, nothing of the patient and nothing of the answer."""
    return f"Explanation by {view.prediction.checkpoint}, {wording.moment(view.computed_at)}"


def head(view: ReportView) -> Iterator[Flowable]:
    """Yield the title and what must be read before anything else."""
    yield text("Why this answer?", TITLE)
    yield text(f"{view.prediction.checkpoint} · computed {wording.moment(view.computed_at)}", SMALL)
    if view.explanation.test_data:
        yield text(
            "The chart is marked as test data: the patient is made up, and what is shown of them here may be too.",
            BANNER,
            "Test data.",
        )
    yield text(view.card.simulated, BANNER, "Simulated in training.")


def left(view: ReportView) -> Iterator[Flowable]:
    """Yield the answer and its reasons."""
    for part in (answer.answer, answer.told, answer.tested, answer.missing):
        yield from part(view)


def right(view: ReportView) -> Iterator[Flowable]:
    """Yield the evidence itself."""
    yield from evidence.film(view)
    yield from evidence.measurements(view)


def foot(view: ReportView) -> Iterator[Flowable]:
    """Yield what the model is for, what it is not for, and which one it was."""
    card = view.card
    yield text(card.intended_use, SMALL, "Intended use.")
    yield text(card.scope, SMALL, "Scope.")
    yield text(" ".join(card.not_for), SMALL, "Not for.")
    yield text(f"{card.name} {card.version}, SHA-256 of the graph {view.prediction.model_digest}", SMALL, "Model.")
    yield text(UNCONFIRMED, SMALL)
    shown = (*(claim.text for claim in view.explanation.claims), *view.explanation.missing)
    if any(MISSING in settable(words) for words in shown):
        yield text(MISSING_SENTENCE, SMALL)


def _place(canvas: Canvas, story: tuple[Flowable, ...], box: tuple[float, float, float, float]) -> None:
    across, up, width, height = box
    frame = Frame(across, up, width, height, 0, 0, 0, 0)
    frame.addFromList([KeepInFrame(width, height, list(story), mode="shrink", vAlign="TOP")], canvas)


def _describe(canvas: Canvas, view: ReportView) -> None:
    """Write title and maker, in the old form and as XMP (ISO 16684-1), and have readers show the title."""
    canvas.setTitle(title(view))
    canvas.setAuthor("mllm-cds")
    canvas.setSubject("Explanation of a model’s answer")
    canvas.setCreator("mllm-cds")
    canvas.setViewerPreference("DisplayDocTitle", "true")
    document = vars(canvas)["_doc"]  # reportlab has no public way to XMP
    document.Catalog.Metadata = document.Reference(XMP(creator=lambda _document: _xmp(view)))


def _xmp(view: ReportView) -> bytes:
    made = view.computed_at.isoformat(timespec="seconds")
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/">'
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{html.escape(title(view))}</rdf:li></rdf:Alt></dc:title>'
        f"<xmp:CreateDate>{made}</xmp:CreateDate><xmp:CreatorTool>mllm-cds</xmp:CreatorTool>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()
