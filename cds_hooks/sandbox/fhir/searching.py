"""Searches by GET and POST, and their further pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from cds_hooks.sandbox.fhir.answers import Refusal, base_of, fhir_json
from cds_hooks.sandbox.fhir.bundles import Place, count_only, has_more, searchset, self_url
from cds_hooks.sandbox.fhir.kept import Search, SearchGone
from cds_hooks.sandbox.fhir.matching import find
from cds_hooks.sandbox.fhir.options import Server
from cds_hooks.sandbox.fhir.query import BadSearch, Pairs, parse
from cds_hooks.sandbox.fhir.reading import check_kind
from cds_hooks.sandbox.resources import Resource
from fhir_adapter.media_types import FORM, media_type

MAX_FORM: Final = 65_536


async def answer_search(server: Server, request: Request) -> Response:
    """Answer a search by GET."""
    pairs, base = request.query_params.multi_items(), base_of(request)
    kind = request.path_params["kind"]
    return fhir_json(first_page(server, base, kind, pairs, self_url(base, kind, pairs)))


async def answer_form(server: Server, request: Request) -> Response:
    """Answer a search at `_search`: by POST, parameters of the URL and of the form both count."""
    pairs, kind = request.query_params.multi_items(), request.path_params["kind"]
    path = f"{kind}/_search"
    if request.method != "POST":
        return fhir_json(first_page(server, base_of(request), kind, pairs, self_url(base_of(request), path, pairs)))
    # HAPI ignores a body of another type and answers with everybody's data.
    if media_type(request.headers.get("content-type", "")) != FORM:
        raise Refusal(415, f"a search by POST needs Content-Type {FORM}")
    body = await request.body()
    if len(body) > MAX_FORM:
        raise Refusal(413, "the search is too long")
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    # The address of the search does not repeat what was kept out of it.
    return fhir_json(first_page(server, base_of(request), kind, [*pairs, *form], f"{base_of(request)}/{path}"))


def first_page(server: Server, base: str, kind: str, pairs: Pairs, own_url: str) -> Resource:
    """Run a search and return the page that it asks for.

    Raises:
        Refusal: 404, the type is not served; 400, the search cannot be understood.
    """
    check_kind(kind)
    try:
        query = parse(kind, pairs, base)
    except BadSearch as error:
        raise Refusal(400, str(error)) from None
    search = Search(query, find(server.store, query))
    if query.counts_only:
        return count_only(search)
    count = _page_size(server, query.count)
    if query.offset is not None:
        return searchset(server.store, search, Place(base, own_url, query.offset, count, pairs))
    place = Place(base, own_url, 0, count)
    if has_more(search, place):
        server.kept.keep(search)
    return searchset(server.store, search, place)


def further_page(server: Server, request: Request) -> Response:
    """Answer a link to a page: `[base]?_getpages=...`.

    Raises:
        Refusal: 410, the search is not kept any more; 400, the numbers are none.
    """
    try:
        search = server.kept.use(request.query_params["_getpages"])
    except SearchGone:
        raise Refusal(410, "this search does not exist and may have expired") from None
    offset, count = request.query_params.get("_getpagesoffset", "0"), request.query_params.get("_count")
    if not offset.isdecimal() or not (count is None or count.isdecimal()):
        raise Refusal(400, "_getpagesoffset and _count must be whole numbers of 0 or more")
    own_url = f"{base_of(request)}?{request.url.query}"
    size = _page_size(server, None if count is None else int(count))
    return fhir_json(searchset(server.store, search, Place(base_of(request), own_url, int(offset), size)))


def _page_size(server: Server, asked: int | None) -> int:
    """Return how many matches a page holds: a `_count` above the maximum is cut without a word, as on HAPI."""
    return min(asked or server.options.page_size, server.options.max_page_size)
