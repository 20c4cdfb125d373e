"""Create, update and delete of one resource (FHIR R4 http), where writes are switched on."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.sandbox.fhir.answers import Refusal, base_of, fhir_json, outcome
from cds_hooks.sandbox.fhir.options import Server
from cds_hooks.sandbox.fhir.reading import check_kind, version_headers
from cds_hooks.sandbox.resources import Resource


def check_writes(server: Server) -> None:
    """Refuse a write where nothing can be written.

    Raises:
        Refusal: 405.
    """
    if not server.options.writes:
        raise Refusal(405, "this server is read-only", "not-supported")


async def json_of(request: Request) -> Resource:
    """Return the resource that was sent.

    Raises:
        Refusal: 400, it is no JSON object.
    """
    try:
        content = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise Refusal(400, "the body is not JSON") from None
    if not isinstance(content, dict):
        raise Refusal(400, "the body is not a resource")
    return content


async def answer_create(server: Server, request: Request) -> Response:
    """Answer a POST of a resource: it gets an id of the server's."""
    check_writes(server)
    kind, base = request.path_params["kind"], base_of(request)
    name = str(uuid.uuid4())
    resource, _ = put_resource(server, f"{kind}/{name}", relative(await json_of(request), base) | {"id": name})
    headers = version_headers(base, resource)
    return fhir_json(resource, 201, headers | {"Location": headers["Content-Location"]})


async def answer_update(server: Server, request: Request) -> Response:
    """Answer a PUT of a resource, which may be new."""
    check_writes(server)
    kind, name = request.path_params["kind"], request.path_params["name"]
    content = relative(await json_of(request), base_of(request))
    _check_version(server, kind, name, request.headers.get("if-match"))
    resource, created = put_resource(server, f"{kind}/{name}", content)
    return fhir_json(resource, 201 if created else 200, version_headers(base_of(request), resource))


def _check_version(server: Server, kind: str, name: str, expected: str | None) -> None:
    """Refuse a change of another version than the one meant: 409, as HAPI says, where FHIR says 412."""
    versions = server.store.history(kind, name)
    if expected is not None and expected != f'W/"{len(versions)}"':
        raise Refusal(409, "this is not the current version")


def relative(resource: Resource, base: str) -> Resource:
    """Return a resource whose references beneath the own base are relative ones."""
    return cast("Resource", _with_references(resource, lambda reference: reference.removeprefix(f"{base}/")))


def resolved(resource: Resource, given: Mapping[str, str]) -> Resource:
    """Return a resource whose references to entries of a Bundle are those that the server has given."""
    return cast("Resource", _with_references(resource, lambda reference: given.get(reference, reference)))


def _with_references(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, list):
        return [_with_references(item, change) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: change(item) if name == "reference" and isinstance(item, str) else _with_references(item, change)
        for name, item in value.items()
    }


def check_resource(reference: str, content: Resource) -> None:
    """Refuse a resource that cannot be stored at `Type/id`.

    Raises:
        Refusal: 404, the type is not served; 400, it is another type or has another id.
    """
    kind, _, name = reference.partition("/")
    check_kind(kind)
    if content.get("resourceType") != kind:
        raise Refusal(400, "the resource is not of the type of the address")
    if content.get("id") != name:
        raise Refusal(400, "the resource needs the id of the address")


def put_resource(server: Server, reference: str, content: Resource) -> tuple[Resource, bool]:
    """Store a resource at `Type/id`; return it as stored, and whether there was none before.

    Raises:
        Refusal: as `check_resource`, or its id is none.
    """
    check_resource(reference, content)
    kind, _, name = reference.partition("/")
    before = server.store.history(kind, name)
    try:
        version = server.store.put(content)
    except ValueError as error:
        raise Refusal(400, str(error)) from None
    created = not before or before[-1].resource is None
    return version.resource or {}, created


async def answer_delete(server: Server, request: Request) -> Response:
    """Answer a DELETE; as on HAPI, deleting what is not there is no error."""
    check_writes(server)
    kind, name = request.path_params["kind"], request.path_params["name"]
    check_kind(kind)
    gone = server.store.delete(kind, name)
    text = f"deleted {kind}" if gone else f"not deleted: there is no such {kind}"
    return fhir_json(outcome(text, "informational", "information"))
