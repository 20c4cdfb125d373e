from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from cds_hooks.audit_events.event import PATIENT_HASH, USER_HASH, audit_event
from cds_hooks.audit_events.kinds import KINDS, LOCAL
from cds_hooks.store.audit import What
from tests.cds_hooks.audit_events.rows import ACTOR, JOB, PATIENT, RECORDER, REQUEST, WRITTEN, row_of

EVENT_ID = UUID("0b5d3a4e-7f0c-4f0e-8a55-1b0c6a2d9e77")


def event(action: What) -> dict[str, Any]:
    return audit_event(row_of(action), EVENT_ID, RECORDER)


def names(action: What) -> dict[str, str]:
    """Return the values of all identifiers of an event that have a system, by it."""
    found: dict[str, str] = {}

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if set(part) == {"system", "value"}:
                found[part["system"]] = part["value"]
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(event(action))
    return found


def test_every_action_has_a_form() -> None:
    """Whatever can stand in the trail can be written as FHIR, and is tried by these tests."""
    assert set(KINDS) == set(WRITTEN) == set(What)


@pytest.mark.parametrize("action", What)
def test_event_is_valid_fhir(action: What) -> None:
    """The library reads every event as it was written."""
    written = event(action)

    assert AuditEvent.model_validate(written).model_dump(mode="json", exclude_none=True) == written


@pytest.mark.parametrize("action", What)
def test_own_word_is_kept(action: What) -> None:
    """Two actions that share a DICOM code stay apart by our own code."""
    assert event(action)["subtype"] == [{"system": LOCAL, "code": action.value}]


@pytest.mark.parametrize("action", What)
def test_one_agent_asked(action: What) -> None:
    """Exactly one agent is the requestor, and the service itself is always among the agents."""
    agents = event(action)["agent"]

    assert [agent["requestor"] for agent in agents].count(True) == 1
    assert RECORDER.reference in [agent["who"] for agent in agents]


def test_who_asked_about_whom() -> None:
    """A hook names user and patient by their keyed hashes, when, and for treatment."""
    found = event(What.HOOK_ANSWERED)

    assert (names(What.HOOK_ANSWERED)[USER_HASH], names(What.HOOK_ANSWERED)[PATIENT_HASH]) == (ACTOR, PATIENT)
    assert found["agent"][0]["purposeOfUse"][0]["coding"][0]["code"] == "TREAT"
    assert found["recorded"] == "2026-11-24T09:14:00Z"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (What.PAGE_OPENED, "whoever holds the link of the card"),
        (What.FHIR_EXPORTED, "whoever holds the link of the card"),
        (What.FEEDBACK_GIVEN, "not told by the client"),
    ],
)
def test_unknown_user_is_said_to_be(action: What, words: str) -> None:
    """Where nobody told who it was, no user is made up and no purpose is claimed."""
    asker = event(action)["agent"][0]

    assert (asker["who"], "purposeOfUse" in asker) == ({"display": words}, False)


@pytest.mark.parametrize("action", [What.JOB_RUN, What.CHECK_RUN])
def test_own_work_names_no_user(action: What) -> None:
    """What a worker does has one agent, the service."""
    assert [agent["who"] for agent in event(action)["agent"]] == [RECORDER.reference]


def test_refused_hook_did_not_succeed() -> None:
    """A hook that was refused is a failure, the only one; no other action is written before it has succeeded."""
    assert {action for action in What if event(action)["outcome"] != "0"} == {What.HOOK_REFUSED}


def test_opened_page_tells_what_it_showed() -> None:
    """The card of a page is the object, with what the page showed."""
    cards = [part for part in event(What.PAGE_OPENED)["entity"] if "detail" in part]

    assert [part["detail"] for part in cards] == [[{"type": "shown", "valueString": "checked"}]]


def test_job_and_request_can_be_followed() -> None:
    """The ids under which the log knows a job and a request are in the event."""
    written = orjson.dumps(event(What.HOOK_ANSWERED)).decode()

    assert UUID(JOB).urn in written
    assert REQUEST in written
