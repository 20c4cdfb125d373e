"""Endpoint -> the DICOMweb roots that a study may be asked at. No network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from fhir_adapter.images.codes import codes_in
from fhir_adapter.references import split_reference
from fhir_adapter.shape import Resource, as_text, dicts_of

WADO: Final = "dicom-wado-rs"
QIDO: Final = "dicom-qido-rs"
ADDRESS: Final = "address of the image archive"
"""What a gap of the chart is about where an Endpoint could not be read."""
_MAX_ENDPOINTS: Final = 5
_STUDY_PATH: Final = re.compile(r"/studies(?:/.*)?$")
"""Some servers give the address of the study itself, where R4 wants the root (Endpoint.address)."""


def by_reference(endpoints: Iterable[Resource]) -> dict[str, Resource]:
    """Return Endpoints under the relative reference that names them."""
    return {f"Endpoint/{as_text(endpoint.get('id'))}": endpoint for endpoint in endpoints}


def roots_of(holder: Resource, study: Resource, endpoints: Mapping[str, Resource], kind: str) -> Iterator[str]:
    """Yield the roots that a study or series names for one kind of service.

    Reads R4 and R4B (`connectionType` a Coding) and R5 (a list of CodeableConcepts); contained Endpoints are the
    study's.
    """
    contained = {f"#{as_text(each.get('id'))}": each for each in dicts_of(study.get("contained"))}
    for reference in dicts_of(holder.get("endpoint")):
        text = as_text(reference.get("reference"))
        found = split_reference(text)
        endpoint = contained.get(text) or endpoints.get("/".join(found) if found else text, {})
        address = as_text(endpoint.get("address"))
        if address and endpoint.get("status") == "active" and kind in codes_in(endpoint.get("connectionType")):
            yield _STUDY_PATH.sub("", address.rstrip("/"))


def missing_endpoints(studies: Iterable[Resource], endpoints: Iterable[Resource], base_url: str) -> tuple[str, ...]:
    """Return the ids of Endpoints that studies refer to and that are not at hand; a handful at most."""
    known = {as_text(endpoint.get("id")) for endpoint in endpoints}
    wanted: dict[str, None] = {}
    for study in studies:
        for holder in (study, *dicts_of(study.get("series"))):
            for reference in dicts_of(holder.get("endpoint")):
                found = split_reference(as_text(reference.get("reference")), base_url)
                if found is not None and found[0] == "Endpoint" and found[1] not in known:
                    wanted[found[1]] = None
    return tuple(wanted)[:_MAX_ENDPOINTS]
