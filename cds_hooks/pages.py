"""GET /explanations/{token}: the page behind a card, for whoever holds its link, for as long as that lives.

Nothing of the patient is in the address. The pictures are answers of their own under the same token rather than data
URIs: the page is small and shows at once, and both die with the link, as nothing may be kept by a cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.cards import REASON_SYSTEM
from cds_hooks.errors import Issue, Refusal
from cds_hooks.incoming import read_page_feedback
from cds_hooks.log import get_logger
from cds_hooks.lost_checks import see_to_check
from cds_hooks.parts import Parts, parts_of
from cds_hooks.refusals import DATABASE_DOWN
from cds_hooks.store.audit import Entry, PageState, What
from cds_hooks.store.cards import Opinion, Page
from cds_hooks.store.opening import Store
from cds_hooks.store.results import Picture
from cds_hooks.store.states import Checked, JobState, Status
from cds_hooks.wire import json_response, read_body
from explain.page import (
    CONTENT_SECURITY_POLICY,
    PageView,
    render_attributes,
    render_gone,
    render_page,
    render_waiting,
)

FAILED_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Analysis failed · mllm-cds</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/explanation.css"></head>
<body><main class="alone"><h1>The analysis failed</h1>
<p>No result was computed, so that nothing can be concluded from this page.</p>
<p>Open the patient’s chart again: the analysis is then started anew.</p></main></body></html>
"""
REFRESH: Final = "x-page-refresh"
"""Header with which a page that is open fetches itself, when what it waited for is there."""
STATES: Final = {
    Checked.RUNNING: PageState.CHECKING,
    Checked.DONE: PageState.CHECKED,
    Checked.FAILED: PageState.UNCHECKED,
    Checked.NONE: PageState.UNCHECKED,
}
router = APIRouter()
WITHDRAWN: Final = Refusal(
    410, Issue("suppressed", "The heat map was withdrawn: it says no more about this answer than a random one.")
)
log = get_logger()
Result = TypeVar("Result")


@router.get("/explanations/{token}")
async def show(token: str, request: Request) -> Response:
    """Show the explanation, or that it is not there yet, or that it will not be."""
    parts = parts_of(request)
    page = await _find(parts, token)
    if page is None:
        return _html(parts, render_gone(), 404)
    await see_to_check(parts, page.job_id)
    status = await _blocking(parts.store.jobs.status, page.job_id)
    text, shown = await _blocking(_page, parts, page, token, status)
    what = What.PAGE_FILLED if REFRESH in request.headers else What.PAGE_OPENED
    entry = Entry(what, None, page.patient, page.job_id, request.state.request_id, page.card_id, shown)
    await _blocking(parts.store.upkeep.record, entry)
    log.info("page_opened", job_id=page.job_id, state=shown)
    return _html(parts, text, 200)


def _page(parts: Parts, page: Page, token: str, status: Status) -> tuple[str, PageState]:
    """Return the page, and what it shows."""
    if status.state is JobState.FAILED:
        return FAILED_PAGE, PageState.FAILED
    if not status.ended:
        return render_waiting(f"/explanations/{token}/status"), PageState.RUNNING
    # Asked before the result is read: what ends in between is shown, and fills the page once more at worst.
    checked = parts.store.checks.state(page.job_id)
    return _render(parts, page, token, checked), STATES[checked]


def _render(parts: Parts, page: Page, token: str, checked: Checked) -> str:
    judgement, computed_at = parts.store.results.judgement_at(page.job_id)
    here = f"/explanations/{token}"
    explanation = judgement.explanation
    image, tested = explanation.image, explanation.tested
    # A map that does not hold has no regions left.
    filed = image is not None and bool(image.regions) and bool(image.file)
    return render_page(
        PageView(
            judgement.prediction,
            explanation,
            parts.engine.card,
            computed_at,
            f"{here}/feedback",
            film_url=f"{here}/film.png" if image else "",
            # Another address for another picture: an open page that fills itself must not keep the first one.
            heat_url=f"{here}/heat.png{'?checked' if tested else ''}" if image else "",
            prior_url=f"{here}/prior.png" if image and image.prior else "",
            checking=checked.value,
            status_url=f"{here}/status",
            attributes_url="/attributes",
            fhir_url=f"{here}/fhir" if explanation.patient else "",
            report_url=f"{here}/report.pdf",
            dicom_url=f"{here}/heat.dcm" if filed else "",
        )
    )


