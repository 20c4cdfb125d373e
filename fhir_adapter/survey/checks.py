"""The list of checks: what each is called and what it finds out. `docs/doctor.md` shows the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fhir_adapter.survey.needs import NEEDS

CHECKS: Final[Mapping[str, str]] = {
    "reach/connection": "the name is known and the port is open",
    "reach/certificate": "TLS: trusted, for this host, not about to expire",
    "reach/answer": "`[base]/metadata` answers with FHIR JSON, without sending us elsewhere",
    "reach/clock": "the clocks agree: tokens and `_lastUpdated` depend on it",
    "reach/cds-services": "whether CDS services are offered beside it",
    "reach/allowed": "the address is on `FHIR_ALLOWED_SERVERS` here",
    "capability/statement": "FHIR version (R4, R4B or R5) and software",
    "capability/types": "every type that we ask for is listed",
    "capability/parameters": "every search parameter that we use is listed",
    "capability/system": "batch, transaction, `_include` and security, as listed",
    "token/configuration": "`.well-known/smart-configuration`: token endpoint and backend services",
    "token/backend": "with `--smart`: a token of our own is given (SMART Backend Services)",
    "token/claims": "what a JWT says of itself: scopes, audience, end; not verified",
    "token/scopes": "what the scopes lack for our searches",
    "token/needed": "the server refuses who has no token",
    "patient/chosen": "whose record is read",
    **{
        f"search/{need.key}": f"`{need.resource_type}` as the prefetch template `{need.key}` asks, "
        "with its date bound and without: whose results come, and from when"
        for need in NEEDS
    },
    "manners/nobody": "an unknown patient finds nothing",
    "manners/post": "`POST [type]/_search` works and keeps its filter",
    "manners/unknown-parameter": "an unknown search parameter is refused or ignored",
    "manners/token": "`category=vital-signs` finds what it finds with its system",
    "manners/paging": "`_count` is kept, and next links stay beneath the base",
    "manners/batch": "several searches in one request",
    "manners/order": "`_sort` is honoured",
    "manners/page-size": "pages are as large as asked for",
    "patient/read": "the Patient can be read; versions",
    "patient/chart": "the chart is collected, and how much of a hook's 500 ms that takes",
    "patient/record": "texts and films are fetched, numbers read",
    "patient/measurements": "how many of each quantity, and the newest time",
    "patient/notes": "how many notes, their form and length",
    "patient/film": "the film, or why there is none",
    "patient/gaps": "what a card would say is missing",
    "codes/loinc": "which of our quantities are there, under which LOINC codes",
    "codes/other": "how many results have another code, or none of LOINC",
    "codes/units": "units that cannot be read",
    "archive/root": "where the DICOMweb server is, and whether it may be asked",
    "archive/token": "whether the token is sent there, and why",
    "archive/query": "QIDO-RS answers",
    "archive/retrieve": "one film of the patient comes by WADO-RS and is decoded",
    "archive/rendered": "the same as a picture",
}
"""Name -> what it finds out. Each has exactly one finding in every survey."""
