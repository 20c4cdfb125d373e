"""A read-only FHIR R4 server over a ResourceStore: read, vread, search by GET and POST, paging, `_include`, ETag.

Its answers to odd requests follow HAPI FHIR 8.8 where it was observed. No authentication: for fictitious patients only.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from functools import partial
from typing import Final
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cds_hooks.sandbox.dates import parse_date
from cds_hooks.sandbox.parameters import INCLUDES, PARAMETERS
from cds_hooks.sandbox.resources import TYPES, NotStored, Resource, ResourceStore
from cds_hooks.sandbox.search import BadSearch, Page, search

FHIR_JSON: Final = "application/fhir+json"
FORM: Final = "application/x-www-form-urlencoded"
MAX_FORM: Final = 65_536
Endpoint = Callable[[Request], Awaitable[Response]]


def fhir_app(store: ResourceStore) -> Starlette:
    """Return the server as an ASGI application, to be mounted at its base path."""
    routes = [
        Route("/metadata", _metadata),
        Route("/{kind}/_search", partial(_search_form, store), methods=["POST"]),
        Route("/{kind}/{name}/_history/{version}", partial(_read, store)),
        Route("/{kind}/{name}", partial(_read, store)),
        Route("/{kind}", partial(_search_url, store)),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error})


async def _metadata(request: Request) -> Response:
    """Answer with the CapabilityStatement."""
    return _json(capability_statement(_base(request)))


def capability_statement(base: str) -> Resource:
    """Return what this server can do (FHIR R4 CapabilityStatement)."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-24",
        "kind": "instance",
        "software": {"name": "mllm-cds sandbox"},
        "implementation": {"description": "Fictitious patients; read-only", "url": base},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [{"mode": "server", "resource": [_capability(kind) for kind in TYPES]}],
    }


def _capability(kind: str) -> Resource:
    """Return what can be done with one type."""
    parameters = [{"name": name, "type": one.kind} for name, one in PARAMETERS[kind].items()]
    includes = [include for include in INCLUDES if include.startswith(f"{kind}:")]
    return {
        "type": kind,
        "interaction": [{"code": code} for code in ("read", "vread", "search-type")],
        "versioning": "versioned",
        "searchParam": parameters,
    } | ({"searchInclude": includes} if includes else {})


async def _read(store: ResourceStore, request: Request) -> Response:
    """Answer a read or vread."""
    kind = _kind(request)
    try:
        resource = store.read(kind, request.path_params["name"], request.path_params.get("version"))
    except NotStored:
        raise HTTPException(404, f"there is no such {kind}") from None
    headers = _version_headers(resource)
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if kind == "Binary" and not _wants_resource(request):
        return Response(base64.b64decode(resource["data"]), media_type=resource["contentType"], headers=headers)
    return _json(resource, headers=headers)


def _version_headers(resource: Resource) -> dict[str, str]:
    """Return ETag and Last-Modified of a resource."""
    changed = parse_date(resource["meta"]["lastUpdated"]).start
    return {"ETag": f'W/"{resource["meta"]["versionId"]}"', "Last-Modified": format_datetime(changed)}


def _wants_resource(request: Request) -> bool:
    """Tell whether a Binary is asked for as a resource; as HAPI does, anything but FHIR JSON means the raw bytes."""
    return FHIR_JSON in request.headers.get("accept", "") or "json" in request.query_params.get("_format", "")


async def _search_url(store: ResourceStore, request: Request) -> Response:
    """Answer a search by GET."""
    return _found(store, request, request.query_params.multi_items())


async def _search_form(store: ResourceStore, request: Request) -> Response:
    """Answer a search by POST: parameters of the URL and of the form both count."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
        raise HTTPException(415, f"a search by POST needs Content-Type {FORM}")
    body = await request.body()
    if len(body) > MAX_FORM:
        raise HTTPException(413, "the search is too long")
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return _found(store, request, [*request.query_params.multi_items(), *form])


def _found(store: ResourceStore, request: Request, pairs: list[tuple[str, str]]) -> Response:
    """Run a search and answer with its Bundle."""
    kind = _kind(request)
    try:
        page = search(store, kind, pairs)
    except BadSearch as error:
        raise HTTPException(400, str(error)) from None
    return _json(_bundle(f"{_base(request)}/{kind}", pairs, page))


def _bundle(url: str, pairs: list[tuple[str, str]], page: Page) -> Resource:
    """Return a page as a searchset Bundle with absolute links."""
    base = url.rpartition("/")[0]
    links = [{"relation": "self", "url": f"{url}?{urlencode(pairs)}"}]
    if page.next_offset is not None:
        rest = [pair for pair in pairs if pair[0] != "_offset"]
        links.append({"relation": "next", "url": f"{url}?{urlencode([*rest, ('_offset', page.next_offset)])}"})
    entries = [_entry(base, resource, "match") for resource in page.matches]
    entries += [_entry(base, resource, "include") for resource in page.included]
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": page.total, "link": links}
    return bundle | ({"entry": entries} if entries else {})


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    """Return one entry of a searchset."""
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def _kind(request: Request) -> str:
    """Return the resource type of the path.

    Raises:
        HTTPException: 404, it is not served.
    """
    kind: str = request.path_params["kind"]
    if kind not in TYPES:
        raise HTTPException(404, f"unknown resource type; this server has {', '.join(TYPES)}")
    return kind


def _base(request: Request) -> str:
    """Return the base URL as the caller reached it; as with HAPI, the Host header decides."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer with FHIR JSON."""
    return Response(orjson.dumps(body), status, headers, media_type=f"{FHIR_JSON};charset=UTF-8")


async def _http_error(_request: Request, error: Exception) -> Response:
    """Answer an error with an OperationOutcome."""
    status, text = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, "internal error")
    if status == 405:
        text = "this server is read-only"
    code = {404: "not-found", 405: "not-supported"}.get(status, "invalid")
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return _json({"resourceType": "OperationOutcome", "issue": [issue]}, status)
