"""Resources -> a FHIR server, by transaction Bundles of PUTs: what is sent again is stored once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import httpx

from cds_hooks.commands.hook_client import outcome_text
from fhir_adapter.media_types import FHIR_JSON

Resource = dict[str, Any]


class TransactionRefused(Exception):
    """A server did not take a transaction."""


def put_bundle(resources: Iterable[Resource]) -> Resource:
    """Return a transaction that puts every resource at its own id (R4 "Update as Create")."""
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def send_transaction(http: httpx.Client, fhir: str, bundle: Resource, token: str = "") -> None:
    """POST a transaction Bundle.

    Args:
        http: client to use.
        fhir: base URL of the server.
        bundle: the transaction.
        token: bearer token, or an empty string.

    Raises:
        TransactionRefused: the server answered an error.
        httpx.HTTPError: it did not answer.
    """
    headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON, "Prefer": "return=minimal"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    response = http.post(fhir.rstrip("/"), json=bundle, headers=headers)
    if not response.is_success:
        raise TransactionRefused(f"the FHIR server refused the transaction: {outcome_text(response)}")
