"""OAuth scope string -> whether a question is covered (SMART App Launch 2.2, "Scopes for requesting FHIR Resources").

Knows neither tokens nor servers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from fhir_adapter.rest.requests import Request

_DATA: Final = re.compile(
    r"(?P<context>patient|user|system)/(?P<type>\*|[A-Z][A-Za-z]+)\.(?P<may>\*|read|write|c?r?u?d?s?)(?:\?(?P<query>.+))?"
)
_OTHERS: Final = re.compile(r"openid|profile|email|fhirUser|launch(?:/\w+)?|online_access|offline_access|smart/\w+")
_VERSION_1: Final = {"read": "rs", "write": "cud", "*": "cruds"}
_LETTER: Final = {"read": "r", "search": "s"}
_NOT_CHECKED: Final = frozenset({"CapabilityStatement", "Binary"})
"""The first is open to all; the second belongs to the resource that points to it (R4 Binary, security)."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One scope for data.

    Attributes:
        of_patient: whether it opens the record of the one patient in context only.
        resource_type: or `*`.
        may: letters of `cruds`.
        categories: search tokens of `?category=`; empty where it is not narrowed so.
    """

    of_patient: bool
    resource_type: str
    may: str
    categories: tuple[str, ...] = ()


def read_scopes(text: str) -> tuple[Scope, ...] | None:
    """Read the scopes of version 1 (`patient/*.read`) and 2 (`user/Observation.rs?category=...`).

    Returns:
        None where it cannot be told what they open: none is for data, or a word is none of SMART's, as vendors have.
    """
    scopes: list[Scope] = []
    for word in text.split():
        found = _DATA.fullmatch(word)
        if found is not None and found["may"]:
            scopes.append(_scope(found))
        elif not _OTHERS.fullmatch(word):
            return None
    return tuple(scopes) or None


def covers(scopes: Sequence[Scope], request: Request, patient_id: str = "") -> bool:
    """Whether a question may be asked with these scopes.

    A scope that is narrowed by anything but a category, and a search without one under a scope that is narrowed to
    some, are taken to cover it: how much of it, the server decides.

    Args:
        scopes: of the token.
        request: what is to be asked.
        patient_id: patient in the token's context, for `patient/` scopes; empty where that is not known.
    """
    if request.resource_type in _NOT_CHECKED:
        return True
    about_other = bool(patient_id and request.patient_id and request.patient_id != patient_id)
    fitting = [scope for scope in scopes if _fits(scope, request) and not (scope.of_patient and about_other)]
    if any(not scope.categories for scope in fitting):
        return True
    asked = [token for token in request.params.get("category", "").split(",") if token]
    allowed = [token for scope in fitting for token in scope.categories]
    return bool(fitting) and all(any(_same_token(one, other) for other in allowed) for one in asked)


def _scope(found: re.Match[str]) -> Scope:
    narrowed = parse_qs(found["query"] or "").get("category", [])
    categories = tuple(token for value in narrowed for token in value.split(","))
    may = _VERSION_1.get(found["may"], found["may"])
    return Scope(found["context"] == "patient", found["type"], may, categories)


def _fits(scope: Scope, request: Request) -> bool:
    return scope.resource_type in ("*", request.resource_type) and _LETTER[request.interaction] in scope.may


def _same_token(one: str, other: str) -> bool:
    """Compare two search tokens; one without a system stands for any."""
    (system, _, code), (other_system, _, other_code) = one.rpartition("|"), other.rpartition("|")
    return code == other_code and (not system or not other_system or system == other_system)
