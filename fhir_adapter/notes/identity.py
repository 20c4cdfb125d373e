"""Whom a document names, and the Patient -> whether they contradict each other."""

from __future__ import annotations

from typing import Final

from fhir_adapter.notes.cda import Person
from fhir_adapter.shape import Resource, as_text, dicts_of

_OID: Final = "urn:oid:"


def contradicts(person: Person, patient: Resource) -> bool:
    """Say whether a document is about somebody else: another birth date, or only other numbers of the same register.

    What only one side knows proves nothing. Dates are compared as far as both are known (`2024` fits `2024-03-05`).
    """
    born, written = as_text(patient.get("birthDate")).replace("-", ""), person.born[:8]
    known = min(len(born), len(written))
    if known and born[:known] != written[:known]:
        return True
    own = {(as_text(one.get("system")).removeprefix(_OID), as_text(one.get("value"))) for one in _identifiers(patient)}
    theirs = {pair for pair in person.ids if all(pair)}
    shared = {root for root, _ in own} & {root for root, _ in theirs}
    return bool(shared) and not own & theirs


def _identifiers(patient: Resource) -> list[Resource]:
    return [one for one in dicts_of(patient.get("identifier")) if one.get("use") != "old"]
