"""GET /explanations/{token}: the page behind a card, for whoever holds its link, for as long as that lives.

Nothing of the patient is in the address. The pictures are answers of their own under the same token rather than data
URIs: the page is small and shows at once, and both die with the link, as nothing may be kept by a cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Literal, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.cards import REASON_SYSTEM
from cds_hooks.errors import Issue, Refusal
from cds_hooks.incoming import read_page_feedback
from cds_hooks.log import get_logger
from cds_hooks.parts import Parts, parts_of
from cds_hooks.refusals import DATABASE_DOWN
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.cards import Opinion, Page
from cds_hooks.store.states import JobState
from cds_hooks.wire import json_response, read_body
from explain.page import CONTENT_SECURITY_POLICY, PageView, render_gone, render_page, render_waiting

FAILED_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Analysis failed · mllm-cds</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/explanation.css"></head>
<body><main class="alone"><h1>The analysis failed</h1>
<p>No result was computed, so that nothing can be concluded from this page.</p>
<p>Open the patient’s chart again: the analysis is then started anew.</p></main></body></html>
"""
router = APIRouter()
log = get_logger()
Result = TypeVar("Result")


@router.get("/explanations/{token}")
async def show(token: str, request: Request) -> Response:
    """Show the explanation, or that it is not there yet, or that it will not be."""
    parts = parts_of(request)
    page = await _find(parts, token)
    if page is None:
        return _html(parts, render_gone(), 404)
    status = await _blocking(parts.store.jobs.status, page.job_id)
    entry = Entry(What.PAGE_OPENED, None, page.patient, page.job_id, request.state.request_id)
    await _blocking(parts.store.upkeep.record, entry)
    log.info("page_opened", job_id=page.job_id, state=status.state)
    if status.state is JobState.FAILED:
        return _html(parts, FAILED_PAGE, 200)
    if not status.ended:
        return _html(parts, render_waiting(f"/explanations/{token}/status"), 200)
    return _html(parts, await _blocking(_render, parts, page, token), 200)


def _render(parts: Parts, page: Page, token: str) -> str:
    judgement, computed_at = parts.store.results.judgement_at(page.job_id)
    here = f"/explanations/{token}"
    there = judgement.explanation.image is not None
    return render_page(
        PageView(
            judgement.prediction,
            judgement.explanation,
            parts.engine.card,
            computed_at,
            f"{here}/feedback",
            f"{here}/film.png" if there else "",
            f"{here}/heat.png" if there else "",
        )
    )


@router.get("/explanations/{token}/status")
async def status(token: str, request: Request) -> Response:
    """Tell the waiting page whether to load itself again; a failed analysis is a reason to."""
    parts = parts_of(request)
    page = await _required(parts, token)
    found = await _blocking(parts.store.jobs.status, page.job_id)
    return json_response({"done": found.ended})


@router.get("/explanations/{token}/film.png")
async def film(token: str, request: Request) -> Response:
    """Return the film."""
    return await _picture(parts_of(request), token, "film")


@router.get("/explanations/{token}/heat.png")
async def heat(token: str, request: Request) -> Response:
    """Return the heat map that lies over the film."""
    return await _picture(parts_of(request), token, "heat")


async def _picture(parts: Parts, token: str, which: Literal["film", "heat"]) -> Response:
    page = await _required(parts, token)
    png = await _blocking(parts.store.results.picture, page.job_id, which)
    if png is None:
        raise _gone()
    return Response(png, media_type="image/png", headers=_headers(parts))


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
