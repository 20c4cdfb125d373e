"""Which searches, types and scopes this package needs: derived from the prefetch templates. No network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from fhir_adapter.prefetch import OWN_QUERIES, TEMPLATES, resolve

NOBODY: Final = "mllm-cds-doctor-nobody"
"""Id of a patient who exists nowhere: a search for them must find nothing."""
READ: Final = ("Patient", "Binary", "Endpoint")
"""Types that are read by id, not searched: the patient, texts of notes, addresses of image archives."""
OPTIONAL: Final = frozenset({"reports", "media"})
"""Searches whose absence `collect` passes over in silence."""
_DAYS: Final = re.compile(r"today\(\) - (\d+) days")


@dataclass(frozen=True, slots=True)
class Need:
    """One search that is made for every patient.

    Attributes:
        key: of the template.
        resource_type: what is searched.
        parameters: names of its search parameters, those that only shape the answer left out.
        bounds: those of them that bound the date.
        days: how far back it looks.
        count: `_count` that is asked for.
        optional: whether the product is whole without it.
    """

    key: str
    resource_type: str
    parameters: tuple[str, ...]
    bounds: tuple[str, ...]
    days: int
    count: int
    optional: bool

    def params(self, patient_id: str, today: date, *, bounded: bool) -> Mapping[str, str]:
        """Return the parameters for one patient, with or without the date bound."""
        filled = resolve(self.key, patient_id, today).params
        return {name: value for name, value in filled.items() if bounded or name not in self.bounds}


def _need(key: str, template: str) -> Need:
    resource_type, _, query = template.partition("?")
    pairs = dict(pair.split("=", 1) for pair in query.split("&"))
    days = _DAYS.search(query)
    return Need(
        key=key,
        resource_type=resource_type,
        parameters=tuple(name for name in pairs if not name.startswith("_")),
        bounds=tuple(name for name, value in pairs.items() if _DAYS.search(value)),
        days=int(days[1]) if days else 0,
        count=int(pairs.get("_count", "0")),
        optional=key in OPTIONAL,
    )


NEEDS: Final = tuple(_need(key, text) for key, text in (TEMPLATES | OWN_QUERIES).items() if "?" in text)
SEARCHED: Final = tuple(dict.fromkeys(need.resource_type for need in NEEDS))


def needed_scopes(level: str = "patient") -> tuple[str, ...]:
    """Return the SMART scopes (App Launch 2.2) to ask for: `patient/Observation.rs` and so on."""
    return (*(f"{level}/{kind}.r" for kind in READ), *(f"{level}/{kind}.rs" for kind in SEARCHED))
