"""Read, vread and history of one resource (FHIR R4 http)."""

from __future__ import annotations

import base64
import binascii
from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.sandbox.fhir.answers import Refusal, base_of, fhir_json
from cds_hooks.sandbox.fhir.dates import parse_date
from cds_hooks.sandbox.fhir.options import Server
from cds_hooks.sandbox.fhir.query import BadSearch, parse
from cds_hooks.sandbox.fhir.subset import subset
from cds_hooks.sandbox.resources import TYPES, Deleted, NotStored, Resource, Version
from fhir_adapter.media_types import FHIR_JSON


def check_kind(kind: str) -> None:
    """Refuse a type that is not served.

    Raises:
        Refusal: 404.
    """
    if kind not in TYPES:
        raise Refusal(404, f"unknown resource type; this server has {', '.join(TYPES)}")


def read_resource(server: Server, base: str, kind: str, name: str, version: str | None = None) -> Resource:
    """Return a resource.

    Raises:
        Refusal: 404, it is not there; 410, it was deleted; 400, an operation was asked for.
    """
    check_kind(kind)
    if name.startswith("$"):
        raise Refusal(400, "this server has no operations", "not-supported")
    try:
        return server.store.read(kind, name, version)
    except Deleted as error:
        where = f"{base}/{kind}/{name}/_history/{error.version.number}"
        text = f"this {kind} was deleted at {error.version.changed_at}"
        raise Refusal(410, text, headers={"Location": where}) from None
    except NotStored:
        raise Refusal(404, f"there is no such {kind}") from None


async def answer_operation(request: Request) -> Response:
    """Refuse what is asked of one resource beyond its versions."""
    check_kind(request.path_params["kind"])
    if request.path_params["operation"].startswith("$"):
        raise Refusal(400, "this server has no operations", "not-supported")
    raise Refusal(404, "there is nothing at this address")


async def answer_read(server: Server, request: Request) -> Response:
    """Answer a read or vread."""
    kind, name = request.path_params["kind"], request.path_params["name"]
    resource = read_resource(server, base_of(request), kind, name, request.path_params.get("version"))
    headers = version_headers(base_of(request), resource)
    if headers["ETag"] in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304)
    if kind == "Binary" and not _wants_resource(request):
        return _raw(resource, headers)
    return fhir_json(_part_asked_for(kind, resource, request), headers=headers)


def version_headers(base: str, resource: Resource) -> dict[str, str]:
    """Return the headers that tell which version of a resource this is."""
    meta = resource["meta"]
    return {
        "ETag": f'W/"{meta["versionId"]}"',
        "Last-Modified": format_datetime(parse_date(meta["lastUpdated"]).start, usegmt=True),
        "Content-Location": f"{base}/{resource['resourceType']}/{resource['id']}/_history/{meta['versionId']}",
    }


def _part_asked_for(kind: str, resource: Resource, request: Request) -> Resource:
    """Return the resource, or its elements that were asked for; other parameters mean nothing to a read."""
    shown = [pair for pair in request.query_params.multi_items() if pair[0] in ("_elements", "_summary")]
    try:
        return subset(resource, parse(kind, shown))
    except BadSearch as error:
        raise Refusal(400, str(error)) from None


def _wants_resource(request: Request) -> bool:
    """Tell whether a Binary is asked for as a resource; as HAPI does, anything but FHIR JSON means the raw bytes."""
    return FHIR_JSON in request.headers.get("accept", "") or "json" in request.query_params.get("_format", "")


def _raw(binary: Resource, headers: dict[str, str]) -> Response:
    """Answer with the bytes of a Binary."""
    try:
        content = base64.b64decode(binary.get("data", ""))
    except (binascii.Error, ValueError):
        raise Refusal(500, "the content of this Binary is broken") from None
    headers = headers | {"Content-Disposition": "Attachment;", "Content-Type": binary.get("contentType", "")}
    return Response(content, headers=headers)


async def answer_history(server: Server, request: Request) -> Response:
    """Answer with every version of one resource, newest first."""
    kind, name, base = request.path_params["kind"], request.path_params["name"], base_of(request)
    check_kind(kind)
    versions = server.store.history(kind, name)
    if not versions:
        raise Refusal(404, f"there is no such {kind}")
    entries = [_history_entry(base, f"{kind}/{name}", version) for version in reversed(versions)]
    links = [{"relation": "self", "url": f"{base}/{kind}/{name}/_history"}]
    bundle = {"resourceType": "Bundle", "type": "history", "total": len(entries), "link": links, "entry": entries}
    return fhir_json(bundle)


def _history_entry(base: str, reference: str, version: Version) -> Resource:
    status = "201 Created" if version.method == "POST" else "200 OK"
    return {
        "fullUrl": f"{base}/{reference}",
        **({"resource": version.resource} if version.resource else {}),
        "request": {"method": version.method, "url": f"{reference}/_history/{version.number}"},
        "response": {"status": status, "etag": f'W/"{version.number}"'},
    }
