from __future__ import annotations

from typing import Any

import pytest

from cds_hooks.errors import Refusal
from cds_hooks.incoming import read_feedback, read_hook, read_json
from tests.cds_hooks.samples import FAMILY, PATIENT_ID, SERVER, make_authorization, make_hook

CONTEXT = {"patientId": PATIENT_ID, "userId": "Practitioner/1"}
TIME = "2026-11-24T09:20:00Z"
CARD = "4e0a3a1e-3283-4575-ab82-028d55fe2719"


def with_token(**changes: Any) -> dict[str, Any]:
    """Return what a hook with access to a server has."""
    return {"fhirServer": SERVER, "fhirAuthorization": make_authorization(**changes)}


def refused(hook: dict[str, Any]) -> Refusal:
    """Return how a hook is refused."""
    with pytest.raises(Refusal) as caught:
        read_hook(hook)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"hook": ...}, "hook"),
        ({"hook": 5}, "hook"),
        ({"hook": ""}, "hook"),
        ({"hook": "order-sign"}, "hook"),
        ({"hookInstance": ...}, "hookInstance"),
        ({"hookInstance": "1"}, "hookInstance"),
        ({"hookInstance": None}, "hookInstance"),
        ({"context": ...}, "context"),
        ({"context": []}, "context"),
        ({"context": {"userId": "Practitioner/1"}}, "context.patientId"),
        ({"context": {**CONTEXT, "patientId": "../../metadata"}}, "context.patientId"),
        ({"context": {**CONTEXT, "patientId": ".."}}, "context.patientId"),
        ({"context": {**CONTEXT, "patientId": "x" * 65}}, "context.patientId"),
        ({"context": {**CONTEXT, "patientId": 7}}, "context.patientId"),
        ({"context": {"patientId": PATIENT_ID}}, "context.userId"),
        ({"context": {**CONTEXT, "userId": ""}}, "context.userId"),
        ({"context": {**CONTEXT, "encounterId": "a b"}}, "context.encounterId"),
        ({"prefetch": []}, "prefetch"),
        ({"prefetch": "none"}, "prefetch"),
        ({"fhirServer": "ehr.example.org"}, "fhirServer"),
        ({"fhirServer": "file:///etc/passwd"}, "fhirServer"),
        ({"fhirAuthorization": make_authorization()}, "fhirServer"),
        ({"fhirServer": SERVER, "fhirAuthorization": "token"}, "fhirAuthorization"),
        (with_token(access_token=...), "fhirAuthorization.access_token"),
        (with_token(access_token="a\nb"), "fhirAuthorization.access_token"),
        (with_token(token_type="Basic"), "fhirAuthorization.token_type"),
        (with_token(expires_in=...), "fhirAuthorization.expires_in"),
        (with_token(expires_in=0), "fhirAuthorization.expires_in"),
        (with_token(scope=...), "fhirAuthorization.scope"),
        (with_token(subject=...), "fhirAuthorization.subject"),
        (with_token(patient="other"), "fhirAuthorization.patient"),
    ],
)  # fmt: skip
def test_wrong_field_is_named_by_its_path(changes: dict[str, Any], field: str) -> None:
    """A field that is missing or wrong is a 400 that names it by its path."""
    refusal = refused(make_hook(**changes))

    assert (400, [field]) == (refusal.status, [issue.field for issue in refusal.issues])


def test_every_wrong_field_is_named() -> None:
    """One answer names all that is wrong, so that nobody has to try again for each."""
    assert {"hook", "hookInstance", "context"} == {issue.field for issue in refused({}).issues}


