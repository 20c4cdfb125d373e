"""GET /explanations/{token}/fhir, /report.pdf and /heat.dcm: an explanation taken along, by whoever holds its link.

Each is made when it is asked for, from what is stored, and nothing is kept of it. What makes them (`fhir.resources`,
reportlab, pydicom) is imported then: few pages are exported, and a process that answers hooks starts without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request, Response

from cds_hooks.errors import Issue, Refusal
from cds_hooks.judgement import Judgement
from cds_hooks.log import get_logger
from cds_hooks.pages import WITHDRAWN, _blocking, _headers, _required
from cds_hooks.parts import Parts, parts_of
from cds_hooks.refusals import LATER
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.cards import Page
from cds_hooks.store.states import JobState
from fhir_adapter.media_types import FHIR_JSON
from inference.checkpoint import Card
from inference.prediction import Verdict

NOT_YET: Final = Refusal(
    404, Issue("incomplete", "The analysis is still running: ask again when its page shows a result."), headers=LATER
)
FAILED: Final = Refusal(410, Issue("not-found", "The analysis failed, there is no result: open the chart again."))
OTHER_MODEL: Final = Refusal(
    409,
    Issue(
        "business-rule",
        "The model was replaced since it gave this answer, and what would be exported must name the one that gave it: "
        "open the chart again.",
    ),
)
NO_MAP: Final = Refusal(
    404, Issue("not-found", "There is no heat map: the model had no radiograph, or did not assess the case.")
)
router = APIRouter()
log = get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """A finished result, with its pictures where it has any, and the model that gave it."""

    job_id: str
    judgement: Judgement
    computed_at: datetime
    film: bytes
    heat: bytes
    card: Card

    @property
    def job(self) -> UUID:
        """The job's uuid, from which all ids in an export follow."""
        return UUID(self.job_id)


@router.get("/explanations/{token}/fhir")
async def fhir(token: str, request: Request) -> Response:
    """Return the explanation as a transaction Bundle; with `?report=pdf` the printed page is in it."""
    make = _fhir_with_report if request.query_params.get("report") == "pdf" else _fhir
    content = await _export(request, token, make, What.FHIR_EXPORTED)
    return _file(request, content, FHIR_JSON, "explanation.fhir.json")


@router.get("/explanations/{token}/report.pdf")
async def report(token: str, request: Request) -> Response:
    """Return the explanation as one printed page."""
    content = await _export(request, token, _report, What.REPORT_EXPORTED)
    return _file(request, content, "application/pdf", "explanation.pdf")


@router.get("/explanations/{token}/heat.dcm")
async def heat(token: str, request: Request) -> Response:
    """Return film and heat map as a DICOM Secondary Capture, unless the map was withdrawn."""
    content = await _export(request, token, _capture, What.CAPTURE_EXPORTED)
    return _file(request, content, "application/dicom", "heat-map.dcm")


async def _export(request: Request, token: str, make: Callable[[Found], bytes], what: What) -> bytes:
    """Make an export, and note that it was: before anything goes out."""
    parts = parts_of(request)
    page = await _required(parts, token)
    content = await _blocking(_made, parts, page, make)
    entry = Entry(what, None, page.patient, page.job_id, request.state.request_id, page.card_id)
    await _blocking(parts.store.upkeep.record, entry)
    log.info("explanation_exported", job_id=page.job_id, form=what)
    return content


def _made(parts: Parts, page: Page, make: Callable[[Found], bytes]) -> bytes:
    return make(_find(parts, page))


def _find(parts: Parts, page: Page) -> Found:
    status = parts.store.jobs.status(page.job_id)
    if status.state is JobState.FAILED:
        raise FAILED
    if not status.ended:
        raise NOT_YET
    results, card = parts.store.results, parts.engine.card
    judgement, computed_at = results.judgement_at(page.job_id)
    answered_by = (judgement.prediction.model_digest, judgement.prediction.checkpoint)
    if answered_by != (card.digest, f"{card.name} {card.version}"):
        raise OTHER_MODEL
    film = results.picture(page.job_id, "film") or b""
    heat_map = parts.store.checks.heat(page.job_id) or results.picture(page.job_id, "heat") or b""
    return Found(page.job_id, judgement, computed_at, film, heat_map, card)


def _fhir(found: Found) -> bytes:
    return _bundle(found, None)


def _fhir_with_report(found: Found) -> bytes:
    return _bundle(found, _report(found))


def _bundle(found: Found, pdf: bytes | None) -> bytes:
    from explain.fhir.bundle import transaction  # noqa: PLC0415  # see above
    from explain.fhir.citing import PatientUnknownError  # noqa: PLC0415
    from explain.fhir.subject import Told  # noqa: PLC0415

    judgement = found.judgement
    told = Told(found.job, judgement.prediction, judgement.explanation, found.card, found.computed_at)
    try:
        return orjson.dumps(transaction(told, pdf))
    except PatientUnknownError as error:
        raise Refusal(409, Issue("business-rule", _sentence(error))) from None


def _report(found: Found) -> bytes:
    from explain.report.page import render_report  # noqa: PLC0415  # see above
    from explain.report.view import ReportView  # noqa: PLC0415

    prediction, explanation = found.judgement.prediction, found.judgement.explanation
    return render_report(ReportView(prediction, explanation, found.card, found.computed_at, found.film, found.heat))


def _capture(found: Found) -> bytes:
    from explain.dicom_capture import Capture, NotFiledError, secondary_capture  # noqa: PLC0415  # see above

    prediction, explanation = found.judgement.prediction, found.judgement.explanation
    image = explanation.image
    if image is None or prediction.verdict is Verdict.OUT_OF_SCOPE or not image.regions:
        raise NO_MAP
    if explanation.tested is not None and not explanation.tested.holds("image"):
        raise WITHDRAWN
    capture = Capture(found.film, found.heat, image.file, found.card, found.job, found.computed_at)
    try:
        return secondary_capture(capture)
    except NotFiledError as error:
        raise Refusal(409, Issue("business-rule", _sentence(error))) from None


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


def _file(request: Request, content: bytes, media_type: str, name: str) -> Response:
    headers = {**_headers(parts_of(request)), "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
