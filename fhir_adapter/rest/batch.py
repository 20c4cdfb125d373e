"""Requests -> batch Bundle; its answer -> an outcome for each of them (R4 http, 3.1.0.11). No network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fhir_adapter.errors import FhirError, FhirMalformed
from fhir_adapter.rest.bundles import Page, read_page
from fhir_adapter.rest.requests import Request
from fhir_adapter.rest.transport import error_of
from fhir_adapter.shape import Resource, as_dict, as_text

_WHAT: Final = "the batch"


def batch_bundle(requests: Sequence[Request]) -> Resource:
    """Return the Bundle to post."""
    entries = [{"request": {"method": "GET", "url": request.path}} for request in requests]
    return {"resourceType": "Bundle", "type": "batch", "entry": entries}


def read_batch(bundle: Resource, requests: Sequence[Request]) -> tuple[Resource | Page | FhirError, ...]:
    """Return for each request, in order, the resource, the first page of the search, or the error it met.

    Raises:
        FhirMalformed: this is no answer to a batch, or one of another length: entries could not be told apart.
    """
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "batch-response":
        raise FhirMalformed(_WHAT, "a Bundle of type batch-response is expected here")
    entries = bundle.get("entry")
    if not isinstance(entries, list) or len(entries) != len(requests):
        raise FhirMalformed(_WHAT, "there are not as many answers as questions")
    return tuple(_read_entry(as_dict(entry), request) for entry, request in zip(entries, requests, strict=True))


def _read_entry(entry: Resource, request: Request) -> Resource | Page | FhirError:
    what, response = request.resource_type, as_dict(entry.get("response"))
    # "200 OK", or the number alone.
    number = as_text(response.get("status"))[:3]
    if not (number.isascii() and number.isdigit() and len(number) == 3):
        return FhirMalformed(what, "an answer of the batch has no status")
    if number != "200":
        return error_of(what, int(number))
    resource = as_dict(entry.get("resource"))
    try:
        return _checked_read(resource, request) if request.interaction == "read" else _checked_page(resource, request)
    except FhirMalformed as error:
        return error


def _checked_read(resource: Resource, request: Request) -> Resource:
    # Only the order says which answer is whose, so what can be compared is compared.
    if (resource.get("resourceType"), resource.get("id")) != (request.resource_type, request.resource_id):
        raise FhirMalformed(request.resource_type, "the batch answered with another resource")
    return resource


def _checked_page(resource: Resource, request: Request) -> Page:
    page = read_page(resource, request.resource_type, request.resource_type)
    if not page.matches and any(other.get("resourceType") != "OperationOutcome" for other in page.others):
        raise FhirMalformed(request.resource_type, "the batch answered another search")
    return page
