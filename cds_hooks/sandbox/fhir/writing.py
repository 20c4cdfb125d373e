"""Create, update and delete of one resource (FHIR R4 http), where writes are switched on."""

from __future__ import annotations

import uuid

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
    resource, _ = put_resource(server, kind, str(uuid.uuid4()), await json_of(request), is_new=True)
    headers = version_headers(base, resource)
    return fhir_json(resource, 201, headers | {"Location": headers["Content-Location"]})


async def answer_update(server: Server, request: Request) -> Response:
    """Answer a PUT of a resource, which may be new."""
    check_writes(server)
    kind, name = request.path_params["kind"], request.path_params["name"]
    content = await json_of(request)
    _check_version(server, kind, name, request.headers.get("if-match"))
    resource, created = put_resource(server, kind, name, content)
    return fhir_json(resource, 201 if created else 200, version_headers(base_of(request), resource))


def _check_version(server: Server, kind: str, name: str, expected: str | None) -> None:
    """Refuse a change of another version than the one meant: 409, as HAPI says, where FHIR says 412."""
    versions = server.store.history(kind, name)
    if expected is not None and expected != f'W/"{len(versions)}"':
        raise Refusal(409, "this is not the current version")


def put_resource(
    server: Server, kind: str, name: str, content: Resource, *, is_new: bool = False
) -> tuple[Resource, bool]:
    """Store a resource under a name; return it as stored, and whether there was none before.

    Raises:
        Refusal: 404, the type is not served; 400, it is another type or has another id.
    """
    check_kind(kind)
    if content.get("resourceType") != kind:
        raise Refusal(400, "the resource is not of the type of the address")
    if not is_new and content.get("id") != name:
        raise Refusal(400, "the resource needs the id of the address")
    before = server.store.history(kind, name)
    try:
        version = server.store.put(content | {"id": name})
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
