"""Observations of a site -> which of our quantities they hold, under which codes and in which units. No network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fhir_adapter.measurements.quantities import QUANTITY_OF_KEY, QUANTITY_OF_LOINC
from fhir_adapter.measurements.units import to_unit
from fhir_adapter.shape import Resource, as_dict, as_text, codes_of, dicts_of
from fhir_adapter.survey.findings import Finding, Verdict, shown, skipped
from fhir_adapter.survey.visit import Visit

_LOINC: Final = ("http://loinc.org", "urn:oid:2.16.840.1.113883.6.1")
_LONGEST_UNIT: Final = 24
_MOST_UNITS: Final = 10
_PARTS: Final = ("codes/loinc", "codes/other", "codes/units")


async def check_codes(visit: Visit) -> tuple[Finding, ...]:
    """Look at every Observation that was seen, however old: a test patient seldom has results of this week."""
    seen = [resource for page in visit.pages.values() for resource in page.matches]
    seen += visit.chart.observations if visit.chart is not None else ()
    observations = {as_text(each.get("id")): each for each in seen if each.get("resourceType") == "Observation"}
    if not observations:
        return tuple(skipped(part, "no Observation was seen") for part in _PARTS)
    return judge_codes(list(observations.values()), visit.target.wanted)


def judge_codes(observations: Sequence[Resource], wanted: Sequence[str] = ()) -> tuple[Finding, ...]:
    """Say which quantities are there, how many results have other codes or none, and which units are not known.

    Args:
        observations: that were seen.
        wanted: keys of the quantities whose absence is to be told; empty for every one that can be read.
    """
    results = list(_results(observations))
    return _loinc(results, wanted or list(QUANTITY_OF_KEY)), _other(results), _units(results)


def _results(observations: Iterable[Resource]) -> Iterator[Resource]:
    """Yield what has a code and may have a value: the Observations and their components."""
    for observation in observations:
        yield observation
        yield from dicts_of(observation.get("component"))


def loinc_of(result: Resource) -> tuple[str, ...]:
    """Return the LOINC codes of an Observation or component."""
    return tuple(code for system, code in codes_of(result.get("code")) if system in _LOINC and code)


def _loinc(results: Iterable[Resource], wanted: Sequence[str]) -> Finding:
    part = "codes/loinc"
    codes = Counter(code for result in results for code in loinc_of(result) if code in QUANTITY_OF_LOINC)
    by_key: dict[str, list[str]] = {}
    for code, count in codes.items():
        by_key.setdefault(QUANTITY_OF_LOINC[code].key, []).append(f"{code} ({count})")
    told = "; ".join(f"{key} {', '.join(found)}" for key, found in by_key.items())
    absent = [key for key in wanted if key not in by_key]
    sentence = f"{len(by_key)} quantities seen" + (f": {told}" if told else "")
    sentence += f". Not seen: {', '.join(absent)}" if absent else f". All {len(wanted)} that are wanted are there"
    if len(absent) < len(wanted):
        return Finding(part, Verdict.OK, sentence)
    advice = "Please map your vital signs and laboratory results to LOINC codes; we read numbers by LOINC code only."
    return Finding(part, Verdict.MISSING, sentence, advice=advice)


def _other(results: Iterable[Resource]) -> Finding:
    """Count what we do not read; a local code is not printed, because a site may put anything into it."""
    part, other, local = "codes/other", set[str](), 0
    for result in results:
        codes = loinc_of(result)
        other |= set(codes) - set(QUANTITY_OF_LOINC) if not set(codes) & set(QUANTITY_OF_LOINC) else set()
        local += not codes and "valueQuantity" in result
    sentence = f"{len(other)} other LOINC codes, which are not read; {local} numbers without a LOINC code"
    if not local:
        return Finding(part, Verdict.OK, sentence)
    advice = f"{local} numeric results that we saw have no LOINC code. Please map them, or tell us which they are."
    return Finding(part, Verdict.WARN, sentence, advice=advice)


def _units(results: Iterable[Resource]) -> Finding:
    part = "codes/units"
    unread = dict.fromkeys(unit for result in results for unit in _unread_units(result))
    if not unread:
        return Finding(part, Verdict.OK, "all units of these quantities can be read")
    listed = ", ".join(f'"{unit}"' for unit in list(unread)[:_MOST_UNITS])
    advice = f"Please give results their UCUM unit (Quantity.code); we cannot read: {listed}."
    return Finding(part, Verdict.WARN, f"units that cannot be read: {listed}", advice=advice)


def _unread_units(result: Resource) -> Iterator[str]:
    """Yield the unit of a result of ours, UCUM code before printed text, where neither can be converted."""
    quantity = next((QUANTITY_OF_LOINC[code] for code in loinc_of(result) if code in QUANTITY_OF_LOINC), None)
    given = as_dict(result.get("valueQuantity"))
    if quantity is None or "value" not in given:
        return
    written = [text for text in (as_text(given.get("code")), as_text(given.get("unit"))) if text]
    if not any(to_unit(1.0, text, quantity) is not None for text in written):
        yield shown((written or ["none"])[0], _LONGEST_UNIT)
