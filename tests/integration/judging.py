"""What a real HAPI FHIR server says of a resource."""

from __future__ import annotations

from typing import Any, Final

import httpx

OUTDATED: Final = "Unknown code 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue#AIAST'"
"""HAPI's copy of that code system is of 2014; AIAST came later (THO 3.0.0)."""


def errors_in(http: httpx.Client, resource: dict[str, Any]) -> list[str]:
    """Return what `$validate` finds wrong with a resource; warnings are not."""
    issues = http.post(f"/{resource['resourceType']}/$validate", json=resource).json()["issue"]
    found = [issue["diagnostics"] for issue in issues if issue["severity"] in ("error", "fatal")]
    return [sentence for sentence in found if sentence != OUTDATED]
