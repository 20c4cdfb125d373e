"""A patient's chart as it came: raw FHIR resources of one patient, to be read later and elsewhere.

A chart is collected while the hook waits and stored (encrypted) for the worker, hence `to_json`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Final

import orjson

from fhir_adapter.record import Gap, GapReason
from fhir_adapter.references import source_of
from fhir_adapter.shape import Resource, as_text

_LISTS: Final = ("observations", "documents", "reports", "studies", "media", "endpoints")


@dataclass(frozen=True, slots=True)
class Chart:
    """What was collected of one patient; every resource has been checked to be theirs.

    Attributes:
        patient: the Patient resource.
        observations: vital signs and laboratory results, each once.
        documents: DocumentReferences.
        reports: DiagnosticReports.
        studies: ImagingStudies.
        media: Media (R4 and R4B; R5 keeps pictures in DocumentReferences).
        endpoints: where the studies' images are.
        gaps: what could not be collected.
    """

    patient: Resource
    _: KW_ONLY
    observations: tuple[Resource, ...] = ()
    documents: tuple[Resource, ...] = ()
    reports: tuple[Resource, ...] = ()
    studies: tuple[Resource, ...] = ()
    media: tuple[Resource, ...] = ()
    endpoints: tuple[Resource, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def resources(self) -> tuple[Resource, ...]:
        """Return every resource, the Patient first."""
        lists: tuple[tuple[Resource, ...], ...] = tuple(getattr(self, name) for name in _LISTS)
        return (self.patient, *(resource for one in lists for resource in one))

    def versions(self) -> tuple[str, ...]:
        """Return `Type/id/_history/version` of every resource, sorted: equal for equal content."""
        return tuple(sorted({str(source_of(resource)) for resource in self.resources()}))

    def to_json(self) -> bytes:
        """Return the chart as JSON."""
        gaps = [[gap.modality, gap.item, gap.reason.value, gap.detail] for gap in self.gaps]
        lists = {name: getattr(self, name) for name in _LISTS}
        return orjson.dumps({"patient": self.patient, **lists, "gaps": gaps})

    @classmethod
    def from_json(cls, data: bytes) -> Chart:
        """Read what `to_json` wrote.

        Raises:
            ValueError: this is no chart.
        """
        try:
            content = orjson.loads(data)
            lists = {name: tuple(content[name]) for name in _LISTS}
            gaps = tuple(
                Gap(modality, item, GapReason(reason), detail) for modality, item, reason, detail in content["gaps"]
            )
            return cls(content["patient"], gaps=gaps, **lists)
        except (ValueError, KeyError, TypeError):
            # The cause may quote the chart.
            raise ValueError("this is no chart: it was not written by Chart.to_json") from None


def unique(resources: tuple[Resource, ...]) -> tuple[Resource, ...]:
    """Drop resources that came twice, as on repeated pages or in two categories; the first one stays."""
    kept: dict[str, Resource] = {}
    for resource in resources:
        own_id = as_text(resource.get("id"))
        kept.setdefault(own_id or str(source_of(resource)), resource)
    return tuple(kept.values())
