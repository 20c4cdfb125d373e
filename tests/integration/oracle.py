"""Source resources -> what a record of them must hold, read by the FHIR specification and by none of our readers.

Of the product it takes the table of quantities (which codes are wanted, in which unit and range) and the prefetch
templates of discovery, which say what an EHR sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from fhir_adapter.measurements.quantities import QUANTITY_OF_LOINC
from fhir_adapter.record import Gap, GapReason, Measurement
from tests.integration.units_by_hand import converted

Json = dict[str, Any]
LOINC: Final = "http://loinc.org"
ENDED: Final = ("final", "amended", "corrected")
"""ObservationStatus of a result that is there and right."""
CLOSE: Final = 1e-5
"""Values are rounded to six digits, of which no laboratory gives so many."""
AHEAD: Final = timedelta(hours=24)
NEWEST: Final = 100
"""Observations of one category that are read; older ones only where nothing newer of their quantity is there."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of a source: an Observation or one of its components."""

    reference: str
    codes: frozenset[str]
    value: float
    unit: str
    at: datetime

    def is_read_as(self, one: Measurement) -> bool:
        """Whether a measurement of the record is this very number."""
        if one.source.reference != self.reference or one.loinc not in self.codes or one.taken_at != self.at:
            return False
        expected = converted(self.value, self.unit, one.unit, one.loinc)
        return expected is not None and abs(one.value - expected) <= CLOSE * abs(expected)


def sent(template: str, resources: Iterable[Json], today: date) -> list[Json]:
    """Return the resources that a server finds for a prefetch template, whatever their order.

    Raises:
        AssertionError: the template has a parameter that is not known here.
    """
    kind, _, query = template.partition("?")
    found = [one for one in resources if one["resourceType"] == kind]
    for name, value in parse_qsl(query):
        if name == "category":
            found = [one for one in found if value in _categories(one)]
        elif name in ("date", "started"):
            assert value.startswith("ge{{today() - "), template
            first = today - timedelta(days=int(value.removeprefix("ge{{today() - ").partition(" ")[0]))
            # R4 search, date: a server takes a day without a zone for one of its own, and HAPI's is UTC here.
            found = [one for one in found if _utc_day(one) >= first]
        else:
            assert name in ("patient", "_sort", "_count"), template
    return found


def readings(resources: Iterable[Json]) -> Iterator[Reading]:
    """Yield every number of the resources whose code is in the table."""
    for resource in resources:
        if resource["resourceType"] != "Observation" or resource["status"] not in ENDED:
            continue
        for part in (resource, *resource.get("component", [])):
            codes = {coding["code"] for coding in part["code"]["coding"] if coding["system"] == LOINC}
            known = frozenset(codes & set(QUANTITY_OF_LOINC))
            if known and "valueQuantity" in part:
                yield Reading(
                    f"Observation/{resource['id']}",
                    known,
                    part["valueQuantity"]["value"],
                    part["valueQuantity"]["code"],
                    datetime.fromisoformat(resource["effectiveDateTime"]),
                )


def rule_against(
    reading: Reading, record: Iterable[Measurement], gaps: Iterable[Gap], asked_at: datetime
) -> str | None:
    """Return the rule by which a number of the source is not in the record, or None where there is none."""
    quantity = QUANTITY_OF_LOINC[min(reading.codes)]
    told = {(gap.item, gap.reason) for gap in gaps}
    if reading.at > asked_at + AHEAD:
        return "it is dated in the future" if (quantity.name, GapReason.IMPLAUSIBLE) in told else None
    value = converted(reading.value, reading.unit, quantity.unit, min(reading.codes))
    if value is None:
        return None
    low, high = quantity.plausible
    if not low <= value <= high:
        return "no living patient has it" if (quantity.name, GapReason.IMPLAUSIBLE) in told else None
    same = [one for one in record if one.key == quantity.key and one.taken_at == reading.at]
    return "it was reported twice" if any(abs(one.value - value) <= CLOSE * abs(value) for one in same) else None


def is_beyond_the_newest(reading: Reading, category: Iterable[Json], record: Iterable[Measurement]) -> bool:
    """Whether a number is older than the hundred newest of its category, and the record has a newer one like it."""
    newer = [one for one in category if datetime.fromisoformat(one["effectiveDateTime"]) >= reading.at]
    among = any(f"Observation/{one['id']}" == reading.reference for one in newer)
    key = QUANTITY_OF_LOINC[min(reading.codes)].key
    return among and len(newer) > NEWEST and any(one.key == key and one.taken_at > reading.at for one in record)


def _categories(resource: Json) -> set[str]:
    return {coding["code"] for category in resource.get("category", []) for coding in category["coding"]}


def _utc_day(resource: Json) -> date:
    stated = resource.get("effectiveDateTime") or resource.get("started") or resource["date"]
    moment = datetime.fromisoformat(stated)
    return (moment - (moment.utcoffset() or timedelta(0))).date()
