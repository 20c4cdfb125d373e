"""Body of a request -> HookRequest or FeedbackRequest, or a Refusal that names the field.

What was sent is never quoted: an error message travels into logs on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cds_hooks.errors import Issue, Refusal
from cds_hooks.protocol import HOOK, FeedbackRequest, HookRequest, PageFeedback
from fhir_adapter.media_types import media_type
from fhir_adapter.shape import is_too_deep

Model = TypeVar("Model", bound=BaseModel)
EXPECTED: Final = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "uuid_type": "must be a UUID",
    "uuid_parsing": "must be a UUID",
    "url_type": "must be an absolute URL",
    "url_parsing": "must be an absolute URL",
    "url_scheme": "must start with https:// or http://",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "greater_than": "must be greater than 0",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "tuple_type": "must be an array",
    "too_short": "must not be empty",
    "too_long": "has too many entries",
    "timezone_aware": "must have a time zone, as in 2026-11-24T09:14:00Z",
}
"""Error type of pydantic -> what was expected. Its own messages are not used: some quote the input."""


def read_json(content_type: str, body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises:
        Refusal: 415 for another media type, 400 for anything but a JSON object.
    """
    media = media_type(content_type)
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise Refusal(415, Issue("not-supported", "Send the body as JSON, with Content-Type: application/json."))
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refusal(400, Issue("structure", f"The body is not valid JSON: see {where}.")) from None
    if not isinstance(value, dict):
        raise Refusal(400, Issue("structure", "The body must be a JSON object."))
    if is_too_deep(value):
        raise Refusal(400, Issue("structure", "The body is nested too deeply."))
    return value


def read_hook(value: Mapping[str, Any]) -> HookRequest:
    """Check one hook call.

    Raises:
        Refusal: 400, one issue for each field that is missing or wrong.
    """
    hook = value.get("hook")
    # Looked at first: the context of another hook has other fields, and complaints about those would mislead.
    if isinstance(hook, str) and hook and hook != HOOK:
        raise Refusal(400, Issue("not-supported", f"This service answers the hook {HOOK} only.", "hook"))
    request = _validate(HookRequest, value)
    token = request.fhir_authorization
    if token is not None and request.fhir_server is None:
        raise Refusal(400, Issue("required", "fhirServer is required with fhirAuthorization.", "fhirServer"))
    if token is not None and token.patient not in (None, request.context.patient_id):
        sentence = "The access token is restricted to another patient than context.patientId."
        raise Refusal(400, Issue("invalid", sentence, "fhirAuthorization.patient"))
    return request


def read_feedback(value: Mapping[str, Any]) -> FeedbackRequest:
    """Check one feedback call.

    Raises:
        Refusal: 400, one issue for each field that is missing or wrong.
    """
    return _validate(FeedbackRequest, value)


def read_page_feedback(value: Mapping[str, Any]) -> PageFeedback:
    """Check what the page behind a card posts.

    Raises:
        Refusal: 400, one issue for each field that is missing or wrong.
    """
    return _validate(PageFeedback, value)


def _validate(model: type[Model], value: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    raise Refusal(400, *(_issue(detail) for detail in details))


def _issue(detail: ErrorDetails) -> Issue:
    field, kind = _path(detail["loc"]), detail["type"]
    if kind == "value_error":
        return Issue("invalid", f"{field}: {detail['ctx']['error']}.", field)
    expected = EXPECTED.get(kind, "has not the form that CDS Hooks asks for")
    if kind == "literal_error":
        expected = f"must be {detail['ctx']['expected']}"
    return Issue("required" if kind == "missing" else "value", f"{field} {expected}.", field)


def _path(place: tuple[int | str, ...]) -> str:
    path = ""
    for step in place:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path
