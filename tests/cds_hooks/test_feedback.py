from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from cds_hooks.cards import REASON_SYSTEM
from cds_hooks.store.tables import audit, feedback
from tests.cds_hooks.fakes import Running
from tests.cds_hooks.samples import make_hook

URL = "/cds-services/mllm-diagnosis/feedback"
TIME = "2026-11-24T09:20:00Z"


async def card_of(service: Running) -> dict[str, Any]:
    """Have a card shown."""
    card: dict[str, Any] = (await service.fire(make_hook())).json()["cards"][0]
    return card


def overridden(card: str, **changes: Any) -> dict[str, Any]:
    """Return one item of feedback."""
    return {"card": card, "outcome": "overridden", "outcomeTimestamp": TIME, **changes}


def accepted(card: str, suggestion: str) -> dict[str, Any]:
    """Return one item of feedback on a suggestion."""
    return overridden(card, outcome="accepted", acceptedSuggestions=[{"id": suggestion}])


def kept(service: Running) -> list[Any]:
    """Return the feedback that was kept."""
    with service.store.database.read() as connection:
        return list(connection.execute(sa.select(feedback)))


async def test_override_with_reason_and_comment_is_kept(service: Running) -> None:
    """Why a card was overridden is kept: the code in clear, to be counted, the comment sealed."""
    card = await card_of(service)
    reason = {"reason": {"code": "not-useful", "system": REASON_SYSTEM}, "userComment": "seen before"}
    response = await service.client.post(URL, json={"feedback": [overridden(card["uuid"], overrideReason=reason)]})
    (row,) = kept(service)

    assert (response.status_code, response.content) == (200, b"")
    assert (row.outcome, row.reason_code, row.reason_system) == ("overridden", "not-useful", REASON_SYSTEM)
    assert service.store.vault.open(row.comment_sealed) == b"seen before"


async def test_form_of_the_reference_client_is_taken(service: Running) -> None:
    """The sandbox sends no display and no comment; others dismiss without any reason."""
    card = await card_of(service)
    plain = overridden(card["uuid"])
    coded = overridden(card["uuid"], overrideReason={"reason": {"code": "other-diagnosis", "system": REASON_SYSTEM}})
    response = await service.client.post(URL, json={"feedback": [plain, coded]})

    assert (response.status_code, len(kept(service))) == (200, 2)


async def test_accepted_suggestion_is_kept(service: Running) -> None:
    """An accepted suggestion is kept by its uuid."""
    card = await card_of(service)
    suggestion = card["suggestions"][0]["uuid"]
    item = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": suggestion}],
        "outcomeTimestamp": TIME,
    }
    response = await service.client.post(URL, json={"feedback": [item]})

    assert response.status_code == 200
    assert kept(service)[0].suggestions == suggestion.replace("-", "")


async def test_feedback_may_come_twice(service: Running) -> None:
    """A client may report the same card several times; each report is kept."""
    card = await card_of(service)
    for _ in range(2):
        await service.client.post(URL, json={"feedback": [overridden(card["uuid"])]})

    assert len(kept(service)) == 2


async def test_card_that_was_never_shown_is_refused_with_all_the_rest(service: Running) -> None:
    """Feedback on what nobody saw would falsify the counts: the whole call is a 400 that names it, nothing is kept."""
    card = await card_of(service)
    response = await service.client.post(URL, json={"feedback": [overridden(card["uuid"]), overridden(str(uuid4()))]})

    assert (response.status_code, response.json()["issue"][0]["expression"]) == (400, ["feedback[1].card"])
    assert kept(service) == []


async def test_suggestion_of_another_card_is_refused(service: Running) -> None:
    """A suggestion that the card did not have cannot have been accepted."""
    card = await card_of(service)
    item = {
        "card": card["uuid"],
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": str(uuid4())}],
        "outcomeTimestamp": TIME,
    }
    response = await service.client.post(URL, json={"feedback": [item]})

    assert response.json()["issue"][0]["expression"] == ["feedback[0].acceptedSuggestions[0].id"]
    assert response.status_code == 400


async def test_feedback_is_traced(service: Running) -> None:
    """That feedback came is in the trail."""
    card = await card_of(service)
    response = await service.client.post(URL, json={"feedback": [overridden(card["uuid"])]})
    with service.store.database.read() as connection:
        rows = connection.execute(sa.select(audit).where(audit.c.action == "feedback-given")).all()

    assert [response.headers["x-request-id"]] == [row.request_id for row in rows]


@pytest.mark.parametrize(
    ("body", "outcome", "code"),
    [
        ({"outcome": "accepted"}, "accepted", None),
        ({"outcome": "overridden", "overrideReason": {"reason": {"code": "evidence-wrong"}, "userComment": "old film"}},
         "overridden", "evidence-wrong"),
        ({"outcome": "overridden", "overrideReason": {"reason": {"code": "not-useful"}, "userComment": ""}},
         "overridden", "not-useful"),
    ],
)  # fmt: skip
async def test_page_gives_feedback_on_its_own_card(
    service: Running, body: dict[str, Any], outcome: str, code: str | None
) -> None:
    """The buttons of the page count with the card that led to it, under the same codes."""
    card = await card_of(service)
    response = await service.client.post(f"{card['links'][0]['url']}/feedback", json=body)
    (row,) = kept(service)

    assert (200, outcome, code) == (response.status_code, row.outcome, row.reason_code)
    assert row.card_id == card["uuid"].replace("-", "")


@pytest.mark.parametrize("body", [{}, {"outcome": "maybe"}, {"outcome": "overridden", "overrideReason": "x"}])
async def test_wrong_feedback_of_a_page_is_refused(service: Running, body: dict[str, Any]) -> None:
    """What is no feedback is a 400, from the page too."""
    card = await card_of(service)

    assert (await service.client.post(f"{card['links'][0]['url']}/feedback", json=body)).status_code == 400
