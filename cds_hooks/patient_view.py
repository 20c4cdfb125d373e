"""POST /cds-services/mllm-diagnosis: a chart is opened, and a card answers in time.

One deadline is made when the request is there. What takes longer than it allows goes on in the worker, and the card
says so; what fails is an error that names the part. There is never an empty list of cards.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.background import BackgroundTask, BackgroundTasks

from cds_hooks.cards import Frame, build_card, build_running_card
from cds_hooks.cases import Hook, collect_case, question_of
from cds_hooks.crypto import new_token
from cds_hooks.discovery import SERVICE_ID
from cds_hooks.errors import Issue, Refusal
from cds_hooks.incoming import read_hook
from cds_hooks.jobs import CONNECT_S, QueueDown
from cds_hooks.learning import learn_server
from cds_hooks.log import get_logger
from cds_hooks.lost_checks import see_to_check
from cds_hooks.parts import Parts, parts_of
from cds_hooks.protocol import Card, HookResponse
from cds_hooks.refusals import DATABASE_DOWN, refusal_of_failure
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.cards import Shown
from cds_hooks.store.states import Claim, Failure, JobState
from cds_hooks.wire import json_response, read_body
from fhir_adapter.deadline import Deadline

SPARE_S: Final = 0.03
"""Kept back of the budget for writing the answer."""
NOTE_S: Final = 0.2
"""How long a refusal waits for its row in the audit trail; the row is written later where the database is slow."""
router = APIRouter()
log = get_logger()


@router.post("/cds-services/{service_id}")
async def call(service_id: str, request: Request) -> Response:
    """Answer a hook call (CDS Hooks, "Calling a CDS Service")."""
    parts = parts_of(request)
    deadline = Deadline.after(parts.settings.answer_within_s - SPARE_S)
    check_service(service_id)
    hook_request = read_hook(await read_body(request))
    hook = Hook(hook_request, request.state.request_id, parts.store.clock(), deadline)
    try:
        with parts.way.first():
            card, job_id = await answer(parts, hook)
    except Refusal:
        await _note_refusal(parts, hook)
        raise
    except SQLAlchemyError:
        log.exception("database_down", part="database")
        raise DATABASE_DOWN from None
    response = json_response(HookResponse(cards=(card,)).to_wire())
    # After the answer has gone out, so that nobody waits for it.
    response.background = BackgroundTasks(
        [BackgroundTask(see_to_check, parts, job_id), BackgroundTask(learn_server, parts, hook)]
    )
    return response


def check_service(service_id: str) -> None:
    """Refuse an id that discovery does not list.

    Raises:
        Refusal: 404.
    """
    if service_id != SERVICE_ID:
        raise Refusal(404, Issue("not-found", "There is no CDS service of this id: see GET /cds-services."))


async def answer(parts: Parts, hook: Hook) -> tuple[Card, str]:
    """Return the card for one hook call, and the id of the job behind it.

    Raises:
        Refusal: the data cannot be used, or a part of the service is down.
        SQLAlchemyError: the database is.
    """
    case = await collect_case(parts, hook)
    patient, actor = _marks(parts, hook)
    claim = await asyncio.to_thread(parts.store.jobs.claim, question_of(parts, case, patient))
    state = claim.state if claim.state is JobState.DONE else await _run(parts, hook, claim)
    entry = Entry(What.HOOK_ANSWERED, actor, patient, claim.job_id, hook.request_id)
    card = await asyncio.to_thread(_show, parts, hook, entry, state)
    log.info("card_shown", job_id=claim.job_id, state=state)
    return card, claim.job_id


def _marks(parts: Parts, hook: Hook) -> tuple[str, str]:
    """Return the keyed hashes of patient and user."""
    mark, context = parts.store.vault.mark, hook.request.context
    # A site that asks no server knows its patients by their id alone, whatever address came along.
    server = hook.server if parts.fhir.allowed_servers else None
    return mark("patient", server or "", context.patient_id), mark("user", hook.server or "", context.user_id)


async def _note_refusal(parts: Parts, hook: Hook) -> None:
    """Note in the audit trail who asked about whom and was refused; the refusal goes out whether that works or not."""
    patient, actor = _marks(parts, hook)
    entry = Entry(What.HOOK_REFUSED, actor, patient, request_id=hook.request_id)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(parts.store.upkeep.record, entry), NOTE_S)
    except SQLAlchemyError:
        log.exception("database_down", part="database")


async def _run(parts: Parts, hook: Hook, claim: Claim) -> JobState:
    """See that the job runs, and wait for its end until the deadline.

    Raises:
        Refusal: it cannot be enqueued, or it failed.
    """
    if claim.fresh:
        await _enqueue(parts, claim)
    log.info("job_enqueued" if claim.fresh else "job_joined", job_id=claim.job_id, attempt=claim.attempt)
    status = await parts.waiter.wait(claim.job_id, hook.deadline)
    if status is None:
        return claim.state
    if status.state is JobState.FAILED:
        raise refusal_of_failure(status.reason or Failure.INTERNAL)
    return status.state


async def _enqueue(parts: Parts, claim: Claim) -> None:
    try:
        # Longer than the hook may take, if it must be: a job that nobody enqueued would leave the card waiting.
        await asyncio.wait_for(asyncio.to_thread(parts.queue.put, claim.job_id), 2 * CONNECT_S)
    except (QueueDown, TimeoutError):
        log.exception("queue_down", part="queue", job_id=claim.job_id)
        await asyncio.to_thread(parts.store.jobs.fail, claim.job_id, claim.attempt, Failure.QUEUE)
        raise refusal_of_failure(Failure.QUEUE) from None


def _show(parts: Parts, hook: Hook, entry: Entry, state: JobState) -> Card:
    """Build the card, and remember that it was shown before it is."""
    job_id, token = str(entry.job_id), new_token()
    page_url = parts.settings.url(f"/explanations/{token}")
    context = hook.request.context
    frame = Frame(uuid4(), uuid4(), page_url, job_id, context.encounter_id, context.patient_id)
    if state is JobState.DONE:
        judgement = parts.store.results.judgement(job_id)
        card, kind = build_card(judgement, parts.engine.card, frame), judgement.prediction.verdict.value
    else:
        card, kind = build_running_card(parts.engine.card, frame), "running"
    suggestion = card.suggestions[0].uuid if card.suggestions else None
    parts.store.cards.show(Shown(card.uuid, job_id, SERVICE_ID, kind, token, suggestion), entry)
    return card
