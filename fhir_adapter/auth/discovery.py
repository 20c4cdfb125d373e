"""FHIR base address -> where its tokens come from (SMART App Launch 2.2, `.well-known/smart-configuration`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx

from fhir_adapter.deadline import Deadline
from fhir_adapter.errors import FhirMalformed
from fhir_adapter.rest.addresses import read_url
from fhir_adapter.rest.answers import parse_json
from fhir_adapter.rest.transport import Question, fetch
from fhir_adapter.settings import is_private_way
from fhir_adapter.shape import as_text

WHAT: Final = "the SMART configuration"
MAX_BYTES: Final = 2**18


@dataclass(frozen=True, slots=True)
class TokenEndpoint:
    """Where to ask for a token.

    Attributes:
        url: as the server writes it: it is the audience of what we sign.
        algorithms: those it takes; empty where it does not say.
    """

    url: str
    algorithms: frozenset[str] = frozenset()


async def find_token_endpoint(http: httpx.AsyncClient, base_url: str, deadline: Deadline) -> TokenEndpoint:
    """Ask a FHIR server where its token endpoint is; no token is sent.

    Raises:
        FhirMalformed: it names none that can be trusted. One that was read over http could be anybody's.
        FhirError: see `transport.fetch`.
    """
    if not is_private_way(base_url):
        raise FhirMalformed(WHAT, "it is not taken over http: name the token_url in FHIR_CLIENTS")
    url = httpx.URL(f"{base_url}/.well-known/smart-configuration")
    question = Question(url, {"Accept": "application/json"}, httpx.URL(base_url), WHAT, MAX_BYTES)
    content = parse_json(await fetch(http, question, deadline), WHAT)
    endpoint = as_text(content.get("token_endpoint"))
    if read_url(endpoint) is None or not is_private_way(endpoint):
        raise FhirMalformed(WHAT, "it names no token endpoint that is https")
    named = content.get("token_endpoint_auth_signing_alg_values_supported")
    return TokenEndpoint(endpoint, frozenset(filter(None, map(as_text, named if isinstance(named, list) else ()))))