def test_refusal_quotes_nothing() -> None:
    """What was sent is never repeated: an error travels into logs on both sides."""
    issues = refused(
        make_hook(hookInstance=FAMILY, context={"patientId": f"{FAMILY} x", "userId": 3}, fhirServer=FAMILY)
    )

    assert FAMILY not in repr(issues.issues)
    assert FAMILY not in str(issues)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"prefetch": ...},
        {"prefetch": None},
        {"fhirServer": SERVER},
        {"fhirServer": SERVER, "fhirAuthorization": make_authorization()},
        {"fhirServer": SERVER, "fhirAuthorization": make_authorization(patient=PATIENT_ID)},
        {"context": {**CONTEXT, "encounterId": "e1", "somethingNew": {"deep": [1]}}},
        {"extension": {"com.example.x": 1}, "somethingNew": None},
    ],
)
def test_what_the_specification_allows_is_taken(changes: dict[str, Any]) -> None:
    """Optional fields may be absent, and fields of later versions may be there."""
    assert read_hook(make_hook(**changes)).context.patient_id == PATIENT_ID


def test_unknown_fields_are_kept() -> None:
    """What this version does not know of is not lost."""
    request = read_hook(make_hook(context={**CONTEXT, "draft": 1}, later=2))

    assert (request.context.model_extra, request.model_extra) == ({"draft": 1}, {"later": 2})


def test_token_does_not_print() -> None:
    """The access token appears in no text of the request."""
    request = read_hook(make_hook(fhirServer=SERVER, fhirAuthorization=make_authorization()))

    assert "secret-bearer" not in repr(request)


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"{}", 415),
        ("", b"{}", 415),
        ("application/x-www-form-urlencoded", b"a=b", 415),
        ("application/json", b"", 400),
        ("application/json", b"{", 400),
        ("application/json", b'{"hook": NaN}', 400),
        ("application/json", b'{"hook": "\xff"}', 400),
        ("application/json", b"[]", 400),
        ("application/json", b"null", 400),
        ("application/json", b'"text"', 400),
        ("application/json", b"[" * 100_000, 400),
    ],
)
def test_body_that_is_no_json_object_is_refused(content_type: str, body: bytes, status: int) -> None:
    """Only a JSON object that says it is one is read."""
    with pytest.raises(Refusal) as caught:
        read_json(content_type, body)

    assert caught.value.status == status


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/fhir+json"]
)
def test_json_has_several_names(content_type: str) -> None:
    """The media type is compared as HTTP wants: without parameters, in any case."""
    assert read_json(content_type, b'{"a": 1}') == {"a": 1}


def item(**changes: Any) -> dict[str, Any]:
    """Return one item of feedback; a field that is changed to `...` is left out."""
    fields = {"card": CARD, "outcome": "overridden", "outcomeTimestamp": TIME, **changes}
    return {name: value for name, value in fields.items() if value is not ...}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (item(card=...), "feedback[0].card"),
        (item(card="7"), "feedback[0].card"),
        (item(outcome="ignored"), "feedback[0].outcome"),
        (item(outcomeTimestamp=...), "feedback[0].outcomeTimestamp"),
        (item(outcomeTimestamp="2026-11-24T09:20:00"), "feedback[0].outcomeTimestamp"),
        (item(outcome="accepted"), "feedback[0]"),
        (item(outcome="accepted", acceptedSuggestions=[]), "feedback[0]"),
        (item(outcome="accepted", acceptedSuggestions=[{}]), "feedback[0].acceptedSuggestions[0].id"),
        (item(overrideReason={}), "feedback[0].overrideReason"),
        (item(overrideReason={"reason": {"code": "x"}}), "feedback[0].overrideReason.reason.system"),
    ],
)
def test_wrong_feedback_is_named_by_its_path(wrong: dict[str, Any], field: str) -> None:
    """Each rule of the feedback form (cds-fb-1 to -3) is a 400 that names the field."""
    with pytest.raises(Refusal) as caught:
        read_feedback({"feedback": [wrong]})

    assert field in [issue.field for issue in caught.value.issues]


@pytest.mark.parametrize("body", [{}, {"feedback": []}, {"feedback": {}}, {"card": CARD}])
def test_feedback_is_an_array(body: dict[str, Any]) -> None:
    """The body of feedback is an object with a filled array."""
    with pytest.raises(Refusal) as caught:
        read_feedback(body)

    assert "feedback" in [issue.field for issue in caught.value.issues]
