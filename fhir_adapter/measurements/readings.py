"""Observation -> the readings in it whose code we know: its own, its components', those of what it contains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fhir_adapter.dates import read_moment, read_period, read_timing
from fhir_adapter.measurements.quantities import QUANTITY_OF_LOINC
from fhir_adapter.measurements.quantity import Quantity
from fhir_adapter.record import Source
from fhir_adapter.references import source_of
from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of

LOINC: Final = frozenset({"http://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
WITHDRAWN: Final = frozenset({"entered-in-error", "cancelled"})
"""R4 ObservationStatus of what is no result any more, or never became one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number to be.

    Attributes:
        content: the element that holds it: an Observation, a component, or an Observation inside another.
        quantity, loinc: what it is, and by which of its codes.
        around: the Observation that the content is or belongs to, then those that give what this one lacks.
        source: the resource to cite, which is the outermost one.
    """

    content: Resource
    quantity: Quantity
    loinc: str
    around: tuple[Resource, ...]
    source: Source

    @property
    def status(self) -> str:
        """Observation.status of the innermost Observation; empty where it is none."""
        return as_text(self.around[0].get("status"))

    @property
    def taken_at(self) -> datetime | None:
        """When it was measured (effective[x]); when it was reported (issued), where that is all there is."""
        return next(filter(None, map(_effective, self.around)), None) or self.issued

    @property
    def issued(self) -> datetime | None:
        """When this version of the result was made available."""
        return next((read_moment(each["issued"]) for each in self.around if "issued" in each), None)

    @property
    def specimen(self) -> str:
        """Reference of the specimen; empty where none is stated."""
        stated = (as_text(as_dict(each.get("specimen")).get("reference")) for each in self.around)
        return next(filter(None, stated), "")


def readings_of(observation: Resource) -> Iterator[Reading]:
    """Yield the readings of one Observation (R4, R4B, R5).

    What it refers to (`hasMember`, `derivedFrom`) arrives on its own where it is a resource of its own: only what lies
    in `contained` would be missed. What was withdrawn, and what is about something other than the patient
    (`Observation.focus`), holds nothing, nor do the parts of it.
    """
    if "component" not in observation and "contained" not in observation:
        # The usual case, told first because a chart has thousands of them, many of no code that we know.
        parts: Iterator[tuple[Resource, tuple[Resource, ...]]] = iter(((observation, (observation,)),))
    else:
        parts = _parts(observation)
    for content, around in parts:
        known = _known_code(content.get("code"))
        if known is not None and not _is_nothing(around[0]):
            yield Reading(content, *known, around, source_of(observation))


def _parts(observation: Resource) -> Iterator[tuple[Resource, tuple[Resource, ...]]]:
    """Yield each content with the Observations around it; each contained one once, however often it is referred to."""
    if _is_nothing(observation):
        return
    inside = {f"#{as_text(each.get('id'))}": each for each in dicts_of(observation.get("contained"))}
    waiting: list[tuple[Resource, tuple[Resource, ...]]] = [(observation, ())]
    while waiting:
        whole, outer = waiting.pop()
        around = (whole, *outer)
        yield whole, around
        yield from ((component, around) for component in dicts_of(whole.get("component")))
        for name, given in (("hasMember", around), ("derivedFrom", ())):
            for reference in dicts_of(whole.get(name)):
                part = inside.pop(as_text(reference.get("reference")), None)
                if part is not None and not _is_nothing(part):
                    # A member was taken with its panel; what a result was worked out from, at a time of its own.
                    waiting.append((part, given))


def _is_nothing(observation: Resource) -> bool:
    # FHIR keeps mistaken results on file, so the status decides first.
    status = observation.get("status")
    return (isinstance(status, str) and status in WITHDRAWN) or bool(observation.get("focus"))


def _known_code(concept: object) -> tuple[Quantity, str] | None:
    """Return the quantity and its LOINC code; the preferred code where several are given.

    Codes of two quantities contradict each other, and then none of them counts.
    """
    best: tuple[Quantity, str] | None = None
    for system, code in codes_of(concept):
        quantity = QUANTITY_OF_LOINC.get(code) if system in LOINC else None
        if quantity is None:
            continue
        if best is None:
            best = quantity, code
        elif quantity is not best[0]:
            return None
        elif quantity.loinc.index(code) < quantity.loinc.index(best[1]):
            best = quantity, code
    return best


def _effective(observation: Resource) -> datetime | None:
    moment = observation.get("effectiveDateTime")
    return (
        (read_moment(moment) if moment is not None else None)
        or read_moment(observation.get("effectiveInstant"))
        or read_period(observation.get("effectivePeriod"))
        or read_timing(observation.get("effectiveTiming"))
    )