@router.get("/explanations/{token}/status")
async def status(token: str, request: Request) -> Response:
    """Tell a page that waits whether there is more to show; a failed analysis is a reason to load it again too."""
    parts = parts_of(request)
    page = await _required(parts, token)
    await see_to_check(parts, page.job_id)
    found = await _blocking(parts.store.jobs.status, page.job_id)
    checked = await _blocking(parts.store.checks.state, page.job_id)
    return json_response({"done": found.ended, "checked": checked})


@router.get("/attributes")
async def attributes(request: Request) -> Response:
    """Show what the model is for and its source attributes (ONC HTI-1): nothing in it is of a patient."""
    engine = parts_of(request).engine
    return _html(parts_of(request), render_attributes(engine.card, engine.attributes), 200)


@router.get("/explanations/{token}/film.png")
async def film(token: str, request: Request) -> Response:
    """Return the film."""
    return await _picture(parts_of(request), token, "film")


@router.get("/explanations/{token}/heat.png")
async def heat(token: str, request: Request) -> Response:
    """Return the heat map that lies over the film, unless it was withdrawn."""
    return await _picture(parts_of(request), token, "heat")


@router.get("/explanations/{token}/prior.png")
async def prior(token: str, request: Request) -> Response:
    """Return the earlier film."""
    return await _picture(parts_of(request), token, "prior")


async def _picture(parts: Parts, token: str, which: Picture) -> Response:
    page = await _required(parts, token)
    png = await _blocking(_heat if which == "heat" else _kept, parts.store, page.job_id, which)
    if png is None:
        raise _gone()
    return Response(png, media_type="image/png", headers=_headers(parts))


def _kept(store: Store, job_id: str, which: Picture) -> bytes | None:
    return store.results.picture(job_id, which)


def _heat(store: Store, job_id: str, which: Picture) -> bytes | None:
    """Return the heat map of the second tier where it made one, else that of the first.

    Raises:
        Refusal: 410, it was withdrawn.
    """
    tested = store.checks.tested(job_id)
    if tested is not None and not tested.holds("image"):
        raise WITHDRAWN
    return store.checks.heat(job_id) or _kept(store, job_id, which)


@router.post("/explanations/{token}/feedback")
async def receive(token: str, request: Request) -> Response:
    """Keep what a reader of the page thinks; a browser of another site cannot post JSON here."""
    parts = parts_of(request)
    given = read_page_feedback(await read_body(request))
    page = await _required(parts, token)
    why = given.override_reason
    code = why.reason.code if why and why.reason else None
    comment = why.user_comment if why else None
    system = REASON_SYSTEM if code else None
    opinion = Opinion(page.card_id, given.outcome, parts.store.clock(), (), system, code, comment)
    entry = Entry(What.FEEDBACK_GIVEN, None, page.patient, page.job_id, request.state.request_id)
    await _blocking(parts.store.cards.add_opinions, [opinion], entry)
    log.info("feedback_kept", job_id=page.job_id, count=1)
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


async def _find(parts: Parts, token: str) -> Page | None:
    return await _blocking(parts.store.cards.page, token)


async def _required(parts: Parts, token: str) -> Page:
    page = await _find(parts, token)
    if page is None:
        raise _gone()
    return page


def _gone() -> Refusal:
    return Refusal(404, Issue("not-found", "There is nothing here, or no longer: open the chart again."))


async def _blocking(call: Callable[..., Result], *arguments: object) -> Result:
    try:
        return await asyncio.to_thread(call, *arguments)
    except SQLAlchemyError:
        log.exception("database_down", part="database")
        raise DATABASE_DOWN from None


def _html(parts: Parts, text: str, status_code: int) -> Response:
    return HTMLResponse(text, status_code, headers=_headers(parts))


def _headers(parts: Parts) -> dict[str, str]:
    ancestors = " ".join(parts.settings.frame_ancestors)
    return {
        "Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-ancestors {ancestors}",
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
