"""Cited sources, `Observation/crp-1/_history/3` -> FHIR References, and whose they are.

References are relative: they mean resources of the server that the chart was read from, and the Bundle belongs there.
"""

from __future__ import annotations

import re
from typing import Final

from explain.evidence import Explanation
from explain.fhir.codes import Json

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_OBSERVABLE: Final = ("DocumentReference/", "ImagingStudy/", "Observation/")
"""What an R4 Observation may be derived from, of all that we read."""


class PatientUnknownError(ValueError):
    """No source names the patient, so that the resources would be about nobody."""

    def __init__(self) -> None:
        super().__init__(
            "the explanation names no Patient resource, and only a keyed hash of the patient is stored: there is "
            "nobody to write FHIR resources about; open the chart again from a FHIR server that has the Patient"
        )


def cite(source: str) -> Json:
    """Return a Reference to the version that was read.

    The version stands in `display` as well, because servers (HAPI by default) cut it off the reference they store. A
    server that keeps no versions has none to refer to: there the digest of the content stands in `display` alone.
    """
    reference, _, version = source.partition("/_history/")
    if _DIGEST.fullmatch(version):
        display = f"content of SHA-256 {version}"
        # A resource without an id was named after its digest (`fhir_adapter.references.source_of`): it has no address.
        return {"display": display} if reference.endswith(f"/{version[:16]}") else _literal(reference, display)
    return _literal(source, f"version {version}")


def _literal(reference: str, display: str) -> Json:
    return {"reference": reference, "type": reference.partition("/")[0], "display": display}


def inputs(explanation: Explanation) -> tuple[str, ...]:
    """Return the versioned sources of everything that was received for the model, the patient's included, each once."""
    pieces = (explanation.image, explanation.note, *explanation.measurements)
    return tuple(dict.fromkeys(piece.source for piece in pieces if piece is not None))


def observed(explanation: Explanation) -> list[Json]:
    """Return References to the inputs that an Observation may be derived from."""
    return [cite(source) for source in inputs(explanation) if source.startswith(_OBSERVABLE)]


def patient_of(explanation: Explanation) -> Json:
    """Return a Reference to the patient whose chart was read.

    Raises:
        PatientUnknownError: the explanation names none.
    """
    for source in (explanation.patient, *inputs(explanation)):
        if source.startswith("Patient/"):
            return {"reference": source.partition("/_history/")[0], "type": "Patient"}
    raise PatientUnknownError
