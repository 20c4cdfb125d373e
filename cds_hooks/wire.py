"""Answers and requests as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request, Response

from cds_hooks.errors import Issue, Refusal, operation_outcome
from cds_hooks.incoming import read_json
from fhir_adapter.media_types import FHIR_JSON

NO_STORE: Final = {"Cache-Control": "no-store"}


def json_response(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer that no cache keeps."""
    return Response(
        orjson.dumps(content),
        status_code=status,
        media_type="application/json",
        headers={**NO_STORE, **(headers or {})},
    )


def outcome_response(status: int, *issues: Issue, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as OperationOutcome."""
    return Response(
        orjson.dumps(operation_outcome(issues)),
        status_code=status,
        media_type=FHIR_JSON,
        headers={**NO_STORE, **(headers or {})},
    )


def refusal_response(refusal: Refusal) -> Response:
    """Return a refusal as OperationOutcome."""
    return outcome_response(refusal.status, *refusal.issues, headers=refusal.headers)


async def read_body(request: Request) -> dict[str, Any]:
    """Read the JSON object that a client posted.

    Raises:
        Refusal: 413, 415 or 400.
    """
    return read_json(request.headers.get("content-type", ""), await request.body())
