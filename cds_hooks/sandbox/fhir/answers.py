"""Answers of the FHIR server: resources and OperationOutcomes, and the address that links are made from."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.sandbox.resources import Resource
from fhir_adapter.media_types import FHIR_JSON


class Refusal(HTTPException):
    """A request that is answered with an OperationOutcome; its text never repeats what the caller sent.

    Args:
        status: HTTP status, which is what a client should go by.
        text: what is wrong.
        code: of the issue; HAPI says `processing` for nearly everything.
        headers: sent along.
    """

    def __init__(
        self, status: int, text: str, code: str = "processing", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, text, headers)
        self.code = code


def fhir_json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with FHIR JSON."""
    return Response(orjson.dumps(body), status, headers, media_type=f"{FHIR_JSON};charset=UTF-8")


def outcome(text: str, code: str = "processing", severity: str = "error") -> Resource:
    """Return an OperationOutcome of one issue."""
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


async def error_answer(_request: Request, error: Exception) -> Response:
    """Answer an error with an OperationOutcome."""
    if isinstance(error, Refusal):
        return fhir_json(outcome(error.detail, error.code), error.status_code, error.headers)
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return fhir_json(outcome("this is not offered here", "not-supported"), error.status_code, error.headers)
    if isinstance(error, HTTPException):
        return fhir_json(outcome("there is nothing at this address"), error.status_code, error.headers)
    return fhir_json(outcome("internal error", "exception"), HTTPStatus.INTERNAL_SERVER_ERROR)


def base_of(request: Request) -> str:
    """Return the base URL as the caller reached it; as with HAPI, the Host header decides."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
