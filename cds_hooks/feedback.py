"""POST /cds-services/{id}/feedback: what users did with their cards (CDS Hooks, "Feedback")."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from cds_hooks.errors import Issue, Refusal
from cds_hooks.incoming import read_feedback
from cds_hooks.log import get_logger
from cds_hooks.parts import parts_of
from cds_hooks.patient_view import check_service
from cds_hooks.protocol import Feedback, FeedbackRequest
from cds_hooks.refusals import DATABASE_DOWN
from cds_hooks.store.audit import Entry, What
from cds_hooks.store.cards import Opinion
from cds_hooks.store.opening import Store
from cds_hooks.wire import read_body

router = APIRouter()
log = get_logger()


@router.post("/cds-services/{service_id}/feedback")
async def receive(service_id: str, request: Request) -> Response:
    """Keep feedback; 200 without a body says that it is kept."""
    parts = parts_of(request)
    check_service(service_id)
    given = read_feedback(await read_body(request))
    try:
        await asyncio.to_thread(_keep, parts.store, service_id, given, request.state.request_id)
    except SQLAlchemyError:
        log.exception("database_down", part="database")
        raise DATABASE_DOWN from None
    log.info("feedback_kept", count=len(given.feedback))
    return Response(status_code=200, headers={"Cache-Control": "no-store"})


def _keep(store: Store, service_id: str, given: FeedbackRequest, request_id: str) -> None:
    """Keep all of it or nothing.

    Feedback on a card that was never shown is refused: it would count, in figures that decide how often the service
    may speak, what nobody saw. Cards are remembered for CDS_FEEDBACK_RETENTION, far longer than clients hold back.

    Raises:
        Refusal: 400, one issue for each card or suggestion that is not ours.
    """
    known = store.cards.known(service_id, [item.card for item in given.feedback])
    issues = [issue for place, item in enumerate(given.feedback) for issue in _strangers(place, item, known)]
    if issues:
        raise Refusal(400, *issues)
    entry = Entry(What.FEEDBACK_GIVEN, request_id=request_id)
    store.cards.add_opinions([_opinion(item) for item in given.feedback], entry)


def _strangers(place: int, item: Feedback, known: Mapping[UUID, UUID | None]) -> Iterator[Issue]:
    if item.card not in known:
        sentence = "This service has shown no card of this uuid, or too long ago."
        yield Issue("not-found", sentence, f"feedback[{place}].card")
        return
    for number, accepted in enumerate(item.accepted_suggestions or ()):
        if accepted.id != known[item.card]:
            field = f"feedback[{place}].acceptedSuggestions[{number}].id"
            yield Issue("not-found", "The card had no suggestion of this uuid.", field)


def _opinion(item: Feedback) -> Opinion:
    given = item.override_reason
    reason = given.reason if given else None
    return Opinion(
        item.card,
        item.outcome,
        item.outcome_timestamp,
        tuple(accepted.id for accepted in item.accepted_suggestions or ()),
        reason.system if reason else None,
        reason.code if reason else None,
        given.user_comment if given else None,
    )
