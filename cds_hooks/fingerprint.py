"""All inputs of a case -> what makes two cases the same."""

from __future__ import annotations

import hashlib
from typing import Final

import orjson

from cds_hooks.crypto import Vault
from cds_hooks.discovery import program_version
from cds_hooks.pipeline import Case
from fhir_adapter.auth.scopes import covers, read_scopes
from fhir_adapter.chart import Chart
from fhir_adapter.rest.requests import Request

POINTING: Final = ("DocumentReference", "ImagingStudy")
"""Types whose content lies elsewhere, so that it is not part of a chart."""


def fingerprint(case: Case, seal: str, vault: Vault) -> str:
    """Return a keyed hash of server, patient, model, program and the content of every resource.

    The content, not only the versions that stand in it: whoever asks must hold the data themselves, or a caller could
    name the versions of a chart that it may not read and be given the finished result. The access token is not part
    of it (it changes with every call), but what it opens is: notes and films lie outside the chart. Where the server
    was too slow for a chart, nobody has shown yet what the token is good for: then it is part of it. Nor is the moment
    of the question: a result is reused for a short time only. The version of the program is part of it because another
    one may read the same resources otherwise.
    """
    content = _of_chart(case.chart) if case.chart else _of_request(case)
    reader = f"{seal} {program_version()}"
    return vault.mark("inputs", case.fhir_server or "", case.patient_id, reader, content, _reach(case))


def _reach(case: Case) -> str:
    """Return which resources of the chart may be followed to what they point to, as far as the access tells."""
    if case.own_access:
        return " ".join(POINTING)
    if case.grant is None:
        return ""
    scopes = read_scopes(case.grant.scope)
    return " ".join(kind for kind in POINTING if scopes is None or covers(scopes, Request(kind, "read")))


def _of_chart(chart: Chart) -> str:
    """Hash a chart; the order in which a server lists its resources does not matter."""
    gaps = sorted(str(gap) for gap in chart.gaps)
    # JSON has no bare line breaks, so that the joints cannot be moved.
    lines = [b"chart", _canonical(gaps), *sorted(map(_canonical, chart.resources()))]
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _of_request(case: Case) -> str:
    token = case.grant.token.get_secret_value() if case.grant else ""
    return hashlib.sha256(b"request\n" + _canonical([token, case.prefetch])).hexdigest()


def _canonical(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
