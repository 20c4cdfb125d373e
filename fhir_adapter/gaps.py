"""Error -> the gap a clinician reads."""

from __future__ import annotations

from typing import Final, Literal

from fhir_adapter.errors import (
    AccessExpired,
    FhirError,
    FhirGone,
    FhirMalformed,
    FhirRefused,
    FhirTimeout,
    ForeignPatient,
    NoArchive,
    NotCovered,
    ServerNotAllowed,
)
from fhir_adapter.record import Gap, GapReason, Modality

TRANSIENT: Final = frozenset(
    {GapReason.REFUSED, GapReason.NO_ACCESS, GapReason.FAILED, GapReason.TIMEOUT, GapReason.INCOMPLETE}
)
"""Reasons that may be gone a minute later: a result with such a gap is not worth remembering."""

NO_ARCHIVE: Final = "no image archive is known for it"
_REASONS: Final[tuple[tuple[type[FhirError], GapReason, str], ...]] = (
    # The special ones first: two are FhirRefused, the third is ServerNotAllowed.
    (NotCovered, GapReason.REFUSED, "the access that was granted does not cover it"),
    (AccessExpired, GapReason.REFUSED, "the access that was granted has expired"),
    (NoArchive, GapReason.UNREADABLE, NO_ARCHIVE),
    (FhirRefused, GapReason.REFUSED, ""),
    (FhirGone, GapReason.MISSING, ""),
    (FhirTimeout, GapReason.TIMEOUT, ""),
    (FhirMalformed, GapReason.UNREADABLE, "the answer was not what FHIR or DICOMweb prescribes"),
    (ForeignPatient, GapReason.FAILED, "the answer held data of somebody else and was discarded"),
    (ServerNotAllowed, GapReason.UNREADABLE, "it lies on a server that is not on the list of allowed servers"),
)


def gap_of(error: FhirError, modality: Modality | Literal["patient"], item: str) -> Gap:
    """Turn what went wrong into a gap; anything not listed is a failure of the server."""
    for kind, reason, detail in _REASONS:
        if isinstance(error, kind):
            return Gap(modality, item, reason, detail)
    return Gap(modality, item, GapReason.FAILED)


def merge_gaps(*groups: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Join gaps in order, each once."""
    return tuple(dict.fromkeys(gap for group in groups for gap in group))
