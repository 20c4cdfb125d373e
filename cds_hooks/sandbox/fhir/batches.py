"""Bundles sent to the base: many requests in one (FHIR R4 http, batch and transaction)."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.sandbox.fhir.answers import Refusal, base_of, fhir_json, outcome
from cds_hooks.sandbox.fhir.bundles import self_url
from cds_hooks.sandbox.fhir.options import Server
from cds_hooks.sandbox.fhir.reading import check_kind, read_resource
from cds_hooks.sandbox.fhir.searching import first_page, further_page
from cds_hooks.sandbox.fhir.writing import check_resource, check_writes, json_of, put_resource, relative, resolved
from cds_hooks.sandbox.resources import Resource


async def answer_at_base(server: Server, request: Request) -> Response:
    """Answer what is asked at the base itself: a page of a search, a batch or a transaction."""
    if request.method == "POST":
        return fhir_json(run_bundle(server, base_of(request), await json_of(request)))
    if "_getpages" in request.query_params:
        return further_page(server, request)
    raise Refusal(400, "this is the base address: a resource type is missing")


def run_bundle(server: Server, base: str, bundle: Resource) -> Resource:
    """Answer every entry in its place.

    A failing entry of a batch fails alone; one that writes fails the transaction it is in, before anything is stored.

    Raises:
        Refusal: it is no batch and no transaction, or the transaction cannot be done.
    """
    kind = bundle.get("type")
    entries = bundle.get("entry", [])
    if bundle.get("resourceType") != "Bundle" or kind not in ("batch", "transaction"):
        raise Refusal(400, "only a Bundle of the type batch or transaction can be sent here")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Refusal(400, "an entry of the Bundle is not an object")
    if kind == "transaction":
        entries = _prepared(server, entries)
    answers = [_answer(server, base, entry) for entry in entries]
    links = [{"relation": "self", "url": base}]
    return {"resourceType": "Bundle", "type": f"{kind}-response", "link": links, "entry": answers}


def _prepared(server: Server, entries: list[Resource]) -> list[Resource]:
    """Return the entries of a transaction with their ids given and their references to one another resolved."""
    if any(_request(entry)[0] != "GET" for entry in entries):
        check_writes(server)
    given: dict[str, str] = {}
    prepared = [_with_id(entry, given) for entry in entries]
    for entry in prepared:
        method, path, _ = _request(entry)
        if method == "PUT":
            check_resource(path, _resource(entry))
    return [
        entry | {"resource": resolved(entry["resource"], given)} if isinstance(entry.get("resource"), dict) else entry
        for entry in prepared
    ]


def _with_id(entry: Resource, given: dict[str, str]) -> Resource:
    """Return an entry that posts a resource as one that puts it at a new id, and note what it replaces."""
    method, kind, _ = _request(entry)
    if method != "POST":
        return entry
    name = str(uuid.uuid4())
    if isinstance(entry.get("fullUrl"), str):
        given[entry["fullUrl"]] = f"{kind}/{name}"
    return entry | {"resource": _resource(entry) | {"id": name}, "request": {"method": "PUT", "url": f"{kind}/{name}"}}


def _request(entry: Resource) -> tuple[str, str, str]:
    """Return method, path and query of an entry."""
    request = entry.get("request")
    request = request if isinstance(request, dict) else {}
    path, _, query = str(request.get("url", "")).strip("/").partition("?")
    return str(request.get("method", "")), path, query


def _resource(entry: Resource) -> Resource:
    """Return the resource of an entry.

    Raises:
        Refusal: 400, there is none.
    """
    content = entry.get("resource")
    if not isinstance(content, dict):
        raise Refusal(400, "an entry that writes needs a resource")
    return content


def _answer(server: Server, base: str, entry: Resource) -> Resource:
    """Return the answer to one entry; an error is its outcome."""
    try:
        return _done(server, base, entry)
    except Refusal as error:
        response = {"status": _status(error.status_code), "outcome": outcome(error.detail, "exception")}
        return {"response": response}


def _done(server: Server, base: str, entry: Resource) -> Resource:
    method, path, query = _request(entry)
    if method == "GET":
        return {"resource": _got(server, base, path, query), "response": {"status": _status(200)}}
    check_writes(server)
    kind, _, name = path.partition("/")
    if method == "DELETE":
        check_kind(kind)
        server.store.delete(kind, name)
        return {"response": {"status": _status(204)}}
    if method not in ("POST", "PUT"):
        raise Refusal(400, "the method of an entry must be GET, POST, PUT or DELETE")
    content = relative(_resource(entry), base)
    if method == "POST":
        content["id"] = str(uuid.uuid4())
        path = f"{kind}/{content['id']}"
    stored, created = put_resource(server, path, content)
    version, changed = stored["meta"]["versionId"], stored["meta"]["lastUpdated"]
    receipt = {"status": _status(201 if created else 200), "location": f"{path}/_history/{version}"}
    return {"response": receipt | {"etag": version, "lastModified": changed}}


def _got(server: Server, base: str, path: str, query: str) -> Resource:
    """Return what a GET in an entry asks for: a resource, a version of one, or a search."""
    match path.split("/"):
        case [kind]:
            pairs = parse_qsl(query, keep_blank_values=True)
            return first_page(server, base, kind, pairs, self_url(base, kind, pairs))
        case [kind, name]:
            return read_resource(server, base, kind, name)
        case [kind, name, "_history", version]:
            return read_resource(server, base, kind, name, version)
        case _:
            raise Refusal(404, "there is nothing at this address")


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"
